import { parseCluster } from "../../config/parse";
import { around, faultsOf, problemsOf, sample } from "./sample";

/** A change to the sample, and the faults it must cause: exactly these, and no others beside them. */
type Case = [name: string, changes: Record<string, unknown>, problems: string[]];

const guest = { name: "web", address: "192.168.1.110", medium: "/srv/media/web.img" };
const node1 = { name: "one", address: "192.168.1.101", memory: 4096 };
const node2 = { name: "two", address: "192.168.1.102", memory: 4096 };
const pool = { virtualAddress: "192.168.1.120" };
const sha256 = "0123456789abcdef".repeat(4);
const moodle = { kind: "moodle", archive: "/srv/media/moodle.tgz", sha256 };
/** A guest with a workload, large enough for any. */
const serving = (workload: unknown, more: object = {}) => ({
    guests: [{ ...guest, memory: 1000, disk: 10, workload, ...more }],
});

const cases: Record<string, Case[]> = {
    names: [
        [
            "of nodes, whatever the case",
            { nodes: [node1, { ...node2, name: "ONE" }] },
            ["nodes[1].name: is the same name as nodes[0].name"],
        ],
        [
            "of a guest and the manager",
            { guests: [{ ...guest, name: "ovmanager" }] },
            ["guests[0].name: is the same name as manager.name"],
        ],
        ["with an underscore", { guests: [{ ...guest, name: "my_web" }] }, ["guests[0].name: is no legal host name"]],
        ["of digits only", { guests: [{ ...guest, name: "123" }] }, ["guests[0].name: is no legal host name"]],
        ["too long", { guests: [{ ...guest, name: "w".repeat(64) }] }, ["guests[0].name: is no legal host name"]],
        ["ending in -", { nodes: [{ ...node1, name: "one-" }, node2] }, ["nodes[0].name: is no legal host name"]],
        ["of a pool with a space", { pool: { ...pool, name: "MY POOL" } }, ["pool.name: is no name for a pool"]],
    ],
    maintenance: [
        [
            "of all nodes that could run a guest with ha",
            { nodes: [node1, node2].map((node) => ({ ...node, maintenance: true })), guests: [guest] },
            ["nodes: are all in maintenance, which stops every guest with ha"],
        ],
        ["of one of two", { nodes: [{ ...node1, maintenance: true }, node2], guests: [guest] }, []],
        [
            "of all, without a guest",
            { nodes: [node1, node2].map((node) => ({ ...node, maintenance: true })), guests: [] },
            [],
        ],
        [
            "on Oracle VM 2.2",
            {
                platform: "ovm-2.2",
                nodes: [
                    { ...node1, name: "one1", maintenance: true },
                    { ...node2, name: "two2" },
                ],
            },
            [
                "nodes[0].maintenance: has no command of Oracle VM 2.2 known to this program",
                "managerPassword: is missing, but platform: ovm-2.2 needs it",
                "agentPassword: is missing, but platform: ovm-2.2 needs it",
            ],
        ],
    ],
    addresses: [
        [
            "of two nodes",
            { nodes: [node1, { ...node2, address: "192.168.1.101" }] },
            ["nodes[1].address: is the same address as nodes[0].address"],
        ],
        [
            "of a guest and the pool",
            { guests: [{ ...guest, address: "192.168.1.120" }] },
            ["guests[0].address: is the same address as pool.virtualAddress"],
        ],
        [
            "of the manager and the gateway",
            { manager: { address: "192.168.1.1" } },
            ["manager.address: is the same address as network.gateway"],
        ],
        [
            "outside",
            { nodes: [node1, { ...node2, address: "192.168.2.102" }] },
            ["nodes[1].address: lies outside the network 192.168.1.0/24"],
        ],
        [
            "that is the network's",
            { pool: { virtualAddress: "192.168.1.0" } },
            ["pool.virtualAddress: is the network address of 192.168.1.0/24"],
        ],
        [
            "that is the broadcast's",
            { pool: { virtualAddress: "192.168.1.255" } },
            ["pool.virtualAddress: is the broadcast address of 192.168.1.0/24"],
        ],
        ["with 256", { manager: { address: "192.168.1.256" } }, ["manager.address: is no IPv4 address"]],
        ["with a leading zero", { manager: { address: "192.168.1.010" } }, ["manager.address: is no IPv4 address"]],
        ["of IPv6", { manager: { address: "fe80::1" } }, ["manager.address: is no IPv4 address"]],
        ["of a network with host bits", { network: { cidr: "192.168.1.1/24" } }, ["network.cidr: is no IPv4 network"]],
        ["of a network too small", { network: { cidr: "192.168.1.0/31" } }, ["network.cidr: is no IPv4 network"]],
        ["of a faulty name server", { network: { dns: ["x"] } }, ["network.dns[0]: is no IPv4 address"]],
    ],
    nodes: [
        ["none", { nodes: [] }, ["nodes: has no node"]],
        ["absent", { nodes: undefined }, ["nodes: is missing"]],
        ["no list", { nodes: "OVMSERVER01" }, ["nodes: is text, but must be a list"]],
        [
            "one, with a guest to protect",
            { nodes: [node1] },
            ["nodes: has 1 that can host a guest, but a guest with ha needs two: one to run on and one to go to"],
        ],
        [
            "two, of which one hosts",
            { nodes: [node1, { ...node2, roles: ["utility"] }] },
            ["nodes: has 1 that can host a guest, but a guest with ha needs two: one to run on and one to go to"],
        ],
        ["one, with nothing to protect", { nodes: [node1], guests: [] }, []],
        [
            "appointed where it is elected",
            { nodes: [{ ...node1, roles: ["vm", "master"] }, node2] },
            ["nodes[0].roles: appoints a master, but on debian-xen it is elected"],
        ],
        [
            "two masters",
            { platform: "ovm-2.2", nodes: [node1, node2].map((node) => ({ ...node, roles: ["vm", "master"] })) },
            [
                "nodes[1].roles: appoints a second master beside one",
                "nodes[0].number: is missing, and one does not end in a number it could come from",
                "nodes[1].number: is missing, and two does not end in a number it could come from",
                "managerPassword: is missing, but platform: ovm-2.2 needs it",
                "agentPassword: is missing, but platform: ovm-2.2 needs it",
            ],
        ],
        ["a role twice", { nodes: [{ ...node1, roles: ["vm", "vm"] }, node2] }, ["nodes[0].roles: names a role twice"]],
        ["without a role", { nodes: [{ ...node1, roles: [] }, node2], guests: [] }, ["nodes[0].roles: is empty"]],
        [
            "unknown role",
            { nodes: [{ ...node1, roles: ["utilty", "vm"] }, node2] },
            ["nodes[0].roles[0]: is none of vm, utility, master"],
        ],
    ],
    guests: [
        [
            "larger than any node",
            { guests: [{ ...guest, memory: 4000 }] },
            ["guests[0].memory: is more than any node it may run on has free: OVMSERVER01 has 3008 MiB"],
        ],
        [
            "larger than its only node",
            {
                nodes: [node1, { ...node2, memory: 8192 }],
                guests: [{ ...guest, memory: 4000, ha: false, preferredNode: "ONE" }],
            },
            ["guests[0].memory: is more than any node it may run on has free: one has 3008 MiB"],
        ],
        [
            "below the minimum",
            { guests: [{ ...guest, memory: 63 }] },
            ["guests[0].memory: is below the minimum of 64 MiB"],
        ],
        [
            "with a fraction of memory",
            { guests: [{ ...guest, memory: 100.5 }] },
            ["guests[0].memory: is a number with a fraction, but must be a whole number"],
        ],
        ["without a processor", { guests: [{ ...guest, vcpus: 0 }] }, ["guests[0].vcpus: is below the minimum of 1"]],
        ["without a disk", { guests: [{ ...guest, disk: 0 }] }, ["guests[0].disk: is below the minimum of 1 GiB"]],
        [
            "with one MAC address",
            {
                guests: [
                    { ...guest, mac: "00:16:3E:00:00:01" },
                    { ...guest, name: "wiki", address: "192.168.1.111", mac: "00:16:3e:00:00:01" },
                ],
            },
            ["guests[1].mac: is the same MAC address as guests[0].mac"],
        ],
        ["with half a MAC address", { guests: [{ ...guest, mac: "00:16:3e" }] }, ["guests[0].mac: is no MAC address"]],
        [
            "with a group address",
            { guests: [{ ...guest, mac: "01:16:3e:00:00:01" }] },
            ["guests[0].mac: is a group address"],
        ],
        [
            "with an unknown node",
            { guests: [{ ...guest, preferredNode: "tow" }] },
            ["guests[0].preferredNode: is no node of this cluster"],
        ],
        [
            "with a node that hosts none",
            {
                nodes: [node1, node2, { name: "three", address: "192.168.1.103", memory: 4096, roles: ["utility"] }],
                guests: [{ ...guest, preferredNode: "three" }],
            },
            ["guests[0].preferredNode: has not the role vm and hosts no guests"],
        ],
        [
            "without ha and without a node",
            { guests: [{ ...guest, ha: false }] },
            ["guests[0].preferredNode: is missing: a guest without ha runs on one node only"],
        ],
        ["without a medium", { guests: [{ name: "web", address: guest.address }] }, ["guests[0].medium: is missing"]],
        [
            "with a relative medium",
            { guests: [{ ...guest, medium: "web.img" }] },
            ["guests[0].medium: is not an absolute path"],
        ],
        [
            "with ha in quotes",
            { guests: [{ ...guest, ha: "yes" }] },
            ["guests[0].ha: is text, but must be true or false"],
        ],
        [
            "with a URL to check",
            { guests: [{ ...guest, httpCheck: { path: "http://x" } }] },
            ["guests[0].httpCheck.path: is no path of a URL"],
        ],
        [
            "on a node full of dom0",
            { nodes: [node1, { ...node2, memory: 1024 }] },
            ["nodes[1].dom0Memory: leaves no memory for guests: the machine has 1024 MiB, Xen keeps 64"],
        ],
    ],
    workloads: [
        ["none of them", serving("none"), []],
        ["apache", serving("apache"), []],
        ["mediawiki", serving("mediawiki"), []],
        ["moodle", serving(moodle), []],
        ["moodle from a URL", serving({ ...moodle, archive: "https://example.org/a%20b/moodle-4.5.tar.gz" }), []],
        ["unknown", serving("wiki"), ["guests[0].workload: is none of apache, mediawiki, moodle, none"]],
        [
            "unknown in a group",
            serving({ kind: "Moodle" }),
            ["guests[0].workload.kind: is none of apache, mediawiki, moodle, none"],
        ],
        ["a group without a kind", serving({}), ["guests[0].workload.kind: is missing"]],
        [
            "moodle by its name alone",
            serving("moodle"),
            [
                "guests[0].workload.archive: is missing: Moodle is in no Debian package",
                "guests[0].workload.sha256: is missing: Moodle is in no Debian package",
            ],
        ],
        [
            "moodle with nothing right: no fault stands twice",
            serving({ kind: "moodle", archive: "moodle.tgz", sha256: "abc", url: "moodle.example.org", title: "a'b" }),
            [
                "guests[0].workload.archive: is not an absolute path",
                "guests[0].workload.sha256: is no SHA-256: that has 64 hex digits",
                "guests[0].workload.url: is not the root of a web site",
                "guests[0].workload.title: is no title that can be carried",
            ],
        ],
        [
            "moodle as a zip",
            serving({ ...moodle, archive: "/srv/moodle.zip" }),
            ["guests[0].workload.archive: ends neither in .tgz nor in .tar.gz"],
        ],
        [
            "moodle from a URL with a password",
            serving({ ...moodle, archive: "https://me:pass@example.org/moodle.tgz" }),
            ["guests[0].workload.archive: has a login in it, which would stand in the stack's files in clear"],
        ],
        [
            "moodle from a server of files",
            serving({ ...moodle, archive: "ftp://example.org/moodle.tgz" }),
            ["guests[0].workload.archive: is no plain URL"],
        ],
        [
            "a site on no port",
            serving({ kind: "mediawiki", url: "http://wiki.example.org:70000" }),
            ["guests[0].workload.url: is not the root of a web site"],
        ],
        [
            "a site in a folder",
            serving({ kind: "mediawiki", url: "http://example.org/wiki" }),
            ["guests[0].workload.url: is not the root of a web site"],
        ],
        [
            "an archive that nobody would look at",
            serving({ kind: "mediawiki", archive: "/srv/a.tgz", sha256 }),
            [
                "guests[0].workload.archive: is for moodle only, but the workload is mediawiki",
                "guests[0].workload.sha256: is for moodle only, but the workload is mediawiki",
            ],
        ],
        [
            "a title for what has none",
            serving({ kind: "apache", title: "Home", url: "http://example.org" }),
            [
                "guests[0].workload.url: is for mediawiki and moodle only, but the workload is apache",
                "guests[0].workload.title: is for mediawiki and moodle only, but the workload is apache",
            ],
        ],
        [
            "too small a guest, in both ways",
            serving(moodle, { memory: 767, disk: 3 }),
            [
                "guests[0].memory: is too little for moodle, which needs 768 MiB",
                "guests[0].disk: is too little for moodle, which needs 4 GiB",
            ],
        ],
        ["just large enough a guest", serving("mediawiki", { memory: 384, disk: 2 }), []],
        ["a small guest that has to do nothing", serving("apache", { memory: 64, disk: 1 }), []],
        [
            "moodle where nobody can get into the guest",
            {
                ...serving(moodle),
                platform: "ovm-2.2",
                nodes: [node1, node2].map((node, number) => ({ ...node, number })),
            },
            [
                "guests[0].workload: can be set up on debian-xen only: Oracle VM 2.2 has no way into a guest",
                "managerPassword: is missing, but platform: ovm-2.2 needs it",
                "agentPassword: is missing, but platform: ovm-2.2 needs it",
            ],
        ],
    ],
    repository: [
        ["relative", { repository: { path: "sharedvol" } }, ["repository.path: is not an absolute path"]],
        ["all of the disk", { repository: { path: "/" } }, ["repository.path: holds other things as well"]],
        ["with a slash too many", { repository: { path: "/srv//" } }, ["repository.path: holds other things as well"]],
        ["in /etc", { repository: { path: "/etc/pool" } }, ["repository.path: belongs to the system"]],
        ["around a corner", { repository: { path: "/srv/../etc" } }, ["repository.path: has . or .. in it"]],
        [
            "with a space",
            { repository: { path: "/srv/my pool" } },
            ["repository.path: has characters that NFS exports and mount tables cannot carry plainly"],
        ],
        ["with a short UUID", { repository: { uuid: "ABC" } }, ["repository.uuid: is not 32 hex digits"]],
        [
            "written back later",
            { repository: { options: ["rw", "async", "sync", "no_root_squash"] } },
            [
                "repository.options[1]: is not allowed: " +
                    "writes would be acknowledged before they are on the disk, and lost with the manager",
            ],
        ],
        [
            "with a misspelled option",
            { repository: { options: ["rw", "sync", "no_root_sqash"] } },
            ["repository.options[2]: is no export option this program allows"],
        ],
        [
            "without what guests need",
            { repository: { options: ["rw", "sync"] } },
            ["repository.options: lacks no_root_squash, without which guests cannot safely use their disks"],
        ],
        [
            "against itself, and twice",
            { repository: { options: ["rw", "rw", "sync", "no_root_squash", "secure", "insecure"] } },
            ["repository.options: has both secure and insecure", "repository.options: has an option twice"],
        ],
    ],
    timing: [
        [
            "that starts too early",
            { pool: { ...pool, timing: { stonithWatchdogTimeout: 7 } } },
            [
                "pool.timing.stonithWatchdogTimeout: lets a survivor start a guest before the lost node has reset: " +
                    "it must cover watchdog 3 + ageing 2 + election 1 + margin 2 = 8 s",
            ],
        ],
        [
            "by the folk rule 2 × W",
            { pool: { ...pool, timing: { profile: "relaxed", stonithWatchdogTimeout: 20 } } },
            [
                "pool.timing.stonithWatchdogTimeout: lets a survivor start a guest before the lost node has reset: " +
                    "it must cover ring guard 48.4 - token 5 - consensus 6 + margin 6 = 44 s",
            ],
        ],
        [
            "that is too short for a long token",
            { pool: { ...pool, timing: { token: 20, stonithWatchdogTimeout: 25 } } },
            [
                "pool.timing.stonithWatchdogTimeout: lets a survivor start a guest before the lost node has reset: " +
                    "it must cover ring guard 193.6 - token 20 - consensus 24 + margin 2 = 152 s",
            ],
        ],
        [
            "with a short consensus",
            { pool: { ...pool, timing: { token: 2, consensus: 2.3 } } },
            [
                "pool.timing.consensus: is too short for a token of 2 s: " +
                    "with three or more members it must be 1.2 × token",
            ],
        ],
        [
            "with half a second of watchdog",
            { pool: { ...pool, timing: { watchdog: 2.5 } } },
            ["pool.timing.watchdog: is a number with a fraction, but must be a whole number"],
        ],
        [
            "without margin",
            { pool: { ...pool, timing: { margin: 0 } } },
            ["pool.timing.margin: is below the minimum of 1 seconds"],
        ],
        ["of no profile", { pool: { ...pool, timing: "fats" } }, ["pool.timing: is none of fast, relaxed"]],
        [
            "without a device",
            { pool: { ...pool, watchdog: { device: "/dev" } } },
            ["pool.watchdog.device: is no device"],
        ],
    ],
    ssh: [
        [
            "secret that is not set",
            { ssh: { key: "secret" } },
            ["sshKey: is missing, but ssh.key says that the private key is a secret of this stack"],
        ],
        ["neither", { ssh: { key: "agnet" } }, ["ssh.key: is neither agent nor secret nor a path"]],
        ["of nobody", { ssh: { user: "Ann B" } }, ["ssh.user: is no login name"]],
        ["behind a bastion without a name", { ssh: { bastion: { port: 22 } } }, ["ssh.bastion.host: is missing"]],
        ["on port 0", { ssh: { port: 0 } }, ["ssh.port: is below the minimum of 1"]],
        [
            "that leads to one machine",
            {
                manager: { address: "192.168.1.100", ssh: { host: "gate", port: 2201 } },
                nodes: [{ ...node1, ssh: { host: "gate", port: 2201 } }, node2],
            },
            ["nodes[0].ssh: leads to the same machine as manager"],
        ],
    ],
    keys: [
        ["unknown", { repositry: {} }, ["repositry: is no key this program knows"]],
        [
            "unknown, nested",
            { guests: [{ ...guest, memroy: 1000 }] },
            ["guests[0].memroy: is no key this program knows"],
        ],
        [
            "of JavaScript",
            { pool: { ...pool, ["constructor"]: 1 } },
            ["pool.constructor: is no key this program knows"],
        ],
        ["of the wrong type", { manager: [] }, ["manager: is a list, but must be a group of keys"]],
        ["of a wrong platform", { platform: "debian" }, ["platform: is none of debian-xen, ovm-2.2"]],
    ],
};

describe.each(Object.entries(cases))("a fault of %s", (_, table) => {
    test.each(table)("%s", (_name, changes, problems) => {
        expect(problemsOf({ ...sample(), ...changes })).toEqual(problems);
    });
});

describe("remedies", () => {
    test.each<[Record<string, unknown>, string]>([
        [{ repositry: {} }, "did you mean repository? Otherwise remove it"],
        [{ sshkey: "x" }, "did you mean sshKey? Otherwise remove it"],
        [{ guests: [{ ...guest, memroy: 1 }] }, "did you mean guests[0].memory? Otherwise remove it"],
        [{ guests: [{ ...guest, preferredNode: "ovmserver1" }] }, "did you mean OVMSERVER01?"],
        [{ repository: { options: ["rw", "sync", "no_root_sqash"] } }, "did you mean no_root_squash?"],
        [{ pool: { ...pool, timing: "fats" } }, "did you mean fast?"],
        [{ ssh: { key: "agnet" } }, "did you mean agent?"],
        [
            { pool: { virtualAddress: "10.0.0.1" } },
            "use one of 192.168.1.1 to 192.168.1.254, or set network.cidr to the network the machines are in",
        ],
    ])("%j", (changes, remedy) => {
        expect(faultsOf({ ...sample(), ...changes }).map((fault) => fault.remedy)).toEqual([remedy]);
    });
});

test("a guest that a node in maintenance keeps is a warning, not a fault", () => {
    const nodes = [{ ...node1, maintenance: true }, node2];
    const parsed = parseCluster(
        { ...sample(), nodes, guests: [{ ...guest, ha: false, preferredNode: "one" }] },
        around(),
    );
    expect("warnings" in parsed && parsed.warnings.map(({ path }) => path)).toEqual(["guests[0].preferredNode"]);
});

test("guests that do not all fit on what is left are a warning, not a fault", () => {
    const guests = [1, 2].map((n) => ({ ...guest, name: `web${n}`, address: `192.168.1.11${n}`, memory: 2000 }));
    const parsed = parseCluster({ ...sample(), guests }, around());
    expect("warnings" in parsed && parsed.warnings).toEqual([
        {
            path: "guests",
            value: undefined,
            problem: "with ha need 4000 MiB together, but 3008 MiB are left when the largest node is lost",
            remedy: "expect that some of them stay down then, or use less memory, or add a node",
        },
    ]);
});
