import { type Step } from "../plan/step";
import { type DeploymentEvent, type OperationKind } from "../run/events";
import { equal } from "../values/value";
import { shortDiff } from "./changes";
import { messageLines, stackUrn } from "./diagnostics";
import { type Style } from "./diff";
import { isPartOfReplacement, sign, typeAndName, words } from "./words";

/** Renders events as one line per operation. */
export interface ProgressRenderer {
    render(event: DeploymentEvent): string[];
    /** One line for every operation that has been running for at least so many seconds. */
    stillRunning(seconds: number): string[];
}

interface Running {
    readonly step: Step;
    readonly since: number;
}

/** A renderer for one run. `now` tells the time in seconds. */
export function progressRenderer({ colours }: Style, now: () => number): ProgressRenderer {
    const running = new Map<string, Running>();
    const failures = new Map<string, string>();
    let dryRun = false;
    let root = "";

    const row = (step: Step, status: string, note = ""): string => {
        const { type, name } = typeAndName(step.urn);
        return ` ${colours.op(step.op)(sign(step.op))} ${type} ${name} ${status} ${note}`.trimEnd();
    };
    const elapsed = ({ since }: Running): string => `(${Math.max(0, Math.floor(now() - since))}s)`;
    const underway = (at: Running, note = ""): string =>
        row(at.step, colours.op(at.step.op)(`${words(at.step.op).running} ${elapsed(at)}`), note);
    const changes = (step: Step): string => {
        const text = shortDiff(step);
        return text === "" ? "" : `[${text}]`;
    };
    const told = (urn: string, lines: string[]): string[] => {
        const at = running.get(urn);
        if (at !== undefined) {
            return lines.map((line) => underway(at, line));
        }
        const { type, name } = typeAndName(urn === "" ? root : urn);
        return lines.map((line) => `    ${type} ${name} ${line}`);
    };

    return {
        render: (event) => {
            switch (event.kind) {
                case "start":
                    dryRun = event.dryRun;
                    root = stackUrn(event.stack, event.project);
                    return [`${colours.headline(`${headline(event.operation, dryRun)} (${event.stack}):`)}`];
                case "step-start": {
                    const { step } = event;
                    if (step.op === "same") {
                        return [];
                    }
                    if (dryRun) {
                        return step.op === "refresh" || isPartOfReplacement(step)
                            ? []
                            : [row(step, colours.op(step.op)(words(step.op).planned), changes(step))];
                    }
                    const at = { step, since: now() };
                    running.set(step.urn, at);
                    return [underway(at, changes(step))];
                }
                case "step-done": {
                    running.delete(event.step.urn);
                    if (event.step.op === "refresh") {
                        const found = { ...event.step, new: event.new };
                        return refreshed(found).map((step) =>
                            row(step, colours.op(step.op)(words(step.op).done), changes({ ...found, op: "refresh" })),
                        );
                    }
                    if (event.step.op === "same" || dryRun) {
                        return [];
                    }
                    const status = `${words(event.step.op).done} (${event.seconds.toFixed(2)}s)`;
                    return [row(event.step, colours.op(event.step.op)(status), changes(event.step))];
                }
                case "step-failed": {
                    running.delete(event.step.urn);
                    failures.set(event.step.urn, event.message);
                    const [first = ""] = messageLines("error", event.message, colours);
                    return [row(event.step, colours.error(`**${words(event.step.op).failed}**`), first)];
                }
                case "message": {
                    // A failure is told by its step already.
                    if (event.severity === "debug" || failures.get(event.urn) === event.text) {
                        return [];
                    }
                    const lines = messageLines(event.live ? "info" : event.severity, event.text, colours);
                    // The rest of what is not live follows in the diagnostics.
                    return told(event.urn, event.live ? lines : lines.slice(0, 1));
                }
                case "program-output":
                    return told("", messageLines("info", event.text, colours));
                case "end":
                    return [];
            }
        },
        stillRunning: (seconds) =>
            [...running.values()].filter(({ since }) => now() - since >= seconds).map((at) => underway(at)),
    };
}

/** What a refresh turned out to be; nothing when it found everything as it was. */
function refreshed(step: Step): Step[] {
    if (step.new === undefined) {
        return [{ ...step, op: "delete" }];
    }
    if (shortDiff(step) === "") {
        return [];
    }
    const onlyOutputs = step.old !== undefined && equal(step.old.inputs, step.new.inputs);
    return [{ ...step, op: onlyOutputs ? "refresh" : "update" }];
}

function headline(operation: OperationKind, dryRun: boolean): string {
    if (dryRun) {
        return `Previewing ${operation}`;
    }
    switch (operation) {
        case "update":
            return "Updating";
        case "refresh":
            return "Refreshing";
        case "destroy":
            return "Destroying";
    }
}
