/** The lab's wires: one switch, and one router that forwards ports of this computer to it. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "./errors";
import { run } from "./run";
import { choosePorts, forwardsOf, type Ports } from "./ports";
import { endProcess, identify, isAlive, type ProcessId, startDetached } from "./process";
import { routerArguments, switchArguments } from "./qemu";
import { type LabFolder } from "./state";

/** Folder that is the switch's socket. */
export function switchSocket(folder: LabFolder): string {
    return join(folder.sockets, "switch");
}

/** Starts the switch; whatever one that died left behind is removed first. */
export async function startSwitch(folder: LabFolder): Promise<ProcessId> {
    const socket = switchSocket(folder);
    const pidFile = join(folder.sockets, "switch.pid");
    rmSync(socket, { recursive: true, force: true });
    rmSync(pidFile, { force: true });
    await run("vde_switch", switchArguments(socket, pidFile));
    // It writes its pid after it has gone to the background.
    for (let tries = 0; tries < 100; tries++) {
        const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, "utf8")) : NaN;
        const process = Number.isInteger(pid) && pid > 0 ? identify(pid) : undefined;
        if (process && existsSync(join(socket, "ctl"))) {
            return process;
        }
        await sleep(50);
    }
    throw new LabError("the switch (vde_switch) did not start");
}

/**
 * Starts the router.
 *
 * @param wanted ports to have if they are free; others are taken in place of those that are not
 * @returns the process and the ports it really has
 */
export async function startRouter(folder: LabFolder, wanted: Ports): Promise<{ process: ProcessId; ports: Ports }> {
    const log = folder.at("router.log");
    for (let tries = 1; ; tries++) {
        const ports = await choosePorts(wanted);
        const args = routerArguments(switchSocket(folder), forwardsOf(ports));
        const process = await startDetached("qemu-system-x86_64", args, folder.path, log);
        await sleep(300);
        if (isAlive(process)) {
            return { process, ports };
        }
        // Somebody may have taken a port between the choice and the start.
        const said = readFileSync(log, "utf8").trim();
        if (tries === 5 || !said.includes("host forwarding rule")) {
            throw new LabError(`the router did not start: ${said}`);
        }
    }
}

/** Ends switch and router and removes their sockets. */
export async function stopNetwork(run: { switch?: ProcessId; router?: ProcessId }): Promise<void> {
    await Promise.all([endProcess(run.router), endProcess(run.switch)]);
}
