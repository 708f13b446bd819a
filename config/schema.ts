import { choice, flag, integer, list, number, record, text, wordOrRecord, type Draft } from "./fields";
import { CLI_VERSIONS, ORACLE_VM_COMMANDS, SOAP_SERVICES, WORKLOADS } from "./spec";
import * as texts from "./texts";

const port = { least: 1, most: 65535 };

const endpoint = record(
    { description: "Where SSH answers, if not at the address on the default port.", words: "none" },
    {
        host: text(
            { description: "Name or address to connect to.", words: "the machine's address" },
            texts.endpointHost,
        ),
        port: integer({ description: "Port to connect to.", words: "`ssh.port`" }, port),
    },
);

const httpCheck = record(
    { description: "The HTTP request that must succeed for the guest to count as working." },
    {
        enabled: flag({ description: "`false`: the guest works as soon as it runs.", value: true }),
        path: text(
            { description: "What to ask for.", words: "a page of the workload that needs its database; else `/`" },
            texts.urlPath,
        ),
        port: integer({ description: "Port of the web server.", value: 80 }, port),
        status: integer({ description: "The status it must answer with.", value: 200 }, { least: 100, most: 599 }),
    },
);

const workload = wordOrRecord(
    {
        description:
            "What the guest serves: `apache` (the medium's own pages), `mediawiki`, `moodle`, or `none` (an image of " +
            "your own). The medium is taken as it is but for `mediawiki` and `moodle`, which are set up in it.",
        value: "none",
    },
    WORKLOADS,
    {
        kind: choice({ description: "Which one." }, WORKLOADS),
        archive: text(
            {
                description:
                    "Moodle's release archive (`.tgz` or `.tar.gz`): absolute path on the manager, or URL that the manager " +
                    "can reach. Another archive upgrades the site.",
                words: "none; `moodle` needs it",
            },
            texts.archive,
        ),
        sha256: text(
            { description: "The archive's SHA-256, in hexadecimal.", words: "none; `moodle` needs it" },
            texts.sha256,
        ),
        url: text(
            {
                description: "Where clients reach the site (`mediawiki` and `moodle`): `http://` and a name, no path.",
                words: "`http://` and the guest's address",
            },
            texts.siteUrl,
        ),
        title: text(
            { description: "Name of the site (`mediawiki` and `moodle`).", words: "the guest's name" },
            texts.siteTitle,
        ),
    },
);

const guest = record(
    { description: "A virtual machine." },
    {
        name: text({ description: "Host name of the guest. A new name makes a new guest." }, texts.hostName),
        address: text({ description: "Its address, the one clients ask." }, texts.address),
        medium: text(
            {
                description:
                    "Absolute path on the manager of what its disk is made from: a folder with `System.img`, or an image.",
            },
            texts.hostPath,
        ),
        memory: integer({ description: "Memory in MiB.", value: 1000 }, { least: 64, most: 1048576, unit: "MiB" }),
        vcpus: integer({ description: "Virtual processors.", value: 1 }, { least: 1, most: 128 }),
        disk: integer({ description: "Size of its disk in GiB.", value: 10 }, { least: 1, most: 65536, unit: "GiB" }),
        mac: text({ description: "MAC address.", words: "derived from the address" }, texts.mac),
        ha: flag({ description: "Whether it starts on another node when its own is lost.", value: true }),
        preferredNode: text({ description: "Node it runs on when there is a choice.", words: "none" }, texts.hostName),
        workload,
        httpCheck,
        keepDisk: flag({
            description: "Whether its disk stays on the repository when the guest is removed.",
            value: true,
        }),
    },
);

const node = record(
    { description: "A machine with a hypervisor." },
    {
        name: text(
            {
                description: "Host name; give names before you take out any node but the last.",
                words: "`OVMSERVER01`, `OVMSERVER02`, … by position",
            },
            texts.hostName,
        ),
        address: text({ description: "Its address in the network." }, texts.address),
        memory: integer(
            {
                description: "Memory of the machine in MiB; guests are checked against it.",
                words: "unknown, not checked",
            },
            { least: 1024, most: 16777216, unit: "MiB" },
        ),
        dom0Memory: integer(
            { description: "Part of it in MiB that dom0 keeps.", value: 1024 },
            { least: 512, most: 65536, unit: "MiB" },
        ),
        roles: list(
            {
                description: "`vm`: hosts guests; `utility`: does the pool's chores; `master` (ovm-2.2 only).",
                value: ["vm", "utility"],
            },
            choice({ description: "A role." }, ["vm", "utility", "master"]),
        ),
        lost: flag({
            description:
                "The machine is gone for good: nothing is undone on it when it is taken out of the list, one `up` later.",
            value: false,
        }),
        maintenance: flag({
            description:
                "On standby: its guests with `ha` move to the others, and it takes none until this is `false` again " +
                "(debian-xen only).",
            value: false,
        }),
        number: integer(
            {
                description: "Its number in OCFS2's cluster.conf (ovm-2.2 only).",
                words: "the number its name ends in, less one",
            },
            { least: 0, most: 254 },
        ),
        ssh: endpoint,
    },
);

const seconds = (description: string, least: number, most: number) =>
    number({ description, words: "the profile's" }, { least, most, unit: "seconds" });

const wholeSeconds = (description: string, least: number, most: number) =>
    integer({ description, words: "the profile's" }, { least, most, unit: "seconds" });

const timing = wordOrRecord(
    {
        description:
            "How fast a lost node is noticed and replaced: a profile (`relaxed` is for emulated hosts), or numbers in seconds.",
        value: "fast",
    },
    ["fast", "relaxed"],
    {
        profile: choice({ description: "Where the numbers that are not given come from.", value: "fast" }, [
            "fast",
            "relaxed",
        ]),
        token: seconds("Silence after which Corosync counts a member as lost.", 0.3, 60),
        consensus: seconds("Time to agree on the new membership; 1.2 × `token` or more.", 0.36, 120),
        watchdog: wholeSeconds("The watchdog resets a node this long after it was last fed.", 2, 120),
        sbdIoTimeout: wholeSeconds("sbd's `-I`: how long a silent servant is still believed.", 1, 30),
        election: seconds("What a cut-off node needs to decide on its own.", 0, 60),
        margin: seconds("Safety on top of the sum.", 1, 120),
        stonithWatchdogTimeout: integer(
            {
                description: "What survivors wait before they start a lost node's guests.",
                words: "the least that is safe",
            },
            { least: 3, most: 600, unit: "seconds" },
        ),
    },
);

/**
 * Every key of the configuration, once: the parser, the `config:` block of Pulumi.yaml and docs/config.md come from
 * here. The order is the one the reference shows.
 */
export const schema = {
    platform: choice({ description: "What runs on the hosts.", value: "debian-xen" }, ["debian-xen", "ovm-2.2"]),
    network: record(
        { description: "The one network all machines and guests are in." },
        {
            cidr: text({ description: "The network.", words: "the /24 around the manager's address" }, texts.network),
            gateway: text({ description: "Its router.", words: "the network's first host address" }, texts.address),
            dns: list(
                { description: "Name servers.", words: "the gateway" },
                text({ description: "A name server." }, texts.address),
            ),
        },
    ),
    ssh: record(
        { description: "How to log in to the hosts." },
        {
            user: text(
                { description: "Login name; may become root without a password.", value: "root" },
                texts.userName,
            ),
            port: integer({ description: "Default port.", value: 22 }, port),
            key: text(
                {
                    description:
                        "Private key: a file on this machine, `agent`, or `secret` (the key `sshKey` of this config). " +
                        "The public half beside the file (`.pub`), if there is one, is accepted by new guests.",
                    value: "~/.ssh/id_ed25519",
                },
                texts.sshKey,
            ),
            knownHosts: text(
                {
                    description: "File with the hosts' keys; a host that is not in it is refused.",
                    value: "~/.ssh/known_hosts",
                },
                texts.localFile,
            ),
            bastion: record(
                { description: "A host through which all others are reached.", words: "none" },
                {
                    host: text({ description: "Its name or address." }, texts.endpointHost),
                    port: integer({ description: "Its port.", value: 22 }, port),
                    user: text({ description: "Login name there.", words: "`ssh.user`" }, texts.userName),
                },
            ),
        },
    ),
    manager: record(
        { description: "The machine that holds the repository and votes, but hosts no guest." },
        {
            name: text({ description: "Host name.", value: "OVMANAGER" }, texts.hostName),
            address: text({ description: "Its address in the network." }, texts.address),
            ssh: endpoint,
        },
    ),
    nodes: list({ description: "The machines with a hypervisor, two or more." }, node),
    repository: record(
        { description: "The shared volume on the manager." },
        {
            path: text({ description: "Absolute path on the manager.", value: "/sharedvol" }, texts.folder),
            uuid: text(
                {
                    description: "32 hex digits that name the mount point.",
                    words: "derived from the pool's name and the path",
                },
                texts.uuid,
            ),
            options: list(
                {
                    description: "Options of the NFS export.",
                    value: ["rw", "sync", "no_root_squash", "no_subtree_check"],
                },
                text({ description: "An option." }, texts.exportOption),
            ),
            keepData: flag({ description: "Whether `destroy` leaves the data where it is.", value: true }),
        },
    ),
    pool: record(
        { description: "The server pool." },
        {
            name: text({ description: "Its name.", value: "HAPPOOL" }, texts.poolName),
            virtualAddress: text(
                { description: "The pool's own address, held by a member that is up." },
                texts.address,
            ),
            timing,
            watchdog: record(
                { description: "What resets a member that has lost its quorum." },
                {
                    module: choice(
                        {
                            description: "Kernel module; `softdog` cannot help when the kernel hangs.",
                            value: "xen_wdt",
                        },
                        ["xen_wdt", "i6300esb", "softdog"],
                    ),
                    device: text({ description: "Its device.", value: "/dev/watchdog" }, texts.device),
                },
            ),
        },
    ),
    guests: list({ description: "The virtual machines.", value: [] }, guest),
    oracleVm: record(
        { description: "What only ovm-2.2 has." },
        {
            user: text({ description: "Login name at Oracle VM Manager.", value: "admin" }, texts.userName),
            operatingSystem: text(
                { description: "What the guests run, in Oracle VM Manager's words.", value: "Other" },
                texts.plainWords,
            ),
            exportMode: choice(
                {
                    description:
                        "Rights of the exported folder. Root of the nodes writes there in any case; `777` lets every user do.",
                    value: "755",
                },
                ["755", "777"],
            ),
            removeLocalRepository: flag({
                description:
                    "Whether a node's local repository is taken off the node even if there is something in it.",
                value: false,
            }),
            upgrade: flag({
                description: "Whether the manager is upgraded (`yum -y upgrade`) once; `destroy` does not undo that.",
                value: false,
            }),
            startAtBoot: list(
                { description: "Services of the manager that start with it.", value: ["nfs", "nfslock"] },
                text({ description: "A service." }, texts.serviceName),
            ),
            cli: choice({ description: "Version of the `ovm` command on the manager.", value: "2.2" }, CLI_VERSIONS),
            services: text(
                {
                    description: "Address of Oracle VM Manager's SOAP services, as the manager itself reaches them.",
                    value: SOAP_SERVICES,
                },
                texts.webAddress,
            ),
            commands: list(
                {
                    description:
                        "Commands of `ovm`, or calls of the services, that are another than this program takes them for.",
                    value: [],
                },
                record(
                    { description: "A command." },
                    {
                        name: choice({ description: "Which one." }, ORACLE_VM_COMMANDS),
                        words: text(
                            {
                                description:
                                    "What follows `ovm -u USER -p PASSWORD`, or `soap` with service, operation and arguments; `{pool}`, `{node}`, `{vm}` and others are filled in.",
                            },
                            texts.commandWords,
                        ),
                        answer: text(
                            { description: "A text that its output has when it succeeded.", words: "any" },
                            texts.plainWords,
                        ),
                    },
                ),
            ),
        },
    ),
    endpoints: text(
        {
            description:
                "JSON file that says where the hosts' SSH ports are; the virtual lab writes it when it starts.",
            words: "none",
        },
        texts.localFile,
    ),
};

/** Keys that are secrets. The parser never sees their text; index.ts reads them with `requireSecret`. */
export const secretKeys = {
    managerPassword: "Password of `oracleVm.user` at Oracle VM Manager (ovm-2.2 only).",
    agentPassword: "Password of the nodes' Oracle VM Agent (ovm-2.2 only).",
    sshKey: "The private key's text, with `ssh.key: secret`. Set it with `pulumi config set --secret sshKey < FILE`.",
} as const;

/** Name of a secret key. */
export type SecretKey = keyof typeof secretKeys;

/** The configuration as far as it could be read. */
export type ClusterDraft = Draft<typeof schema>;
