import { isArray, isObject, type PropertyMap, Secret, type Value } from "./value";

/** The way to a nested value: property names and array indices, from the outside in. `*` stands for every one. */
export type Path = readonly (string | number)[];

/**
 * Reads a property path as the official CLI does: `connection.host`, `triggers[0]`, `triggers[*]`, `a["b.c"]`. Bare
 * names may hold anything but `.` and `[`. `undefined` if it is not a path.
 */
export function parsePath(text: string): Path | undefined {
    const path: (string | number)[] = [];
    if (text.startsWith(".")) {
        return undefined;
    }
    let at = 0;
    while (at < text.length) {
        const char = text.charAt(at);
        if (char === ".") {
            at++;
            if (at === text.length) {
                return undefined;
            }
        } else if (char === "[") {
            const element = text.charAt(at + 1) === '"' ? quotedName(text, at + 2) : index(text, at + 1);
            if (element === undefined || text.charAt(element.end) !== "]") {
                return undefined;
            }
            path.push(element.key);
            at = element.end + 1;
        } else {
            const end = nameEnd(text, at);
            path.push(text.slice(at, end));
            at = end;
        }
    }
    return path;
}

interface Element {
    readonly key: string | number;
    readonly end: number;
}

function quotedName(text: string, start: number): Element | undefined {
    let key = "";
    for (let at = start; at < text.length; at++) {
        const char = text.charAt(at);
        if (char === '"') {
            return { key, end: at + 1 };
        }
        if (char === "\\" && text.charAt(at + 1) === '"') {
            at++;
            key += '"';
        } else {
            key += char;
        }
    }
    return undefined;
}

function index(text: string, start: number): Element | undefined {
    const end = text.indexOf("]", start);
    if (end < 0) {
        return undefined;
    }
    const inner = text.slice(start, end);
    if (inner === "*") {
        return { key: "*", end };
    }
    return /^\d+$/.test(inner) ? { key: Number(inner), end } : undefined;
}

function nameEnd(text: string, start: number): number {
    let end = start;
    while (end < text.length && text.charAt(end) !== "." && text.charAt(end) !== "[") {
        end++;
    }
    return end;
}

/** The path as text, names quoted that are not made of letters, digits and underscores only. */
export function printPath(path: Path): string {
    return path
        .map((key, position) => {
            if (typeof key === "number") {
                return `[${key}]`;
            }
            if (!/^\w*$/.test(key)) {
                return `["${key.replaceAll('"', '\\"')}"]`;
            }
            return position === 0 ? key : `.${key}`;
        })
        .join("");
}

/** True if `other` stands at `path` or inside it; `*` in `path` matches any name or index. */
export function pathContains(path: Path, other: Path): boolean {
    return path.length <= other.length && path.every((key, position) => key === "*" || key === other[position]);
}

/** The value at the path, looking through secrets; `undefined` if there is none. `*` is a name like any other here. */
export function getAt(value: Value, path: Path): Value | undefined {
    let found: Value | undefined = value;
    for (const key of path) {
        found = child(unwrapped(found), key);
        if (found === undefined) {
            return undefined;
        }
    }
    return found;
}

/**
 * A copy of `root` with the value at the path set. What is missing on the way is created; `undefined` if something on
 * the way is neither missing nor of the shape that the path says.
 */
export function setAt(root: Value | undefined, path: Path, value: Value): Value | undefined {
    const [key, ...rest] = path;
    if (key === undefined) {
        return value;
    }
    const container = root ?? null;
    if (container instanceof Secret) {
        const inner = setAt(container.value, path, value);
        return inner === undefined ? undefined : new Secret(inner);
    }
    if (typeof key === "number") {
        if (container !== null && !isArray(container)) {
            return undefined;
        }
        const items = [...(container ?? [])];
        const item = setAt(items[key], rest, value);
        if (item === undefined) {
            return undefined;
        }
        while (items.length < key) {
            items.push(null);
        }
        items[key] = item;
        return items;
    }
    if (container !== null && !isObject(container)) {
        return undefined;
    }
    const property = setAt(container === null ? undefined : child(container, key), rest, value);
    return property === undefined ? undefined : withProperty(container ?? {}, key, property);
}

/** A copy of `root` without the property at the path; an array's element becomes null, so that the others stay. */
export function deleteAt(root: Value, path: Path): Value {
    const last = path.at(-1);
    if (last === undefined) {
        return root;
    }
    const parentPath = path.slice(0, -1);
    const parent = unwrapped(getAt(root, parentPath));
    if (child(parent, last) === undefined) {
        return root;
    }
    if (isArray(parent)) {
        return setAt(root, path, null) ?? root;
    }
    const kept = Object.entries(parent as PropertyMap).filter(([key]) => key !== last);
    const parentValue = getAt(root, parentPath);
    const remaining = Object.fromEntries(kept);
    return setAt(root, parentPath, parentValue instanceof Secret ? new Secret(remaining) : remaining) ?? root;
}

function unwrapped(value: Value | undefined): Value | undefined {
    return value instanceof Secret ? unwrapped(value.value) : value;
}

function child(value: Value | undefined, key: string | number): Value | undefined {
    if (isArray(value)) {
        return typeof key === "number" ? value[key] : undefined;
    }
    return typeof key === "string" && isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function withProperty(map: PropertyMap, key: string, value: Value): PropertyMap {
    return Object.fromEntries([...Object.entries(map).filter(([name]) => name !== key), [key, value]]);
}
