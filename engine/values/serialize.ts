import { NotSupported, UserError } from "../errors";
import { type Crypter } from "../secrets/crypter";
import {
    ARCHIVE_SIGNATURE,
    ASSET_SIGNATURE,
    RESOURCE_SIGNATURE,
    SECRET_SIGNATURE,
    SIGNATURE_KEY,
    UNKNOWN_STRING,
} from "./signatures";
import { Archive, Asset, type PropertyMap, ResourceReference, Secret, UNKNOWN, Unknown, type Value } from "./value";
import { archiveFrom, assetFrom, assetToJson, type Json } from "./wire";

/** A number that JSON cannot say (NaN, the infinities), as the 16 hex digits of its IEEE 754 bits. */
const FLOAT_SIGNATURE = "8ad145fe-0d11-4827-bfd7-1abcbf086f5c";

type JsonObject = { [key: string]: Json };

/**
 * Turns values to and from the JSON of a state file, where a secret is the ciphertext of its JSON text.
 *
 * A secret that was read keeps its ciphertext when it is written again: by identity, and by plaintext within one
 * `scope` (a resource's URN), so that a state without changes stays the same, byte by byte. Not beyond a scope, as
 * equal ciphertexts tell that two secrets are equal.
 *
 * Source: pulumi/pulumi pkg/resource/stack/deployment.go.
 */
export class ValueCodec {
    private readonly byIdentity = new WeakMap<Secret, string>();
    private readonly byPlaintext = new Map<string, string>();

    constructor(private readonly crypter: Crypter) {}

    decodeMap(json: JsonObject, scope: string): PropertyMap {
        return mapObject<Json, Value>(json, (item) => this.decode(item, scope));
    }

    /** Throws a `UserError` for secrets that do not decrypt and for malformed signed objects. */
    decode(json: Json, scope: string): Value {
        return decodeWith(json, (object) => this.decodeSecret(object, scope));
    }

    encodeMap(map: PropertyMap, scope: string): JsonObject {
        return mapObject(map, (item) => this.encode(item, scope));
    }

    /** The value as a state file has it; keys are sorted as the official CLI sorts them. */
    encode(value: Value, scope: string): Json {
        return encodeWith(value, (secret) => ({
            [SIGNATURE_KEY]: SECRET_SIGNATURE,
            ciphertext: this.encrypt(secret, scope),
        }));
    }

    private decodeSecret(object: JsonObject, scope: string): Secret {
        const { ciphertext, plaintext } = object;
        if (typeof ciphertext === "string" && plaintext === undefined) {
            const text = this.crypter.decrypt(ciphertext);
            const secret = new Secret(decodePlaintext(text));
            this.remember(secret, text, scope, ciphertext);
            return secret;
        }
        if (typeof plaintext === "string" && ciphertext === undefined) {
            return new Secret(decodePlaintext(plaintext));
        }
        throw new UserError("a secret in the state has not exactly one of ciphertext and plaintext");
    }

    private encrypt(secret: Secret, scope: string): string {
        const known = this.byIdentity.get(secret);
        if (known !== undefined) {
            return known;
        }
        const plaintext = plaintextOf(secret);
        const ciphertext = this.byPlaintext.get(`${scope}\n${plaintext}`) ?? this.crypter.encrypt(plaintext);
        this.remember(secret, plaintext, scope, ciphertext);
        return ciphertext;
    }

    private remember(secret: Secret, plaintext: string, scope: string, ciphertext: string): void {
        this.byIdentity.set(secret, ciphertext);
        const key = `${scope}\n${plaintext}`;
        if (!this.byPlaintext.has(key)) {
            this.byPlaintext.set(key, ciphertext);
        }
    }
}

/** The value as `stack export --show-secrets` has it: secrets as the JSON text of their value, in clear. */
export function encodeRevealed(value: Value): Json {
    return encodeWith(value, (secret) => ({ [SIGNATURE_KEY]: SECRET_SIGNATURE, plaintext: plaintextOf(secret) }));
}

/** Within a secret, secrets are only marked: the whole is encrypted anyhow. */
function plaintextOf(secret: Secret): string {
    return JSON.stringify(
        encodeWith(secret.value, (inner) => ({ [SIGNATURE_KEY]: SECRET_SIGNATURE, ciphertext: plaintextOf(inner) })),
    );
}

function decodePlaintext(text: string): Value {
    let json: Json;
    try {
        json = JSON.parse(text) as Json;
    } catch {
        throw new UserError("a secret in the state is not JSON once decrypted");
    }
    return decodeWith(json, ({ ciphertext, plaintext }) => {
        const inner = ciphertext ?? plaintext;
        if (typeof inner !== "string") {
            throw new UserError("a secret within a secret in the state has no text");
        }
        return new Secret(decodePlaintext(inner));
    });
}

function decodeWith(json: Json, secret: (object: JsonObject) => Secret): Value {
    if (typeof json === "string") {
        return json === UNKNOWN_STRING ? UNKNOWN : json;
    }
    if (Array.isArray(json)) {
        return json.map((item) => decodeWith(item, secret));
    }
    if (json === null || typeof json !== "object") {
        return json;
    }
    if (!Object.hasOwn(json, SIGNATURE_KEY)) {
        return mapObject(json, (item) => decodeWith(item, secret) as Json);
    }
    switch (json[SIGNATURE_KEY]) {
        case SECRET_SIGNATURE:
            return secret(json);
        case ASSET_SIGNATURE:
            return assetFrom(json);
        case ARCHIVE_SIGNATURE:
            return archiveFrom(json);
        case RESOURCE_SIGNATURE:
            return referenceFrom(json);
        case FLOAT_SIGNATURE:
            return floatFrom(json["value"]);
        default:
            throw new NotSupported(`a value with the signature ${JSON.stringify(json[SIGNATURE_KEY])} in the state`);
    }
}

function encodeWith(value: Value, secret: (secret: Secret) => Json): Json {
    if (value instanceof Secret) {
        return secret(value);
    }
    if (value instanceof Unknown) {
        return UNKNOWN_STRING;
    }
    if (value instanceof Asset || value instanceof Archive) {
        return sorted(assetToJson(value));
    }
    if (value instanceof ResourceReference) {
        return {
            [SIGNATURE_KEY]: RESOURCE_SIGNATURE,
            // The id of a custom resource that does not exist yet is the empty text, as the official engine has it.
            ...(value.id === undefined ? {} : { id: typeof value.id === "string" ? value.id : "" }),
            packageVersion: value.packageVersion,
            urn: value.urn,
        };
    }
    if (Array.isArray(value)) {
        return value.map((item) => encodeWith(item, secret));
    }
    if (typeof value === "number" && !Number.isFinite(value)) {
        const bits = Buffer.alloc(8);
        bits.writeDoubleBE(value);
        return { [SIGNATURE_KEY]: FLOAT_SIGNATURE, value: bits.toString("hex") };
    }
    return typeof value === "object" && value !== null ? mapObject(value, (item) => encodeWith(item, secret)) : value;
}

function referenceFrom({ urn, id, packageVersion }: JsonObject): ResourceReference {
    if (typeof urn !== "string" || (id !== undefined && typeof id !== "string")) {
        throw new UserError("a resource reference in the state is malformed");
    }
    return new ResourceReference(urn, id, typeof packageVersion === "string" ? packageVersion : "");
}

function floatFrom(hex: Json | undefined): number {
    if (typeof hex !== "string" || !/^[0-9a-f]{16}$/i.test(hex)) {
        throw new UserError("a number in the state is malformed");
    }
    return Buffer.from(hex, "hex").readDoubleBE();
}

/** A copy with the keys sorted, as Go's JSON encoder writes maps. */
function sorted(json: Json): Json {
    if (Array.isArray(json)) {
        return json.map(sorted);
    }
    return typeof json === "object" && json !== null ? mapObject(json, sorted) : json;
}

function mapObject<From, To>(object: Record<string, From>, change: (item: From) => To): { [key: string]: To } {
    return Object.fromEntries(
        Object.keys(object)
            .sort()
            .map((key) => [key, change(object[key] as From)]),
    );
}
