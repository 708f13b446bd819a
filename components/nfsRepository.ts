import { ComponentResource, type ComponentResourceOptions, type Output, output } from "@pulumi/pulumi";
import { type RemoteStep } from "../remote/step";
import { carryOut, type Site } from "./site";

/** The manager: prepared as a member, and exporting the repository to the nodes. */
export class NfsRepository extends ComponentResource {
    /** Names the repository; part of the path it is mounted at. */
    readonly uuid: Output<string>;
    /** What the nodes mount, as ADDRESS:/PATH. */
    readonly source: Output<string>;
    /** Done when nodes that are no longer in the configuration have left. */
    readonly drain: readonly RemoteStep[];

    constructor(name: string, site: Site, options: ComponentResourceOptions = {}) {
        super("ha:index:NfsRepository", name, {}, options);
        const { spec, platform } = site;
        const drain = carryOut(site, name, platform.repository(spec), { parent: this }).get("drain");
        this.drain = drain === undefined ? [] : [drain];
        this.uuid = output(platform.repositoryUuid(spec));
        this.source = output(`${spec.manager.address}:${spec.repository.path}`);
        this.registerOutputs({ uuid: this.uuid, source: this.source });
    }
}
