/** The virtual lab as the ground of drills: machines in QEMU, brought back from a saved state after each drill. */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseDocument } from "yaml";
import { LabError } from "../lab/errors";
import * as lab from "../lab/lab";
import { NODES } from "../lab/machines";
import { run } from "../lab/run";
import { guestArguments, mustRunOn, type Outcome, runOn, runOver } from "../lab/ssh";
import { type LabMachine } from "../lab/state";
import { type Ability, type CommandOptions, type Ground, type Host, type WantedNode } from "./ground";
import { type ConsoleLine } from "./record";
import { followConsole, type Sampler } from "./samplers";
import { installWatcher, removeWatcher } from "./watcher";

/** Name of the saved state that the lab goes back to after each drill. */
const STATE = "before-drills";

const PROJECT = join(__dirname, "..");

/** The configuration that `npm run lab:up` builds the cluster from. */
const BASE = resolve(process.env["OVM_HA_LAB_CONFIG"] ?? join(PROJECT, "Pulumi.lab.yaml"));

/** The lab's configuration with other nodes. Pure. */
export function withNodes(
    config: string,
    nodes: readonly WantedNode[],
    machines: readonly Pick<LabMachine, "name" | "address" | "memory">[],
): string {
    const document = parseDocument(config);
    const entries = nodes.map(({ name, maintenance = false }) => {
        const machine = machines.find((one) => one.name === name);
        if (!machine) {
            throw new LabError(`the lab has no machine ${name}`);
        }
        return { name, address: machine.address, memory: machine.memory, ...(maintenance && { maintenance }) };
    });
    document.setIn(["config", "ovm-ha-cluster:nodes"], document.createNode(entries));
    return document.toString();
}

export class LabGround implements Ground {
    /** An emulated guest is slow. */
    readonly patience = 3000;

    constructor(private readonly context: lab.Context) {
        if (this.machines().length === 0) {
            throw new LabError("the lab does not run: npm run lab:up");
        }
    }

    get report(): lab.Context["report"] {
        return this.context.report;
    }

    get signal(): AbortSignal {
        return this.context.signal;
    }

    get guest(): Ground["guest"] {
        const { name, httpPort } = this.context.folder.readLab().guest;
        const url = `http://127.0.0.1:${httpPort}/`;
        // A file that all media have: five pages of a wiki a second are too many under emulation. Rows ask its database.
        return { name, url, page: `${url}index.html` };
    }

    /** For taking things back, which must not be cut short by what interrupted the drill. */
    private get lasting(): lab.Context {
        return { ...this.context, signal: new AbortController().signal };
    }

    private machines(): LabMachine[] {
        const { folder } = this.context;
        const { machines } = folder.readRun();
        return folder.readLab().machines.filter(({ name }) => machines[name]);
    }

    hosts(): Host[] {
        return this.machines().map(({ name, role, address }) => ({ name, role, address }));
    }

    lacks(ability: Ability): string | undefined {
        const nodes = this.machines().filter(({ role }) => role === "node").length;
        return ability === "spare" && nodes < NODES.most
            ? `it needs a third node: npm run lab -- start --nodes ${NODES.most}`
            : undefined;
    }

    async run(host: string, command: string, options: CommandOptions = {}): Promise<Outcome> {
        const { lab: description, machine } = lab.machineOf(this.context.folder, host);
        return runOn(description, machine, command, { ...options, signal: this.signal });
    }

    async runInGuest(command: string, options: CommandOptions = {}): Promise<Outcome> {
        const words = guestArguments(this.context.folder.readLab());
        return runOver(words, command, { ...options, signal: this.signal });
    }

    async power(host: string, on: boolean): Promise<void> {
        await lab.fault(this.context, on ? "power-on" : "power-off", host, false);
    }

    async cable(host: string, connected: boolean): Promise<void> {
        await lab.fault(this.context, connected ? "join" : "cut", host);
    }

    follow(host: string, onLine: (line: ConsoleLine) => void): Sampler {
        return followConsole(host, this.context.folder.machine(host, "console.log"), onLine);
    }

    async up(nodes: readonly WantedNode[]): Promise<void> {
        const { folder } = this.context;
        mkdirSync(folder.at("drills"), { recursive: true });
        const config = folder.at("drills", "Pulumi.lab.yaml");
        writeFileSync(config, withNodes(readFileSync(BASE, "utf8"), nodes, folder.readLab().machines));
        const words = ["--require", "tsx/cjs", join(PROJECT, "bin/labStack.ts"), "up", "--yes", "--skip-preview"];
        const { all, exitCode } = await run(process.execPath, words, {
            cwd: PROJECT,
            env: { OVM_HA_LAB_DIR: folder.path, OVM_HA_LAB_CONFIG: config, NO_COLOR: "1" },
            mayFail: true,
            timeout: 3_600_000,
            signal: this.signal,
        });
        if (exitCode !== 0) {
            // What was wrong stands between the operations and the stack's outputs.
            const told = /^Diagnostics:\n(.*?)^(?:Outputs|Resources):$/ms.exec(all)?.[1] ?? all.slice(-2000);
            throw new LabError(`up failed (${exitCode}):\n${told.trim()}`);
        }
    }

    private async onAll(what: string, use: (machine: LabMachine) => Promise<unknown>): Promise<void> {
        await this.report.step(what, async () => Promise.all(this.machines().map(use)));
    }

    async prepare(): Promise<void> {
        const description = this.context.folder.readLab();
        await this.onAll("watching the hosts", async (machine) => {
            const { command, input } = installWatcher(machine.role === "node" ? description.guest.name : "");
            await mustRunOn(description, machine, command, { input, seconds: 180, signal: this.signal });
        });
    }

    /** The stack's state belongs to the machines' state: an `up` within a drill changes both. */
    private get stack(): { live: string; kept: string } {
        const { folder } = this.context;
        return { live: folder.at("stack"), kept: folder.at("drills", "stack-before") };
    }

    async keep(): Promise<void> {
        const { live, kept } = this.stack;
        rmSync(kept, { recursive: true, force: true });
        if (existsSync(live)) {
            cpSync(live, kept, { recursive: true, preserveTimestamps: true });
        }
        await lab.save(this.context, STATE);
    }

    async bringBack(): Promise<void> {
        await lab.restore(this.lasting, STATE);
        const { live, kept } = this.stack;
        if (existsSync(kept)) {
            rmSync(live, { recursive: true, force: true });
            cpSync(kept, live, { recursive: true, preserveTimestamps: true });
        }
    }

    async tidy(): Promise<void> {
        const description = this.context.folder.readLab();
        await this.onAll("taking the watchers away", async (machine) =>
            runOn(description, machine, removeWatcher(), { seconds: 180 }),
        );
        rmSync(this.stack.kept, { recursive: true, force: true });
    }
}
