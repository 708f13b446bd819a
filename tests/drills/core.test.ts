import fc from "fast-check";
import { observe } from "../../drills/console";
import { blindness, countCopies, isLiving, residences } from "../../drills/copies";
import { countWrites, factsOf } from "../../drills/facts";
import { type ConsoleLine } from "../../drills/record";
import { outages } from "../../drills/timeline";
import {
    asForetold,
    eachWasCoordinator,
    backWithin,
    goneAtMost,
    judge,
    movedAlive,
    neverStopped,
    nobodyReset,
    noLeftovers,
    noWriteLost,
    oneCopy,
    resetBeforeStart,
    runsElsewhere,
    startedAnew,
    watched,
} from "../../drills/verdict";
import { failover, http, log, look, record, RUNS, sight, START, words } from "./lines";

const SPAN = { from: START, to: START + 100_000 };

describe("console", () => {
    it("is read through what else is on it", () => {
        const [seen, logged] = observe([
            words("A", 0, "root@A:~# \x1b[?2004h"),
            words("A", 1, "\r@drill see 501.00 WebServerHA:12:-b---- Other--incoming:13:--p--- .\r"),
            log("A", 2, "corosync", "  [QUORUM] Members[2]: 1 3"),
            words("A", 3, "@drill see 503.00 WebServerHA:12:-b-"),
        ]);
        expect(seen).toMatchObject({
            kind: "sight",
            copies: [
                { name: "WebServerHA", id: 12, state: "-b----" },
                { name: "Other--incoming", id: 13, state: "--p---" },
            ],
        });
        expect(logged).toMatchObject({ kind: "log", unit: "corosync", text: "[QUORUM] Members[2]: 1 3" });
    });

    it.each([
        ["(XEN) Hardware Dom0 shutdown: watchdog rebooting machine", "reset"],
        ["[  123.4] sysrq: Resetting", "reset"],
        ["(XEN) Xen version 4.17.7", "boot"],
        ["initrd: machine starts", "boot"],
        ["(XEN) d4v0 Triple fault - invoking HVM shutdown action 1", "crash"],
    ])("knows %s for a %s", (text, kind) => {
        expect(observe([words("A", 1, text)])).toMatchObject([{ kind, host: "A" }]);
    });

    it("corrects a machine's clock by the line that came fastest, and anew after a reset", () => {
        const seen = observe([
            sight("A", 0, 3),
            sight("A", 4, 5),
            words("A", 6, "initrd: machine starts"),
            { host: "A", at: START + 90_000, text: "@drill see 7.50 ." },
        ]).filter(({ kind }) => kind === "sight");
        expect(seen).toMatchObject([
            { begunAt: START + 1000, at: START + 3000 },
            { begunAt: START + 5000, at: START + 5000 },
            { begunAt: START + 90_000 },
        ]);
    });
});

describe("copies", () => {
    it.each([
        ["WebServerHA", "-b----", true],
        ["WebServerHA", "r-----", true],
        ["WebServerHA", "------", true],
        ["WebServerHA--migratedaway", "r-----", true],
        ["WebServerHA--incoming", "--p---", false],
        ["WebServerHA--migratedaway", "---s--", false],
        ["WebServerHA", "-----d", false],
        ["WebServerHA2", "r-----", false],
    ])("%s %s counts: %p", (name, state, counts) => {
        expect(isLiving({ name, id: 1, state }, "WebServerHA")).toBe(counts);
    });

    /** A true history: spans of whole tenths of seconds during which each host runs the guest. */
    const history = fc.array(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 30, max: 200 })), { maxLength: 2 }),
        { minLength: 2, maxLength: 3 },
    );

    it("are never counted too few as possible, nor too many as seen", () => {
        fc.assert(
            fc.property(
                history,
                fc.integer({ min: 3, max: 15 }),
                fc.integer({ min: 0, max: 8 }),
                (hosts, every, lag) => {
                    const spans = hosts.map((parts) => {
                        let at = 0;
                        return parts.map(([gap, length]) => {
                            // A guest is not started anew within one look: its host has to notice, stop and start it.
                            const from = at + Math.max(gap, every + 30);
                            at = from + length;
                            return { from, to: at };
                        });
                    });
                    const lines: ConsoleLine[] = [];
                    spans.forEach((parts, host) => {
                        for (let begun = host; begun < 1000; begun += every) {
                            // A look catches the state somewhere between its begin and its reading here.
                            const caught = begun + Math.floor(lag / 2);
                            const part = parts.findIndex(({ from, to }) => caught >= from && caught < to);
                            const copies = part < 0 ? [] : [`WebServerHA:${part + 1}:-b----`];
                            lines.push(sight(`N${host}`, begun / 10, (begun + lag) / 10, copies));
                        }
                    });
                    const all = spans.flat();
                    const truth = Math.max(
                        0,
                        ...all.map(({ from }) => all.filter((one) => one.from <= from && from < one.to).length),
                    );
                    const names = hosts.map((_, host) => `N${host}`);
                    const stays = residences("WebServerHA", names, observe(lines), [], {
                        from: START,
                        to: START + 120_000,
                    });
                    const { seen, possible } = countCopies(stays);
                    expect(possible).toBeGreaterThanOrEqual(truth);
                    expect(seen).toBeLessThanOrEqual(truth);
                },
            ),
            { numRuns: 1000 },
        );
    });

    it("are two when both nodes show the guest", () => {
        const lines = [0, 1, 2, 3].flatMap((at) => [look("A", at, RUNS), look("B", at, RUNS)]);
        expect(countCopies(residences("WebServerHA", ["A", "B"], observe(lines), [], SPAN))).toEqual({
            seen: 2,
            possible: 2,
        });
    });

    it("are two when one node has two of them", () => {
        const both = ["WebServerHA:1:-b----", "WebServerHA:2:-b----"];
        const lines = [0, 1, 2].map((at) => look("A", at, ...both));
        expect(countCopies(residences("WebServerHA", ["A"], observe(lines), [], SPAN)).seen).toBe(2);
    });

    it("may overlap between two looks, each stretched to the look before and the look after", () => {
        const lines = [
            ...[0, 1, 2].map((at) => look("A", at, RUNS)),
            ...[4, 5].map((at) => look("A", at)),
            ...[0, 1, 3].map((at) => look("B", at)),
            ...[5, 6].map((at) => look("B", at, RUNS)),
        ].sort((a, b) => a.at - b.at);
        expect(countCopies(residences("WebServerHA", ["A", "B"], observe(lines), [], SPAN))).toEqual({
            seen: 1,
            possible: 2,
        });
    });

    it("end where the power does", () => {
        const lines = [look("A", 0, RUNS), look("A", 1, RUNS), look("B", 3), look("B", 4, RUNS), look("B", 5, RUNS)];
        const off = [{ at: START + 2000, kind: "off" as const, text: "power off", host: "A" }];
        const counted = (marks: typeof off) =>
            countCopies(residences("WebServerHA", ["A", "B"], observe(lines), marks, SPAN)).possible;
        expect(counted(off)).toBe(1);
        expect(counted([])).toBe(2);
    });

    it("are not known while nobody looks", () => {
        const lines = [...[0, 5, 10, 60, 70, 80, 90, 99].map((at) => look("A", at)), look("B", 0), look("B", 99)];
        const off = { at: START + 5000, kind: "off" as const, text: "power off", host: "B" };
        expect(blindness(["A", "B"], observe(lines), [off], SPAN, 15_000)).toEqual([
            { host: "A", from: START + 10_000, to: START + 60_000 },
        ]);
    });
});

describe("HTTP", () => {
    it("is gone from the first request that failed to the first good answer", () => {
        const gaps = outages(http(20, [5, 8], [15, 30])).map(({ from, to }) => [
            (from - START) / 1000,
            to === undefined ? undefined : (to - START) / 1000,
        ]);
        expect(gaps).toEqual([
            [5, 8.05],
            [15, undefined],
        ]);
    });
});

describe("writes", () => {
    it("are lost only when they had been acknowledged", () => {
        const sample = (row: number, acknowledged: boolean) => ({ row, sentAt: 0, endedAt: 0, acknowledged });
        const writes = {
            samples: [sample(1, true), sample(2, false), sample(3, true), sample(4, false)],
            found: [1, 2],
        };
        expect(countWrites(writes)).toEqual({ sent: 4, acknowledged: 2, found: 2, lost: [3] });
    });
});

describe("rules", () => {
    const fault = { at: START + 10_000, kind: "fault" as const, text: "network cut", host: "OVMSERVER01" };
    const cut = record({
        marks: [fault],
        console: failover(10, 27, 52, 200),
        http: http(200, [10.4, 130]),
        prediction: { options: ["--node-fail", "OVMSERVER01"], node: "OVMSERVER02" },
    });

    it("are kept by a good failover, whose moments are in order", () => {
        const facts = factsOf(cut);
        const rules = [oneCopy, noWriteLost, backWithin(180), runsElsewhere, resetBeforeStart, asForetold];
        expect(judge(facts, rules)).toMatchObject({ passed: true });
        const { timeline } = facts;
        const at = (key: keyof typeof timeline) => ((timeline[key]?.at ?? NaN) - fault.at) / 1000;
        expect(
            (["httpGone", "lossNoticed", "declaredLost", "reset", "fenced", "guestStarted", "httpBack"] as const).map(
                at,
            ),
        ).toEqual([0.4, 5, 11, 17.2, 41, 42, 120.05]);
    });

    const broken = (change: Partial<typeof cut>) => factsOf({ ...cut, ...change });
    const none = (pattern: RegExp) => cut.console.filter(({ text }) => !pattern.test(text));
    it.each([
        ["a start before the reset", resetBeforeStart, broken({ console: failover(10, 53, 52, 200) })],
        [
            "a start within the look in which the reset came",
            resetBeforeStart,
            broken({ console: failover(10, 51.5, 52, 200) }),
        ],
        ["a reset that no console shows", resetBeforeStart, broken({ console: none(/XEN/) })],
        ["a start that no console shows", resetBeforeStart, broken({ console: failover(10, 27, 999, 200) })],
        ["two copies", oneCopy, broken({ console: failover(10, 60, 50, 200) })],
        ["a node that nobody watched", watched, broken({ console: none(/see/) })],
        ["a guest that stayed", runsElsewhere, broken({ console: failover(10, 999, 999, 200) })],
        ["a guest that moved", neverStopped, broken({})],
        ["a reset", nobodyReset, broken({})],
        ["an answer that came late", backWithin(100), broken({})],
        ["no answer at the end", backWithin(300), broken({ http: http(200, [10, 999]) })],
        ["a long gap", goneAtMost(60), broken({})],
        ["another place than foretold", asForetold, broken({ prediction: { options: [], node: "OVMSERVER01" } })],
        [
            "a lost write",
            noWriteLost,
            broken({ writes: { samples: [{ row: 1, sentAt: 0, endedAt: 1, acknowledged: true }], found: [] } }),
        ],
        [
            "writes of which none was acknowledged",
            noWriteLost,
            broken({ writes: { samples: [{ row: 1, sentAt: 0, endedAt: 1, acknowledged: false }], found: [1] } }),
        ],
    ])("are broken by %s", (_, rule, facts) => {
        expect(rule(facts).kept).toBe(false);
    });

    it("see what a migration left, unless its machine is without power", () => {
        const left = look("OVMSERVER02", 199.5, "WebServerHA:3:r-----", "WebServerHA--incoming:2:--p---");
        const facts = (marks: typeof cut.marks) => factsOf({ ...cut, console: [...cut.console, left], marks });
        expect(noLeftovers(facts(cut.marks))).toMatchObject({
            kept: false,
            because: "WebServerHA--incoming on OVMSERVER02",
        });
        const off = { at: START + 199_800, kind: "off" as const, text: "", host: "OVMSERVER02" };
        expect(noLeftovers(facts([...cut.marks, off])).kept).toBe(true);
        expect(noLeftovers(factsOf(cut)).kept).toBe(true);
    });

    it("want another copy where the old one died", () => {
        expect(startedAnew(factsOf(cut)).kept).toBe(true);
        expect(startedAnew(broken({ console: failover(10, 999, 999, 200) })).kept).toBe(false);
    });

    it("tell a guest that was moved from one that was started anew", () => {
        const incoming = look("OVMSERVER02", 30, "WebServerHA--incoming:3:--p---");
        const facts = (lines: ConsoleLine[]) => broken({ console: [...lines, incoming].sort((a, b) => a.at - b.at) });
        expect(movedAlive(facts(failover(10, 53, 52, 200)))).toMatchObject({ kept: true });
        expect(movedAlive(broken({}))).toMatchObject({
            kept: false,
            because: "started anew: OVMSERVER02 (domain 3) +42.0 s",
        });
        // A number that waited on the other node tells nothing.
        const elsewhere = look("OVMSERVER01", 30, "WebServerHA--incoming:3:--p---");
        expect(movedAlive(broken({ console: [...cut.console, elsewhere].sort((a, b) => a.at - b.at) })).kept).toBe(
            false,
        );
        expect(movedAlive(facts(failover(10, 999, 999, 200)))).toMatchObject({
            kept: false,
            because: "it was not moved",
        });
    });

    it("want each member to have been coordinator", () => {
        const off = (host: string) => ({ at: START, kind: "off" as const, text: "", host });
        const two = [off("OVMANAGER"), off("OVMSERVER02")];
        expect(eachWasCoordinator(broken({ marks: two }))).toMatchObject({
            kept: false,
            because: "never: OVMSERVER01",
        });
        expect(eachWasCoordinator(broken({ marks: [...two, off("OVMSERVER01")] })).kept).toBe(true);
    });

    it("are not enough when the drill did not come to its end", () => {
        expect(judge(broken({ error: "interrupted" }), [oneCopy])).toMatchObject({ passed: false });
    });
});
