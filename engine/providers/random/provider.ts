import { NotSupported } from "../../errors";
import { changedKeys, detailedFrom, diffProperties } from "../../values/diff";
import {
    containsUnknown,
    isObject,
    type PropertyMap,
    revealed,
    revealedMap,
    Secret,
    type Value,
} from "../../values/value";
import {
    type CheckFailure,
    type DiffResult,
    type OperationContext,
    type Provider,
    type ReadOutcome,
    type ResourceOutcome,
} from "../provider";
import { RANDOM_TYPES, type RandomType } from "./types";

const RANDOM_BYTES = "random:index/randomBytes:RandomBytes";
const ONE_OF_TWO = ["number", "numeric"] as const;

type Old = { id: string; inputs: PropertyMap; outputs: PropertyMap };

/**
 * Package `random` as its provider 4.21.1, by the system's secure generator: what was made once stays until an input
 * changes, then it is made anew.
 */
export class RandomProvider implements Provider {
    readonly pkg = "random";

    supports(type: string): boolean {
        return Object.hasOwn(RANDOM_TYPES, type);
    }

    async check(
        context: OperationContext,
        _olds: PropertyMap | undefined,
        news: PropertyMap,
    ): Promise<{ inputs: PropertyMap; failures: readonly CheckFailure[] }> {
        const type = typeOf(context);
        const inputs = Object.fromEntries(Object.entries(news).filter(([, value]) => value !== null));
        if (revealed(inputs["seed"] ?? "") !== "") {
            throw new NotSupported(`seed of ${context.type}`);
        }
        const failures = [
            ...Object.entries(inputs).flatMap(([name, value]) => wrongShape(type, name, revealed(value))),
            ...type.required
                .filter((name) => inputs[name] === undefined)
                .map((name) => ({ property: name, reason: "missing required property" })),
        ];
        const fault =
            failures.length === 0 && !containsUnknown(inputs) ? type.fault(completed(type, inputs)) : undefined;
        if (fault !== undefined) {
            failures.push({ property: "", reason: fault });
        }
        return { inputs, failures };
    }

    async diff(context: OperationContext, old: Old, news: PropertyMap): Promise<DiffResult> {
        // An input that is left out and one that is given as its default are the same.
        const type = typeOf(context);
        const difference = diffProperties(completed(type, old.inputs), completed(type, news));
        const keys = changedKeys(difference);
        const replaces = replacing(old.inputs, news);
        return {
            changes: difference !== undefined,
            replaceKeys: keys.filter(replaces),
            deleteBeforeReplace: false,
            changedKeys: keys,
            stables: [],
            detailed: detailedFrom(difference, ([key]) => replaces(String(key))),
        };
    }

    async preview(context: OperationContext, old: Old | undefined, news: PropertyMap): Promise<PropertyMap> {
        const type = typeOf(context);
        warnOfLeak(context);
        return { ...(old?.outputs ?? {}), ...withMarks(news, completed(type, news)) };
    }

    async create(context: OperationContext, inputs: PropertyMap): Promise<ResourceOutcome> {
        const type = typeOf(context);
        warnOfLeak(context);
        const plain = completed(type, inputs);
        const { id, outputs } = await type.generate(plain);
        return { id, outputs: { ...withMarks(inputs, plain), ...outputs, ...recordOf(type, plain) } };
    }

    /** Only for changes that keep what was made: keepers that came or went. */
    async update(context: OperationContext, old: Old, news: PropertyMap): Promise<ResourceOutcome> {
        const type = typeOf(context);
        const plain = completed(type, news);
        const made = Object.entries(old.outputs).filter(([name]) => !Object.hasOwn(type.inputs, name));
        return {
            id: old.id,
            outputs: { ...Object.fromEntries(made), ...withMarks(news, plain), ...recordOf(type, plain) },
        };
    }

    async read(_context: OperationContext, old: Old): Promise<ReadOutcome> {
        return { id: old.id, inputs: old.inputs, outputs: old.outputs };
    }

    async delete(): Promise<void> {
        // There is nothing but the state.
    }

    async close(): Promise<void> {
        // Nothing was opened.
    }
}

function warnOfLeak(context: OperationContext): void {
    if (context.type === RANDOM_BYTES) {
        context.log(
            "a RandomBytes has its value as its id, in clear in the state; " +
                "take a RandomPassword for what is secret and derive the bytes from it",
            "warning",
        );
    }
}

function typeOf(context: OperationContext): RandomType {
    const type = RANDOM_TYPES[context.type];
    if (type === undefined) {
        throw new NotSupported(`resource type ${context.type}`);
    }
    return type;
}

/** The revealed inputs with the defaults of those left out. `number` is the old name of `numeric`. */
function completed(type: RandomType, inputs: PropertyMap): PropertyMap {
    const given = revealedMap(inputs);
    const flag = ONE_OF_TWO.map((name) => given[name]).find((value) => value !== undefined);
    const both: PropertyMap =
        Object.hasOwn(type.inputs, "numeric") && flag !== undefined ? { number: flag, numeric: flag } : {};
    return { ...type.defaults, ...given, ...both };
}

/** The completed inputs with the secrets among the given ones marked again. */
function withMarks(inputs: PropertyMap, complete: PropertyMap): PropertyMap {
    return { ...complete, ...inputs };
}

/** Keepers may come and go without a new value; everything else, and any change of keepers, makes a new one. */
function replacing(olds: PropertyMap, news: PropertyMap): (key: string) => boolean {
    const kept = [olds, news].every((map) => map["keepers"] !== undefined);
    return (key) => key !== "keepers" || kept;
}

/**
 * What the official provider records beside the outputs to rebuild its own form of the state from them: the inputs that
 * are null there. It does without where it finds no record, so none is made when keepers, which it records in a way of
 * their own, are given.
 */
function recordOf(type: RandomType, inputs: PropertyMap): PropertyMap {
    const meta: PropertyMap =
        type.schemaVersion === undefined
            ? {}
            : { __meta: JSON.stringify({ schema_version: String(type.schemaVersion) }) };
    if (inputs["keepers"] !== undefined) {
        return meta;
    }
    const absent = Object.keys(type.inputs).filter((name) => inputs[name] === undefined);
    const deltas = absent.map((name) => [name, new Secret({ replace: { raw: null } })]);
    return { ...meta, __pulumi_raw_state_delta: { obj: { ps: Object.fromEntries(deltas) as PropertyMap } } };
}

function wrongShape(type: RandomType, name: string, value: Value): CheckFailure[] {
    const shape = type.inputs[name];
    if (shape === undefined) {
        return [{ property: name, reason: "unknown property" }];
    }
    if (containsUnknown(value)) {
        return [];
    }
    const fits = {
        string: typeof value === "string",
        boolean: typeof value === "boolean",
        integer: typeof value === "number" && Number.isInteger(value),
        strings: isObject(value) && Object.values(value).every((item) => typeof item === "string"),
    };
    const expected = {
        string: "a string",
        boolean: "a boolean",
        integer: "an integer",
        strings: "an object of strings",
    };
    return fits[shape] ? [] : [{ property: name, reason: `expected ${expected[shape]}` }];
}
