import { type Crypter } from "../secrets/crypter";
import { UserError } from "../errors";
import { Secret, type Value } from "../values/value";
import { type Json } from "../values/wire";

/** A secret of the config: the ciphertext of a text, `{secure: …}` in the file. */
export class Secure {
    constructor(readonly ciphertext: string) {}
}

/** A config value as it stands in a stack's config file. */
export type ConfigValue = null | boolean | number | string | Secure | ConfigValue[] | { [key: string]: ConfigValue };

/** True for a map, false for secrets, lists and scalars. */
export function isMap(value: ConfigValue | undefined): value is { [key: string]: ConfigValue } {
    return typeof value === "object" && value !== null && !(value instanceof Secure) && !Array.isArray(value);
}

/** Whether it is a secret, or holds one. */
export function isSecure(value: ConfigValue): boolean {
    return (
        value instanceof Secure ||
        (Array.isArray(value) ? value.some(isSecure) : isMap(value) && Object.values(value).some(isSecure))
    );
}

/** Plain JSON as a config value; `{secure: <text>}` is a secret. */
export function fromJson(json: Json): ConfigValue {
    if (Array.isArray(json)) {
        return json.map(fromJson);
    }
    if (json === null || typeof json !== "object") {
        return json;
    }
    const keys = Object.keys(json);
    const secure = json["secure"];
    if (keys.length === 1 && typeof secure === "string") {
        return new Secure(secure);
    }
    return Object.fromEntries(keys.map((key) => [key, fromJson(json[key] ?? null)]));
}

/** As it stands in a file, secrets still encrypted; keys sorted. */
export function toJson(value: ConfigValue): Json {
    return convert(value, ({ ciphertext }) => ({ secure: ciphertext }));
}

/** In clear. Throws a `UserError` that names `key` for a secret that does not decrypt. */
export function revealedJson(value: ConfigValue, crypter: Crypter, key: string): Json {
    return convert(value, ({ ciphertext }) => {
        try {
            return crypter.decrypt(ciphertext);
        } catch {
            throw new UserError(
                `the config value ${key} cannot be decrypted, it was encrypted with another passphrase or salt`,
                `set it anew with \`pulumi config set --secret ${key}\``,
            );
        }
    });
}

/** Secrets marked as such, for showing and for comparing. */
export function toValue(value: ConfigValue, crypter: Crypter, key: string): Value {
    if (value instanceof Secure) {
        return new Secret(revealedJson(value, crypter, key));
    }
    if (Array.isArray(value)) {
        return value.map((item) => toValue(item, crypter, key));
    }
    return isMap(value)
        ? Object.fromEntries(
              Object.keys(value).map((name): [string, Value] => [name, toValue(value[name] ?? null, crypter, key)]),
          )
        : value;
}

/** The text the program gets: texts as they are, everything else as JSON. */
export function configText(json: Json): string {
    return typeof json === "string" ? json : JSON.stringify(json);
}

/**
 * What a text given to `config set --path` stands for: true, false and whole numbers are taken as such, but numbers
 * with leading zeros are texts. Source: pulumi/pulumi sdk/go/common/resource/config/object.go, `coerce`.
 */
export function coerced(text: string): ConfigValue {
    if (text === "true" || text === "false") {
        return text === "true";
    }
    const number = /^[+-]?\d+$/.test(text) && !/^0\d/.test(text) ? Number(text) : undefined;
    return number !== undefined && Number.isSafeInteger(number) ? number : text;
}

function convert(value: ConfigValue, secret: (secret: Secure) => Json): Json {
    if (value instanceof Secure) {
        return secret(value);
    }
    if (Array.isArray(value)) {
        return value.map((item) => convert(item, secret));
    }
    if (!isMap(value)) {
        return value;
    }
    return Object.fromEntries(
        Object.keys(value)
            .sort()
            .map((key) => [key, convert(value[key] ?? null, secret)]),
    );
}
