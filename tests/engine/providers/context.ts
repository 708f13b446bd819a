import { type OperationContext } from "../../../engine/providers/provider";

export interface TestContext extends OperationContext {
    /** What was shown, as `severity: line`. */
    readonly lines: string[];
}

/** A context of one operation that keeps what it is told to show. */
export function contextFor(type: string, name: string, signal = new AbortController().signal): TestContext {
    const lines: string[] = [];
    return {
        urn: `urn:pulumi:test::project::${type}::${name}`,
        type,
        name,
        lines,
        log: (line, severity) => void lines.push(`${severity}: ${line}`),
        signal,
    };
}
