import { dependenciesOf } from "../plan/graph";
import { type PendingOperation, type ResourceState, type Snapshot } from "../state/resource";
import { isProviderType, parseReference } from "../urn";

/** One resource in the state while a deployment runs; keeps its identity when what is known of the resource changes. */
export interface Entry {
    state: ResourceState;
}

/**
 * The stack's state while a deployment changes it. What this run has dealt with stands first, in the order in which it
 * was done; what it has not come to yet stays behind as it was. At any moment `snapshot()` is a state that another run
 * can go on from.
 */
export class LiveState {
    private readonly done: Entry[] = [];
    private readonly remaining: Set<Entry>;
    private readonly pending = new Map<symbol, PendingOperation>();
    private readonly byUrn = new Map<string, Entry>();
    private readonly renamed = new Map<string, string>();

    /** `base.pendingOperations` are kept until a resource of that name is registered: it may exist without being known. */
    constructor(base: Snapshot) {
        this.remaining = new Set(base.resources.map((state) => ({ state })));
        // Those that wait for their deletion have a successor, or none: they are never found by name.
        this.remaining.forEach((entry) => {
            if (!entry.state.delete) {
                this.byUrn.set(entry.state.urn, entry);
            }
        });
        base.pendingOperations
            .filter(({ type, resource }) => type === "creating" && !this.byUrn.has(resource.urn))
            .forEach((operation) => this.pending.set(Symbol(operation.resource.urn), operation));
    }

    /** The resource that the state had under this name when the deployment began, or has now. */
    find(urn: string): Entry | undefined {
        return this.byUrn.get(urn);
    }

    /** All resources as they stand now, in dependency order. */
    entries(): Entry[] {
        return [...this.done, ...this.remaining];
    }

    /** True once this run has put its own knowledge of the resource in place. */
    isDone(entry: Entry): boolean {
        return !this.remaining.has(entry);
    }

    /** Records the result of a step; `old` is the entry that it replaces in the state, if any. */
    put(state: ResourceState, old?: Entry): Entry {
        if (old !== undefined) {
            this.remaining.delete(old);
            if (old.state.urn !== state.urn) {
                this.renamed.set(old.state.urn, state.urn);
                this.byUrn.delete(old.state.urn);
            }
        }
        this.bringForward(state);
        const entry = { state };
        this.done.push(entry);
        this.byUrn.set(state.urn, entry);
        this.forget(state.urn);
        return entry;
    }

    /** What a resource needs must stand before it, also when the program does not mention it (`--target`). */
    private bringForward(state: ResourceState): void {
        const needed = [...dependenciesOf(state), ...(state.parent === "" ? [] : [state.parent])];
        for (const urn of needed) {
            const entry = this.byUrn.get(urn);
            if (entry !== undefined && this.remaining.delete(entry)) {
                this.bringForward(entry.state);
                this.done.push(entry);
            }
        }
    }

    /** Takes a resource out of the state. */
    remove(entry: Entry): void {
        this.remaining.delete(entry);
        const index = this.done.indexOf(entry);
        if (index >= 0) {
            this.done.splice(index, 1);
        }
        if (this.byUrn.get(entry.state.urn) === entry) {
            this.byUrn.delete(entry.state.urn);
        }
    }

    /** Notes what is about to be done; call the answer when it is over. */
    begin(operation: PendingOperation): () => void {
        const key = Symbol(operation.resource.urn);
        this.pending.set(key, operation);
        return () => this.pending.delete(key);
    }

    private forget(urn: string): void {
        for (const [key, operation] of this.pending) {
            if (operation.resource.urn === urn && operation.type === "creating") {
                this.pending.delete(key);
            }
        }
    }

    snapshot(): Snapshot {
        const states = this.entries().map(({ state }) => state);
        return {
            resources: this.renamed.size === 0 ? states : states.map((state) => this.withNewNames(state)),
            pendingOperations: [...this.pending.values()],
        };
    }

    private withNewNames(state: ResourceState): ResourceState {
        const name = (urn: string): string => this.renamed.get(urn) ?? urn;
        const names = (urns: readonly string[]): string[] => urns.map(name);
        const provider = state.provider === "" ? undefined : parseReference(state.provider);
        const touched =
            this.renamed.has(state.parent) ||
            (provider !== undefined && this.renamed.has(provider.urn)) ||
            [...dependenciesOf(state)].some((urn) => this.renamed.has(urn));
        if (!touched) {
            return state;
        }
        return {
            ...state,
            parent: name(state.parent),
            dependencies: names(state.dependencies),
            propertyDependencies: Object.fromEntries(
                Object.entries(state.propertyDependencies).map(([key, urns]) => [key, names(urns)]),
            ),
            deletedWith: name(state.deletedWith),
            replaceWith: names(state.replaceWith),
            provider: provider === undefined ? "" : `${name(provider.urn)}::${provider.id}`,
        };
    }
}

/** True for what a provider manages: neither a component nor a provider itself. */
export function isManaged(state: ResourceState): boolean {
    return state.custom && !isProviderType(state.type);
}
