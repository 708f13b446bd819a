import {
    contains,
    deriveMac,
    formatAddress,
    hostRange,
    networkAround,
    parseAddress,
    parseNetwork,
    type Network,
} from "./addresses";
import { type Fault } from "./faults";
import { nearest } from "./nearest";
import { type ClusterDraft, type SecretKey } from "./schema";
import { ageing, completeTiming, resets, safeTimeout, type Timing, unheardReset } from "./timing";
import { LEAST, SITES, workloadDraft } from "./workloads";

/** What the rules look at: the draft with its derived defaults filled in. Whatever was faulty is absent. */
export interface Subject {
    platform?: ClusterDraft["platform"];
    network?: Network;
    gateway?: string;
    manager?: ClusterDraft["manager"];
    nodes: SubjectNode[];
    /** Whether each entry of `nodes` could be read: only then do their number and their names say anything. */
    allNodesRead: boolean;
    repository?: ClusterDraft["repository"];
    pool?: ClusterDraft["pool"];
    timing?: Timing;
    guests: SubjectGuest[];
    ssh?: ClusterDraft["ssh"];
    oracleVm?: ClusterDraft["oracleVm"];
    secrets: ReadonlySet<SecretKey>;
    /** Whether anything was reported for a path or below it: what is absent there is not missing. */
    faulty: (path: string) => boolean;
}

type NodeDraft = NonNullable<NonNullable<ClusterDraft["nodes"]>[number]>;
type GuestDraft = NonNullable<NonNullable<ClusterDraft["guests"]>[number]>;

/** A node that could be read at least in part, and where it stands. */
export type SubjectNode = NodeDraft & { path: string };

/** A guest that could be read at least in part, and where it stands. */
export type SubjectGuest = GuestDraft & { path: string };

/** A rule answers with everything that breaks it; it never throws and looks at nothing but its argument. */
export type Rule = (subject: Subject) => Fault[];

function entriesWithPath<T extends object>(list: readonly (T | undefined)[] | undefined, path: string) {
    return (list ?? []).flatMap((entry, index) =>
        entry === undefined ? [] : [{ ...entry, path: `${path}[${index}]` }],
    );
}

/**
 * Fills in the defaults that follow from other keys, but never in the place of something faulty: `faulty` tells whether
 * anything was reported for a path or below it.
 */
export function toSubject(
    draft: ClusterDraft,
    secrets: ReadonlySet<SecretKey>,
    faulty: (path: string) => boolean,
): Subject {
    const network = faulty("network.cidr") ? undefined : readNetwork(draft);
    const gateway = draft.network?.gateway ?? (network === undefined ? undefined : formatAddress(network.base + 1));
    const timing = faulty("pool.timing") ? undefined : readTiming(draft.pool?.timing);
    const nodes = entriesWithPath(draft.nodes, "nodes").map((node) => {
        const name = node.name ?? (faulty(`${node.path}.name`) ? undefined : defaultNodeName(node.path));
        const number = draft.platform === "ovm-2.2" && !faulty(`${node.path}.number`) ? numberIn(name) : undefined;
        return { ...node, name, number: node.number ?? number };
    });
    const guests = entriesWithPath(draft.guests, "guests").map((guest) => {
        const address = parseAddress(guest.address ?? "");
        const derived = address === undefined || faulty(`${guest.path}.mac`) ? undefined : deriveMac(address);
        return { ...guest, mac: guest.mac?.toLowerCase() ?? derived };
    });
    return {
        platform: draft.platform,
        manager: draft.manager,
        repository: draft.repository,
        pool: draft.pool,
        ssh: draft.ssh,
        oracleVm: draft.oracleVm,
        nodes,
        allNodesRead: draft.nodes !== undefined && nodes.length === draft.nodes.length,
        guests,
        secrets,
        faulty,
        ...(network === undefined ? {} : { network }),
        ...(gateway === undefined || faulty("network.gateway") ? {} : { gateway }),
        ...(timing === undefined ? {} : { timing }),
    };
}

function readNetwork(draft: ClusterDraft): Network | undefined {
    if (draft.network?.cidr !== undefined) {
        return parseNetwork(draft.network.cidr);
    }
    const manager = parseAddress(draft.manager?.address ?? "");
    return manager === undefined ? undefined : networkAround(manager, 24);
}

function defaultNodeName(path: string): string {
    const position = Number(/\[(\d+)\]$/.exec(path)?.[1]) + 1;
    return `OVMSERVER${String(position).padStart(2, "0")}`;
}

/** OVMSERVER01 is number 0: so a node keeps its number when another one leaves, and the first ones have the thesis's. */
function numberIn(name: string | undefined): number | undefined {
    const number = Number(/\d+$/.exec(name ?? "")?.[0]) - 1;
    return number >= 0 && number <= 254 ? number : undefined;
}

function readTiming(timing: NonNullable<ClusterDraft["pool"]>["timing"]): Timing | undefined {
    if (timing === undefined || typeof timing === "string") {
        return timing === undefined ? undefined : completeTiming(timing, {});
    }
    const { profile, ...numbers } = timing;
    const given = Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== undefined));
    return completeTiming(profile ?? "fast", given);
}

/** The paths that share a value, in order of appearance, for values that appear more than once. */
function repeated(
    places: readonly { path: string; value: string | undefined }[],
    what: string,
    remedy: string,
): Fault[] {
    const first = new Map<string, string>();
    return places.flatMap(({ path, value }) => {
        if (value === undefined) {
            return [];
        }
        const key = value.toLowerCase();
        const owner = first.get(key);
        if (owner === undefined) {
            first.set(key, path);
            return [];
        }
        return [{ path, value, problem: `is the same ${what} as ${owner}`, remedy }];
    });
}

/** Names are one name space, without regard to case, as in DNS. */
export const uniqueNames: Rule = ({ manager, nodes, guests }) =>
    repeated(
        [{ path: "manager.name", value: manager?.name }].concat(
            [...nodes, ...guests].map(({ path, name }) => ({ path: `${path}.name`, value: name })),
        ),
        "name",
        "give it a name of its own; upper and lower case count as the same",
    );

function addresses({ manager, nodes, guests, pool, gateway }: Subject): { path: string; value: string | undefined }[] {
    return [
        { path: "network.gateway", value: gateway },
        { path: "manager.address", value: manager?.address },
        ...nodes.map(({ path, address }) => ({ path: `${path}.address`, value: address })),
        { path: "pool.virtualAddress", value: pool?.virtualAddress },
        ...guests.map(({ path, address }) => ({ path: `${path}.address`, value: address })),
    ];
}

/** Every machine, the pool and the gateway have an address of their own. */
export const uniqueAddresses: Rule = (subject) =>
    repeated(addresses(subject), "address", "give it a free address of the network");

/** Every address is one a host of the network can have. */
export const addressesInNetwork: Rule = (subject) => {
    const { network } = subject;
    if (network === undefined) {
        return [];
    }
    return addresses(subject).flatMap(({ path, value }) => {
        const address = parseAddress(value ?? "");
        if (address === undefined) {
            return [];
        }
        const remedy = `use one of ${hostRange(network)}`;
        if (!contains(network, address)) {
            const problem = `lies outside the network ${network.cidr}`;
            return [
                { path, value, problem, remedy: `${remedy}, or set network.cidr to the network the machines are in` },
            ];
        }
        if (address === network.base || address === network.broadcast) {
            const role = address === network.base ? "network" : "broadcast";
            return [{ path, value, problem: `is the ${role} address of ${network.cidr}`, remedy }];
        }
        return [];
    });
};

const hosting = (nodes: readonly SubjectNode[]): SubjectNode[] =>
    nodes.filter(({ roles }) => roles === undefined || roles.includes("vm"));

/** There is a node at all, and two that host guests where a guest is to survive one of them. */
export const enoughNodes: Rule = ({ nodes, allNodesRead, guests }) => {
    if (!allNodesRead) {
        return [];
    }
    if (nodes.length === 0) {
        return [{ path: "nodes", value: [], problem: "has no node", remedy: "list two or more machines" }];
    }
    const count = hosting(nodes).length;
    return guests.some(({ ha }) => ha) && count < 2
        ? [
              {
                  path: "nodes",
                  value: nodes.map(({ name }) => name),
                  problem: `has ${count} that can host a guest, but a guest with ha needs two: one to run on and one to go to`,
                  remedy: "add a node with the role vm, or set ha: false on the guests",
              },
          ]
        : [];
};

/** Somebody is left to run the guests with `ha`. */
export const notAllInMaintenance: Rule = ({ nodes, allNodesRead, guests }) => {
    const able = hosting(nodes);
    return allNodesRead &&
        able.length > 0 &&
        able.every(({ maintenance }) => maintenance === true) &&
        guests.some(({ ha }) => ha)
        ? [
              {
                  path: "nodes",
                  value: able.map(({ name }) => name),
                  problem: "are all in maintenance, which stops every guest with ha",
                  remedy: "take one node after the other, or set ha: false on guests that need not run",
              },
          ]
        : [];
};

/** Warning: a guest without `ha` does not leave a node in maintenance. */
export const maintenanceMovesAll: Rule = ({ nodes, guests }) =>
    guests.flatMap(({ path, name, ha, preferredNode }) =>
        ha === false && nodes.some((node) => node.maintenance === true && sameName(node.name, preferredNode))
            ? [
                  {
                      path: `${path}.preferredNode`,
                      value: preferredNode,
                      problem: `is in maintenance, but ${name ?? "the guest"} stays there: without ha it runs on one node only`,
                      remedy: "stop it yourself before you work on that node, or set ha: true",
                  },
              ]
            : [],
    );

/** Roles fit the platform, and none stands twice. */
export const rolesFit: Rule = ({ platform, nodes }) => {
    const faults = nodes.flatMap(({ path, roles }): Fault[] => {
        const at = { path: `${path}.roles`, value: roles };
        if (roles === undefined) {
            return [];
        }
        return [
            ...(roles.length === 0 ? [{ ...at, problem: "is empty", remedy: "name a role, or remove the key" }] : []),
            ...(new Set(roles).size < roles.length
                ? [{ ...at, problem: "names a role twice", remedy: "name each role once" }]
                : []),
            ...(platform === "debian-xen" && roles.includes("master")
                ? [{ ...at, problem: "appoints a master, but on debian-xen it is elected", remedy: "remove master" }]
                : []),
        ];
    });
    const masters = nodes.filter(({ roles }) => roles?.includes("master"));
    const second = masters[1];
    return platform === "ovm-2.2" && second !== undefined
        ? [
              ...faults,
              {
                  path: `${second.path}.roles`,
                  value: second.roles,
                  problem: `appoints a second master beside ${masters[0]?.name ?? "the first"}`,
                  remedy: "leave master on one node",
              },
          ]
        : faults;
};

/**
 * MiB that Xen keeps for itself on a node: a cautious estimate (frame table, heap, per-guest overhead), not a
 * measurement.
 */
const XEN_RESERVE = 64;

/** MiB a node has for guests, where its memory is known. */
function freeMemory({ memory, dom0Memory }: SubjectNode): number | undefined {
    return memory === undefined || dom0Memory === undefined ? undefined : memory - dom0Memory - XEN_RESERVE;
}

/** Free memory of all nodes that host guests; `undefined` as soon as one of them is not known. */
function freeMemories(nodes: readonly SubjectNode[]): { name: string | undefined; free: number }[] | undefined {
    const known = hosting(nodes).map((node) => ({ name: node.name, free: freeMemory(node) }));
    return known.every((entry): entry is { name: string; free: number } => entry.free !== undefined)
        ? known
        : undefined;
}

/** dom0 leaves room on its machine. */
export const dom0Fits: Rule = ({ nodes }) =>
    nodes.flatMap((node) => {
        const free = freeMemory(node);
        return free !== undefined && free <= 0
            ? [
                  {
                      path: `${node.path}.dom0Memory`,
                      value: node.dom0Memory,
                      problem: `leaves no memory for guests: the machine has ${node.memory} MiB, Xen keeps ${XEN_RESERVE}`,
                      remedy: "lower it, or correct the node's memory",
                  },
              ]
            : [];
    });

/** Every guest fits on the node it must, or on at least one of those it may run on. */
export const guestsFit: Rule = ({ nodes, guests }) =>
    guests.flatMap(({ path, memory, ha, preferredNode }) => {
        const only = ha === false ? nodes.filter(({ name }) => sameName(name, preferredNode)) : nodes;
        const memories = freeMemories(only);
        if (memory === undefined || memories === undefined || memories.length === 0) {
            return [];
        }
        const most = memories.reduce((best, next) => (next.free > best.free ? next : best));
        return memory > most.free && most.free > 0
            ? [
                  {
                      path: `${path}.memory`,
                      value: memory,
                      problem: `is more than any node it may run on has free: ${most.name} has ${most.free} MiB`,
                      remedy: `use at most ${most.free}, lower the node's dom0Memory, or use a larger node`,
                  },
              ]
            : [];
    });

/** Warning: after the loss of the largest node, the guests with `ha` must share what is left. */
export const survivorsHoldAll: Rule = ({ nodes, guests }) => {
    const memories = freeMemories(nodes)?.map(({ free }) => free);
    const protectedGuests = guests.filter(({ ha }) => ha);
    if (memories === undefined || memories.length < 2) {
        return [];
    }
    const left = memories.reduce((sum, free) => sum + free, 0) - Math.max(...memories);
    const wanted = protectedGuests.reduce((sum, { memory }) => sum + (memory ?? 0), 0);
    return wanted > left
        ? [
              {
                  path: "guests",
                  value: undefined,
                  problem: `with ha need ${wanted} MiB together, but ${left} MiB are left when the largest node is lost`,
                  remedy: "expect that some of them stay down then, or use less memory, or add a node",
              },
          ]
        : [];
};

/** No two guests have one MAC address, given or derived. */
export const uniqueMacs: Rule = ({ guests }) =>
    repeated(
        guests.map(({ path, mac }) => ({ path: `${path}.mac`, value: mac })),
        "MAC address",
        "leave mac out to have one derived from the guest's address, or give another",
    );

const sameName = (left: string | undefined, right: string | undefined): boolean =>
    left !== undefined && left.toLowerCase() === right?.toLowerCase();

/** A workload has what it is set up from, and nothing that it has no use for. */
export const workloadsComplete: Rule = ({ platform, guests, faulty }) =>
    guests.flatMap(({ path, workload }): Fault[] => {
        const at = `${path}.workload`;
        const { kind, ...given } = workloadDraft(workload);
        if (kind === undefined) {
            return [];
        }
        const moodleOnly = (["archive", "sha256"] as const).flatMap((key): Fault[] => {
            const one = { path: `${at}.${key}`, value: given[key] };
            if (kind !== "moodle") {
                const problem = `is for moodle only, but the workload is ${kind}`;
                return given[key] === undefined ? [] : [{ ...one, problem, remedy: "remove it" }];
            }
            return given[key] === undefined && !faulty(one.path)
                ? [
                      {
                          ...one,
                          problem: "is missing: Moodle is in no Debian package",
                          remedy:
                              key === "archive"
                                  ? "give the release archive, as a path on the manager or a URL"
                                  : "give what `sha256sum` says of the archive, or what its publisher does",
                      },
                  ]
                : [];
        });
        const sitesOnly = (["url", "title"] as const).flatMap((key): Fault[] =>
            given[key] === undefined || SITES.includes(kind)
                ? []
                : [
                      {
                          path: `${at}.${key}`,
                          value: given[key],
                          problem: `is for ${SITES.join(" and ")} only, but the workload is ${kind}`,
                          remedy: "remove it",
                      },
                  ],
        );
        const elsewhere: Fault[] =
            platform === "ovm-2.2" && SITES.includes(kind)
                ? [
                      {
                          path: at,
                          value: kind,
                          problem: "can be set up on debian-xen only: Oracle VM 2.2 has no way into a guest",
                          remedy: "write none, and take a medium in which it is installed",
                      },
                  ]
                : [];
        return [...moodleOnly, ...sitesOnly, ...elsewhere];
    });

/** A guest has the memory and the disk that its workload needs. */
export const workloadsFit: Rule = ({ guests }) =>
    guests.flatMap(({ path, workload, ...guest }) => {
        const { kind } = workloadDraft(workload);
        const least = kind === undefined ? undefined : LEAST[kind];
        return (["memory", "disk"] as const).flatMap((key): Fault[] => {
            const value = guest[key];
            const wanted = least?.[key];
            const unit = key === "memory" ? "MiB" : "GiB";
            return value === undefined || wanted === undefined || value >= wanted
                ? []
                : [
                      {
                          path: `${path}.${key}`,
                          value,
                          problem: `is too little for ${kind}, which needs ${wanted} ${unit}`,
                          remedy: `set it to ${wanted} or more`,
                      },
                  ];
        });
    });

/** A preferred node exists and hosts guests; a guest without `ha` has one. */
export const preferredNodesExist: Rule = ({ platform, nodes, allNodesRead, guests }) =>
    guests.flatMap(({ path, ha, preferredNode }) => {
        if (platform === "ovm-2.2") {
            return preferredNode === undefined
                ? []
                : [
                      {
                          path: `${path}.preferredNode`,
                          value: preferredNode,
                          problem: "cannot be told to Oracle VM 2.2, whose Manager chooses the server",
                          remedy: "remove it",
                      },
                  ];
        }
        const names = hosting(nodes).flatMap(({ name }) => (name === undefined ? [] : [name]));
        const at = { path: `${path}.preferredNode`, value: preferredNode };
        if (preferredNode === undefined) {
            return ha === false && names.length > 0
                ? [
                      {
                          ...at,
                          problem: "is missing: a guest without ha runs on one node only",
                          remedy: `name it: ${someOf(names)}`,
                      },
                  ]
                : [];
        }
        if (names.some((name) => sameName(name, preferredNode))) {
            return [];
        }
        if (!allNodesRead || nodes.some(({ name }) => name === undefined)) {
            return [];
        }
        const exists = nodes.some(({ name }) => sameName(name, preferredNode));
        const meant = nearest(preferredNode, names);
        return [
            {
                ...at,
                problem: exists ? "has not the role vm and hosts no guests" : "is no node of this cluster",
                remedy: meant === undefined || exists ? `use one of ${someOf(names)}` : `did you mean ${meant}?`,
            },
        ];
    });

function someOf(names: readonly string[]): string {
    return names.length > 6 ? `${names.slice(0, 6).join(", ")}, …` : names.join(", ");
}

const CONTRADICTIONS = [
    ["secure", "insecure"],
    ["wdelay", "no_wdelay"],
    ["subtree_check", "no_subtree_check"],
] as const;

/** Without these the nodes could not write: exports(5) defaults to `ro` and `root_squash`. */
const NEEDED_OPTIONS = ["rw", "sync", "no_root_squash"];

/** Export options agree with each other and with what guests need. */
export const exportOptionsAgree: Rule = ({ repository }) => {
    const options = repository?.options;
    // An entry that is faulty in itself may well have been meant as the one that seems to be missing.
    if (options === undefined || options.includes(undefined)) {
        return [];
    }
    const at = { path: "repository.options", value: options };
    return [
        ...NEEDED_OPTIONS.filter((option) => !options.includes(option)).map((option) => ({
            ...at,
            problem: `lacks ${option}, without which guests cannot safely use their disks`,
            remedy: `add ${option}`,
        })),
        ...CONTRADICTIONS.filter((pair) => pair.every((option) => options.includes(option))).map((pair) => ({
            ...at,
            problem: `has both ${pair.join(" and ")}`,
            remedy: "keep one of them",
        })),
        ...(new Set(options).size < options.length
            ? [{ ...at, problem: "has an option twice", remedy: "name each option once" }]
            : []),
    ];
};

/** A survivor never starts a guest before the lost node has reset; see {@link safeTimeout}. */
export const timingIsSafe: Rule = ({ timing }) => {
    if (timing === undefined) {
        return [];
    }
    const faults: Fault[] = [];
    const least = safeTimeout(timing);
    if (timing.stonithWatchdogTimeout < least) {
        const { alone, unheard } = resets(timing);
        const parts =
            alone < unheard
                ? `ring guard ${unheardReset(timing)} - token ${timing.token} - consensus ${timing.consensus}`
                : `watchdog ${timing.watchdog} + ageing ${ageing(timing)} + election ${timing.election}`;
        faults.push({
            path: "pool.timing.stonithWatchdogTimeout",
            value: timing.stonithWatchdogTimeout,
            problem:
                "lets a survivor start a guest before the lost node has reset: it must cover " +
                `${parts} + margin ${timing.margin} = ${least} s`,
            remedy: `set it to ${least} or more, leave it out, or lower the others`,
        });
    }
    if (timing.consensus < Number((timing.token * 1.2).toFixed(6))) {
        faults.push({
            path: "pool.timing.consensus",
            value: timing.consensus,
            problem: `is too short for a token of ${timing.token} s: with three or more members it must be 1.2 × token`,
            remedy: `set it to ${Number((timing.token * 1.2).toFixed(3))} or more, or leave it out and give only token`,
        });
    }
    return faults;
};

/** OCFS2 tells nodes apart by their numbers. */
export const nodeNumbers: Rule = ({ platform, nodes }) => {
    if (platform !== "ovm-2.2") {
        return [];
    }
    const missing = nodes.flatMap(({ path, name, number }) =>
        name === undefined || number !== undefined
            ? []
            : [
                  {
                      path: `${path}.number`,
                      value: undefined,
                      problem: `is missing, and ${name} does not end in a number it could come from`,
                      remedy: "give it one of its own, from 0 to 254, and never change it",
                  },
              ],
    );
    const given = nodes.map(({ path, number }) => ({ path: `${path}.number`, value: number?.toString() }));
    return [...missing, ...repeated(given, "number", "give it a number of its own, from 0 to 254")];
};

/** What Oracle VM 2.2 has no known way to do, or does by itself. */
export const oracleVmCan: Rule = ({ platform, nodes, repository, timing, guests, oracleVm, ssh }) => {
    if (platform !== "ovm-2.2") {
        return [];
    }
    const faults: Fault[] = [];
    if (repository?.uuid !== undefined) {
        const remedy = "remove the key";
        faults.push({ path: "repository.uuid", value: repository.uuid, problem: "is given by repos.py", remedy });
    }
    if (timing?.byHand === true) {
        faults.push({
            path: "pool.timing",
            value: undefined,
            problem: "has numbers of Corosync and sbd, which Oracle VM 2.2 does not have",
            remedy: "write fast (O2CB's defaults, 60 s) or relaxed (120 s)",
        });
    }
    if (ssh?.user !== undefined && ssh.user !== "root") {
        faults.push({
            path: "ssh.user",
            value: ssh.user,
            problem: "is not root, but sudo of that time asks for a terminal",
            remedy: "log in as root",
        });
    }
    for (const { path, roles, maintenance } of nodes) {
        if (maintenance === true) {
            faults.push({
                path: `${path}.maintenance`,
                value: true,
                problem: "has no command of Oracle VM 2.2 known to this program",
                remedy: "remove it, and use the maintenance mode of Oracle VM Manager",
            });
        }
        if (roles !== undefined && !roles.includes("vm")) {
            faults.push({
                path: `${path}.roles`,
                value: roles,
                problem: "lacks vm, but every node is added to the pool as a virtual machine server",
                remedy: "add vm, or remove the key",
            });
        }
    }
    for (const { path, medium, httpCheck } of guests) {
        if (medium?.toLowerCase().endsWith(".iso") && httpCheck?.enabled === true) {
            faults.push({
                path: `${path}.httpCheck.enabled`,
                value: true,
                problem: "asks a guest that starts from an installation medium, where nothing answers yet",
                remedy: "set it to false until its system is installed",
            });
        }
    }
    const names = (oracleVm?.commands ?? []).map((entry, index) => ({
        path: `oracleVm.commands[${index}].name`,
        value: entry?.name,
    }));
    return [...faults, ...repeated(names, "command", "name each command once")];
};

/** A guest is made from what its platform can make one from. */
export const mediaFit: Rule = ({ platform, guests }) =>
    guests.flatMap(({ path, medium }) =>
        platform === "debian-xen" && medium?.toLowerCase().endsWith(".iso")
            ? [
                  {
                      path: `${path}.medium`,
                      value: medium,
                      problem: "is an installation medium, from which guests are made on ovm-2.2 only",
                      remedy: "give an image, or a folder with System.img (docs/hardware.md, A medium)",
                  },
              ]
            : [],
    );

/** A secret that is referred to is there. */
export const secretsPresent: Rule = ({ ssh, platform, secrets }) => [
    ...sshKeyPresent(ssh, secrets),
    ...(platform === "ovm-2.2" ? (["managerPassword", "agentPassword"] as const) : [])
        .filter((key) => !secrets.has(key))
        .map((key) => ({
            path: key,
            value: undefined,
            problem: "is missing, but platform: ovm-2.2 needs it",
            remedy: `run \`pulumi config set --secret ${key}\``,
        })),
];

const sshKeyPresent = (ssh: Subject["ssh"], secrets: Subject["secrets"]): Fault[] =>
    ssh?.key === "secret" && !secrets.has("sshKey")
        ? [
              {
                  path: "sshKey",
                  value: undefined,
                  problem: "is missing, but ssh.key says that the private key is a secret of this stack",
                  remedy: "run `pulumi config set --secret sshKey < FILE`, or set ssh.key to agent or to the file",
              },
          ]
        : [];

/** Everything that must hold. */
export const rules: readonly Rule[] = [
    addressesInNetwork,
    uniqueAddresses,
    uniqueNames,
    enoughNodes,
    notAllInMaintenance,
    rolesFit,
    dom0Fits,
    guestsFit,
    workloadsComplete,
    workloadsFit,
    preferredNodesExist,
    uniqueMacs,
    exportOptionsAgree,
    timingIsSafe,
    nodeNumbers,
    oracleVmCan,
    mediaFit,
    secretsPresent,
];

/** What should hold. */
export const cautions: readonly Rule[] = [survivorsHoldAll, maintenanceMovesAll];
