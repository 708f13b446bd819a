import { UserError } from "../errors";
import { type Terminal } from "./globals";

/** The process's own terminal. `interactive` is false after `--non-interactive`. */
export function processTerminal(interactive: boolean): Terminal {
    const canAsk = interactive && process.stdin.isTTY && process.stderr.isTTY;
    return {
        environment: process.env,
        out: (text) => void process.stdout.write(text),
        err: (text) => void process.stderr.write(text),
        readInput: async () => {
            if (process.stdin.isTTY) {
                return undefined;
            }
            const chunks: Buffer[] = [];
            for await (const chunk of process.stdin) {
                chunks.push(Buffer.from(chunk as Buffer));
            }
            return Buffer.concat(chunks).toString("utf8");
        },
        ...(canAsk ? { ask: askAtTerminal } : {}),
    };
}

/** Asks on stderr, so that stdout stays what the verb says; a hidden answer is not echoed. */
async function askAtTerminal(prompt: string, hidden: boolean): Promise<string> {
    const { createInterface } = await import("node:readline");
    const { Writable } = await import("node:stream");
    const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
    const lines = createInterface({ input: process.stdin, output: hidden ? silent : process.stderr, terminal: true });
    // The terminal echoes nothing any more from here on.
    process.stderr.write(prompt);
    return new Promise((resolve, reject) => {
        lines.once("line", (line) => {
            resolve(line);
            lines.close();
            if (hidden) {
                process.stderr.write("\n");
            }
        });
        lines.once("SIGINT", () => {
            lines.close();
            reject(new UserError("interrupted"));
        });
        lines.once("close", () => reject(new UserError("no answer was given")));
    });
}
