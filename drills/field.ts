/** What a drill can do, and the lab as the place where it does it. */
import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "../lab/errors";
import * as lab from "../lab/lab";
import { mustRunOn, runOn } from "../lab/ssh";
import { type ClusterView, readView } from "./cluster";
import { type Facts, factsOf } from "./facts";
import { type DrillRecord, type Mark, type Prediction } from "./record";
import { followConsole, sampleHttp, type Sampler } from "./samplers";
import { installWatcher, removeWatcher } from "./watcher";
import { Rows } from "./writes";

/** Name of the saved state that the lab goes back to after each drill. */
const STATE = "before-drills";

/** Milliseconds an emulated guest gets to answer one request. */
const HTTP_PATIENCE = 3000;

/** The cluster that a drill puts faults into, while everything it does and sees is written down. */
export class Field {
    private samplers: Sampler[] = [];
    private rows?: Rows;

    private constructor(
        readonly context: lab.Context,
        readonly record: DrillRecord,
        /** The elected coordinator before the fault. */
        readonly coordinator: string,
    ) {}

    /** Begins a record of a healthy cluster. */
    static async open(context: lab.Context, drill: string): Promise<Field> {
        const { folder } = context;
        const description = folder.readLab();
        const run = folder.readRun();
        const machines = description.machines.filter(({ name }) => run.machines[name]);
        const names = (role: string): string[] => machines.filter((one) => one.role === role).map(({ name }) => name);
        const nodes = names("node");
        const [manager = ""] = names("manager");
        const { guest } = description;
        const view = await healthy(context, guest.name, [manager, ...nodes]);
        const record: DrillRecord = {
            drill,
            startedAt: Date.now(),
            endedAt: Date.now(),
            guest: guest.name,
            manager,
            nodes,
            home: view.runsOn[guest.name]?.[0] ?? "",
            http: [],
            console: [],
            marks: [],
        };
        const field = new Field(context, record, view.coordinator ?? "");
        const url = `http://127.0.0.1:${guest.httpPort}/`;
        const rows = new Rows(`${url}cgi-bin/rows`, 2 * HTTP_PATIENCE);
        if (await rows.offered()) {
            field.rows = rows;
            rows.start();
        }
        field.samplers = [
            ...machines.map(({ name }) =>
                followConsole(name, folder.machine(name, "console.log"), (line) => record.console.push(line)),
            ),
            sampleHttp(url, HTTP_PATIENCE, (sample) => record.http.push(sample)),
        ];
        // The cluster as it was, so that the first moments are no edge of the record.
        try {
            await field.until("the watchers and the guest answer", 120, (facts) => {
                const seen = new Set(facts.observations.filter(({ kind }) => kind === "sight").map(({ host }) => host));
                return nodes.every((node) => seen.has(node)) && answers(facts);
            });
        } catch (error) {
            field.close();
            throw error;
        }
        return field;
    }

    /** Node that ran the guest before the fault. */
    get home(): string {
        return this.record.home;
    }

    /** Another node than the one that ran the guest before. */
    get other(): string {
        const found = this.record.nodes.find((node) => node !== this.home);
        if (found === undefined) {
            throw new LabError("the pool has one node only");
        }
        return found;
    }

    get members(): string[] {
        return [this.record.manager, ...this.record.nodes];
    }

    mark(kind: Mark["kind"], text: string, host?: string): void {
        this.record.marks.push({ at: Date.now(), kind, text, ...(host !== undefined && { host }) });
        this.context.report.note(`  ${text}${host === undefined ? "" : ` (${host})`}`);
    }

    /** Cuts a member's power. */
    async powerOff(host: string): Promise<void> {
        this.mark("fault", "power cut", host);
        await lab.fault(this.context, "power-off", host);
        // Not before its process has ended: until then it may have run.
        this.mark("off", "without power", host);
    }

    /** Gives power back; the member may take minutes to start. */
    async powerOn(host: string): Promise<void> {
        this.mark("repair", "power back", host);
        await lab.fault(this.context, "power-on", host, false);
    }

    async cut(host: string): Promise<void> {
        this.mark("fault", "network cut", host);
        await lab.fault(this.context, "cut", host);
    }

    async join(host: string): Promise<void> {
        this.mark("repair", "network back", host);
        await lab.fault(this.context, "join", host);
    }

    /** Runs a command on a member that answers; it has to succeed. */
    async on(host: string, command: string, limit = 120): Promise<string> {
        const { lab: description, machine } = lab.machineOf(this.context.folder, host);
        const { signal } = this.context;
        return mustRunOn(description, machine, command, { seconds: limit, signal });
    }

    /** Asks Pacemaker's scheduler what it will do; nothing is changed. */
    async foretell(options: string[]): Promise<Prediction> {
        const command = `crm_simulate --live-check --simulate --output-as=xml ${options.join(" ")}`;
        const { runsOn } = readView(await this.on(this.record.manager, command));
        return { options, node: runsOn[this.record.guest]?.[0] ?? null };
    }

    /** What is known up to now. */
    facts(): Facts {
        this.record.endedAt = Date.now();
        return factsOf(this.record);
    }

    /**
     * Waits until something is so.
     *
     * @throws LabError when it is not after `limit` seconds
     */
    async until(what: string, limit: number, condition: (facts: Facts) => boolean | Promise<boolean>): Promise<void> {
        const end = Date.now() + limit * 1000;
        while (!(await condition(this.facts()))) {
            if (Date.now() > end) {
                throw new LabError(`waited ${limit} s in vain until ${what}`);
            }
            await this.wait(0.5);
        }
        this.mark("note", what);
    }

    async wait(time: number): Promise<void> {
        await sleep(time * 1000, undefined, { signal: this.context.signal });
    }

    /** Ends the writing of rows, and counts those that are there. */
    async countRows(): Promise<void> {
        if (this.rows) {
            this.record.writes = await this.rows.finish();
        }
    }

    /** Ends the record. */
    close(): DrillRecord {
        this.rows?.stop();
        this.samplers.splice(0).forEach((sampler) => sampler.stop());
        this.record.endedAt = Date.now();
        return this.record;
    }
}

/** Whether all requests that were sent between one and five seconds ago had good answers. */
export function answers({ record }: Facts): boolean {
    const from = record.endedAt - 5000;
    const recent = record.http.filter(({ sentAt, endedAt }) => sentAt >= from || endedAt >= from);
    return recent.length >= 15 && recent.every(({ status }) => status === 200);
}

async function viewFrom(context: lab.Context, host: string): Promise<ClusterView | undefined> {
    const { lab: description, machine } = lab.machineOf(context.folder, host);
    const { signal } = context;
    const { stdout, exitCode } = await runOn(description, machine, "crm_mon -1 --output-as=xml", { signal });
    return exitCode === 0 ? readView(stdout) : undefined;
}

/**
 * Waits until all members are online, one of them is coordinator, and the guest runs.
 *
 * @throws LabError that says what is missing after ten minutes
 */
export async function healthy(context: lab.Context, guest: string, members: readonly string[]): Promise<ClusterView> {
    const [manager = ""] = members;
    const end = Date.now() + 600_000;
    let missing = "its manager does not answer";
    do {
        const view = await viewFrom(context, manager);
        if (view) {
            const away = members.filter((member) => !view.online.includes(member));
            const problems = [
                ...(view.quorum ? [] : ["no quorum"]),
                ...(away.length > 0 ? [`${away.join(", ")} not online`] : []),
                ...(view.runsOn[guest]?.length === 1 ? [] : [`${guest} does not run`]),
            ];
            if (problems.length === 0) {
                return view;
            }
            missing = problems.join(", ");
        }
        await sleep(2000, undefined, { signal: context.signal });
    } while (Date.now() < end);
    throw new LabError(`the cluster is not healthy: ${missing}; see npm run lab:up`);
}

/** Puts watchers onto all members and saves the state that drills begin with. */
export async function prepare(context: lab.Context): Promise<void> {
    const { folder, report, signal } = context;
    const description = folder.readLab();
    const machines = description.machines.filter(({ name }) => folder.readRun().machines[name]);
    if (machines.length === 0) {
        throw new LabError("the lab does not run: npm run lab:up");
    }
    await report.step("watching the hosts", async () => {
        await Promise.all(
            machines.map(async (machine) => {
                const { command, input } = installWatcher(machine.role === "node" ? description.guest.name : "");
                await mustRunOn(description, machine, command, { input, seconds: 180, signal });
            }),
        );
    });
    const members = machines.map(({ name }) => name);
    await report.step("waiting for a healthy cluster", async () => healthy(context, description.guest.name, members));
    await lab.save(context, STATE);
}

/** Brings the cluster back to what it was before the drills. */
export async function bringBack(context: lab.Context): Promise<void> {
    await lab.restore(context, STATE);
}

/** Leaves nothing of the drills on the hosts. */
export async function tidy(context: lab.Context): Promise<void> {
    const { folder, report } = context;
    const description = folder.readLab();
    const machines = description.machines.filter(({ name }) => folder.readRun().machines[name]);
    await report.step("taking the watchers away", async () => {
        await Promise.all(
            machines.map(async (machine) => runOn(description, machine, removeWatcher(), { seconds: 180 })),
        );
    });
}
