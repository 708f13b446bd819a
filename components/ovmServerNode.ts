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
    /** Name of the machine. */
    readonly host: string;
    /** Whether the machine is gone for good. */
    readonly lost: boolean;

    constructor(
        name: string,
        site: Site,
        { node, repository }: OvmServerNodeArgs,
        options: ComponentResourceOptions = {},
    ) {
        super("ha:index:OvmServerNode", name, {}, options);
        this.host = node.name;
        this.lost = node.lost;
        const steps = site.platform.node(site.spec, node);
        carryOut(site, name, steps, {
            parent: this,
            needs: { drain: repository.drain, repository: [repository] },
            nodes: [this],
        });
        this.address = output(node.address);
        this.registerOutputs({ address: this.address });
    }
}
