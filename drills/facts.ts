/** Everything derived from a record, in one place: what rules and reports look at. */
import { observe, type Observation } from "./console";
import { blindness, type Blindness, type CopyCount, countCopies, type Residence, residences } from "./copies";
import { type DrillRecord } from "./record";
import { lengthOf, type Outage, outages, type Timeline, timelineOf } from "./timeline";

/** Milliseconds between two looks at a host's domains that are not held against the drill. */
export const LONGEST_LOOK = 15_000;

/** Rows that were written. */
export interface WriteFacts {
    sent: number;
    acknowledged: number;
    found: number;
    /** Rows that were acknowledged and are not there. */
    lost: number[];
}

export interface Facts {
    record: DrillRecord;
    observations: Observation[];
    stays: Residence[];
    copies: CopyCount;
    blind: Blindness[];
    outages: Outage[];
    /** Milliseconds without a good answer: of all outages together, and of the longest. */
    gone: { total: number; longest: number };
    timeline: Timeline;
    writes?: WriteFacts;
    /** Node that ran the guest last; absent: none. */
    lastHome?: string;
}

/** Counts rows: a row that was found without an acknowledgement is no loss, the answer may have got lost. */
export function countWrites({ samples, found }: NonNullable<DrillRecord["writes"]>): WriteFacts {
    const there = new Set(found);
    const acknowledged = samples.filter((sample) => sample.acknowledged);
    return {
        sent: samples.length,
        acknowledged: acknowledged.length,
        found: there.size,
        lost: acknowledged.map(({ row }) => row).filter((row) => !there.has(row)),
    };
}

export function factsOf(record: DrillRecord): Facts {
    const span = { from: record.startedAt, to: record.endedAt };
    const observations = observe(record.console);
    const stays = residences(record.guest, record.nodes, observations, record.marks, span);
    const gaps = outages(record.http);
    const lengths = gaps.map((gap) => lengthOf(gap, record.endedAt));
    const last = [...stays].sort((a, b) => b.possible.to - a.possible.to || b.seenAt - a.seenAt)[0];
    return {
        record,
        observations,
        stays,
        copies: countCopies(stays),
        blind: blindness(record.nodes, observations, record.marks, span, LONGEST_LOOK),
        outages: gaps,
        gone: { total: lengths.reduce((sum, length) => sum + length, 0), longest: Math.max(0, ...lengths) },
        timeline: timelineOf(record, observations, stays),
        ...(record.writes && { writes: countWrites(record.writes) }),
        ...(last && last.possible.to >= record.endedAt && { lastHome: last.host }),
    };
}
