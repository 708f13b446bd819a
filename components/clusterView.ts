import { ComponentResource, type ComponentResourceOptions, type Output } from "@pulumi/pulumi";
import { View } from "../remote/view";
import { type HaGuest } from "./haGuest";
import { type ServerPool } from "./serverPool";
import { endpointOf, type Site } from "./site";

/** What is looked at. */
export interface ClusterViewArgs {
    readonly pool: ServerPool;
    readonly guests: readonly HaGuest[];
}

/** What the pool and its guests are doing: a failover is no difference to the configuration, but it is seen here. */
export class ClusterView extends ComponentResource {
    /** As of the last refresh, or the last change. */
    readonly state: Output<string>;

    constructor(name: string, site: Site, { pool, guests }: ClusterViewArgs, options: ComponentResourceOptions = {}) {
        super("ha:index:ClusterView", name, {}, options);
        const { spec, platform, credentials } = site;
        const plan = platform.view?.(spec);
        if (plan === undefined) {
            throw new Error(`${spec.platform} has nothing to see its pool by`);
        }
        const { host, script, variables, timeout } = plan;
        const view = new View(
            `${name}-now`,
            {
                title: `${name}: now, as ${host} sees it`,
                script,
                variables,
                before: platform.timeLimit(timeout),
                seconds: timeout,
                endpoint: endpointOf(spec, host),
                credentials,
                after: [pool, ...guests].map(({ state }) => state),
            },
            { parent: this, dependsOn: [...pool.done] },
        );
        this.state = view.state;
        this.registerOutputs({ state: this.state });
    }
}

/** What the cluster is doing, where its platform can tell. */
export function viewOf(site: Site, pool: ServerPool, guests: readonly HaGuest[]): Output<string> | undefined {
    return site.platform.view === undefined ? undefined : new ClusterView("cluster", site, { pool, guests }).state;
}
