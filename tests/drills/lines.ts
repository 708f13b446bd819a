import { type ConsoleLine, type DrillRecord } from "../../drills/record";

/** Moment zero of the tests' drills, and the seconds their machines had run by then. */
export const START = 1_700_000_000_000;
const UPTIME = 500;

/** A watcher's look that began at `from` and was read here at `to` (seconds from the start). */
export function sight(host: string, from: number, to: number, copies: readonly string[] = []): ConsoleLine {
    const words = copies.map((copy) => ` ${copy}`).join("");
    return { host, at: START + to * 1000, text: `@drill see ${(UPTIME + from).toFixed(2)}${words} .` };
}

/** A look that took no time. */
export function look(host: string, at: number, ...copies: string[]): ConsoleLine {
    return sight(host, at, at, copies);
}

export function log(host: string, at: number, unit: string, text: string): ConsoleLine {
    const stamp = (UPTIME + at).toFixed(6).padStart(13);
    return { host, at: START + at * 1000, text: `@drill log [${stamp}] ${host} ${unit}[123]: ${text}` };
}

export function words(host: string, at: number, text: string): ConsoleLine {
    return { host, at: START + at * 1000, text };
}

/** Answers five times a second from 0 to `until`, all good but those sent within the gaps. */
export function http(until: number, ...gaps: readonly (readonly [number, number])[]): DrillRecord["http"] {
    return Array.from({ length: until * 5 }, (_, index) => {
        const at = index / 5;
        const bad = gaps.some(([from, to]) => at >= from && at < to);
        const sentAt = START + at * 1000;
        return bad ? { sentAt, endedAt: sentAt + 2000 } : { sentAt, endedAt: sentAt + 50, status: 200 };
    });
}

export function record(change: Partial<DrillRecord>): DrillRecord {
    return {
        drill: "node-cut",
        startedAt: START,
        endedAt: START + 200_000,
        guest: "WebServerHA",
        manager: "OVMANAGER",
        nodes: ["OVMSERVER01", "OVMSERVER02"],
        home: "OVMSERVER01",
        http: [],
        console: [],
        marks: [],
        ...change,
    };
}

export const RUNS = "WebServerHA:1:-b----";

/** A look every second of both nodes, the guest on the first until `cut`, on the second from `start` on. */
export function failover(cut: number, reset: number, start: number, until: number): ConsoleLine[] {
    const lines: ConsoleLine[] = [];
    for (let at = 0; at < until; at++) {
        if (at < reset) {
            lines.push(look("OVMSERVER01", at, RUNS));
        }
        lines.push(look("OVMSERVER02", at, ...(at >= start ? ["WebServerHA:3:r-----"] : [])));
    }
    lines.push(
        log("OVMSERVER02", cut + 5, "corosync", "  [TOTEM ] A processor failed, forming new configuration: (5000ms)"),
        log("OVMANAGER", cut + 11, "pacemaker-controld", " notice: Node OVMSERVER01 state is now lost"),
        words("OVMSERVER01", reset + 0.2, "(XEN) Hardware Dom0 shutdown: watchdog rebooting machine"),
        log(
            "OVMANAGER",
            cut + 41,
            "pacemaker-fenced",
            " notice: Operation 'reboot' targeting OVMSERVER01 by OVMANAGER for pacemaker-controld.9@OVMANAGER: OK",
        ),
    );
    return lines.sort((a, b) => a.at - b.at);
}
