import { NotSupported } from "../errors";
import { type Json } from "../values/wire";

export type JsonObject = { [key: string]: Json };

/**
 * Reads the fields of one JSON object, each with its expected type and the zero value when absent or null, as the
 * official decoder does; `refuseOthers` then names what nobody asked for, so that nothing is dropped silently.
 */
export class Fields {
    private readonly left: Set<string>;

    constructor(
        private readonly json: JsonObject,
        private readonly fail: (reason: string) => Error,
        private readonly where: string,
    ) {
        this.left = new Set(Object.keys(json));
    }

    text(key: string): string {
        return this.read(key, (value) => typeof value === "string", "a text", "");
    }

    number(key: string): number {
        return this.read(key, (value) => typeof value === "number", "a number", 0);
    }

    flag(key: string): boolean {
        return this.read(key, (value) => typeof value === "boolean", "true or false", false);
    }

    strings(key: string): string[] {
        return this.read(key, isStrings, "a list of texts", []);
    }

    /** With `orList`, an empty or other list counts as an object too: for what is only asked whether it is empty. */
    object(key: string, orList = false): JsonObject | undefined {
        return this.read<JsonObject | undefined>(
            key,
            (value) => isJsonObject(value) || (orList && Array.isArray(value)),
            "an object",
            undefined,
        );
    }

    objects(key: string): JsonObject[] {
        return this.read(key, (value) => Array.isArray(value) && value.every(isJsonObject), "a list of objects", []);
    }

    /** A map of names to lists of texts; null counts as an empty list. */
    lists(key: string): Record<string, string[]> {
        const map = this.object(key) ?? {};
        return Object.fromEntries(
            Object.keys(map).map((name) => [name, new Fields(map, this.fail, this.path(key)).strings(name)]),
        );
    }

    /** Any value; null when absent. */
    value(key: string): Json {
        this.left.delete(key);
        return this.json[key] ?? null;
    }

    ignore(key: string): void {
        this.left.delete(key);
    }

    /** Throws `NotSupported` for the fields that were not read and say something. */
    refuseOthers(): void {
        for (const key of this.left) {
            if (!isEmpty(this.json[key] ?? null)) {
                throw new NotSupported(`the field ${JSON.stringify(this.path(key))} in the state`);
            }
        }
    }

    private read<T>(key: string, fits: (value: Json) => boolean, expected: string, zero: T): T {
        const value = this.value(key);
        if (value === null) {
            return zero;
        }
        if (!fits(value)) {
            throw this.fail(`"${this.path(key)}" is not ${expected}`);
        }
        return value as T;
    }

    private path(key: string): string {
        return this.where === "" ? key : `${this.where}.${key}`;
    }
}

function isJsonObject(value: Json): value is JsonObject {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isStrings(value: Json): boolean {
    return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function isEmpty(value: Json): boolean {
    return (
        value === null ||
        value === "" ||
        value === false ||
        value === 0 ||
        (typeof value === "object" && Object.keys(value).length === 0)
    );
}
