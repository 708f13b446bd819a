import { type DiffResult, type OperationContext, type Provider } from "../../../engine/providers/provider";
import { changedKeys, detailedFrom, diffProperties } from "../../../engine/values/diff";
import { type PropertyMap, UNKNOWN } from "../../../engine/values/value";

/** What a `MemoryProvider` did, in order. */
export interface Performed {
    readonly op: "create" | "update" | "delete" | "read";
    readonly name: string;
    readonly id: string;
}

/**
 * A provider of `memory:index:Thing`s that exist in a map only. A change of the input `identity` needs a replacement.
 * `failing` names the resources whose operations fail.
 */
export class MemoryProvider implements Provider {
    readonly pkg = "memory";
    readonly things = new Map<string, PropertyMap>();
    readonly log: Performed[] = [];
    readonly failing = new Set<string>();
    private next = 1;

    supports(type: string): boolean {
        return type === "memory:index:Thing";
    }

    async check(_context: OperationContext, _olds: PropertyMap | undefined, news: PropertyMap) {
        return { inputs: news, failures: [] };
    }

    async diff(_context: OperationContext, old: { inputs: PropertyMap }, news: PropertyMap): Promise<DiffResult> {
        const diff = diffProperties(old.inputs, news);
        const keys = changedKeys(diff);
        return {
            changes: keys.length > 0,
            replaceKeys: keys.filter((key) => key === "identity"),
            deleteBeforeReplace: false,
            changedKeys: keys,
            stables: [],
            detailed: detailedFrom(diff),
        };
    }

    async preview(_context: OperationContext, _old: unknown, news: PropertyMap): Promise<PropertyMap> {
        return { ...news, made: UNKNOWN };
    }

    async create(context: OperationContext, inputs: PropertyMap) {
        const id = `${context.name}-${this.next++}`;
        this.perform("create", context.name, id);
        this.things.set(id, inputs);
        return { id, outputs: { ...inputs, made: id } };
    }

    async update(context: OperationContext, old: { id: string }, news: PropertyMap) {
        this.perform("update", context.name, old.id);
        this.things.set(old.id, news);
        return { id: old.id, outputs: { ...news, made: old.id } };
    }

    async read(context: OperationContext, old: { id: string; outputs: PropertyMap }) {
        this.perform("read", context.name, old.id);
        const inputs = this.things.get(old.id);
        return inputs === undefined ? undefined : { id: old.id, outputs: { ...inputs, made: old.id } };
    }

    async delete(context: OperationContext, old: { id: string }): Promise<void> {
        this.perform("delete", context.name, old.id);
        if (!this.things.delete(old.id)) {
            throw new Error(`${old.id} does not exist`);
        }
    }

    async close(): Promise<void> {}

    private perform(op: Performed["op"], name: string, id: string): void {
        if (this.failing.has(name)) {
            throw new Error(`${op} of ${name} fails as planned`);
        }
        this.log.push({ op, name, id });
    }
}
