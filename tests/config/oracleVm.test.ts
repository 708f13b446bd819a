import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { debianXen } from "../../platforms/debian-xen";
import { oracleVm22 } from "../../platforms/ovm-2.2";
import { around, problemsOf, sample, specOf } from "./sample";

const secrets = new Set(["managerPassword", "agentPassword"] as const);
const surroundings = around({ secrets, knownHosts: "* ssh-rsa AAAAB3Nz\n" });
const guest = { name: "web", address: "192.168.1.110", medium: "/srv/media/web.img" };
const nodes = [
    { name: "OVMSERVER01", address: "192.168.1.101" },
    { name: "OVMSERVER02", address: "192.168.1.102" },
];

/** A file that stands ready, without the project's name before its keys. */
function rawOf(file: string): Record<string, unknown> {
    const { config } = parse(readFileSync(join(__dirname, "../..", file), "utf8")) as {
        config: Record<string, unknown>;
    };
    return Object.fromEntries(
        Object.entries(config).map(([key, value]) => [key.replace("ovm-ha-cluster:", ""), value]),
    );
}

function ovm(changes: Record<string, unknown> = {}): Record<string, unknown> {
    return { ...sample(), platform: "ovm-2.2", ...changes };
}

describe("a configuration for Oracle VM 2.2", () => {
    it("is the one for debian-xen but for the platform and two passwords", () => {
        expect(problemsOf(sample())).toEqual([]);
        expect(problemsOf(ovm(), surroundings)).toEqual([]);
        expect(problemsOf(ovm())).toEqual([
            "managerPassword: is missing, but platform: ovm-2.2 needs it",
            "agentPassword: is missing, but platform: ovm-2.2 needs it",
        ]);
    });

    it("gives nodes the numbers of their names, which stay when another one leaves", () => {
        expect(specOf(ovm(), surroundings).nodes.map(({ number }) => number)).toEqual([0, 1]);
        const left = specOf(ovm({ nodes: nodes.slice(1), guests: [] }), surroundings);
        expect(left.nodes.map(({ number }) => number)).toEqual([1]);
        const given = nodes.map((node, index) => ({ ...node, number: 7 + index }));
        expect(specOf(ovm({ nodes: given }), surroundings).nodes.map(({ number }) => number)).toEqual([7, 8]);
    });

    it.each<[string, Record<string, unknown>, string]>([
        [
            "a node's number twice",
            { nodes: nodes.map((one) => ({ ...one, number: 3 })) },
            "nodes[1].number: is the same number as nodes[0].number",
        ],
        [
            "an identity of the repository",
            { repository: { uuid: "0".repeat(32) } },
            "repository.uuid: is given by repos.py",
        ],
        [
            "Corosync's numbers",
            { pool: { virtualAddress: "192.168.1.120", timing: { token: 2 } } },
            "pool.timing: has numbers of Corosync and sbd, which Oracle VM 2.2 does not have",
        ],
        [
            "another login than root",
            { ssh: { user: "admin" } },
            "ssh.user: is not root, but sudo of that time asks for a terminal",
        ],
        [
            "a preferred node",
            { guests: [{ ...guest, preferredNode: "OVMSERVER01" }] },
            "guests[0].preferredNode: cannot be told to Oracle VM 2.2, whose Manager chooses the server",
        ],
        [
            "a check of what is not installed",
            { guests: [{ ...guest, medium: "/srv/cd.ISO" }] },
            "guests[0].httpCheck.enabled: asks a guest that starts from an installation medium, where nothing answers yet",
        ],
        [
            "a command that a shell would take apart",
            { oracleVm: { commands: [{ name: "poolCreate", words: "svrp new; reboot $(x)" }] } },
            "oracleVm.commands[0].words: has characters that a command's words cannot have",
        ],
        [
            "a command twice",
            { oracleVm: { commands: [1, 2].map(() => ({ name: "poolCreate", words: "svrp new" })) } },
            "oracleVm.commands[1].name: is the same command as oracleVm.commands[0].name",
        ],
        [
            "a command nobody asks for",
            { oracleVm: { commands: [{ name: "poolcreate", words: "svrp new" }] } },
            "oracleVm.commands[0].name: is none of",
        ],
        [
            "an address of services that is none",
            { oracleVm: { services: "http://admin:word@127.0.0.1/" } },
            "oracleVm.services: is no address of a service",
        ],
        [
            "a service that is none",
            { oracleVm: { startAtBoot: ["nfs; x"] } },
            "oracleVm.startAtBoot[0]: is no name of a service",
        ],
    ])("refuses %s", (_, changes, problem) => {
        expect(problemsOf(ovm(changes), surroundings)).toEqual([expect.stringContaining(problem)]);
    });

    it("lets a guest without HA go where the Manager sends it", () => {
        expect(problemsOf(ovm({ guests: [{ ...guest, ha: false }] }), surroundings)).toEqual([]);
    });

    it.each<[string, string, readonly string[]]>([
        [
            "Pulumi.site.yaml.example",
            "ovm-2.2",
            [
                "managerPassword: is missing, but platform: ovm-2.2 needs it",
                "agentPassword: is missing, but platform: ovm-2.2 needs it",
            ],
        ],
        [
            "Pulumi.thesis.yaml.example",
            "debian-xen",
            [
                "nodes[0].roles: appoints a master, but on debian-xen it is elected",
                "guests[0].medium: is an installation medium, from which guests are made on ovm-2.2 only",
            ],
        ],
    ])("%s, swapped to %s, has nothing against it but the keys that must differ", (file, platform, problems) => {
        const raw = rawOf(file);
        const bothKeys = { knownHosts: "* ssh-ed25519 AAAAC3Nz\n* ssh-rsa AAAAB3Nz\n" };
        const own = platform === "ovm-2.2" ? {} : { secrets };
        expect(problemsOf(raw, around({ ...bothKeys, ...own }))).toEqual([]);
        expect(problemsOf({ ...raw, platform }, around(bothKeys))).toEqual(problems);
    });

    it("becomes steps on either platform, with nothing but `platform:` swapped and those keys right", () => {
        const bothKeys = around({ secrets, knownHosts: "* ssh-ed25519 AAAAC3Nz\n* ssh-rsa AAAAB3Nz\n" });
        const stepsOf = (platform: string) => {
            const spec = specOf({ ...rawOf("Pulumi.site.yaml.example"), platform }, bothKeys);
            const planner = platform === "ovm-2.2" ? oracleVm22 : debianXen;
            return [
                planner.repository(spec),
                ...spec.nodes.map((node) => planner.node(spec, node)),
                planner.pool(spec),
                ...spec.guests.map((guest) => planner.guest(spec, guest)),
            ].map((plan) => plan.map(({ host }) => host));
        };
        for (const plans of [stepsOf("ovm-2.2"), stepsOf("debian-xen")]) {
            expect(plans).toHaveLength(5);
            expect(plans.every((plan) => plan.length > 0)).toBe(true);
            expect([...new Set(plans.flat())].sort()).toEqual(["OVMANAGER", "OVMSERVER01", "OVMSERVER02"]);
        }
    });

    it("that stands ready is the thesis's cluster", () => {
        expect(specOf(rawOf("Pulumi.thesis.yaml.example"), surroundings)).toMatchObject({
            platform: "ovm-2.2",
            manager: { name: "OVMANAGER", address: "192.168.1.100", ssh: { hostKey: "ssh-rsa AAAAB3Nz" } },
            nodes: [
                { name: "OVMSERVER01", address: "192.168.1.101", number: 0 },
                { name: "OVMSERVER02", address: "192.168.1.102", number: 1 },
            ],
            repository: { path: "/sharedvol", options: ["rw", "insecure", "sync", "no_root_squash"] },
            pool: { name: "HAPPOOL" },
            guests: [{ name: "WebServerHA", memory: 1000, ha: true }],
            oracleVm: { exportMode: "777", upgrade: true, startAtBoot: ["nfs", "httpd"] },
        });
    });
});
