import { remote } from "@pulumi/command";
import { mergeOptions, output, secret, type CustomResourceOptions, type Output } from "@pulumi/pulumi";
import { connectionTo, type Credentials, type Endpoint } from "./connection";
import { assemble, launcher } from "./shell";

/** Values that a script's text refers to by name. */
type Variables = Readonly<Record<string, string>>;

/** What a {@link RemoteStep} does, and where. */
export interface RemoteStepArgs {
    /** Said on top of the script, so that a reader of a diff knows what it is about. */
    readonly title: string;
    /** Text that defines the functions apply, remove and probe. */
    readonly script: string;
    readonly variables: Variables;
    /** Variables that nobody may see. They make the whole text a secret, and its output unlogged. */
    readonly secretVariables?: Output<Variables>;
    /** Words that are put before a command: they end it after its time, and keep others from doing the same meanwhile. */
    readonly before: string;
    readonly endpoint: Endpoint;
    readonly credentials: Credentials;
    /** Another identity is another step: the old one is removed before the new one is made. */
    readonly identity?: readonly string[];
}

/**
 * One step on one host: its text travels by standard input, so that no value is in a command line and a preview shows the
 * lines that change. A changed text runs `apply` again; only another identity replaces the step.
 */
export class RemoteStep extends remote.Command {
    constructor(name: string, args: RemoteStepArgs, options: CustomResourceOptions) {
        const { title, script, variables, secretVariables, before, endpoint, credentials } = args;
        const hidden = secretVariables !== undefined;
        const text = hidden
            ? secret(output(secretVariables).apply((more) => assemble(title, script, { ...variables, ...more })))
            : assemble(title, script, variables);
        super(
            name,
            {
                connection: connectionTo(endpoint, credentials),
                create: launcher("apply", before, credentials.user),
                delete: launcher("remove", before, credentials.user),
                stdin: text,
                // The result is in the step's output; what goes to standard error is for who watches.
                logging: hidden ? remote.Logging.None : remote.Logging.Stderr,
                addPreviousOutputInEnv: false,
                ...(args.identity === undefined ? {} : { triggers: [...args.identity] }),
            },
            mergeOptions(options, {
                deleteBeforeReplace: true,
                ...(hidden ? { additionalSecretOutputs: ["stdout", "stderr"] } : {}),
            }),
        );
    }
}
