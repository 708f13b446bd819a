import { connect, type Socket } from "node:net";
import { type Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { type AnyAuthMethod, Client, type ConnectConfig, utils } from "ssh2";
import { messageOf, UserError } from "../../errors";
import { algorithmsFor, fingerprintOf, type HostKey, parseHostKey } from "./hostKey";
import { endpointOf, type HostSettings } from "./settings";

/** How a connection is kept under watch: `intervalMs` between signs of life, lost after `countMax` without answer. */
export interface KeepAlive {
    readonly intervalMs: number;
    readonly countMax: number;
}

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 5_000;
const BACKOFF = 1.5;
/** Old servers look names up before they greet; the time for that is not the dial's. */
const MIN_HANDSHAKE_MS = 60_000;

/**
 * Tries until it works, as the provider does: waits 100 ms, 1.5 times longer each time, at most 5 s; gives up with
 * `after N failed attempts: …` when `limit` attempts and one more have failed.
 *
 * @param settings.dialErrorLimit failed attempts to bear with; -1: any number
 * @param settings.perDialTimeout seconds for one attempt. An attempt may last longer when a host accepts a connection and
 *     then says nothing; it is given up, too, when the time for all attempts together is over.
 * @param onRetry told of every failed attempt that will be repeated
 */
export async function withRetry<Result>(
    what: string,
    { dialErrorLimit: limit, perDialTimeout }: Pick<HostSettings, "dialErrorLimit" | "perDialTimeout">,
    signal: AbortSignal,
    onRetry: (message: string) => void,
    attempt: () => Promise<Result>,
): Promise<Result> {
    const end =
        limit === -1 || perDialTimeout === 0 ? Infinity : performance.now() + (limit + 1) * perDialTimeout * 1000;
    let delay = FIRST_DELAY_MS;
    for (let failed = 0; ; failed++) {
        signal.throwIfAborted();
        try {
            return await attempt();
        } catch (error) {
            signal.throwIfAborted();
            const isOver = performance.now() >= end;
            if (isOver || (limit > -1 && failed + 1 > limit)) {
                throw new Error(`after ${isOver ? failed + 1 : failed} failed attempts: ${messageOf(error)}`, {
                    cause: error,
                });
            }
            onRetry(`${what} ${failed + 1}/${limit === -1 ? "inf" : limit} failed: retrying`);
        }
        await sleep(delay, undefined, { signal });
        delay = Math.min(delay * BACKOFF, MAX_DELAY_MS);
    }
}

/** Opens a TCP connection, within the settings' `perDialTimeout`. */
export async function dialTcp(settings: HostSettings, signal: AbortSignal): Promise<Socket> {
    return new Promise((resolve, reject) => {
        const socket = connect({ host: settings.host, port: settings.port });
        const fail = (reason: string): void => {
            signal.removeEventListener("abort", abort);
            socket.destroy();
            reject(new Error(reason));
        };
        const abort = (): void => fail("the dial was given up");
        signal.addEventListener("abort", abort, { once: true });
        if (settings.perDialTimeout > 0) {
            socket.setTimeout(settings.perDialTimeout * 1000, () =>
                fail(`dial tcp ${endpointOf(settings)}: i/o timeout`),
            );
        }
        socket.once("error", (error: NodeJS.ErrnoException) => fail(tcpFailure(settings, error)));
        socket.once("connect", () => {
            signal.removeEventListener("abort", abort);
            socket.setTimeout(0);
            socket.setNoDelay(true);
            socket.removeAllListeners("error");
            resolve(socket);
        });
    });
}

function tcpFailure(settings: HostSettings, error: NodeJS.ErrnoException): string {
    const reasons: Record<string, string> = {
        ECONNREFUSED: "connect: connection refused",
        ECONNRESET: "connect: connection reset by peer",
        EHOSTUNREACH: "connect: no route to host",
        ENETUNREACH: "connect: network is unreachable",
        ETIMEDOUT: "connect: connection timed out",
    };
    if (error.code === "ENOTFOUND" || error.code === "EAI_AGAIN") {
        return `dial tcp: lookup ${settings.host}: no such host`;
    }
    return `dial tcp ${endpointOf(settings)}: ${reasons[error.code ?? ""] ?? messageOf(error)}`;
}

/** What a host needs to be logged in to: checked once, before the first dial. */
export interface Login {
    readonly pinned?: HostKey;
    readonly methods: readonly AnyAuthMethod[];
}

/**
 * The login methods of a connection, in the provider's order: none, key, password, keyboard-interactive, agent. Throws
 * when the host key or the private key cannot be read.
 */
export function loginFor(settings: HostSettings): Login {
    const username = settings.user;
    const methods: AnyAuthMethod[] = [{ type: "none", username }];
    if (settings.privateKey !== undefined) {
        const parsed = utils.parseKey(settings.privateKey, settings.privateKeyPassword);
        if (parsed instanceof Error) {
            throw keyFailure(parsed, settings);
        }
        methods.push({ type: "publickey", username, key: parsed });
    }
    const { password } = settings;
    if (password !== undefined) {
        methods.push({ type: "password", username, password });
        methods.push({
            type: "keyboard-interactive",
            username,
            prompt: (_name, _instructions, _language, prompts, finish) => finish(prompts.map(() => password)),
        });
    }
    const agent = settings.agentSocketPath ?? process.env["SSH_AUTH_SOCK"];
    if (agent !== undefined && agent !== "") {
        methods.push({ type: "agent", username, agent });
    }
    return { pinned: settings.hostKey === undefined ? undefined : parseHostKey(settings.hostKey), methods };
}

function keyFailure(error: Error, settings: HostSettings): UserError {
    if (/passphrase/i.test(error.message) && settings.privateKeyPassword === undefined) {
        return new UserError("ssh: this private key is passphrase protected", "give privateKeyPassword");
    }
    // The parser says nothing of the key itself.
    return new UserError(`ssh: cannot read the private key for ${endpointOf(settings)}`, error.message);
}

/** Logs in over an open stream. Ends the stream when that fails. */
export async function handshake(
    stream: Duplex,
    settings: HostSettings,
    login: Login,
    keepAlive: KeepAlive,
    signal: AbortSignal,
): Promise<Client> {
    const client = new Client();
    const tried: string[] = [];
    const queue = [...login.methods];
    let mismatch: Error | undefined;
    const config: ConnectConfig = {
        sock: stream,
        username: settings.user,
        readyTimeout: settings.perDialTimeout === 0 ? 0 : Math.max(settings.perDialTimeout * 1000, MIN_HANDSHAKE_MS),
        keepaliveInterval: keepAlive.intervalMs,
        keepaliveCountMax: keepAlive.countMax,
        hostVerifier: (key: Buffer) => {
            mismatch = verify(key, settings, login.pinned);
            return mismatch === undefined;
        },
        authHandler: (left, _partial, next) => {
            const method = nextMethod(queue, left);
            if (method === undefined) {
                // The types do not know that `false` ends the attempts.
                (next as unknown as (end: false) => void)(false);
                return;
            }
            tried.push(method.type === "agent" ? "publickey" : method.type);
            next(method);
        },
        algorithms: {
            // Servers of the age of OpenSSH 4.3 know nothing newer.
            kex: { append: ["diffie-hellman-group14-sha1"], prepend: [], remove: [] },
            ...(login.pinned === undefined ? {} : { serverHostKey: algorithmsFor(login.pinned) }),
        },
    };
    const abort = (): void => void client.destroy();
    try {
        return await new Promise<Client>((resolve, reject) => {
            signal.addEventListener("abort", abort, { once: true });
            client.once("ready", () => resolve(client));
            client.on("error", (error) =>
                reject(mismatch ?? new Error(`ssh: handshake failed: ${reasonOf(error, tried)}`)),
            );
            client.once("close", () => reject(mismatch ?? new Error("ssh: handshake failed: EOF")));
            client.connect(config);
        });
    } catch (error) {
        client.destroy();
        stream.destroy();
        throw error;
    } finally {
        signal.removeEventListener("abort", abort);
    }
}

function nextMethod(queue: AnyAuthMethod[], left: readonly string[] | null): AnyAuthMethod | undefined {
    for (let method = queue.shift(); method !== undefined; method = queue.shift()) {
        const name = method.type === "agent" ? "publickey" : method.type;
        if (name === "none" || left === null || left.includes(name)) {
            return method;
        }
    }
    return undefined;
}

function verify(key: Buffer, settings: HostSettings, pinned: HostKey | undefined): Error | undefined {
    if (pinned === undefined || pinned.blob.equals(key)) {
        return undefined;
    }
    return new UserError(
        "ssh: handshake failed: ssh: host key mismatch: " +
            `${endpointOf(settings)} has ${fingerprintOf(key)}, expected ${fingerprintOf(pinned.blob)}`,
        "find out why, and only if the host is the right one correct hostKey",
    );
}

function reasonOf(error: Error & { level?: string }, tried: readonly string[]): string {
    if (error.level === "client-authentication" && error.message.startsWith("All configured")) {
        const methods = [...new Set(tried)].join(" ");
        return `ssh: unable to authenticate, attempted methods [${methods}], no supported methods remain`;
    }
    return error.message;
}
