import { UserError } from "../errors";
import { type Globals, type Terminal } from "./globals";

/** What the verbs of the command line get; read when a verb runs, after the flags have been parsed. */
export interface CliContext {
    globals(): Globals;
    terminal(): Terminal;
}

/** Prints `value` as the official CLI prints JSON for machines. */
export function printJson(terminal: Terminal, value: unknown, indent = 2): void {
    terminal.out(`${JSON.stringify(value, undefined, indent)}\n`);
}

/** Prints rows under their headers, columns two spaces apart. */
export function printTable(terminal: Terminal, rows: readonly (readonly string[])[], indent = ""): void {
    const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
    for (const row of rows) {
        const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
        terminal.out(`${indent}${cells.join("  ").trimEnd()}\n`);
    }
}

/** Lets the user type `answer`; throws a `UserError` when they do not, or cannot be asked. */
export async function confirm(terminal: Terminal, warning: string, answer: string): Promise<void> {
    if (terminal.ask === undefined) {
        throw new UserError("this needs to be confirmed, but nobody can be asked", "pass --yes to confirm it");
    }
    terminal.err(`${warning}\n`);
    if (
        (await terminal.ask(`Please confirm that this is what you'd like to do by typing \`${answer}\`: `, false)) !==
        answer
    ) {
        throw new UserError("not confirmed, nothing was changed");
    }
}
