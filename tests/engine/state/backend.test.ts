import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { backendFolder, FileBackend } from "../../../engine/state/backend";
import { cancelLocks, lockStack } from "../../../engine/state/lock";
import { type Snapshot } from "../../../engine/state/resource";
import { fullName, parseReference } from "../../../engine/state/stackReference";
import { SnapshotWriter } from "../../../engine/state/writer";
import { temporaryFolder } from "../../support/temporaryFolder";

const DEV = { project: "p", name: "dev" };
const folder = (): string => temporaryFolder();
const open = (root: string): Promise<FileBackend> => FileBackend.open(`file://${root}`, "/", {});

describe("the folder of a backend url", () => {
    it.each([
        ["file://~", "/home/u"],
        ["file://~/x", "/home/u/x"],
        ["file:///abs", "/abs"],
        ["file://./state", "/cwd/state"],
        ["file:///abs?no_tmp_dir=true", "/abs"],
    ])("%s is %s", (url, expected) => expect(backendFolder(url, "/cwd", "/home/u")).toBe(expected));

    it("of another kind is refused by name", () => {
        expect(() => backendFolder("s3://bucket", "/")).toThrow(/"s3:\/\/".*official pulumi CLI/);
        expect(() => backendFolder("state", "/")).toThrow("not a url");
    });
});

describe("the name of a stack", () => {
    it.each([
        ["dev", "organization/p/dev"],
        ["organization/dev", "organization/p/dev"],
        ["organization/q/dev", "organization/q/dev"],
    ])("%s is %s", (text, full) => expect(fullName(parseReference(text, "p"))).toBe(full));

    it.each(["", "..", "a b", "acme/p/dev", "organization/../dev", "a/b/c/d"])("%j is refused", (text) => {
        expect(() => parseReference(text, "p")).toThrow(/: /);
    });
});

describe("the file backend", () => {
    it("lays stacks out as the official one does", async () => {
        const root = folder();
        const backend = await open(root);
        await backend.write(DEV, "one");
        await backend.write(DEV, "two");
        const info = { kind: "update", startTime: 1, endTime: 2, message: "", environment: {}, config: {} } as const;
        await backend.addHistory(DEV, { ...info, result: "succeeded", resourceChanges: { create: 1 } });
        const pulumi = join(root, ".pulumi");
        expect(readFileSync(join(pulumi, "meta.yaml"), "utf8")).toBe("version: 1\n");
        expect(readFileSync(join(pulumi, "stacks/p/dev.json"), "utf8")).toBe("two");
        expect(readFileSync(join(pulumi, "stacks/p/dev.json.bak"), "utf8")).toBe("one");
        expect(readdirSync(join(pulumi, "stacks/p")).sort()).toEqual(["dev.json", "dev.json.bak"]);
        const history = readdirSync(join(pulumi, "history/p/dev")).sort();
        expect(history).toEqual([
            expect.stringMatching(/^dev-\d{19}\.checkpoint\.json$/),
            expect.stringMatching(/^dev-\d{19}\.history\.json$/),
        ]);
        expect(JSON.parse(readFileSync(join(pulumi, "history/p/dev", history[1] ?? ""), "utf8"))).toEqual({
            ...info,
            version: 0,
            result: "succeeded",
            resourceChanges: { create: 1 },
        });
        expect(readdirSync(join(pulumi, "backups/p/dev"))).toEqual([expect.stringMatching(/^dev\.\d{19}\.json$/)]);
        expect((await backend.list()).map(({ reference }) => reference)).toEqual([DEV]);
    });

    it("keeps the last state of a removed stack, unless told otherwise", async () => {
        const backend = await open(folder());
        await backend.write(DEV, "one");
        await backend.remove(DEV, false);
        expect(await backend.exists(DEV)).toBe(false);
        expect(readFileSync(`${backend.stackFile(DEV)}.bak`, "utf8")).toBe("one");
        await backend.write(DEV, "two");
        await backend.remove(DEV, true);
        expect(readdirSync(join(backend.root, "stacks/p"))).toEqual([]);
    });

    it("refuses what it does not follow", async () => {
        const root = folder();
        mkdirSync(join(root, ".pulumi/stacks"), { recursive: true });
        writeFileSync(join(root, ".pulumi/stacks/dev.json"), "{}");
        await expect(open(root)).rejects.toThrow("old layout");
        writeFileSync(join(root, ".pulumi/meta.yaml"), "version: 2\n");
        await expect(open(root)).rejects.toThrow("version 2");
        writeFileSync(join(root, ".pulumi/meta.yaml"), "nothing");
        await expect(open(root)).rejects.toThrow("damaged");
        await expect(FileBackend.open(`file://${folder()}`, "/", { PULUMI_DIY_BACKEND_GZIP: "true" })).rejects.toThrow(
            "PULUMI_DIY_BACKEND_GZIP",
        );
    });

    it("has the old content when a write dies before its rename, and the next run clears up", async () => {
        const backend = await open(folder());
        await backend.write(DEV, "one");
        const module = join(__dirname, "../../../engine/state/atomicWrite.ts");
        const script = `require(${JSON.stringify(module)}).atomicWrite(${JSON.stringify(backend.stackFile(DEV))}, "two",
            0o600, { beforeRename: async () => process.kill(process.pid, "SIGKILL") });`;
        const killed = spawnSync(process.execPath, ["--import", "tsx", "--eval", script], {
            cwd: join(__dirname, "../../.."),
        });
        expect(killed.signal).toBe("SIGKILL");
        expect(await backend.read(DEV)).toBe("one");
        expect(readdirSync(join(backend.root, "stacks/p"))).toHaveLength(2);
        await backend.removeTemporaries(DEV);
        expect(readdirSync(join(backend.root, "stacks/p"))).toEqual(["dev.json"]);
    });

    it("says in one line that the disk is full, and leaves the state as it was", async () => {
        const root = folder();
        try {
            execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", root], { stdio: "pipe" });
        } catch (error) {
            console.warn(`skipped: a small disk cannot be mounted here (${(error as Error).message})`);
            return;
        }
        try {
            const backend = await open(root);
            await backend.write(DEV, "one");
            await expect(backend.write(DEV, "x".repeat(200_000))).rejects.toThrow(
                /^\S+dev\.json cannot be written: no space left on the disk: make room/,
            );
            expect(await backend.read(DEV)).toBe("one");
            expect(readdirSync(join(backend.root, "stacks/p")).sort()).toEqual(["dev.json", "dev.json.bak"]);
        } finally {
            execFileSync("umount", [root]);
        }
    });
});

describe("the lock of a stack", () => {
    const silent = (): void => undefined;

    it("refuses a second run in one line that says who and what to do, until it is released", async () => {
        const locks = join(folder(), "locks");
        const lock = await lockStack(locks, silent);
        await expect(lockStack(locks, silent)).rejects.toThrow(
            new RegExp(`^the stack is locked by .*@${hostname()} \\(pid ${process.pid}\\) since .*pulumi cancel`),
        );
        await lock.release();
        await (await lockStack(locks, silent)).release();
        expect(readdirSync(locks)).toEqual([]);
    });

    it("of a dead process of this host is taken over, with a note", async () => {
        const locks = folder();
        const dead = spawnSync("true");
        const content = { pid: dead.pid, username: "u", hostname: hostname(), timestamp: "2026-01-01T00:00:00Z" };
        writeFileSync(join(locks, "a.json"), JSON.stringify(content));
        const notes: string[] = [];
        const lock = await lockStack(locks, (line) => notes.push(line));
        expect(notes).toEqual([expect.stringContaining(`(pid ${dead.pid})`)]);
        lock.releaseNow();
        expect(readdirSync(locks)).toEqual([]);
    });

    it("of a dead process whose number is in use again is taken over, too", async () => {
        const locks = folder();
        const other = { pid: process.pid, username: "u", hostname: hostname(), timestamp: "t", startTicks: "1" };
        writeFileSync(join(locks, "a.json"), JSON.stringify(other));
        await (await lockStack(locks, silent)).release();
    });

    it.each([
        ["another host", { hostname: "elsewhere" }],
        ["another container", { pidNamespace: "pid:[1]" }],
        ["a living process", {}],
    ])("of %s is not", async (_name, fields) => {
        const locks = folder();
        const child = spawn("sleep", ["60"]);
        const lock = { pid: child.pid, username: "u", hostname: hostname(), timestamp: "t", ...fields };
        writeFileSync(join(locks, "a.json"), JSON.stringify(lock));
        await expect(lockStack(locks, silent)).rejects.toThrow("locked");
        child.kill();
        expect(await cancelLocks(locks)).toBe(1);
        expect(await cancelLocks(join(locks, "none"))).toBe(0);
    });

    it("that cannot be read is refused as well", async () => {
        const locks = folder();
        writeFileSync(join(locks, "a.json"), "{");
        await expect(lockStack(locks, silent)).rejects.toThrow("an unreadable lock");
    });
});

describe("the writer", () => {
    const snapshot = (): Snapshot => ({ resources: [], pendingOperations: [] });

    it("writes a burst in two writes, each as new as its callers need", async () => {
        const states: Snapshot[] = [];
        const made: Snapshot[] = [];
        const writer = new SnapshotWriter(async (state) => {
            await new Promise((resolve) => setTimeout(resolve, 5));
            states.push(state);
        });
        const current = (): Snapshot => made.at(-1) ?? snapshot();
        const first = writer.save(current);
        await new Promise((resolve) => setImmediate(resolve));
        const rest = Array.from({ length: 50 }, async () => {
            const needed = snapshot();
            made.push(needed);
            await writer.save(current);
            expect(made.indexOf(states.at(-1) ?? snapshot())).toBeGreaterThanOrEqual(made.indexOf(needed));
        });
        await Promise.all([first, ...rest]);
        expect(states).toHaveLength(2);
    });

    it("tells of a failed write and goes on with the next", async () => {
        let full = true;
        const writer = new SnapshotWriter(() => (full ? Promise.reject(new Error("full")) : Promise.resolve()));
        await expect(writer.save(snapshot)).rejects.toThrow("full");
        full = false;
        await expect(writer.save(snapshot)).resolves.toBeUndefined();
        await writer.idle();
    });
});
