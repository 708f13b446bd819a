/** Reports of a drill: Markdown for people, JSON for programs, SVG as a picture. Pure. */
import { type Facts } from "./facts";
import { MOMENTS, seconds } from "./timeline";
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

/** All runs as one table. */
export function summary(runs: readonly Run[]): string {
    const moment = (run: Run, key: "declaredLost" | "reset" | "guestStarted" | "httpBack"): string => {
        const { timeline } = run.facts;
        const found = timeline[key];
        return found ? seconds(found.at, timeline.fault.at) : "–";
    };
    return table(
        ["drill", "passed", "lost", "reset", "guest started", "HTTP back", "HTTP gone", "copies", "writes lost"],
        runs.map((run) => [
            run.facts.record.drill,
            run.verdict.passed ? "yes" : "NO",
            moment(run, "declaredLost"),
            moment(run, "reset"),
            moment(run, "guestStarted"),
            moment(run, "httpBack"),
            inSeconds(run.facts.gone.longest),
            String(run.facts.copies.seen),
            run.facts.writes ? `${run.facts.writes.lost.length} of ${run.facts.writes.acknowledged}` : "–",
        ]),
    );
}

function escape(text: string): string {
    return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

const WIDTH = 900;
const LEFT = 130;
const LANE = 26;

/** A run as a picture: a lane for HTTP and one for each node, over the time since the fault. */
export function svg({ facts, verdict }: Run): string {
    const { record, timeline, stays, outages, observations } = facts;
    const { startedAt, endedAt, nodes } = record;
    const after = timeline.fault.at;
    const span = Math.max(1, endedAt - startedAt);
    const x = (at: number): string => (LEFT + ((at - startedAt) / span) * (WIDTH - LEFT - 20)).toFixed(1);
    const width = (from: number, to: number): string => Math.max(1, Number(x(to)) - Number(x(from))).toFixed(1);
    const top = 50;
    const lane = (index: number): number => top + index * LANE;
    const bar = (index: number, from: number, to: number, colour: string, title: string): string =>
        `<rect x="${x(from)}" y="${lane(index) + 4}" width="${width(from, to)}" height="${LANE - 8}" fill="${colour}">` +
        `<title>${escape(title)}</title></rect>`;
    const label = (index: number, text: string): string => `<text x="8" y="${lane(index) + 17}">${escape(text)}</text>`;
    const times = MOMENTS.flatMap(([key, name]) => {
        const moment = timeline[key];
        return moment ? [{ at: moment.at, name }] : [];
    }).sort((a, b) => a.at - b.at);
    const bottom = lane(nodes.length + 1) + 14;
    const height = bottom + times.length * 16 + 20;
    const restarts = observations.filter(({ kind }) => kind === "reset" || kind === "boot");
    return [
        `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
        `<rect width="${WIDTH}" height="${height}" fill="white"/>`,
        `<text x="8" y="22" font-size="16">${escape(record.drill)}: ${verdict.passed ? "passed" : "FAILED"}</text>`,
        label(0, "HTTP"),
        bar(0, startedAt, endedAt, "#7bb37b", "answers"),
        ...outages.map(({ from, to }) => bar(0, from, to ?? endedAt, "#d2554f", "no good answer")),
        ...nodes.flatMap((node, index) => [
            label(index + 1, node),
            `<rect x="${LEFT}" y="${lane(index + 1) + 4}" width="${WIDTH - LEFT - 20}" height="${LANE - 8}" fill="#eeeeee"/>`,
            ...stays
                .filter(({ host }) => host === node)
                .map(({ domain, seenAt, possible }) =>
                    bar(index + 1, Math.min(seenAt, possible.to), possible.to, "#5b84b1", `guest, domain ${domain}`),
                ),
            ...restarts
                .filter(({ host }) => host === node)
                .map(({ at, kind }) => bar(index + 1, at, at + span / 400, "#d2554f", kind)),
        ]),
        ...times.flatMap(({ at, name }, index) => [
            `<line x1="${x(at)}" y1="${top}" x2="${x(at)}" y2="${bottom + index * 16}" stroke="#444" stroke-dasharray="2 3"/>`,
            `<text x="${x(at)}" y="${bottom + 12 + index * 16}"${Number(x(at)) > WIDTH * 0.7 ? ' text-anchor="end"' : ""}>` +
                `${escape(`${name} ${seconds(at, after)}`)}</text>`,
        ]),
        "</svg>",
        "",
    ].join("\n");
}
