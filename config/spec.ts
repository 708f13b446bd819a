import { type Timing } from "./timing";

/** Kind of hosts: `debian-xen` is Debian 12 with Xen and Pacemaker, `ovm-2.2` is Oracle VM Server 2.2. */
export type Platform = "debian-xen" | "ovm-2.2";

/** Everything the program builds, complete and checked: no field is left to guess, no field is a secret. */
export interface ClusterSpec {
    platform: Platform;
    network: NetworkSpec;
    ssh: SshSpec;
    manager: ManagerSpec;
    /** In the order of the configuration; node numbers follow from it. */
    nodes: NodeSpec[];
    repository: RepositorySpec;
    pool: PoolSpec;
    guests: GuestSpec[];
    /** Looked at on ovm-2.2 only. */
    oracleVm: OracleVmSpec;
}

/** Versions of Oracle VM Manager's command line that there is a table of commands for. */
export const CLI_VERSIONS = ["2.2"] as const;

/** Where Oracle VM Manager's SOAP services are said to be, on the manager itself. */
export const SOAP_SERVICES = "http://127.0.0.1:8888/OVSWS";

/** What this program has Oracle VM Manager do. */
export const ORACLE_VM_COMMANDS = [
    "serverList",
    "poolCreate",
    "poolMaster",
    "poolCheckHa",
    "poolEnableHa",
    "poolDelete",
    "serverAdd",
    "serverRemove",
    "serverInfo",
    "imageRegister",
    "imageState",
    "imageApprove",
    "isoRegister",
    "isoState",
    "isoApprove",
    "isoDelete",
    "guestCreate",
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
] as const;

/** Name of a command of `ovm`, or of a call of a service. */
export type OracleVmCommand = (typeof ORACLE_VM_COMMANDS)[number];

/** What only Oracle VM 2.2 has. Passwords are not here. */
export interface OracleVmSpec {
    /** Login name at the Manager. */
    user: string;
    /** What guests run, in the Manager's words. */
    operatingSystem: string;
    /** Rights of the exported folder. */
    exportMode: "755" | "777";
    /** Whether a node's local repository goes even if it is not empty. */
    removeLocalRepository: boolean;
    /** Whether the manager's packages are upgraded, once. */
    upgrade: boolean;
    /** Services that start with the manager. */
    startAtBoot: string[];
    /** Version of the `ovm` command. */
    cli: (typeof CLI_VERSIONS)[number];
    /** Address of the SOAP services, as seen from the manager. */
    services: string;
    /** What stands in the place of the table's entries. */
    commands: CommandOverride[];
}

/** A command as the user knows it to be. */
export interface CommandOverride {
    name: OracleVmCommand;
    /** What follows `ovm -u USER -p PASSWORD`, with `{…}` for values; or `soap`, service, operation and arguments. */
    words: string;
    /** Text of the output by which success is known; without it the exit status decides. */
    answer?: string;
}

/** The one network that all machines and guests have an address in. */
export interface NetworkSpec {
    /** `192.168.1.0/24`. */
    cidr: string;
    /** Bits of the network part, 8 to 30. */
    prefix: number;
    /** Router of the network. */
    gateway: string;
    /** Name servers, at least one. */
    dns: string[];
}

/** Where the private key for SSH comes from; its text never is in the spec. */
export type SshKeySource =
    /** A file on this machine; `~` stands for the home directory, a relative path begins at the project's folder. */
    | { from: "file"; path: string }
    /** The agent behind `SSH_AUTH_SOCK`. */
    | { from: "agent" }
    /** The secret config key `sshKey` of the stack. */
    | { from: "secret" };

/** How to log in, the same for all hosts but for their endpoints. */
export interface SshSpec {
    user: string;
    key: SshKeySource;
    /** The public half of the key, where it is known: one line, as in authorized_keys. */
    publicKey?: string;
    /** The one host through which all others are reached, where they are not reached directly. */
    bastion?: Endpoint & { user: string };
}

/** Where SSH answers, and the one key it must answer with. */
export interface Endpoint {
    /** Name or address as seen from here (with a bastion: as seen from there). */
    host: string;
    port: number;
    /** `<type> <base64>`, as in authorized_keys. */
    hostKey: string;
}

/** The machine that holds the repository and votes, but never hosts a guest. */
export interface ManagerSpec {
    /** RFC 1123 host name; written in the case the user gave it. */
    name: string;
    address: string;
    ssh: Endpoint;
}

/** What a node is for. `master` exists on ovm-2.2 only: elsewhere the coordinator is elected. */
export type NodeRole = "vm" | "utility" | "master";

/** A machine with a hypervisor. */
export interface NodeSpec {
    name: string;
    address: string;
    ssh: Endpoint;
    /** At least one. */
    roles: NodeRole[];
    /** MiB of the whole machine; unknown where the user did not say, and then nothing is checked against it. */
    memory?: number;
    /** MiB that dom0 keeps. */
    dom0Memory: number;
    /** Gone for good: nothing is undone on it when it is taken out of the list. */
    lost: boolean;
    /** On standby: it hosts no guests with `ha`. */
    maintenance: boolean;
    /** In OCFS2's cluster.conf, on ovm-2.2 only; 0 to 254. */
    number?: number;
}

/** The shared volume on the manager. */
export interface RepositorySpec {
    /** Absolute, on the manager. */
    path: string;
    /** 32 upper-case hex digits; the mount point on the nodes is `/var/ovs/mount/<uuid>`. */
    uuid: string;
    /** Of the NFS export, in the user's order. */
    options: string[];
    /** Whether `destroy` leaves the data where it is. */
    keepData: boolean;
}

/** The server pool. */
export interface PoolSpec {
    name: string;
    /** The pool's own address, held by whichever member is up. */
    virtualAddress: string;
    timing: Timing;
    /** What resets a member that has lost quorum. */
    watchdog: { module: WatchdogModule; device: string };
}

/** Kernel modules with a watchdog: Xen's own, the one QEMU emulates, the kernel's timer (the weakest). */
export type WatchdogModule = "xen_wdt" | "i6300esb" | "softdog";

/** What a guest can be there for. */
export const WORKLOADS = ["apache", "mediawiki", "moodle", "none"] as const;

/** Name of a workload. */
export type WorkloadKind = (typeof WORKLOADS)[number];

/** What a site that is set up in a guest has in any case. */
interface SiteSpec {
    /** Where clients reach it: scheme, host and, unless it is the scheme's own, port; nothing after that. */
    url: string;
    /** What it calls itself. */
    title: string;
}

/** What a guest is there for. */
export type WorkloadSpec =
    /** What the medium brings is all there is. */
    | { kind: "none" | "apache" }
    /** The medium's MediaWiki, with a database of its own. */
    | ({ kind: "mediawiki" } & SiteSpec)
    /** A release of Moodle, with a database of its own. */
    | ({
          kind: "moodle";
          /** Absolute path on the manager, or URL. */
          archive: string;
          /** 64 lower-case hex digits. */
          sha256: string;
      } & SiteSpec);

/** A virtual machine. */
export interface GuestSpec {
    /** Host name, and the name of its folder in `running_pool`. */
    name: string;
    /** MiB. */
    memory: number;
    vcpus: number;
    /** Lower case, six octets. */
    mac: string;
    address: string;
    /** Absolute path on the manager of what the disk is made from: a folder with `System.img`, or an image. */
    medium: string;
    /** GiB of its disk. */
    disk: number;
    /** Whether the pool restarts it elsewhere when its node is lost. */
    ha: boolean;
    /** Where it runs when there is a choice; without `ha` the only node it runs on. */
    preferredNode?: string;
    workload: WorkloadSpec;
    /** How "it works" is asked; absent when the user switched the check off. */
    httpCheck?: HttpCheck;
    /** Whether removing the guest leaves its disk on the repository. */
    keepDisk: boolean;
}

/** One HTTP request to the guest's address. */
export interface HttpCheck {
    path: string;
    port: number;
    /** The only status that counts as working. */
    status: number;
}
