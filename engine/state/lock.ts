import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { UserError } from "../errors";
import { atomicWrite } from "./atomicWrite";

/**
 * Who works on a stack. The first four fields are the official CLI's (pulumi/pulumi pkg/backend/diy/lock.go); the
 * others tell a process from a later one with the same number, and are ignored by it.
 */
interface LockContent {
    readonly pid: number;
    readonly username: string;
    readonly hostname: string;
    /** RFC 3339 */
    readonly timestamp: string;
    /** Clock ticks from boot to the start of the process, as /proc has it. */
    readonly startTicks?: string;
    readonly pidNamespace?: string;
}

/** A lock that is held; `release` may be called more than once and never throws. */
export interface StackLock {
    readonly file: string;
    release(): Promise<void>;
    /** For an exit handler. */
    releaseNow(): void;
}

/**
 * Locks a stack by a file in its lock folder. Locks that processes of this very host left when they died are taken
 * away, which `note` is told; any other lock is a `UserError` that says who, when, where, and the remedy.
 */
export async function lockStack(folder: string, note: (line: string) => void): Promise<StackLock> {
    const file = join(folder, `${randomUUID()}.json`);
    await refuseOthers(folder, file, note);
    const content: LockContent = {
        pid: process.pid,
        username: currentUser(),
        hostname: hostname(),
        timestamp: new Date().toISOString(),
        startTicks: startTicks(process.pid),
        pidNamespace: pidNamespace(),
    };
    await atomicWrite(file, JSON.stringify(content));
    try {
        // Another process may have looked at the same moment: then both see the other's file now, and both go back.
        await refuseOthers(folder, file, note);
    } catch (error) {
        rmSync(file, { force: true });
        throw error;
    }
    return {
        file,
        release: async () => rm(file, { force: true }).catch(() => undefined),
        releaseNow: () => {
            try {
                rmSync(file, { force: true });
            } catch {
                // The next run finds that the process is gone.
            }
        },
    };
}

/** Takes all locks of a stack away; how many there were. */
export async function cancelLocks(folder: string): Promise<number> {
    const files = lockFiles(folder);
    for (const file of files) {
        await rm(file, { force: true });
    }
    return files.length;
}

async function refuseOthers(folder: string, own: string, note: (line: string) => void): Promise<void> {
    for (const file of lockFiles(folder).filter((name) => name !== own)) {
        const content = readLock(file);
        if (content === "gone") {
            continue;
        }
        const holder =
            content === undefined
                ? "an unreadable lock"
                : `${content.username}@${content.hostname} (pid ${content.pid}) since ${content.timestamp}`;
        if (content !== undefined && isDead(content)) {
            await rm(file, { force: true });
            note(`took over the lock of ${holder}: that process no longer runs`);
            continue;
        }
        throw new UserError(
            `the stack is locked by ${holder}, in ${file}`,
            "wait for that run to end, or, if it is surely dead, take the lock away with `pulumi cancel`",
        );
    }
}

function lockFiles(folder: string): string[] {
    try {
        return readdirSync(folder)
            .filter((name) => name.endsWith(".json") && !name.startsWith("."))
            .map((name) => join(folder, name));
    } catch {
        return [];
    }
}

function readLock(file: string): LockContent | "gone" | undefined {
    try {
        const json = JSON.parse(readFileSync(file, "utf8")) as Partial<LockContent> | null;
        const { pid, username, hostname: host, timestamp } = json ?? {};
        return typeof pid === "number" && host !== undefined && username !== undefined && timestamp !== undefined
            ? (json as LockContent)
            : undefined;
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === "ENOENT" ? "gone" : undefined;
    }
}

/** True only if it is certain: same host, same process numbers, and no such process, or a younger one. */
function isDead(lock: LockContent): boolean {
    if (lock.hostname !== hostname() || (lock.pidNamespace ?? pidNamespace()) !== pidNamespace()) {
        return false;
    }
    try {
        process.kill(lock.pid, 0);
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === "ESRCH";
    }
    const ticks = startTicks(lock.pid);
    return ticks === "ended" || (lock.startTicks !== undefined && ticks !== undefined && ticks !== lock.startTicks);
}

/** `undefined` where there is no /proc, "ended" for a process that nobody has waited for yet. */
function startTicks(pid: number): string | undefined {
    try {
        const status = readFileSync(`/proc/${pid}/stat`, "utf8");
        // The command's name stands in parentheses and may hold anything; the 22nd field is the 20th after it.
        const fields = status.slice(status.lastIndexOf(")") + 2).split(" ");
        // A zombie does no more than a process that is gone.
        return fields[0] === "Z" ? "ended" : fields[19];
    } catch {
        return undefined;
    }
}

function pidNamespace(): string | undefined {
    try {
        return readlinkSync("/proc/self/ns/pid");
    } catch {
        return undefined;
    }
}

function currentUser(): string {
    try {
        return userInfo().username;
    } catch {
        return String(process.getuid?.() ?? "unknown");
    }
}
