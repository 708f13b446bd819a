/** Rules that a drill has to keep. Each is a question to the facts; what cannot be shown counts as broken. */
import { type Residence, waitedOn } from "./copies";
import { type Facts } from "./facts";
import { lengthOf, seconds } from "./timeline";

/** What became of one rule. */
export interface Ruling {
    rule: string;
    kept: boolean;
    /** The figures it was decided by. */
    because: string;
}

export type Rule = (facts: Facts) => Ruling;

export interface Verdict {
    passed: boolean;
    rulings: Ruling[];
}

/** A drill passes when it came to its end and kept every rule. */
export function judge(facts: Facts, rules: readonly Rule[]): Verdict {
    const { error } = facts.record;
    const rulings = [
        ...(error === undefined ? [] : [{ rule: "the drill comes to its end", kept: false, because: error }]),
        ...rules.map((rule) => rule(facts)),
    ];
    return { passed: rulings.every(({ kept }) => kept), rulings };
}

function inSeconds(milliseconds: number): string {
    return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** Never two copies, not even possibly: for faults after which a copy starts only when the other is gone. */
export const oneCopy: Rule = ({ copies }) => ({
    rule: "never two copies of the guest",
    kept: copies.possible <= 1,
    because: `seen at once: ${copies.seen}, not ruled out: ${copies.possible}`,
});

/** Never two copies seen: for a live migration, in which both hosts hold the guest within one look. */
export const oneCopySeen: Rule = ({ copies }) => ({
    rule: "never two copies of the guest seen",
    kept: copies.seen <= 1,
    because: `seen at once: ${copies.seen}, not ruled out by looks seconds apart: ${copies.possible}`,
});

/** A copy that nobody could have seen cannot be ruled out. */
export const watched: Rule = ({ blind }) => ({
    rule: "every node was watched all the time it was on",
    kept: blind.length === 0,
    because:
        blind.map(({ host, from, to }) => `nobody looked at ${host} for ${inSeconds(to - from)}`).join("; ") || "yes",
});

/** Where there is something to write to, a row must have been acknowledged: without one, nothing is shown. */
export const noWriteLost: Rule = ({ writes }) => ({
    rule: "no acknowledged write is lost",
    kept: writes === undefined || (writes.acknowledged > 0 && writes.lost.length === 0),
    because: writes
        ? `${writes.acknowledged} acknowledged, ${writes.lost.length} of them lost`
        : "no writes: the workload has nothing to write to",
});

/** The address answers again, and goes on answering to the end. */
export function backWithin(limit: number): Rule {
    return ({ timeline, outages }) => {
        const open = outages.some(({ to }) => to === undefined);
        const back = timeline.httpBack?.at ?? timeline.fault.at;
        return {
            rule: `HTTP is back within ${limit} s of the fault`,
            kept: !open && back - timeline.fault.at <= limit * 1000,
            because: open
                ? "it did not answer at the end"
                : timeline.httpBack
                  ? `back at ${seconds(back, timeline.fault.at)}`
                  : "never gone",
        };
    };
}

/** No single gap is longer than this. */
export function goneAtMost(limit: number): Rule {
    return ({ outages, record, gone }) => ({
        rule: `HTTP is gone for ${limit} s at most`,
        kept: outages.every((gap) => gap.to !== undefined && lengthOf(gap, record.endedAt) <= limit * 1000),
        because: `longest ${inSeconds(gone.longest)}, together ${inSeconds(gone.total)} in ${outages.length} gaps`,
    });
}

/** The node that had the guest lost it, and another one runs it. */
export const runsElsewhere: Rule = ({ record, lastHome }) => ({
    rule: "the guest runs on another node",
    kept: lastHome !== undefined && lastHome !== record.home,
    because: `before: ${record.home}, after: ${lastHome ?? "nowhere"}`,
});

/** The same domain runs on, on the same node. */
export const neverStopped: Rule = ({ record, stays, lastHome }) => ({
    rule: "the guest goes on where it is",
    kept: stays.length === 1 && lastHome === record.home,
    because: `stays: ${stays.map(({ host, domain }) => `${host} (domain ${domain})`).join(", ") || "none"}`,
});

/** The copy that ran before the fault is gone, and another one was started. */
export const startedAnew: Rule = ({ timeline }) => ({
    rule: "the guest is started anew",
    kept: timeline.guestStarted !== undefined,
    because: timeline.guestStarted
        ? `${timeline.guestStarted.evidence} (${timeline.guestStarted.host ?? ""})`
        : "no new copy was seen",
});

/**
 * The same guest all the time: where it came to run it had been seen waiting, as a migration's target. An outage says less:
 * under emulation a migration's last part may take as long as a start.
 */
export const movedAlive: Rule = ({ record, observations, stays, timeline }) => {
    // A source that goes on after a migration that failed is no new place.
    const known = ({ host, domain, seenAt }: Residence): boolean =>
        stays.some((stay) => stay.host === host && stay.domain === domain && stay.seenAt < seenAt);
    const moves = stays.filter((stay) => stay.possible.from > timeline.fault.at && !known(stay));
    const anew = moves.filter(
        ({ host, domain, seenAt }) => !waitedOn(host, record.guest, observations, { until: seenAt, domain }),
    );
    const places = (list: readonly Residence[]): string =>
        list
            .map(({ host, domain, seenAt }) => `${host} (domain ${domain}) ${seconds(seenAt, timeline.fault.at)}`)
            .join(", ");
    return {
        rule: "the guest is moved alive",
        kept: moves.length > 0 && anew.length === 0,
        because: anew.length > 0 ? `started anew: ${places(anew)}` : places(moves) || "it was not moved",
    };
};

/** Nothing of a broken migration is left on any node. */
export const noLeftovers: Rule = ({ record, observations }) => {
    const left = record.nodes.flatMap((node) => {
        const last = observations.filter((one) => one.kind === "sight" && one.host === node).at(-1);
        const since = record.marks.filter(({ kind, host }) => kind === "off" && host === node).at(-1);
        // What a machine without power had is gone with it.
        return last?.kind !== "sight" || (since && since.at > last.at)
            ? []
            : last.copies.filter(({ name }) => name !== record.guest).map(({ name }) => `${name} on ${node}`);
    });
    return {
        rule: "nothing of the migration is left",
        kept: left.length === 0,
        because: left.join(", ") || "no domain but the guest's own at the end",
    };
};

/** Some copy of the guest runs at the end. */
export const runsAgain: Rule = ({ lastHome }) => ({
    rule: "the guest runs at the end",
    kept: lastHome !== undefined,
    because: `on ${lastHome ?? "no node"}`,
});

/** No machine is reset but those the drill itself took down. */
export const nobodyReset: Rule = ({ observations, record }) => {
    const struck = new Set(record.marks.filter(({ kind }) => kind === "off").map(({ host }) => host));
    const resets = observations.filter(({ kind, host }) => kind === "reset" && !struck.has(host));
    return {
        rule: "no machine is reset",
        kept: resets.length === 0,
        because: resets.map(({ host, at }) => `${host} ${seconds(at, record.startedAt)}`).join(", ") || "none was",
    };
};

/**
 * The heart of the matter: the machine that lost the network resets itself before the guest can have started elsewhere.
 * Both moments come from the machines' own consoles: the reset from the words of the one that was cut off, as late as it
 * may have been, the start from the other's last look that did not see the guest, as early as it may have been.
 */
export const resetBeforeStart: Rule = ({ record, observations, stays, timeline }) => {
    const rule = "the node that was cut off is reset before the guest starts elsewhere";
    const reset = observations.find(
        ({ kind, host, at }) =>
            (kind === "reset" || kind === "boot") && host === record.home && at >= timeline.fault.at,
    );
    const start = stays.find(({ host, seenAt }) => host !== record.home && seenAt >= timeline.fault.at);
    if (!reset || !start) {
        const missing = [...(reset ? [] : ["the reset"]), ...(start ? [] : ["the start"])].join(" and ");
        return { rule, kept: false, because: `not proven: the consoles do not show ${missing}` };
    }
    const earliest = start.possible.from;
    return {
        rule,
        kept: reset.at <= earliest,
        because:
            `reset not after ${seconds(reset.at, timeline.fault.at)}, ` +
            `start not before ${seconds(earliest, timeline.fault.at)}: ` +
            (reset.at <= earliest ? `${inSeconds(earliest - reset.at)} between` : "not proven"),
    };
};

/** What Pacemaker's scheduler foretold came true. */
export const asForetold: Rule = ({ record, lastHome }) => ({
    rule: "Pacemaker did what its scheduler foretold",
    kept: record.prediction !== undefined && record.prediction.node === (lastHome ?? null),
    because: record.prediction
        ? `foretold: ${record.prediction.node ?? "nowhere"}, came: ${lastHome ?? "nowhere"}`
        : "not asked",
});

/** After the fault a coordinator was elected. */
export const coordinatorElected: Rule = ({ record, timeline }) => {
    const mark = record.marks.find(({ kind, text }) => kind === "note" && text.startsWith("coordinator: "));
    return {
        rule: "another coordinator is elected by itself",
        kept: mark !== undefined,
        because: mark ? `${mark.text.slice(13)} at ${seconds(mark.at, timeline.fault.at)}` : "none was seen",
    };
};

/** Every member lost its power while it was coordinator. */
export const eachWasCoordinator: Rule = ({ record }) => {
    const struck = new Set(record.marks.filter(({ kind }) => kind === "off").map(({ host }) => host));
    const missing = [record.manager, ...record.nodes].filter((member) => !struck.has(member));
    return {
        rule: "each member was coordinator once, and was replaced",
        kept: missing.length === 0,
        because: missing.length === 0 ? `in turn: ${[...struck].join(", ")}` : `never: ${missing.join(", ")}`,
    };
};
