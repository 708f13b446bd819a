/** One machine at a time: its disk, its power, its cable, its state. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LabError, messageOf } from "./errors";
import { run } from "./run";
import { type MachinePlan } from "./machines";
import { switchSocket } from "./network";
import { endProcess, isAlive, type ProcessId, startDetached, waitForEnd } from "./process";
import { machineArguments, type MachineFiles } from "./qemu";
import { Monitor, withMonitor } from "./qmp";
import { greets, runOn } from "./ssh";
import { type Lab, type LabFolder, type LabMachine } from "./state";

/** Line written into a console's log whenever the power goes on; what follows belongs to that run. */
const POWER_ON = "=== power on";

/** Files and sockets of a machine. */
export function filesOf(folder: LabFolder, lab: Pick<Lab, "images">, machine: MachinePlan): MachineFiles {
    return {
        disk: folder.machine(machine.name, "disk.qcow2"),
        identity: folder.machine(machine.name, "identity.tar"),
        media: machine.role === "manager" ? [join(lab.images.media, "media.img")] : [],
        consoleLog: folder.machine(machine.name, "console.log"),
        console: join(folder.sockets, `${machine.name}.console`),
        monitor: join(folder.sockets, `${machine.name}.monitor`),
        network: switchSocket(folder),
    };
}

/** Makes a machine's disk anew: empty over the common image. Everything on the old one, saved states too, is gone. */
export async function makeDisk(folder: LabFolder, lab: Lab, machine: MachinePlan): Promise<void> {
    mkdirSync(folder.at("machines", machine.name), { recursive: true });
    const { disk } = filesOf(folder, lab, machine);
    rmSync(disk, { force: true });
    const base = join(lab.images.host, "root.img");
    await run("qemu-img", ["create", "-q", "-f", "qcow2", "-F", "raw", "-b", base, disk]);
}

/**
 * Switches a machine on.
 *
 * @param state saved state to go on from; the machine is then paused
 * @throws LabError with QEMU's words when it does not come up
 */
export async function powerOn(folder: LabFolder, lab: Lab, machine: MachinePlan, state?: string): Promise<ProcessId> {
    if (!existsSync(lab.images.host)) {
        throw new LabError("the image this lab's disks stand on is gone: npm run lab -- clean, then start");
    }
    const files = filesOf(folder, lab, machine);
    rmSync(files.console, { force: true });
    rmSync(files.monitor, { force: true });
    appendFileSync(
        files.consoleLog,
        `\n${POWER_ON} ${new Date().toISOString()}${state ? ` from "${state}"` : ""} ===\n`,
    );
    const log = folder.machine(machine.name, "qemu.log");
    const args = machineArguments(machine, files, lab.accelerator, state);
    const process = await startDetached("qemu-system-x86_64", args, lab.images.host, log);
    try {
        const until = Date.now() + 60_000;
        for (;;) {
            if (!isAlive(process)) {
                throw new LabError(`${machine.name} could not be switched on: ${readFileSync(log, "utf8").trim()}`);
            }
            // The socket is there before a state is loaded, the greeting comes after.
            if (existsSync(files.monitor)) {
                try {
                    (await Monitor.open(files.monitor, 60_000)).close();
                    return process;
                } catch (error) {
                    if (Date.now() > until) {
                        throw error;
                    }
                }
            }
            await sleep(20);
        }
    } catch (error) {
        await endProcess(process);
        throw error;
    }
}

/** Cuts a machine's power. Its disk keeps what was written, no more. */
export async function powerOff(folder: LabFolder, machine: { name: string }, process: ProcessId): Promise<void> {
    const monitor = join(folder.sockets, `${machine.name}.monitor`);
    try {
        // Asked by its monitor, QEMU closes the disk's file properly; the machine notices nothing in either case.
        await withMonitor(monitor, async (open) => open.execute("quit")).catch(() => undefined);
        await waitForEnd(process, 10_000);
    } finally {
        await endProcess(process);
        rmSync(monitor, { force: true });
        rmSync(join(folder.sockets, `${machine.name}.console`), { force: true });
    }
}

/** What a machine's monitor says it does: `running`, `paused` and so on. */
export async function stateOf(folder: LabFolder, machine: MachinePlan): Promise<string> {
    return withMonitor(join(folder.sockets, `${machine.name}.monitor`), async (monitor) => {
        const { status } = (await monitor.execute("query-status")) as { status: string };
        return status;
    });
}

/**
 * How often a machine has booted since its power went on, from its console's log; more than once: it was reset. The boot
 * that a restored state stems from counts, too.
 */
export function countBoots(consoleLog: string): number {
    const run = consoleLog.slice(Math.max(0, consoleLog.lastIndexOf(POWER_ON)));
    const restored = /^=== power on \S+ from /.test(run) ? 1 : 0;
    return restored + (run.match(/^initrd: machine starts/gm)?.length ?? 0);
}

/** {@link countBoots} of a machine of the lab. */
export function bootsOf(folder: LabFolder, machine: MachinePlan): number {
    const file = folder.machine(machine.name, "console.log");
    return existsSync(file) ? countBoots(readFileSync(file, "latin1")) : 0;
}

/** The last lines of a machine's console, without control characters. */
export function endOfConsole(folder: LabFolder, machine: MachinePlan, lines = 20): string {
    const file = folder.machine(machine.name, "console.log");
    const text = existsSync(file) ? readFileSync(file, "latin1") : "";
    return (
        text
            .slice(-20_000)
            // eslint-disable-next-line no-control-regex -- these are what is to be removed
            .replace(/\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x09\x0b-\x1f\x7f]/g, "")
            .trim()
            .split("\n")
            .slice(-lines)
            .join("\n")
    );
}

/** Command whose success says that a machine is ready: everything started, and Xen's tools work where there is Xen. */
function readyCommand(machine: MachinePlan): string {
    // "degraded" is a running system, in which some service failed.
    const booted =
        "for i in $(seq 1 300); do state=$(systemctl is-system-running);" +
        ' case "$state" in running|degraded) break;; esac; sleep 0.5; done;' +
        ' if [ "$state" != running ]; then systemctl --failed --no-legend --plain >&2; exit 1; fi';
    return machine.role === "node" ? `${booted}; timeout 60 xl info >/dev/null` : booted;
}

/**
 * Waits until a machine has started everything and can be logged in to.
 *
 * @param seconds time limit
 * @throws LabError when its QEMU has ended or the time is over
 */
export async function waitUntilReady(
    lab: Lab,
    machine: LabMachine,
    process: ProcessId,
    seconds: number,
    signal: AbortSignal,
): Promise<void> {
    const until = Date.now() + seconds * 1000;
    let last = "its SSH did not answer";
    while (Date.now() < until) {
        signal.throwIfAborted();
        if (!isAlive(process)) {
            throw new LabError(`${machine.name}: its QEMU has ended while it booted`);
        }
        if (await greets(machine.sshPort)) {
            const { exitCode, stderr } = await runOn(lab, machine, readyCommand(machine), { seconds: 240, signal });
            if (exitCode === 0) {
                return;
            }
            last = stderr || "its services did not start";
            if (exitCode !== 255) {
                throw new LabError(`${machine.name}: ${last}`);
            }
        }
        await sleep(500, undefined, { signal });
    }
    throw new LabError(`${machine.name} was not ready after ${seconds} s: ${last}`);
}

/** Pulls a machine's cable, or puts it back; the machine sees that its link is gone. */
export async function setCable(folder: LabFolder, machine: MachinePlan, up: boolean): Promise<void> {
    const monitor = join(folder.sockets, `${machine.name}.monitor`);
    await withMonitor(monitor, async (open) => open.execute("set_link", { name: "n0", up }));
}

/** Stops a machine's processors, or lets them go on; to everybody else it is as if it hung. */
export async function setFrozen(folder: LabFolder, machine: MachinePlan, frozen: boolean): Promise<void> {
    const monitor = join(folder.sockets, `${machine.name}.monitor`);
    await withMonitor(monitor, async (open) => open.execute(frozen ? "stop" : "cont"));
}

/**
 * Whether a paused node's processor is within a guest, told by whose table of interrupts it uses: Xen and its dom0 use Xen's,
 * in the part of the addresses that Xen keeps to itself (ffff800000000000 to ffff87ffffffffff, its include/asm/config.h).
 *
 * @param registers what QEMU's `info registers` prints
 */
export function isInGuest(registers: string): boolean {
    const table = /^IDT= *([0-9a-f]{16})/m.exec(registers)?.[1];
    return table !== undefined && !/^ffff8[0-7]/.test(table);
}

/** QEMU 7.2 saves a processor within a guest, but does not load it: "vCPU set in guest-mode inconsistent with …". */
async function leaveGuest(monitor: Monitor): Promise<void> {
    for (let tries = 0; isInGuest(await monitor.inquire("info registers")); tries++) {
        if (tries === 200) {
            throw new LabError(
                "whenever it is paused a guest of it executes; try again when that guest has less to do",
            );
        }
        await monitor.execute("cont");
        await sleep(5);
        await monitor.execute("stop");
    }
}

/** Saves a paused machine's memory and disk under a name, in place of an older one of that name. */
export async function saveState(folder: LabFolder, machine: MachinePlan, name: string): Promise<void> {
    const monitor = join(folder.sockets, `${machine.name}.monitor`);
    try {
        await withMonitor(monitor, async (open) => {
            if (machine.role === "node") {
                await leaveGuest(open);
            }
            await open.human(`savevm ${name}`);
        });
    } catch (error) {
        throw new LabError(`${machine.name} could not be saved: ${messageOf(error)}`);
    }
}

/** Drops a saved state; nothing happens when there is none. */
export async function dropState(folder: LabFolder, machine: MachinePlan, name: string, runs: boolean): Promise<void> {
    if (runs) {
        const monitor = join(folder.sockets, `${machine.name}.monitor`);
        await withMonitor(monitor, async (open) => open.human(`delvm ${name}`)).catch(() => undefined);
    } else {
        const disk = folder.machine(machine.name, "disk.qcow2");
        await run("qemu-img", ["snapshot", "-d", name, disk], { mayFail: true });
    }
}

/** Saves, or brings back, the disk of a machine that is off. */
export async function diskState(
    folder: LabFolder,
    machine: MachinePlan,
    action: "save" | "restore",
    name: string,
): Promise<void> {
    const disk = folder.machine(machine.name, "disk.qcow2");
    if (action === "save") {
        await dropState(folder, machine, name, false);
    }
    await run("qemu-img", ["snapshot", action === "save" ? "-c" : "-a", name, disk]);
}

/** Space a machine's disk really takes, in MiB. */
export function diskUse(folder: LabFolder, machine: MachinePlan): number {
    const disk = folder.machine(machine.name, "disk.qcow2");
    return existsSync(disk) ? Math.round((statSync(disk).blocks * 512) / (1 << 20)) : 0;
}
