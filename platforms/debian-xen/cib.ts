import { type ClusterSpec, type GuestSpec } from "../../config/spec";
import { members } from "./members";

/** Part of the cluster's configuration that an object is in. */
type Section = "crm_config" | "rsc_defaults" | "resources" | "constraints";

/** One object of the cluster's configuration. */
export interface CibObject {
    readonly section: Section;
    readonly id: string;
    readonly xml: string;
}

/** Resource of the pool's virtual address. */
export const ADDRESS_RESOURCE = "pool-address";

const PROPERTIES_ID = "ovm-ha-cluster";

function escape(text: string): string {
    return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function element(name: string, attributes: Readonly<Record<string, string>>, children: readonly string[] = []): string {
    const open = [name, ...Object.entries(attributes).map(([key, value]) => `${key}="${escape(value)}"`)].join(" ");
    return children.length === 0 ? `<${open}/>` : `<${open}>${children.join("")}</${name}>`;
}

function pairs(prefix: string, values: Readonly<Record<string, string>>): string[] {
    return Object.entries(values).map(([name, value]) => element("nvpair", { id: `${prefix}-${name}`, name, value }));
}

/** The form in which the step files read objects; one element a line, so that a preview shows which of them differs. */
export function lines(objects: readonly CibObject[]): string {
    return objects.map(({ section, id, xml }) => `${section} ${id} ${xml.replaceAll("><", ">\n    <")}`).join("\n");
}

function properties(values: Readonly<Record<string, string>>): CibObject {
    const xml = element("cluster_property_set", { id: PROPERTIES_ID }, pairs(PROPERTIES_ID, values));
    return { section: "crm_config", id: PROPERTIES_ID, xml };
}

function resource(
    id: string,
    agent: Readonly<Record<string, string>>,
    parts: {
        parameters: Readonly<Record<string, string>>;
        meta?: Readonly<Record<string, string>>;
        operations?: readonly Readonly<{ name: string; timeout: number; interval?: number }>[];
    },
): CibObject {
    const xml = element("primitive", { id, ...agent }, [
        element("instance_attributes", { id: `${id}-parameters` }, pairs(id, parts.parameters)),
        ...(parts.meta === undefined ? [] : [element("meta_attributes", { id: `${id}-meta` }, pairs(id, parts.meta))]),
        ...(parts.operations === undefined
            ? []
            : [
                  element(
                      "operations",
                      {},
                      parts.operations.map(({ name, timeout, interval = 0 }) =>
                          element("op", {
                              id: `${id}-${name}`,
                              name,
                              interval: `${interval}s`,
                              timeout: `${timeout}s`,
                          }),
                      ),
                  ),
              ]),
    ]);
    return { section: "resources", id, xml };
}

/** Whether the hosts are emulated: `relaxed` is for nothing else. */
export function isEmulated({ pool }: ClusterSpec): boolean {
    return pool.timing.profile === "relaxed";
}

/** Whether the hosts are as slow as emulated ones: their operations get more time. */
export function isSlow(spec: ClusterSpec): boolean {
    return isEmulated(spec) || spec.pool.timing.token >= 3;
}

/** The rules, the fencing and the virtual address of the pool. */
export function poolObjects(spec: ClusterSpec): CibObject[] {
    const { timing, virtualAddress } = spec.pool;
    const names = members(spec).map(({ name }) => name);
    const defaults = "ovm-ha-cluster-defaults";
    const patience = isSlow(spec) ? 180 : 60;
    return [
        properties({
            "stonith-enabled": "true",
            "stonith-watchdog-timeout": `${timing.stonithWatchdogTimeout}s`,
            "no-quorum-policy": timing.noQuorumPolicy,
            "dc-deadtime": "20s",
            // One failed start must not rule a node out when it is the last one: migration-threshold counts it.
            "start-failure-is-fatal": "false",
        }),
        {
            section: "rsc_defaults",
            id: defaults,
            xml: element("meta_attributes", { id: defaults }, pairs(defaults, { "resource-stickiness": "1000" })),
        },
        resource(
            "watchdog",
            { class: "stonith", type: "fence_watchdog" },
            { parameters: { pcmk_host_list: names.join(" ") } },
        ),
        resource(
            ADDRESS_RESOURCE,
            { class: "ocf", provider: "heartbeat", type: "IPaddr2" },
            {
                parameters: { ip: virtualAddress, cidr_netmask: String(spec.network.prefix) },
                // Seen under emulation on a busy computer: a start that had not ended after a minute.
                operations: [
                    { name: "monitor", interval: 15, timeout: patience },
                    { name: "start", timeout: patience },
                    { name: "stop", timeout: patience },
                ],
            },
        ),
    ];
}

/** The rules while the pool is taken down: whoever leaves is not lost. */
export function leavingProperties(): CibObject {
    return properties({ "stonith-enabled": "false", "no-quorum-policy": "ignore" });
}

/**
 * A guest that the pool keeps running, on any node but never on the manager. A constraint names its resource, so it is
 * listed after it, and taken away before.
 *
 * @param config.health program that tells whether the guest serves
 */
export function guestObjects(
    spec: ClusterSpec,
    guest: GuestSpec,
    config: { path: string; digest: string; health?: string },
): CibObject[] {
    const slow = isSlow(spec);
    const banned = `${guest.name}-not-on-manager`;
    const preferred = `${guest.name}-preferred`;
    return [
        resource(
            guest.name,
            { class: "ocf", provider: "ovm-ha-cluster", type: "Xen" },
            {
                parameters: {
                    xmfile: config.path,
                    name: guest.name,
                    shutdown_timeout: slow ? "120" : "40",
                    ...(config.health !== undefined && { monitor_scripts: config.health }),
                },
                meta: {
                    "allow-migrate": "true",
                    "migration-threshold": "3",
                    "failure-timeout": "300s",
                    digest: config.digest,
                },
                operations: [
                    // A monitor that runs out of time restarts the guest. Seen with four emulated machines on two cores: 60 s.
                    { name: "monitor", interval: slow ? 15 : 5, timeout: slow ? 180 : 30 },
                    { name: "start", timeout: slow ? 180 : 60 },
                    // The agent counts looks where it should count seconds, and a look is a second's work under emulation: it
                    // gives a guest that does not shut down twice its shutdown_timeout there. A stop that runs out of time
                    // costs the whole node.
                    { name: "stop", timeout: slow ? 360 : 60 },
                    { name: "migrate_to", timeout: slow ? 600 : 180 },
                    { name: "migrate_from", timeout: slow ? 180 : 60 },
                ],
            },
        ),
        {
            section: "constraints",
            id: banned,
            xml: element("rsc_location", {
                id: banned,
                rsc: guest.name,
                node: spec.manager.name,
                score: "-INFINITY",
                "resource-discovery": "never",
            }),
        },
        ...(guest.preferredNode === undefined
            ? []
            : [
                  {
                      section: "constraints" as const,
                      id: preferred,
                      xml: element("rsc_location", {
                          id: preferred,
                          rsc: guest.name,
                          node: guest.preferredNode,
                          score: "100",
                      }),
                  },
              ]),
    ];
}
