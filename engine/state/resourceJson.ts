import { type ValueCodec } from "../values/serialize";
import { type PropertyMap, type Value } from "../values/value";
import { type Json } from "../values/wire";
import { Fields, type JsonObject } from "./fields";
import { type CustomTimeouts, type ResourceState } from "./resource";

/**
 * One resource as it stands in a state file.
 *
 * Source: pulumi/pulumi sdk/go/common/apitype/core.go, type ResourceV3: its order of fields, and which are left out
 * when empty.
 */

/** Decodes a resource; `where` is its place in the file, for messages. */
export function decodeResource(
    json: JsonObject,
    fail: (reason: string) => Error,
    where: string,
    codec: ValueCodec,
): ResourceState {
    const fields = new Fields(json, fail, where);
    const urn = fields.text("urn");
    const type = fields.text("type");
    const custom = fields.flag("custom");
    const id = fields.text("id");
    if (urn === "" || type === "") {
        throw fail(`${where} has no ${urn === "" ? "urn" : "type"}`);
    }
    if (!custom && id !== "") {
        throw fail(`${where}, ${urn}, is a component but has an id`);
    }
    const resource: ResourceState = {
        urn,
        type,
        custom,
        id,
        delete: fields.flag("delete"),
        inputs: codec.decodeMap(fields.object("inputs") ?? {}, urn),
        outputs: codec.decodeMap(fields.object("outputs") ?? {}, urn),
        parent: fields.text("parent"),
        protect: fields.flag("protect"),
        taint: fields.flag("taint"),
        external: fields.flag("external"),
        dependencies: fields.strings("dependencies"),
        initErrors: fields.strings("initErrors"),
        provider: fields.text("provider"),
        propertyDependencies: fields.lists("propertyDependencies"),
        pendingReplacement: fields.flag("pendingReplacement"),
        additionalSecretOutputs: fields.strings("additionalSecretOutputs"),
        aliases: fields.strings("aliases"),
        customTimeouts: decodeTimeouts(fields.object("customTimeouts"), fail, `${where}.customTimeouts`),
        importID: fields.text("importID"),
        retainOnDelete: fields.flag("retainOnDelete"),
        deletedWith: fields.text("deletedWith"),
        replaceWith: fields.strings("replaceWith"),
        created: fields.text("created"),
        modified: fields.text("modified"),
        sourcePosition: fields.text("sourcePosition"),
        stackTrace: fields.objects("stackTrace").map((frame, index) => {
            const position = new Fields(frame, fail, `${where}.stackTrace[${index}]`);
            const sourcePosition = position.text("sourcePosition");
            position.refuseOthers();
            return sourcePosition === "" ? {} : { sourcePosition };
        }),
        ignoreChanges: fields.strings("ignoreChanges"),
        hideDiff: fields.strings("hideDiff"),
        replaceOnChanges: fields.strings("replaceOnChanges"),
        replacementTrigger: codec.decode(fields.value("replacementTrigger"), urn),
        refreshBeforeUpdate: fields.flag("refreshBeforeUpdate"),
        resourceHooks: fields.lists("resourceHooks"),
    };
    fields.refuseOthers();
    return resource;
}

function decodeTimeouts(json: JsonObject | undefined, fail: (reason: string) => Error, where: string): CustomTimeouts {
    const fields = new Fields(json ?? {}, fail, where);
    const timeouts = (["create", "update", "delete", "read"] as const).map((key) => [key, fields.number(key)] as const);
    fields.refuseOthers();
    return Object.fromEntries(timeouts.filter(([, seconds]) => seconds !== 0));
}

/** The resource's fields in the official order, empty ones left out. */
export function encodeResource(
    resource: ResourceState,
    encodeMap: (map: PropertyMap) => JsonObject,
    encode: (value: Value) => Json,
): JsonObject {
    const all: Record<string, unknown> = {
        urn: resource.urn,
        custom: resource.custom,
        delete: resource.delete,
        id: resource.id,
        type: resource.type,
        inputs: encodeMap(resource.inputs),
        outputs: encodeMap(resource.outputs),
        parent: resource.parent,
        protect: resource.protect,
        taint: resource.taint,
        external: resource.external,
        dependencies: resource.dependencies,
        initErrors: resource.initErrors,
        provider: resource.provider,
        propertyDependencies: sortedKeys(resource.propertyDependencies),
        pendingReplacement: resource.pendingReplacement,
        additionalSecretOutputs: resource.additionalSecretOutputs,
        aliases: resource.aliases,
        customTimeouts: encodeTimeouts(resource.customTimeouts),
        importID: resource.importID,
        retainOnDelete: resource.retainOnDelete,
        deletedWith: resource.deletedWith,
        replaceWith: resource.replaceWith,
        created: resource.created,
        modified: resource.modified,
        sourcePosition: resource.sourcePosition,
        stackTrace: resource.stackTrace,
        ignoreChanges: resource.ignoreChanges,
        hideDiff: resource.hideDiff,
        replaceOnChanges: resource.replaceOnChanges,
        refreshBeforeUpdate: resource.refreshBeforeUpdate,
        resourceHooks: sortedKeys(resource.resourceHooks),
    };
    const kept = Object.entries(all).filter(([key, value]) => key === "custom" || !isZero(value));
    if (resource.replacementTrigger !== null) {
        const before = kept.findIndex(([key]) => key === "refreshBeforeUpdate" || key === "resourceHooks");
        kept.splice(before < 0 ? kept.length : before, 0, ["replacementTrigger", encode(resource.replacementTrigger)]);
    }
    return Object.fromEntries(kept) as JsonObject;
}

function encodeTimeouts({ create, update, delete: remove, read }: CustomTimeouts): JsonObject {
    return Object.fromEntries(
        Object.entries({ create, update, delete: remove, read }).filter(([, seconds]) => seconds),
    ) as JsonObject;
}

/** What Go's `omitempty` leaves out. */
function isZero(value: unknown): boolean {
    return value === "" || value === false || (typeof value === "object" && Object.keys(value ?? {}).length === 0);
}

function sortedKeys<T>(map: Readonly<Record<string, T>>): Record<string, T> {
    return Object.fromEntries(Object.entries(map).sort(([left], [right]) => (left < right ? -1 : 1)));
}
