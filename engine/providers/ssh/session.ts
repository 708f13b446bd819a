import { type Client, type ClientChannel } from "ssh2";

/**
 * What ssh2 (pinned in package.json) has inside and does not offer: a session channel on which several requests are
 * made before the command, each with its answer. Its own `exec` sends the environment without asking for an answer, so
 * that a refused variable could not be told from an accepted one.
 */
interface Inside {
    readonly _chanMgr: { add(opened: Opened): number };
    readonly _protocol: {
        session(channel: number, window: number, packet: number): void;
        env(channel: number, name: string, value: string, wantReply: boolean): void;
        exec(channel: number, command: string, wantReply: boolean): void;
    };
}

interface Opened {
    (error: Error | undefined, channel: ClientChannel): void;
    type?: string;
}

interface ChannelInside {
    subtype?: string;
    readonly outgoing: { readonly id: number; readonly state: string };
    /** Answers that are waited for, in order: `false` for yes, `true` or an error for no. */
    readonly _callbacks: ((refused: boolean | Error) => void)[];
}

/** The library's own, which its window accounting relies on. */
const WINDOW_BYTES = 2 * 1024 * 1024;
const PACKET_BYTES = 32 * 1024;

/** Opens a session channel that nothing runs in yet. */
export function openSession(client: Client): Promise<ClientChannel> {
    const { _chanMgr: channels, _protocol: protocol } = client as unknown as Inside;
    return new Promise((resolve, reject) => {
        const opened: Opened = (error, channel) => (error === undefined ? resolve(channel) : reject(error));
        opened.type = "session";
        const id = channels.add(opened);
        if (id === -1) {
            reject(new Error("no free channel"));
            return;
        }
        protocol.session(id, WINDOW_BYTES, PACKET_BYTES);
    });
}

/** Sets an environment variable for the command to come; false if the server refuses it. */
export function setEnvironment(client: Client, channel: ClientChannel, name: string, value: string): Promise<boolean> {
    return request(channel, (id) => (client as unknown as Inside)._protocol.env(id, name, value, true));
}

/** Starts the command; false if the server refuses. */
export async function startCommand(client: Client, channel: ClientChannel, command: string): Promise<boolean> {
    (channel as unknown as ChannelInside).subtype = "exec";
    return request(channel, (id) => (client as unknown as Inside)._protocol.exec(id, command, true));
}

function request(channel: ClientChannel, send: (id: number) => void): Promise<boolean> {
    const inside = channel as unknown as ChannelInside;
    return new Promise((resolve, reject) => {
        if (inside.outgoing.state !== "open") {
            reject(new Error("the channel was closed"));
            return;
        }
        inside._callbacks.push((refused) => (refused instanceof Error ? reject(refused) : resolve(!refused)));
        send(inside.outgoing.id);
    });
}
