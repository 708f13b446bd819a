import * as pulumi from "@pulumi/pulumi";
import { type MockResourceArgs as RawResource } from "@pulumi/pulumi/runtime";
import { HaGuest } from "../../components/haGuest";
import { NfsRepository } from "../../components/nfsRepository";
import { OvmServerNode } from "../../components/ovmServerNode";
import { ServerPool } from "../../components/serverPool";
import { type ClusterSpec } from "../../config/spec";
import { debianXen } from "../../platforms/debian-xen";
import { clusterSpec, guestSpec, wikiSpec } from "../platforms/spec";

const SECRET_MARK = "4dabf18193072939515e22adb298388d";
const PRIVATE_KEY = "-----BEGIN OPENSSH PRIVATE KEY----- nobody may see this";
const MATERIAL = "the-pool-secret-that-nobody-may-see";

type MockResourceArgs = Omit<RawResource, "inputs"> & { inputs: Record<string, unknown> };

interface Seen {
    resources: MockResourceArgs[];
    options: Map<string, pulumi.CustomResourceOptions>;
    guest: { url: string; state: string; adminPassword: string | undefined; hidden: boolean };
}

async function promiseOf<T>(value: pulumi.Output<T>): Promise<T> {
    return new Promise((resolve) => value.apply(resolve));
}

async function nameOf(resource: pulumi.Resource): Promise<string> {
    return (await promiseOf(resource.urn)).split("::").at(-1) ?? "";
}

async function build(spec: ClusterSpec): Promise<Seen> {
    const resources: MockResourceArgs[] = [];
    const options = new Map<string, pulumi.CustomResourceOptions>();
    await pulumi.runtime.setMocks(
        {
            newResource(args) {
                const inputs = args.inputs as Record<string, unknown>;
                resources.push({ ...args, inputs });
                const made =
                    args.type === "random:index/randomPassword:RandomPassword"
                        ? { result: `${args.name} ${MATERIAL}` }
                        : { stdout: `${args.name} is done`, stderr: "" };
                return { id: `${args.name}-id`, state: { ...inputs, ...made } };
            },
            call: ({ inputs }) => inputs as Record<string, unknown>,
        },
        "ovm-ha-cluster",
        "test",
    );
    const site = { spec, platform: debianXen, credentials: { user: "root", privateKey: PRIVATE_KEY } };
    const watching: pulumi.ComponentResourceOptions = {
        transformations: [
            ({ name, opts }) => {
                options.set(name, opts);
                return undefined;
            },
        ],
    };
    const repository = new NfsRepository("repository", site, watching);
    const nodes = spec.nodes.map((node) => new OvmServerNode(node.name, site, { node, repository }, watching));
    const pool = new ServerPool(spec.pool.name, site, { repository, nodes }, watching);
    const [guest = guestSpec()] = spec.guests;
    const made = new HaGuest(guest.name, site, { guest, repository, nodes, pool }, watching);
    const [url, state] = await Promise.all([promiseOf(made.url), promiseOf(made.state)]);
    const { adminPassword } = made;
    const admin = adminPassword === undefined ? undefined : await promiseOf(adminPassword);
    const hidden = adminPassword !== undefined && (await pulumi.isSecret(adminPassword));
    return { resources, options, guest: { url, state, adminPassword: admin, hidden } };
}

function dependencies(options: pulumi.CustomResourceOptions | undefined): pulumi.Resource[] {
    return (options?.dependsOn ?? []) as pulumi.Resource[];
}

describe("the components", () => {
    let seen: Seen;
    const of = (name: string): MockResourceArgs => {
        const found = seen.resources.find((one) => one.name === name);
        if (found === undefined) {
            throw new Error(`there is no resource ${name}`);
        }
        return found;
    };
    const commands = (): MockResourceArgs[] => seen.resources.filter(({ type }) => type === "command:remote:Command");

    beforeAll(async () => {
        seen = await build(clusterSpec());
    });

    it("make these resources, and no others", () => {
        const made = seen.resources.map(({ type, name }) => `${type} ${name}`).sort();
        expect(made).toMatchSnapshot();
    });

    it("let a step wait for exactly what it needs", async () => {
        const order: Record<string, string[]> = {};
        for (const [name, options] of seen.options) {
            if (commands().some((one) => one.name === name)) {
                order[name] = await Promise.all(dependencies(options).map(nameOf));
            }
        }
        expect(order).toMatchSnapshot();
    });

    it("pin every host's key, and dial long enough for a host that starts", () => {
        for (const { inputs } of commands()) {
            const { [SECRET_MARK]: mark, value } = inputs["connection"] as Record<string, unknown>;
            expect(mark).toBeDefined();
            expect(value).toMatchObject({
                hostKey: expect.stringContaining("ssh-ed25519 ") as string,
                dialErrorLimit: 15,
                perDialTimeout: 10,
            });
        }
    });

    it("undo nothing on a machine that is gone for good", async () => {
        const whole = clusterSpec();
        const [first, second] = whole.nodes;
        const { options } = await build({
            ...whole,
            nodes: [first, second].flatMap((node, index) =>
                node === undefined ? [] : [{ ...node, lost: index === 1 }],
            ),
        });
        const with2 = [...options].filter(([, { deletedWith }]) => deletedWith !== undefined);
        expect(with2.map(([name]) => name).sort()).toEqual([
            "HAPPOOL-keys-OVMSERVER02",
            "HAPPOOL-member-OVMSERVER02",
            "HAPPOOL-online-OVMSERVER02",
            "HAPPOOL-ring-OVMSERVER02",
            "OVMSERVER02-hypervisor",
            "OVMSERVER02-network",
            "OVMSERVER02-prepare",
            "OVMSERVER02-storage",
            "WebServerHA-node-OVMSERVER02",
        ]);
        for (const [, { deletedWith }] of with2) {
            expect(await nameOf(deletedWith as pulumi.Resource)).toBe("OVMSERVER02");
        }
    });

    it("record no secret in clear", () => {
        const clear = JSON.stringify(seen.resources, (_, value: unknown) =>
            typeof value === "object" && value !== null && SECRET_MARK in value ? "secret" : value,
        );
        expect(clear).not.toContain(PRIVATE_KEY);
        expect(clear).not.toContain(MATERIAL);
        expect(clear).not.toContain("PRIVATE KEY-----");
        expect(clear).not.toMatch(/AUTHKEY='/);
    });

    it("log nothing of a step with keys, and hide what it prints", () => {
        const keys = commands().filter(({ name }) => name.includes("-keys-"));
        expect(keys).toHaveLength(3);
        for (const { name, inputs } of keys) {
            expect(inputs["logging"]).toBe("none");
            expect(inputs["stdin"]).toHaveProperty([SECRET_MARK]);
            expect(seen.options.get(name)?.additionalSecretOutputs).toEqual(
                expect.arrayContaining(["stdout", "stderr"]),
            );
        }
    });

    it("keep values out of command lines", () => {
        for (const { inputs } of commands()) {
            expect(inputs["create"]).toMatch(
                /^timeout -k 10 \d+ flock --close '\/run\/lock\/ovm-ha-cluster-[\w-]+' sh -s apply$/,
            );
            expect(inputs["delete"]).toMatch(
                /^timeout -k 10 \d+ flock --close '\/run\/lock\/ovm-ha-cluster-[\w-]+' sh -s remove$/,
            );
            expect(inputs["update"]).toBeUndefined();
            expect(inputs["environment"]).toBeUndefined();
            expect(inputs["addPreviousOutputInEnv"]).toBe(false);
        }
    });

    it("replace a step for another identity only, the old one first", () => {
        expect(of("WebServerHA-image").inputs["triggers"]).toEqual(["WebServerHA", "/srv/media/apache"]);
        expect(of("OVMSERVER01-network").inputs["triggers"]).toBeUndefined();
        for (const { name } of commands()) {
            expect(seen.options.get(name)?.deleteBeforeReplace).toBe(true);
        }
    });

    it("say where the guest answers and what it said last", () => {
        expect(seen.guest).toMatchObject({ url: "http://192.168.1.110/", state: "WebServerHA-resource is done" });
    });

    describe("of a guest with a site", () => {
        let site: Seen;
        const step = (): Record<string, unknown> =>
            site.resources.find(({ name }) => name === "WebServerHA-workload")?.inputs ?? {};

        beforeAll(async () => {
            site = await build(clusterSpec({ guests: [wikiSpec()] }));
        });

        it("make passwords for it, and for no other guest", () => {
            const passwords = (from: Seen) =>
                from.resources.filter(({ type }) => type.startsWith("random:")).map(({ name }) => name);
            expect(passwords(site)).toEqual(["HAPPOOL-secret", "WebServerHA-admin", "WebServerHA-database"]);
            expect(passwords(seen)).toEqual(["HAPPOOL-secret"]);
        });

        it("carry them in one step, which is a secret as a whole", () => {
            expect(step()["logging"]).toBe("none");
            const { value, [SECRET_MARK]: mark } = step()["stdin"] as Record<string, string>;
            expect(mark).toBeDefined();
            expect(value).toContain(`ADMIN_PASSWORD='\\''WebServerHA-admin ${MATERIAL}'\\''`);
            expect(value).toContain(`DATABASE_PASSWORD='\\''WebServerHA-database ${MATERIAL}'\\''`);
            expect(site.options.get("WebServerHA-workload")?.additionalSecretOutputs).toEqual(
                expect.arrayContaining(["stdout", "stderr"]),
            );
        });

        it("record none of them in clear", () => {
            const clear = JSON.stringify(site.resources, (_, value: unknown) =>
                typeof value === "object" && value !== null && SECRET_MARK in value ? "secret" : value,
            );
            expect(clear).not.toContain(MATERIAL);
        });

        it("put its disk there before a node can start it", async () => {
            const before = async (name: string) => Promise.all(dependencies(site.options.get(name)).map(nameOf));
            expect(await before("WebServerHA-workload")).toEqual(["WebServerHA-image"]);
            expect(await before("WebServerHA-node-OVMSERVER01")).toContain("WebServerHA-workload");
        });

        it("tell the administrator's password, as a secret, and where the site is", () => {
            expect(site.guest).toMatchObject({
                url: "http://192.168.1.110/",
                adminPassword: `WebServerHA-admin ${MATERIAL}`,
                hidden: true,
            });
            expect(seen.guest.adminPassword).toBeUndefined();
        });
    });
});
