import { ComponentResource, type ComponentResourceOptions, type Output, output, secret } from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random";
import { guestUrl } from "../config/guestUrl";
import { type GuestSpec } from "../config/spec";
import { type NfsRepository } from "./nfsRepository";
import { type OvmServerNode } from "./ovmServerNode";
import { type ServerPool } from "./serverPool";
import { carryOut, NO_SECRETS, type Site } from "./site";

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
    /** Name of the virtual machine. */
    readonly guest: string;
    /** Where clients reach what it serves; empty when nobody knows of anything. */
    readonly url: Output<string>;
    /** Of the administrator of what it serves; absent where nothing was set up. A secret. */
    readonly adminPassword?: Output<string>;
    /** What was true when it was set up last. */
    readonly state: Output<string>;

    constructor(name: string, site: Site, args: HaGuestArgs, options: ComponentResourceOptions = {}) {
        super("ha:index:HaGuest", name, {}, options);
        const { guest, repository, nodes, pool } = args;
        this.guest = guest.name;
        const plan = site.platform.guest(site.spec, guest);
        const password = (purpose: string): Output<string> =>
            new RandomPassword(`${name}-${purpose}`, { length: 24, special: false, minNumeric: 1 }, { parent: this })
                .result;
        if (plan.some((step) => step.secret !== undefined)) {
            this.adminPassword = secret(password("admin"));
        }
        const steps = carryOut(site, name, plan, {
            parent: this,
            needs: { repository: repository.done, pool: pool.done },
            nodes,
            ...(this.adminPassword === undefined
                ? {}
                : { secrets: output({ ...NO_SECRETS, admin: this.adminPassword, database: password("database") }) }),
        });
        this.address = output(guest.address);
        this.url = output(urlOf(guest));
        this.state = steps.get(plan.at(-1)?.name ?? "")?.stdout ?? output("");
        this.registerOutputs({ address: this.address, url: this.url, state: this.state });
    }
}

function urlOf(guest: GuestSpec): string {
    const { workload } = guest;
    return "url" in workload ? `${workload.url}/` : guestUrl(guest);
}
