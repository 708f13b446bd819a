import { createHash } from "node:crypto";
import { type ClusterSpec, type GuestSpec, type NodeSpec, type OracleVmCommand } from "../../config/spec";
import { type Platform, type Step, type Variables } from "../platform";
import { commandLines, servicesLine } from "./commands";
import { script } from "./scripts";
import { clusterConf, exportsLine, hostsLines, o2cbNodes, o2cbTimeouts, vmConfig } from "./texts";

/** From this release of agent 2.3 on, the holes are closed (OVMSA-2010-0015). */
const AGENT_FLOOR = "42";
const HOLES = "CVE-2010-3582, CVE-2010-3583, CVE-2010-3584 and CVE-2010-3585";

/** Seconds for a guest to come to rest after a command: the longest known, a migration, took 100. */
const PATIENCE = "600";

const yesNo = (value: boolean): string => (value ? "yes" : "no");

const isIso = ({ medium }: GuestSpec): boolean => medium.toLowerCase().endsWith(".iso");

/** The pool's first server: the one that the config calls master, else the first. */
function firstServer(spec: ClusterSpec): NodeSpec {
    const server = spec.nodes.find(({ roles }) => roles.includes("master")) ?? spec.nodes[0];
    if (server === undefined) {
        throw new Error("there is no node to make the pool with");
    }
    return server;
}

function poolCommands(spec: ClusterSpec, node: NodeSpec, names: readonly OracleVmCommand[]): Variables {
    const values = {
        pool: spec.pool.name,
        virtualAddress: spec.pool.virtualAddress,
        node: node.name,
        address: node.address,
    };
    return {
        POOL: spec.pool.name,
        COMMANDS: commandLines(spec.oracleVm, ["serverList", ...names], values),
        SERVICES: servicesLine(spec.oracleVm),
    };
}

function guestCommands(spec: ClusterSpec, guest: GuestSpec, names: readonly OracleVmCommand[]): Variables {
    const values = {
        pool: spec.pool.name,
        vm: guest.name,
        memory: String(guest.memory),
        vcpus: String(guest.vcpus),
        disk: String(guest.disk * 1024),
        mac: guest.mac,
        iso: guest.medium.slice(guest.medium.lastIndexOf("/") + 1),
        os: spec.oracleVm.operatingSystem,
    };
    return {
        POOL: spec.pool.name,
        COMMANDS: commandLines(spec.oracleVm, names, values),
        SERVICES: servicesLine(spec.oracleVm),
    };
}

function guestUrl({ address, httpCheck }: GuestSpec): string {
    return httpCheck === undefined ? "" : `http://${address}:${httpCheck.port}${httpCheck.path}`;
}

/** Oracle VM Server 2.2 with agent 2.3 on the nodes, Oracle VM Manager 2.2 on a CentOS 5. */
export const oracleVm22: Platform = {
    // EL5 has no timeout(1): the command becomes a process group of its own, and a clock beside it ends that. It is bash by
    // name, because other shells make no groups without a terminal.
    timeLimit: (seconds) =>
        `bash -c 'set -m; "$@" <&0 & job=$!; ` +
        `(sleep ${seconds}; kill -TERM -$job; sleep 10; kill -KILL -$job) </dev/null >/dev/null 2>&1 & clock=$!; ` +
        // What bash says of its jobs is for nobody; theirs is theirs already.
        `exec 2>/dev/null; wait $job; code=$?; kill -KILL -$clock; exit $code' limit`,

    // repos.py gives it one, which the nodes' steps say.
    repositoryUuid: () => "",

    repository(spec): Step[] {
        const { path, options, keepData } = spec.repository;
        const { upgrade, exportMode, startAtBoot } = spec.oracleVm;
        const host = spec.manager.name;
        return [
            {
                name: "manager",
                host,
                script: script("manager"),
                variables: { UPGRADE: yesNo(upgrade) },
                timeout: 3600,
            },
            {
                name: "export",
                host,
                script: script("nfs-export"),
                variables: {
                    REPOSITORY: path,
                    EXPORTS: exportsLine(path, options, spec.nodes),
                    MODE: exportMode,
                    BOOT: startAtBoot.join(" "),
                    KEEP_DATA: yesNo(keepData),
                },
                timeout: 1800,
                after: ["manager"],
                identity: [path],
            },
        ];
    },

    node(spec, node): Step[] {
        const host = node.name;
        const source = `${spec.manager.address}:${spec.repository.path}`;
        return [
            { name: "release", host, script: script("release"), variables: { AGENT_FLOOR, HOLES }, timeout: 300 },
            {
                name: "hosts",
                host,
                script: script("hosts"),
                variables: { NAME: node.name, ADDRESS: node.address, HOSTS: hostsLines(spec) },
                timeout: 120,
                after: ["release"],
                needs: ["repository"],
            },
            {
                name: "repository",
                host,
                script: script("repository"),
                variables: { SOURCE: source, REMOVE_LOCAL: yesNo(spec.oracleVm.removeLocalRepository) },
                timeout: 900,
                after: ["hosts"],
                identity: [source],
            },
            {
                name: "ocfs2",
                host,
                script: script("ocfs2"),
                variables: {
                    CLUSTER_CONF: clusterConf(spec.nodes),
                    TIMEOUTS: o2cbTimeouts(spec),
                    NODES: o2cbNodes(spec.nodes),
                },
                timeout: 300,
                after: ["repository"],
            },
        ];
    },

    pool(spec): Step[] {
        const host = spec.manager.name;
        const first = firstServer(spec);
        // The first one has a step like all others, so that it can be another one, and leave.
        const inOrder = [first, ...spec.nodes.filter((node) => node !== first)];
        const joins = inOrder.map((node, index): Step => {
            const before = inOrder[index - 1];
            return {
                name: `join-${node.name}`,
                host,
                script: script("pool-join"),
                variables: { SERVER: node.name, ...poolCommands(spec, node, ["serverAdd", "serverRemove"]) },
                timeout: 1800,
                // One after the other: the Manager changes one thing of a pool at a time.
                after: [before === undefined ? "create" : `join-${before.name}`],
                needs: ["nodes"],
                identity: [spec.pool.name, node.name],
            };
        });
        return [
            {
                name: "credentials",
                host,
                script: script("credentials"),
                variables: { USER_NAME: spec.oracleVm.user },
                secret: ({ pool, manager, agent }) => ({
                    PASSWORD: manager,
                    AGENT_PASSWORD: agent,
                    // VNC takes no more than eight characters.
                    CONSOLE_PASSWORD: createHash("sha256").update(`console ${pool}`).digest("hex").slice(0, 8),
                }),
                timeout: 120,
                needs: ["repository"],
            },
            {
                name: "create",
                host,
                script: script("pool-create"),
                variables: { SERVER: first.name, ...poolCommands(spec, first, ["poolCreate", "poolDelete"]) },
                timeout: 1800,
                after: ["credentials"],
                needs: ["nodes"],
                identity: [spec.pool.name],
            },
            ...joins,
            {
                name: "ha",
                host,
                script: script("pool-ha"),
                variables: {
                    ADDRESS: spec.pool.virtualAddress,
                    MEMBERS: hostsLines(spec),
                    ...poolCommands(spec, first, ["poolMaster", "poolCheckHa", "poolEnableHa"]),
                },
                timeout: 900,
                after: [joins.at(-1)?.name ?? "create"],
            },
        ];
    },

    guest(spec, guest): Step[] {
        const host = spec.manager.name;
        const identity = [guest.name, guest.medium];
        const iso = isIso(guest);
        const medium: Step = {
            name: "medium",
            host,
            script: script("guest-iso"),
            variables: {
                NAME: guest.name,
                MEDIUM: guest.medium,
                REPOSITORY: spec.repository.path,
                ...guestCommands(spec, guest, ["isoRegister", "isoState", "isoApprove", "isoDelete"]),
            },
            timeout: 1800,
            needs: ["pool"],
            identity,
        };
        const disk: Step = {
            name: "disk",
            host,
            script: script("guest-disk"),
            variables: {
                NAME: guest.name,
                MEDIUM: guest.medium,
                REPOSITORY: spec.repository.path,
                DISK_MIB: String(guest.disk * 1024),
                CONFIG: vmConfig(guest),
            },
            timeout: 1800,
            needs: ["pool"],
            identity,
        };
        const before = iso ? medium : disk;
        return [
            before,
            {
                name: "guest",
                host,
                script: script("guest"),
                variables: {
                    NAME: guest.name,
                    REPOSITORY: spec.repository.path,
                    FROM: iso ? "iso" : "image",
                    MEMORY: String(guest.memory),
                    VCPUS: String(guest.vcpus),
                    HA: yesNo(guest.ha),
                    URL: guestUrl(guest),
                    STATUS: guest.httpCheck === undefined ? "" : String(guest.httpCheck.status),
                    PATIENCE,
                    KEEP_DISK: yesNo(guest.keepDisk),
                    ...guestCommands(spec, guest, [
                        ...(iso ? (["guestCreate"] as const) : []),
                        "imageRegister",
                        "imageState",
                        "imageApprove",
                        "guestList",
                        "guestState",
                        "guestInfo",
                        "guestMemory",
                        "guestProcessors",
                        "guestEnableHa",
                        "guestDisableHa",
                        "guestPowerOn",
                        "guestPowerOff",
                        "guestDelete",
                    ]),
                },
                timeout: 3600,
                after: [before.name],
                needs: ["pool"],
                identity,
            },
        ];
    },

    view(spec) {
        return {
            host: spec.manager.name,
            script: script("pool-view"),
            variables: {
                MEMBERS: hostsLines(spec),
                ...poolCommands(spec, firstServer(spec), ["poolMaster", "serverInfo", "guestList"]),
            },
            timeout: 300,
        };
    },
};
