import { UserError } from "../errors";
import { type Crypter } from "../secrets/crypter";
import { type PropertyMap } from "../values/value";
import { type Json } from "../values/wire";
import { configText, type ConfigValue, fromJson, isSecure, revealedJson, Secure, toValue } from "./configValue";
import { type Project } from "./project";
import { fits, typeName } from "./schema";
import { type StackConfig } from "./stackConfig";

/** A stack's config as its program gets it. */
export interface ResolvedConfig {
    /** PULUMI_CONFIG: by full key, secrets in clear; objects as JSON text. */
    readonly texts: Readonly<Record<string, string>>;
    /** PULUMI_CONFIG_SECRET_KEYS: the full keys of values that are or hold secrets. */
    readonly secretKeys: readonly string[];
    /** The same for showing: by full key, secrets marked. */
    readonly values: PropertyMap;
}

/**
 * The stack's values with the project's defaults, by full key, sorted; nothing is decrypted or checked.
 *
 * Source: pulumi/pulumi pkg/workspace/config.go.
 */
export function mergedConfig(project: Project, stack: StackConfig): Map<string, ConfigValue> {
    const merged = stack.values();
    for (const [key, declaration] of project.config) {
        const fallback = declaration.default ?? declaration.value;
        if (fallback !== undefined && !merged.has(key)) {
            // A default that is a scalar reaches the program as a text, whatever it is in YAML.
            const plain = typeof fallback === "object" ? fallback : configText(fallback);
            merged.set(key, fromJson(plain));
        }
    }
    return new Map([...merged].sort(([left], [right]) => (left < right ? -1 : 1)));
}

/**
 * Everything the program gets. Throws one `UserError` that names all required keys without a value, or the first
 * value that is not of its declared type, in clear though secret, or cannot be decrypted.
 */
export function resolveConfig(project: Project, stack: StackConfig, name: string, crypter: Crypter): ResolvedConfig {
    const merged = mergedConfig(project, stack);
    const own = `${project.name}:`;
    const missing = [...project.config.keys()].filter((key) => key.startsWith(own) && !merged.has(key));
    if (missing.length > 0) {
        const keys = missing.map((key) => key.slice(own.length));
        throw new UserError(
            `stack ${name} has no value for the config ${keys.length > 1 ? "keys" : "key"} ${keys.join(", ")}`,
            `set ${keys.length > 1 ? "each" : "it"} with ${missing
                .map((key) => {
                    const flag = project.config.get(key)?.secret === true ? "--secret " : "";
                    return `\`pulumi config set ${flag}${key.slice(own.length)} <value>\``;
                })
                .join(", ")}`,
        );
    }
    const revealed = new Map([...merged].map(([key, value]) => [key, revealedJson(value, crypter, key)]));
    for (const [key, json] of revealed) {
        check(project, name, key, merged.get(key) ?? null, json);
    }
    return {
        texts: Object.fromEntries([...revealed].map(([key, json]) => [key, configText(json)])),
        secretKeys: [...merged].filter(([, value]) => isSecure(value)).map(([key]) => key),
        values: Object.fromEntries([...merged].map(([key, value]) => [key, toValue(value, crypter, key)])),
    };
}

function check(project: Project, stack: string, key: string, value: ConfigValue, json: Json): void {
    const declaration = project.config.get(key);
    if (declaration?.type === undefined) {
        return;
    }
    if (declaration.secret && !isSecure(value)) {
        throw new UserError(
            `the config value ${key} of stack ${stack} is a secret but stands in clear`,
            `set it anew with \`pulumi config set --secret ${key}\``,
        );
    }
    // Scalars are texts to the program; their type is that of what the text says.
    const content = typeof json === "object" && !(value instanceof Secure) ? json : configText(json);
    if (!fits(content, declaration.type)) {
        throw new UserError(
            `the config value ${key} of stack ${stack} is not of type ${typeName(declaration.type)}`,
            `set it anew with \`pulumi config set ${key}\``,
        );
    }
}
