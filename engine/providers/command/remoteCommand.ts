import { type PropertyMap, revealedMap } from "../../values/value";
import { goQuote } from "../goQuote";
import { type OperationContext } from "../provider";
import { ConnectionLost, type SshPool } from "../ssh/pool";
import { EnvironmentRefused, runCommand } from "../ssh/run";
import { connectionFrom } from "../ssh/settings";
import { Capture } from "./capture";
import { type PreviousOutput, previousOutputVariables, runInputsFrom } from "./runInputs";
import { maskerFor } from "./secrets";

function refused(variable: string): string {
    return (
        `Unable to set '${variable}'. The SSH server has to allow it by AcceptEnv; ` +
        "where a shell like bash runs the command, 'VAR=value command' does without"
    );
}

/**
 * Runs one text of a `command:remote:Command` with the connection, stdin and environment of `properties`. Throws with
 * the command and everything it printed if it does not end with exit status 0.
 */
export async function runRemote(
    pool: SshPool,
    context: OperationContext,
    command: string,
    properties: PropertyMap,
    previous: PreviousOutput,
): Promise<PreviousOutput> {
    const inputs = runInputsFrom(properties);
    const mask = maskerFor(properties);
    const capture = new Capture(inputs.logging, (line, severity) => context.log(mask(line), severity));
    const failed = (reason: string): Error =>
        new Error(mask(`${reason}: running ${goQuote(command)}:\n${capture.everything()}`));
    const waiting = {
        signal: context.signal,
        onRetry: (message: string) => context.log(message, "info"),
    };
    const connection = connectionFrom(revealedMap(properties)["connection"]);
    let failure: string | undefined;
    try {
        failure = await pool.withSession(connection, waiting, (client, begin) =>
            runCommand(
                client,
                {
                    command,
                    stdin: inputs.stdin,
                    environment: inputs.environment,
                    offered: previousOutputVariables(inputs, previous),
                    onRefused: (name) => context.log(refused(name), "warning"),
                    onStart: begin,
                    onOutput: (chunk, stream) => capture.write(chunk, stream),
                },
                context.signal,
            ),
        );
    } catch (error) {
        if (error instanceof EnvironmentRefused) {
            context.log(refused(error.variable), "error");
        }
        throw error instanceof ConnectionLost ? failed(error.message) : error;
    } finally {
        capture.end();
    }
    if (failure !== undefined) {
        throw failed(failure);
    }
    return { stdout: capture.output("stdout"), stderr: capture.output("stderr") };
}
