import { type ClusterSpec, type GuestSpec, type NodeSpec } from "../../config/spec";

/** The name that Oracle VM has for its O2CB cluster. */
const CLUSTER = "ocfs2";

const O2CB_PORT = 7777;

/** The folder's line of /etc/exports: every node, and nobody else. */
export function exportsLine(path: string, options: readonly string[], nodes: readonly NodeSpec[]): string {
    return [path, ...nodes.map(({ address }) => `${address}(${options.join(",")})`)].join(" ");
}

/** Lines of /etc/hosts that name every member. */
export function hostsLines({ manager, nodes }: ClusterSpec): string {
    return [manager, ...nodes].map(({ name, address }) => `${address} ${name}`).join("\n");
}

function numberOf({ name, number }: NodeSpec): number {
    if (number === undefined) {
        throw new Error(`the node ${name} has no number`);
    }
    return number;
}

/** Text of /etc/ocfs2/cluster.conf. Attributes are indented by a tab, and `node_count` is the number of stanzas. */
export function clusterConf(nodes: readonly NodeSpec[]): string {
    const stanza = (kind: string, attributes: readonly [string, string | number][]): string =>
        [`${kind}:`, ...attributes.map(([key, value]) => `\t${key} = ${value}`)].join("\n");
    const members = nodes.map((node) =>
        stanza("node", [
            ["ip_port", O2CB_PORT],
            ["ip_address", node.address],
            ["number", numberOf(node)],
            ["name", node.name],
            ["cluster", CLUSTER],
        ]),
    );
    const cluster = stanza("cluster", [
        ["node_count", nodes.length],
        ["name", CLUSTER],
    ]);
    return [...members, cluster].join("\n\n");
}

/** Lines of number, name and address, for nodes that join a running cluster. */
export function o2cbNodes(nodes: readonly NodeSpec[]): string {
    return nodes.map((node) => `${numberOf(node)} ${node.name} ${node.address}`).join("\n");
}

/**
 * Lines of /etc/sysconfig/o2cb. A node is dead after (threshold − 1) × 2 s: 60 s are O2CB's own default, 120 s what its
 * maker recommends for slow storage.
 */
export function o2cbTimeouts({ pool }: ClusterSpec): string {
    const [threshold, idle] = pool.timing.profile === "relaxed" ? [61, 60000] : [31, 30000];
    return [
        `O2CB_HEARTBEAT_THRESHOLD=${threshold}`,
        `O2CB_IDLE_TIMEOUT_MS=${idle}`,
        "O2CB_KEEPALIVE_DELAY_MS=2000",
        "O2CB_RECONNECT_DELAY_MS=2000",
    ].join("\n");
}

/** Text of vm.cfg for a guest that is registered from an image: fully virtualised, as the agent writes it. */
export function vmConfig(guest: GuestSpec): string {
    return [
        `name = '${guest.name}'`,
        "builder = 'hvm'",
        "kernel = '/usr/lib/xen/boot/hvmloader'",
        "device_model = '/usr/lib/xen/bin/qemu-dm'",
        `memory = '${guest.memory}'`,
        `vcpus = ${guest.vcpus}`,
        "acpi = 1",
        "apic = 1",
        `disk = ['file:/OVS/running_pool/${guest.name}/System.img,hda,w']`,
        `vif = ['type=ioemu, mac=${guest.mac}, bridge=xenbr0']`,
        "on_reboot = 'restart'",
        "on_crash = 'destroy'",
    ].join("\n");
}
