import { type ClusterSpec } from "../../config/spec";
import { memberId, members } from "./members";

function milliseconds(seconds: number): number {
    return Math.round(seconds * 1000);
}

/** Text of corosync.conf, the same on every member. */
export function corosyncConf(spec: ClusterSpec): string {
    const { token, consensus } = spec.pool.timing;
    const nodes = members(spec).map(
        (member) => `    node {
        name: ${member.name}
        nodeid: ${memberId(spec, member)}
        ring0_addr: ${member.address}
    }`,
    );
    return `# Made by ovm-ha-cluster.
totem {
    version: 2
    cluster_name: ${spec.pool.name}
    transport: knet
    crypto_cipher: aes256
    crypto_hash: sha256
    token: ${milliseconds(token)}
    token_coefficient: 0
    consensus: ${milliseconds(consensus)}
    # How long members that start at the same moment wait for each other.
    join: ${Math.max(50, milliseconds(token / 10))}
}

nodelist {
${nodes.join("\n")}
}

quorum {
    provider: corosync_votequorum
    wait_for_all: 1
}

logging {
    to_logfile: no
    to_syslog: yes
}`;
}

/** Text of /etc/default/sbd: no disk, the watchdog alone. */
export function sbdSettings(spec: ClusterSpec): string {
    const { timing, watchdog } = spec.pool;
    return `# Made by ovm-ha-cluster.
SBD_PACEMAKER=yes
SBD_STARTMODE=always
SBD_DELAY_START=no
SBD_WATCHDOG_DEV=${watchdog.device}
SBD_WATCHDOG_TIMEOUT=${timing.watchdog}
SBD_TIMEOUT_ACTION=flush,reboot
SBD_MOVE_TO_ROOT_CGROUP=auto
SBD_SYNC_RESOURCE_STARTUP=yes
SBD_OPTS="-I ${timing.sbdIoTimeout}"`;
}
