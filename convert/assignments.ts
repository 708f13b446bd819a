import { type Report } from "../config/faults";

/** A plain value of a Xen configuration file, which is Python: text, whole number, truth value, None, or a list. */
export type Plain = string | number | boolean | null | readonly Plain[];

/** What is on the right of `NAME = …`, and where. */
export interface Assignment {
    readonly value: Plain;
    /** From 1. */
    readonly line: number;
}

/** Where a value cannot be read; caught within this file. */
class NotPlain extends Error {}

const WORDS: Readonly<Record<string, Plain>> = { True: true, False: false, None: null };
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", "\\": "\\", "'": "'", '"': '"' };

/** Lists deeper than this are nobody's; without a limit a hostile file could exhaust the stack. */
const DEEPEST = 8;

/** Reads values from a text, from `position` on. */
class Reader {
    position = 0;

    constructor(private readonly text: string) {}

    get ended(): boolean {
        return this.position >= this.text.length;
    }

    get line(): number {
        return this.text.slice(0, this.position).split("\n").length;
    }

    /** Takes what the pattern, which is sticky, matches here. */
    take(pattern: RegExp): string | undefined {
        pattern.lastIndex = this.position;
        const found = pattern.exec(this.text)?.[0];
        this.position += found?.length ?? 0;
        return found;
    }

    value(depth = 0): Plain {
        const open = this.take(/[[(]/y);
        if (open !== undefined) {
            return this.list(open === "[" ? /\]/y : /\)/y, depth);
        }
        const quote = this.take(/(?!'''|""")['"]/y);
        if (quote !== undefined) {
            return this.string(quote);
        }
        const word = this.take(/[\w+-]+/y);
        if (word !== undefined && word in WORDS) {
            return WORDS[word] ?? null;
        }
        if (word !== undefined && /^([+-]?(0|[1-9]\d{0,14})|0x[\da-f]{1,12})$/i.test(word)) {
            return Number(word);
        }
        throw new NotPlain();
    }

    private list(close: RegExp, depth: number): readonly Plain[] {
        const items: Plain[] = [];
        if (depth >= DEEPEST) {
            throw new NotPlain();
        }
        for (;;) {
            this.take(/(?:\s|#.*|\\\n)*/y);
            if (this.take(close) !== undefined) {
                return items;
            }
            items.push(this.value(depth + 1));
            this.take(/(?:\s|#.*|\\\n)*/y);
            if (this.take(/,/y) === undefined) {
                if (this.take(close) === undefined) {
                    throw new NotPlain();
                }
                return items;
            }
        }
    }

    private string(quote: string): string {
        const body = this.take(quote === "'" ? /(?:[^'\\\n]|\\.)*/y : /(?:[^"\\\n]|\\.)*/y) ?? "";
        if (this.take(/['"]/y) === undefined) {
            throw new NotPlain();
        }
        return body.replace(/\\(.)/g, (both, escaped: string) => ESCAPES[escaped] ?? both);
    }
}

/**
 * The assignments of a Xen guest's configuration file. Such a file is a Python program; read is the part of it that
 * tools write: one `NAME = VALUE` after the other, with plain values, and comments. The last of several counts.
 */
export function readAssignments(text: string, report: Report): Map<string, Assignment> {
    const found = new Map<string, Assignment>();
    const reader = new Reader(text.replaceAll("\r\n", "\n"));
    for (;;) {
        reader.take(/(?:\s|#.*|;)*/y);
        if (reader.ended) {
            return found;
        }
        const { line, position: begin } = reader;
        const name = reader.take(/[A-Za-z_]\w*(?=[ \t]*=(?!=))/y);
        try {
            if (name === undefined) {
                throw new NotPlain();
            }
            reader.take(/[ \t]*=[ \t]*/y);
            const value = reader.value();
            if (reader.take(/[ \t]*(?=[#;\n]|$)/y) === undefined) {
                throw new NotPlain();
            }
            found.set(name, { value, line });
        } catch (error) {
            if (!(error instanceof NotPlain)) {
                throw error;
            }
            reader.position = begin;
            reader.take(/.*/y);
            report({
                path: name === undefined ? `line ${line}` : `${name} in line ${line}`,
                // Not shown: it may be a password.
                value: undefined,
                problem: "is more than a name with a plain value",
                remedy: "write NAME = VALUE, with text in quotes, a whole number, or a list of such in brackets",
            });
        }
    }
}
