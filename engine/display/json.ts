import { type Step } from "../plan/step";
import { type ChangeCounts, type DeploymentEvent } from "../run/events";
import { type ResourceState } from "../state/resource";
import { type PropertyMap } from "../values/value";
import { type Json } from "../values/wire";
import { createMask, type Mask, printable, printableMap } from "./mask";
import { isPartOfReplacement, STACK_TYPE } from "./words";

type JsonObject = { [key: string]: Json };

/** Collects the events of a preview into the document that `preview --json` prints. */
export interface Digest {
    add(event: DeploymentEvent): void;
    document(): JsonObject;
}

/** An empty digest. Secrets are hidden in it whatever `--show-secrets` says, as in the official one. */
export function createDigest(mask: Mask = createMask()): Digest {
    let config: JsonObject = {};
    const steps: JsonObject[] = [];
    const positions = new Map<string, number>();
    const diagnostics: JsonObject[] = [];
    const refreshing = new Set<string>();
    let end: JsonObject = {};

    return {
        add: (event) => {
            switch (event.kind) {
                case "start":
                    config = configJson(event.config, mask);
                    return;
                case "step-start": {
                    const { step } = event;
                    if (isShown(step)) {
                        positions.set(step.urn, steps.length);
                        steps.push(stepJson(step, mask));
                    }
                    if (step.op === "refresh") {
                        refreshing.add(step.urn);
                    }
                    return;
                }
                case "step-done": {
                    // What a refresh found takes the place of the refresh itself.
                    const found = refreshing.has(event.step.urn) ? refreshed(event.step, event.new) : undefined;
                    const position = positions.get(event.step.urn);
                    if (found !== undefined && position !== undefined) {
                        steps[position] = stepJson(found, mask);
                    }
                    return;
                }
                case "step-failed":
                    // A message tells of it.
                    return;
                case "message":
                    if (!event.live && event.severity !== "debug") {
                        diagnostics.push({
                            ...(event.urn === "" ? {} : { urn: event.urn }),
                            message: withSeverity(event.severity, event.text),
                            severity: event.severity,
                        });
                    }
                    return;
                case "program-output":
                    diagnostics.push({ message: event.text, severity: "info" });
                    return;
                case "end":
                    end = {
                        duration: Math.round(event.seconds * 1e9),
                        changeSummary: logicalCounts(event.counts),
                    };
                    return;
            }
        },
        document: () =>
            withoutEmpty({
                config,
                steps,
                diagnostics,
                ...end,
            }),
    };
}

function isShown(step: Step): boolean {
    return (step.op !== "same" || step.type === STACK_TYPE) && !isPartOfReplacement(step);
}

/** A replacement counts once, by its `replace` step. */
function logicalCounts({
    "create-replacement": _created,
    "delete-replaced": _deleted,
    "discard-replaced": _discarded,
    ...counts
}: ChangeCounts): JsonObject {
    return counts;
}

function withSeverity(severity: "info" | "warning" | "error", text: string): string {
    return severity === "info" ? text : `${severity}: ${text}`;
}

function refreshed(step: Step, found: ResourceState | undefined): Step | undefined {
    if (found === undefined) {
        return { ...step, op: "delete" };
    }
    return step.detailed === undefined || Object.keys(step.detailed).length === 0
        ? undefined
        : { ...step, op: "update", new: found };
}

/** The configuration as the official documents have it: every value a string. */
function configJson(config: PropertyMap, mask: Mask): JsonObject {
    return Object.fromEntries(
        Object.entries(masked(config, mask)).map(([key, value]) => [
            key,
            typeof value === "string" ? value : JSON.stringify(value),
        ]),
    );
}

function stepJson(step: Step, mask: Mask): JsonObject {
    return {
        op: step.op,
        urn: step.urn,
        ...optional("provider", providerOf(step)),
        ...(step.old === undefined ? {} : { oldState: stateJson(step.old, mask) }),
        ...(step.new === undefined ? {} : { newState: stateJson(step.new, mask) }),
        ...optional("diffReasons", [...step.changedKeys]),
        ...optional("replaceReasons", [...step.replaceKeys]),
        detailedDiff: detailedJson(step, "kind"),
    };
}

function providerOf(step: Step): string {
    return step.new?.provider ?? step.old?.provider ?? "";
}

function detailedJson(step: Step, kindKey: "kind" | "diffKind"): Json {
    const entries = Object.entries(step.detailed ?? {});
    return entries.length === 0
        ? null
        : Object.fromEntries(entries.map(([path, kind]) => [path, { [kindKey]: kind, inputDiff: false }]));
}

/** A resource as state files have it, without its secrets. What is empty is left out. */
function stateJson(state: ResourceState, mask: Mask): JsonObject {
    return {
        urn: state.urn,
        custom: state.custom,
        ...withoutEmpty({
            delete: state.delete,
            id: mask.apply(state.id),
            type: state.type,
            inputs: masked(state.inputs, mask),
            outputs: masked(state.outputs, mask),
            parent: state.parent,
            protect: state.protect,
            taint: state.taint,
            external: state.external,
            dependencies: [...state.dependencies],
            initErrors: [...state.initErrors],
            provider: state.provider,
            propertyDependencies: lists(state.propertyDependencies),
            pendingReplacement: state.pendingReplacement,
            additionalSecretOutputs: [...state.additionalSecretOutputs],
            aliases: [...state.aliases],
            customTimeouts: withoutEmpty({ ...state.customTimeouts }),
            importID: state.importID,
            retainOnDelete: state.retainOnDelete,
            deletedWith: state.deletedWith,
            replaceWith: [...state.replaceWith],
            created: state.created,
            modified: state.modified,
            sourcePosition: state.sourcePosition,
            stackTrace: state.stackTrace.map((frame) => ({ ...frame })),
            ignoreChanges: [...state.ignoreChanges],
            hideDiff: [...state.hideDiff],
            replaceOnChanges: [...state.replaceOnChanges],
            replacementTrigger: printable(state.replacementTrigger),
            refreshBeforeUpdate: state.refreshBeforeUpdate,
            resourceHooks: lists(state.resourceHooks),
        }),
    };
}

function lists(map: Readonly<Record<string, readonly string[]>>): JsonObject {
    return Object.fromEntries(Object.entries(map).map(([key, list]) => [key, [...list]]));
}

function optional(key: string, value: Json): JsonObject {
    return withoutEmpty({ [key]: value });
}

function withoutEmpty(object: JsonObject): JsonObject {
    return Object.fromEntries(Object.entries(object).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: Json): boolean {
    return (
        value === null ||
        value === false ||
        value === "" ||
        (typeof value === "object" && Object.keys(value).length === 0)
    );
}

/**
 * One line of what the official `up --json` prints while it runs: an engine event of its REST API, but for the number
 * and time that every line has. `undefined` for what has no such event.
 */
export function engineEvent(event: DeploymentEvent, dryRun: boolean, mask: Mask): JsonObject | undefined {
    const planning: JsonObject = dryRun ? { planning: true } : {};
    switch (event.kind) {
        case "start":
            return { preludeEvent: { config: configJson(event.config, mask) } };
        case "step-start":
            return { resourcePreEvent: { metadata: metadataJson(event.step, mask), ...planning } };
        case "step-done": {
            const step = event.new === undefined ? event.step : { ...event.step, new: event.new };
            return { resOutputsEvent: { metadata: metadataJson(step, mask), ...planning } };
        }
        case "step-failed":
            return { resOpFailedEvent: { metadata: metadataJson(event.step, mask), status: 0, steps: 0 } };
        case "message":
            return event.severity === "debug"
                ? undefined
                : {
                      diagnosticEvent: {
                          ...optional("urn", event.urn),
                          ...(event.severity === "info" ? {} : { prefix: `${event.severity}: ` }),
                          message: event.text,
                          color: "never",
                          severity: event.severity,
                          ...(event.live ? { ephemeral: true } : {}),
                      },
                  };
        case "program-output":
            return { stdoutEvent: { message: event.text, color: "never" } };
        case "end":
            return {
                summaryEvent: {
                    maybeCorrupt: false,
                    durationSeconds: Math.ceil(event.seconds),
                    resourceChanges: logicalCounts(event.counts),
                    isPreview: dryRun,
                    result: event.result,
                },
            };
    }
}

function metadataJson(step: Step, mask: Mask): JsonObject {
    return {
        op: step.op,
        urn: step.urn,
        type: step.type,
        old: step.old === undefined ? null : metadataStateJson(step.old, mask),
        new: step.new === undefined ? null : metadataStateJson(step.new, mask),
        ...optional("keys", [...step.replaceKeys]),
        ...optional("diffs", [...step.changedKeys]),
        detailedDiff: detailedJson(step, "diffKind"),
        ...(isPartOfReplacement(step) ? {} : { logical: true }),
        provider: providerOf(step),
    };
}

function metadataStateJson(state: ResourceState, mask: Mask): JsonObject {
    return {
        type: state.type,
        urn: state.urn,
        ...withoutEmpty({ custom: state.custom, delete: state.delete }),
        id: mask.apply(state.id),
        parent: state.parent,
        ...withoutEmpty({
            protect: state.protect,
            taint: state.taint,
            external: state.external,
            retainOnDelete: state.retainOnDelete,
        }),
        inputs: masked(state.inputs, mask),
        outputs: masked(state.outputs, mask),
        provider: state.provider,
        ...withoutEmpty({ initErrors: [...state.initErrors], hideDiffs: [...state.hideDiff] }),
    };
}

/**
 * A property map without its secrets, nor copies of them that stand in it in clear. What a resource is called is left
 * as it is: others look it up by that.
 */
function masked(map: PropertyMap, mask: Mask): JsonObject {
    return Object.fromEntries(
        Object.entries(printableMap(map)).map(([key, value]) => [key, mapStrings(value, mask.apply)]),
    );
}

/** The JSON with every string passed through `change`; names of properties stay. */
function mapStrings(json: Json, change: (text: string) => string): Json {
    if (typeof json === "string") {
        return change(json);
    }
    if (Array.isArray(json)) {
        return json.map((item) => mapStrings(item, change));
    }
    return json !== null && typeof json === "object"
        ? Object.fromEntries(Object.entries(json).map(([key, value]) => [key, mapStrings(value, change)]))
        : json;
}
