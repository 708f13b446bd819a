import { type Op } from "../plan/step";
import { type DeploymentEvent } from "../run/events";
import { Unknown } from "../values/value";
import { visibleDiff } from "./changes";
import { type Colours } from "./colour";
import { objectDiffLines, objectLines, type Look } from "./properties";
import { sign, summaryWord } from "./words";

type End = Extract<DeploymentEvent, { kind: "end" }>;

/** The order in which changes are counted up. Parts of replacements are counted as `replace`. */
const COUNTED: readonly Op[] = ["create", "update", "delete", "replace", "refresh", "discard"];

/** The stack's outputs: all of them after an update, only what changes in a preview. */
export function outputLines(
    end: End,
    style: { colours: Colours; showSecrets: boolean; dryRun: boolean; newStack: boolean; indent: number },
): string[] {
    const { colours, showSecrets, dryRun, newStack, indent } = style;
    const look: Look = { colours, showSecrets, indent, op: newStack ? "create" : "same", signed: false };
    if (newStack) {
        return objectLines(end.outputs, look);
    }
    const { diff } = visibleDiff(end.oldOutputs, end.outputs, [], showSecrets);
    if (diff === undefined) {
        return dryRun ? [] : objectLines(end.outputs, look);
    }
    // That an output is not known yet does not say that it changes.
    const updates = new Map([...diff.updates].filter(([, update]) => !dryRun || !(update.new instanceof Unknown)));
    return objectDiffLines({ ...diff, updates }, look, !dryRun);
}

/** How many resources met what, as under "Resources:", and how long it took. */
export function summaryLines(end: End, errored: number, dryRun: boolean, colours: Colours): string[] {
    const changes = COUNTED.map((op) => ({ op, count: end.counts[op] ?? 0 })).filter(({ count }) => count > 0);
    const total = changes.reduce((sum, { count }) => sum + count, 0);
    const unchanged = end.counts.same ?? 0;
    const rest = [
        ...(changes.length > 1 ? [colours.strong(`${total} ${total === 1 ? "change" : "changes"}`)] : []),
        ...(unchanged > 0 ? [`${unchanged} unchanged`] : []),
    ];
    return [
        colours.headline("Resources:"),
        ...changes.map(({ op, count }) => `    ${colours.op(op)(`${sign(op)}${count} ${summaryWord(op, dryRun)}`)}`),
        ...(rest.length > 0 ? [`    ${rest.join(". ")}`] : []),
        ...(errored > 0 ? [`    ${colours.error(`${errored} errored`)}`] : []),
        ...(dryRun ? [] : ["", `${colours.headline("Duration:")} ${duration(end.seconds)}`]),
    ];
}

/** Whole seconds, rounded up, as `1h2m3s`. */
export function duration(seconds: number): string {
    const whole = Math.ceil(seconds);
    const hours = Math.floor(whole / 3600);
    const minutes = Math.floor((whole % 3600) / 60);
    const parts = [hours > 0 ? `${hours}h` : "", whole >= 60 ? `${minutes}m` : "", `${whole % 60}s`];
    return parts.join("");
}
