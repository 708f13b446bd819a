import { type Step } from "../plan/step";
import { diffProperties, matchesAny, type ObjectDiff } from "../values/diff";
import { parsePath, type Path, printPath } from "../values/path";
import { type PropertyMap, revealedMap } from "../values/value";
import { sign } from "./words";

/** What of a step's properties is to be shown as changed. */
export interface Changes {
    readonly diff?: ObjectDiff;
    /** Patterns of `hideDiffs` that hid something. */
    readonly hidden: readonly string[];
}

/** Properties that are the SDK's own business, like a dynamic provider's code. */
export function isInternal(key: string): boolean {
    return key.startsWith("__");
}

/**
 * How two property maps differ, without internal and hidden properties. With `showSecrets` the difference goes into
 * secrets.
 */
export function visibleDiff(
    old: PropertyMap,
    changed: PropertyMap,
    hide: readonly string[],
    showSecrets: boolean,
): Changes {
    const hidden = new Set<string>();
    const ignore = (path: Path): boolean => {
        const last = path.at(-1);
        if (typeof last === "string" && isInternal(last)) {
            return true;
        }
        const pattern = hide.find((each) => matchesAny([each], path));
        if (pattern !== undefined) {
            hidden.add(pattern);
        }
        return pattern !== undefined;
    };
    const diff = showSecrets
        ? diffProperties(revealedMap(old), revealedMap(changed), ignore)
        : diffProperties(old, changed, ignore);
    return { ...(diff === undefined ? {} : { diff }), hidden: [...hidden].sort() };
}

/** The changes that a step makes, as far as its provider says that they matter. None for what is not yet or no more. */
export function stepChanges(step: Step, showSecrets: boolean): Changes {
    const { old, new: changed } = step;
    if (old === undefined || changed === undefined || step.op === "same") {
        return { hidden: [] };
    }
    if (step.op === "refresh") {
        return visibleDiff(old.outputs, changed.outputs, changed.hideDiff, showSecrets);
    }
    const inputs = visibleDiff(old.inputs, changed.inputs, changed.hideDiff, showSecrets);
    const relevant = relevantKeys(step);
    if (relevant === undefined) {
        return inputs;
    }
    const changedInputs = inputs.diff;
    // What differs from the last outputs only, like something that drifted and was refreshed.
    const drifted = visibleDiff(
        pick(old.outputs, relevant),
        pick(changed.inputs, relevant),
        changed.hideDiff,
        showSecrets,
    ).diff;
    const keep = <Item>(select: (diff: ObjectDiff) => ReadonlyMap<string, Item>): ReadonlyMap<string, Item> => {
        const own = changedInputs === undefined ? [] : [...select(changedInputs)];
        const told = (key: string): boolean =>
            changedInputs !== undefined &&
            (changedInputs.adds.has(key) || changedInputs.deletes.has(key) || changedInputs.updates.has(key));
        const more = drifted === undefined ? [] : [...select(drifted)].filter(([key]) => !told(key));
        return new Map([...own, ...more].filter(([key]) => relevant.has(key)));
    };
    const diff: ObjectDiff = {
        adds: keep((each) => each.adds),
        deletes: keep((each) => each.deletes),
        sames: new Map(),
        updates: keep((each) => each.updates),
    };
    const any = diff.adds.size + diff.deletes.size + diff.updates.size > 0;
    return { ...(any ? { diff } : {}), hidden: inputs.hidden };
}

/** The top-level properties that the provider named; `undefined` when it named none. */
function relevantKeys(step: Step): ReadonlySet<string> | undefined {
    const detailed = Object.keys(step.detailed ?? {}).map((path) => topLevel(path));
    const keys = detailed.length > 0 ? detailed : step.changedKeys.map((path) => topLevel(path));
    return keys.length === 0 ? undefined : new Set(keys);
}

function topLevel(path: string): string {
    const first = parsePath(path)?.[0];
    return first === undefined ? path : String(first);
}

function pick(map: PropertyMap, keys: ReadonlySet<string>): PropertyMap {
    return Object.fromEntries(Object.entries(map).filter(([key]) => keys.has(key)));
}

/** The properties for whose sake a resource is replaced, as paths where they are known. */
export function replaceReasons(step: Step): string[] {
    const detailed = Object.entries(step.detailed ?? {}).filter(([, kind]) => kind.endsWith("-replace"));
    return detailed.length > 0 ? detailed.map(([path]) => path).sort() : [...step.replaceKeys].sort();
}

/** The changed properties in one line, `diff: +new-gone~changed`; "" when there is nothing to tell. */
export function shortDiff(step: Step): string {
    const { diff } = stepChanges(step, false);
    const metadata = changedMetadata(step);
    const list = (mark: string, keys: Iterable<string>): string => {
        const sorted = [...keys].map((key) => printPath([key])).sort();
        return sorted.length === 0 ? "" : mark + sorted.join(",");
    };
    const text =
        list(sign("create").trim(), diff?.adds.keys() ?? []) +
        list(sign("delete").trim(), diff?.deletes.keys() ?? []) +
        list(sign("update").trim(), [...(diff?.updates.keys() ?? []), ...metadata]);
    return text === "" ? "" : `diff: ${text}`;
}

function changedMetadata({ old, new: changed }: Step): string[] {
    if (old === undefined || changed === undefined) {
        return [];
    }
    return (["provider", "protect", "taint"] as const).filter((key) => old[key] !== changed[key]);
}
