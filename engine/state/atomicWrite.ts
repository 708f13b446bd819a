import { randomBytes } from "node:crypto";
import { chmod, mkdir, open, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { messageOf, UserError } from "../errors";

/** Of names such as `.dev.json.12ab.tmp`, which a killed write leaves behind. */
export const TEMPORARY_SUFFIX = ".tmp";

/** What is to be done between the steps of a write; tests stop there. */
export interface WriteHooks {
    beforeRename?(temporary: string): Promise<void>;
}

/**
 * Writes a file so that at any moment, also across a power cut, either the old or the new content is there: a
 * temporary file in the same folder, synced, renamed, the folder synced. Missing folders are made. Throws a one-line
 * `UserError` when the disk is full or refuses; the old file is then untouched. `mode` is that of a new file.
 */
export async function atomicWrite(
    file: string,
    content: string | Uint8Array,
    mode: number = 0o600,
    hooks: WriteHooks = {},
): Promise<void> {
    const folder = dirname(file);
    const temporary = join(folder, `.${basename(file)}.${randomBytes(6).toString("hex")}${TEMPORARY_SUFFIX}`);
    try {
        await mkdir(folder, { recursive: true });
        const handle = await open(temporary, "wx", mode);
        try {
            await handle.writeFile(content);
            await handle.sync();
        } finally {
            await handle.close();
        }
        await hooks.beforeRename?.(temporary);
        await rename(temporary, file);
        await syncFolder(folder);
    } catch (error) {
        await rm(temporary, { force: true }).catch(() => undefined);
        throw writeError(file, error);
    }
}

/**
 * Writes a file that belongs to the user in the same way: an existing one keeps its mode, a symbolic link stays and what
 * it points to is written. `mode` is that of a new file.
 */
export async function atomicRewrite(file: string, content: string | Uint8Array, mode: number): Promise<void> {
    const existing = await find(file);
    if (existing === undefined) {
        await atomicWrite(file, content, mode);
        return;
    }
    // The umask applies to new files only.
    const keepMode = (temporary: string): Promise<void> => chmod(temporary, existing.mode);
    await atomicWrite(existing.path, content, existing.mode, { beforeRename: keepMode });
}

async function find(file: string): Promise<{ path: string; mode: number } | undefined> {
    try {
        const path = await realpath(file);
        return { path, mode: (await stat(path)).mode & 0o7777 };
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") {
            return undefined;
        }
        throw writeError(file, error);
    }
}

/** Makes renames and removals in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
    const handle = await open(folder, "r");
    try {
        await handle.sync();
    } finally {
        await handle.close();
    }
}

/** The one-line error for a write that failed. */
export function writeError(file: string, error: unknown): unknown {
    switch ((error as NodeJS.ErrnoException).code) {
        case "ENOSPC":
        case "EDQUOT":
            return new UserError(
                `${file} cannot be written: no space left on the disk`,
                "make room and run the command again; what was written before is untouched",
                { cause: error },
            );
        case "EACCES":
        case "EPERM":
        case "EROFS":
        case "ENOTDIR":
            return new UserError(
                `${file} cannot be written (${messageOf(error)})`,
                "give this user the right to write there, or use another backend url",
                { cause: error },
            );
        default:
            return error;
    }
}
