import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const REPOSITORY = resolve(__dirname, "../../..");
const LAUNCHER = join(REPOSITORY, "engine/launcher.ts");
const LOADER = require.resolve("tsx/cjs");

/** How a command line ended. */
export interface Ended {
    /** `undefined` if a signal ended it. */
    readonly code: number | undefined;
    readonly signal: NodeJS.Signals | undefined;
    readonly stdout: string;
    readonly stderr: string;
}

/** A command line that runs, in a process group of its own. */
export interface Running {
    readonly pid: number;
    readonly ended: Promise<Ended>;
    /** What it has written to stdout up to now. */
    stdout(): string;
    /** Sends a signal to the engine alone. */
    signal(signal: NodeJS.Signals): void;
    /** Ends the engine, the program and every process they started, at once. */
    killAll(): void;
}

export interface ProjectOptions {
    readonly name?: string;
    /** The stack's name. */
    readonly stack?: string;
    readonly passphrase?: string;
    /** Files of the project by name, `index.ts` among them. */
    readonly files?: Readonly<Record<string, string>>;
    /** A folder to copy the project from, instead of `files`. */
    readonly from?: string;
    /** Folder of the backend; default: one within the project. */
    readonly backend?: string;
}

/** A Pulumi project in a folder of its own with a file backend, and the embedded engine's command line for it. */
export class Project {
    readonly folder = mkdtempSync(join(tmpdir(), "engine-"));
    readonly name: string;
    readonly stack: string;
    readonly backend: string;
    private readonly environment: NodeJS.ProcessEnv;
    private readonly running = new Set<Running>();

    constructor({ name = "trial", stack = "test", passphrase = "open sesame", ...options }: ProjectOptions) {
        this.name = name;
        this.stack = stack;
        this.backend = options.backend ?? join(this.folder, "backend");
        mkdirSync(this.backend, { recursive: true });
        if (options.from !== undefined) {
            cpSync(options.from, this.folder, { recursive: true });
        } else {
            this.write("Pulumi.yaml", `name: ${name}\nruntime: nodejs\nmain: index.ts\n`);
            this.write("tsconfig.json", readFileSync(join(VECTORS, "program/tsconfig.json"), "utf8"));
        }
        for (const [file, text] of Object.entries(options.files ?? {})) {
            this.write(file, text);
        }
        symlinkSync(join(REPOSITORY, "node_modules"), join(this.folder, "node_modules"));
        this.environment = {
            ...withoutPulumi(process.env),
            OVM_HA_ENGINE: "embedded",
            PULUMI_BACKEND_URL: `file://${this.backend}`,
            PULUMI_CONFIG_PASSPHRASE: passphrase,
            NO_COLOR: "1",
        };
    }

    write(file: string, text: string): void {
        writeFileSync(join(this.folder, file), text);
    }

    /** Starts `pulumi ARGS`. */
    start(args: readonly string[], environment: NodeJS.ProcessEnv = {}, input = ""): Running {
        const child = spawn(process.execPath, ["--require", LOADER, LAUNCHER, ...args], {
            cwd: this.folder,
            env: { ...this.environment, ...environment },
            detached: true,
            stdio: ["pipe", "pipe", "pipe"],
        });
        const running = follow(child, input);
        this.running.add(running);
        void running.ended.finally(() => this.running.delete(running));
        return running;
    }

    /**
     * Runs `pulumi ARGS` at a terminal of its own, with colours unless the environment forbids them. Each answer is typed
     * when its prompt has appeared; what is told is one stream, as at any terminal.
     */
    async atTerminal(
        args: readonly string[],
        answers: readonly (readonly [prompt: string, answer: string])[],
        environment: NodeJS.ProcessEnv = {},
    ): Promise<{ code: number | undefined; shown: string }> {
        const words = [process.execPath, "--require", LOADER, LAUNCHER, ...args];
        const command = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
        const { NO_COLOR: _, ...inherited } = this.environment;
        const child = spawn("script", ["--quiet", "--return", "--command", `exec ${command}`, "/dev/null"], {
            cwd: this.folder,
            env: { TERM: "xterm", ...inherited, ...environment },
            detached: true,
            stdio: ["pipe", "pipe", "inherit"],
        });
        let shown = "";
        let place = 0;
        const left = [...answers];
        child.stdout.setEncoding("utf8").on("data", (text: string) => {
            shown += text;
            for (let next = left[0]; next !== undefined && shown.includes(next[0], place); next = left[0]) {
                place = shown.indexOf(next[0], place) + next[0].length;
                child.stdin.write(next[1]);
                left.shift();
            }
        });
        const code = await new Promise<number | null>((resolve, reject) => {
            child.once("error", reject);
            child.once("close", resolve);
        });
        return { code: code ?? undefined, shown: shown.replaceAll("\r\n", "\n") };
    }

    /** Runs `pulumi ARGS` to its end. */
    async run(args: readonly string[], environment?: NodeJS.ProcessEnv, input?: string): Promise<Ended> {
        return this.start(args, environment, input).ended;
    }

    /** Runs `pulumi ARGS`, which must succeed; answers with its stdout. */
    async succeed(args: readonly string[], environment?: NodeJS.ProcessEnv, input?: string): Promise<string> {
        const { code, stdout, stderr } = await this.run(args, environment, input);
        if (code !== 0) {
            throw new Error(`pulumi ${args.join(" ")} ended with ${code}:\n${stdout}\n${stderr}`);
        }
        return stdout;
    }

    /** Makes the stack and sets its config; values of `secrets` are encrypted. */
    async init(
        config: Readonly<Record<string, string>> = {},
        secrets: Readonly<Record<string, string>> = {},
    ): Promise<void> {
        await this.succeed(["stack", "init", this.stack]);
        for (const [key, value] of Object.entries(config)) {
            await this.succeed(["config", "set", key], {}, value);
        }
        for (const [key, value] of Object.entries(secrets)) {
            await this.succeed(["config", "set", "--secret", key], {}, value);
        }
    }

    /** The stack's state file. */
    get stateFile(): string {
        return join(this.backend, ".pulumi/stacks", this.name, `${this.stack}.json`);
    }

    /** The state as `stack export` prints it. */
    async export(...flags: string[]): Promise<Exported> {
        const exported = JSON.parse(await this.succeed(["stack", "export", ...flags])) as
            Exported | { version: number; deployment: null };
        // What never ran has none.
        return { version: exported.version, deployment: exported.deployment ?? {} };
    }

    /** Every file of the backend and of the stack's config, by path. */
    files(): Map<string, string> {
        const found = new Map<string, string>();
        const config = join(this.folder, `Pulumi.${this.stack}.yaml`);
        if (existsSync(config)) {
            found.set(config, readFileSync(config, "utf8"));
        }
        for (const entry of readdirSync(this.backend, { recursive: true, withFileTypes: true })) {
            if (entry.isFile()) {
                const path = join(entry.parentPath, entry.name);
                found.set(path, readFileSync(path, "utf8"));
            }
        }
        return found;
    }

    /** Ends what still runs and removes the folder. */
    async remove(): Promise<void> {
        const left = [...this.running];
        left.forEach((each) => each.killAll());
        await Promise.all(left.map((each) => each.ended));
        rmSync(this.folder, { recursive: true, force: true });
    }
}

/** Recorded with the official CLI; see the note on vectors in the facts. */
export const VECTORS = join(REPOSITORY, "tests/engine/vectors");

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A resource as `stack export` has it. */
export interface ExportedResource {
    readonly urn: string;
    readonly type: string;
    readonly id?: string;
    readonly inputs?: { [key: string]: Json };
    readonly outputs?: { [key: string]: Json };
    readonly [key: string]: Json | undefined;
}

export interface Exported {
    readonly version: number;
    readonly deployment: {
        readonly resources?: readonly ExportedResource[];
        readonly pending_operations?: readonly { readonly type: string; readonly resource: ExportedResource }[];
    };
}

function follow(child: ChildProcess, input: string): Running {
    const { pid } = child;
    if (pid === undefined) {
        throw new Error("the engine's process did not start");
    }
    let stdout = "";
    let stderr = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    // Killed before it read its input.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
    const ended = new Promise<Ended>((resolveEnd, reject) => {
        child.once("error", reject);
        child.once("close", (code, signal) =>
            resolveEnd({ code: code ?? undefined, signal: signal ?? undefined, stdout, stderr }),
        );
    });
    return {
        pid,
        ended,
        stdout: () => stdout,
        signal: (signal) => void child.kill(signal),
        killAll: () => {
            // Found before the engine is gone: the program leads a process group of its own.
            const pids = descendants(pid);
            [...pids, pid].forEach((each) => kill(each));
        },
    };
}

function kill(pid: number): void {
    try {
        process.kill(pid, "SIGKILL");
    } catch {
        // It has ended by itself.
    }
}

/** All processes below one, the farthest first. */
export function descendants(pid: number): number[] {
    let children: number[];
    try {
        const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
        children = text.split(" ").filter(Boolean).map(Number);
    } catch {
        return [];
    }
    return children.flatMap((child) => [...descendants(child), child]);
}

function withoutPulumi(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
    return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith("PULUMI_")));
}
