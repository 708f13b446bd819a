import { type ClusterSpec, type Endpoint } from "../../config/spec";

/** Manager or node: whoever votes in the pool. */
export interface Member {
    readonly name: string;
    readonly address: string;
    readonly ssh: Endpoint;
}

/** All members, the manager first. */
export function members(spec: ClusterSpec): Member[] {
    return [spec.manager, ...spec.nodes];
}

function toNumber(address: string): number {
    return address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

/**
 * Number of a member in Corosync: the host part of its address. Unlike its place in the configuration it stays the same
 * when other members come and go.
 */
export function memberId(spec: ClusterSpec, member: Pick<Member, "address">): number {
    return toNumber(member.address) % 2 ** (32 - spec.network.prefix);
}

/** Lines of /etc/hosts that name every member. */
export function hostsLines(spec: ClusterSpec): string {
    return members(spec)
        .map(({ name, address }) => `${address} ${name}`)
        .join("\n");
}

/** Lines of ssh_known_hosts: each member's key under its name and its address. */
export function knownHostsLines(spec: ClusterSpec): string {
    return members(spec)
        .map(({ name, address, ssh }) => `${name},${address} ${ssh.hostKey}`)
        .join("\n");
}
