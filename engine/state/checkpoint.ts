import { createHash } from "node:crypto";
import { NotSupported, UserError } from "../errors";
import { type SecretsProvider } from "../secrets/crypter";
import { type ValueCodec } from "../values/serialize";
import { type Json } from "../values/wire";
import { Fields, type JsonObject } from "./fields";
import { type PendingOperation, type ResourceState, type Snapshot } from "./resource";
import { decodeResource, encodeResource } from "./resourceJson";

/**
 * The stack file of the official file backend, `{version, checkpoint: {stack, latest}}`, and the text that
 * `stack export` prints, `{version, deployment}`. Version 3; version 4 is the same with a list of `features` in use.
 *
 * Source: pulumi/pulumi sdk/go/common/apitype/core.go, pkg/resource/stack/{checkpoint,deployment}.go.
 */

/** The version this engine writes into the manifest: that of the official CLI whose format and rules it follows. */
export const FORMAT_VERSION = "3.248.0";

const SUPPORTED_FEATURES: ReadonlySet<string> = new Set(["refreshBeforeUpdate", "hooks", "taint", "replaceWith"]);
const OPERATIONS: ReadonlySet<string> = new Set(["creating", "updating", "deleting", "reading"]);

/** What a stack file holds, checked in its outline; resources are still JSON, secrets still encrypted. */
export interface RawDeployment {
    /** The file it came from, for messages. */
    readonly file: string;
    readonly version: number;
    readonly features: readonly string[];
    /** "" when the file does not say. */
    readonly stack: string;
    /** `latest` or `deployment` as it stands; absent for a stack that was never updated. */
    readonly deployment?: JsonObject;
    readonly secretsProvider?: SecretsProvider;
}

/** The JSON text as an object; a `UserError` that names the file, what is wrong and the remedy otherwise. */
function parseObject(text: string, file: string): JsonObject {
    let json: Json;
    try {
        json = JSON.parse(text) as Json;
    } catch (error) {
        throw damaged(file, text.trim() === "" ? "it is empty" : (error as Error).message);
    }
    if (typeof json !== "object" || json === null || Array.isArray(json)) {
        throw damaged(file, "it is not a JSON object");
    }
    return json;
}

/** The error for a state file that cannot be used, one line. */
export function damaged(file: string, reason: string): UserError {
    return new UserError(
        `the state file ${file} is damaged: ${reason.replace(/\s+/g, " ")}`,
        file.endsWith(".json")
            ? `put back its last good copy, ${file}.bak or one from the folder backups`
            : "export the state again",
    );
}

/** Reads a stack file of the file backend. */
export function parseCheckpoint(text: string, file: string): RawDeployment {
    const root = new Fields(parseObject(text, file), (reason) => damaged(file, reason), "");
    const version = root.number("version");
    const features = root.strings("features");
    const checkpoint = root.object("checkpoint");
    root.refuseOthers();
    if (checkpoint === undefined) {
        throw damaged(file, '"checkpoint" is missing');
    }
    const body = new Fields(checkpoint, (reason) => damaged(file, reason), "checkpoint");
    const stack = body.text("stack");
    const latest = body.object("latest");
    // Old versions of the official CLI kept the config here; it has no meaning any more.
    body.ignore("config");
    body.refuseOthers();
    return outline({ file, version, features, stack }, latest);
}

/** Reads what `stack export` printed. */
export function parseExport(text: string, file: string): RawDeployment {
    const root = new Fields(parseObject(text, file), (reason) => damaged(file, reason), "");
    const version = root.number("version");
    const features = root.strings("features");
    const deployment = root.object("deployment");
    root.refuseOthers();
    return outline({ file, version, features, stack: "" }, deployment);
}

function outline(head: Omit<RawDeployment, "deployment">, deployment: JsonObject | undefined): RawDeployment {
    // The official CLI gives a stack that was never updated the version 0.
    if (head.version !== 3 && head.version !== 4 && !(head.version === 0 && deployment === undefined)) {
        throw new NotSupported(`version ${head.version} of the state format, in ${head.file},`);
    }
    const unknown = head.features.filter((feature) => !SUPPORTED_FEATURES.has(feature));
    if (unknown.length > 0) {
        throw new NotSupported(`the state feature ${unknown.join(", ")}, used in ${head.file},`);
    }
    if (deployment === undefined) {
        return head;
    }
    const provider = new Fields(deployment, (reason) => damaged(head.file, reason), "").object("secrets_providers");
    if (provider === undefined || provider["type"] === "") {
        return { ...head, deployment };
    }
    const type = provider["type"];
    if (typeof type !== "string") {
        throw damaged(head.file, '"secrets_providers" has no type');
    }
    return { ...head, deployment, secretsProvider: { type, state: provider["state"] } };
}

/** The salt of a deployment's passphrase; `undefined` when it has none. Other secrets providers are refused by name. */
export function saltOf(raw: RawDeployment): string | undefined {
    const provider = raw.secretsProvider;
    if (provider === undefined) {
        return undefined;
    }
    if (provider.type !== "passphrase") {
        throw new NotSupported(`the secrets provider ${JSON.stringify(provider.type)}, used in ${raw.file},`);
    }
    const state = provider.state as { salt?: unknown } | null | undefined;
    if (typeof state?.salt !== "string") {
        throw damaged(raw.file, '"secrets_providers" has no salt');
    }
    return state.salt;
}

/** Decodes the resources; every field and feature that this engine does not know is refused by name. */
export function decodeSnapshot(raw: RawDeployment, codec: ValueCodec): Snapshot {
    if (raw.deployment === undefined) {
        return { resources: [], pendingOperations: [] };
    }
    const fail = (reason: string): UserError => damaged(raw.file, reason);
    const fields = new Fields(raw.deployment, fail, "");
    fields.ignore("secrets_providers");
    // Time and tool of the last writing, and an error of an earlier official CLI: of no meaning to this engine.
    fields.ignore("manifest");
    fields.ignore("metadata");
    const resources = fields
        .objects("resources")
        .map((item, index) => decodeResource(item, fail, `resources[${index}]`, codec));
    const pendingOperations = fields.objects("pending_operations").map((item, index) => {
        const operation = new Fields(item, fail, `pending_operations[${index}]`);
        const type = operation.text("type");
        const resource = operation.object("resource");
        operation.refuseOthers();
        if (resource === undefined) {
            throw fail(`pending_operations[${index}] has no resource`);
        }
        if (!OPERATIONS.has(type)) {
            throw new NotSupported(`the pending operation ${JSON.stringify(type)} in ${raw.file}`);
        }
        return {
            type: type as PendingOperation["type"],
            resource: decodeResource(resource, fail, `pending_operations[${index}].resource`, codec),
        };
    });
    for (const key of ["snippets", "extensions"]) {
        if (Object.keys(fields.object(key, true) ?? {}).length > 0) {
            throw new NotSupported(`${JSON.stringify(key)} in the state file ${raw.file}`);
        }
    }
    fields.refuseOthers();
    return { resources, pendingOperations };
}

/** Writes snapshots of one stack. The text of a resource that is the same object as last time is not made anew. */
export class CheckpointEncoder {
    private readonly texts = new WeakMap<ResourceState, string>();

    /** `stack` is the full name, `organization/<project>/<stack>`. */
    constructor(
        private readonly stack: string,
        private readonly codec: ValueCodec,
        private readonly provider: SecretsProvider,
        private readonly now: () => Date = () => new Date(),
    ) {}

    /** The content of a stack file, one line without a line end, as the official CLI writes it. */
    encode(snapshot: Snapshot): string {
        const features = featuresOf(snapshot.resources);
        return `{"version":${features.length > 0 ? 4 : 3}${
            features.length > 0 ? `,"features":${JSON.stringify(features)}` : ""
        },"checkpoint":{"stack":${JSON.stringify(this.stack)},"latest":${this.deployment(snapshot)}}}`;
    }

    private deployment(snapshot: Snapshot): string {
        const resources = snapshot.resources.map((resource) => this.text(resource)).join(",");
        const operations = snapshot.pendingOperations
            .map(({ resource, type }) => `{"resource":${this.text(resource)},"type":${JSON.stringify(type)}}`)
            .join(",");
        return (
            `{"manifest":${JSON.stringify(manifest(this.now()))},"secrets_providers":${JSON.stringify(this.provider)}` +
            (resources === "" ? "" : `,"resources":[${resources}]`) +
            (operations === "" ? "" : `,"pending_operations":[${operations}]`) +
            `,"metadata":{}}`
        );
    }

    private text(resource: ResourceState): string {
        const known = this.texts.get(resource);
        if (known !== undefined) {
            return known;
        }
        const text = JSON.stringify(
            encodeResource(
                resource,
                (map) => this.codec.encodeMap(map, resource.urn),
                (value) => this.codec.encode(value, resource.urn),
            ),
        );
        this.texts.set(resource, text);
        return text;
    }
}

/** The content of a stack file for an imported or new deployment, as it stands. */
export function checkpointText(stack: string, raw: Pick<RawDeployment, "version" | "features" | "deployment">): string {
    return JSON.stringify({
        version: raw.version,
        ...(raw.features.length > 0 ? { features: raw.features } : {}),
        checkpoint: { stack, ...(raw.deployment === undefined ? {} : { latest: raw.deployment }) },
    });
}

/** `magic` is how the official CLI recognises manifests: the sha256 of the version. */
function manifest(time: Date): JsonObject {
    return {
        time: time.toISOString(),
        magic: createHash("sha256").update(FORMAT_VERSION).digest("hex"),
        version: FORMAT_VERSION,
    };
}

/** The features beyond version 3 that a state needs its reader to know. */
function featuresOf(resources: readonly ResourceState[]): string[] {
    const uses: Record<string, (resource: ResourceState) => boolean> = {
        hooks: (resource) => Object.keys(resource.resourceHooks).length > 0,
        refreshBeforeUpdate: (resource) => resource.refreshBeforeUpdate,
        replaceWith: (resource) => resource.replaceWith.length > 0,
        taint: (resource) => resource.taint,
    };
    return Object.keys(uses).filter((feature) => resources.some((resource) => uses[feature]?.(resource)));
}
