/**
 * The engine's value model: what a resource's inputs, outputs and the stack's outputs are made of.
 *
 * Plain data stands for itself; the few things that JSON cannot say are classes, so that no property map of a
 * program can be mistaken for one of them. `wire.ts` turns values to and from the protocol, `serialize.ts` to and
 * from a state file.
 */

export type Value =
    null | boolean | number | string | Value[] | PropertyMap | Secret | Unknown | Asset | Archive | ResourceReference;

/** Named properties, of a resource or of a nested object. */
export interface PropertyMap {
    [key: string]: Value;
}

/** A value that must never be shown or stored in clear. */
export class Secret {
    constructor(readonly value: Value) {}
}

/** A value that is not known before an operation has run; only seen in previews. */
export class Unknown {
    private constructor() {}
    static readonly instance = new Unknown();
}

/** The one unknown value. */
export const UNKNOWN = Unknown.instance;

/** A file: by `path`, as literal `text`, or by `uri`. `hash` is the sha256 of its content in hex, "" when not computed. */
export class Asset {
    constructor(
        readonly source: { path?: string; text?: string; uri?: string },
        readonly hash: string = "",
    ) {}
}

/** A tree of files: by `path` (folder or archive file), as named `assets`, or by `uri`. */
export class Archive {
    constructor(
        readonly source: { path?: string; assets?: Record<string, Asset | Archive>; uri?: string },
        readonly hash: string = "",
    ) {}
}

/** A resource passed as a value. `id` is absent for components. */
export class ResourceReference {
    constructor(
        readonly urn: string,
        readonly id?: Value,
        readonly packageVersion: string = "",
    ) {}
}

/** True for an object of named properties, false for every class of this module, arrays and null. */
export function isObject(value: Value | undefined): value is PropertyMap {
    return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** `Array.isArray`, whose own type would make the elements `any`. */
export function isArray(value: Value | undefined): value is Value[] {
    return Array.isArray(value);
}

/** A copy in which `visit` has replaced every value it answers for (anything but `undefined`), from the outside in. */
export function mapValue(value: Value, visit: (value: Value) => Value | undefined): Value {
    const replaced = visit(value);
    if (replaced !== undefined) {
        return replaced;
    }
    if (isArray(value)) {
        return value.map((item) => mapValue(item, visit));
    }
    if (value instanceof Secret) {
        return new Secret(mapValue(value.value, visit));
    }
    return isObject(value) ? mapProperties(value, (item) => mapValue(item, visit)) : value;
}

/** A copy of the map with every property passed through `change`. */
export function mapProperties(map: PropertyMap, change: (value: Value, key: string) => Value): PropertyMap {
    return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value, key)]));
}

/** The value without its secret wrappers, at any depth. Only for comparing and for handing to a provider. */
export function revealed(value: Value): Value {
    return mapValue(value, (item) => (item instanceof Secret ? revealed(item.value) : undefined));
}

/** `revealed` for a whole property map. */
export function revealedMap(map: PropertyMap): PropertyMap {
    return mapProperties(map, revealed);
}

/** True if `test` holds for the value or anything inside it. */
export function contains(value: Value, test: (value: Value) => boolean): boolean {
    if (test(value)) {
        return true;
    }
    if (value instanceof Secret) {
        return contains(value.value, test);
    }
    if (isArray(value)) {
        return value.some((item) => contains(item, test));
    }
    return isObject(value) && Object.values(value).some((item) => contains(item, test));
}

export const containsSecret = (value: Value): boolean => contains(value, (item) => item instanceof Secret);
export const containsUnknown = (value: Value): boolean => contains(value, (item) => item instanceof Unknown);

/** Equality by content. Secrets are looked through: whether a value is secret does not change what it is. */
export function equal(left: Value | undefined, right: Value | undefined): boolean {
    if (left instanceof Secret) {
        return equal(left.value, right);
    }
    if (right instanceof Secret) {
        return equal(left, right.value);
    }
    if (left === right) {
        return true;
    }
    if (isArray(left) && isArray(right)) {
        return left.length === right.length && left.every((item, index) => equal(item, right[index]));
    }
    if (isObject(left) && isObject(right)) {
        const keys = Object.keys(left);
        return (
            keys.length === Object.keys(right).length &&
            keys.every((key) => Object.hasOwn(right, key) && equal(left[key], right[key]))
        );
    }
    if ((left instanceof Asset && right instanceof Asset) || (left instanceof Archive && right instanceof Archive)) {
        // By content where it is known: the same file under another path is the same asset.
        return left.hash !== "" || right.hash !== ""
            ? left.hash === right.hash
            : JSON.stringify(left.source) === JSON.stringify(right.source);
    }
    if (left instanceof ResourceReference && right instanceof ResourceReference) {
        return left.urn === right.urn && equal(left.id, right.id);
    }
    return false;
}
