/** A drill's view of the cluster: what it can do there, while everything it does and sees is written down. */
import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "../lab/errors";
import { type ClusterView, readView } from "./cluster";
import { type Facts, factsOf } from "./facts";
import { type Ground, mustSucceed, type WantedNode } from "./ground";
import { type DrillRecord, type Mark, type Prediction } from "./record";
import { sampleHttp, type Sampler } from "./samplers";
import { findApplication, Rows } from "./writes";

/**
 * Milliseconds a row is waited for. A guest goes on with a request that is given up, so that short patience lets more of
 * them run at once than {@link Rows} means to, until the guest does nothing else.
 */
const ROW_PATIENCE = 30_000;

/** The cluster that a drill puts faults into. */
export class Field {
    private samplers: Sampler[] = [];
    private rows?: Rows;

    private constructor(
        private readonly ground: Ground,
        readonly record: DrillRecord,
        private readonly view: ClusterView,
    ) {}

    /** Begins a record of a healthy cluster. */
    static async open(ground: Ground, drill: string): Promise<Field> {
        const { guest, patience } = ground;
        const hosts = ground.hosts();
        const nodes = hosts.filter(({ role }) => role === "node").map(({ name }) => name);
        const view = await healthy(ground);
        // Before the record begins: a wiki takes its time to answer.
        const application = await findApplication(guest.url, ROW_PATIENCE);
        const record: DrillRecord = {
            drill,
            startedAt: Date.now(),
            endedAt: Date.now(),
            guest: guest.name,
            manager: managerOf(ground),
            nodes,
            home: view.runsOn[guest.name]?.[0] ?? "",
            http: [],
            console: [],
            marks: [],
        };
        const field = new Field(ground, record, view);
        if (application) {
            record.application = application.name;
            field.rows = new Rows(application);
            field.rows.start();
        }
        field.samplers = [
            ...hosts.map(({ name }) => ground.follow(name, (line) => record.console.push(line))),
            sampleHttp(guest.page, patience, (sample) => record.http.push(sample)),
        ];
        // The cluster as it was, so that the first moments are no edge of the record, and a row that may be lost.
        try {
            const begun = "the watchers and the guest answer" + (application ? ", and it takes rows" : "");
            await field.until(begun, 120, (facts) => {
                const seen = new Set(facts.observations.filter(({ kind }) => kind === "sight").map(({ host }) => host));
                return nodes.every((node) => seen.has(node)) && answers(facts) && field.rows?.acknowledged !== 0;
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

    /** Another node of the pool than the one that ran the guest before. */
    get other(): string {
        const found = this.poolNodes.find((node) => node !== this.home);
        if (found === undefined) {
            throw new LabError("the pool has one node only");
        }
        return found;
    }

    /** A node that is not in the pool. */
    get spare(): string {
        const found = this.record.nodes.find((node) => !this.members.includes(node));
        if (found === undefined) {
            throw new LabError("all nodes are in the pool already");
        }
        return found;
    }

    /** The pool's members, the manager first. */
    get members(): string[] {
        return [this.record.manager, ...this.record.nodes].filter((name) => this.view.members.includes(name));
    }

    /** The pool's nodes. */
    get poolNodes(): string[] {
        return this.members.filter((name) => name !== this.record.manager);
    }

    /** The elected coordinator before the fault. */
    get coordinator(): string {
        return this.view.coordinator ?? "";
    }

    /** Address of a host. */
    addressOf(host: string): string {
        return this.ground.hosts().find(({ name }) => name === host)?.address ?? "";
    }

    mark(kind: Mark["kind"], text: string, host?: string): void {
        this.record.marks.push({ at: Date.now(), kind, text, ...(host !== undefined && { host }) });
        this.ground.report.note(`  ${text}${host === undefined ? "" : ` (${host})`}`);
    }

    /** Cuts a member's power. */
    async powerOff(host: string): Promise<void> {
        this.mark("fault", "power cut", host);
        await this.ground.power(host, false);
        // Not before it is gone: until then it may have run.
        this.mark("off", "without power", host);
    }

    /** Gives power back; the member may take minutes to start. */
    async powerOn(host: string): Promise<void> {
        this.mark("repair", "power back", host);
        await this.ground.power(host, true);
    }

    async cut(host: string): Promise<void> {
        this.mark("fault", "network cut", host);
        await this.ground.cable(host, false);
    }

    async join(host: string): Promise<void> {
        this.mark("repair", "network back", host);
        await this.ground.cable(host, true);
    }

    /** Makes the pool consist of these nodes. */
    async up(nodes: readonly WantedNode[]): Promise<void> {
        await this.ground.up(nodes);
        this.mark("note", "up has ended");
    }

    /** Runs a command on a member that answers; it has to succeed. */
    async on(host: string, command: string, limit = 120): Promise<string> {
        return mustSucceed(host, command, await this.ground.run(host, command, { seconds: limit }));
    }

    /** Runs a command inside the guest; it has to succeed. */
    async inGuest(command: string, limit = 120): Promise<string> {
        const outcome = await this.ground.runInGuest(command, { seconds: limit });
        return mustSucceed(this.record.guest, command, outcome);
    }

    /** Waits until all members are online and the guest runs, as before the first drill. */
    async healthyAgain(): Promise<ClusterView> {
        const view = await healthy(this.ground);
        this.mark("note", "all members are online");
        return view;
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
        await sleep(time * 1000, undefined, { signal: this.ground.signal });
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

function managerOf(ground: Ground): string {
    const found = ground.hosts().find(({ role }) => role === "manager");
    if (found === undefined) {
        throw new LabError("the manager is off");
    }
    return found.name;
}

/**
 * Waits until all members are online, one of them is coordinator, and the guest runs.
 *
 * @throws LabError that says what is missing after ten minutes
 */
export async function healthy(ground: Ground): Promise<ClusterView> {
    const manager = managerOf(ground);
    const guest = ground.guest.name;
    const end = Date.now() + 600_000;
    let missing = "its manager does not answer";
    do {
        const { stdout, exitCode } = await ground.run(manager, "crm_mon -1 --output-as=xml");
        if (exitCode === 0) {
            const view = readView(stdout);
            const away = view.members.filter((member) => !view.online.includes(member));
            const problems = [
                ...(view.quorum ? [] : ["no quorum"]),
                ...(view.coordinator === undefined ? ["no coordinator"] : []),
                ...(away.length > 0 ? [`${away.join(", ")} not online`] : []),
                ...(view.runsOn[guest]?.length === 1 ? [] : [`${guest} does not run`]),
            ];
            if (problems.length === 0) {
                return view;
            }
            missing = problems.join(", ");
        }
        await sleep(2000, undefined, { signal: ground.signal });
    } while (Date.now() < end);
    throw new LabError(`the cluster is not healthy: ${missing}; see crm_mon -1 on ${manager}`);
}
