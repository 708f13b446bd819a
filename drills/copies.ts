/** Where the guest ran, and how often at once, from looks that are seconds apart. */
import { type Copy, type Observation } from "./console";
import { type Instant, type Mark } from "./record";

/** One stay of the guest on a host. */
export interface Residence {
    host: string;
    /** Number of its domain there. */
    domain: number;
    /** Between these it ran for sure; absent when it was seen once only. */
    certain?: { from: Instant; to: Instant };
    /** Outside of these it did not run for sure. `from` is the begin of the last look that did not see it. */
    possible: { from: Instant; to: Instant };
    /** End of the first look that saw it. */
    seenAt: Instant;
}

/** A span in which nobody looked at a machine that was on. */
export interface Blindness {
    host: string;
    from: Instant;
    to: Instant;
}

/**
 * Whether a domain is the guest, and executes. A live migration has a paused `NAME--incoming` on its target, then a
 * suspended `NAME--migratedaway` on its source (tools/xl/xl_migrate.c); only one of them ever runs.
 */
export function isLiving({ name, state }: Copy, guest: string): boolean {
    return (name === guest || name.startsWith(`${guest}--`)) && !/[pscd]/.test(state);
}

/** Whether somebody had seen the guest wait on a host as a migration's target, up to a moment, and as this domain if given. */
export function waitedOn(
    host: string,
    guest: string,
    observations: readonly Observation[],
    { until = Infinity, domain }: { until?: Instant; domain?: number } = {},
): boolean {
    return observations.some(
        (one) =>
            one.kind === "sight" &&
            one.host === host &&
            one.at <= until &&
            one.copies.some(({ name, id }) => name === `${guest}--incoming` && (domain ?? id) === id),
    );
}

type Moment =
    | { is: "seen"; domains: readonly number[]; begunAt: Instant; at: Instant }
    | { is: "gone"; begunAt: Instant; at: Instant };

/** What is known of a host, in the order of time: looks, and moments at which nothing can run on it. */
function momentsOf(
    host: string,
    observations: readonly Observation[],
    marks: readonly Mark[],
    guest: string,
): Moment[] {
    const moments: Moment[] = [];
    for (const observation of observations.filter((one) => one.host === host)) {
        if (observation.kind === "sight") {
            const { begunAt, at } = observation;
            const domains = observation.copies.filter((copy) => isLiving(copy, guest)).map(({ id }) => id);
            moments.push(domains.length > 0 ? { is: "seen", domains, begunAt, at } : { is: "gone", begunAt, at });
        } else if (observation.kind !== "log") {
            moments.push({ is: "gone", begunAt: observation.at, at: observation.at });
        }
    }
    for (const { at } of marks.filter((mark) => mark.kind === "off" && mark.host === host)) {
        moments.push({ is: "gone", begunAt: at, at });
    }
    return moments.sort((a, b) => a.at - b.at);
}

/**
 * Every stay of the guest on every host.
 *
 * @param span the time the record is about: a guest that runs at its begin ran from then on, at least
 */
export function residences(
    guest: string,
    hosts: readonly string[],
    observations: readonly Observation[],
    marks: readonly Mark[],
    span: { from: Instant; to: Instant },
): Residence[] {
    return hosts.flatMap((host) => {
        const moments = momentsOf(host, observations, marks, guest);
        const domains = [...new Set(moments.flatMap((moment) => (moment.is === "seen" ? moment.domains : [])))];
        // A number is not used again before the host restarts, but may be then: stays are cut where it was gone.
        return domains.flatMap((domain) => {
            const stays: Residence[] = [];
            let lastGone = span.from;
            let open: { first: Moment; last: Moment } | undefined;
            const close = (to: Instant): void => {
                if (open) {
                    const { first, last } = open;
                    const certain = last === first ? {} : { certain: { from: first.at, to: last.begunAt } };
                    stays.push({ host, domain, ...certain, possible: { from: lastGone, to }, seenAt: first.at });
                }
                open = undefined;
            };
            for (const moment of moments) {
                if (moment.is === "seen" && moment.domains.includes(domain)) {
                    open = open ? { first: open.first, last: moment } : { first: moment, last: moment };
                } else {
                    close(moment.at);
                    lastGone = Math.max(span.from, moment.begunAt);
                }
            }
            close(span.to);
            return stays;
        });
    });
}

/** The most intervals that have a moment in common. */
function mostAtOnce(intervals: readonly { from: Instant; to: Instant }[], touching: boolean): number {
    const edges = intervals
        .filter(({ from, to }) => to > from || (touching && to === from))
        .flatMap(({ from, to }) => [
            { at: from, step: 1 },
            { at: to, step: -1 },
        ])
        .sort((a, b) => a.at - b.at || (touching ? b.step - a.step : a.step - b.step));
    let now = 0;
    return edges.reduce((most, { step }) => {
        now += step;
        return Math.max(most, now);
    }, 0);
}

/** How many copies ran at once: at least as many as were seen, at most as many as cannot be ruled out. */
export interface CopyCount {
    seen: number;
    possible: number;
}

export function countCopies(stays: readonly Residence[]): CopyCount {
    return {
        seen: mostAtOnce(
            stays.flatMap(({ certain }) => (certain ? [certain] : [])),
            false,
        ),
        possible: mostAtOnce(
            stays.map(({ possible }) => possible),
            true,
        ),
    };
}

/**
 * Spans in which a host was on and its watcher was silent. While a machine has no power, or starts, nothing is missed: its
 * watcher starts before its cluster services do.
 *
 * @param longest milliseconds between two looks that are not counted
 */
export function blindness(
    nodes: readonly string[],
    observations: readonly Observation[],
    marks: readonly Mark[],
    span: { from: Instant; to: Instant },
    longest: number,
): Blindness[] {
    return nodes.flatMap((host) => {
        const sights = observations.filter((one) => one.kind === "sight" && one.host === host);
        const downs = [
            ...observations.filter((one) => one.host === host && (one.kind === "reset" || one.kind === "boot")),
            ...marks.filter((mark) => mark.kind === "off" && mark.host === host),
        ].map(({ at }) => at);
        const looks = [span.from, ...sights.map(({ at }) => at), span.to];
        return looks.slice(1).flatMap((to, index) => {
            const from = looks[index] ?? span.from;
            const down = downs.filter((at) => at >= from && at <= to);
            // Up to the first moment it was down nobody looked; from there to the next look nothing ran.
            const end = down.length > 0 ? Math.min(...down) : to;
            return end - from > longest ? [{ host, from, to: end }] : [];
        });
    });
}
