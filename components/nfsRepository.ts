import { ComponentResource, type ComponentResourceOptions, type Output, output } from "@pulumi/pulumi";
import { type RemoteStep } from "../remote/step";
import { carryOut, lastOf, type Site } from "./site";

/** The manager: prepared as a member, and exporting the repository to the nodes. */
export class NfsRepository extends ComponentResource {
    /** Names the repository; part of the path it is mounted at. */
    readonly uuid: Output<string>;
    /** What the nodes mount, as ADDRESS:/PATH. */
    readonly source: Output<string>;
    /** Done when nodes that are no longer in the configuration have left. */
    readonly drain: readonly RemoteStep[];
    /** Done when the repository is exported. */
    readonly done: readonly RemoteStep[];

    constructor(name: string, site: Site, options: ComponentResourceOptions = {}) {
        super("ha:index:NfsRepository", name, {}, options);
        const { spec, platform } = site;
        const plan = platform.repository(spec);
        const steps = carryOut(site, name, plan, { parent: this });
        const drain = steps.get("drain");
        this.drain = drain === undefined ? [] : [drain];
        this.done = lastOf(plan, steps);
        this.uuid = output(platform.repositoryUuid(spec));
        this.source = output(`${spec.manager.address}:${spec.repository.path}`);
        this.registerOutputs({ uuid: this.uuid, source: this.source });
    }
}
