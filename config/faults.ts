/** One thing that is wrong (or, as a warning, doubtful) in the configuration. */
export interface Fault {
    /** Where, as a user would write it: `nodes[1].address`. */
    path: string;
    /** What stands there, or `undefined` when nothing does. */
    value: unknown;
    /** What is wrong with it, as the rest of a sentence that begins with the path. */
    problem: string;
    /** What to do about it, as an imperative. */
    remedy: string;
}

/** Takes a fault; the parser and the rules report, and never stop at the first. */
export type Report = (fault: Fault) => void;

const LONGEST_VALUE = 60;

/**
 * The value as a person recognises it: JSON, cut to 60 characters. What looks like a private key is never shown.
 */
export function showValue(value: unknown): string {
    const text = JSON.stringify(value) ?? String(value);
    if (text.includes("PRIVATE KEY")) {
        return "(a private key, not shown)";
    }
    return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE - 1)}…` : text;
}

/** A readable list of faults: three lines for each (where and what, what is wrong, what to do). */
export function renderFaults(faults: readonly Fault[]): string {
    return faults
        .map(({ path, value, problem, remedy }, index) => {
            const number = `${index + 1}.`.padStart(5);
            const shown = value === undefined ? path : `${path} = ${showValue(value)}`;
            return `${number} ${shown}\n      ${problem}\n      → ${remedy}`;
        })
        .join("\n");
}

/** The only error this room throws: every fault of a configuration at once. */
export class ConfigError extends Error {
    constructor(readonly faults: readonly Fault[]) {
        const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
        super(`The configuration has ${count}:\n${renderFaults(faults)}`);
        this.name = "ConfigError";
    }
}
