import { type DeploymentEvent } from "../../../engine/run/events";
import { Deployment, type DeploymentOptions, type Registered } from "../../../engine/run/deployment";
import { type Goal } from "../../../engine/run/goal";
import { Providers } from "../../../engine/run/providers";
import { Targets } from "../../../engine/run/targets";
import { type Snapshot } from "../../../engine/state/resource";
import { makeUrn } from "../../../engine/urn";
import { type PropertyMap } from "../../../engine/values/value";
import { MemoryProvider } from "./memoryProvider";

export const urnOf = (name: string): string => makeUrn("test", "project", "", "memory:index:Thing", name);

/** A resource of the test's program; `dependsOn` and the keys of `from` name resources before it. */
export interface Thing extends Partial<Omit<Goal, "inputs" | "dependencies">> {
    readonly name: string;
    readonly identity?: string;
    readonly value?: string;
    /** Dependencies without any property. */
    readonly dependsOn?: readonly string[];
    /** Inputs taken from the output `made` of another resource, by input name. */
    readonly from?: Readonly<Record<string, string>>;
}

export function goalOf(thing: Thing, made: (name: string) => PropertyMap): Goal {
    const { name, identity, value, dependsOn = [], from = {}, ...rest } = thing;
    const inputs: PropertyMap = { identity: identity ?? "", value: value ?? "" };
    const propertyDependencies: Record<string, string[]> = { identity: [], value: [] };
    for (const [input, source] of Object.entries(from)) {
        inputs[input] = made(source)["made"] ?? null;
        propertyDependencies[input] = [urnOf(source)];
    }
    return {
        type: "memory:index:Thing",
        name,
        custom: true,
        parent: "",
        inputs,
        dependencies: [...dependsOn, ...Object.values(from)].map(urnOf),
        propertyDependencies,
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
        ...rest,
    };
}

/** A stack that lives in memory, and what its runs did. */
export class TestStack {
    readonly provider = new MemoryProvider();
    state: Snapshot = { resources: [], pendingOperations: [] };
    /** Every state that a run made durable, in order. */
    saved: Snapshot[] = [];

    /** Runs the program `things`, each registered as soon as what it needs is there; answers the events. */
    async up(things: readonly Thing[], options: Partial<DeploymentOptions> = {}): Promise<DeploymentEvent[]> {
        return this.run(options, async (deployment) => {
            const registered = new Map<string, Promise<Registered>>();
            for (const thing of things) {
                const needed = [...(thing.dependsOn ?? []), ...Object.values(thing.from ?? {})];
                const ready = Promise.all(needed.flatMap((name) => registered.get(name) ?? []));
                registered.set(
                    thing.name,
                    ready.then(async (found) => {
                        const outputs = new Map(
                            found.map((result, index) => [
                                needed[index],
                                result?.kind === "done" ? result.state.outputs : {},
                            ]),
                        );
                        return deployment.register(goalOf(thing, (name) => outputs.get(name) ?? {}));
                    }),
                );
            }
            await Promise.all(registered.values());
            await deployment.deleteLeftovers();
        });
    }

    async destroy(options: Partial<DeploymentOptions> = {}): Promise<DeploymentEvent[]> {
        return this.run({ kind: "destroy", ...options }, (deployment) => deployment.destroy());
    }

    async refresh(options: Partial<DeploymentOptions> = {}): Promise<DeploymentEvent[]> {
        return this.run({ kind: "refresh", ...options }, (deployment) => deployment.refresh());
    }

    private async run(
        options: Partial<DeploymentOptions>,
        work: (deployment: Deployment) => Promise<void>,
    ): Promise<DeploymentEvent[]> {
        const events: DeploymentEvent[] = [];
        const deployment = new Deployment(
            {
                kind: "update",
                dryRun: false,
                stack: "test",
                project: "project",
                config: {},
                parallel: 4,
                targets: new Targets([]),
                replace: new Targets([]),
                providers: new Providers(new Map([["memory", this.provider]])),
                save: async (state) => void this.saved.push(state()),
                emit: (event) => events.push(event),
                abort: new AbortController().signal,
                ...options,
            },
            this.state,
        );
        await work(deployment);
        if (options.dryRun !== true) {
            this.state = deployment.snapshot();
        }
        return events;
    }
}

/** `op name` of every finished step but those that changed nothing. */
export function changes(events: readonly DeploymentEvent[]): string[] {
    return events.flatMap((event) =>
        event.kind === "step-done" && event.step.op !== "same"
            ? [`${event.step.op} ${event.step.urn.split("::").at(-1)}`]
            : [],
    );
}

/** The errors that were told. */
export function errors(events: readonly DeploymentEvent[]): string[] {
    return events.flatMap((event) => (event.kind === "message" && event.severity === "error" ? [event.text] : []));
}
