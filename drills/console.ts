/**
 * What machines say on their serial consoles. The way is out of band: it works for a machine that is cut off, up to the
 * moment it is reset, and the order of lines of one console is the order in which they were written.
 */
import { type ConsoleLine, type Instant } from "./record";

/** A domain as `xl list` shows it. */
export interface Copy {
    name: string;
    id: number;
    /** Xen's six letters, `-b----` for example. */
    state: string;
}

/** One look of a host's watcher at its domains: it began and ended somewhere between these two moments. */
export interface Sight {
    kind: "sight";
    host: string;
    /** Not later than the look began. */
    begunAt: Instant;
    /** Not earlier than the look ended. */
    at: Instant;
    copies: Copy[];
}

/** A line of a host's journal. */
export interface LogLine {
    kind: "log";
    host: string;
    /** When it was logged, by the host's clock as seen from here. */
    at: Instant;
    unit: string;
    text: string;
}

/**
 * A machine stopped being what it was: reset by its watchdog or by itself, or just now starting. Or Xen ended a guest that
 * could not go on.
 */
export interface Turn {
    kind: "reset" | "boot" | "crash";
    host: string;
    at: Instant;
    text: string;
}

export type Observation = Sight | LogLine | Turn;

const SIGHT = /@drill see ([\d.]+)((?: [^ ]+:\d+:[-a-z]+)*) \./;
const LOG = /@drill log \[\s*([\d.]+)\] \S+ ([\w.-]+)(?:\[\d+\])?: +(.*)$/;

/** The first words a machine says when it goes down for good, and when it comes up again. */
const RESETS = [
    /Hardware Dom0 (?:shutdown|crashed).*/,
    /sysrq: (?:Resetting|Trigger a crash).*/,
    /reboot: Restarting system.*/,
    /Kernel panic - not syncing.*/,
    /\(XEN\) Resetting with.*/,
];
const BOOTS = [/\(XEN\) Xen version .*/, /initrd: machine starts/, /@drill restarted/];

/** What Xen says of a guest it ends. Its own dom0 has the id 0. */
const CRASHES = [/\(XEN\) d[1-9]\d*v\d+ Triple fault.*/, /\(XEN\) Domain [1-9]\d* \(vcpu#\d+\) crashed.*/];

const TURNS = [
    ["reset", RESETS],
    ["boot", BOOTS],
    ["crash", CRASHES],
] as const;

/** Control characters that terminals understand and reports do not. */
// eslint-disable-next-line no-control-regex -- these are what is to be removed
const CONTROL = /\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]/g;

type Read =
    | { kind: "sight"; stamp: number; copies: Copy[] }
    | { kind: "log"; stamp: number; unit: string; text: string }
    | { kind: Turn["kind"]; text: string };

function copiesOf(words: string): Copy[] {
    return words
        .split(" ")
        .filter((word) => word !== "")
        .map((word) => {
            const [, name = "", id = "", state = ""] = /^(.*):(\d+):([-a-z]+)$/.exec(word) ?? [];
            return { name, id: Number(id), state };
        });
}

function readLine(line: string): Read | undefined {
    const text = line.replace(CONTROL, "").trimEnd();
    const sight = SIGHT.exec(text);
    if (sight) {
        return { kind: "sight", stamp: Number(sight[1]), copies: copiesOf(sight[2] ?? "") };
    }
    const log = LOG.exec(text);
    if (log) {
        return { kind: "log", stamp: Number(log[1]), unit: log[2] ?? "", text: log[3] ?? "" };
    }
    for (const [kind, patterns] of TURNS) {
        const found = patterns.map((pattern) => pattern.exec(text)).find((match) => match !== null);
        if (found) {
            return { kind, text: found[0] };
        }
    }
    return undefined;
}

/** Whether a line of a console says something to a drill. */
export function isTelling(line: string): boolean {
    return readLine(line) !== undefined;
}

/** Lines of one host between two of its starts share one clock: seconds since it started. */
function readBoot(host: string, lines: readonly { at: Instant; read: Read }[]): Observation[] {
    // A line is read here after it was written, never before: the shortest way any line took tells the clocks apart
    // best. What remains makes moments earlier than they were, which is the careful side.
    const offset = Math.min(
        ...lines.flatMap(({ at, read }) => ("stamp" in read ? [at - Math.round(read.stamp * 1000)] : [])),
    );
    return lines.map(({ at, read }): Observation => {
        switch (read.kind) {
            case "sight": {
                const begunAt = Math.min(at, Math.round(read.stamp * 1000) + offset);
                return { kind: "sight", host, begunAt, at, copies: read.copies };
            }
            case "log": {
                const { unit, text } = read;
                return { kind: "log", host, at: Math.min(at, Math.round(read.stamp * 1000) + offset), unit, text };
            }
            case "reset":
            case "boot":
            case "crash":
                return { kind: read.kind, host, at, text: read.text };
        }
    });
}

/** All observations, by the time they were made. */
export function observe(lines: readonly ConsoleLine[]): Observation[] {
    const hosts = [...new Set(lines.map(({ host }) => host))];
    const all = hosts.flatMap((host) => {
        const boots: { at: Instant; read: Read }[][] = [[]];
        for (const line of lines.filter((one) => one.host === host)) {
            const read = readLine(line.text);
            if (read === undefined) {
                continue;
            }
            if (read.kind === "reset" || read.kind === "boot") {
                boots.push([]);
            }
            boots.at(-1)?.push({ at: line.at, read });
        }
        return boots.flatMap((boot) => readBoot(host, boot));
    });
    return all.sort((a, b) => a.at - b.at);
}
