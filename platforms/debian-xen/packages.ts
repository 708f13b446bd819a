const EVERY_MEMBER = ["corosync", "curl", "nftables", "pacemaker", "pacemaker-cli-utils", "resource-agents", "sbd"];

/** What the manager is made of. */
export const MANAGER_PACKAGES: readonly string[] = [...EVERY_MEMBER, "e2fsprogs", "nfs-kernel-server"];

/** What a node is made of. Xen itself is not among them: a host has to be started with it. */
export const NODE_PACKAGES: readonly string[] = [...EVERY_MEMBER, "nfs-common"];
