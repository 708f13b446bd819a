import { type PropertyMap, type Value } from "../values/value";

/** One input that a provider refuses, with the reason shown to the user. */
export interface CheckFailure {
    readonly property: string;
    readonly reason: string;
}

/** How one property differs, keyed by its path (`triggers[0]`, `connection.host`) in `DiffResult.detailed`. */
export type PropertyDiffKind = "add" | "add-replace" | "delete" | "delete-replace" | "update" | "update-replace";

export interface DiffResult {
    /** Whether anything has to be done at all. */
    readonly changes: boolean;
    /** Top-level properties (or paths) whose change needs a new resource; empty: an update in place will do. */
    readonly replaceKeys: readonly string[];
    /** The provider cannot have old and new at the same time. */
    readonly deleteBeforeReplace: boolean;
    /** Changed top-level properties. */
    readonly changedKeys: readonly string[];
    /** Properties that keep their value through this change, so that dependents need not be unknown in a preview. */
    readonly stables: readonly string[];
    readonly detailed: Readonly<Record<string, PropertyDiffKind>>;
}

/** What every operation is told: which resource, and how to speak and be stopped while it runs. */
export interface OperationContext {
    readonly urn: string;
    readonly type: string;
    readonly name: string;
    /** Shows a line of live output (never stored). */
    log(line: string, severity: "info" | "warning" | "error"): void;
    /** Aborted by a second Ctrl-C and by `customTimeouts`. */
    readonly signal: AbortSignal;
}

export interface ResourceOutcome {
    readonly id: string;
    readonly outputs: PropertyMap;
}

/** What a refresh found; `undefined` stands for "it is gone". */
export interface ReadOutcome extends ResourceOutcome {
    readonly inputs?: PropertyMap;
}

/**
 * What carries out the operations on one package's resources. Property maps come and go with their secrets marked
 * (`Secret`); a provider looks through the mark with `revealed` and puts it back where an input that was secret comes
 * out again as an output of the same name.
 *
 * `previewed` maps may hold `UNKNOWN`; only `check`, `diff` and `preview` ever see those.
 */
export interface Provider {
    /** Package name, as in the provider's type token `pulumi:providers:<pkg>`. */
    readonly pkg: string;
    /** The types this provider manages; anything else is refused by name. */
    supports(type: string): boolean;
    /** Applies defaults and refuses bad inputs. `olds` is what the last check answered, if there is such a resource. */
    check(
        context: OperationContext,
        olds: PropertyMap | undefined,
        news: PropertyMap,
    ): Promise<{ inputs: PropertyMap; failures: readonly CheckFailure[] }>;
    diff(
        context: OperationContext,
        old: { id: string; inputs: PropertyMap; outputs: PropertyMap },
        news: PropertyMap,
    ): Promise<DiffResult>;
    /** The outputs that a create or an update will have, as far as they are known before; absent keys are unknown. */
    preview(
        context: OperationContext,
        old: { id: string; inputs: PropertyMap; outputs: PropertyMap } | undefined,
        news: PropertyMap,
    ): Promise<PropertyMap>;
    create(context: OperationContext, inputs: PropertyMap): Promise<ResourceOutcome>;
    update(
        context: OperationContext,
        old: { id: string; inputs: PropertyMap; outputs: PropertyMap },
        news: PropertyMap,
    ): Promise<ResourceOutcome>;
    read(
        context: OperationContext,
        old: { id: string; inputs: PropertyMap; outputs: PropertyMap },
    ): Promise<ReadOutcome | undefined>;
    delete(context: OperationContext, old: { id: string; inputs: PropertyMap; outputs: PropertyMap }): Promise<void>;
    /** Calls a function of the package; throws `NotSupported` for those it does not have. */
    invoke?(token: string, args: PropertyMap): Promise<{ outputs: PropertyMap; failures: readonly CheckFailure[] }>;
    /** Ends connections and processes. Called once, also after a failure. */
    close(): Promise<void>;
}

/** A resource that exists but could not be brought to where it should be: it stays in the state, marked with the reasons. */
export class PartialFailure extends Error {
    constructor(
        message: string,
        readonly id: string,
        readonly outputs: PropertyMap,
        readonly reasons: readonly string[],
    ) {
        super(message);
    }
}

export type { PropertyMap, Value };
