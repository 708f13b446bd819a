import { stripVTControlCharacters } from "node:util";

/**
 * What the SDK reports when a program fails, as one line: the message and where in the program it comes from. A message
 * of several lines without a stack trace is one the program has laid out itself, like a list of faults: its lines stay.
 *
 * @param root the program's folder
 */
export function programError(text: string, root: string): string {
    // Stack traces come coloured.
    const plain = stripVTControlCharacters(text);
    const lines = plain
        .replace(/^Running program '.*' failed with an unhandled exception:\n/, "")
        // What the engine answered, behind the code it answered with.
        .replace(/^Error: \d+ [A-Z_]+: /, "")
        // The way to a module that does not exist leads through the SDK only.
        .replace(/^Require stack:\n(- .*\n)*/m, "")
        .split("\n");
    const compilation = lines.flatMap((line) => {
        const [, file, row, column, problem] = /^(.+)\((\d+),(\d+)\): error (TS\d+: .*)$/.exec(line) ?? [];
        return problem === undefined ? [] : [`${file}:${row}:${column}: ${problem}`];
    });
    if (compilation.length > 0) {
        return `the program does not compile: ${compilation.join("; ")}`;
    }
    const trace = lines.findIndex((line) => /^\s+at /.test(line));
    const message = (trace < 0 ? lines : lines.slice(0, trace))
        .map((line) => line.trim())
        .filter((line) => line !== "");
    if (trace < 0 && message.length > 2) {
        return plain.trim();
    }
    const own = lines.slice(Math.max(trace, 0)).flatMap((line) => {
        const [, place] = /\(?((?:file:\/\/)?\/[^()]+:\d+:\d+)\)?$/.exec(line) ?? [];
        const path = place?.replace("file://", "") ?? "";
        return path.startsWith(`${root}/`) && !path.includes("/node_modules/") ? [path.slice(root.length + 1)] : [];
    });
    return `${message.join(": ")}${trace < 0 || own[0] === undefined ? "" : ` (${own[0]})`}`;
}

/**
 * True if the SDK only passes back what the engine has told already, most often with a stack trace around it.
 *
 * @param told what the engine refused, one line each
 */
export function isToldAlready(text: string, told: Iterable<string>): boolean {
    const plain = stripVTControlCharacters(text);
    return [...told].some((refusal) => plain.includes(refusal));
}
