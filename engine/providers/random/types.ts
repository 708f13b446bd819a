import { randomBytes, randomInt } from "node:crypto";
import { hash } from "bcryptjs";
import { type PropertyMap, Secret, type Value } from "../../values/value";
import { type ResourceOutcome } from "../provider";
import { petName } from "./pets";
import { randomString, type StringRules, rulesFault } from "./strings";

type Shape = "string" | "integer" | "boolean" | "strings";

/** One resource type of package `random`. */
export interface RandomType {
    readonly inputs: Readonly<Record<string, Shape>>;
    readonly required: readonly string[];
    /** Outputs that inputs left out come out with. */
    readonly defaults: PropertyMap;
    /** Version of the state's schema that the official provider records; absent: none. */
    readonly schemaVersion?: number;
    /** What is wrong with complete, known inputs; `undefined` if nothing. */
    fault(inputs: PropertyMap): string | undefined;
    /** Makes the random part: the id, and what is an output besides the inputs. */
    generate(inputs: PropertyMap): Promise<ResourceOutcome>;
}

/** The official provider's library has this cost. */
const BCRYPT_COST = 10;
/** bcrypt looks at no more bytes than that. */
const BCRYPT_BYTES = 72;
const KEEPERS = { keepers: "strings" } as const;

const STRING_INPUTS = {
    ...KEEPERS,
    length: "integer",
    lower: "boolean",
    upper: "boolean",
    numeric: "boolean",
    number: "boolean",
    special: "boolean",
    minLower: "integer",
    minUpper: "integer",
    minNumeric: "integer",
    minSpecial: "integer",
    overrideSpecial: "string",
} as const;

const STRING_DEFAULTS = {
    lower: true,
    upper: true,
    numeric: true,
    number: true,
    special: true,
    minLower: 0,
    minUpper: 0,
    minNumeric: 0,
    minSpecial: 0,
};

const password: RandomType = {
    inputs: STRING_INPUTS,
    required: ["length"],
    defaults: STRING_DEFAULTS,
    schemaVersion: 3,
    fault: (inputs) => rulesFault(rulesFrom(inputs)),
    generate: async (inputs) => {
        const result = randomString(rulesFrom(inputs));
        const hashed = Buffer.from(result).subarray(0, BCRYPT_BYTES).toString();
        return {
            id: "none",
            outputs: {
                result: new Secret(result),
                // The official library writes the older of two names of the same algorithm.
                bcryptHash: new Secret((await hash(hashed, BCRYPT_COST)).replace(/^\$2b\$/, "$2a$")),
                id: "none",
            },
        };
    },
};

const string: RandomType = {
    inputs: STRING_INPUTS,
    required: ["length"],
    defaults: STRING_DEFAULTS,
    schemaVersion: 2,
    fault: (inputs) => rulesFault(rulesFrom(inputs)),
    generate: async (inputs) => {
        const result = randomString(rulesFrom(inputs));
        return { id: result, outputs: { result, id: result } };
    },
};

const uuid: RandomType = {
    inputs: KEEPERS,
    required: [],
    defaults: {},
    fault: () => undefined,
    generate: async () => {
        // As the official provider's: random in all its bits, without the marks of a version 4 UUID.
        const result = randomBytes(16)
            .toString("hex")
            .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
        return { id: result, outputs: { result, id: result } };
    },
};

const bytes: RandomType = {
    inputs: { ...KEEPERS, length: "integer" },
    required: ["length"],
    defaults: {},
    fault: (inputs) => (numberOf(inputs["length"]) < 1 ? "length must be at least 1" : undefined),
    generate: async (inputs) => {
        const made = randomBytes(numberOf(inputs["length"]));
        const base64 = made.toString("base64");
        return { id: base64, outputs: { base64: new Secret(base64), hex: new Secret(made.toString("hex")) } };
    },
};

const id: RandomType = {
    inputs: { ...KEEPERS, byteLength: "integer", prefix: "string" },
    required: ["byteLength"],
    defaults: {},
    fault: (inputs) => (numberOf(inputs["byteLength"]) < 1 ? "byteLength must be at least 1" : undefined),
    generate: async (inputs) => {
        const made = randomBytes(numberOf(inputs["byteLength"]));
        const prefix = textOf(inputs["prefix"]);
        const url = made.toString("base64url");
        const hex = made.toString("hex");
        return {
            id: url,
            outputs: {
                id: url,
                b64Url: prefix + url,
                b64Std: prefix + made.toString("base64"),
                hex: prefix + hex,
                dec: prefix + BigInt(`0x${hex}`).toString(),
            },
        };
    },
};

/** `randomInt` takes no wider range. */
const MAX_RANGE = 2 ** 48 - 1;

const integer: RandomType = {
    inputs: { ...KEEPERS, min: "integer", max: "integer", seed: "string" },
    required: ["min", "max"],
    defaults: {},
    fault: (inputs) => {
        const [min, max] = [numberOf(inputs["min"]), numberOf(inputs["max"])];
        if (max < min) {
            return "The minimum (min) value needs to be smaller than or equal to maximum (max) value.";
        }
        return max - min >= MAX_RANGE ? "the range from min to max is too wide" : undefined;
    },
    generate: async (inputs) => {
        const result = randomInt(numberOf(inputs["min"]), numberOf(inputs["max"]) + 1);
        return { id: String(result), outputs: { result, id: String(result) } };
    },
};

const pet: RandomType = {
    inputs: { ...KEEPERS, length: "integer", prefix: "string", separator: "string" },
    required: [],
    defaults: { length: 2, separator: "-" },
    fault: (inputs) => (numberOf(inputs["length"]) < 1 ? "length must be at least 1" : undefined),
    generate: async (inputs) => {
        const separator = textOf(inputs["separator"]);
        const prefix = textOf(inputs["prefix"]);
        const name = petName(numberOf(inputs["length"]), separator);
        const made = prefix === "" ? name : prefix + separator + name;
        return { id: made, outputs: { id: made } };
    },
};

/** The types this engine makes, by type token. */
export const RANDOM_TYPES: Readonly<Record<string, RandomType>> = {
    "random:index/randomPassword:RandomPassword": password,
    "random:index/randomString:RandomString": string,
    "random:index/randomUuid:RandomUuid": uuid,
    "random:index/randomBytes:RandomBytes": bytes,
    "random:index/randomId:RandomId": id,
    "random:index/randomInteger:RandomInteger": integer,
    "random:index/randomPet:RandomPet": pet,
};

function rulesFrom(inputs: PropertyMap): StringRules {
    const flag = (name: string): boolean => inputs[name] !== false;
    return {
        length: numberOf(inputs["length"]),
        upper: flag("upper"),
        lower: flag("lower"),
        numeric: flag("numeric"),
        special: flag("special"),
        minUpper: numberOf(inputs["minUpper"]),
        minLower: numberOf(inputs["minLower"]),
        minNumeric: numberOf(inputs["minNumeric"]),
        minSpecial: numberOf(inputs["minSpecial"]),
        overrideSpecial: textOf(inputs["overrideSpecial"]),
    };
}

function numberOf(value: Value | undefined): number {
    return typeof value === "number" ? value : 0;
}

function textOf(value: Value | undefined): string {
    return typeof value === "string" ? value : "";
}
