import { type PropertyMap, type Value } from "../values/value";

/** Seconds an operation may take; absent means the provider's default. */
export interface CustomTimeouts {
    create?: number;
    update?: number;
    delete?: number;
    read?: number;
}

export interface StackFrame {
    sourcePosition?: string;
}

/**
 * One resource as the state knows it: the fields of the official checkpoint format, version 3, with inputs and
 * outputs decoded. Optional lists are empty and optional flags false when absent from the file.
 *
 * Source: pulumi/pulumi sdk/go/common/apitype/core.go, type ResourceV3.
 */
export interface ResourceState {
    readonly urn: string;
    readonly type: string;
    /** True for what a provider manages, false for components. */
    readonly custom: boolean;
    readonly id: string;
    readonly inputs: PropertyMap;
    readonly outputs: PropertyMap;
    readonly parent: string;
    /** `URN::ID` of the provider resource, "" for components. */
    readonly provider: string;
    readonly dependencies: readonly string[];
    readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
    /** Replaced already, waiting to be deleted. */
    readonly delete: boolean;
    /** Deleted before its replacement was created; the next update creates it. */
    readonly pendingReplacement: boolean;
    readonly protect: boolean;
    readonly taint: boolean;
    readonly external: boolean;
    readonly retainOnDelete: boolean;
    readonly deletedWith: string;
    readonly replaceWith: readonly string[];
    readonly initErrors: readonly string[];
    readonly additionalSecretOutputs: readonly string[];
    readonly aliases: readonly string[];
    readonly customTimeouts: CustomTimeouts;
    readonly importID: string;
    /** RFC 3339 times, "" when unknown. */
    readonly created: string;
    readonly modified: string;
    readonly sourcePosition: string;
    readonly stackTrace: readonly StackFrame[];
    readonly ignoreChanges: readonly string[];
    readonly hideDiff: readonly string[];
    readonly replaceOnChanges: readonly string[];
    readonly replacementTrigger: Value;
    readonly refreshBeforeUpdate: boolean;
    readonly resourceHooks: Readonly<Record<string, readonly string[]>>;
}

/** What the engine was doing to `resource` when it last wrote the state. */
export interface PendingOperation {
    readonly resource: ResourceState;
    readonly type: "creating" | "updating" | "deleting" | "reading";
}

/** Everything a stack file says about its resources, decoded. Resources stand in dependency order. */
export interface Snapshot {
    readonly resources: readonly ResourceState[];
    readonly pendingOperations: readonly PendingOperation[];
}

/** A resource of which nothing is known but what is named; the base for new states and for tests. */
export function resourceState(fields: Partial<ResourceState> & { urn: string; type: string }): ResourceState {
    return {
        custom: true,
        id: "",
        inputs: {},
        outputs: {},
        parent: "",
        provider: "",
        dependencies: [],
        propertyDependencies: {},
        delete: false,
        pendingReplacement: false,
        protect: false,
        taint: false,
        external: false,
        retainOnDelete: false,
        deletedWith: "",
        replaceWith: [],
        initErrors: [],
        additionalSecretOutputs: [],
        aliases: [],
        customTimeouts: {},
        importID: "",
        created: "",
        modified: "",
        sourcePosition: "",
        stackTrace: [],
        ignoreChanges: [],
        hideDiff: [],
        replaceOnChanges: [],
        replacementTrigger: null,
        refreshBeforeUpdate: false,
        resourceHooks: {},
        ...fields,
    };
}
