import { diffArrays as diffLists } from "diff";
import { type Op } from "../plan/step";
import { type ArrayDiff, diffValues, type ObjectDiff, type ValueDiff } from "../values/diff";
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
} from "../values/value";
import { isInternal } from "./changes";
import { type Colours } from "./colour";
import { MASK } from "./mask";
import { sign } from "./words";

/** How property lines are to look: how far in, in which operation's colour, and whether with its sign in front. */
export interface Look {
    readonly indent: number;
    readonly op: Op;
    readonly signed: boolean;
    readonly colours: Colours;
    readonly showSecrets: boolean;
}

/** The lines of all of an object's properties. */
export function objectLines(map: PropertyMap, look: Look): string[] {
    const keys = Object.keys(map)
        .filter((key) => !isInternal(key))
        .sort();
    return keys.flatMap((key) => entry(title(key, longest(keys)), map[key] ?? null, look));
}

/**
 * The lines of what differs between two objects: `+` and `-` for what only one of them has, `~` for what changed.
 * With `sames` the rest as well.
 */
export function objectDiffLines(diff: ObjectDiff, look: Look, sames = false): string[] {
    const changed = [...diff.adds.keys(), ...diff.deletes.keys(), ...diff.updates.keys()];
    const keys = (sames ? [...changed, ...diff.sames.keys()] : changed).sort();
    return keys.flatMap((key) => keyedLines(diff, key, title(key, longest(keys)), look, sames));
}

function longest(keys: readonly string[]): number {
    return keys.reduce((width, key) => Math.max(width, key.length), 0);
}

function title(key: string, width: number): string {
    return `${key.padEnd(width)}: `;
}

function keyedLines<Key>(
    diff: { adds: Lookup<Key>; deletes: Lookup<Key>; sames: Lookup<Key>; updates: ReadonlyMap<Key, ValueDiff> },
    key: Key,
    head: string,
    look: Look,
    sames: boolean,
): string[] {
    const added = diff.adds.get(key);
    if (added !== undefined) {
        return entry(head, added, { ...look, op: "create", signed: true });
    }
    const deleted = diff.deletes.get(key);
    if (deleted !== undefined) {
        return entry(head, deleted, { ...look, op: "delete", signed: true });
    }
    const update = diff.updates.get(key);
    if (update !== undefined) {
        return updateLines(head, update, look);
    }
    const same = diff.sames.get(key);
    return sames && same !== undefined ? entry(head, same, { ...look, op: "same", signed: false }) : [];
}

type Lookup<Key> = ReadonlyMap<Key, Value>;

/** The start of a line; a sign stands right before the text. */
function indentation({ indent, op, signed }: Look): string {
    const spaces = "    ".repeat(indent);
    return signed && spaces.length >= 2 ? spaces.slice(0, -2) + sign(op) : spaces;
}

function unsigned(look: Look): string {
    return "    ".repeat(look.indent);
}

function deeper(look: Look, levels = 1): Look {
    return { ...look, indent: look.indent + levels };
}

/** A property with its whole value. */
function entry(head: string, value: Value, look: Look): string[] {
    const [first = "", ...rest] = valueLines(value, look);
    return [indentation(look) + head + first, ...rest].map(look.colours.op(look.op));
}

/** A value's lines without colour; the first one goes behind the property's name. */
function valueLines(value: Value, look: Look): string[] {
    if (value instanceof Secret) {
        return look.showSecrets ? valueLines(value.value, look) : [MASK];
    }
    if (value instanceof Unknown) {
        return ["[unknown]"];
    }
    if (value === null) {
        return ["<null>"];
    }
    if (typeof value === "string") {
        return stringLines(value, look);
    }
    if (isArray(value)) {
        const items = value.flatMap((item, index) => nested(`    [${index}]: `, item, look));
        return items.length === 0 ? ["[]"] : ["[", ...items, `${unsigned(look)}]`];
    }
    if (value instanceof Asset || value instanceof Archive) {
        return assetLines(value, look);
    }
    if (value instanceof ResourceReference) {
        return objectValueLines({ URN: value.urn, ...(value.id === undefined ? {} : { ID: value.id }) }, look);
    }
    return isObject(value) ? objectValueLines(value, look) : [String(value)];
}

/** An element of an array or archive: one step further in than its line's sign. */
function nested(head: string, value: Value, look: Look): string[] {
    const [first = "", ...rest] = valueLines(value, deeper(look));
    return [indentation(look) + head + first, ...rest];
}

function objectValueLines(map: PropertyMap, look: Look): string[] {
    const keys = Object.keys(map)
        .filter((key) => !isInternal(key))
        .sort();
    const inner = deeper(look);
    const lines = keys.flatMap((key) => {
        const [first = "", ...rest] = valueLines(map[key] ?? null, inner);
        return [indentation(inner) + title(key, longest(keys)) + first, ...rest];
    });
    return lines.length === 0 ? ["{}"] : ["{", ...lines, `${unsigned(look)}}`];
}

function stringLines(text: string, look: Look): string[] {
    const decoded = fromJson(text);
    if (decoded !== undefined) {
        const [first = "", ...rest] = valueLines(decoded, look);
        return [`(json) ${first}`, ...rest];
    }
    if (!text.trimEnd().includes("\n")) {
        return [JSON.stringify(text)];
    }
    // As in YAML: `|` ends with a line end, `|-` does not.
    const lines = text.replace(/\n$/, "").split("\n");
    return [text.endsWith("\n") ? "|" : "|-", ...lines.map((line) => (unsigned(deeper(look)) + line).trimEnd())];
}

/** What a string holds if it is the JSON of an object or array. */
function fromJson(text: string): Value | undefined {
    if (!/^\s*[[{]/.test(text)) {
        return undefined;
    }
    try {
        return JSON.parse(text) as Value;
    } catch {
        return undefined;
    }
}

function shortHash(hash: string): string {
    return hash.slice(0, 7);
}

function assetLines(value: Asset | Archive, look: Look): string[] {
    const kind = value instanceof Asset ? "asset" : "archive";
    const hash = shortHash(value.hash);
    const { path, uri } = value.source;
    if (path !== undefined || uri !== undefined) {
        return [`${kind}(${path === undefined ? "uri" : "file"}:${hash}) { ${path ?? uri ?? ""} }`];
    }
    if (value instanceof Asset) {
        const lines = (value.source.text ?? "").split("\n").map((line) => unsigned(deeper(look)) + line);
        return [`asset(text:${hash}) {`, ...lines, `${unsigned(look)}}`];
    }
    const assets = Object.entries(value.source.assets ?? {}).sort(([left], [right]) => (left < right ? -1 : 1));
    const lines = assets.flatMap(([name, item]) => nested(`    ${JSON.stringify(name)}: `, item, look));
    return [`archive(assets:${hash}) {`, ...lines, `${unsigned(look)}}`];
}

/** A property that changed from one value to another. */
function updateLines(head: string, update: ValueDiff, base: Look): string[] {
    const look: Look = { ...base, op: "update", signed: true };
    const paint = look.colours.op("update");
    const first = paint(indentation(look) + head);
    if (update.array !== undefined) {
        return [first + paint("["), ...arrayDiffLines(update.array, look), paint(`${unsigned(look)}]`)];
    }
    if (update.object !== undefined) {
        const inner = objectDiffLines(update.object, deeper(look));
        return [first + paint("{"), ...inner, paint(`${unsigned(look)}}`)];
    }
    const { old, new: changed } = update;
    if ((old instanceof Secret || changed instanceof Secret) && !look.showSecrets) {
        // What was in clear and is secret now, or the other way round, is hidden on both sides.
        return [first + changeOf(MASK, MASK, look)];
    }
    if (typeof old === "string" && typeof changed === "string") {
        return textDiffLines(first, old, changed, look);
    }
    if (old instanceof Asset && changed instanceof Asset) {
        return assetDiffLines(first, old, changed, look);
    }
    if (isPrimitive(old) && isPrimitive(changed)) {
        const [from = "", ...fromRest] = valueLines(old, look);
        const [to = "", ...toRest] = valueLines(changed, look);
        return [
            first + changeOf(from, to, look),
            ...fromRest.map(look.colours.op("delete")),
            ...toRest.map(look.colours.op("create")),
        ];
    }
    return [...entry(head, old, { ...look, op: "delete" }), ...entry(head, changed, { ...look, op: "create" })];
}

function isPrimitive(value: Value): boolean {
    return value === null || typeof value !== "object" || value instanceof Unknown || value instanceof Secret;
}

function changeOf(old: string, changed: string, { colours }: Look): string {
    return `${colours.op("delete")(old)}${colours.op("update")(" => ")}${colours.op("create")(changed)}`;
}

function arrayDiffLines(diff: ArrayDiff, look: Look): string[] {
    const indices = [...diff.adds.keys(), ...diff.deletes.keys(), ...diff.updates.keys()].sort((a, b) => a - b);
    return indices.flatMap((index) => keyedLines(diff, index, `[${index}]: `, deeper(look), false));
}

function assetDiffLines(first: string, old: Asset, changed: Asset, look: Look): string[] {
    const paint = look.colours.op("update");
    const hash = arrow(shortHash(old.hash), shortHash(changed.hash));
    const where = (asset: Asset): string | undefined => asset.source.path ?? asset.source.uri;
    const from = where(old);
    const to = where(changed);
    if (from === undefined && to === undefined) {
        const lines = lineDiff(old.source.text ?? "", changed.source.text ?? "", deeper(look));
        return [first + paint(`asset(text:${hash}) {`), ...lines, paint(`${unsigned(look)}}`)];
    }
    return [first + paint(`asset(file:${hash}) { ${arrow(from ?? "text", to ?? "text")} }`)];
}

function arrow(old: string, changed: string): string {
    return old === changed ? old : `${old}->${changed}`;
}

function textDiffLines(first: string, old: string, changed: string, look: Look): string[] {
    const oldJson = fromJson(old);
    const newJson = fromJson(changed);
    if (oldJson !== undefined && newJson !== undefined) {
        const inner = diffValues(oldJson, newJson);
        if (inner?.object !== undefined || inner?.array !== undefined) {
            const [, ...lines] = updateLines("", inner, look);
            return [first + look.colours.op("update")(inner.object === undefined ? "(json) [" : "(json) {"), ...lines];
        }
    }
    return old.includes("\n") || changed.includes("\n")
        ? [first.trimEnd(), ...lineDiff(old, changed, deeper(look))]
        : [first + changeOf(JSON.stringify(old), JSON.stringify(changed), look)];
}

/** Unchanged lines shown before and after a change. */
const CONTEXT = 2;

/** So many differing lines are compared one by one; above that, all are shown as replaced. */
const MOST_EDITS = 2000;

/** How a text changed, line by line, with a little of what is around it. */
function lineDiff(old: string, changed: string, look: Look): string[] {
    const oldLines = old.split("\n");
    const newLines = changed.split("\n");
    const chunks = diffLists(oldLines, newLines, { maxEditLength: MOST_EDITS }) ?? [
        { added: false, removed: true, value: oldLines },
        { added: true, removed: false, value: newLines },
    ];
    return chunks.flatMap((chunk, index) => {
        if (chunk.added || chunk.removed) {
            const at: Look = { ...look, op: chunk.added ? "create" : "delete", signed: true };
            return chunk.value.map((line) => look.colours.op(at.op)((indentation(at) + line).trimEnd()));
        }
        return elided(chunk.value, index > 0, index < chunks.length - 1).map((line) =>
            (unsigned(look) + line).trimEnd(),
        );
    });
}

function elided(lines: readonly string[], changeBefore: boolean, changeAfter: boolean): readonly string[] {
    const before = changeBefore ? CONTEXT : 0;
    const after = changeAfter ? CONTEXT : 0;
    // A mark in place of a single line would save nothing.
    return lines.length <= before + after + 1
        ? lines
        : [...lines.slice(0, before), "...", ...lines.slice(lines.length - after)];
}
