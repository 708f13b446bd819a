import { ComponentResource, type ComponentResourceOptions, type Output, output } from "@pulumi/pulumi";
import { type NodeSpec } from "../config/spec";
import { type NfsRepository } from "./nfsRepository";
import { carryOut, type Site } from "./site";

/** What a node is made from. */
export interface OvmServerNodeArgs {
    readonly node: NodeSpec;
    /** Mounted by the node. */
    readonly repository: NfsRepository;
}

/** A machine with a hypervisor, ready to become a member of the pool. */
export class OvmServerNode extends ComponentResource {
    readonly address: Output<string>;

    constructor(
        name: string,
        site: Site,
        { node, repository }: OvmServerNodeArgs,
        options: ComponentResourceOptions = {},
    ) {
        super("ha:index:OvmServerNode", name, {}, options);
        const steps = site.platform.node(site.spec, node);
        carryOut(site, name, steps, { parent: this, needs: { drain: repository.drain, repository: [repository] } });
        this.address = output(node.address);
        this.registerOutputs({ address: this.address });
    }
}
