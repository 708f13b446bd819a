import { type ChildProcess, spawn } from "node:child_process";
import { resolve as resolveFrom } from "node:path";
import { messageOf } from "../../errors";
import { type PropertyMap, isArray, revealedMap } from "../../values/value";
import { goQuote } from "../goQuote";
import { type OperationContext } from "../provider";
import { Capture } from "./capture";
import { type PreviousOutput, previousOutputVariables, runInputsFrom, textOf } from "./runInputs";
import { maskerFor } from "./secrets";

const DEFAULT_INTERPRETER = ["/bin/sh", "-c"];

/**
 * Runs one text of a `command:local:Command` (or the command of `command:local:run`) on this machine. Throws with the
 * command and everything it printed if it does not end with exit status 0. Aborting kills it with all it started.
 *
 * @param directory where the command runs, and where a relative `dir` starts from
 */
export async function runLocal(
    context: Pick<OperationContext, "log" | "signal">,
    command: string,
    properties: PropertyMap,
    previous: PreviousOutput,
    directory: string,
): Promise<PreviousOutput> {
    const inputs = runInputsFrom(properties);
    const mask = maskerFor(properties);
    const capture = new Capture(inputs.logging, (line, severity) => context.log(mask(line), severity));
    const failure = await execute(context.signal, [...interpreterOf(properties), command], {
        cwd: resolveFrom(directory, textOf(revealedMap(properties)["dir"]) ?? ""),
        env: { ...process.env, ...inputs.environment, ...previousOutputVariables(inputs, previous) },
        stdin: inputs.stdin,
        onOutput: (chunk, stream) => capture.write(chunk, stream),
    });
    capture.end();
    context.signal.throwIfAborted();
    if (failure !== undefined) {
        throw new Error(mask(`${failure}: running ${goQuote(command)}:\n${capture.everything()}`));
    }
    return { stdout: capture.output("stdout"), stderr: capture.output("stderr") };
}

function interpreterOf(properties: PropertyMap): string[] {
    const interpreter = revealedMap(properties)["interpreter"];
    const words = isArray(interpreter) ? interpreter.filter((word): word is string => typeof word === "string") : [];
    return words.length > 0 ? words : DEFAULT_INTERPRETER;
}

interface Execution {
    readonly cwd: string;
    readonly env: NodeJS.ProcessEnv;
    readonly stdin: string;
    onOutput(chunk: Buffer, stream: "stdout" | "stderr"): void;
}

/** Resolves to what is wrong with the end of the process, in Go's words, or to `undefined` for exit status 0. */
function execute(signal: AbortSignal, words: readonly string[], execution: Execution): Promise<string | undefined> {
    const [program = "", ...args] = words;
    return new Promise((resolve) => {
        signal.throwIfAborted();
        let child: ChildProcess;
        try {
            // A process group of its own: Ctrl-C at the terminal is the engine's to answer.
            child = spawn(program, args, { cwd: execution.cwd, env: execution.env, stdio: "pipe", detached: true });
        } catch (error) {
            resolve(startFailure(program, execution.cwd, error));
            return;
        }
        const kill = (): void => killAll(child);
        const done = (failure: string | undefined): void => {
            signal.removeEventListener("abort", kill);
            resolve(failure);
        };
        signal.addEventListener("abort", kill, { once: true });
        child.once("error", (error) => done(startFailure(program, execution.cwd, error)));
        child.once("close", (code, by) => done(by === null ? statusOf(code) : `signal: ${describe(by)}`));
        child.stdout?.on("data", (chunk: Buffer) => execution.onOutput(chunk, "stdout"));
        child.stderr?.on("data", (chunk: Buffer) => execution.onOutput(chunk, "stderr"));
        // A command that ends before it has read all of its input is no failure.
        child.stdin?.on("error", () => undefined);
        child.stdin?.end(execution.stdin);
    });
}

/** Kills the interpreter with what it started, and waits for none that has left its process group. */
function killAll(child: ChildProcess): void {
    if (child.pid !== undefined) {
        try {
            process.kill(-child.pid, "SIGKILL");
        } catch {
            // It has ended by itself.
        }
    }
    child.stdout?.destroy();
    child.stderr?.destroy();
}

function statusOf(code: number | null): string | undefined {
    return code === 0 ? undefined : `exit status ${code ?? -1}`;
}

function startFailure(program: string, cwd: string, error: unknown): string {
    switch ((error as NodeJS.ErrnoException).code) {
        case "ENOENT":
            // The system does not say which of the two is missing.
            return `cannot start ${program} in ${cwd}: no such file or directory`;
        case "E2BIG":
            return `cannot start ${program}: argument list too long (is addPreviousOutputInEnv wanted?)`;
        default:
            return `cannot start ${program}: ${messageOf(error)}`;
    }
}

const SIGNAL_WORDS: Readonly<Record<string, string>> = {
    SIGABRT: "aborted",
    SIGHUP: "hangup",
    SIGINT: "interrupt",
    SIGKILL: "killed",
    SIGSEGV: "segmentation fault",
    SIGTERM: "terminated",
};

function describe(name: string): string {
    return SIGNAL_WORDS[name] ?? name;
}

/** The inputs that make the provider return files as assets, which this engine does not do. */
export const ASSET_INPUTS = ["assetPaths", "archivePaths"] as const;
