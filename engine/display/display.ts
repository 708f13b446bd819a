import { stripVTControlCharacters } from "node:util";
import { type DeploymentEvent, type Emit } from "../run/events";
import { colours } from "./colour";
import { createDiagnostics } from "./diagnostics";
import { diffRenderer, type Style } from "./diff";
import { createDigest, engineEvent } from "./json";
import { createMask, learnSecrets, type Mask, NO_MASK } from "./mask";
import { progressRenderer } from "./progress";
import { outputLines, summaryLines } from "./summary";
import { STACK_TYPE } from "./words";

/** How a run is shown. */
export interface DisplayOptions {
    readonly kind: "progress" | "diff" | "json";
    /** Whether somebody watches: long operations then say that they are still running. */
    readonly isTerminal: boolean;
    readonly colour: boolean;
    readonly showSecrets: boolean;
    /** Leaves out the outputs, for `--suppress-outputs`. */
    readonly suppressOutputs?: boolean;
    readonly write: (text: string) => void;
    /** The time in milliseconds; for tests. */
    readonly now?: () => number;
}

/** Shows one deployment. `close` ends it, also after a failure without an end event. */
export interface Display {
    readonly emit: Emit;
    readonly close: () => void;
}

type End = Extract<DeploymentEvent, { kind: "end" }>;

/** How often, and after how long, a running operation is mentioned again, in seconds. */
const HEARTBEAT = 10;

/** The display for one run; a preview and the update after it are two. */
export function createDisplay(options: DisplayOptions): Display {
    const mask = options.showSecrets ? NO_MASK : createMask();
    const show = options.kind === "json" ? jsonDisplay(options, mask) : textDisplay(options, mask);
    return {
        emit: (event) => {
            // The SDK's debug messages hold properties in clear, private keys included.
            if (event.kind === "message" && event.severity === "debug") {
                return;
            }
            learnSecrets(mask, event);
            show.emit(cleaned(event, mask));
        },
        close: show.close,
    };
}

/**
 * The event with its text free of secrets, as long as those of several lines are still in one piece, and of terminal
 * control sequences, which could hide or fake other lines.
 */
function cleaned(event: DeploymentEvent, mask: Mask): DeploymentEvent {
    const clean = (text: string): string => mask.apply(stripVTControlCharacters(text));
    switch (event.kind) {
        case "message":
        case "program-output":
            return { ...event, text: clean(event.text) };
        case "step-failed":
            return { ...event, message: clean(event.message) };
        case "start":
        case "step-start":
        case "step-done":
        case "end":
            return event;
    }
}

function jsonDisplay({ write, now = Date.now }: DisplayOptions, mask: Mask): Display {
    const digest = createDigest(mask);
    let dryRun = false;
    let started = false;
    let sequence = 0;
    return {
        emit: (event) => {
            if (event.kind === "start") {
                ({ dryRun } = event);
                started = true;
            }
            if (dryRun) {
                digest.add(event);
                return;
            }
            const line = engineEvent(event, dryRun, mask);
            if (line !== undefined) {
                const stamped = { sequence: sequence++, timestamp: Math.floor(now() / 1000), ...line };
                write(`${JSON.stringify(stamped)}\n`);
            }
        },
        close: () => {
            if (started && dryRun) {
                write(`${JSON.stringify(digest.document(), undefined, 4)}\n`);
                started = false;
            }
        },
    };
}

function textDisplay(options: DisplayOptions, mask: Mask): Display {
    const style: Style = { colours: colours(options.colour), showSecrets: options.showSecrets };
    const now = options.now ?? Date.now;
    const progress = progressRenderer(style, () => now() / 1000);
    const diff = options.kind === "diff" ? diffRenderer(style) : undefined;
    const diagnostics = createDiagnostics();
    const write = (lines: readonly string[]): void => {
        if (lines.length > 0) {
            options.write(lines.map((line) => `${line}\n`).join(""));
        }
    };
    const heartbeat = options.isTerminal
        ? setInterval(() => write(progress.stillRunning(HEARTBEAT)), HEARTBEAT * 1000)
        : undefined;
    // A display that nobody closed must not keep the process alive.
    heartbeat?.unref();

    let dryRun = false;
    let destroy = false;
    let newStack = false;

    const outputsOf = (event: End): string[] => {
        // A destroyed stack has none, which its deletions have told already.
        if (options.suppressOutputs === true || (destroy && !dryRun)) {
            return [];
        }
        if (diff !== undefined) {
            return diff.render(event).map(mask.apply);
        }
        const lines = outputLines(event, { ...style, dryRun, newStack, indent: 1 });
        return lines.length === 0 ? [] : [style.colours.headline("Outputs:"), ...lines.map(mask.apply)];
    };
    const ending = (event: End): string[] => {
        const outputs = outputsOf(event);
        const messages = diagnostics.lines(style.colours);
        const errored = Math.max(event.errored, diagnostics.errored());
        return [
            ...(diff === undefined ? [] : outputs),
            "",
            // Once more, now that every secret is known.
            ...messages.map(mask.apply),
            ...(diff === undefined && outputs.length > 0 ? [...outputs, ""] : []),
            ...summaryLines(event, errored, dryRun, style.colours),
            "",
        ];
    };

    return {
        emit: (event) => {
            diagnostics.add(event);
            if (event.kind === "start") {
                ({ dryRun } = event);
                destroy = event.operation === "destroy";
            }
            newStack ||= event.kind === "step-start" && event.step.type === STACK_TYPE && event.step.op === "create";
            // In a diff, messages and failures read as in the progress; steps are told by their diffs.
            const asProgress = progress.render(event);
            if (event.kind === "end") {
                write(ending(event));
                return;
            }
            const asDiff = diff?.render(event);
            const isStep = event.kind === "step-start" || event.kind === "step-done";
            write(asDiff !== undefined && isStep ? asDiff.map(mask.apply) : asProgress);
        },
        close: () => clearInterval(heartbeat),
    };
}
