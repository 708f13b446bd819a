import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import {
    ARCHIVE_SIGNATURE,
    ASSET_SIGNATURE,
    OUTPUT_SIGNATURE,
    RESOURCE_SIGNATURE,
    SECRET_SIGNATURE,
    SIGNATURE_KEY,
    UNKNOWN_STRING,
    UNKNOWN_STRINGS,
} from "./signatures";
import {
    Archive,
    Asset,
    isObject,
    mapProperties,
    type PropertyMap,
    ResourceReference,
    Secret,
    UNKNOWN,
    Unknown,
    type Value,
} from "./value";

/** A JSON value as `Struct.toJavaScript` gives it and `Struct.fromJavaScript` takes it. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type JsonObject = { [key: string]: Json };

/** Decodes a property map from the protocol. An absent message is an empty map. */
export function fromStruct(struct: Struct | undefined): PropertyMap {
    return struct === undefined ? {} : fromWireObject(struct.toJavaScript());
}

/**
 * Encodes a property map for the protocol. `secrets: "reveal"` sends secrets in clear, for peers that have not said
 * that they accept them.
 */
export function toStruct(map: PropertyMap, secrets: "keep" | "reveal" = "keep"): Struct {
    return Struct.fromJavaScript(mapToWire(map, secrets));
}

function fromWireObject(object: JsonObject): PropertyMap {
    return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, fromWire(value)]));
}

/** Decodes one value of the protocol; the inverse of `toWire`. */
export function fromWire(json: Json): Value {
    if (typeof json === "string") {
        return UNKNOWN_STRINGS.has(json) ? UNKNOWN : json;
    }
    if (Array.isArray(json)) {
        return json.map(fromWire);
    }
    if (json === null || typeof json !== "object") {
        return json;
    }
    switch (json[SIGNATURE_KEY]) {
        case SECRET_SIGNATURE:
            return secret(fromWire(json["value"] ?? null));
        case OUTPUT_SIGNATURE: {
            // Its dependencies are told a second time in the request's property dependencies.
            const value = json["value"] === undefined ? UNKNOWN : fromWire(json["value"]);
            return json["secret"] === true ? secret(value) : value;
        }
        case ASSET_SIGNATURE:
            return assetFrom(json);
        case ARCHIVE_SIGNATURE:
            return archiveFrom(json);
        case RESOURCE_SIGNATURE:
            return new ResourceReference(
                json["urn"] as string,
                json["id"] === undefined ? undefined : fromWire(json["id"]),
                (json["packageVersion"] as string | undefined) ?? "",
            );
        default:
            return fromWireObject(json);
    }
}

function secret(value: Value): Secret {
    return value instanceof Secret ? value : new Secret(value);
}

/** Decodes an asset from its signed JSON form, which the protocol and state files share. */
export function assetFrom(json: JsonObject): Asset {
    const { path, text, uri, hash } = json as Record<string, string | undefined>;
    // An empty path or uri is how an absent one travels; an empty text may be meant.
    return new Asset(path ? { path } : uri ? { uri } : { text: text ?? "" }, hash ?? "");
}

/** Decodes an archive from its signed JSON form, which the protocol and state files share. */
export function archiveFrom(json: JsonObject): Archive {
    const { path, uri, hash } = json as Record<string, string | undefined>;
    if (path || uri) {
        return new Archive(path ? { path } : { uri }, hash ?? "");
    }
    const assets = Object.entries((json["assets"] ?? {}) as JsonObject).map(([name, item]) => {
        const entry = item as JsonObject;
        return [name, entry[SIGNATURE_KEY] === ASSET_SIGNATURE ? assetFrom(entry) : archiveFrom(entry)] as const;
    });
    return new Archive({ assets: Object.fromEntries(assets) }, hash ?? "");
}

/** The signed JSON form of an asset or archive. */
export function assetToJson(value: Asset | Archive): JsonObject {
    const hash: JsonObject = value.hash === "" ? {} : { hash: value.hash };
    if (value instanceof Asset) {
        return { [SIGNATURE_KEY]: ASSET_SIGNATURE, ...hash, ...(value.source as JsonObject) };
    }
    const { path, uri, assets } = value.source;
    const source: JsonObject =
        path !== undefined
            ? { path }
            : uri !== undefined
              ? { uri }
              : { assets: Object.fromEntries(Object.entries(assets ?? {}).map(([k, v]) => [k, assetToJson(v)])) };
    return { [SIGNATURE_KEY]: ARCHIVE_SIGNATURE, ...hash, ...source };
}

function mapToWire(map: PropertyMap, secrets: "keep" | "reveal"): JsonObject {
    return mapProperties(map, (value) => toWire(value, secrets)) as JsonObject;
}

/** Encodes one value for the protocol. */
export function toWire(value: Value, secrets: "keep" | "reveal"): Json {
    if (value instanceof Secret) {
        const inner = toWire(value.value, secrets);
        return secrets === "keep" ? { [SIGNATURE_KEY]: SECRET_SIGNATURE, value: inner } : inner;
    }
    if (value instanceof Unknown) {
        return UNKNOWN_STRING;
    }
    if (value instanceof Asset || value instanceof Archive) {
        return assetToJson(value);
    }
    if (value instanceof ResourceReference) {
        return {
            [SIGNATURE_KEY]: RESOURCE_SIGNATURE,
            urn: value.urn,
            ...(value.id === undefined ? {} : { id: toWire(value.id, secrets) }),
            ...(value.packageVersion === "" ? {} : { packageVersion: value.packageVersion }),
        };
    }
    if (Array.isArray(value)) {
        return value.map((item) => toWire(item, secrets));
    }
    return isObject(value) ? mapToWire(value, secrets) : value;
}
