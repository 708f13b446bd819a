import { isObject, type PropertyMap, revealedMap, type Value } from "../../values/value";

/** The revealed inputs that local and remote commands have in common. */
export interface RunInputs {
    readonly create?: string;
    readonly update?: string;
    readonly delete?: string;
    readonly stdin: string;
    readonly logging?: string;
    readonly environment: Readonly<Record<string, string>>;
    readonly addPreviousOutputInEnv: boolean;
}

/** What the last run of a command printed; empty before the first. */
export interface PreviousOutput {
    readonly stdout: string;
    readonly stderr: string;
}

export const NO_OUTPUT: PreviousOutput = { stdout: "", stderr: "" };

export function runInputsFrom(map: PropertyMap): RunInputs {
    const plain = revealedMap(map);
    return {
        create: textOf(plain["create"]),
        update: textOf(plain["update"]),
        delete: textOf(plain["delete"]),
        stdin: textOf(plain["stdin"]) ?? "",
        logging: textOf(plain["logging"]),
        environment: textsOf(plain["environment"]),
        addPreviousOutputInEnv: plain["addPreviousOutputInEnv"] !== false,
    };
}

export function previousOutputFrom(outputs: PropertyMap): PreviousOutput {
    const plain = revealedMap(outputs);
    return { stdout: textOf(plain["stdout"]) ?? "", stderr: textOf(plain["stderr"]) ?? "" };
}

/** The variables by which a command is told what the last run printed, if it wants to know. */
export function previousOutputVariables(inputs: RunInputs, previous: PreviousOutput): Record<string, string> {
    const variables = { PULUMI_COMMAND_STDOUT: previous.stdout, PULUMI_COMMAND_STDERR: previous.stderr };
    return inputs.addPreviousOutputInEnv
        ? Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ""))
        : {};
}

export function textOf(value: Value | undefined): string | undefined {
    return typeof value === "string" ? value : undefined;
}

function textsOf(value: Value | undefined): Record<string, string> {
    const entries = isObject(value) ? Object.entries(value) : [];
    return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}
