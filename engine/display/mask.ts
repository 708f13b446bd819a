import { type DeploymentEvent } from "../run/events";
import { UNKNOWN_STRING } from "../values/signatures";
import {
    Archive,
    Asset,
    type PropertyMap,
    ResourceReference,
    Secret,
    Unknown,
    type Value,
    isArray,
    isObject,
    mapProperties,
} from "../values/value";
import { assetToJson, type Json } from "../values/wire";

/** What stands in place of every secret. */
export const MASK = "[secret]";

/**
 * A value as JSON that may be shown: secrets as `[secret]`, unknown values as the protocol's mark, as the official
 * `--json` has them.
 */
export function printable(value: Value, showSecrets = false): Json {
    if (value instanceof Secret) {
        return showSecrets ? printable(value.value, true) : MASK;
    }
    if (value instanceof Unknown) {
        return UNKNOWN_STRING;
    }
    if (value instanceof Asset || value instanceof Archive) {
        return assetToJson(value);
    }
    if (value instanceof ResourceReference) {
        return value.id === undefined ? value.urn : printable(value.id, showSecrets);
    }
    if (isArray(value)) {
        return value.map((item) => printable(item, showSecrets));
    }
    return isObject(value) ? printableMap(value, showSecrets) : value;
}

/** `printable` for a property map. */
export function printableMap(map: PropertyMap, showSecrets = false): { [key: string]: Json } {
    return mapProperties(map, (value) => printable(value, showSecrets)) as { [key: string]: Json };
}

/** Removes the plaintext of secrets from text, for what a command or a program prints by itself. */
export interface Mask {
    /** Remembers the secrets of a property map. */
    readonly learn: (map: PropertyMap) => void;
    /**
     * The same for a resource's inputs. A line that stands in clear in one of them is nothing to hide, even where a
     * secret text has it too: steps share functions with a step whose whole text is secret.
     */
    readonly learnInputs: (map: PropertyMap) => void;
    readonly apply: (text: string) => string;
}

/** A mask that lets everything through, for `--show-secrets`. */
export const NO_MASK: Mask = { learn: () => undefined, learnInputs: () => undefined, apply: (text) => text };

/**
 * Names of properties whose strings are hidden from text even where only the object around them is secret. The others
 * of such an object are not: a secret `connection` holds words like a user's name that mean something else elsewhere.
 */
const SENSITIVE_NAME = /pass|secret|token|private|credential/i;

/** Shorter secrets are not looked for in text, as in the official CLI: they would hit by chance too often. */
const SHORTEST = 3;

/** A line of a secret of several lines is looked for only if it cannot well be one of some other text. */
const SHORTEST_LINE = 16;

/** The lines of a text that could be told from lines of some other text. */
function linesOf(text: string): string[] {
    return text
        .split(/\r?\n/)
        .map((line) => line.trim())
        .filter((line) => line.length >= SHORTEST_LINE);
}

/** A mask that knows no secret yet. */
export function createMask(): Mask {
    const known = new Set<string>();
    const knownLines = new Set<string>();
    const inClear = new Set<string>();
    let longestFirst: string[] | undefined = [];

    const add = (text: string): void => {
        if (text.length >= SHORTEST && !/^(true|false)$/i.test(text) && !known.has(text)) {
            known.add(text);
            longestFirst = undefined;
        }
    };
    const learnText = (text: string): void => {
        if (known.has(text)) {
            return;
        }
        add(text);
        // What goes through a shell loses its last line end, and what is shown comes line by line.
        add(text.trim());
        add(JSON.stringify(text).slice(1, -1));
        for (const line of linesOf(text)) {
            knownLines.add(line);
        }
        longestFirst = undefined;
    };
    const learnWithin = (value: Value, sensitive: boolean): void => {
        if (value instanceof Secret) {
            learnWithin(value.value, true);
        } else if (typeof value === "string") {
            if (sensitive) {
                learnText(value);
            }
        } else if (isArray(value)) {
            value.forEach((item) => learnWithin(item, sensitive));
        } else if (isObject(value)) {
            for (const key of Object.keys(value)) {
                learnWithin(value[key] ?? null, sensitive && SENSITIVE_NAME.test(key));
            }
        } else if (value instanceof Asset && sensitive && value.source.text !== undefined) {
            learnText(value.source.text);
        }
    };

    const learnInClear = (value: Value): void => {
        if (typeof value === "string") {
            for (const line of linesOf(value)) {
                if (!inClear.has(line)) {
                    inClear.add(line);
                    longestFirst = undefined;
                }
            }
        } else if (isArray(value)) {
            value.forEach(learnInClear);
        } else if (isObject(value)) {
            Object.values(value).forEach((item) => learnInClear(item ?? null));
        }
    };
    const learn = (map: PropertyMap): void => {
        for (const key of Object.keys(map)) {
            learnWithin(map[key] ?? null, false);
        }
    };

    return {
        learn,
        learnInputs: (map) => {
            learn(map);
            Object.values(map).forEach((value) => learnInClear(value ?? null));
        },
        apply: (text) => {
            longestFirst ??= [...known, ...[...knownLines].filter((line) => !inClear.has(line))].sort(
                (left, right) => right.length - left.length,
            );
            let masked = text;
            for (const secret of longestFirst) {
                if (masked.includes(secret)) {
                    masked = masked.replaceAll(secret, MASK);
                }
            }
            return masked;
        },
    };
}

/** Remembers every secret that an event brings. */
export function learnSecrets(mask: Mask, event: DeploymentEvent): void {
    switch (event.kind) {
        case "start":
            mask.learn(event.config);
            return;
        case "step-start":
            for (const state of [event.step.old, event.step.new]) {
                mask.learnInputs(state?.inputs ?? {});
                mask.learn(state?.outputs ?? {});
            }
            return;
        case "step-done":
            mask.learn(event.new?.outputs ?? {});
            return;
        case "end":
            mask.learn(event.oldOutputs);
            mask.learn(event.outputs);
            return;
        case "step-failed":
        case "message":
        case "program-output":
            return;
    }
}
