import { ComponentResource, type ComponentResourceOptions, type Output, output } from "@pulumi/pulumi";
import { type NodeSpec } from "../config/spec";
import { type RemoteStep } from "../remote/step";
import { type NfsRepository } from "./nfsRepository";
import { carryOut, lastOf, type Site } from "./site";

/** What a node is made from. */
export interface OvmServerNodeArgs {
    readonly node: NodeSpec;
    /** Mounted by the node. */
    readonly repository: NfsRepository;
}

/** A machine with a hypervisor, ready to become a member of the pool. */
export class OvmServerNode extends ComponentResource {
    readonly address: Output<string>;
    /** Name of the machine. */
    readonly host: string;
    /** Whether the machine is gone for good. */
    readonly lost: boolean;
    /** Done when the machine is ready. */
    readonly done: readonly RemoteStep[];

    constructor(
        name: string,
        site: Site,
        { node, repository }: OvmServerNodeArgs,
        options: ComponentResourceOptions = {},
    ) {
        super("ha:index:OvmServerNode", name, {}, options);
        this.host = node.name;
        this.lost = node.lost;
        const plan = site.platform.node(site.spec, node);
        const steps = carryOut(site, name, plan, {
            parent: this,
            needs: { drain: repository.drain, repository: repository.done },
            nodes: [this],
        });
        this.done = lastOf(plan, steps);
        this.address = output(node.address);
        this.registerOutputs({ address: this.address });
    }
}
