/**
 * Programs this command waits for.
 *
 * A few lines over child_process instead of execa, which is published as an ES module only: neither tsx nor jest can
 * load it (nor what it stands on) into a CommonJS program like this one.
 */
import { spawn } from "node:child_process";
import { LabError } from "./errors";

/** How to run a program. */
export interface RunOptions {
    cwd?: string;
    /** Added to the environment. */
    env?: Record<string, string>;
    /** What it reads; nothing by default. */
    input?: string;
    /** Makes its input when it prints for the first time, which says that it has come so far as to read it. */
    answer?: () => string;
    /** Lets it read from this terminal instead. */
    terminal?: boolean;
    /** Time limit in milliseconds; after it the program is ended. */
    timeout?: number;
    /** Ends the program when aborted. */
    signal?: AbortSignal | undefined;
    /** Milliseconds between asking it to end and insisting; 5000 by default. */
    patience?: number;
    /** Returns also when it fails, instead of throwing. */
    mayFail?: boolean;
}

/** What a program did. */
export interface RunResult {
    stdout: string;
    stderr: string;
    /** Both, in the order they came. */
    all: string;
    /** Its exit status; 255 when it was ended by a signal. */
    exitCode: number;
    failed: boolean;
    /** The time limit was over. */
    timedOut: boolean;
}

/**
 * Runs a program to its end.
 *
 * @throws LabError with its words when it fails, unless `mayFail`; the signal's reason when that was aborted
 */
export async function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    const { cwd, env, input, answer, terminal = false, timeout, signal, patience = 5000, mayFail = false } = options;
    signal?.throwIfAborted();
    const child = spawn(file, args, {
        ...(cwd !== undefined && { cwd }),
        env: { ...process.env, ...env },
        stdio: [terminal ? "inherit" : input === undefined && answer === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    const texts = { stdout: "", stderr: "", all: "" };
    for (const name of ["stdout", "stderr"] as const) {
        child[name]?.setEncoding("utf8").on("data", (data: string) => {
            texts[name] += data;
            texts.all += data;
        });
    }
    // A program that does not read all of its input is no error.
    child.stdin?.on("error", () => undefined);
    if (answer === undefined) {
        child.stdin?.end(input);
    } else {
        child.stdout?.once("data", () => child.stdin?.end(answer()));
    }

    let timedOut = false;
    let insist: NodeJS.Timeout | undefined;
    const end = (): void => {
        child.kill("SIGTERM");
        insist ??= setTimeout(() => child.kill("SIGKILL"), patience);
    };
    const late = (): void => {
        timedOut = true;
        end();
    };
    const timer = timeout === undefined ? undefined : setTimeout(late, timeout);
    signal?.addEventListener("abort", end);
    try {
        const exitCode = await new Promise<number>((resolve, reject) => {
            child.once("error", reject);
            child.once("close", (code) => resolve(code ?? 255));
        });
        signal?.throwIfAborted();
        const failed = exitCode !== 0 || timedOut;
        if (failed && !mayFail) {
            throw new LabError(`${file} failed (${timedOut ? "too slow" : exitCode}): ${texts.all.trim()}`);
        }
        const trimmed = { stdout: texts.stdout.trimEnd(), stderr: texts.stderr.trimEnd() };
        return { ...trimmed, all: texts.all, exitCode, failed, timedOut };
    } finally {
        clearTimeout(timer);
        clearTimeout(insist);
        signal?.removeEventListener("abort", end);
    }
}
