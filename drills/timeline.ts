/** What happened when: from observations to the handful of moments a report is about. */
import { type LogLine, type Observation, type Turn } from "./console";
import { type Residence } from "./copies";
import { type DrillRecord, type HttpSample, type Instant } from "./record";

/** A span in which the guest's address did not answer as it should. */
export interface Outage {
    /** When the first request that failed was sent. */
    from: Instant;
    /** When the first answer after it came; absent: none came until the end. */
    to?: Instant;
}

/** One moment, and how it is known. */
export interface Moment {
    at: Instant;
    /** Machine it is known from; absent: seen from outside. */
    host?: string;
    evidence: string;
}

/** The moments of a drill; one that is absent was not seen. */
export interface Timeline {
    /** The first fault. */
    fault: Moment;
    /** The first failing request after the fault. */
    httpGone?: Moment;
    /** Another member noticed that somebody was silent. */
    lossNoticed?: Moment;
    /** The pool declared a member lost. */
    declaredLost?: Moment;
    /** A machine was reset. */
    reset?: Moment;
    /** The pool took a member for fenced. */
    fenced?: Moment;
    /** Xen ended a guest that could not go on. */
    guestCrashed?: Moment;
    /** A copy of the guest ran that had not run before the fault. */
    guestStarted?: Moment;
    /** The address answered again, after the longest outage. */
    httpBack?: Moment;
}

/** The names of the moments in the order in which they usually come, for tables and pictures. */
export const MOMENTS = [
    ["fault", "fault"],
    ["httpGone", "HTTP gone"],
    ["lossNoticed", "loss noticed"],
    ["declaredLost", "member declared lost"],
    ["reset", "machine reset"],
    ["fenced", "taken for fenced"],
    ["guestCrashed", "guest crashed"],
    ["guestStarted", "guest started"],
    ["httpBack", "HTTP back"],
] as const satisfies readonly (readonly [keyof Timeline, string])[];

/** What corosync and Pacemaker (3.1.7, 2.1.5) write when something of note happens. */
export const LOG_PATTERNS = {
    lossNoticed:
        /Token has not been received|A processor failed, forming new configuration|Failed to receive the leave/,
    declaredLost: /Node \S+ state is now lost|will be fenced: peer is no longer part of the cluster/,
    fenced: /Operation '(?:reboot|off)' targeting \S+ .*: OK|was terminated \((?:reboot|off)\) by .*: OK/,
    coordinator: /Set DC to|State transition \S+ -> S_INTEGRATION|Taking over DC status/,
} as const;

/** All spans without a good answer, by the time their requests were sent. */
export function outages(samples: readonly HttpSample[], good = 200): Outage[] {
    const found: Outage[] = [];
    let open: Outage | undefined;
    for (const { sentAt, endedAt, status } of [...samples].sort((a, b) => a.sentAt - b.sentAt)) {
        if (status !== good) {
            open ??= { from: sentAt };
        } else if (open) {
            found.push({ ...open, to: endedAt });
            open = undefined;
        }
    }
    return open ? [...found, open] : found;
}

/** Milliseconds an outage lasted, up to `end` when it did not end. */
export function lengthOf({ from, to }: Outage, end: Instant): number {
    return (to ?? end) - from;
}

function firstLog(observations: readonly Observation[], after: Instant, pattern: RegExp): Moment | undefined {
    const found = observations.find(
        (one): one is LogLine => one.kind === "log" && one.at >= after && pattern.test(one.text),
    );
    return found && { at: found.at, host: found.host, evidence: `${found.unit}: ${found.text}` };
}

/** The moments of a drill. */
export function timelineOf(
    record: DrillRecord,
    observations: readonly Observation[],
    stays: readonly Residence[],
): Timeline {
    const mark = record.marks.find(({ kind }) => kind === "fault");
    const fault: Moment = {
        at: mark?.at ?? record.startedAt,
        ...(mark?.host !== undefined && { host: mark.host }),
        evidence: mark?.text ?? "no fault",
    };
    const after = fault.at;
    const gaps = outages(record.http).filter(({ to }) => to === undefined || to >= after);
    const longest = [...gaps].sort((a, b) => lengthOf(b, record.endedAt) - lengthOf(a, record.endedAt))[0];
    const started = [...stays].sort((a, b) => a.seenAt - b.seenAt).find(({ possible }) => possible.from > after);
    const first = (wanted: Turn["kind"]): Moment | undefined => {
        const turn = observations.find((one): one is Turn => one.kind === wanted && one.at >= after);
        return turn && { at: turn.at, host: turn.host, evidence: turn.text };
    };
    const [reset, guestCrashed] = [first("reset"), first("crash")];
    const found: Omit<Timeline, "fault"> = {
        ...(gaps[0] && { httpGone: { at: gaps[0].from, evidence: "the first request without a good answer" } }),
        ...(longest?.to !== undefined && { httpBack: { at: longest.to, evidence: "the first good answer" } }),
        ...(reset && { reset }),
        ...(guestCrashed && { guestCrashed }),
        ...(started && {
            guestStarted: {
                at: started.seenAt,
                host: started.host,
                evidence: `its domain ${started.domain} was seen, not before ${seconds(started.possible.from, after)}`,
            },
        }),
    };
    for (const key of ["lossNoticed", "declaredLost", "fenced"] as const) {
        const moment = firstLog(observations, after, LOG_PATTERNS[key]);
        if (moment) {
            found[key] = moment;
        }
    }
    return { fault, ...found };
}

/** A moment as seconds after another: `+12.3 s`. */
export function seconds(at: Instant, after: Instant): string {
    const value = (at - after) / 1000;
    return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)} s`;
}
