import { type Op, type Step } from "../../../engine/plan/step";
import { type DeploymentEvent } from "../../../engine/run/events";
import { createDisplay, type DisplayOptions } from "../../../engine/display/display";
import { resourceState, type ResourceState } from "../../../engine/state/resource";

const STACK = "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev";

/** A resource named `web` of the stack `dev`, or whatever `fields` say. */
export function resource(fields: Partial<ResourceState> = {}): ResourceState {
    return resourceState({
        urn: "urn:pulumi:dev::shop::command:remote:Command::web",
        type: "command:remote:Command",
        parent: STACK,
        provider: "urn:pulumi:dev::shop::pulumi:providers:command::default_1_2_1::7f3a",
        ...fields,
    });
}

/** The stack's own resource. */
export function stackResource(fields: Partial<ResourceState> = {}): ResourceState {
    return resourceState({ urn: STACK, type: "pulumi:pulumi:Stack", custom: false, ...fields });
}

/** A step from `old` to `changed`. */
export function step(op: Op, old?: ResourceState, changed?: ResourceState, more: Partial<Step> = {}): Step {
    const { urn, type } = changed ?? old ?? resource();
    return {
        op,
        urn,
        type,
        ...(old === undefined ? {} : { old }),
        ...(changed === undefined ? {} : { new: changed }),
        replaceKeys: [],
        changedKeys: [],
        ...more,
    };
}

type Start = Extract<DeploymentEvent, { kind: "start" }>;
type End = Extract<DeploymentEvent, { kind: "end" }>;

export function start(fields: Partial<Start> = {}): DeploymentEvent {
    return { kind: "start", operation: "update", dryRun: false, stack: "dev", project: "shop", config: {}, ...fields };
}

export function end(fields: Partial<End> = {}): DeploymentEvent {
    return {
        kind: "end",
        counts: {},
        errored: 0,
        oldOutputs: {},
        outputs: {},
        seconds: 2.4,
        result: "succeeded",
        ...fields,
    };
}

export function begin(of: Step): DeploymentEvent {
    return { kind: "step-start", step: of };
}

export function done(of: Step, seconds = 0.2): DeploymentEvent {
    return { kind: "step-done", step: of, ...(of.new === undefined ? {} : { new: of.new }), seconds };
}

export function live(urn: string, text: string): DeploymentEvent {
    return { kind: "message", urn, severity: "info", text, live: true };
}

export function message(urn: string, severity: "info" | "warning" | "error" | "debug", text: string): DeploymentEvent {
    return { kind: "message", urn, severity, text, live: false };
}

/** All that a display writes for the events. */
export function shown(events: readonly DeploymentEvent[], options: Partial<DisplayOptions> = {}): string {
    let text = "";
    const display = createDisplay({
        kind: "progress",
        isTerminal: false,
        colour: false,
        showSecrets: false,
        write: (more) => (text += more),
        now: () => 1_700_000_000_000,
        ...options,
    });
    events.forEach(display.emit);
    display.close();
    return text;
}
