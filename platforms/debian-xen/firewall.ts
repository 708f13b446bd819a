import { type ClusterSpec } from "../../config/spec";
import { members } from "./members";

/** rpcbind, Pacemaker's remote and configuration daemons, NFS with its helpers: nobody else's business. */
const TCP = [111, 2049, 2224, 3121, 5403, 20048, 21064, 32765, 32766, 32803];
/** The same, and Corosync. */
const UDP = [111, "5404-5412", 20048, 32765, 32766, 32769];

/**
 * The rules of a member: a table of our own, so that they never touch others' and go away with it. The cluster's ports
 * are open to members only; everything else is as the user has it.
 */
export function firewallRules(spec: ClusterSpec): string {
    const addresses = members(spec).map(({ address }) => address);
    return `# Made by ovm-ha-cluster.
table inet ovm-ha-cluster
delete table inet ovm-ha-cluster
table inet ovm-ha-cluster {
    set members {
        type ipv4_addr
        elements = { ${addresses.join(", ")} }
    }
    chain input {
        type filter hook input priority filter; policy accept;
        iif "lo" accept
        ip saddr @members accept
        tcp dport { ${TCP.join(", ")} } counter drop
        udp dport { ${UDP.join(", ")} } counter drop
    }
}`;
}
