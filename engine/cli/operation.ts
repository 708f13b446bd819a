import { type Command, InvalidArgumentError } from "commander";
import { availableParallelism } from "node:os";
import { type CliContext } from "./context";
import type * as OperationVerbs from "./operationVerbs";

/** The flags of `up`, `preview`, `refresh` and `destroy`; each verb has those that make sense for it. */
export interface OperationFlags {
    readonly yes: boolean;
    readonly skipPreview: boolean;
    readonly previewOnly: boolean;
    readonly diff: boolean;
    readonly json: boolean;
    readonly expectNoChanges: boolean;
    readonly refresh: boolean;
    readonly target: readonly string[];
    readonly replace: readonly string[];
    readonly parallel: number;
    readonly showSecrets: boolean;
    readonly suppressOutputs: boolean;
    readonly message: string;
}

/** Adds the verbs that change a stack, or tell what would change. What they do is loaded when one of them runs. */
export function addOperationVerbs(program: Command, context: CliContext): void {
    const run = async (verb: Verb, flags: Partial<OperationFlags>): Promise<void> => {
        // eslint-disable-next-line @typescript-eslint/no-require-imports -- so that other verbs need not load it
        const { runVerb } = require("./operationVerbs") as typeof OperationVerbs;
        await runVerb(verb, context.globals(), context.terminal(), { ...DEFAULTS, ...flags });
    };
    const verbs: readonly Verb[] = ["up", "preview", "refresh", "destroy"];
    for (const verb of verbs) {
        const command = program.command(verb).description(DESCRIPTIONS[verb]);
        OPTIONS.filter(({ verbs: those }) => those.includes(verb)).forEach(({ add }) => add(command));
        command.action((flags: Partial<OperationFlags>) => run(verb, flags));
    }
    program.commands.find((command) => command.name() === "up")?.alias("update");
    program.commands.find((command) => command.name() === "preview")?.alias("pre");
}

/** The verbs by their official names. */
export type Verb = "up" | "preview" | "refresh" | "destroy";

const DESCRIPTIONS: Readonly<Record<Verb, string>> = {
    up: "bring the stack to what the program says",
    preview: "show what `up` would do",
    refresh: "bring the state to what is really there",
    destroy: "delete everything in the stack",
};

/** The official engine's default: four operations a processor, since most of them wait. */
const PARALLEL = 4 * availableParallelism();

const DEFAULTS: OperationFlags = {
    yes: false,
    skipPreview: false,
    previewOnly: false,
    diff: false,
    json: false,
    expectNoChanges: false,
    refresh: false,
    target: [],
    replace: [],
    parallel: PARALLEL,
    showSecrets: false,
    suppressOutputs: false,
    message: "",
};

const ALL: readonly Verb[] = ["up", "preview", "refresh", "destroy"];
const CHANGING: readonly Verb[] = ["up", "refresh", "destroy"];
const WITH_PROGRAM: readonly Verb[] = ["up", "preview"];

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

const OPTIONS: readonly { readonly verbs: readonly Verb[]; readonly add: (command: Command) => unknown }[] = [
    { verbs: CHANGING, add: (command) => command.option("-y, --yes", "do not ask") },
    { verbs: CHANGING, add: (command) => command.option("-f, --skip-preview", "do it without a preview") },
    { verbs: CHANGING, add: (command) => command.option("--preview-only", "only show what would be done") },
    { verbs: CHANGING, add: (command) => command.option("-m, --message <text>", "a note for the stack's history") },
    { verbs: ALL, add: (command) => command.option("--diff", "show every changed property") },
    { verbs: ALL, add: (command) => command.option("-j, --json", "write JSON") },
    { verbs: ALL, add: (command) => command.option("--suppress-outputs", "leave out the stack's outputs") },
    { verbs: ALL, add: (command) => command.option("--show-secrets", "show secrets in clear") },
    {
        verbs: ["up", "preview", "refresh"],
        add: (command) => command.option("--expect-no-changes", "fail if anything changes"),
    },
    { verbs: [...WITH_PROGRAM, "destroy"], add: (command) => command.option("-r, --refresh", "refresh first") },
    {
        verbs: ALL,
        add: (command) => command.option("-t, --target <urn>", "only this resource; may be repeated", collect),
    },
    {
        verbs: WITH_PROGRAM,
        add: (command) => command.option("--replace <urn>", "replace this resource; may be repeated", collect),
    },
    {
        verbs: ALL,
        add: (command) => command.option("-p, --parallel <n>", "operations at a time", positive, PARALLEL),
    },
];

function positive(text: string): number {
    const number = Number(text);
    if (!Number.isInteger(number) || number < 1) {
        throw new InvalidArgumentError("It must be a whole number from 1 upwards.");
    }
    return number;
}
