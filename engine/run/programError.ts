import { stripVTControlCharacters } from "node:util";

/**
 * What the SDK reports when a program fails, as one line: the message and where in the program it comes from. A message
 * of several lines without a stack trace is one the program has laid out itself, like a list of faults: its lines stay.
 * Undefined for what the engine has told already, which the SDK only passes back with a stack trace.
 *
 * @param root the program's folder
 */
export function programError(text: string, root: string): string | undefined {
    // Stack traces come coloured.
    const plain = stripVTControlCharacters(text);
    if (/(failed to register new resource .*|^Error): \d+ UNIMPLEMENTED: /m.test(plain)) {
        return undefined;
    }
    const lines = plain.replace(/^Running program '.*' failed with an unhandled exception:\n/, "").split("\n");
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
