/** What runs beside a drill: requests to the guest, and readers of the machines' consoles. */
import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { request } from "node:http";
import { isTelling } from "./console";
import { type ConsoleLine, type HttpSample } from "./record";

/** Something that goes on until it is stopped. */
export interface Sampler {
    stop(): void;
}

/** Milliseconds between two requests: five a second. */
const HTTP_EVERY = 200;

/**
 * Asks a page five times a second, each time over a connection of its own, and no matter whether the answer before has come.
 *
 * @param patience milliseconds after which a request is given up
 * @param onSample is given each request when it has ended
 */
export function sampleHttp(url: string, patience: number, onSample: (sample: HttpSample) => void): Sampler {
    const open = new Set<() => void>();
    const ask = (): void => {
        const sentAt = Date.now();
        let ended = false;
        const end = (status?: number): void => {
            if (!ended) {
                ended = true;
                clearTimeout(timer);
                open.delete(abandon);
                asked.destroy();
                onSample({ sentAt, endedAt: Date.now(), ...(status !== undefined && { status }) });
            }
        };
        const asked = request(url, { agent: false, headers: { connection: "close" } }, (response) => {
            // The whole page, not its first line: a server may die in between.
            response.resume();
            response.once("end", () => end(response.statusCode));
            response.once("error", () => end());
            response.once("close", () => end());
        });
        asked.once("error", () => end());
        const timer = setTimeout(() => end(), patience);
        const abandon = (): void => {
            ended = true;
            clearTimeout(timer);
            asked.destroy();
        };
        open.add(abandon);
        asked.end();
    };
    ask();
    const clock = setInterval(ask, HTTP_EVERY);
    return {
        stop: () => {
            clearInterval(clock);
            open.forEach((abandon) => abandon());
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
