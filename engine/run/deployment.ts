import { randomUUID } from "node:crypto";
import { messageOf, UserError } from "../errors";
import { planDeletes } from "../plan/delete";
import { dependentReplacements } from "../plan/dependents";
import {
    NO_CHANGES,
    planRegistration,
    replacedBecauseOf,
    withReplaceOnChanges,
    type DependentReplacement,
} from "../plan/register";
import { type Op, type Step } from "../plan/step";
import { PartialFailure, type DiffResult, type OperationContext, type Provider } from "../providers/provider";
import { type ResourceState, resourceState, type Snapshot } from "../state/resource";
import { isDefaultProvider, isProviderType, makeUrn, nameOf, providerType, ROOT_STACK_TYPE } from "../urn";
import { applyIgnoreChanges, changedKeys, detailedFrom, diffProperties } from "../values/diff";
import { containsUnknown, equal, mapProperties, type PropertyMap, Secret } from "../values/value";
import { UNKNOWN_STRING } from "../values/signatures";
import { type ChangeCounts, type Emit, type OperationKind } from "./events";
import { formerUrns, type Goal, inherited } from "./goal";
import { Limiter } from "./limiter";
import { type Entry, isManaged, LiveState } from "./liveState";
import { defaultProviderInputs, packageOf, type Providers } from "./providers";
import { type Targets } from "./targets";

export interface DeploymentOptions {
    readonly kind: OperationKind;
    readonly dryRun: boolean;
    readonly stack: string;
    readonly project: string;
    /** The program's configuration as the dynamic provider is given it. */
    readonly config: PropertyMap;
    /** How many operations may run at a time. */
    readonly parallel: number;
    readonly targets: Targets;
    /** Resources to replace whether or not they changed. */
    readonly replace: Targets;
    readonly providers: Providers;
    /** Makes a state durable; absent in previews. */
    readonly save?: (state: () => Snapshot) => Promise<void>;
    readonly emit: Emit;
    /** Aborted when running operations must end at once. */
    readonly abort: AbortSignal;
}

/** What the program is told of a resource it registered. */
export type Registered =
    | { readonly kind: "done"; readonly state: ResourceState }
    /** It failed, or something it needs did; the program goes on with what does not need it. */
    | { readonly kind: "failed" | "skipped"; readonly urn: string }
    /** The deployment is ending; nothing is registered any more. */
    | { readonly kind: "stopped" };

/** A step that failed and was reported as such; what depends on it is left out. */
class StepFailed extends Error {}

/**
 * Carries a stack from its old state to what the program registers, one resource at a time, many at once. All
 * decisions are made in `plan/`; here they are carried out, recorded and told.
 */
export class Deployment {
    private readonly live: LiveState;
    private readonly limiter: Limiter;
    private readonly goals = new Map<string, Goal>();
    private readonly formerly = new Map<string, string>();
    private readonly failed = new Set<string>();
    private readonly leftOut = new Set<string>();
    private readonly replaced = new Set<string>();
    private readonly deleted = new Set<string>();
    /** Resources that are being deleted for the sake of another one's replacement, until that is over. */
    private readonly condemned = new Map<string, Promise<void>>();
    private readonly defaultProviders = new Map<string, Promise<string>>();
    private readonly counts: Partial<Record<Op, number>> = {};
    private readonly registering = new Set<Promise<Registered>>();
    private readonly refused = new Set<string>();
    /** What the program gave as the stack's outputs; recorded when it is known how the run ended. */
    private stackOutputs: PropertyMap | undefined;
    private errored = 0;
    private stopping = false;

    constructor(
        private readonly options: DeploymentOptions,
        base: Snapshot,
    ) {
        this.live = new LiveState(base);
        this.limiter = new Limiter(options.dryRun ? Infinity : options.parallel);
    }

    /** No new operation starts from here on; those that run may finish. */
    stop(): void {
        this.stopping = true;
    }

    /** True once anything went wrong; nothing is deleted then. */
    get hasFailed(): boolean {
        return this.errored > 0;
    }

    get changeCounts(): ChangeCounts {
        return this.counts;
    }

    get errorCount(): number {
        return this.errored;
    }

    /** The root stack's outputs as they stand now. */
    get outputs(): PropertyMap {
        return this.root?.state.outputs ?? {};
    }

    private get root(): Entry | undefined {
        return this.live.entries().find(({ state }) => state.type === ROOT_STACK_TYPE && !state.delete);
    }

    /** What was refused up to now, each in the words in which it was told. */
    get refusals(): Iterable<string> {
        return this.refused;
    }

    snapshot(): Snapshot {
        return this.live.snapshot();
    }

    /** Reports a failure that belongs to a resource, or to the whole stack when `urn` is "". */
    fail(urn: string, message: string): void {
        this.errored++;
        this.options.emit({ kind: "message", urn, severity: "error", text: message, live: false });
    }

    /** Reports what this engine cannot do for the program; once, however often the program asks for it. */
    refuse(urn: string, message: string): void {
        if (urn !== "" || !this.refused.has(message)) {
            this.refused.add(message);
            this.fail(urn, message);
        }
    }

    urnOf(parent: string, type: string, name: string): string {
        return makeUrn(this.options.stack, this.options.project, parent, type, name);
    }

    /** Reports the resources that `targets` names and neither the state nor the program has. True if there are none. */
    knowsAll(targets: Targets): boolean {
        const known = new Set([...this.goals.keys(), ...this.formerly.keys()]);
        this.live.entries().forEach(({ state }) => known.add(state.urn));
        const unknown = targets.literals.filter((urn) => !known.has(urn));
        unknown.forEach((urn) => {
            const remedy = "write its whole URN, quoted because of any $ in it; `pulumi stack export` has them all";
            this.fail("", `"${urn}" could not be found in the stack: ${remedy}`);
        });
        return unknown.length === 0;
    }

    /** Brings one resource to what the program wants. */
    register(goal: Goal): Promise<Registered> {
        const registered = this.registerOne(goal);
        this.registering.add(registered);
        void registered.finally(() => this.registering.delete(registered));
        return registered;
    }

    /** Resolves when no registration is under way; a program may end, by an error, before its operations do. */
    async settled(): Promise<void> {
        while (this.registering.size > 0) {
            await Promise.allSettled(this.registering);
        }
    }

    private async registerOne(requested: Goal): Promise<Registered> {
        if (this.stopping) {
            return { kind: "stopped" };
        }
        const goal = inherited(requested, this.goals.get(requested.parent));
        const urn = this.urnOf(goal.parent, goal.type, goal.name);
        if (this.goals.has(urn)) {
            this.fail(urn, `Duplicate resource URN '${urn}'; try giving it a unique name`);
            return { kind: "failed", urn };
        }
        this.goals.set(urn, goal);
        const needed = [goal.parent, ...goal.dependencies, ...Object.values(goal.propertyDependencies).flat()];
        // An unknown outside a preview stands for the output of something that failed.
        if (
            needed.some((name) => this.failed.has(name)) ||
            (!this.options.dryRun && Object.values(goal.inputs).some(containsUnknown))
        ) {
            this.failed.add(urn);
            return { kind: "skipped", urn };
        }
        try {
            return await this.carryOut(goal, urn, needed);
        } catch (error) {
            this.failed.add(urn);
            if (!(error instanceof StepFailed)) {
                this.fail(urn, messageOf(error));
            }
            return { kind: "failed", urn };
        }
    }

    private async carryOut(goal: Goal, urn: string, needed: readonly string[]): Promise<Registered> {
        if (goal.custom) {
            // Before its package gets a default provider, which would stay in the state.
            this.options.providers.refuseUnknown(goal.type);
        }
        const targeted =
            isProviderType(goal.type) || goal.type === ROOT_STACK_TYPE || this.options.targets.includes(urn);
        const missing = needed.find((name) => this.leftOut.has(name));
        if (missing !== undefined && targeted) {
            throw new UserError(`it needs "${missing}", which does not exist yet`, "name that with --target too");
        }
        const old = this.findOld(goal, urn);
        // Another resource's replacement may be taking this one away, although the program has let go of that.
        await this.condemned.get(old?.state.urn ?? "");
        const recreated = old?.state.pendingReplacement === true;
        const next = await this.nextState(goal, urn, targeted ? old : undefined, recreated);
        const compared = old !== undefined && targeted && !recreated ? old.state : undefined;
        const diff = compared === undefined ? NO_CHANGES : await this.diff(compared, next, goal);
        const replacing = diff.replaceKeys.length > 0;
        // What is replaced gets its defaults afresh instead of those it had.
        const wanted = replacing ? await this.nextState(goal, urn, undefined, true) : next;
        const dependents = compared !== undefined && replacing ? await this.dependents(compared) : [];
        // Nothing may be registered between here and the first step.
        const decision = planRegistration({
            next: wanted,
            old: old?.state,
            diff,
            targeted,
            deleteBeforeReplace: goal.deleteBeforeReplace,
            dependents: dependents.filter(({ resource }) => !this.goals.has(resource.urn)),
        });
        switch (decision.kind) {
            case "refused":
                throw new UserError(decision.reason);
            case "skip":
                this.leftOut.add(urn);
                return { kind: "done", state: next };
            case "steps":
                return { kind: "done", state: await this.perform(decision.steps, old) };
            default:
                return decision satisfies never;
        }
    }

    private findOld(goal: Goal, urn: string): Entry | undefined {
        const claimedBy = this.formerly.get(urn);
        if (claimedBy !== undefined) {
            throw new UserError(
                `"${urn}" is already used as an alias by "${claimedBy}"`,
                "give one of the two another name",
            );
        }
        const same = this.live.find(urn);
        if (same !== undefined) {
            return same;
        }
        const aliasOf = (name: string): string | undefined =>
            [...this.formerly].find(([, current]) => current === name)?.[0];
        for (const alias of formerUrns(goal, this.options.stack, this.options.project, aliasOf)) {
            const entry = this.live.find(alias);
            if (entry !== undefined) {
                if (this.goals.has(alias) || this.formerly.has(alias)) {
                    throw new UserError(`its alias "${alias}" belongs to another resource of the program`, "remove it");
                }
                this.formerly.set(alias, urn);
                return entry;
            }
        }
        return undefined;
    }

    /** The state that the resource shall have, inputs checked by its provider. */
    private async nextState(
        goal: Goal,
        urn: string,
        old: Entry | undefined,
        withoutOldInputs: boolean,
    ): Promise<ResourceState> {
        const known = old !== undefined && !withoutOldInputs;
        const alias = [...this.formerly].find(([, current]) => current === urn)?.[0];
        const next = resourceState({
            urn,
            type: goal.type,
            custom: goal.custom,
            inputs: known ? this.withIgnored(goal, old.state) : goal.inputs,
            parent: goal.parent,
            provider: goal.custom && !isProviderType(goal.type) ? await this.providerReference(goal) : "",
            dependencies: goal.dependencies,
            propertyDependencies: goal.propertyDependencies,
            protect: goal.protect ?? false,
            retainOnDelete: goal.retainOnDelete ?? false,
            deletedWith: goal.deletedWith,
            replaceWith: goal.replaceWith,
            additionalSecretOutputs: goal.additionalSecretOutputs,
            aliases: alias === undefined ? [] : [alias],
            customTimeouts: goal.customTimeouts,
            created: old?.state.created ?? "",
            modified: old?.state.modified ?? "",
            sourcePosition: goal.sourcePosition,
            stackTrace: goal.stackTrace,
            ignoreChanges: goal.ignoreChanges,
            hideDiff: goal.hideDiff,
            replaceOnChanges: goal.replaceOnChanges,
            replacementTrigger: goal.replacementTrigger,
        });
        if (!isManaged(next)) {
            return next;
        }
        const { inputs, failures } = await this.options.providers
            .forType(goal.type)
            .check(this.context(next), known ? old.state.inputs : undefined, next.inputs);
        if (failures.length > 0) {
            throw new UserError(failures.map(({ property, reason }) => `${property}: ${reason}`).join("; "));
        }
        return { ...next, inputs };
    }

    private withIgnored(goal: Goal, old: ResourceState): PropertyMap {
        const { inputs, invalid } = applyIgnoreChanges(goal.inputs, old.inputs, goal.ignoreChanges);
        if (invalid.length > 0) {
            throw new UserError(
                `cannot ignore changes to ${invalid.join(", ")}`,
                "the path does not exist in both the old and the new inputs; correct `ignoreChanges`",
            );
        }
        return inputs;
    }

    private async providerReference(goal: Goal): Promise<string> {
        return goal.provider !== "" ? goal.provider : this.defaultProvider(packageOf(goal.type), goal.version);
    }

    private defaultProvider(pkg: string, version: string): Promise<string> {
        const name = version === "" ? "default" : `default_${version.replaceAll(/[.+-]/g, "_")}`;
        const key = `${pkg} ${name}`;
        const existing = this.defaultProviders.get(key);
        if (existing !== undefined) {
            return existing;
        }
        const made = this.registerProvider(pkg, name, version);
        this.defaultProviders.set(key, made);
        return made;
    }

    private async registerProvider(pkg: string, name: string, version: string): Promise<string> {
        const registered = await this.register({
            type: providerType(pkg),
            name,
            custom: true,
            parent: "",
            inputs: defaultProviderInputs(pkg, version, this.options.config),
            dependencies: [],
            propertyDependencies: {},
            provider: "",
            version: "",
            aliases: [],
            deletedWith: "",
            replaceWith: [],
            ignoreChanges: [],
            replaceOnChanges: [],
            additionalSecretOutputs: [],
            hideDiff: [],
            replacementTrigger: null,
            customTimeouts: {},
            sourcePosition: "",
            stackTrace: [],
        });
        if (registered.kind !== "done") {
            throw new StepFailed();
        }
        return `${registered.state.urn}::${registered.state.id === "" ? UNKNOWN_STRING : registered.state.id}`;
    }

    private async diff(old: ResourceState, next: ResourceState, goal: Goal): Promise<DiffResult> {
        if (this.options.replace.names(next.urn)) {
            return replacedBecauseOf("id");
        }
        if (next.replaceWith.some((urn) => this.replaced.has(urn))) {
            return replacedBecauseOf("replaceWith");
        }
        if (this.replaced.has(next.deletedWith)) {
            return replacedBecauseOf("deletedWith");
        }
        if ((old.provider === "") !== (next.provider === "")) {
            return replacedBecauseOf("provider");
        }
        if (old.replacementTrigger !== null && next.replacementTrigger !== null) {
            if (!equal(old.replacementTrigger, next.replacementTrigger)) {
                return replacedBecauseOf("replacementTrigger");
            }
        }
        const diff = isManaged(next)
            ? await this.options.providers.forType(next.type).diff(this.context(next), old, next.inputs)
            : structuralDiff(old.inputs, next.inputs);
        return withReplaceOnChanges(diff, goal.replaceOnChanges, old.initErrors.length > 0);
    }

    private dependents(root: ResourceState): Promise<DependentReplacement[]> {
        const current = this.live.entries().map(({ state }) => state);
        return dependentReplacements(
            current,
            root,
            (urn) => this.goals.has(urn),
            (old, news) => this.options.providers.forType(old.type).diff(this.context(old), old, news),
        );
    }

    /** Does the steps one after the other; answers the resource's new state. */
    private async perform(steps: readonly Step[], old: Entry | undefined): Promise<ResourceState> {
        let result: ResourceState | undefined;
        await this.deleteFirst(steps.filter(({ op }) => op === "delete-replaced"));
        for (const step of steps) {
            switch (step.op) {
                case "delete-replaced":
                    break;
                case "replace":
                    this.replaced.add(step.urn);
                    await this.tell(step, async () => step.new);
                    break;
                default:
                    result = await this.bring(step, old);
            }
        }
        if (result === undefined) {
            throw new Error(`no step makes ${steps[0]?.urn ?? "the resource"}`);
        }
        return result;
    }

    /** Deletes what must go before its replacement is made. */
    private async deleteFirst(steps: readonly Step[]): Promise<void> {
        // Known before the first of them goes: what is `deletedWith` another of them goes with it.
        steps.forEach(({ urn }) => this.deleted.add(urn));
        const work = (async () => {
            for (const step of steps) {
                const entry = this.live.find(step.urn);
                if (entry !== undefined) {
                    await this.deleteForReplacement(step, entry);
                }
            }
        })();
        const over = work.catch(() => undefined);
        steps.forEach(({ urn }) => this.condemned.set(urn, over));
        await work;
    }

    private async bring(step: Step, old: Entry | undefined): Promise<ResourceState> {
        const next = step.new;
        if (next === undefined) {
            throw new Error(`a step without a new state: ${step.op} ${step.urn}`);
        }
        if (step.op === "same") {
            return this.keep(step, next, old);
        }
        const provider = isManaged(next) ? this.options.providers.forType(next.type) : undefined;
        const previous = step.op === "update" ? old?.state : undefined;
        return this.guarded(step, previous === undefined ? "creating" : "updating", next, async () => {
            const now = timestamp();
            const stamped = { ...next, created: previous?.created ?? now, modified: now };
            const outcome = await this.outcome(provider, stamped, previous).catch((error: unknown) => {
                if (error instanceof PartialFailure) {
                    // It exists, if not as it should be: the next run goes on from here.
                    const partial = { ...stamped, id: error.id, outputs: error.outputs, initErrors: error.reasons };
                    this.record(withSecretOutputs(partial), step, old);
                }
                throw error;
            });
            return this.record(withSecretOutputs({ ...stamped, ...outcome }), step, old).state;
        });
    }

    private async keep(step: Step, next: ResourceState, old: Entry | undefined): Promise<ResourceState> {
        const previous = old?.state ?? next;
        const state = { ...next, id: previous.id, outputs: previous.outputs };
        return (await this.tell({ ...step, new: state }, async () => this.live.put(state, old).state)) ?? state;
    }

    private async outcome(
        provider: Provider | undefined,
        next: ResourceState,
        previous: ResourceState | undefined,
    ): Promise<{ id: string; outputs: PropertyMap }> {
        if (provider === undefined) {
            return this.unmanagedOutcome(next, previous);
        }
        const seconds = previous === undefined ? next.customTimeouts.create : next.customTimeouts.update;
        const context = this.context(next, seconds);
        if (this.options.dryRun) {
            return { id: previous?.id ?? "", outputs: await provider.preview(context, previous, next.inputs) };
        }
        return previous === undefined
            ? provider.create(context, next.inputs)
            : provider.update(context, previous, next.inputs);
    }

    /** Components have no outputs but those the program registers; providers are what the engine says they are. */
    private unmanagedOutcome(
        next: ResourceState,
        previous: ResourceState | undefined,
    ): { id: string; outputs: PropertyMap } {
        if (!next.custom) {
            return { id: "", outputs: previous?.outputs ?? {} };
        }
        const outputs = Object.fromEntries(Object.entries(next.inputs).filter(([key]) => key !== "__internal"));
        return { id: previous?.id ?? (this.options.dryRun ? "" : randomUUID()), outputs };
    }

    private record(state: ResourceState, step: Step, old: Entry | undefined): Entry {
        if (step.op !== "create-replacement" || old === undefined) {
            return this.live.put(state, old);
        }
        if (old.state.pendingReplacement) {
            return this.live.put(state, old);
        }
        // Created first: the old one waits, marked, for its deletion at the end.
        old.state = { ...old.state, delete: true };
        return this.live.put(state);
    }

    private async deleteForReplacement(step: Step, entry: Entry): Promise<void> {
        const old = entry.state;
        await this.guarded(step, "deleting", old, async () => {
            await this.callDelete(old);
            if (old.delete) {
                this.live.remove(entry);
            } else {
                entry.state = { ...old, pendingReplacement: true };
            }
            return old;
        });
    }

    private async callDelete(old: ResourceState): Promise<void> {
        const goesWith = old.deletedWith !== "" && this.deleted.has(old.deletedWith);
        if (this.options.dryRun || !isManaged(old) || old.external || old.retainOnDelete || goesWith) {
            return;
        }
        await this.options.providers.forType(old.type).delete(this.context(old, old.customTimeouts.delete), old);
    }

    /** Runs a step's operation with the state saved before (what is about to happen) and after (what did). */
    private async guarded(
        step: Step,
        type: "creating" | "updating" | "deleting" | "reading",
        resource: ResourceState,
        operation: () => Promise<ResourceState>,
    ): Promise<ResourceState> {
        const state = await this.tell(step, async () => {
            if (this.options.dryRun || !isManaged(resource)) {
                const result = await operation();
                await this.save();
                return result;
            }
            const end = this.live.begin({ resource, type });
            try {
                await this.save();
                return await operation();
            } finally {
                end();
                await this.save();
            }
        });
        return state ?? resource;
    }

    /** Runs a step when there is a place for it, and tells its beginning and its end. */
    private async tell(
        step: Step,
        operation: () => Promise<ResourceState | undefined>,
    ): Promise<ResourceState | undefined> {
        const shown = !isDefaultProvider(step.urn);
        return this.limiter.run(async () => {
            if (this.stopping && step.op !== "same" && step.op !== "replace") {
                throw new StepFailed();
            }
            const started = performance.now();
            const seconds = (): number => (performance.now() - started) / 1000;
            if (shown) {
                this.options.emit({ kind: "step-start", step });
            }
            try {
                const state = await operation();
                if (shown) {
                    this.count(step.op === "refresh" ? refreshedAs(step.old, state) : step.op);
                    this.options.emit({ kind: "step-done", step, new: state, seconds: seconds() });
                }
                return state;
            } catch (error) {
                const message = messageOf(error);
                this.options.emit({ kind: "step-failed", step, seconds: seconds(), message });
                this.fail(step.urn, message);
                throw new StepFailed(message, { cause: error });
            }
        });
    }

    private count(op: Op): void {
        this.counts[op] = (this.counts[op] ?? 0) + 1;
    }

    private async save(): Promise<void> {
        await this.options.save?.(() => this.live.snapshot());
    }

    private context(resource: ResourceState, seconds?: number): OperationContext {
        const { abort, emit } = this.options;
        return {
            urn: resource.urn,
            type: resource.type,
            name: nameOf(resource.urn),
            // A warning is to be found in the diagnostics, too; an error there is the operation's own.
            log: (text, severity) =>
                emit({ kind: "message", urn: resource.urn, severity, text, live: severity !== "warning" }),
            signal: seconds === undefined ? abort : AbortSignal.any([abort, deadline(seconds)]),
        };
    }

    /** Records the outputs of a component; those of the root stack wait for `finishOutputs`. */
    async registerOutputs(urn: string, outputs: PropertyMap): Promise<void> {
        const entry = this.live.find(urn);
        if (entry === undefined || this.failed.has(urn)) {
            return;
        }
        if (entry.state.type === ROOT_STACK_TYPE) {
            this.stackOutputs = outputs;
            return;
        }
        entry.state = { ...entry.state, outputs: this.known(outputs, entry.state.outputs) };
        await this.save();
    }

    /**
     * Records the root stack's outputs, as the last thing of a run. After a failure, or a run cut short, those that the
     * program did not come to stay as they were: nobody has decided to drop them.
     */
    finishOutputs(): void {
        const { root, stackOutputs } = this;
        if (root !== undefined && stackOutputs !== undefined) {
            const old = root.state.outputs;
            const kept = this.hasFailed || this.stopping ? old : {};
            root.state = { ...root.state, outputs: { ...kept, ...this.known(stackOutputs, old) } };
        }
    }

    /** An unknown outside a preview stands for what failed: the old value is the best there is. */
    private known(outputs: PropertyMap, old: PropertyMap): PropertyMap {
        if (this.options.dryRun) {
            return outputs;
        }
        const entries = Object.entries(outputs).flatMap(([key, value]) => {
            const best = containsUnknown(value) ? old[key] : value;
            return best === undefined ? [] : [[key, best] as const];
        });
        return Object.fromEntries(entries);
    }

    /**
     * Deletes what was replaced and what the program did not register. Does nothing after a failure: what is left over
     * may still be needed.
     */
    async deleteLeftovers(): Promise<void> {
        if (this.hasFailed || this.stopping) {
            return;
        }
        await this.deleteAll(
            (entry) => this.live.isDone(entry) || this.formerly.has(entry.state.urn),
            (state) => this.options.targets.includes(state.urn),
        );
    }

    /** Deletes everything that is not outside the targets. */
    async destroy(): Promise<void> {
        const kept = this.options.targets.limited;
        await this.deleteAll(
            (entry) => kept && !this.options.targets.names(entry.state.urn),
            () => true,
        );
    }

    private async deleteAll(
        wanted: (entry: Entry) => boolean,
        included: (state: ResourceState) => boolean,
    ): Promise<void> {
        const entries = new Map(this.live.entries().map((entry) => [entry.state, entry]));
        const entryOf = (state: ResourceState): Entry => {
            const entry = entries.get(state);
            if (entry === undefined) {
                throw new Error(`not in the state: ${state.urn}`);
            }
            return entry;
        };
        const plan = planDeletes([...entries.keys()], (state) => wanted(entryOf(state)), included);
        if (plan.refusals.length > 0) {
            plan.refusals.forEach((reason) => this.fail("", reason));
            if (!this.options.dryRun) {
                return;
            }
        }
        plan.deletes.forEach(({ step }) => this.deleted.add(step.urn));
        const running = new Map<ResourceState, Promise<boolean>>();
        for (const { step, after } of plan.deletes) {
            const old = step.old;
            if (old !== undefined) {
                const ready = Promise.all(after.map((other) => running.get(other) ?? Promise.resolve(true)));
                running.set(
                    old,
                    ready.then((all) => all.every(Boolean) && this.deleteOne(step, entryOf(old))),
                );
            }
        }
        await Promise.all(running.values());
    }

    /** False if the resource is still there, so that what it stands on must stay too. */
    private async deleteOne(step: Step, entry: Entry): Promise<boolean> {
        try {
            await this.guarded(step, "deleting", entry.state, async () => {
                if (step.op !== "discard-replaced") {
                    await this.callDelete(entry.state);
                }
                this.live.remove(entry);
                return entry.state;
            });
            return true;
        } catch (error) {
            if (error instanceof StepFailed) {
                return false;
            }
            throw error;
        }
    }

    /** Reads every resource anew and puts into the state what is there now. */
    async refresh(): Promise<void> {
        const gone = new Set<string>();
        await Promise.all(
            this.live.entries().map(async (entry) => {
                const { state } = entry;
                if (isDefaultProvider(state.urn)) {
                    return;
                }
                if (!isManaged(state) || state.delete || !this.options.targets.includes(state.urn)) {
                    this.count("same");
                    return;
                }
                await this.refreshOne(entry, gone).catch((error: unknown) => {
                    if (!(error instanceof StepFailed)) {
                        throw error;
                    }
                });
            }),
        );
        this.dropDependenciesOn(gone);
        await this.save();
    }

    private async refreshOne(entry: Entry, gone: Set<string>): Promise<void> {
        const old = entry.state;
        const step: Step = {
            op: "refresh",
            urn: old.urn,
            type: old.type,
            old,
            new: old,
            replaceKeys: [],
            changedKeys: [],
        };
        await this.tell(step, async () => {
            const provider = this.options.providers.forType(old.type);
            const found = await provider.read(this.context(old, old.customTimeouts.read), old);
            if (found === undefined) {
                gone.add(old.urn);
                this.live.remove(entry);
                return undefined;
            }
            const read = withSecretOutputs({
                ...old,
                id: found.id,
                outputs: found.outputs,
                inputs: found.inputs ?? old.inputs,
                initErrors: [],
            });
            if (equal(read.outputs, old.outputs) && equal(read.inputs, old.inputs) && read.id === old.id) {
                return old;
            }
            entry.state = { ...read, modified: timestamp() };
            return entry.state;
        });
    }

    private dropDependenciesOn(gone: ReadonlySet<string>): void {
        if (gone.size === 0) {
            return;
        }
        const without = (urns: readonly string[]): string[] => urns.filter((urn) => !gone.has(urn));
        for (const entry of this.live.entries()) {
            const { state } = entry;
            entry.state = {
                ...state,
                dependencies: without(state.dependencies),
                propertyDependencies: Object.fromEntries(
                    Object.entries(state.propertyDependencies).map(([key, urns]) => [key, without(urns)]),
                ),
                deletedWith: gone.has(state.deletedWith) ? "" : state.deletedWith,
                replaceWith: without(state.replaceWith),
            };
        }
    }
}

function structuralDiff(old: PropertyMap, next: PropertyMap): DiffResult {
    const diff = diffProperties(old, next);
    return diff === undefined
        ? NO_CHANGES
        : { ...NO_CHANGES, changes: true, changedKeys: changedKeys(diff), detailed: detailedFrom(diff) };
}

/**
 * What a refresh amounts to: it tells what happened to the resource, not what was done to it. As in the official
 * engine, other outputs with the same inputs are recorded but are no change: nothing has to be brought back.
 */
function refreshedAs(old: ResourceState | undefined, found: ResourceState | undefined): Op {
    if (found === undefined) {
        return "delete";
    }
    return old !== undefined && equal(found.inputs, old.inputs) && found.id === old.id ? "same" : "update";
}

/** Marks the outputs that the program's options declare secret. */
function withSecretOutputs<State extends ResourceState>(state: State): State {
    if (state.additionalSecretOutputs.length === 0) {
        return state;
    }
    const secret = new Set(state.additionalSecretOutputs);
    const outputs = mapProperties(state.outputs, (value, key) =>
        secret.has(key) && !(value instanceof Secret) ? new Secret(value) : value,
    );
    return { ...state, outputs };
}

/** The longest time that a timer can wait, in milliseconds; 24 days. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Aborted, with what there is to say about it, when an operation has taken as long as its `customTimeouts` allow. */
function deadline(seconds: number): AbortSignal {
    const controller = new AbortController();
    const reason = new UserError(
        `it was not done within ${seconds} s`,
        "give it more time with the resource option `customTimeouts`, or see what keeps it",
    );
    setTimeout(() => controller.abort(reason), Math.min(seconds * 1000, LONGEST_TIMER)).unref();
    return controller.signal;
}

/** RFC 3339, UTC. */
function timestamp(): string {
    return new Date().toISOString();
}
