import { UserError } from "../errors";
import { type Json } from "../values/wire";
import { fullKey } from "./stackConfig";

/** What `Pulumi.yaml` says of one config key. A key of the project without `default` and `value` is required. */
export interface ConfigDeclaration {
    readonly type?: ConfigType;
    readonly secret: boolean;
    readonly default?: Json;
    readonly value?: Json;
}

/** `items` is there for arrays only. */
export interface ConfigType {
    readonly name: "string" | "integer" | "boolean" | "array" | "object";
    readonly items?: ConfigType;
}

type JsonObject = { [key: string]: Json };

const TYPES = ["string", "integer", "boolean", "array", "object"];
const KNOWN = ["type", "items", "description", "secret", "default", "value"];

/**
 * The declarations by full key, sorted. A bare value is the default of a project's key and the value of a foreign
 * one. Source: pulumi/pulumi sdk/go/common/workspace/project.{go,json}.
 */
export function readDeclarations(config: Json, project: string, file: string): Map<string, ConfigDeclaration> {
    if (!isObject(config)) {
        throw new UserError(`"config" in ${file} is not a map`, "write it as <key>: <declaration> lines");
    }
    const declarations = Object.keys(config).map((key) => {
        const full = fullKey(key, project);
        return [full, readDeclaration(config[key] ?? null, key, full.startsWith(`${project}:`), file)] as const;
    });
    return new Map(declarations.sort(([left], [right]) => (left < right ? -1 : 1)));
}

function readDeclaration(json: Json, key: string, own: boolean, file: string): ConfigDeclaration {
    const fail = (problem: string, remedy: string): UserError =>
        new UserError(`the config key ${JSON.stringify(key)} in ${file} ${problem}`, remedy);
    if (!isObject(json)) {
        return json === null ? { secret: false } : { secret: false, [own ? "default" : "value"]: json };
    }
    const unknown = Object.keys(json).find((field) => !KNOWN.includes(field));
    if (unknown !== undefined) {
        throw fail(`has the unknown field ${JSON.stringify(unknown)}`, `it may have ${KNOWN.join(", ")}`);
    }
    const { default: fallback, value, secret } = json;
    if (!isNothing(fallback) && !isNothing(value)) {
        throw fail("has both a default and a value", "keep one of them");
    }
    if (!own && (!isNothing(fallback) || json["type"] !== undefined || isNothing(value))) {
        throw fail("is of another namespace, but has no value or a type or default", 'give it a "value" only');
    }
    const type = json["type"] === undefined ? undefined : readType(json, fail);
    return {
        secret: secret === true,
        ...(type === undefined ? {} : { type }),
        ...(isNothing(fallback) ? {} : { default: fallback }),
        ...(isNothing(value) ? {} : { value }),
    };
}

function readType(json: JsonObject, fail: (problem: string, remedy: string) => UserError): ConfigType {
    const { type, items } = json;
    if (typeof type !== "string" || !TYPES.includes(type)) {
        throw fail(`has the type ${JSON.stringify(type)}`, `use one of ${TYPES.join(", ")}`);
    }
    if (type !== "array") {
        return { name: type as ConfigType["name"] };
    }
    if (items === undefined || !isObject(items)) {
        throw fail("is an array without the type of its elements", 'add "items: {type: …}"');
    }
    return { name: "array", items: readType(items, fail) };
}

/** Throws a `UserError` when the default is not of the declared type. */
export function checkDefault(declaration: ConfigDeclaration, key: string, file: string): void {
    const { type, default: fallback } = declaration;
    if (type !== undefined && fallback !== undefined && !fits(fallback, type)) {
        throw new UserError(`the default of ${key} in ${file} is not of type ${typeName(type)}`, "correct one of them");
    }
}

/** Whether a value is of the type; texts that say a whole number or true and false count as such. */
export function fits(value: Json, type: ConfigType): boolean {
    switch (type.name) {
        case "string":
            return typeof value === "string";
        case "integer":
            return typeof value === "string" ? /^[+-]?\d+$/.test(value) : Number.isInteger(value);
        case "boolean":
            return typeof value === "boolean" || value === "true" || value === "false";
        case "object":
            return isObject(value);
        case "array": {
            const { items } = type;
            return Array.isArray(value) && items !== undefined && value.every((item) => fits(item, items));
        }
    }
}

/** `array<string>` and the like. */
export function typeName(type: ConfigType): string {
    return type.items === undefined ? type.name : `${type.name}<${typeName(type.items)}>`;
}

function isObject(value: Json | undefined): value is JsonObject {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNothing(value: Json | undefined): value is undefined | null {
    return value === undefined || value === null;
}
