/** Reports of a drill: Markdown for people, JSON for programs. Pure. */
import { type Facts } from "./facts";
import { MOMENTS, seconds, type Timeline } from "./timeline";
import { type Ruling, type Verdict } from "./verdict";

/** One run of one drill, judged. */
export interface Run {
    facts: Facts;
    verdict: Verdict;
    about: string;
}

function cell(text: string): string {
    return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

function row(cells: readonly string[]): string {
    return `| ${cells.map(cell).join(" | ")} |`;
}

/** Rows as a Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
    return [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n");
}

function inSeconds(milliseconds: number): string {
    return `${(milliseconds / 1000).toFixed(1)} s`;
}

function ruling({ rule, kept, because }: Ruling): string {
    return `- ${kept ? "kept" : "**broken**"}: ${rule} (${because})`;
}

/** The figures of one run as plain data. */
export function figures({ facts, verdict, about }: Run): Record<string, unknown> {
    const { record, timeline, copies, gone, outages, writes, blind, stays } = facts;
    const after = timeline.fault.at;
    const since = (at: number): number => (at - after) / 1000;
    return {
        drill: record.drill,
        about,
        passed: verdict.passed,
        rulings: verdict.rulings,
        at: new Date(after).toISOString(),
        home: record.home,
        lastHome: facts.lastHome ?? null,
        timeline: MOMENTS.flatMap(([key, name]) => {
            const moment = timeline[key];
            return moment === undefined ? [] : [{ moment: name, seconds: since(moment.at), ...moment }];
        }),
        marks: record.marks.map((mark) => ({ ...mark, seconds: since(mark.at) })),
        copies,
        stays: stays.map((stay) => ({
            host: stay.host,
            domain: stay.domain,
            from: since(stay.possible.from),
            to: since(stay.possible.to),
        })),
        http: {
            requests: record.http.length,
            good: record.http.filter(({ status }) => status === 200).length,
            gone: gone.total / 1000,
            longest: gone.longest / 1000,
            outages: outages.map(({ from, to }) => ({ from: since(from), to: to === undefined ? null : since(to) })),
        },
        writes: writes ?? "none",
        blind: blind.map(({ host, from, to }) => ({ host, from: since(from), to: since(to) })),
        prediction: record.prediction ?? null,
        ...(record.error !== undefined && { error: record.error }),
    };
}

/** A run as Markdown. */
export function markdown(run: Run, picture?: string): string {
    const { facts, verdict, about } = run;
    const { record, timeline, copies, gone, outages, writes } = facts;
    const after = timeline.fault.at;
    const marks = record.marks.map(({ at, text, host }) => [seconds(at, after), host ?? "", text]);
    const moments = MOMENTS.flatMap(([key, name]) => {
        const moment = timeline[key];
        return moment && key !== "fault"
            ? [[seconds(moment.at, after), moment.host ?? "", `${name}: ${moment.evidence}`]]
            : [];
    });
    const order = (line: readonly string[]): number => Number((line[0] ?? "").replace("−", "-").replace(" s", ""));
    const good = record.http.filter(({ status }) => status === 200).length;
    const longest = outages.filter(({ from, to }) => (to ?? record.endedAt) - from >= 1000);
    return [
        `# Drill ${record.drill}: ${verdict.passed ? "passed" : "FAILED"}`,
        "",
        `${about[0]?.toUpperCase() ?? ""}${about.slice(1)}. ${new Date(after).toISOString()}, guest ${record.guest}, on ${record.home} before.`,
        ...(picture === undefined ? [] : ["", `![timeline](${picture})`]),
        "",
        ...verdict.rulings.map(ruling),
        "",
        "## Timeline",
        "",
        table(
            ["after the fault", "host", "what"],
            [...marks, ...moments].sort((a, b) => order(a) - order(b)),
        ),
        "",
        "## Figures",
        "",
        `- HTTP, five requests a second: ${record.http.length} sent, ${good} good; gone ${inSeconds(gone.total)} in all, ` +
            `${inSeconds(gone.longest)} at the longest` +
            (longest.length === 0
                ? ""
                : `; gaps of a second or more: ${longest
                      .map(
                          ({ from, to }) =>
                              `${seconds(from, after)} to ${to === undefined ? "the end" : seconds(to, after)}`,
                      )
                      .join(", ")}`),
        writes
            ? `- Writes: ${writes.sent} sent, ${writes.acknowledged} acknowledged, ${writes.found} found, ${writes.lost.length} lost`
            : "- Writes: none, the workload has nothing to write to",
        `- Copies of the guest at once: ${copies.seen} seen, ${copies.possible} not ruled out`,
        ...(record.prediction
            ? [
                  `- Pacemaker's scheduler beforehand (\`crm_simulate ${record.prediction.options.join(" ")}\`): ` +
                      `guest on ${record.prediction.node ?? "no node"}`,
              ]
            : []),
        "",
    ].join("\n");
}

/** A drill that could not be run where it was asked for. */
export interface Refusal {
    drill: string;
    because: string;
}

/** All runs as one table, then what several runs of one drill have in common, and what was not run. */
export function summary(runs: readonly Run[], refused: readonly Refusal[] = []): string {
    const moment = (run: Run, key: keyof Timeline): string => {
        const { timeline } = run.facts;
        const found = timeline[key];
        return found ? seconds(found.at, timeline.fault.at) : "–";
    };
    const overview = table(
        [
            "drill",
            "passed",
            "lost",
            "reset",
            "fenced",
            "guest started",
            "HTTP back",
            "HTTP gone",
            "copies",
            "writes lost",
        ],
        runs.map((run) => [
            run.facts.record.drill,
            run.verdict.passed ? "yes" : "NO",
            moment(run, "declaredLost"),
            moment(run, "reset"),
            moment(run, "fenced"),
            moment(run, "guestStarted"),
            moment(run, "httpBack"),
            inSeconds(run.facts.gone.longest),
            String(run.facts.copies.seen),
            run.facts.writes ? `${run.facts.writes.lost.length} of ${run.facts.writes.acknowledged}` : "–",
        ]),
    );
    const repeated = statistics(runs);
    return [
        overview,
        ...(repeated.length === 0
            ? []
            : [
                  "",
                  table(
                      ["drill", "passed", "HTTP gone: least", "median", "most"],
                      repeated.map(({ drill, passed, runs: count, gone }) => [
                          drill,
                          `${passed} of ${count}`,
                          `${gone.least.toFixed(1)} s`,
                          `${gone.median.toFixed(1)} s`,
                          `${gone.most.toFixed(1)} s`,
                      ]),
                  ),
              ]),
        ...(refused.length === 0 ? [] : ["", ...refused.map(({ drill, because }) => `Not run: ${drill}: ${because}`)]),
    ].join("\n");
}

/** What several runs of one drill have in common. */
export interface Statistics {
    drill: string;
    runs: number;
    passed: number;
    /** Seconds of the longest gap without an answer in each run. */
    gone: { least: number; median: number; most: number };
}

/** Figures of the drills that were run more than once. */
export function statistics(runs: readonly Run[]): Statistics[] {
    const names = [...new Set(runs.map(({ facts }) => facts.record.drill))];
    return names.flatMap((drill) => {
        const own = runs.filter(({ facts }) => facts.record.drill === drill);
        const gone = own.map(({ facts }) => facts.gone.longest / 1000).sort((a, b) => a - b);
        const middle = (gone.length - 1) / 2;
        const median = ((gone[Math.floor(middle)] ?? 0) + (gone[Math.ceil(middle)] ?? 0)) / 2;
        const passed = own.filter(({ verdict }) => verdict.passed).length;
        return own.length < 2
            ? []
            : [{ drill, runs: own.length, passed, gone: { least: gone[0] ?? 0, median, most: gone.at(-1) ?? 0 } }];
    });
}

/** All of it for programs. */
export function asJson(runs: readonly Run[], refused: readonly Refusal[]): string {
    return JSON.stringify({ runs: runs.map(figures), repeated: statistics(runs), notRun: refused }, null, 2);
}
