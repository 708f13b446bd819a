import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { around, problemsOf, sample, specOf } from "./sample";

const secrets = new Set(["managerPassword", "agentPassword"] as const);
const surroundings = around({ secrets, knownHosts: "* ssh-rsa AAAAB3Nz\n" });
const guest = { name: "web", address: "192.168.1.110", medium: "/srv/media/web.img" };
const nodes = [
    { name: "OVMSERVER01", address: "192.168.1.101" },
    { name: "OVMSERVER02", address: "192.168.1.102" },
];

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

    it("that stands ready is the thesis's cluster", () => {
        const file = parse(readFileSync(join(__dirname, "../../Pulumi.thesis.yaml.example"), "utf8")) as {
            config: Record<string, unknown>;
        };
        const raw = Object.fromEntries(
            Object.entries(file.config).map(([key, value]) => [key.replace("ovm-ha-cluster:", ""), value]),
        );
        expect(specOf(raw, surroundings)).toMatchObject({
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
