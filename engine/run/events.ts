import { type Op, type Step } from "../plan/step";
import { type ResourceState } from "../state/resource";
import { type PropertyMap } from "../values/value";

export type Severity = "debug" | "info" | "warning" | "error";

/** How many resources met which operation; `same` among them. */
export type ChangeCounts = Partial<Record<Op, number>>;

/** Which verb runs; a preview of any of them has `dryRun` beside it. */
export type OperationKind = "update" | "refresh" | "destroy";

/**
 * What a running deployment tells whoever watches it, in order. This is all that display, JSON output and tests
 * see of it. Values in states keep their `Secret` marks: whoever prints them masks them.
 */
export type DeploymentEvent =
    | {
          readonly kind: "start";
          readonly operation: OperationKind;
          readonly dryRun: boolean;
          readonly stack: string;
          readonly project: string;
          readonly config: PropertyMap;
      }
    /** A step begins (in a preview: is planned). `same` steps are told as well. */
    | { readonly kind: "step-start"; readonly step: Step }
    /** A step is done; `new` is the resulting state with its outputs; `seconds` how long it took. */
    | { readonly kind: "step-done"; readonly step: Step; readonly new?: ResourceState; readonly seconds: number }
    | { readonly kind: "step-failed"; readonly step: Step; readonly seconds: number; readonly message: string }
    /** A message about a resource, or about the whole stack when `urn` is "". `live` ones are running output of a command, not part of the diagnostics at the end. */
    | {
          readonly kind: "message";
          readonly urn: string;
          readonly severity: Severity;
          readonly text: string;
          readonly live: boolean;
      }
    /** What the program itself printed. */
    | { readonly kind: "program-output"; readonly text: string; readonly stream: "stdout" | "stderr" }
    | {
          readonly kind: "end";
          readonly counts: ChangeCounts;
          /** Steps that failed. */
          readonly errored: number;
          readonly oldOutputs: PropertyMap;
          readonly outputs: PropertyMap;
          readonly seconds: number;
          readonly result: "succeeded" | "failed" | "interrupted";
      };

export type Emit = (event: DeploymentEvent) => void;
