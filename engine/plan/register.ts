import { type DiffResult, type PropertyDiffKind } from "../providers/provider";
import { type ResourceState } from "../state/resource";
import { matchesAny } from "../values/diff";
import { parsePath } from "../values/path";
import { type Step } from "./step";

/** The diff of a resource that did not change. */
export const NO_CHANGES: DiffResult = {
    changes: false,
    replaceKeys: [],
    deleteBeforeReplace: false,
    changedKeys: [],
    stables: [],
    detailed: {},
};

/** The diff of a resource that must be replaced for a reason outside its properties, which `key` names. */
export function replacedBecauseOf(key: string): DiffResult {
    return { ...NO_CHANGES, changes: true, replaceKeys: [key] };
}

/** Init errors can be named in `replaceOnChanges` as if they were a property. */
const INIT_ERRORS_KEY = "__initErrors";

/** The provider's diff with the user's `replaceOnChanges` applied: changes below one of these paths replace. */
export function withReplaceOnChanges(
    diff: DiffResult,
    replaceOnChanges: readonly string[],
    hasInitErrors: boolean,
): DiffResult {
    if (!diff.changes && !hasInitErrors) {
        return diff;
    }
    const replaces = (text: string): boolean => {
        const path = parsePath(text);
        return path !== undefined && matchesAny(replaceOnChanges, path);
    };
    const detailed = Object.fromEntries(
        Object.entries(diff.detailed).map(([path, kind]) => [path, replaces(path) ? asReplace(kind) : kind]),
    );
    // A path below a key replaces too: `triggers[*]` is met by `triggers[0]`.
    const below = Object.keys(detailed)
        .filter(replaces)
        .map((path) => String(parsePath(path)?.[0] ?? path));
    const keys = new Set([...diff.replaceKeys, ...diff.changedKeys.filter(replaces), ...below]);
    const initErrorsReplace = hasInitErrors && matchesAny(replaceOnChanges, [INIT_ERRORS_KEY]);
    if (initErrorsReplace) {
        keys.add(INIT_ERRORS_KEY);
    }
    return { ...diff, changes: diff.changes || initErrorsReplace, replaceKeys: [...keys].sort(), detailed };
}

function asReplace(kind: PropertyDiffKind): PropertyDiffKind {
    switch (kind) {
        case "add":
        case "delete":
        case "update":
            return `${kind}-replace`;
        case "add-replace":
        case "delete-replace":
        case "update-replace":
            return kind;
        default:
            return kind satisfies never;
    }
}

/** Everything that decides what becomes of a resource that the program has registered. */
export interface Registration {
    /** What the program wants, inputs checked, outputs not known yet. */
    readonly next: ResourceState;
    /** What the state has under this URN or one of its aliases. */
    readonly old?: ResourceState;
    /** How they differ, `replaceOnChanges` applied. Meaningless without `old`. */
    readonly diff: DiffResult;
    /** Named by `--target`, or no targets are given. */
    readonly targeted: boolean;
    /** The user's option; absent: as the provider says. */
    readonly deleteBeforeReplace?: boolean;
    /** What goes with `old` when it must be deleted first, in dependency order; see `dependentReplacements`. */
    readonly dependents: readonly DependentReplacement[];
}

/** A resource that must be deleted before one that it depends on, and the properties that make it a replacement. */
export interface DependentReplacement {
    readonly resource: ResourceState;
    readonly keys: readonly string[];
}

/** What to do, or why nothing may be done. `skip`: leave it out of the state without a step (a create not targeted). */
export type Decision =
    | { readonly kind: "steps"; readonly steps: readonly Step[] }
    | { readonly kind: "skip" }
    | { readonly kind: "refused"; readonly reason: string };

/**
 * Decides the steps for one registered resource, in the order in which they must be done. Without I/O; the semantics
 * are the official engine's (pulumi/pulumi pkg/resource/deploy/step_generator.go).
 */
export function planRegistration(registration: Registration): Decision {
    const { next, old, diff } = registration;
    const step = (op: Step["op"], states: Pick<Step, "old" | "new">): Step => ({
        op,
        urn: next.urn,
        type: next.type,
        replaceKeys: diff.replaceKeys,
        changedKeys: diff.changedKeys,
        detailed: diff.detailed,
        ...states,
    });
    if (old === undefined) {
        return registration.targeted ? steps(step("create", { new: next })) : { kind: "skip" };
    }
    if (!registration.targeted) {
        // Nothing of an untargeted resource may change, not even what the program says of it.
        return steps(step("same", { old, new: old }));
    }
    if (old.pendingReplacement) {
        // Deleted already, by this run or one that did not get further.
        return steps(step("replace", { old, new: next }), step("create-replacement", { old, new: next }));
    }
    if (diff.changes && diff.replaceKeys.length > 0) {
        return planReplacement(registration, old, step);
    }
    if (diff.changes || old.initErrors.length > 0) {
        return steps(step("update", { old, new: next }));
    }
    return steps(step("same", { old, new: next }));
}

function planReplacement(
    { next, diff, deleteBeforeReplace, dependents }: Registration,
    old: ResourceState,
    step: (op: Step["op"], states: Pick<Step, "old" | "new">) => Step,
): Decision {
    // A resource may be unprotected and replaced in one go, so both must say it.
    if (next.protect && old.protect) {
        return { kind: "refused", reason: protectedReason(old.urn, "replace") };
    }
    if (!(deleteBeforeReplace ?? diff.deleteBeforeReplace)) {
        return steps(step("create-replacement", { old, new: next }), step("replace", { old, new: next }));
    }
    const guarded = dependents.find(({ resource }) => resource.protect && !resource.delete);
    if (guarded !== undefined) {
        return {
            kind: "refused",
            reason: `${protectedReason(guarded.resource.urn, "replace")} (it must be replaced with "${old.urn}")`,
        };
    }
    // Those that wait for their replacement were deleted by a run that did not get further.
    const existing = dependents.filter(({ resource }) => !resource.pendingReplacement);
    return steps(
        ...existing.reverse().map(({ resource, keys }) => deleteReplaced(resource, keys)),
        deleteReplaced(old, diff.replaceKeys),
        step("replace", { old, new: next }),
        step("create-replacement", { old, new: next }),
    );
}

function steps(...list: Step[]): Decision {
    return { kind: "steps", steps: list };
}

/** The step that deletes a resource whose replacement exists or will exist. */
export function deleteReplaced(old: ResourceState, replaceKeys: readonly string[] = []): Step {
    return { op: "delete-replaced", urn: old.urn, type: old.type, old, replaceKeys, changedKeys: [] };
}

/** Why a protected resource stays as it is, and what to do. */
export function protectedReason(urn: string, verb: "delete" | "replace"): string {
    return `unable to ${verb} resource "${urn}" as it is currently marked for protection: remove the \`protect\` option from it in the program and run \`up\` first`;
}
