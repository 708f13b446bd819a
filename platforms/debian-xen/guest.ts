import { guestUrl } from "../../config/guestUrl";
import { createHash } from "node:crypto";
import { type ClusterSpec, type GuestSpec } from "../../config/spec";
import { isEmulated, isSlow } from "./cib";
import { onNode } from "./scripts";
import { siteOf, WORKLOAD_DISK, workloadMark } from "./workload";

/** Where a node keeps what it needs to run a guest. */
export const LOCAL_STORE = "/var/ovs/local";

/** Bridge of a node that guests are plugged into. */
export const BRIDGE = "xenbr0";

/** Folder of the repository as the nodes see it. */
export function mountPoint(spec: ClusterSpec): string {
    return `/var/ovs/mount/${spec.repository.uuid}`;
}

/** Identity of a guest for Xen: the same on every node, and after every rebuild. */
function guestUuid(spec: ClusterSpec, guest: GuestSpec): string {
    const digest = createHash("sha256").update(`${spec.repository.uuid} ${guest.name}`).digest("hex");
    return digest.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5");
}

/** Text of vm.cfg. Kernel and initrd are the node's own copies, the disk is on the repository. */
export function vmConfig(spec: ClusterSpec, guest: GuestSpec): string {
    const local = `${LOCAL_STORE}/${guest.name}`;
    const emulated = isEmulated(spec);
    // What a kernel does against attacks on a real processor costs minutes on an emulated one.
    const extra = `root=/dev/xvda rw console=hvc0 net.ifnames=0 quiet${emulated ? " nokaslr mitigations=off" : ""}`;
    // An emulated processor does not promise a steady counter, so Xen would trap each reading of it, one in every system call
    // of the guest: 120 to 420 µs where it takes 3 to 12. Real processors do promise one (xl.cfg(5), tsc_mode).
    const clock = emulated ? '\ntsc_mode = "native"' : "";
    const site = siteOf(guest);
    const folder = `${mountPoint(spec)}/running_pool/${guest.name}`;
    const disks = [
        `script=block-dio,format=raw,vdev=xvda,access=w,target=${folder}/System.img`,
        ...(site === undefined
            ? []
            : [`script=block-dio,format=raw,vdev=xvdb,access=r,target=${folder}/${WORKLOAD_DISK}`]),
    ];
    return `# Made by ovm-ha-cluster.${site === undefined ? "" : `\n# Sets up: ${workloadMark(site)}`}
name = "${guest.name}"
uuid = "${guestUuid(spec, guest)}"
type = "pvh"
memory = ${guest.memory}
vcpus = ${guest.vcpus}${clock}
kernel = "${local}/vmlinuz"
ramdisk = "${local}/initrd.img"
extra = "${extra}"
vif = ["mac=${guest.mac},bridge=${BRIDGE}"]
disk = [${disks.map((disk) => `"${disk}"`).join(", ")}]
on_poweroff = "destroy"
on_reboot = "restart"
on_crash = "destroy"`;
}

/** The guest's systemd-networkd file. */
export function guestNetwork(spec: ClusterSpec, guest: GuestSpec): string {
    return [
        "# Made by ovm-ha-cluster.",
        "[Match]",
        "Name=eth0",
        "",
        "[Network]",
        `Address=${guest.address}/${spec.network.prefix}`,
        `Gateway=${spec.network.gateway}`,
        ...spec.network.dns.map((server) => `DNS=${server}`),
        "LinkLocalAddressing=no",
        "IPv6AcceptRA=no",
    ].join("\n");
}

/** The guest's /etc/hosts. Its own name is there, because a server that cannot look it up waits for minutes. */
export function guestHosts(guest: GuestSpec): string {
    return `127.0.0.1 localhost\n${guest.address} ${guest.name}`;
}

/** Where a node keeps the program that asks whether a guest serves. */
export function healthPath(guest: GuestSpec): string {
    return `${LOCAL_STORE}/${guest.name}/health`;
}

/**
 * Text of that program; empty when the guest is not asked. A guest that has answered before counts as dead after several
 * monitors without an answer, because one late answer is no reason to restart it.
 */
export function healthCheck(spec: ClusterSpec, guest: GuestSpec): string {
    if (guest.httpCheck === undefined) {
        return "";
    }
    const slow = isSlow(spec);
    return onNode("guest-health", {
        NAME: guest.name,
        URL: guestUrl(guest),
        STATUS: String(guest.httpCheck.status),
        WAIT: slow ? "20" : "5",
        BOOT: String(bootPatience(spec, guest)),
        PATIENCE: slow ? "60" : "15",
        MOUNT: mountPoint(spec),
    });
}

/** Text of Pacemaker's agent for guests, the same for all of them. */
export function guestAgent(): string {
    return onNode("guest-agent", {});
}

/** Seconds a guest gets to boot and answer. Moodle's first start makes hundreds of tables, and an upgrade changes them. */
export function bootPatience(spec: ClusterSpec, { workload }: GuestSpec): number {
    const long = workload.kind === "moodle";
    return isSlow(spec) ? (long ? 7200 : 900) : long ? 1200 : 300;
}

/** Changes exactly when the guest has to be started anew. */
export function configDigest(config: string): string {
    return createHash("sha256").update(config).digest("hex").slice(0, 16);
}
