import { randomInt } from "node:crypto";

/** What the characters of a random string are taken from, and how many of each kind there must be. */
export interface StringRules {
    readonly length: number;
    readonly upper: boolean;
    readonly lower: boolean;
    readonly numeric: boolean;
    readonly special: boolean;
    readonly minUpper: number;
    readonly minLower: number;
    readonly minNumeric: number;
    readonly minSpecial: number;
    /** Used instead of the usual special characters, unless empty. */
    readonly overrideSpecial: string;
}

const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER = "abcdefghijklmnopqrstuvwxyz";
const DIGITS = "0123456789";
const SPECIAL = "!@#$%&*()-_=+[]{}<>:?";

/** A string by the rules, from the system's secure generator. Rules must have passed `rulesFault`. */
export function randomString(rules: StringRules): string {
    const special = rules.overrideSpecial === "" ? SPECIAL : rules.overrideSpecial;
    const all = [
        rules.upper ? UPPER : "",
        rules.lower ? LOWER : "",
        rules.numeric ? DIGITS : "",
        rules.special ? special : "",
    ].join("");
    const required = [
        ...pick(UPPER, rules.minUpper),
        ...pick(LOWER, rules.minLower),
        ...pick(DIGITS, rules.minNumeric),
        ...pick(special, rules.minSpecial),
    ];
    return shuffled([...required, ...pick(all, rules.length - required.length)]).join("");
}

/** Why no string can be made by the rules; `undefined` if one can. */
export function rulesFault(rules: StringRules): string | undefined {
    const minima = [rules.minUpper, rules.minLower, rules.minNumeric, rules.minSpecial];
    const required = minima.reduce((sum, count) => sum + count, 0);
    if (!Number.isInteger(rules.length) || rules.length < 1) {
        return "length must be at least 1";
    }
    if (minima.some((count) => !Number.isInteger(count) || count < 0)) {
        return "minUpper, minLower, minNumeric and minSpecial must not be negative";
    }
    if (required > rules.length) {
        return `length must be at least the sum of minUpper, minLower, minNumeric and minSpecial, ${required}`;
    }
    if (required < rules.length && !rules.upper && !rules.lower && !rules.numeric && !rules.special) {
        return "one of upper, lower, numeric and special must be true";
    }
    return undefined;
}

function pick(alphabet: string, count: number): string[] {
    return Array.from({ length: count }, () => alphabet.charAt(randomInt(alphabet.length)));
}

function shuffled(items: string[]): string[] {
    const mixed = [...items];
    for (let last = mixed.length - 1; last > 0; last--) {
        const other = randomInt(last + 1);
        [mixed[last], mixed[other]] = [mixed[other] ?? "", mixed[last] ?? ""];
    }
    return mixed;
}
