import { guestUrl } from "../../config/guestUrl";
import { type ClusterSpec, type GuestSpec, type NodeSpec } from "../../config/spec";
import { noticedAfter, ringPatience } from "../../config/timing";
import { quote } from "../../remote/shell";
import { type Platform, type Step, type Variables } from "../platform";
import { ADDRESS_RESOURCE, guestObjects, isSlow, leavingProperties, lines, poolObjects } from "./cib";
import { corosyncConf, sbdSettings } from "./corosync";
import { firewallRules } from "./firewall";
import {
    bootPatience,
    BRIDGE,
    configDigest,
    guestAgent,
    guestHosts,
    guestNetwork,
    healthCheck,
    healthPath,
    LOCAL_STORE,
    mountPoint,
    vmConfig,
} from "./guest";
import { corosyncKey, memberKey } from "./keys";
import { hostsLines, knownHostsLines, members, type Member } from "./members";
import { MANAGER_PACKAGES, NODE_PACKAGES } from "./packages";
import { ringGuard, script } from "./scripts";
import { siteOf, starter, workloadSecrets, workloadVariables } from "./workload";

/** Oldest Xen with which live migration of PVH guests was seen to work in Debian. */
const XEN_MINIMUM = "4.14";

const MOUNT_OPTIONS = "vers=4.2,proto=tcp,hard,timeo=50,retrans=3,noatime,_netdev";

function yesNo(value: boolean): string {
    return value ? "yes" : "no";
}

function prepareStep(spec: ClusterSpec, member: Member, packages: readonly string[]): Step {
    return {
        name: "prepare",
        host: member.name,
        script: script("prepare"),
        variables: {
            PACKAGES: packages.join("\n"),
            HOSTS: hostsLines(spec),
            KNOWN_HOSTS: knownHostsLines(spec),
            FIREWALL: firewallRules(spec),
        },
        // Packages may have to come from far.
        timeout: 1800,
        needs: ["drain"],
    };
}

function memberNames(spec: ClusterSpec): string {
    return members(spec)
        .map(({ name }) => name)
        .join(",");
}

function mountUnit(spec: ClusterSpec): string {
    return `var-ovs-mount-${spec.repository.uuid}.mount`;
}

/** Debian 12 hosts with Xen, NFS, Corosync, Pacemaker and sbd. */
export const debianXen: Platform = {
    timeLimit: (seconds) => `timeout -k 10 ${seconds}`,
    // Closed for the step itself: a program that it leaves running must not hold the lock.
    alone: (step) => `flock --close ${quote(`/run/lock/ovm-ha-cluster-${step}`)}`,

    repositoryUuid: (spec) => spec.repository.uuid,

    repository(spec): Step[] {
        const { path, uuid, options, keepData } = spec.repository;
        return [
            {
                name: "drain",
                host: spec.manager.name,
                script: script("drain"),
                variables: { MEMBERS: memberNames(spec) },
                // A guest of some GiB takes minutes to move.
                timeout: 3600,
            },
            { ...prepareStep(spec, spec.manager, MANAGER_PACKAGES), needs: [], after: ["drain"] },
            {
                name: "export",
                host: spec.manager.name,
                script: script("nfs-export"),
                variables: {
                    REPOSITORY: path,
                    UUID: uuid,
                    EXPORTS: spec.nodes.map(({ address }) => `${path} ${address}(${options.join(",")})`).join("\n"),
                    KEEP_DATA: yesNo(keepData),
                },
                timeout: 600,
                after: ["prepare"],
                identity: [path, uuid],
            },
        ];
    },

    node(spec, node: NodeSpec) {
        const host = node.name;
        return [
            prepareStep(spec, node, NODE_PACKAGES),
            {
                name: "network",
                host,
                script: script("network"),
                variables: { ADDRESS: node.address, BRIDGE, WITNESS: spec.manager.address },
                timeout: 300,
                after: ["prepare"],
            },
            {
                name: "hypervisor",
                host,
                script: script("hypervisor"),
                variables: {
                    XEN_MINIMUM,
                    DOM0_MIB: String(node.dom0Memory),
                    LOCAL_STORE,
                    AGENT: guestAgent(),
                },
                timeout: 600,
                after: ["network"],
            },
            {
                name: "storage",
                host,
                script: script("storage"),
                variables: {
                    SOURCE: `${spec.manager.address}:${spec.repository.path}`,
                    UUID: spec.repository.uuid,
                    OPTIONS: MOUNT_OPTIONS,
                },
                timeout: 300,
                after: ["network"],
                needs: ["repository"],
                identity: [spec.repository.uuid],
            },
        ];
    },

    pool(spec) {
        const everyone = members(spec);
        const everyones = (step: string): string[] => everyone.map(({ name }) => `${step}-${name}`);
        const patience = isSlow(spec) ? 600 : 180;
        const each = everyone.flatMap((member, index): Step[] => {
            const isManager = index === 0;
            const { module, device } = spec.pool.watchdog;
            return [
                {
                    name: `keys-${member.name}`,
                    host: member.name,
                    script: script("keys"),
                    variables: {
                        NODES: spec.nodes.flatMap(({ name, address }) => [name, address]).join(","),
                        MEMBERS: isManager ? "" : everyone.map(({ address }) => address).join(","),
                        // sbd ends with Corosync and refuses to be asked itself.
                        SERVICES: `pacemaker.service corosync.service ${mountUnit(spec)}`,
                        // As long as the members take to notice that it is lost.
                        SILENCE: String(Math.ceil(noticedAfter(spec.pool.timing))),
                    },
                    secret: ({ pool: material }): Variables => {
                        const { privateKey, publicKey } = memberKey(material);
                        return { AUTHKEY: corosyncKey(material), MEMBER_KEY: privateKey, MEMBER_PUBLIC: publicKey };
                    },
                    timeout: 120,
                    needs: ["repository", "nodes"],
                },
                {
                    name: `ring-${member.name}`,
                    host: member.name,
                    script: script("ring"),
                    variables: { COROSYNC: corosyncConf(spec) },
                    timeout: 300,
                    after: [`keys-${member.name}`],
                },
                {
                    name: `member-${member.name}`,
                    host: member.name,
                    script: script("member"),
                    variables: {
                        SBD: sbdSettings(spec),
                        // Xen's watchdog exists under Xen only; the manager takes what it has.
                        WATCHDOG: isManager && module === "xen_wdt" ? "auto" : module,
                        DEVICE: device,
                        AFTER: isManager ? "" : `xen.service ${mountUnit(spec)}`,
                        GUARD: isManager ? "" : ringGuard(),
                        PATIENCE: String(ringPatience(spec.pool.timing)),
                    },
                    timeout: 900,
                    after: everyones("ring"),
                },
                {
                    name: `online-${member.name}`,
                    host: member.name,
                    script: script("online"),
                    variables: { MEMBER: member.name, PATIENCE: String(patience) },
                    timeout: 1800,
                    // Nobody's cluster services end before everybody's guests have moved or stopped.
                    after: everyones("member"),
                },
            ];
        });
        return [
            ...each,
            {
                name: "rules",
                host: spec.manager.name,
                script: script("pool"),
                variables: {
                    OBJECTS: lines(poolObjects(spec)),
                    PROPERTIES: lines([leavingProperties()]),
                    MEMBERS: memberNames(spec),
                    RESOURCE: ADDRESS_RESOURCE,
                    MAINTENANCE: spec.nodes
                        .filter(({ maintenance }) => maintenance)
                        .map(({ name }) => name)
                        .join(","),
                    PATIENCE: String(patience),
                },
                // Each node that goes to standby may take its time.
                timeout: 900 + 600 * spec.nodes.length,
                after: everyones("online"),
            },
        ];
    },

    guest(spec, guest: GuestSpec) {
        const config = vmConfig(spec, guest);
        const folder = `${LOCAL_STORE}/${guest.name}`;
        const hosts = guest.ha ? spec.nodes : spec.nodes.filter(({ name }) => name === plainHost(spec, guest));
        const check = {
            URL: guestUrl(guest),
            STATUS: guest.httpCheck === undefined ? "" : String(guest.httpCheck.status),
            PATIENCE: String(bootPatience(spec, guest)),
        };
        const site = siteOf(guest);
        const identity = [guest.name, guest.medium, ...(site === undefined ? [] : [site.kind])];
        const image: Step = {
            name: "image",
            host: spec.manager.name,
            script: script("guest-image"),
            variables: {
                NAME: guest.name,
                REPOSITORY: spec.repository.path,
                MEDIUM: guest.medium,
                DISK_MIB: String(guest.disk * 1024),
                NETWORK: guestNetwork(spec, guest),
                HOSTS: guestHosts(guest),
                ACCEPTED: spec.ssh.publicKey ?? "",
                CONFIG: config,
                KEEP_DISK: yesNo(guest.keepDisk),
                ...starter(site),
            },
            timeout: 1800,
            needs: ["repository"],
            identity,
        };
        const workload: Step[] =
            site === undefined
                ? []
                : [
                      {
                          name: "workload",
                          host: spec.manager.name,
                          script: script("guest-workload"),
                          variables: {
                              NAME: guest.name,
                              REPOSITORY: spec.repository.path,
                              KEEP_DISK: yesNo(guest.keepDisk),
                              ...workloadVariables(site),
                          },
                          secret: workloadSecrets,
                          timeout: 1800,
                          after: ["image"],
                          identity,
                      },
                  ];
        const copies = hosts.map(({ name }): Step => ({
            name: `node-${name}`,
            host: name,
            script: script("guest-node"),
            variables: {
                NAME: guest.name,
                FOLDER: folder,
                SOURCE: `${mountPoint(spec)}/running_pool/${guest.name}`,
                CONFIG: config,
                HEALTH: guest.ha ? healthCheck(spec, guest) : "",
            },
            timeout: 300,
            after: [workload.at(-1)?.name ?? "image"],
            needs: ["node"],
            identity,
        }));
        const path = `${folder}/vm.cfg`;
        const digest = configDigest(config);
        const health = guest.httpCheck === undefined ? {} : { health: healthPath(guest) };
        const running: Step = guest.ha
            ? {
                  name: "resource",
                  host: spec.manager.name,
                  script: script("guest-resource"),
                  variables: {
                      NAME: guest.name,
                      OBJECTS: lines(guestObjects(spec, guest, { path, digest, ...health })),
                      DIGEST: digest,
                      ...check,
                  },
                  timeout: Math.max(2400, 600 + 2 * bootPatience(spec, guest)),
                  after: copies.map(({ name }) => name),
                  needs: ["pool"],
                  identity,
              }
            : {
                  name: "running",
                  host: plainHost(spec, guest),
                  script: script("guest-plain"),
                  variables: { NAME: guest.name, FOLDER: folder, AFTER: `xen.service ${mountUnit(spec)}`, ...check },
                  timeout: Math.max(1800, 600 + bootPatience(spec, guest)),
                  after: copies.map(({ name }) => name),
                  identity: [...identity, plainHost(spec, guest)],
              };
        return [image, ...workload, ...copies, running];
    },
};

/** The one node that a guest without HA runs on. */
function plainHost(spec: ClusterSpec, guest: GuestSpec): string {
    const host = guest.preferredNode ?? spec.nodes[0]?.name;
    if (host === undefined) {
        throw new Error(`there is no node for the guest ${guest.name}`);
    }
    return host;
}
