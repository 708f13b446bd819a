import { ComponentResource, type ComponentResourceOptions, type Output, output } from "@pulumi/pulumi";
import { type GuestSpec } from "../config/spec";
import { type NfsRepository } from "./nfsRepository";
import { type OvmServerNode } from "./ovmServerNode";
import { type ServerPool } from "./serverPool";
import { carryOut, type Site } from "./site";

/** What a guest is made from. */
export interface HaGuestArgs {
    readonly guest: GuestSpec;
    readonly repository: NfsRepository;
    readonly nodes: readonly OvmServerNode[];
    readonly pool: ServerPool;
}

/** A virtual machine. Where it runs is the pool's business, and never an input. */
export class HaGuest extends ComponentResource {
    readonly address: Output<string>;
    /** Empty when the guest is not asked by HTTP. */
    readonly url: Output<string>;
    /** What was true when it was set up last. */
    readonly state: Output<string>;

    constructor(name: string, site: Site, args: HaGuestArgs, options: ComponentResourceOptions = {}) {
        super("ha:index:HaGuest", name, {}, options);
        const { guest, repository, nodes, pool } = args;
        const plan = site.platform.guest(site.spec, guest);
        const steps = carryOut(site, name, plan, {
            parent: this,
            needs: { repository: repository.done, pool: pool.done },
            nodes,
        });
        const check = guest.httpCheck;
        const port = check === undefined || check.port === 80 ? "" : `:${check.port}`;
        this.address = output(guest.address);
        this.url = output(check === undefined ? "" : `http://${guest.address}${port}${check.path}`);
        this.state = steps.get(plan.at(-1)?.name ?? "")?.stdout ?? output("");
        this.registerOutputs({ address: this.address, url: this.url, state: this.state });
    }
}
