import { type Fault, type Report } from "./faults";
import { nearest } from "./nearest";

/**
 * The building blocks of the schema. Each knows its type, default and description, and reads a raw value: what is wrong is
 * reported, and the rest is still read, so that later rules see all that could be understood. (This is why they are not
 * zod's: with zod a single wrong type ends the parse before the rules between keys run, and a user would get the faults
 * in instalments.)
 */
export interface Field<T> {
    /** In the words of Pulumi.yaml's `config:` block; `string | object` where two shapes are taken. */
    readonly type: "string" | "integer" | "number" | "boolean" | "array" | "object" | "string | object";
    /** Markdown, one or two sentences. */
    readonly description: string;
    /** What holds when the key is absent, as shown in the reference. `required` when nothing does. */
    readonly whenAbsent: { required: true } | { value: T } | { words: string };
    /** Of an array: what its entries are. */
    readonly item?: Field<unknown>;
    /** Of an object: its keys. */
    readonly fields?: Fields;
    /**
     * The value, or `undefined` when it is absent without a default, or faulty (which is reported then).
     * `null` (an empty key in YAML) counts as absent.
     */
    read(value: unknown, path: string, report: Report): T | undefined;
}

/** Keys of an object. */
export type Fields = Readonly<Record<string, Field<unknown>>>;

/** What reading an object gives: each key's value where it could be read. */
export type Draft<F extends Fields> = { [K in keyof F]: F[K] extends Field<infer T> ? T | undefined : never };

/** What every field is described with. */
export interface Description<T> {
    description: string;
    /** Default that is a plain value. */
    value?: T;
    /** Default that depends on other keys, in words; also "none". A key with neither is required. */
    words?: string;
}

/** What is wrong with a value of the right type. */
export type Complaint = Pick<Fault, "problem" | "remedy">;

function whenAbsent<T>({ value, words }: Description<T>): Field<T>["whenAbsent"] {
    if (value !== undefined) {
        return { value };
    }
    return words === undefined ? { required: true } : { words };
}

/** A field that reads with `take` what is present and answers for what is not. */
function field<T>(
    type: Field<T>["type"],
    about: Description<T>,
    take: (value: unknown, path: string, report: Report) => T | undefined,
): Field<T> {
    const absent = whenAbsent(about);
    return {
        type,
        description: about.description,
        whenAbsent: absent,
        read(value, path, report) {
            if (value !== undefined && value !== null) {
                return take(value, path, report);
            }
            if ("required" in absent) {
                report({ path, value: undefined, problem: "is missing", remedy: `set it: ${about.description}` });
            }
            return "value" in absent ? absent.value : undefined;
        },
    };
}

function kindOf(value: unknown): string {
    if (Array.isArray(value)) {
        return "a list";
    }
    switch (typeof value) {
        case "string":
            return "text";
        case "number":
            return Number.isInteger(value) ? "a whole number" : "a number with a fraction";
        case "boolean":
            return "true or false";
        default:
            return "a group of keys";
    }
}

function wrongType(path: string, value: unknown, wanted: string, hint: string): Fault {
    return { path, value, problem: `is ${kindOf(value)}, but must be ${wanted}`, remedy: hint };
}

/** Text that passes `check`. */
export function text(about: Description<string>, check: (value: string) => Complaint | undefined): Field<string> {
    return field("string", about, (value, path, report) => {
        if (typeof value !== "string") {
            report(wrongType(path, value, "text", "write it as text, in quotes if it looks like something else"));
            return undefined;
        }
        const complaint = check(value);
        if (complaint !== undefined) {
            report({ path, value, ...complaint });
            return undefined;
        }
        return value;
    });
}

/** One of a few words. */
export function choice<const W extends string>(about: Description<W>, words: readonly W[]): Field<W> {
    return field("string", about, (value, path, report) => {
        const chosen = words.find((word) => word === value);
        if (chosen === undefined) {
            const meant = typeof value === "string" ? nearest(value, words) : undefined;
            report({
                path,
                value,
                problem: `is none of ${words.join(", ")}`,
                remedy: meant === undefined ? `write one of ${words.join(", ")}` : `did you mean ${meant}?`,
            });
        }
        return chosen;
    });
}

/** Bounds of a number, both included, and its unit for messages (`MiB`; may be empty). */
export interface Range {
    least: number;
    most: number;
    unit?: string;
}

function numeric(type: "integer" | "number", about: Description<number>, { least, most, unit = "" }: Range) {
    const wanted = type === "integer" ? "a whole number" : "a number";
    const of = unit === "" ? "" : ` ${unit}`;
    return field<number>(type, about, (value, path, report) => {
        if (typeof value !== "number" || !Number.isFinite(value) || (type === "integer" && !Number.isInteger(value))) {
            report(wrongType(path, value, wanted, `write ${wanted} from ${least} to ${most}${of}, without quotes`));
            return undefined;
        }
        if (value < least || value > most) {
            const problem =
                value < least ? `is below the minimum of ${least}${of}` : `is above the maximum of ${most}${of}`;
            report({ path, value, problem, remedy: `write ${wanted} from ${least} to ${most}${of}` });
            return undefined;
        }
        return value;
    });
}

/** A whole number within the range. */
export function integer(about: Description<number>, range: Range): Field<number> {
    return numeric("integer", about, range);
}

/** A number, possibly with a fraction, within the range. */
export function number(about: Description<number>, range: Range): Field<number> {
    return numeric("number", about, range);
}

/** `true` or `false`. */
export function flag(about: Description<boolean>): Field<boolean> {
    return field("boolean", about, (value, path, report) => {
        if (typeof value !== "boolean") {
            report(wrongType(path, value, "true or false", "write true or false, without quotes"));
            return undefined;
        }
        return value;
    });
}

/** A list; faulty entries are kept as `undefined`, so that the others keep their index in later messages. */
export function list<T>(about: Description<readonly (NoInfer<T> | undefined)[]>, item: Field<T>) {
    const whole = field<readonly (T | undefined)[]>("array", about, (value, path, report) => {
        if (!Array.isArray(value)) {
            report(wrongType(path, value, "a list", "write a list: one entry a line, each beginning with “- ”"));
            return undefined;
        }
        return value.map((entry, index) => item.read(entry, `${path}[${index}]`, report));
    });
    return { ...whole, item };
}

/** Whether the value is an object with keys (and no list). */
export function isGroup(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Reads the known keys of an object and reports the others, each with the known key it is probably meant to be.
 * `elsewhere` are names that can be meant as well, but are read by someone else.
 */
export function readKeys<F extends Fields>(
    fields: F,
    raw: Record<string, unknown>,
    path: string,
    report: Report,
    elsewhere: readonly string[] = [],
): Draft<F> {
    const known = [...Object.keys(fields), ...elsewhere];
    const under = (key: string): string => (path === "" ? key : `${path}.${key}`);
    for (const key of Object.keys(raw)) {
        if (!Object.hasOwn(fields, key)) {
            const meant = nearest(key, known);
            report({
                path: under(key),
                value: raw[key],
                problem: "is no key this program knows",
                remedy:
                    meant === undefined
                        ? `remove it; known here: ${known.join(", ")}`
                        : `did you mean ${under(meant)}? Otherwise remove it`,
            });
        }
    }
    const entries = Object.entries(fields).map(([key, one]) => [
        key,
        one.read(Object.hasOwn(raw, key) ? raw[key] : undefined, under(key), report),
    ]);
    return Object.fromEntries(entries) as Draft<F>;
}

/**
 * An object with known keys. Absent, it is read as if it were empty, so that its own defaults and required keys count;
 * with `words` in the description absent means absent.
 */
export function record<F extends Fields>(
    about: { description: string; words?: string },
    fields: F,
): Field<Draft<F>> & { fields: F } {
    const optional = field<Draft<F>>("object", { words: "", ...about }, (value, path, report) => {
        if (!isGroup(value)) {
            report(wrongType(path, value, "a group of keys", `write keys below it: ${Object.keys(fields).join(", ")}`));
            return undefined;
        }
        return readKeys(fields, value, path, report);
    });
    const needed = Object.values(fields).some((one) => "required" in one.whenAbsent);
    const own: Field<Draft<F>>["whenAbsent"] = needed ? { required: true } : { words: "the defaults of its keys" };
    return {
        ...optional,
        fields,
        whenAbsent: about.words === undefined ? own : { words: about.words },
        read: (value, path, report) => optional.read(about.words === undefined ? (value ?? {}) : value, path, report),
    };
}

/** A word, or a group of keys for those who want to say more. */
export function wordOrRecord<const W extends string, F extends Fields>(
    about: Description<W | Draft<F>>,
    words: readonly W[],
    fields: F,
): Field<W | Draft<F>> & { fields: F } {
    const { description } = about;
    const word = choice({ description, words: "" }, words);
    const group = record({ description }, fields);
    const whole = field<W | Draft<F>>("string | object", about, (value, path, report) =>
        isGroup(value) ? group.read(value, path, report) : word.read(value, path, report),
    );
    return { ...whole, fields };
}
