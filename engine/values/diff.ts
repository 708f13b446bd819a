import { type PropertyDiffKind } from "../providers/provider";
import { type Path, parsePath, pathContains, printPath } from "./path";
import { equal, isArray, isObject, mapProperties, mapValue, type PropertyMap, Secret, type Value } from "./value";

/** How two collections of values differ, by property name or by array index. */
export interface KeyedDiff<Key> {
    readonly adds: ReadonlyMap<Key, Value>;
    readonly deletes: ReadonlyMap<Key, Value>;
    /** The old values, secret wherever old or new are. */
    readonly sames: ReadonlyMap<Key, Value>;
    readonly updates: ReadonlyMap<Key, ValueDiff>;
}

export type ObjectDiff = KeyedDiff<string>;
export type ArrayDiff = KeyedDiff<number>;

/** Two differing values; `object` or `array` says where, when both are of that shape. */
export interface ValueDiff {
    readonly old: Value;
    readonly new: Value;
    readonly object?: ObjectDiff;
    readonly array?: ArrayDiff;
}

/** Says of a path that what stands there shall not be compared. */
export type IgnorePath = (path: Path) => boolean;

/**
 * How `old` became `new`; `undefined` when it did not change. A property that is null counts as absent, as in the
 * official engine.
 *
 * A secret equals its plain value; one that differs is a single difference without details, which would say too much
 * about it. Pass `revealedMap`s to get the paths inside secrets, and mark as secret whatever is shown of them.
 */
export function diffProperties(
    old: PropertyMap,
    changed: PropertyMap,
    ignore: IgnorePath = () => false,
): ObjectDiff | undefined {
    return diffObjects(old, changed, ignore, []);
}

/** How one value became another; `undefined` when it did not change. */
export function diffValues(old: Value, changed: Value, ignore: IgnorePath = () => false): ValueDiff | undefined {
    return diffAt(old, changed, ignore, []);
}

function diffAt(old: Value, changed: Value, ignore: IgnorePath, path: Path): ValueDiff | undefined {
    if (isArray(old) && isArray(changed)) {
        const array = diffArrays(old, changed, ignore, path);
        return array === undefined ? undefined : { old, new: changed, array };
    }
    if (isObject(old) && isObject(changed)) {
        const object = diffObjects(old, changed, ignore, path);
        return object === undefined ? undefined : { old, new: changed, object };
    }
    return equal(old, changed) ? undefined : { old, new: changed };
}

function diffObjects(old: PropertyMap, changed: PropertyMap, ignore: IgnorePath, path: Path): ObjectDiff | undefined {
    const keys = [...new Set([...Object.keys(old), ...Object.keys(changed)])].sort();
    return diffKeys(
        keys,
        (key) => own(old, key),
        (key) => own(changed, key),
        ignore,
        path,
    );
}

function diffArrays(
    old: readonly Value[],
    changed: readonly Value[],
    ignore: IgnorePath,
    path: Path,
): ArrayDiff | undefined {
    const indices = Array.from({ length: Math.max(old.length, changed.length) }, (_, index) => index);
    return diffKeys(
        indices,
        (index) => old[index],
        (index) => changed[index],
        ignore,
        path,
        true,
    );
}

function diffKeys<Key extends string | number>(
    keys: readonly Key[],
    oldAt: (key: Key) => Value | undefined,
    newAt: (key: Key) => Value | undefined,
    ignore: IgnorePath,
    path: Path,
    nullCounts = false,
): KeyedDiff<Key> | undefined {
    const adds = new Map<Key, Value>();
    const deletes = new Map<Key, Value>();
    const sames = new Map<Key, Value>();
    const updates = new Map<Key, ValueDiff>();
    const present = (value: Value | undefined): value is Value => value !== undefined && (nullCounts || value !== null);
    for (const key of keys) {
        const at = [...path, key];
        if (ignore(at)) {
            continue;
        }
        const old = oldAt(key);
        const changed = newAt(key);
        if (present(old) && present(changed)) {
            const difference = diffAt(old, changed, ignore, at);
            if (difference === undefined) {
                sames.set(key, asSecretAs(old, changed));
            } else {
                updates.set(key, difference);
            }
        } else if (present(old)) {
            deletes.set(key, old);
        } else if (present(changed)) {
            adds.set(key, changed);
        }
    }
    return adds.size + deletes.size + updates.size === 0 ? undefined : { adds, deletes, sames, updates };
}

/** The first of two equal values, with the secret marks of both: whoever shows it must not reveal either. */
function asSecretAs(value: Value, other: Value | undefined): Value {
    if (value instanceof Secret || other === undefined) {
        return value;
    }
    if (other instanceof Secret) {
        return new Secret(value);
    }
    if (isArray(value) && isArray(other)) {
        return value.map((item, index) => asSecretAs(item, other[index]));
    }
    return isObject(value) && isObject(other)
        ? mapProperties(value, (item, key) => asSecretAs(item, own(other, key)))
        : value;
}

function own(map: PropertyMap, key: string): Value | undefined {
    return Object.hasOwn(map, key) ? map[key] : undefined;
}

/** The top-level properties that differ, sorted. */
export function changedKeys(diff: ObjectDiff | undefined): string[] {
    return diff === undefined ? [] : [...diff.adds.keys(), ...diff.deletes.keys(), ...diff.updates.keys()].sort();
}

/**
 * The differences by property path, down to the innermost value that differs, as providers tell them. `replaces` says
 * which paths need a new resource.
 */
export function detailedFrom(
    diff: ObjectDiff | undefined,
    replaces: (path: Path) => boolean = () => false,
): Record<string, PropertyDiffKind> {
    const found: [string, PropertyDiffKind][] = [];
    const tell = (path: Path, kind: "add" | "delete" | "update"): void => {
        found.push([printPath(path), replaces(path) ? `${kind}-replace` : kind]);
    };
    const walk = (keyed: KeyedDiff<string> | KeyedDiff<number>, path: Path): void => {
        for (const key of keyed.adds.keys()) {
            tell([...path, key], "add");
        }
        for (const key of keyed.deletes.keys()) {
            tell([...path, key], "delete");
        }
        for (const [key, difference] of keyed.updates) {
            const inner = difference.object ?? difference.array;
            if (inner === undefined) {
                tell([...path, key], "update");
            } else {
                walk(inner, [...path, key]);
            }
        }
    };
    if (diff !== undefined) {
        walk(diff, []);
    }
    return Object.fromEntries(found.sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0)));
}

/** True if one of the patterns (`triggers[*]`, `connection`) covers the path. Patterns that do not parse cover nothing. */
export function matchesAny(patterns: readonly string[], path: Path): boolean {
    return patterns.some((pattern) => {
        const parsed = parsePath(pattern);
        return parsed !== undefined && pathContains(parsed, path);
    });
}

/**
 * The new inputs with the old values put back at the given property paths; what the old inputs do not have there is
 * removed. `invalid` are the paths that cannot be followed in both, which the official engine refuses: "cannot ignore
 * changes to the following properties because one or more elements of the path are missing".
 */
export function applyIgnoreChanges(
    news: PropertyMap,
    olds: PropertyMap,
    paths: readonly string[],
): { inputs: PropertyMap; invalid: string[] } {
    const inputs = mapProperties(news, copy);
    const invalid = paths.filter((text) => {
        const path = parsePath(text);
        return path !== undefined && !reset(path, { value: olds, secret: false }, { value: inputs, secret: false });
    });
    return { inputs, invalid };
}

function copy(value: Value): Value {
    return mapValue(value, () => undefined);
}

/** A value met on the way down a path, and whether anything on the way to it was secret. */
interface Place {
    readonly value: Value | undefined;
    readonly secret: boolean;
}

function opened(place: Place): Place {
    return place.value instanceof Secret ? opened({ value: place.value.value, secret: true }) : place;
}

/** Puts back, into `to`, what `from` has at the path; false if the path cannot be followed. Changes `to` in place. */
function reset(path: Path, from: Place, to: Place): boolean {
    const [key, ...rest] = path;
    if (key === undefined) {
        return false;
    }
    const old = opened(from);
    const changed = opened(to);
    // What was secret by its surroundings stays secret where it is put back.
    const restored = (value: Value): Value =>
        old.secret && !changed.secret && !(value instanceof Secret) ? new Secret(copy(value)) : copy(value);
    const inner = (oldValue: Value, newValue: Value): boolean =>
        reset(rest, { value: oldValue, secret: old.secret }, { value: newValue, secret: changed.secret });
    if (typeof key === "number") {
        return resetIndex(key, rest.length === 0, old.value, changed.value, restored, inner);
    }
    return key === "*"
        ? resetAll(rest.length === 0, old.value, changed.value, restored, inner)
        : resetProperty(key, rest.length === 0, old.value, changed.value, restored, inner);
}

type Restore = (value: Value) => Value;
type Descend = (old: Value, changed: Value) => boolean;

function resetIndex(
    index: number,
    last: boolean,
    old: Value | undefined,
    changed: Value | undefined,
    restored: Restore,
    inner: Descend,
): boolean {
    if (!isArray(old) || !isArray(changed)) {
        return !isArray(old) && !isArray(changed);
    }
    const oldItem = old[index];
    const newItem = changed[index];
    if (oldItem === undefined || newItem === undefined) {
        // An array cannot lose or gain an element by ignoring a change, or its other elements would move.
        return last && oldItem === newItem;
    }
    if (!last) {
        return inner(oldItem, newItem);
    }
    changed[index] = restored(oldItem);
    return true;
}

function resetProperty(
    key: string,
    last: boolean,
    old: Value | undefined,
    changed: Value | undefined,
    restored: Restore,
    inner: Descend,
): boolean {
    const oldValue = isObject(old) ? own(old, key) : undefined;
    if (last) {
        if (oldValue !== undefined) {
            return isObject(changed) && put(changed, key, restored(oldValue));
        }
        if (isObject(changed)) {
            delete changed[key];
        }
        return true;
    }
    if (!isObject(old) || !isObject(changed)) {
        return !isObject(old) && !isObject(changed);
    }
    const newValue = own(changed, key);
    if (newValue === undefined) {
        return oldValue === undefined;
    }
    return inner(oldValue ?? null, newValue);
}

function resetAll(
    last: boolean,
    old: Value | undefined,
    changed: Value | undefined,
    restored: Restore,
    inner: Descend,
): boolean {
    if (isObject(changed) && isObject(old)) {
        if (!last) {
            return Object.entries(old).every(
                ([key, value]) => Object.hasOwn(changed, key) && inner(value, changed[key] ?? null),
            );
        }
        Object.keys(changed)
            .filter((key) => !Object.hasOwn(old, key))
            .forEach((key) => delete changed[key]);
        Object.entries(old).forEach(([key, value]) => put(changed, key, restored(value)));
        return true;
    }
    if (isArray(changed) && isArray(old)) {
        const common = Math.min(old.length, changed.length);
        for (let index = 0; index < common; index++) {
            const value = old[index] ?? null;
            if (last) {
                changed[index] = restored(value);
            } else if (!inner(value, changed[index] ?? null)) {
                return false;
            }
        }
        return old.length === changed.length;
    }
    return last && (isObject(changed) || isArray(changed));
}

/** Sets an own property whatever its name, `__proto__` included. */
function put(map: PropertyMap, key: string, value: Value): true {
    Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
    return true;
}
