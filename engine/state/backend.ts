import { constants } from "node:fs";
import { access, copyFile, link, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { messageOf, NotSupported, UserError } from "../errors";
import { atomicWrite, syncFolder, TEMPORARY_SUFFIX, writeError, type WriteHooks } from "./atomicWrite";
import { type Json } from "../values/wire";
import { fullName, type StackReference } from "./stackReference";

/** How a finished update is remembered; times are seconds since 1970. Source: pulumi/pulumi pkg/backend/updates.go. */
export interface UpdateInfo {
    readonly kind: "update" | "refresh" | "destroy" | "import";
    readonly startTime: number;
    readonly endTime: number;
    readonly message: string;
    readonly environment: Readonly<Record<string, string>>;
    /** The stack's config as its file has it, secrets encrypted. */
    readonly config: Json;
    readonly result: "succeeded" | "failed";
    readonly resourceChanges: Readonly<Record<string, number>>;
}

export interface StackSummary {
    readonly reference: StackReference;
    /** Last write of the stack file. */
    readonly lastUpdate: Date;
}

/** Settings of the official CLI that change what is on disk in ways this engine does not follow. */
const REFUSED_SETTINGS = [
    "PULUMI_DIY_BACKEND_GZIP",
    "PULUMI_DIY_BACKEND_ZSTD",
    "PULUMI_DIY_BACKEND_LEGACY_LAYOUT",
    "PULUMI_DIY_BACKEND_RETAIN_CHECKPOINTS",
] as const;

/**
 * The folder of a `file://` URL: `file://~`, `file://~/x`, absolute, or relative to `cwd`, as the official CLI reads
 * it. Other schemes are refused by name.
 */
export function backendFolder(url: string, cwd: string, home: string = homedir()): string {
    const scheme = /^([a-z0-9+.-]+):\/\//i.exec(url)?.[1];
    if (scheme !== "file") {
        throw scheme === undefined
            ? new UserError(`the backend url ${JSON.stringify(url)} is not a url`, "write it as file://<folder>")
            : new NotSupported(`the backend ${JSON.stringify(`${scheme}://`)}`);
    }
    const path = url.slice("file://".length).split("?")[0] ?? "";
    return path.startsWith("~") ? join(home, path.slice(1)) : resolve(cwd, path);
}

/**
 * Stacks in a folder, in the official file backend's layout, project-scoped (`meta.yaml` version 1).
 *
 * Source: pulumi/pulumi pkg/backend/diy/{backend,state,store,meta}.go.
 */
export class FileBackend {
    private constructor(
        readonly url: string,
        /** `<folder>/.pulumi` */
        readonly root: string,
        private readonly environment: NodeJS.ProcessEnv,
    ) {}

    /** Opens the folder, which is made with its `meta.yaml` if it is new. Throws `UserError` or `NotSupported`. */
    static async open(url: string, cwd: string, environment: NodeJS.ProcessEnv = process.env): Promise<FileBackend> {
        const setting = REFUSED_SETTINGS.find((name) => isTruthy(environment[name]));
        if (setting !== undefined) {
            throw new NotSupported(setting);
        }
        const backend = new FileBackend(url, join(backendFolder(url, cwd), ".pulumi"), environment);
        await backend.checkVersion();
        return backend;
    }

    stackFile({ project, name }: StackReference): string {
        return join(this.root, "stacks", project, `${name}.json`);
    }

    lockFolder(reference: StackReference): string {
        return join(this.root, "locks", fullName(reference));
    }

    async exists(reference: StackReference): Promise<boolean> {
        return (await this.read(reference)) !== undefined;
    }

    /** All stacks, sorted by project and name; `project` picks those of one. */
    async list(project?: string): Promise<StackSummary[]> {
        const projects = project === undefined ? await names(join(this.root, "stacks")) : [project];
        const stacks: StackSummary[] = [];
        for (const owner of projects.sort()) {
            const files = await names(join(this.root, "stacks", owner));
            for (const file of files.filter((name) => name.endsWith(".json") && !name.startsWith(".")).sort()) {
                const reference = { project: owner, name: basename(file, ".json") };
                stacks.push({ reference, lastUpdate: (await stat(this.stackFile(reference))).mtime });
            }
        }
        return stacks;
    }

    /** The text of the stack file; `undefined` when there is no such stack. */
    async read(reference: StackReference): Promise<string | undefined> {
        const file = this.stackFile(reference);
        const text = await readIfThere(file);
        if (text === undefined) {
            for (const extension of [".gz", ".zst"]) {
                if (await isThere(file + extension)) {
                    throw new NotSupported(`the compressed state file ${file}${extension}`);
                }
            }
        }
        return text;
    }

    /** Replaces the stack file durably; the one before stays beside it as `.bak`. */
    async write(reference: StackReference, text: string, hooks: WriteHooks = {}): Promise<void> {
        const file = this.stackFile(reference);
        await keepBackup(file).catch((error: unknown) => {
            throw writeError(`${file}.bak`, error);
        });
        await atomicWrite(file, text, 0o600, hooks);
    }

    /** Removes what killed writes of this stack left behind. Only for who holds its lock. */
    async removeTemporaries(reference: StackReference): Promise<void> {
        const file = this.stackFile(reference);
        for (const name of await names(dirname(file))) {
            if (name.startsWith(`.${basename(file)}.`) && name.endsWith(TEMPORARY_SUFFIX)) {
                await rm(join(dirname(file), name), { force: true });
            }
        }
    }

    /** Notes a finished update: an entry and a copy of the stack file in `history`, another copy in `backups`. */
    async addHistory(reference: StackReference, info: UpdateInfo): Promise<void> {
        const { project, name } = reference;
        const stamp = nanoseconds();
        const text = (await this.read(reference)) ?? "";
        const prefix = join(this.root, "history", project, name, `${name}-${stamp}`);
        const { kind, startTime, message, environment, config, result, endTime, resourceChanges } = info;
        const entry = {
            kind,
            startTime,
            message,
            environment,
            config,
            version: 0,
            result,
            endTime,
            ...(Object.keys(resourceChanges).length > 0 ? { resourceChanges } : {}),
        };
        await atomicWrite(`${prefix}.history.json`, JSON.stringify(entry));
        await atomicWrite(`${prefix}.checkpoint.json`, text);
        if (!isTruthy(this.environment["PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS"])) {
            await atomicWrite(join(this.root, "backups", project, name, `${name}.${stamp}.json`), text);
        }
    }

    /** Removes the stack with its history, but for its last state, which stays as `.bak` unless told otherwise. */
    async remove(reference: StackReference, removeBackups: boolean): Promise<void> {
        const { project, name } = reference;
        const file = this.stackFile(reference);
        if (removeBackups) {
            await rm(`${file}.bak`, { force: true });
            await rm(join(this.root, "backups", project, name), { recursive: true, force: true });
            await rm(file, { force: true });
        } else {
            await rename(file, `${file}.bak`);
        }
        await rm(`${file}.attrs`, { force: true });
        await rm(join(this.root, "history", project, name), { recursive: true, force: true });
        await syncFolder(dirname(file));
    }

    private async checkVersion(): Promise<void> {
        const file = join(this.root, "meta.yaml");
        const text = await readIfThere(file);
        if (text === undefined) {
            const legacy = (await names(join(this.root, "stacks"))).filter((name) => name.endsWith(".json"));
            if (legacy.length > 0) {
                throw new NotSupported(`the old layout without projects in ${this.root}`);
            }
            await atomicWrite(file, "version: 1\n");
            return;
        }
        const version = /^\s*version\s*:\s*(\d+)\s*$/m.exec(text)?.[1];
        if (version === undefined) {
            throw new UserError(`${file} is damaged: it has no version`, 'put the line "version: 1" into it');
        }
        if (version !== "1") {
            throw new NotSupported(`version ${version} of the file backend, in ${file},`);
        }
    }
}

/** Makes the file's content also that of `<file>.bak`, by a hard link where the file system has them. */
async function keepBackup(file: string): Promise<void> {
    if (!(await isThere(file))) {
        return;
    }
    const temporary = join(dirname(file), `.${basename(file)}.bak${TEMPORARY_SUFFIX}`);
    await rm(temporary, { force: true });
    try {
        await link(file, temporary);
    } catch {
        await copyFile(file, temporary, constants.COPYFILE_FICLONE);
    }
    await rename(temporary, `${file}.bak`);
    // A rename between two links to the same content does nothing.
    await rm(temporary, { force: true });
    // What the official backend notes about a file's content no longer holds.
    await rm(`${file}.attrs`, { force: true });
}

async function names(folder: string): Promise<string[]> {
    try {
        return await readdir(folder);
    } catch (error) {
        if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) {
            return [];
        }
        throw new UserError(`${folder} cannot be read (${messageOf(error)})`, "give this user the right to read it");
    }
}

async function readIfThere(file: string): Promise<string | undefined> {
    try {
        return await readFile(file, "utf8");
    } catch (error) {
        if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) {
            return undefined;
        }
        throw new UserError(`${file} cannot be read (${messageOf(error)})`, "give this user the right to read it");
    }
}

async function isThere(file: string): Promise<boolean> {
    return access(file).then(
        () => true,
        () => false,
    );
}

function isTruthy(value: string | undefined): boolean {
    return value === "1" || value?.toLowerCase() === "true";
}

/** Nanoseconds since 1970, as far as they are known, never the same twice. */
function nanoseconds(): string {
    return `${Date.now()}${(process.hrtime.bigint() % 1_000_000n).toString().padStart(6, "0")}`;
}
