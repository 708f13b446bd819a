/**
 * Processes that outlive the command that started them: QEMU and the switch.
 *
 * A pid alone says nothing once its process is gone, for numbers are used again. So each process is written down with
 * the moment it started, and nothing is ever ended unless both still fit.
 */
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A process, told from every other one on this computer. */
export interface ProcessId {
    readonly pid: number;
    /** Clock ticks from the computer's start to the process's, as in /proc/PID/stat. */
    readonly startTicks: string;
    /** Which start of the computer that was. */
    readonly bootId: string;
}

/** State and start time from the text of /proc/PID/stat; the command name in it may hold spaces and parentheses. */
export function parseStat(stat: string): { state: string; startTicks: string } {
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0] ?? "", startTicks: fields[19] ?? "" };
}

function bootId(): string {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/** The process that has this pid now; undefined when there is none, or when it has ended but was not collected yet. */
export function identify(pid: number): ProcessId | undefined {
    try {
        const { state, startTicks } = parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
        return state === "Z" || state === "X" ? undefined : { pid, startTicks, bootId: bootId() };
    } catch {
        return undefined;
    }
}

/** Whether this very process still runs. */
export function isAlive(process: ProcessId | undefined): process is ProcessId {
    const now = process && identify(process.pid);
    return now !== undefined && now.startTicks === process?.startTicks && now.bootId === process.bootId;
}

/** Memory of a process that is in real use, in MiB; 0 when it is gone. */
export function residentMemory(process: ProcessId): number {
    try {
        const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${process.pid}/status`, "utf8"))?.[1];
        return Math.round(Number(kib ?? 0) / 1024);
    } catch {
        return 0;
    }
}

/**
 * Starts a program in a session of its own, so that neither the end of this command nor Ctrl-C reaches it.
 *
 * @param log file that takes what it prints; emptied first
 * @throws Error when the program cannot be started
 */
export async function startDetached(
    file: string,
    args: readonly string[],
    cwd: string,
    log: string,
): Promise<ProcessId> {
    const output = openSync(log, "w");
    try {
        const child = spawn(file, args, { cwd, detached: true, stdio: ["ignore", output, output] });
        await new Promise<void>((resolve, reject) => {
            child.once("spawn", resolve);
            child.once("error", reject);
        });
        child.unref();
        const id = child.pid === undefined ? undefined : identify(child.pid);
        if (!id) {
            throw new Error(`${file} ended at once: ${readFileSync(log, "utf8").trim()}`);
        }
        return id;
    } finally {
        closeSync(output);
    }
}

/**
 * Ends a process: asks, and insists after `patience` milliseconds. Returns when it is gone; does nothing when it
 * already was.
 */
export async function endProcess(process: ProcessId | undefined, patience = 5000): Promise<void> {
    for (const [signal, wait] of [["SIGTERM", patience] as const, ["SIGKILL", 10_000] as const]) {
        if (!isAlive(process)) {
            return;
        }
        try {
            globalThis.process.kill(process.pid, signal);
        } catch {
            // Gone between the look and the signal.
        }
        await waitForEnd(process, wait);
    }
}

/** Waits until a process is gone, at most `milliseconds`; whether it is. */
export async function waitForEnd(process: ProcessId | undefined, milliseconds: number): Promise<boolean> {
    const until = Date.now() + milliseconds;
    while (isAlive(process)) {
        if (Date.now() > until) {
            return false;
        }
        await sleep(20);
    }
    return true;
}
