import { type ResourceState } from "../state/resource";
import { deletionOrder, dependenciesOf } from "./graph";
import { deleteReplaced, protectedReason } from "./register";
import { type Step } from "./step";

/** A delete and the deletes that must be done before it. */
export interface ScheduledDelete {
    readonly step: Step;
    readonly after: readonly ResourceState[];
}

export interface DeletePlan {
    /** In an order in which they may be done one after the other: dependents first. */
    readonly deletes: readonly ScheduledDelete[];
    /** Why nothing may be deleted at all; empty if all is well. */
    readonly refusals: readonly string[];
}

/**
 * The deletes at the end of a run: what was replaced, and what nothing wants any more.
 *
 * @param resources the state as it is now, in dependency order
 * @param wanted whether a resource shall stay
 * @param included whether a resource may be touched, by `--target`
 */
export function planDeletes(
    resources: readonly ResourceState[],
    wanted: (resource: ResourceState) => boolean,
    included: (resource: ResourceState) => boolean,
): DeletePlan {
    const condemned = new Set(
        resources.filter((resource) => included(resource) && (resource.delete || !wanted(resource))),
    );
    const before = deletionOrder(resources, condemned);
    const deletes = [...condemned].reverse().map((resource) => ({
        step: deleteStep(resource),
        after: before.get(resource) ?? [],
    }));
    // What was replaced lost its protection with the decision to replace it.
    const guarded = [...condemned].filter((resource) => resource.protect && !resource.delete);
    return {
        deletes,
        refusals: [...guarded.map(({ urn }) => protectedReason(urn, "delete")), ...orphanReasons(resources, condemned)],
    };
}

/** Resources outside the targets that would be left without something they need. */
function orphanReasons(resources: readonly ResourceState[], condemned: ReadonlySet<ResourceState>): string[] {
    const staying = resources.filter((resource) => !condemned.has(resource));
    const stays = new Set(staying.map(({ urn }) => urn));
    const goes = new Set([...condemned].map(({ urn }) => urn).filter((urn) => !stays.has(urn)));
    return staying.flatMap((resource) =>
        [...dependenciesOf(resource), resource.parent]
            .filter((urn) => goes.has(urn))
            .map((urn) => `"${urn}" cannot be deleted, "${resource.urn}" needs it: name that with --target too`),
    );
}

function deleteStep(old: ResourceState): Step {
    if (old.delete) {
        return deleteReplaced(old);
    }
    // One that waits for its replacement is gone already; only the state remembers it.
    const op = old.pendingReplacement ? "discard-replaced" : "delete";
    return { op, urn: old.urn, type: old.type, old, replaceKeys: [], changedKeys: [] };
}
