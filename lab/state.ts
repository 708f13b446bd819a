/**
 * What a lab writes down, and where.
 *
 * `.lab/lab.json` ({@link Lab}) describes the lab and stays until `clean`: it is what other programs read, with
 * {@link readLab}. `.lab/run.json` ({@link Run}) holds the processes and is gone after `stop`.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "./errors";
import { type MachinePlan } from "./machines";
import { identify, isAlive, type ProcessId } from "./process";
import { type Accelerator } from "./qemu";

/** One machine of a lab. */
export interface LabMachine extends MachinePlan {
    /** Port on 127.0.0.1 that leads to its SSH. */
    sshPort: number;
}

/** A saved state of the whole lab. */
export interface Save {
    /** When it was saved: the time the machines' clocks show right after a restore. */
    at: string;
    /** What each machine did then. One that is not named did not exist. */
    machines: Record<string, "running" | "off">;
}

/** The content of `.lab/lab.json`. */
export interface Lab {
    version: 1;
    createdAt: string;
    accelerator: Accelerator;
    /** The machines that exist, the manager first. */
    machines: LabMachine[];
    /** The guest, once somebody starts it; both ports are on 127.0.0.1. */
    guest: { name: string; address: string; httpPort: number; sshPort: number };
    /** The pool's virtual address, once somebody holds it; the port is on 127.0.0.1. */
    pool: { address: string; httpPort: number };
    /** How to log in to any machine. */
    ssh: { user: string; privateKey: string; publicKey: string; knownHosts: string };
    /** Guest media that lie ready on a machine, each in its own folder. */
    media: { machine: string; folder: string; names: string[] };
    /** Folders of the images the disks stand on. */
    images: { host: string; media: string };
    /** Saved states by name; `fresh` is the one right after the first boot. */
    saves: Record<string, Save>;
}

/** A machine that runs. */
export interface RunningMachine {
    process: ProcessId;
    startedAt: string;
    /** Its cable is pulled. */
    cut: boolean;
}

/** The content of `.lab/run.json`. */
export interface Run {
    switch?: ProcessId;
    router?: ProcessId;
    machines: Record<string, RunningMachine>;
}

/** Folder of this checkout's lab: `.lab/`, or what OVM_HA_LAB_DIR says. */
export function defaultLabFolder(): string {
    return resolve(process.env["OVM_HA_LAB_DIR"] ?? join(__dirname, "..", ".lab"));
}

/**
 * The lab in `folder`, as `.lab/lab.json` describes it. That it is described does not mean that it runs.
 *
 * @throws LabError when there is none
 */
export function readLab(folder = defaultLabFolder()): Lab {
    const file = join(folder, "lab.json");
    if (!existsSync(file)) {
        throw new LabError("there is no lab here yet: npm run lab -- start");
    }
    const lab = JSON.parse(readFileSync(file, "utf8")) as Lab;
    if (lab.version !== 1) {
        throw new LabError(`${basename(file)} was written by another version of the lab: npm run lab -- clean`);
    }
    return lab;
}

/** Paths of a lab. Sockets lie elsewhere, because a socket's path may have 107 bytes only. */
export class LabFolder {
    /** Short folder for sockets, private to this user; its name follows from the lab's own folder. */
    readonly sockets: string;

    constructor(readonly path: string = defaultLabFolder()) {
        const key = createHash("sha256").update(path).digest("hex").slice(0, 10);
        const runtime = process.env["XDG_RUNTIME_DIR"];
        const base = runtime && runtime.length < 60 && existsSync(runtime) ? runtime : tmpdir();
        this.sockets = join(base, `ovm-ha-lab-${process.getuid?.() ?? 0}-${key}`);
    }

    get exists(): boolean {
        return existsSync(join(this.path, "lab.json"));
    }

    /** A path inside the lab's folder. */
    at(...parts: string[]): string {
        return join(this.path, ...parts);
    }

    /** A file of one machine. */
    machine(name: string, file: string): string {
        return this.at("machines", name, file);
    }

    readLab(): Lab {
        return readLab(this.path);
    }

    writeLab(lab: Lab): void {
        writeJson(this.at("lab.json"), lab);
    }

    /** What runs, as written down; entries of processes that are gone are left out. */
    readRun(): Run {
        const file = this.at("run.json");
        if (!existsSync(file)) {
            return { machines: {} };
        }
        const run = JSON.parse(readFileSync(file, "utf8")) as Run;
        const machines = Object.entries(run.machines).filter(([, machine]) => isAlive(machine.process));
        return {
            ...(isAlive(run.switch) && { switch: run.switch }),
            ...(isAlive(run.router) && { router: run.router }),
            machines: Object.fromEntries(machines),
        };
    }

    writeRun(run: Run): void {
        writeJson(this.at("run.json"), run);
    }

    /** Makes the folder for sockets, and refuses one that somebody else made in its place. */
    makeSockets(): void {
        mkdirSync(this.sockets, { recursive: true, mode: 0o700 });
        const { uid, mode } = statSync(this.sockets);
        if (uid !== process.getuid?.() || (mode & 0o077) !== 0) {
            throw new LabError(`${this.sockets} belongs to somebody else or is open to others: remove it`);
        }
    }
}

/** Writes a file so that a reader sees the old content or the new one, never a part. */
export function writeJson(file: string, content: unknown): void {
    const temporary = `${file}.${process.pid}`;
    try {
        writeFileSync(temporary, `${JSON.stringify(content, null, 2)}\n`);
        renameSync(temporary, file);
    } finally {
        rmSync(temporary, { force: true });
    }
}

/**
 * Runs `use` while holding a lock: a file with the process that holds it. A lock whose holder is gone is taken over.
 *
 * @param seconds how long to wait for another holder
 * @throws LabError that names the holder when it does not let go
 */
export async function withLock<T>(
    file: string,
    seconds: number,
    use: () => Promise<T>,
    signal?: AbortSignal,
): Promise<T> {
    const me = identify(process.pid);
    const until = Date.now() + seconds * 1000;
    for (;;) {
        try {
            writeFileSync(file, JSON.stringify(me), { flag: "wx" });
            break;
        } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
                throw error;
            }
        }
        const holder = readHolder(file);
        if (holder !== "unknown" && !isAlive(holder)) {
            rmSync(file, { force: true });
        } else if (Date.now() > until) {
            const who = holder === "unknown" ? "" : ` (process ${holder.pid})`;
            throw new LabError(`another command of the lab${who} is at work; try again when it has ended`);
        } else {
            await sleep(100, undefined, { signal });
        }
    }
    try {
        return await use();
    } finally {
        rmSync(file, { force: true });
    }
}

/** Who holds a lock; unknown for the moment between the making of the file and its content. */
function readHolder(file: string): ProcessId | "unknown" {
    try {
        const age = Date.now() - statSync(file).mtimeMs;
        const text = readFileSync(file, "utf8");
        if (text === "") {
            return age > 5000 ? { pid: 0, startTicks: "", bootId: "" } : "unknown";
        }
        return JSON.parse(text) as ProcessId;
    } catch {
        return "unknown";
    }
}
