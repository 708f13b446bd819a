import { type Step } from "../plan/step";
import { type DeploymentEvent } from "../run/events";
import { type ResourceState } from "../state/resource";
import { equal, type PropertyMap } from "../values/value";
import { replaceReasons, stepChanges, visibleDiff } from "./changes";
import { type Colours } from "./colour";
import { createMask, learnSecrets, NO_MASK } from "./mask";
import { objectDiffLines, objectLines, type Look } from "./properties";
import { outputLines } from "./summary";
import { isPartOfReplacement, sign, STACK_TYPE } from "./words";

/** How to render; the same for every line of a run. */
export interface Style {
    readonly colours: Colours;
    readonly showSecrets: boolean;
}

/** Renders events one by one, in the way of the official `--diff`. */
export interface DiffRenderer {
    render(event: DeploymentEvent): string[];
}

/** A renderer for one run: it remembers the resources it has seen, to show children beneath their parents. */
export function diffRenderer(style: Style): DiffRenderer {
    const parents = new Map<string, { parent: string; shown: boolean }>();
    let dryRun = false;
    let newStack = false;

    const indentOf = (step: Step): number => {
        let indent = 0;
        for (let at = parentOf(step); at !== "";) {
            const known = parents.get(at);
            if (known === undefined) {
                break;
            }
            indent += known.shown ? 1 : 0;
            at = known.parent;
        }
        return indent;
    };
    const look = (step: Step, indent: number): Look => ({ ...style, indent, op: step.op, signed: false });

    return {
        render: (event) => {
            switch (event.kind) {
                case "start":
                    dryRun = event.dryRun;
                    return [];
                case "step-start": {
                    const { step } = event;
                    const shown = isShown(step);
                    parents.set(step.urn, { parent: parentOf(step), shown });
                    newStack ||= step.type === STACK_TYPE && step.op === "create";
                    return shown && step.op !== "refresh" ? stepLines(step, look(step, indentOf(step))) : [];
                }
                case "step-done": {
                    const step: Step = event.new === undefined ? event.step : { ...event.step, new: event.new };
                    if (step.op === "refresh") {
                        return refreshLines(step, event.new, look(step, indentOf(step)));
                    }
                    return dryRun ? [] : newOutputLines(step, look(step, indentOf(step) + 1));
                }
                case "end": {
                    const lines = outputLines(event, { ...style, dryRun, newStack, indent: 2 });
                    return lines.length === 0 ? [] : ["    --outputs:--", ...lines];
                }
                case "step-failed":
                case "message":
                case "program-output":
                    return [];
            }
        },
    };
}

/** All that a run would change: what "details" shows of the events of a preview. */
export function renderDiff(events: readonly DeploymentEvent[], style: Style): string {
    const renderer = diffRenderer(style);
    const mask = style.showSecrets ? NO_MASK : createMask();
    events.forEach((event) => learnSecrets(mask, event));
    return events
        .flatMap((event) => renderer.render(event))
        .map(mask.apply)
        .join("\n");
}

function isShown(step: Step): boolean {
    return (step.op !== "same" || step.type === STACK_TYPE) && !isPartOfReplacement(step);
}

function parentOf(step: Step): string {
    return step.new?.parent ?? step.old?.parent ?? "";
}

function stepLines(step: Step, look: Look): string[] {
    return [...headerLines(step, look), ...detailLines(step, { ...look, indent: look.indent + 1 })];
}

/** What resource it is, and what happens to it. */
function headerLines(step: Step, look: Look): string[] {
    const { old, new: changed } = step;
    const outer = "    ".repeat(look.indent);
    const inner = "    ".repeat(look.indent + 1);
    const lock = changed?.protect === true ? " 🔒" : old?.protect !== true ? "" : changed === undefined ? " 🔒" : " 🔓";
    const retained = old?.retainOnDelete === true && /delete|replace/.test(step.op) ? "[retain]" : "";
    const paint = look.colours.op(step.op);
    const facts = [
        ...(old === undefined || old.id === "" ? [] : [`[id=${old.id}]`]),
        `[urn=${step.urn}]`,
        ...providerFacts(old, changed),
    ].map((fact) => inner + fact);
    const reasons = replaceReasons(step);
    const why =
        reasons.length === 0 || step.op !== "replace" ? [] : [`${inner}[replaced because of: ${reasons.join(", ")}]`];
    return [
        paint(`${outer}${sign(step.op)}${step.type}: (${step.op}${retained})${lock}`),
        ...(step.op === "create" || step.op === "delete" ? facts.map(paint) : facts),
        ...why.map(paint),
    ];
}

function providerFacts(old: ResourceState | undefined, changed: ResourceState | undefined): string[] {
    const before = old?.provider ?? "";
    const after = changed?.provider ?? before;
    if (before !== "" && after !== "" && before !== after) {
        return [`[provider: ${before} => ${after}]`];
    }
    // `urn:…::pulumi:providers:NAME::default::ID` says nothing that the type does not.
    return after === "" || after.split("::").at(-2) === "default" ? [] : [`[provider=${after}]`];
}

function detailLines(step: Step, look: Look): string[] {
    const { old, new: changed } = step;
    if (step.op === "same") {
        return [];
    }
    if (old === undefined) {
        return objectLines(changed?.inputs ?? {}, look);
    }
    if (changed === undefined) {
        return [];
    }
    const { diff, hidden } = stepChanges(step, look.showSecrets);
    const before = `${"    ".repeat(look.indent).slice(0, -2)}${sign("update")}`;
    const hiddenLines = hidden.map((path) => look.colours.op("update")(`${before}${path} (hidden)`));
    return [...hiddenLines, ...(diff === undefined ? [] : objectDiffLines(diff, look))];
}

function refreshLines(step: Step, found: ResourceState | undefined, look: Look): string[] {
    if (found === undefined) {
        return headerLines({ ...step, op: "delete" }, { ...look, op: "delete" });
    }
    const { diff } = stepChanges(step, look.showSecrets);
    return diff === undefined
        ? []
        : [
              ...headerLines({ ...step, op: "update" }, { ...look, op: "update" }),
              ...objectDiffLines(diff, { ...look, indent: look.indent + 1 }),
          ];
}

/** What an operation brought forth, beyond the inputs that were shown already. */
function newOutputLines(step: Step, look: Look): string[] {
    const { old, new: changed } = step;
    if (changed === undefined || step.op === "same" || step.type === STACK_TYPE || isReplaceNote(step)) {
        return [];
    }
    const fresh = withoutInputs(changed);
    const { diff } =
        old === undefined ? {} : visibleDiff(old.outputs, changed.outputs, changed.hideDiff, look.showSecrets);
    const lines =
        old === undefined
            ? objectLines(fresh, look)
            : diff === undefined
              ? []
              : objectDiffLines(
                    {
                        adds: only(diff.adds, fresh),
                        deletes: diff.deletes,
                        sames: new Map(),
                        updates: only(diff.updates, fresh),
                    },
                    look,
                );
    return lines.length === 0 ? [] : [look.colours.op(step.op)(`${"    ".repeat(look.indent)}--outputs:--`), ...lines];
}

/** The `replace` step itself does nothing: its outputs are those of the `create-replacement`. */
function isReplaceNote(step: Step): boolean {
    return step.op === "replace";
}

function withoutInputs({ inputs, outputs }: ResourceState): PropertyMap {
    return Object.fromEntries(Object.entries(outputs).filter(([key, value]) => !equal(value, inputs[key])));
}

function only<Item>(items: ReadonlyMap<string, Item>, kept: PropertyMap): ReadonlyMap<string, Item> {
    return new Map([...items].filter(([key]) => Object.hasOwn(kept, key)));
}
