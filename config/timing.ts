/**
 * How fast the pool notices a lost node, and how long the others wait before they take its guests over.
 *
 * All numbers are seconds. Sources: the code of corosync 3.1.7, sbd 1.5.2 and pacemaker 2.1.5, and runs in the lab in
 * which a node was cut off. `relaxed` is what the lab ran with; `fast` is derived, and has not been measured on hardware.
 */
export interface Timing {
    /** Where the numbers come from that were not given by hand. */
    profile: TimingProfile;
    /** Whether a number was given by hand. */
    byHand: boolean;
    /** Corosync: silence after which a member counts as lost. */
    token: number;
    /** Corosync: time to agree on a new membership after that; more than `token` with three or more members. */
    consensus: number;
    /** W: the watchdog resets a node this long after it was last fed (`SBD_WATCHDOG_TIMEOUT`, whole seconds). */
    watchdog: number;
    /** sbd's `timeout_io` (option `-I`, whole seconds), the greater part of A; see {@link ageing}. */
    sbdIoTimeout: number;
    /** E: time a cut-off node takes for an election and a transition of its own before it acts on the lost quorum. */
    election: number;
    /** Safety added on top of what was measured; never less than 1. */
    margin: number;
    /** The survivors wait this long before they start the lost node's guests (`stonith-watchdog-timeout`, whole). */
    stonithWatchdogTimeout: number;
    /** What a member without quorum does. `suicide` resets it at once, and so takes E and W out of the normal path. */
    noQuorumPolicy: "suicide";
}

/** `fast`: real hardware. `relaxed`: the virtual lab under emulation, where everything takes some ten times longer. */
export type TimingProfile = "fast" | "relaxed";

/** The numbers a user may give by hand. */
export type TimingNumbers = Omit<Timing, "profile" | "byHand" | "noQuorumPolicy">;

/** `timeout_loop` of sbd: how often its parent looks at its servants. Not configurable. */
const SBD_LOOP = 1;

const PROFILES: Record<TimingProfile, Omit<TimingNumbers, "stonithWatchdogTimeout">> = {
    fast: { token: 0.8, consensus: 0.96, watchdog: 3, sbdIoTimeout: 1, election: 1, margin: 2 },
    relaxed: { token: 5, consensus: 6, watchdog: 20, sbdIoTimeout: 7, election: 5, margin: 6 },
};

/**
 * A: the time after which sbd holds a servant that has fallen silent for outdated and stops feeding the watchdog,
 * `timeout_io + timeout_loop`: 4 s with sbd's defaults.
 */
export function ageing(timing: Pick<TimingNumbers, "sbdIoTimeout">): number {
    return timing.sbdIoTimeout + SBD_LOOP;
}

/** Seconds from the loss of a member until the others have agreed on a membership without it: token + consensus. */
export function noticedAfter(timing: Pick<TimingNumbers, "token" | "consensus">): number {
    // Sums of decimal fractions come out as 8.000000000000002.
    return Number((timing.token + timing.consensus).toFixed(6));
}

/**
 * R: a node that hears no message of its own through Corosync's ring for so long resets itself. A new membership, which
 * members that go on live through, takes token + consensus; where somebody keeps them from staying together they need
 * several. Seen at 11 s: members were without the ring for 12 to 13 s during a split, and for more than 22 s while a third
 * node joined and four emulated machines were too much for two cores.
 */
export function ringPatience(timing: Pick<TimingNumbers, "token" | "consensus">): number {
    return Number((4 * noticedAfter(timing)).toFixed(6));
}

/** R + R/10: when such a node is reset at the latest. Its guard looks ten times in R. */
export function unheardReset(timing: Pick<TimingNumbers, "token" | "consensus">): number {
    return Number((1.1 * ringPatience(timing)).toFixed(6));
}

/**
 * When a lost node is reset at the latest, counted from the others' new membership: one that is `alone` by its watchdog, one
 * that is `unheard` by the guard of its ring.
 */
export function resets(timing: Omit<TimingNumbers, "margin" | "stonithWatchdogTimeout">): {
    alone: number;
    unheard: number;
} {
    return {
        alone: timing.watchdog + ageing(timing) + timing.election,
        unheard: unheardReset(timing) - noticedAfter(timing),
    };
}

/**
 * The least `stonith-watchdog-timeout` with which a survivor never starts a guest that a lost node may still run:
 *
 *     stonith-watchdog-timeout ≥ W + A + E + margin
 *
 * Both sides see the new membership at the same moment (token + consensus after the cut), so the sum counts from there: the
 * cut-off node decides (E), its servant grows old (A), its watchdog runs out (W). Measured with policy `stop`: membership
 * at 11 s, reset at 30.6 s. With `suicide` it was reset 3 to 4.5 s after the new membership; the sum is then what holds
 * if Pacemaker hangs and the watchdog alone is left. The folk rule "2 × W" lets a survivor start too early.
 *
 * A node that hears some members only may never see a new membership complete, and so never learn that the quorum is lost.
 * It is reset by the guard of its ring, R after its last good message and at the guard's next look, hence also
 *
 *     token + consensus + stonith-watchdog-timeout ≥ R + R/10 + margin
 */
export function safeTimeout(timing: Omit<TimingNumbers, "stonithWatchdogTimeout">): number {
    const { alone, unheard } = resets(timing);
    const sum = Math.max(alone, unheard) + timing.margin;
    return Math.ceil(Number(sum.toFixed(6)));
}

/** Seconds from the loss of a node to the start of its guests elsewhere: the guests' own boot comes on top. */
export function takeoverAfter(timing: Pick<TimingNumbers, "token" | "consensus" | "stonithWatchdogTimeout">): number {
    return Number((noticedAfter(timing) + timing.stonithWatchdogTimeout).toFixed(6));
}

/** One part of the time from the loss of a node to the start of its guests elsewhere. */
export interface RecoveryPart {
    what: string;
    seconds: number;
    /** Whose time it is: the lost node's, its survivors', or everybody's. */
    of: "all" | "lost" | "survivors";
}

/**
 * The parts of a recovery, in order. Those of the lost node and of the survivors run side by side from the new membership
 * on; that the lost node's sum is the smaller one, by the margin, is the rule of {@link safeTimeout}.
 */
export function recoveryParts(timing: TimingNumbers): RecoveryPart[] {
    return [
        { what: "nobody hears from the node (token)", seconds: timing.token, of: "all" },
        { what: "the others agree on a membership without it (consensus)", seconds: timing.consensus, of: "all" },
        { what: "at the latest it decides that it is alone (E)", seconds: timing.election, of: "lost" },
        { what: "at the latest sbd holds its servants for dead (A)", seconds: ageing(timing), of: "lost" },
        { what: "at the latest its watchdog resets it (W)", seconds: timing.watchdog, of: "lost" },
        {
            what: "they wait, then start its guests (stonith-watchdog-timeout)",
            seconds: timing.stonithWatchdogTimeout,
            of: "survivors",
        },
    ];
}

/**
 * The profile's numbers with those given by hand in their place. Where no `stonithWatchdogTimeout` is given it is the safe
 * one, and where only `token` is given, `consensus` follows at Corosync's own ratio of 1.2.
 */
export function completeTiming(profile: TimingProfile, given: Partial<TimingNumbers>): Timing {
    const numbers = { ...PROFILES[profile], ...given };
    if (given.token !== undefined && given.consensus === undefined) {
        numbers.consensus = Number((given.token * 1.2).toFixed(3));
    }
    return {
        ...numbers,
        profile,
        byHand: Object.keys(given).length > 0,
        stonithWatchdogTimeout: given.stonithWatchdogTimeout ?? safeTimeout(numbers),
        noQuorumPolicy: "suicide",
    };
}
