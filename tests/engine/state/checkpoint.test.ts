import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PassphraseCrypter } from "../../../engine/secrets/passphrase";
import {
    CheckpointEncoder,
    decodeSnapshot,
    parseCheckpoint,
    parseExport,
    saltOf,
} from "../../../engine/state/checkpoint";
import { findFault, verifyIntegrity } from "../../../engine/state/integrity";
import { type ResourceState, resourceState, type Snapshot } from "../../../engine/state/resource";
import { ValueCodec } from "../../../engine/values/serialize";
import { Secret } from "../../../engine/values/value";

const RECORDED = join(__dirname, "../vectors/recorded");
const STATES = readdirSync(RECORDED).filter((name) => name.endsWith(".state.json"));
const STACK = "organization/conformance/v";
const CLEAR = { encrypt: (text: string) => text, decrypt: (text: string) => text };

const recorded = (name: string): string => readFileSync(join(RECORDED, name), "utf8");

/** The deployment of a written stack file. */
function latest(text: string): Record<string, unknown> {
    return (JSON.parse(text) as { checkpoint: { latest: Record<string, unknown> } }).checkpoint.latest;
}

function encode(snapshot: Snapshot): string {
    return new CheckpointEncoder(STACK, new ValueCodec(CLEAR), { type: "passphrase", state: {} }).encode(snapshot);
}

const urn = (name: string): string => `urn:pulumi:v::conformance::t:t:T::${name}`;
const resource = (name: string, fields: Partial<ResourceState> = {}): ResourceState =>
    resourceState({ urn: urn(name), type: "t:t:T", ...fields });

describe("recorded states of the official CLI", () => {
    it.each(STATES)("%s comes back byte by byte, but for the manifest", async (name) => {
        const raw = parseExport(recorded(name), name);
        const crypter = await PassphraseCrypter.unlock(saltOf(raw) ?? "", "conformance");
        const codec = new ValueCodec(crypter);
        const snapshot = decodeSnapshot(raw, codec);
        verifyIntegrity(snapshot, name);
        const written = latest(new CheckpointEncoder(STACK, codec, crypter.provider).encode(snapshot));
        const original = (JSON.parse(recorded(name)) as { deployment: Record<string, unknown> }).deployment;
        // The magic and version of the manifest are those of the official CLI this engine follows.
        expect(written["manifest"]).toMatchObject({
            ...(original["manifest"] as object),
            time: expect.any(String) as string,
        });
        expect(JSON.stringify({ ...written, manifest: original["manifest"] })).toBe(JSON.stringify(original));
    });
});

describe("a stack file", () => {
    const everything = resource("all", {
        id: "id",
        inputs: { b: 1, a: new Secret("s") },
        outputs: { c: [null] },
        delete: true,
        pendingReplacement: true,
        protect: true,
        taint: true,
        external: true,
        retainOnDelete: true,
        refreshBeforeUpdate: true,
        initErrors: ["e"],
        additionalSecretOutputs: ["c"],
        aliases: [urn("old")],
        customTimeouts: { create: 1.5, delete: 60 },
        importID: "i",
        propertyDependencies: { b: [], a: [] },
        created: "2026-01-01T00:00:00Z",
        modified: "2026-01-01T00:00:00Z",
        sourcePosition: "project:///index.ts#1,1",
        stackTrace: [{ sourcePosition: "project:///index.ts#1,1" }, {}],
        ignoreChanges: ["a"],
        hideDiff: ["b"],
        replaceOnChanges: ["c"],
        replaceWith: [urn("other")],
        replacementTrigger: { t: 1 },
        resourceHooks: { "before-create": ["h"] },
    });

    it("holds every field that a resource can have, and says which features its reader must know", () => {
        const snapshot: Snapshot = {
            resources: [everything],
            pendingOperations: [{ type: "creating", resource: everything }],
        };
        const text = encode(snapshot);
        expect(JSON.parse(text)).toMatchObject({
            version: 4,
            features: ["hooks", "refreshBeforeUpdate", "replaceWith", "taint"],
        });
        const raw = parseCheckpoint(text, "v.json");
        expect(raw.stack).toBe(STACK);
        expect(decodeSnapshot(raw, new ValueCodec(CLEAR))).toEqual(snapshot);
    });

    it("writes the fields in the official order", () => {
        const [first] = latest(encode({ resources: [everything], pendingOperations: [] }))["resources"] as object[];
        // pulumi/pulumi sdk/go/common/apitype/core.go, ResourceV3
        const order =
            "urn custom delete id type inputs outputs parent protect taint external dependencies initErrors provider " +
            "propertyDependencies pendingReplacement additionalSecretOutputs aliases customTimeouts importID " +
            "retainOnDelete deletedWith replaceWith created modified sourcePosition stackTrace ignoreChanges hideDiff " +
            "replaceOnChanges replacementTrigger refreshBeforeUpdate resourceHooks";
        const keys = Object.keys(first ?? {});
        expect(keys).toEqual(order.split(" ").filter((field) => keys.includes(field)));
    });

    it("of a stack without updates, as either CLI makes it, is an empty state", () => {
        for (const version of [0, 3]) {
            const raw = parseCheckpoint(JSON.stringify({ version, checkpoint: { stack: STACK } }), "v.json");
            expect(decodeSnapshot(raw, new ValueCodec(CLEAR))).toEqual({ resources: [], pendingOperations: [] });
        }
    });

    it("is encoded resource by resource only once", () => {
        let encrypted = 0;
        const crypter = { ...CLEAR, encrypt: (text: string) => `${encrypted++}${text}` };
        const encoder = new CheckpointEncoder(STACK, new ValueCodec(crypter), { type: "passphrase", state: {} });
        const resources = [resource("a", { inputs: { s: new Secret("x") } })];
        expect(encoder.encode({ resources, pendingOperations: [] })).toContain("0");
        encoder.encode({ resources, pendingOperations: [] });
        expect(encrypted).toBe(1);
    });

    const good = { version: 3, checkpoint: { stack: STACK, latest: { manifest: {}, metadata: {} } } };
    const withResource = (fields: object): unknown => ({
        ...good,
        checkpoint: {
            stack: STACK,
            latest: { resources: [{ urn: urn("a"), type: "t:t:T", custom: true, ...fields }] },
        },
    });
    it.each([
        ["", "it is empty"],
        ['{"version":3,"checkp', "JSON"],
        ["[]", "not a JSON object"],
        [JSON.stringify({ version: 3 }), '"checkpoint" is missing'],
        [JSON.stringify({ version: "3", checkpoint: {} }), '"version" is not a number'],
        [JSON.stringify(withResource({ urn: "" })), "has no urn"],
        [JSON.stringify(withResource({ dependencies: "x" })), '"resources[0].dependencies" is not a list of texts'],
        [JSON.stringify(withResource({ custom: false, id: "i" })), "is a component but has an id"],
    ])("damaged as %j is told of in one line with the remedy", (text, reason) => {
        const read = (): Snapshot => decodeSnapshot(parseCheckpoint(text, "v.json"), new ValueCodec(CLEAR));
        expect(read).toThrow(reason);
        expect(read).toThrow(/^the state file v\.json is damaged: [^\n]*v\.json\.bak[^\n]*$/);
    });

    it.each([
        [{ ...good, version: 1 }, "version 1 of the state format"],
        [{ ...good, version: 4, features: ["views"] }, "feature views"],
        [{ ...good, surprise: 1 }, '"surprise"'],
        [withResource({ viewOf: urn("x") }), "viewOf"],
        [withResource({ extensionRef: "x" }), "extensionRef"],
        [{ ...good, checkpoint: { stack: STACK, latest: { snippets: [{ uuid: "u" }] } } }, "snippets"],
        [{ ...good, checkpoint: { stack: STACK, latest: { extensions: { e: {} } } } }, "extensions"],
        [
            {
                ...good,
                checkpoint: {
                    stack: STACK,
                    latest: { pending_operations: [{ type: "importing", resource: { urn: urn("a"), type: "t:t:T" } }] },
                },
            },
            "importing",
        ],
    ])("with what this engine does not know is refused by name: %j", (json, name) => {
        const read = (): Snapshot =>
            decodeSnapshot(parseCheckpoint(JSON.stringify(json), "v.json"), new ValueCodec(CLEAR));
        expect(read).toThrow(name);
        expect(read).toThrow("the official pulumi CLI is needed for it");
    });

    it("with another secrets provider is refused by name", () => {
        const deployment = { secrets_providers: { type: "awskms", state: {} } };
        expect(() => saltOf(parseExport(JSON.stringify({ version: 3, deployment }), "x"))).toThrow('"awskms"');
    });
});

describe("integrity", () => {
    const provider = resourceState({ urn: urn("p"), type: "pulumi:providers:t", id: "1" });
    it.each<[string, ResourceState[], string | undefined]>([
        ["nothing", [], undefined],
        ["order", [resource("a"), resource("b", { dependencies: [urn("a")] })], undefined],
        [
            "late dependency",
            [resource("b", { dependencies: [urn("a")] }), resource("a")],
            "stands before its dependency",
        ],
        ["missing parent", [resource("b", { parent: urn("a") })], "does not exist"],
        ["property dependency", [resource("b", { propertyDependencies: { x: [urn("a")] } })], "property dependency"],
        ["deletedWith", [resource("b", { deletedWith: urn("a") })], "deletedWith"],
        ["provider", [provider, resource("a", { provider: `${urn("p")}::1` })], undefined],
        ["unknown provider", [provider, resource("a", { provider: `${urn("p")}::2` })], "unknown provider"],
        ["waiting for deletion", [resource("a"), resource("a", { delete: true })], undefined],
        ["twice", [resource("a"), resource("a")], "stands twice"],
    ])("%s", (_name, resources, fault) => {
        const found = findFault(resources);
        if (fault === undefined) {
            expect(found).toBeUndefined();
        } else {
            expect(found).toContain(fault);
        }
    });
});
