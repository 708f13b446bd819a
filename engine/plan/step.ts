import { type PropertyDiffKind } from "../providers/provider";
import { type ResourceState } from "../state/resource";

/**
 * The operations a deployment is made of, with the official engine's names, as they stand in `preview --json`.
 *
 * A replacement is three steps: `create-replacement` (or `delete-replaced` first, when the old one must go before),
 * `replace` (which does nothing but tell the user), and `delete-replaced`.
 */
export type Op =
    | "same"
    | "create"
    | "update"
    | "delete"
    | "replace"
    | "create-replacement"
    | "delete-replaced"
    | "refresh"
    | "discard"
    | "discard-replaced";

/** One thing to do to one resource. */
export interface Step {
    readonly op: Op;
    readonly urn: string;
    readonly type: string;
    /** What the state knows now; absent for what does not exist yet. */
    readonly old?: ResourceState;
    /** What shall be, outputs as far as known; absent for deletes. */
    readonly new?: ResourceState;
    /** Top-level properties that make it a replacement. */
    readonly replaceKeys: readonly string[];
    /** Top-level properties that differ. */
    readonly changedKeys: readonly string[];
    /** Differences by property path; absent when the provider gave none. */
    readonly detailed?: Readonly<Record<string, PropertyDiffKind>>;
}
