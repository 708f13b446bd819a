/** What runs beside a drill: requests to the guest, and readers of the machines' consoles. */
import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { ask, connections } from "./ask";
import { isTelling } from "./console";
import { type ConsoleLine, type HttpSample } from "./record";

/** Something that goes on until it is stopped. */
export interface Sampler {
    stop(): void;
}

/** Milliseconds between two requests: five a second. */
const HTTP_EVERY = 200;

/** Requests that may wait at once. More would be a load of their own on a guest that is slow, and keep it from recovering. */
const HTTP_AT_ONCE = 5;

/**
 * Asks a page five times a second, unless five requests wait for an answer.
 *
 * @param patience milliseconds after which a request is given up
 * @param onSample is given each request when it has ended
 */
export function sampleHttp(url: string, patience: number, onSample: (sample: HttpSample) => void): Sampler {
    const agent = connections();
    const stopped = new AbortController();
    let waiting = 0;
    const sample = async (): Promise<void> => {
        if (waiting === HTTP_AT_ONCE) {
            return;
        }
        waiting++;
        const sentAt = Date.now();
        const answer = await ask(url, agent, patience, { signal: stopped.signal });
        waiting--;
        if (!stopped.signal.aborted) {
            onSample({ sentAt, endedAt: Date.now(), ...(answer && { status: answer.status }) });
        }
    };
    void sample();
    const clock = setInterval(() => void sample(), HTTP_EVERY);
    return {
        stop: () => {
            clearInterval(clock);
            stopped.abort();
            agent.destroy();
        },
    };
}

/** Milliseconds between two looks into a console's log. */
const CONSOLE_EVERY = 50;

/** Follows the log of a serial console from its end on. Lines that say nothing to a drill are left out. */
export function followConsole(host: string, file: string, onLine: (line: ConsoleLine) => void): Sampler {
    let offset = existsSync(file) ? statSync(file).size : 0;
    let rest = "";
    const read = (): void => {
        const size = existsSync(file) ? statSync(file).size : 0;
        if (size <= offset) {
            return;
        }
        const at = Date.now();
        const buffer = Buffer.alloc(size - offset);
        const descriptor = openSync(file, "r");
        try {
            offset += readSync(descriptor, buffer, 0, buffer.length, offset);
        } finally {
            closeSync(descriptor);
        }
        const lines = (rest + buffer.toString("latin1")).split("\n");
        rest = lines.pop() ?? "";
        for (const text of lines.filter(isTelling)) {
            onLine({ host, at, text: text.trim() });
        }
    };
    const clock = setInterval(read, CONSOLE_EVERY);
    return { stop: () => clearInterval(clock) };
}
