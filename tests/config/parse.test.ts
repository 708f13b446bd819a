import fc from "fast-check";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse as parseYaml } from "yaml";
import { formatAddress } from "../../config/addresses";
import { isGroup } from "../../config/fields";
import { ConfigError } from "../../config/faults";
import { clusterOrThrow, neededFiles, parseCluster, readPulumiConfig } from "../../config/parse";
import { around, faultsOf, sample, specOf } from "./sample";

const root = join(__dirname, "../..");

/** A stack file's configuration, the way the CLI hands it to the program. */
function stackConfig(file: string): Record<string, string> {
    const content: unknown = parseYaml(readFileSync(join(root, file), "utf8"));
    const config = isGroup(content) && isGroup(content["config"]) ? content["config"] : {};
    return Object.fromEntries(
        Object.entries(config).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
    );
}

const labHosts = JSON.stringify({
    version: 1,
    machines: ["OVMANAGER", "OVMSERVER01", "OVMSERVER02"].map((name, n) => ({ name, sshPort: 2200 + n })),
});

describe("the tracked stacks", () => {
    test("the lab's has no faults, and its endpoints come from the lab's file", () => {
        const { raw, secrets } = readPulumiConfig(stackConfig("Pulumi.lab.yaml"), "ovm-ha-cluster");
        expect(neededFiles(raw)).toEqual({
            knownHosts: ".lab/known_hosts",
            endpoints: ".lab/lab.json",
            publicKey: ".lab/id_ed25519.pub",
        });
        const spec = specOf(raw, around({ secrets, endpoints: labHosts, publicKey: "ssh-ed25519 AAAA me\n" }));
        expect(spec.ssh).toEqual({
            user: "root",
            key: { from: "file", path: ".lab/id_ed25519" },
            publicKey: "ssh-ed25519 AAAA me",
        });
        expect(spec.nodes[1]).toMatchObject({
            name: "OVMSERVER02",
            address: "192.168.1.102",
            ssh: { host: "127.0.0.1", port: 2202, hostKey: "ssh-ed25519 AAAAC3Nz" },
        });
        expect(spec.pool.timing).toMatchObject({ profile: "relaxed", stonithWatchdogTimeout: 44 });
    });

    test("the lab's says what to do while the lab is down, once", () => {
        const { raw } = readPulumiConfig(stackConfig("Pulumi.lab.yaml"), "ovm-ha-cluster");
        expect(faultsOf(raw, { secrets: new Set() })).toEqual([
            {
                path: "endpoints",
                value: ".lab/lab.json",
                problem: "cannot be read: the lab has not been started",
                remedy: "start the lab, which writes it (npm run lab:up), or remove the key if the hosts are real",
            },
        ]);
    });

    test("the lab's with a wiki differs in the guest only", () => {
        const specs = ["Pulumi.lab.yaml", "Pulumi.lab-mediawiki.yaml"].map((file) => {
            const { raw, secrets } = readPulumiConfig(stackConfig(file), "ovm-ha-cluster");
            return specOf(raw, around({ secrets, endpoints: labHosts }));
        });
        const [apache, wiki] = specs;
        expect({ ...wiki, guests: [] }).toEqual({ ...apache, guests: [] });
        expect(wiki?.guests).toMatchObject([
            { name: "WebServerHA", medium: "/srv/media/mediawiki", memory: 512, workload: { kind: "mediawiki" } },
        ]);
    });

    test("the site's example has no faults", () => {
        const { raw } = readPulumiConfig(stackConfig("Pulumi.site.yaml.example"), "ovm-ha-cluster");
        expect(specOf(raw)).toMatchSnapshot();
    });
});

test("a stack's config is taken apart: other projects' keys are left, secrets are only known to be set", () => {
    const all = {
        "ovm-ha-cluster:sshKey": "the key",
        "ovm-ha-cluster:platform": "debian-xen",
        "ovm-ha-cluster:nodes": '[{"address":"192.168.1.101"}]',
        "ovm-ha-cluster:pool": "{half",
        "aws:region": "x",
    };
    expect(readPulumiConfig(all, "ovm-ha-cluster")).toEqual({
        raw: { platform: "debian-xen", nodes: [{ address: "192.168.1.101" }], pool: "{half" },
        secrets: new Set(["sshKey"]),
    });
});

test("all faults come in one readable message", () => {
    const broken = {
        ...sample(),
        platfrom: "debian-xen",
        ssh: { key: "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA" },
        nodes: [
            { name: "OVMSERVER01", address: "192.168.2.101", memory: "much" },
            { name: "ovmserver01", address: "192.168.1.102" },
        ],
        repository: { path: "/etc", uuid: "4711", options: ["rw", "async"] },
        pool: { virtualAddress: "192.168.1.110", timing: { watchdog: 5, stonithWatchdogTimeout: 9 } },
        guests: [{ name: "Web_Server", address: "192.168.1.110", memory: 10, vcpus: 0 }, "guest"],
    };
    const read = () => clusterOrThrow(broken, around({ knownHosts: "" }));
    expect(read).toThrow(ConfigError);
    expect(read).toThrowErrorMatchingSnapshot();
});

test("the preview of nothing at all says what is missing", () => {
    expect(faultsOf({}).map(({ path }) => path)).toEqual(["manager.address", "nodes", "pool.virtualAddress"]);
});

test("UUIDs are taken in any form, and derived ones stay the same", () => {
    const uuid = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";
    expect(specOf({ ...sample(), repository: { uuid } }).repository.uuid).toBe("0A1B2C3D4E5F60718293A4B5C6D7E8F9");
    expect(specOf(sample()).repository.uuid).toBe(specOf({ ...sample(), guests: [] }).repository.uuid);
    expect(specOf(sample()).repository.uuid).toMatch(/^[0-9A-F]{32}$/);
});

test("a spec holds where the key is, never the key", () => {
    const spec = specOf({ ...sample(), ssh: { key: "secret" } }, around({ secrets: new Set(["sshKey"]) }));
    expect(spec.ssh.key).toEqual({ from: "secret" });
});

describe("a workload", () => {
    const [guest] = sample().guests;
    const guestOf = (more: object) => specOf({ ...sample(), guests: [{ ...(guest as object), ...more }] }).guests[0];
    const moodle = { kind: "moodle", archive: "https://example.org/m.tgz", sha256: "AB".repeat(32) };

    test("that is not named leaves the medium as it is, and the check where it was", () => {
        expect(guestOf({})).toMatchObject({
            workload: { kind: "none" },
            httpCheck: { path: "/", port: 80, status: 200 },
        });
        expect(guestOf({ workload: "none" })).toEqual(guestOf({}));
    });

    test("is the same by its name and as a group", () => {
        expect(guestOf({ workload: { kind: "mediawiki" } })).toEqual(guestOf({ workload: "mediawiki" }));
    });

    test("is complete", () => {
        expect(guestOf({ workload: "mediawiki" })?.workload).toEqual({
            kind: "mediawiki",
            url: "http://192.168.1.110",
            title: "WebServerHA",
        });
        expect(
            guestOf({ workload: { ...moodle, url: "HTTP://Moodle.Example.org:8080", title: "Aula Ñ" } })?.workload,
        ).toEqual({
            kind: "moodle",
            archive: "https://example.org/m.tgz",
            sha256: "ab".repeat(32),
            url: "http://moodle.example.org:8080",
            title: "Aula Ñ",
        });
    });

    test("with a database is asked for something that needs it, unless the user knows better", () => {
        const paths = ["apache", "mediawiki", moodle].map((workload) => guestOf({ workload })?.httpCheck?.path);
        expect(paths).toEqual(["/", "/ovm-ha-cluster/health", "/ovm-ha-cluster/health"]);
        const own = { path: "/up", status: 204 };
        expect(guestOf({ workload: moodle, httpCheck: own })?.httpCheck).toEqual({ ...own, port: 80 });
        expect(guestOf({ workload: moodle, httpCheck: { enabled: false } })).not.toHaveProperty("httpCheck");
    });
});

test("a workload in any state is answered, and accepted only when it is complete", () => {
    const [guest] = sample().guests;
    const some = <T>(...values: T[]) => fc.option(fc.constantFrom(...values), { nil: undefined });
    const group = fc.record({
        kind: some<unknown>("apache", "mediawiki", "moodle", "none", "x", 1),
        archive: some<unknown>("/srv/m.tgz", "https://example.org/m.tgz", "m.tgz", []),
        sha256: some<unknown>("ab".repeat(32), "ab", 7),
        url: some("http://example.org", "example.org"),
        title: some("Aula", "a'b"),
    });
    fc.assert(
        fc.property(fc.oneof(group, fc.jsonValue()), (workload) => {
            const raw = { ...sample(), guests: [{ ...(guest as object), memory: 1000, disk: 10, workload }] };
            const parsed = parseCluster(raw, around());
            if ("faults" in parsed) {
                expect(new Set(parsed.faults.map(({ path }) => path)).size).toBe(parsed.faults.length);
                return;
            }
            const [made] = parsed.spec.guests;
            const sites = {
                url: expect.stringMatching(/^http:/) as string,
                title: expect.stringMatching(/./) as string,
            };
            const whole = { kind: "moodle", archive: expect.stringMatching(/tgz$/) as string, sha256: "ab".repeat(32) };
            const kind = made?.workload.kind;
            const expected = {
                none: { kind },
                apache: { kind },
                mediawiki: { kind, ...sites },
                moodle: { ...whole, ...sites },
            };
            expect(made?.workload).toEqual(expected[kind ?? "none"]);
        }),
        { numRuns: 500 },
    );
});

test("a check that is switched off is absent", () => {
    const [guest] = sample().guests;
    const guests = [{ ...(guest as object), httpCheck: { enabled: false } }];
    expect(specOf({ ...sample(), guests }).guests[0]).not.toHaveProperty("httpCheck");
});

describe("anything at all", () => {
    const keys = fc.constantFrom("manager", "nodes", "pool", "guests", "ssh", "network", "repository", "endpoints");
    const anything = fc.dictionary(fc.oneof(keys, fc.string()), fc.jsonValue());

    test("is answered, never thrown at", () => {
        fc.assert(
            fc.property(anything, fc.option(fc.string(), { nil: undefined }), (raw, content) => {
                const files = content === undefined ? {} : { knownHosts: content, endpoints: content };
                neededFiles(raw);
                try {
                    clusterOrThrow(raw, { ...files, secrets: new Set() });
                } catch (error) {
                    expect(error).toBeInstanceOf(ConfigError);
                    expect((error as ConfigError).message).not.toMatch(/^\s+at .*:\d+:\d+/m);
                }
            }),
            { numRuns: 500 },
        );
    });

    test("is answered in the place of any part of a good configuration", () => {
        const paths = ["manager", "nodes", "pool", "guests"] as const;
        fc.assert(
            fc.property(fc.constantFrom(...paths), fc.jsonValue(), fc.boolean(), (key, value, inside) => {
                const good = sample();
                const old = good[key];
                const put = !inside ? value : Array.isArray(old) ? [...old, value] : { ...old, address: value };
                expect(() => parseCluster({ ...good, [key]: put }, around())).not.toThrow();
            }),
            { numRuns: 500 },
        );
    });
});

function simulated(nodes: number, guests: number) {
    const base = 10 * 2 ** 24;
    return {
        network: { cidr: "10.0.0.0/16" },
        manager: { name: "manager", address: "10.0.0.2" },
        nodes: Array.from({ length: nodes }, (_, n) => ({
            name: `node${n}`,
            address: formatAddress(base + 256 + n),
            memory: 65536,
        })),
        pool: { virtualAddress: "10.0.0.3" },
        guests: Array.from({ length: guests }, (_, n) => ({
            name: `guest${n}`,
            address: formatAddress(base + 4096 + n),
            medium: "/srv/media/web.img",
            preferredNode: `node${n % nodes}`,
        })),
    };
}

test("every good configuration is accepted, whatever its size", () => {
    fc.assert(
        fc.property(fc.integer({ min: 2, max: 40 }), fc.integer({ min: 0, max: 60 }), (nodes, guests) => {
            const spec = specOf(simulated(nodes, guests));
            expect(spec.nodes).toHaveLength(nodes);
            expect(new Set(spec.guests.map(({ mac }) => mac)).size).toBe(guests);
        }),
        { numRuns: 50 },
    );
});

test("32 nodes and 500 guests take no time worth noticing", () => {
    const raw = simulated(32, 500);
    const start = performance.now();
    specOf(raw);
    expect(performance.now() - start).toBeLessThan(2000);
});
