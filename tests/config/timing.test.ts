import fc from "fast-check";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { completeTiming, recoveryParts, safeTimeout, takeoverAfter, unheardReset } from "../../config/timing";

const fast = completeTiming("fast", {});
const relaxed = completeTiming("relaxed", {});

/** Seconds from the loss to the latest reset of the lost node. */
function latestReset(timing: typeof fast): number {
    const parts = recoveryParts(timing).filter(({ of }) => of !== "survivors");
    return Number(parts.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(6));
}

/** Seconds between the latest reset of the lost node and the start of its guests. */
function between(timing: typeof fast): number {
    return Number((takeoverAfter(timing) - Math.max(latestReset(timing), unheardReset(timing))).toFixed(6));
}

function table(): string {
    const whose = { all: "", lost: "the node: ", survivors: "the others: " };
    const rows = recoveryParts(fast).map(({ what, seconds, of }, index) => [
        `${whose[of]}${what}`,
        String(seconds),
        String(recoveryParts(relaxed)[index]?.seconds),
    ]);
    const sums = (sum: (timing: typeof fast) => number): string[] =>
        [fast, relaxed].map((timing) => String(sum(timing)));
    const all = [
        ["part", "`fast`", "`relaxed`"],
        ["---", "---", "---"],
        ...rows,
        ["**the lost node is reset, at the latest after**", ...sums(latestReset)],
        ["**a node that hears some members only is reset, at the latest after**", ...sums(unheardReset)],
        ["**its guests are started elsewhere after**", ...sums(takeoverAfter)],
        ["time between, at the least", ...sums(between)],
    ];
    const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
    return all
        .map(
            (row) =>
                `| ${row.map((cell, i) => (cell === "---" ? "-" : cell).padEnd(widths[i] ?? 0, cell === "---" ? "-" : " ")).join(" | ")} |`,
        )
        .join("\n");
}

test("docs/timing.md has the profiles' numbers, each part of them", () => {
    expect(readFileSync(join(__dirname, "../../docs/timing.md"), "utf8")).toContain(`\n\n${table()}\n\n`);
});

test("`fast` starts a guest 10 s after the loss of its node at the latest", () => {
    expect(takeoverAfter(fast)).toBeLessThanOrEqual(10);
});

test("whatever numbers are given, a safe timeout lies the margin behind the latest reset", () => {
    const number = (min: number, max: number) => fc.integer({ min, max });
    const numbers = fc.record({
        token: number(1, 20),
        watchdog: number(1, 60),
        sbdIoTimeout: number(1, 10),
        election: number(0, 20),
        margin: number(1, 20),
    });
    fc.assert(
        fc.property(fc.constantFrom("fast" as const, "relaxed" as const), numbers, (profile, given) => {
            const timing = completeTiming(profile, given);
            expect(timing.stonithWatchdogTimeout).toBe(safeTimeout(timing));
            expect(between(timing)).toBeGreaterThanOrEqual(timing.margin - 1e-6);
        }),
    );
});
