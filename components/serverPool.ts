import { ComponentResource, type ComponentResourceOptions, type Output, output } from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random";
import { type RemoteStep } from "../remote/step";
import { type NfsRepository } from "./nfsRepository";
import { type OvmServerNode } from "./ovmServerNode";
import { carryOut, lastOf, NO_SECRETS, type Site } from "./site";

/** What a pool is made from. */
export interface ServerPoolArgs {
    readonly repository: NfsRepository;
    readonly nodes: readonly OvmServerNode[];
}

/** Manager and nodes as one pool, with votes, fencing and an address of its own. */
export class ServerPool extends ComponentResource {
    readonly virtualAddress: Output<string>;
    /** What the pool said of itself when it was set up last: its coordinator is elected, and may be another by now. */
    readonly state: Output<string>;
    /** Done when the pool is up and has its rules. */
    readonly done: readonly RemoteStep[];

    constructor(name: string, site: Site, args: ServerPoolArgs, options: ComponentResourceOptions = {}) {
        super("ha:index:ServerPool", name, {}, options);
        const { spec, platform } = site;
        // A password and not random bytes: those have their value as id, in clear in the state.
        const secret = new RandomPassword(`${name}-secret`, { length: 64, special: false }, { parent: this });
        const plan = platform.pool(spec);
        const steps = carryOut(site, name, plan, {
            parent: this,
            needs: { repository: args.repository.done, nodes: args.nodes.flatMap(({ done }) => done) },
            nodes: args.nodes,
            secrets: output({ ...NO_SECRETS, ...site.passwords, pool: secret.result }),
        });
        this.done = lastOf(plan, steps);
        this.virtualAddress = output(spec.pool.virtualAddress);
        this.state = steps.get(plan.at(-1)?.name ?? "")?.stdout ?? output("");
        this.registerOutputs({ virtualAddress: this.virtualAddress, state: this.state });
    }
}
