import { type DeploymentEvent, type Severity } from "../run/events";
import { type Colours } from "./colour";
import { typeAndName } from "./words";

type Message = Extract<DeploymentEvent, { kind: "message" }>;

/** Collects what is worth telling again at the end of a run. */
export interface Diagnostics {
    add(event: DeploymentEvent): void;
    /** The messages by resource, in the order in which resources first had one. */
    lines(colours: Colours): string[];
    /** How many resources have an error, the stack among them. */
    errored(): number;
}

/** The stack's own resource, under which messages about no resource stand. */
export function stackUrn(stack: string, project: string): string {
    return `urn:pulumi:${stack}::${project}::pulumi:pulumi:Stack::${project}-${stack}`;
}

/** An empty collection. */
export function createDiagnostics(): Diagnostics {
    const byUrn = new Map<string, { severity: Severity; text: string }[]>();
    let root = "";

    const record = (urn: string, severity: Severity, text: string): void => {
        const key = urn === "" ? root : urn;
        const messages = byUrn.get(key) ?? [];
        // A failed step and the message that told of it are the same news.
        if (severity !== "error" || !messages.some((each) => each.severity === "error" && each.text === text)) {
            messages.push({ severity, text });
        }
        byUrn.set(key, messages);
    };

    return {
        add: (event) => {
            switch (event.kind) {
                case "start":
                    root = stackUrn(event.stack, event.project);
                    return;
                case "message":
                    if (!event.live && event.severity !== "debug") {
                        record(event.urn, event.severity, event.text);
                    }
                    return;
                case "step-failed":
                    record(event.step.urn, "error", event.message);
                    return;
                case "program-output":
                    record("", "info", event.text);
                    return;
                case "step-start":
                case "step-done":
                case "end":
                    return;
            }
        },
        lines: (colours) => {
            const groups = [...byUrn].flatMap(([urn, messages]) => {
                const lines = messages.flatMap(({ severity, text }) => messageLines(severity, text, colours));
                const { type, name } = typeAndName(urn);
                return lines.length === 0
                    ? []
                    : [`  ${colours.strong(`${type} (${name}):`)}`, ...lines.map((line) => `    ${line}`), ""];
            });
            return groups.length === 0 ? [] : [colours.headline("Diagnostics:"), ...groups];
        },
        errored: () => [...byUrn.values()].filter((all) => all.some(({ severity }) => severity === "error")).length,
    };
}

/** A message with its severity in front, line by line, without trailing blanks and empty ends. */
export function messageLines(severity: Message["severity"], text: string, colours: Colours): string[] {
    const trimmed = text.trimEnd();
    if (trimmed.trim() === "") {
        return [];
    }
    return (prefix(severity, colours) + trimmed).split(/\r\n|\r|\n/).map((line) => line.trimEnd());
}

function prefix(severity: Severity, colours: Colours): string {
    switch (severity) {
        case "error":
            return colours.error("error: ");
        case "warning":
            return colours.warning("warning: ");
        case "info":
        case "debug":
            return "";
    }
}
