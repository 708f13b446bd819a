import { type Client, type ClientChannel } from "ssh2";
import { goQuote } from "../goQuote";
import { openSession, setEnvironment, startCommand } from "./session";

/** One command to run in a session of its own. */
export interface RemoteRun {
    readonly command: string;
    readonly stdin: string;
    /** Variables that must be accepted. */
    readonly environment: Readonly<Record<string, string>>;
    /** Variables that are only offered; `onRefused` is told of those that the server does not take. */
    readonly offered: Readonly<Record<string, string>>;
    onRefused(name: string): void;
    /** Called when the command is about to start. */
    onStart(): void;
    onOutput(chunk: Buffer, stream: "stdout" | "stderr"): void;
}

/** A variable of `environment` that the server does not accept. */
export class EnvironmentRefused extends Error {
    constructor(readonly variable: string) {
        super(`could not set environment variable ${goQuote(variable)}: ssh: setenv failed`);
    }
}

/** The session could not be opened because the server has no room for one more. */
export class NoRoom extends Error {}

/**
 * Runs a command and resolves to what is wrong with its end, in the words of the provider's SSH library, or to
 * `undefined` for exit status 0.
 */
export async function runCommand(client: Client, run: RemoteRun, signal: AbortSignal): Promise<string | undefined> {
    const channel = await opened(client);
    const close = (): void => channel.close();
    signal.addEventListener("abort", close, { once: true });
    // A command that ends before it has read all of its input is no failure.
    channel.on("error", () => undefined);
    try {
        signal.throwIfAborted();
        await prepare(client, channel, run);
        const ended = endOf(channel);
        channel.on("data", (chunk: Buffer) => run.onOutput(chunk, "stdout"));
        channel.stderr.on("data", (chunk: Buffer) => run.onOutput(chunk, "stderr"));
        run.onStart();
        if (!(await startCommand(client, channel, run.command))) {
            return "ssh: command failed";
        }
        channel.end(run.stdin);
        const failure = await ended;
        signal.throwIfAborted();
        return failure;
    } finally {
        signal.removeEventListener("abort", close);
        channel.close();
    }
}

/** Opens a session, with the server's refusal as `NoRoom`. */
async function opened(client: Client): Promise<ClientChannel> {
    try {
        return await openSession(client);
    } catch (error) {
        throw isRefusal(error) ? new NoRoom(error.message, { cause: error }) : error;
    }
}

/** True for the error with which the library tells that the server did not open a channel. */
export function isRefusal(error: unknown): error is Error {
    return error instanceof Error && "reason" in error && /channel open failure/i.test(error.message);
}

async function prepare(client: Client, channel: ClientChannel, run: RemoteRun): Promise<void> {
    for (const [name, value] of Object.entries(run.environment)) {
        if (!(await setEnvironment(client, channel, name, value))) {
            throw new EnvironmentRefused(name);
        }
    }
    for (const [name, value] of Object.entries(run.offered)) {
        if (!(await setEnvironment(client, channel, name, value))) {
            run.onRefused(name);
        }
    }
}

/** Numbers of the signals that the protocol names (RFC 4254, 6.10). */
const SIGNALS: Readonly<Record<string, number>> = {
    ABRT: 6,
    ALRM: 14,
    FPE: 8,
    HUP: 1,
    ILL: 4,
    INT: 2,
    KILL: 9,
    PIPE: 13,
    QUIT: 3,
    SEGV: 11,
    TERM: 15,
};

function endOf(channel: ClientChannel): Promise<string | undefined> {
    let failure: string | undefined = "wait: remote command exited without exit status or exit signal";
    channel.on("exit", (code: number | null, signal?: string, _dumped?: boolean, reason?: string) => {
        if (code !== null) {
            failure = code === 0 ? undefined : `Process exited with status ${code}`;
            return;
        }
        const name = (signal ?? "").replace(/^SIG/, "");
        failure =
            `Process exited with status ${128 + (SIGNALS[name] ?? 0)} from signal ${name}` +
            (reason ? `. Reason was: ${reason}` : "");
    });
    return new Promise((resolve) => channel.once("close", () => resolve(failure)));
}
