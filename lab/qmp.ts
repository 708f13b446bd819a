/**
 * A small client of QEMU's monitor protocol (QMP): one command after the other over a socket in the file system.
 */
import { createConnection, type Socket } from "node:net";
import { LabError } from "./errors";

interface Reply {
    return?: unknown;
    error?: { class: string; desc: string };
    event?: string;
    QMP?: unknown;
}

/** An open monitor. One at a time per machine: QEMU serves one client per socket. */
export class Monitor {
    private readonly waiting: { resolve: (value: unknown) => void; reject: (error: Error) => void }[] = [];
    private rest = "";

    private constructor(private readonly socket: Socket) {
        socket.setEncoding("utf8");
        socket.on("data", (data: string) => this.take(data));
        const fail = (): void => this.failAll(new LabError("the machine's monitor closed the connection"));
        socket.on("error", fail);
        socket.on("close", fail);
    }

    /**
     * Connects to the monitor at `path`.
     *
     * @param milliseconds how long to wait for QEMU to greet
     * @throws LabError when nothing answers there
     */
    static async open(path: string, milliseconds = 10_000): Promise<Monitor> {
        const socket = createConnection(path);
        const monitor = new Monitor(socket);
        const timer = setTimeout(() => socket.destroy(), milliseconds);
        try {
            // The greeting is answered like a command, by the only one that waits.
            await new Promise((resolve, reject) => monitor.waiting.push({ resolve, reject }));
            await monitor.execute("qmp_capabilities");
            return monitor;
        } catch (error) {
            socket.destroy();
            throw error;
        } finally {
            clearTimeout(timer);
        }
    }

    /**
     * Runs one command.
     *
     * @returns what QEMU returned, as parsed JSON
     * @throws LabError with QEMU's own words when it refuses
     */
    async execute(command: string, args?: Record<string, unknown>): Promise<unknown> {
        if (this.socket.destroyed) {
            throw new LabError("the machine's monitor is closed");
        }
        return new Promise((resolve, reject) => {
            this.waiting.push({ resolve, reject });
            this.socket.write(`${JSON.stringify({ execute: command, ...(args && { arguments: args }) })}\n`);
        });
    }

    /**
     * Runs a command of the monitor for humans, where QMP has none.
     *
     * @throws LabError when it printed anything: commands used so are silent when they succeed
     */
    async human(line: string): Promise<void> {
        const output = (await this.inquire(line)).trim();
        if (output !== "") {
            throw new LabError(output);
        }
    }

    /** What the monitor for humans prints to a command. */
    async inquire(line: string): Promise<string> {
        const output = await this.execute("human-monitor-command", { "command-line": line });
        return typeof output === "string" ? output : "";
    }

    close(): void {
        this.socket.destroy();
    }

    private take(data: string): void {
        this.rest += data;
        const lines = this.rest.split("\n");
        this.rest = lines.pop() ?? "";
        for (const line of lines.filter((line) => line.trim() !== "")) {
            const reply = JSON.parse(line) as Reply;
            if (reply.event !== undefined) {
                continue;
            }
            const next = this.waiting.shift();
            if (reply.error) {
                next?.reject(new LabError(reply.error.desc));
            } else {
                next?.resolve(reply.return ?? reply.QMP);
            }
        }
    }

    private failAll(error: Error): void {
        for (const { reject } of this.waiting.splice(0)) {
            reject(error);
        }
    }
}

/** Opens the monitor at `path`, uses it, and closes it whatever happens. */
export async function withMonitor<T>(path: string, use: (monitor: Monitor) => Promise<T>): Promise<T> {
    const monitor = await Monitor.open(path);
    try {
        return await use(monitor);
    } finally {
        monitor.close();
    }
}
