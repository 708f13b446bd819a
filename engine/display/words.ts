import { type Op, type Step } from "../plan/step";

/** The two characters that stand for an operation in front of a line. */
export function sign(op: Op): string {
    switch (op) {
        case "same":
            return "  ";
        case "create":
            return "+ ";
        case "update":
        case "refresh":
            return "~ ";
        case "delete":
            return "- ";
        case "replace":
            return "+-";
        case "create-replacement":
            return "++";
        case "delete-replaced":
            return "--";
        case "discard":
            return "< ";
        case "discard-replaced":
            return "<<";
    }
}

/** What is happening, happened, or failed to happen, in words. */
export interface Words {
    readonly planned: string;
    readonly running: string;
    readonly done: string;
    readonly failed: string;
}

/** The words for an operation, as the official CLI's. */
export function words(op: Op): Words {
    switch (op) {
        case "same":
            return { planned: "", running: "", done: "", failed: "failed" };
        case "create":
            return { planned: "create", running: "creating", done: "created", failed: "creating failed" };
        case "update":
            return { planned: "update", running: "updating", done: "updated", failed: "updating failed" };
        case "delete":
            return { planned: "delete", running: "deleting", done: "deleted", failed: "deleting failed" };
        case "replace":
            return { planned: "replace", running: "replacing", done: "replaced", failed: "replacing failed" };
        case "create-replacement":
            return {
                planned: "create replacement",
                running: "creating replacement",
                done: "created replacement",
                failed: "creating failed",
            };
        case "delete-replaced":
            return {
                planned: "delete original",
                running: "deleting original",
                done: "deleted original",
                failed: "deleting failed",
            };
        case "refresh":
            return { planned: "refresh", running: "refreshing", done: "refreshed", failed: "refreshing failed" };
        case "discard":
            return { planned: "discard", running: "discarding", done: "discarded", failed: "discarding failed" };
        case "discard-replaced":
            return {
                planned: "discard original",
                running: "discarding original",
                done: "discarded original",
                failed: "discarding failed",
            };
    }
}

/** What an operation is called in a summary. */
export function summaryWord(op: Op, dryRun: boolean): string {
    if (dryRun) {
        return `to ${op}`;
    }
    switch (op) {
        case "same":
        case "create":
        case "replace":
        case "create-replacement":
        case "update":
            return `${op}d`;
        case "delete":
        case "delete-replaced":
            return "deleted";
        case "refresh":
            return "refreshed";
        case "discard":
        case "discard-replaced":
            return "discarded";
    }
}

/** The type of every stack's own resource. */
export const STACK_TYPE = "pulumi:pulumi:Stack";

/** A type as it is shown: `random:index/randomUuid:RandomUuid` as `random:index:RandomUuid`. */
export function displayType(type: string): string {
    const [, pkg, module, inner, name] = /^([^:]*):([^/:]*)\/([^:]*):(.*)$/.exec(type) ?? [];
    return name !== undefined && inner === name.charAt(0).toLowerCase() + name.slice(1)
        ? `${pkg}:${module}:${name}`
        : type;
}

/** A resource's type and name, from its URN (`urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME`). */
export function typeAndName(urn: string): { type: string; name: string } {
    const [, , qualified = "", ...name] = urn.split("::");
    return { type: displayType(qualified.slice(qualified.lastIndexOf("$") + 1)), name: name.join("::") };
}

/** True for the steps that are part of a replacement and told by its `replace` step. */
export function isPartOfReplacement(step: Step): boolean {
    switch (step.op) {
        case "create-replacement":
        case "discard-replaced":
            return true;
        case "delete-replaced":
            // Left over from an earlier update: no `replace` step of this one tells of it.
            return step.old?.delete !== true;
        case "same":
        case "create":
        case "update":
        case "delete":
        case "replace":
        case "refresh":
        case "discard":
            return false;
    }
}
