/** What can be done with a lab as a whole. Each function here is one verb of the command line. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { findAccelerator } from "./accelerator";
import { LabError, messageOf } from "./errors";
import { knownHosts, makeIdentity, makeKey } from "./identity";
import { cacheFolder, ensureImages, type Medium, USUAL_MEDIA } from "./image";
import {
    bootsOf,
    diskState,
    diskUse,
    dropState,
    endOfConsole,
    makeDisk,
    powerOff,
    powerOn,
    saveState,
    setCable,
    setFrozen,
    stateOf,
    waitUntilReady,
} from "./machine";
import { findMachine, GUEST, type MachinePlan, NODES, planMachines, POOL } from "./machines";
import { checkComputer, checkDisk, DISK, ensurePackages } from "./needs";
import { startRouter, startSwitch, stopNetwork } from "./network";
import { type Ports, usualPorts } from "./ports";
import { isAlive, residentMemory } from "./process";
import { type Report, type Timing } from "./report";
import { greets, runOn } from "./ssh";
import { type Lab, type LabFolder, type LabMachine, type Run, type Save, withLock } from "./state";

/** Name of the state saved after the first boot, which `reset` goes back to. */
export const FRESH = "fresh";

/** Seconds a machine gets to boot, and how often it is tried: under load Xen's timer check may fail by chance. */
const BOOT = { seconds: 420, tries: 3 } as const;

/** What every verb works with. */
export interface Context {
    folder: LabFolder;
    report: Report;
    /** Aborted by Ctrl-C and its like. */
    signal: AbortSignal;
}

/** Changes what runs, alone. */
async function exclusively<T>({ folder, signal }: Context, use: () => Promise<T>): Promise<T> {
    mkdirSync(folder.path, { recursive: true, mode: 0o700 });
    return withLock(folder.at("lock"), 30, use, signal);
}

/** Changes the list of what runs. */
function updateRun(folder: LabFolder, change: (run: Run) => void): Run {
    const run = folder.readRun();
    change(run);
    folder.writeRun(run);
    return run;
}

/** Runs something for all machines at the same time, and waits for all, also when one fails. */
async function forAll<T, R>(items: readonly T[], use: (item: T) => Promise<R>): Promise<R[]> {
    const results = await Promise.allSettled(items.map(use));
    const failed = results.filter((result) => result.status === "rejected");
    if (failed.length > 0) {
        const errors = failed.map(({ reason }) => reason as unknown);
        throw errors.length === 1 ? errors[0] : new LabError(errors.map(messageOf).join("\n"));
    }
    return results.map((result) => (result as PromiseFulfilledResult<R>).value);
}

/** The ports of a lab that exists, to be had again if they are free. */
function portsOf(lab: Lab): Ports {
    const ports = usualPorts();
    const ssh = Object.fromEntries(lab.machines.map(({ name, sshPort }) => [name, sshPort]));
    return {
        ssh: { ...ports.ssh, ...ssh },
        guestHttp: lab.guest.httpPort,
        guestSsh: lab.guest.sshPort,
        poolHttp: lab.pool.httpPort,
    };
}

/** A lab as described before its network has ports. */
function describe(
    folder: LabFolder,
    images: Lab["images"],
    media: readonly Medium[],
    accelerator: Lab["accelerator"],
): Lab {
    return {
        version: 1,
        createdAt: new Date().toISOString(),
        accelerator,
        machines: [],
        guest: { name: GUEST.name, address: GUEST.address, httpPort: GUEST.usualHttpPort, sshPort: GUEST.usualSshPort },
        pool: { address: POOL.address, httpPort: POOL.usualHttpPort },
        ssh: {
            user: "root",
            privateKey: folder.at("id_ed25519"),
            publicKey: folder.at("id_ed25519.pub"),
            knownHosts: folder.at("known_hosts"),
        },
        media: { machine: planMachines(NODES.least)[0]?.name ?? "", folder: "/srv/media", names: [...media] },
        images,
        saves: {},
    };
}

/** Writes the lab's description, and the keys of its machines, with these ports. */
function writePorts(folder: LabFolder, lab: Lab, ports: Ports): void {
    lab.machines = lab.machines.map((machine) => ({ ...machine, sshPort: ports.ssh[machine.name] ?? 0 }));
    lab.guest = { ...lab.guest, httpPort: ports.guestHttp, sshPort: ports.guestSsh };
    lab.pool = { ...lab.pool, httpPort: ports.poolHttp };
    const key = (name: string): string => readFileSync(folder.machine(name, "host_key.pub"), "utf8");
    writeFileSync(
        lab.ssh.knownHosts,
        knownHosts(lab, Object.fromEntries(lab.machines.map(({ name }) => [name, key(name)]))),
    );
    folder.writeLab(lab);
}

/** Makes sure that switch and router run, and that the lab's description has their ports. */
async function ensureNetwork(folder: LabFolder, lab: Lab): Promise<void> {
    folder.makeSockets();
    const run = folder.readRun();
    if (!run.switch) {
        // Machines cannot find a new switch; they are gone when it is.
        await stopNetwork(run);
        delete run.router;
        run.switch = await startSwitch(folder);
        folder.writeRun(run);
    }
    let ports = portsOf(lab);
    if (!run.router) {
        const router = await startRouter(folder, ports);
        ports = router.ports;
        folder.writeRun({ ...run, router: router.process });
    }
    writePorts(folder, lab, ports);
}

/** Switches a machine on and writes down that it runs. */
async function start1(folder: LabFolder, lab: Lab, machine: MachinePlan, state?: string): Promise<void> {
    const process = await powerOn(folder, lab, machine, state);
    updateRun(folder, (run) => {
        run.machines[machine.name] = { process, startedAt: new Date().toISOString(), cut: false };
    });
}

/** Cuts a machine's power and writes that down; nothing happens when it is off. */
async function stop1(folder: LabFolder, machine: { name: string }): Promise<void> {
    const running = folder.readRun().machines[machine.name];
    if (running) {
        await powerOff(folder, machine, running.process);
    }
    updateRun(folder, (run) => {
        delete run.machines[machine.name];
    });
}

/** Waits for a machine that was switched on; one that does not come up is switched off and on again. */
async function boot(context: Context, lab: Lab, machine: LabMachine): Promise<void> {
    const { folder, report, signal } = context;
    for (let tries = 1; ; tries++) {
        const running = folder.readRun().machines[machine.name];
        try {
            if (!running) {
                throw new LabError(`${machine.name}: its QEMU has ended while it booted`);
            }
            return await waitUntilReady(lab, machine, running.process, BOOT.seconds, signal);
        } catch (error) {
            if (signal.aborted) {
                throw error;
            }
            const end = endOfConsole(folder, machine);
            if (tries === BOOT.tries) {
                throw new LabError(`${messageOf(error)}\nThe end of its console:\n${end}`);
            }
            report.warn(`${messageOf(error)}; switching it off and on again`);
            await stop1(folder, machine);
            await start1(folder, lab, machine);
        }
    }
}

/** Ends machines whose switch has died: they cannot find a new one. */
async function endOrphans(folder: LabFolder): Promise<void> {
    const run = folder.readRun();
    if (!run.switch) {
        await forAll(Object.keys(run.machines), async (name) => stop1(folder, { name }));
    }
}

/** The disk with the media is part of every saved state, so a lab keeps the one it was made with. */
function checkMedia(lab: Pick<Lab, "media">, wanted: readonly Medium[]): void {
    const missing = wanted.filter((name) => !lab.media.names.includes(name));
    if (missing.length > 0) {
        const all = [...new Set([...lab.media.names, ...missing])].join(",");
        throw new LabError(
            `this lab was made without the guest medium ${missing.join(", ")}: npm run lab -- clean, ` +
                `then npm run lab -- start --media ${all}`,
        );
    }
}

/** What `start` did. */
export interface Started {
    lab: Lab;
    timings: Timing[];
    /** Resident memory of all QEMU processes, in MiB. */
    memory: number;
}

/**
 * Builds what is missing, switches on what is off, and waits until all machines can be logged in to. The first boot
 * of a machine is saved as {@link FRESH}. What this call started is stopped again when it fails or is interrupted.
 *
 * @param options.nodes how many nodes; without it as many as the lab has, or 2
 * @param options.media guest media that must lie ready; without it those the lab has, or the usual ones
 * @param options.install install missing packages even without root
 */
export async function start(
    context: Context,
    options: { nodes?: number; media?: readonly Medium[]; install?: boolean } = {},
): Promise<Started> {
    const { folder, report, signal } = context;
    const known = folder.exists ? folder.readLab() : undefined;
    if (known !== undefined) {
        checkMedia(known, options.media ?? []);
    }
    const nodes = options.nodes ?? Math.max(NODES.least, (known?.machines.length ?? 0) - 1);
    const plans = planMachines(nodes);
    const before = folder.readRun();
    checkComputer(plans.filter(({ name }) => !before.machines[name]));
    await ensurePackages(report, options.install ?? false, signal);
    checkDisk(folder.path, DISK.run);
    return exclusively(context, async () => {
        let lab = known;
        if (!lab) {
            checkDisk(cacheFolder(), DISK.build);
            const wanted = options.media ?? USUAL_MEDIA;
            const { host, media } = await ensureImages(wanted, report, signal);
            lab = describe(folder, { host, media }, wanted, await findAccelerator(host, signal));
            await makeKey(folder.at("id_ed25519"), "lab");
        }
        await endOrphans(folder);
        const ran = folder.readRun();
        try {
            const { machines } = await bringUp(context, lab, plans);
            const stopped = machines.filter(({ name }) => !ran.machines[name]);
            if (stopped.length > 0) {
                await report.step(`booting ${stopped.map(({ name }) => name).join(", ")}`, async () =>
                    forAll(stopped, async (machine) => boot(context, folder.readLab(), machine)),
                );
            }
            const fresh = machines.filter(({ name }) => !folder.readLab().saves[FRESH]?.machines[name]);
            if (fresh.length > 0) {
                await report.step("saving the fresh state", async () => saveMachines(folder, FRESH, fresh));
            }
        } catch (error) {
            // Not what ran before: this command has not started it.
            await forAll(
                plans.filter(({ name }) => !ran.machines[name]),
                async (machine) => stop1(folder, machine),
            );
            if (Object.keys(ran.machines).length === 0) {
                await stopAll(folder);
            }
            throw error;
        }
        const run = folder.readRun();
        const processes = Object.values(run.machines).map(({ process }) => process);
        return {
            lab: folder.readLab(),
            timings: report.timings,
            memory: processes.reduce((sum, process) => sum + residentMemory(process), 0),
        };
    });
}

/** Makes what is missing of the machines, and switches on network and machines. */
async function bringUp({ folder }: Context, lab: Lab, plans: readonly MachinePlan[]): Promise<Lab> {
    for (const plan of plans) {
        if (!lab.machines.some(({ name }) => name === plan.name)) {
            mkdirSync(folder.at("machines", plan.name), { recursive: true });
            await makeIdentity(folder, plan);
            lab.machines.push({ ...plan, sshPort: portsOf(lab).ssh[plan.name] ?? plan.usualPort });
        }
    }
    await ensureNetwork(folder, lab);
    const run = folder.readRun();
    for (const machine of lab.machines.filter(({ name }) => !run.machines[name])) {
        // Before its first boot was saved, nobody has used it: it starts from nothing, whatever went wrong then.
        if (!lab.saves[FRESH]?.machines[machine.name]) {
            await makeDisk(folder, lab, machine);
        }
        await start1(folder, lab, machine);
    }
    return lab;
}

/** Ends everything that runs and removes every trace of it but the disks. */
async function stopAll(folder: LabFolder): Promise<void> {
    // By what runs, not by the lab's description: that may be of another version, or be damaged.
    await forAll(Object.keys(folder.readRun().machines), async (name) => stop1(folder, { name }));
    await stopNetwork(folder.readRun());
    rmSync(folder.at("run.json"), { force: true });
    rmSync(folder.sockets, { recursive: true, force: true });
}

/**
 * Stops the lab: every process ends, sockets and pids are removed. The disks stay, so that `start` goes on from them.
 * What machines had not written yet is written first, if they answer.
 */
export async function stop(context: Context): Promise<void> {
    const { folder, report } = context;
    if (!existsSync(folder.path)) {
        return;
    }
    await exclusively(context, async () => {
        const lab = folder.exists ? folder.readLab() : undefined;
        const run = folder.readRun();
        const reachable = (lab?.machines ?? []).filter(({ name }) => run.machines[name] && !run.machines[name].cut);
        await report.step("stopping the machines", async () => {
            if (lab) {
                await Promise.all(
                    reachable.map(async (machine) => {
                        if (await greets(machine.sshPort)) {
                            await runOn(lab, machine, "sync", { seconds: 15 });
                        }
                    }),
                );
            }
            await stopAll(folder);
        });
    });
}

/** Stops the lab and removes its folder: disks, saved states, keys. */
export async function clean(context: Context): Promise<void> {
    const { folder } = context;
    if (existsSync(folder.path)) {
        await exclusively(context, async () => stopAll(folder));
        rmSync(folder.path, { recursive: true, force: true });
    }
    rmSync(folder.sockets, { recursive: true, force: true });
}

/** A machine as `status` shows it. */
export interface MachineStatus {
    name: string;
    role: string;
    address: string;
    sshPort: number;
    /** `off`, or what QEMU says: `running`, `paused`, … */
    state: string;
    /** Its cable is pulled. */
    cut: boolean;
    /** An SSH server answers. */
    ssh: boolean;
    /** Boots since its power went on; more than 1: it was reset, by its watchdog for example. */
    boots: number;
    /** Memory its QEMU really uses, in MiB. */
    memory: number;
    /** Space its disk really takes, in MiB. */
    disk: number;
}

/** The lab as `status` shows it. */
export interface LabStatus {
    exists: boolean;
    accelerator?: string;
    machines: MachineStatus[];
    guest?: Lab["guest"];
    pool?: Lab["pool"];
    saves: Record<string, Save>;
}

/** Looks at the lab without changing anything. */
export async function status({ folder }: Pick<Context, "folder">): Promise<LabStatus> {
    if (!folder.exists) {
        return { exists: false, machines: [], saves: {} };
    }
    const lab = folder.readLab();
    const run = folder.readRun();
    const machines = await Promise.all(
        lab.machines.map(async (machine): Promise<MachineStatus> => {
            const { name, role, address, sshPort } = machine;
            const running = run.machines[name];
            return {
                name,
                role,
                address,
                sshPort,
                state: running ? await stateOf(folder, machine).catch(() => "unknown") : "off",
                cut: running?.cut ?? false,
                ssh: running !== undefined && (await greets(sshPort, 8000)),
                boots: running ? bootsOf(folder, machine) : 0,
                memory: running ? residentMemory(running.process) : 0,
                disk: diskUse(folder, machine),
            };
        }),
    );
    const { accelerator, guest, pool, saves } = lab;
    return { exists: true, accelerator, machines, guest, pool, saves };
}

/** The machine meant, with its lab. */
export function machineOf(folder: LabFolder, name: string): { lab: Lab; machine: LabMachine } {
    const lab = folder.readLab();
    return { lab, machine: findMachine(lab.machines, name) };
}

/** What can be done to a machine from outside. */
export const FAULTS = ["power-off", "power-on", "cut", "join", "freeze", "thaw"] as const;
export type Fault = (typeof FAULTS)[number];

/**
 * Does something to one machine. `power-on` waits until it can be logged in to, unless told not to. What is already so
 * is left so.
 *
 * @param wait whether `power-on` waits for the machine
 * @throws LabError when the machine is off and the fault needs it on
 */
export async function fault(context: Context, kind: Fault, name: string, wait = true): Promise<void> {
    const { folder, report } = context;
    const { lab, machine } = machineOf(folder, name);
    const mustRun = (run: Run): void => {
        if (!run.machines[machine.name]) {
            throw new LabError(`${machine.name} is off`);
        }
    };
    switch (kind) {
        case "power-off":
            return exclusively(context, async () => stop1(folder, machine));
        case "power-on": {
            await exclusively(context, async () => {
                const run = folder.readRun();
                if (!run.switch || !run.router) {
                    throw new LabError("the lab does not run: npm run lab -- start");
                }
                if (!run.machines[machine.name]) {
                    await start1(folder, lab, machine);
                }
            });
            if (wait) {
                await report.step(`booting ${machine.name}`, async () => boot(context, lab, machine));
            }
            return;
        }
        case "cut":
        case "join":
            return exclusively(context, async () => {
                mustRun(folder.readRun());
                await setCable(folder, machine, kind === "join");
                updateRun(folder, (run) => {
                    const running = run.machines[machine.name];
                    if (running) {
                        running.cut = kind === "cut";
                    }
                });
            });
        case "freeze":
        case "thaw":
            mustRun(folder.readRun());
            return setFrozen(folder, machine, kind === "freeze");
    }
}

/** Names that can be given to a saved state: they become words of QEMU's command line. */
function checkSaveName(name: string): void {
    if (!/^[A-Za-z][A-Za-z0-9_.-]{0,40}$/.test(name)) {
        throw new LabError(`"${name}" cannot be the name of a saved state: letters, digits, "_", "." and "-" only`);
    }
}

/** Saves some machines under a name: all are stopped, saved at the same time, and go on. */
async function saveMachines(folder: LabFolder, name: string, machines: readonly LabMachine[]): Promise<void> {
    const lab = folder.readLab();
    const run = folder.readRun();
    const on = machines.filter(({ name }) => run.machines[name]);
    const off = machines.filter(({ name }) => !run.machines[name]);
    const states = await forAll(on, async (machine) => stateOf(folder, machine));
    const going = on.filter((_, index) => states[index] === "running");
    try {
        await forAll(going, async (machine) => setFrozen(folder, machine, true));
        await forAll(on, async (machine) => saveState(folder, machine, name));
        await forAll(off, async (machine) => diskState(folder, machine, "save", name));
    } catch (error) {
        // Half a state is none.
        await Promise.allSettled(
            machines.map(async (machine) => dropState(folder, machine, name, on.includes(machine))),
        );
        throw error;
    } finally {
        await Promise.allSettled(going.map(async (machine) => setFrozen(folder, machine, false)));
    }
    const before = name === FRESH ? lab.saves[name]?.machines : {};
    const saved = Object.fromEntries(
        machines.map((machine) => [machine.name, on.includes(machine) ? "running" : "off"]),
    );
    lab.saves[name] = { at: new Date().toISOString(), machines: { ...before, ...saved } as Save["machines"] };
    folder.writeLab(lab);
}

/** Saves the whole lab, memory and disks, under a name. */
export async function save(context: Context, name: string): Promise<void> {
    const { folder, report } = context;
    checkSaveName(name);
    if (name === FRESH) {
        throw new LabError(`"${FRESH}" is the state after the first boot; take another name`);
    }
    const { machines } = folder.readLab();
    await exclusively(context, async () => {
        checkDisk(folder.path, DISK.run);
        await report.step(`saving "${name}"`, async () => saveMachines(folder, name, machines));
    });
}

/**
 * Brings the whole lab back to a saved state, cold: all machines are switched off, started from the state, and go on
 * together. Machines that did not exist then are off afterwards. The clocks are set to the time now.
 */
export async function restore(context: Context, name: string): Promise<void> {
    const { folder, report, signal } = context;
    const known = folder.readLab();
    const saved = known.saves[name];
    if (!saved) {
        const names = Object.keys(known.saves).join(", ") || "none";
        throw new LabError(`there is no saved state "${name}"; there is: ${names}`);
    }
    await exclusively(context, async () => {
        const machines = known.machines;
        const on = machines.filter((machine) => saved.machines[machine.name] === "running");
        const off = machines.filter((machine) => saved.machines[machine.name] === "off");
        await report.step(`restoring "${name}"`, async () => {
            await forAll(machines, async (machine) => stop1(folder, machine));
            await ensureNetwork(folder, known);
            const lab = folder.readLab();
            try {
                await forAll(off, async (machine) => diskState(folder, machine, "restore", name));
                await forAll(on, async (machine) => start1(folder, lab, machine, name));
                await forAll(on, async (machine) => setFrozen(folder, machine, false));
            } catch (error) {
                await forAll(machines, async (machine) => stop1(folder, machine));
                throw error;
            }
        });
        const lab = folder.readLab();
        await report.step("setting the clocks", async () =>
            forAll(on, async (machine) => setClock(lab, machine, signal)),
        );
        for (const { name } of machines.filter(({ name }) => !saved.machines[name])) {
            report.note(`${name} did not exist when this was saved: it is off`);
        }
    });
}

/** Sets a machine's clock to this computer's, to the second or so. One that does not answer keeps its own. */
async function setClock(lab: Lab, machine: LabMachine, signal: AbortSignal): Promise<void> {
    for (let tries = 0; tries < 5; tries++) {
        const { exitCode } = await runOn(lab, machine, 'echo ready; read -r now; date -u -s "@$now"', {
            seconds: 60,
            // Logging in takes seconds: the time is sent when the machine waits for it.
            answer: () => `${(Date.now() / 1000).toFixed(1)}\n`,
            signal,
        });
        if (exitCode === 0) {
            return;
        }
        await sleep(500, undefined, { signal });
    }
}

/** Makes the machines as freshly installed, from the state after their first boot; without it, by booting anew. */
export async function reset(context: Context): Promise<void> {
    const { folder, report } = context;
    const lab = folder.readLab();
    const complete = lab.machines.every(({ name }) => lab.saves[FRESH]?.machines[name] === "running");
    if (complete) {
        try {
            return await restore(context, FRESH);
        } catch (error) {
            if (context.signal.aborted) {
                throw error;
            }
            report.warn(`${messageOf(error)}; booting anew instead`);
        }
    }
    await stop(context);
    await exclusively(context, async () => folder.writeLab({ ...folder.readLab(), saves: {} }));
    await start(context);
}

/** Whether anything of a lab runs. */
export function runs(folder: LabFolder): boolean {
    const run = folder.readRun();
    return isAlive(run.switch) || isAlive(run.router) || Object.keys(run.machines).length > 0;
}
