import { type Duplex } from "node:stream";
import { type Client } from "ssh2";
import { messageOf } from "../../errors";
import { dialTcp, handshake, type KeepAlive, type Login, loginFor, withRetry } from "./dial";
import { NoRoom } from "./run";
import { type ConnectionSettings, endpointOf, type HostSettings, identityOf } from "./settings";

export interface PoolOptions {
    /** Sessions that are asked for at the same time on one connection; a server's `MaxSessions`. Default 10. */
    readonly sessions?: number;
    /** Default: every 10 s, lost after 3 without answer. */
    readonly keepAlive?: KeepAlive;
}

/** What a user of the pool waits with. */
export interface Waiting {
    readonly signal: AbortSignal;
    /** Told of every failed dial that will be repeated. */
    onRetry(message: string): void;
}

/** The connection ended while something used it. */
export class ConnectionLost extends Error {
    constructor(settings: HostSettings, reason: string) {
        super(`the SSH connection to ${endpointOf(settings)} was lost: ${reason}`);
    }
}

const DEFAULT_SESSIONS = 10;
const DEFAULT_KEEP_ALIVE: KeepAlive = { intervalMs: 10_000, countMax: 3 };
/** A server frees a session a moment after the channel is closed. */
const ROOM_RETRY_MS = 50;
const ROOM_RETRIES = 100;

/** The SSH connections of a deployment: one per login and way to a host, shared by all that runs there. */
export class SshPool {
    private readonly connections = new Map<string, SharedConnection>();
    private readonly dials = new Map<string, SharedDial>();
    private closed = false;

    constructor(private readonly options: PoolOptions = {}) {}

    /**
     * Runs `use` with a connection on which there is room for one session. Dials when there is no connection; waits
     * for a session to end when there are too many.
     *
     * `use` throws `NoRoom` to be called again when a session has ended, and calls `begin` before it does what must
     * not be done twice: a connection that turns out to be lost before that is dialed anew.
     */
    async withSession<Result>(
        settings: ConnectionSettings,
        waiting: Waiting,
        use: (client: Client, begin: () => void) => Promise<Result>,
    ): Promise<Result> {
        let refusedAlone = 0;
        let begun = false;
        for (let lost = 0; ;) {
            const connection = await this.connect(settings, waiting);
            try {
                return await connection.session(waiting.signal, () => use(connection.client, () => (begun = true)));
            } catch (error) {
                if (error instanceof NoRoom) {
                    refusedAlone = connection.active === 0 ? refusedAlone + 1 : 0;
                } else if (!(error instanceof ConnectionLost)) {
                    throw error;
                }
                if (refusedAlone > ROOM_RETRIES || (error instanceof ConnectionLost && (begun || ++lost > 1))) {
                    throw error;
                }
            }
            await connection.change(ROOM_RETRY_MS);
        }
    }

    /** Ends all connections. What still uses one fails. */
    async close(): Promise<void> {
        this.closed = true;
        this.dials.forEach((dial) => dial.cancel());
        await Promise.all([...this.connections.values()].map((connection) => connection.end()));
    }

    private async connect(settings: ConnectionSettings, waiting: Waiting): Promise<SharedConnection> {
        if (this.closed) {
            throw new Error("the deployment has ended");
        }
        const identity = identityOf(settings);
        const connection = this.connections.get(identity);
        if (connection !== undefined) {
            return connection;
        }
        // Those with less patience must not wait as long as the others, nor give up for them.
        const patience = [settings, settings.proxy].map((host) => [host?.dialErrorLimit, host?.perDialTimeout]);
        const key = JSON.stringify([identity, patience]);
        let dial = this.dials.get(key);
        if (dial === undefined || dial.over) {
            dial = new SharedDial((signal, onRetry) => this.dial(identity, settings, signal, onRetry));
            this.dials.set(key, dial);
        }
        return dial.wait(waiting);
    }

    private async dial(
        identity: string,
        settings: ConnectionSettings,
        signal: AbortSignal,
        onRetry: (message: string) => void,
    ): Promise<SharedConnection> {
        const { proxy } = settings;
        if (proxy === undefined) {
            const login = loginFor(settings);
            return withRetry("Dial", settings, signal, onRetry, async () =>
                this.admit(identity, settings, login, await dialTcp(settings, signal), signal),
            );
        }
        try {
            return await this.dialThrough(proxy, identity, settings, signal, onRetry);
        } catch (error) {
            throw new Error(`proxy: ${messageOf(error)}`, { cause: error });
        }
    }

    private async dialThrough(
        proxy: HostSettings,
        identity: string,
        settings: ConnectionSettings,
        signal: AbortSignal,
        onRetry: (message: string) => void,
    ): Promise<SharedConnection> {
        const login = loginFor(settings);
        const atProxy = { signal, onRetry: (message: string) => onRetry(message.replace("Dial", "Dial proxy")) };
        return withRetry("Dial from proxy", settings, signal, onRetry, async () => {
            const hop = await this.connect(proxy, atProxy);
            const stream = await hop.guard(forward(hop.client, settings), signal);
            return this.admit(identity, settings, login, stream, signal);
        });
    }

    private async admit(
        identity: string,
        settings: ConnectionSettings,
        login: Login,
        stream: Duplex,
        signal: AbortSignal,
    ): Promise<SharedConnection> {
        const keepAlive = this.options.keepAlive ?? DEFAULT_KEEP_ALIVE;
        const client = await handshake(stream, settings, login, keepAlive, signal);
        const connection = new SharedConnection(settings, client, this.options.sessions ?? DEFAULT_SESSIONS, () => {
            if (this.connections.get(identity) === connection) {
                this.connections.delete(identity);
            }
        });
        const other = this.connections.get(identity);
        if (other !== undefined || this.closed) {
            await connection.end();
        }
        if (this.closed) {
            throw new Error("the deployment has ended");
        }
        this.connections.set(identity, other ?? connection);
        return other ?? connection;
    }
}

function forward(hop: Client, settings: HostSettings): Promise<Duplex> {
    return new Promise((resolve, reject) => {
        hop.forwardOut("127.0.0.1", 0, settings.host, settings.port, (error, stream) =>
            error === undefined ? resolve(stream) : reject(new Error(`ssh: rejected: ${error.message}`)),
        );
    });
}

/** A dial that several wait for; it is given up when none of them waits any more. */
class SharedDial {
    /** Nobody can join any more. */
    over = false;
    private readonly result: Promise<SharedConnection>;
    private readonly abort = new AbortController();
    private readonly listeners = new Set<(message: string) => void>();

    constructor(start: (signal: AbortSignal, onRetry: (message: string) => void) => Promise<SharedConnection>) {
        const tell = (message: string): void => this.listeners.forEach((listener) => listener(message));
        this.result = start(this.abort.signal, tell).finally(() => (this.over = true));
    }

    async wait(waiting: Waiting): Promise<SharedConnection> {
        const listener = (message: string): void => waiting.onRetry(message);
        this.listeners.add(listener);
        try {
            return await abortable(this.result, waiting.signal);
        } finally {
            this.listeners.delete(listener);
            if (this.listeners.size === 0) {
                this.cancel();
            }
        }
    }

    cancel(): void {
        this.over = true;
        this.abort.abort(new Error("the dial was given up"));
    }
}

/** One connection, with those that wait for room on it. */
class SharedConnection {
    /** Sessions that are open or being opened. */
    active = 0;
    private limit: number;
    private readonly waiters = new Set<() => void>();
    private readonly lost: Promise<never>;
    private reason = "it was closed";

    constructor(
        settings: HostSettings,
        readonly client: Client,
        private readonly most: number,
        onEnd: () => void,
    ) {
        this.limit = most;
        client.on("error", (error) => (this.reason = error.message));
        client.once("end", () => (this.reason = "the host ended it"));
        this.lost = new Promise((_, reject) => {
            client.once("close", () => {
                onEnd();
                reject(new ConnectionLost(settings, this.reason));
                this.wake();
            });
        });
        // It may end while nothing is in flight.
        this.lost.catch(() => undefined);
    }

    /** Waits for room for one more session and does `use` in it. */
    async session<Result>(signal: AbortSignal, use: () => Promise<Result>): Promise<Result> {
        while (this.active >= this.limit) {
            await this.guard(this.change(), signal);
        }
        this.active++;
        try {
            const result = await this.guard(use(), signal);
            this.limit = Math.min(this.most, this.limit + 1);
            return result;
        } catch (error) {
            if (error instanceof NoRoom) {
                this.limit = Math.max(1, Math.min(this.limit, this.active - 1));
            }
            throw error;
        } finally {
            this.active--;
            this.wake();
        }
    }

    /** Waits until a session has ended, or the connection, or the time given has passed. */
    async change(ms?: number): Promise<void> {
        let timer: NodeJS.Timeout | undefined;
        let wake: () => void = () => undefined;
        await new Promise<void>((resolve) => {
            wake = resolve;
            this.waiters.add(wake);
            timer = ms === undefined ? undefined : setTimeout(wake, ms);
        });
        clearTimeout(timer);
        this.waiters.delete(wake);
    }

    /** What is being done, unless the connection is lost or the signal given before it is. */
    async guard<Result>(doing: Promise<Result>, signal: AbortSignal): Promise<Result> {
        return abortable(Promise.race([doing, this.lost]), signal);
    }

    async end(): Promise<void> {
        this.client.end();
        await this.lost.catch(() => undefined);
    }

    private wake(): void {
        this.waiters.forEach((wake) => wake());
    }
}

async function abortable<Result>(doing: Promise<Result>, signal: AbortSignal): Promise<Result> {
    let stop: () => void = () => undefined;
    const aborted = new Promise<never>((_, reject) => {
        stop = () => reject(reasonFor(signal));
    });
    signal.addEventListener("abort", stop, { once: true });
    try {
        signal.throwIfAborted();
        return await Promise.race([doing, aborted]);
    } finally {
        signal.removeEventListener("abort", stop);
        // What is not waited for any more may still fail.
        doing.catch(() => undefined);
    }
}

function reasonFor(signal: AbortSignal): Error {
    return signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason));
}
