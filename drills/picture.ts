/** A drill's timeline as a picture (SVG). Pure. */
import { type Facts } from "./facts";
import { type Run } from "./report";
import { type Instant } from "./record";
import { MOMENTS, seconds } from "./timeline";

const WIDTH = 960;
const LEFT = 118;
const RIGHT = 24;
const TOP = 84;
const LANE = 30;
const BAR = 16;
const LINE = 19;

const COLOURS = {
    good: "#4d9a63",
    bad: "#d1495b",
    guest: "#3b6ea8",
    on: "#e4e7eb",
    off: "#9aa3ad",
    text: "#1f2933",
    faint: "#6b7680",
    grid: "#d5dae0",
} as const;

function escape(text: string): string {
    return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** A text of at most so many characters. */
function shortened(text: string, most: number): string {
    return text.length <= most ? text : `${text.slice(0, most - 1).trimEnd()}…`;
}

/** Whole seconds between two marks of the axis: at most ten marks. */
export function tickStep(span: number): number {
    const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 3600];
    return steps.find((step) => span / step <= 10) ?? 7200;
}

/** Spans in which a machine had no power or was starting: from what took it down to the first look after. */
function downs(facts: Facts, host: string): { from: Instant; to: Instant }[] {
    const { record, observations } = facts;
    const starts = [
        ...record.marks.filter((mark) => mark.kind === "off" && mark.host === host).map(({ at }) => at),
        ...observations.filter((one) => one.kind === "reset" && one.host === host).map(({ at }) => at),
    ].sort((a, b) => a - b);
    const signs = observations.filter((one) => one.host === host && (one.kind === "sight" || one.kind === "log"));
    return starts.map((from) => ({ from, to: signs.find(({ at }) => at > from + 1000)?.at ?? record.endedAt }));
}

/** A run as a picture: lanes for HTTP, the rows written and each machine, over the seconds since the fault. */
export function svg({ facts, verdict, about }: Run): string {
    const { record, timeline, stays, outages } = facts;
    const { startedAt, endedAt } = record;
    const fault = timeline.fault.at;
    const span = Math.max(1, endedAt - startedAt);
    const x = (at: Instant): number =>
        LEFT + ((Math.min(Math.max(at, startedAt), endedAt) - startedAt) / span) * (WIDTH - LEFT - RIGHT);
    const n = (value: number): string => value.toFixed(1);
    const text = (left: number, top: number, words: string, more = ""): string =>
        `<text x="${n(left)}" y="${n(top)}"${more}>${escape(words)}</text>`;
    const bar = (lane: number, from: Instant, to: Instant, colour: string, title: string, inset = 0): string => {
        const top = TOP + lane * LANE + (LANE - BAR) / 2 + inset;
        const width = Math.max(1.5, x(to) - x(from));
        return (
            `<rect x="${n(x(from))}" y="${n(top)}" width="${n(width)}" height="${n(BAR - 2 * inset)}" fill="${colour}">` +
            `<title>${escape(title)}</title></rect>`
        );
    };
    const rows = record.writes?.samples ?? [];
    const machines = [...record.nodes, record.manager];
    const lanes = ["HTTP", ...(rows.length > 0 ? ["rows"] : []), ...machines];
    const bottom = TOP + lanes.length * LANE;
    const moments = MOMENTS.flatMap(([key, name]) => {
        const moment = timeline[key];
        return moment ? [{ ...moment, name }] : [];
    }).sort((a, b) => a.at - b.at);
    const step = tickStep(span / 1000);
    const ticks: number[] = [];
    for (let tick = Math.ceil((startedAt - fault) / 1000 / step) * step; fault + tick * 1000 <= endedAt; tick += step) {
        ticks.push(tick);
    }
    // Numbers of moments that are close to each other stand in rows.
    const last: number[] = [];
    const numbered = moments.map((moment) => {
        const at = x(moment.at);
        const free = last.findIndex((end) => at - end >= 17);
        const row = free < 0 ? last.length : free;
        last[row] = at;
        return { ...moment, row };
    });
    const list = bottom + 14 + last.length * 18 + 16;
    const legend = list + moments.length * LINE + 14;
    const height = legend + 22;
    const entries: [string, string][] = [
        [COLOURS.good, "answers"],
        [COLOURS.bad, "no good answer, row not acknowledged"],
        [COLOURS.guest, "guest runs"],
        [COLOURS.on, "machine is on"],
        [COLOURS.off, "no power, or starting"],
    ];
    let legendAt = 16;
    return [
        `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${n(height)}" width="${WIDTH}" height="${n(height)}" ` +
            `font-family="Helvetica, Arial, sans-serif" font-size="12.5" fill="${COLOURS.text}">`,
        `<rect width="${WIDTH}" height="${n(height)}" fill="#ffffff"/>`,
        text(16, 26, record.drill, ' font-size="17" font-weight="bold"'),
        text(
            WIDTH - RIGHT,
            26,
            verdict.passed ? "passed" : "FAILED",
            ` font-size="15" font-weight="bold" text-anchor="end" fill="${verdict.passed ? COLOURS.good : COLOURS.bad}"`,
        ),
        text(16, 46, shortened(about, 130), ` fill="${COLOURS.faint}"`),
        ...ticks.flatMap((tick) => {
            const at = x(fault + tick * 1000);
            return [
                `<line x1="${n(at)}" y1="${TOP}" x2="${n(at)}" y2="${bottom}" stroke="${COLOURS.grid}"/>`,
                text(at, TOP - 8, `${tick} s`, ` text-anchor="middle" font-size="11" fill="${COLOURS.faint}"`),
            ];
        }),
        ...lanes.map((lane, index) => text(16, TOP + index * LANE + LANE / 2 + 4.5, shortened(lane, 14))),
        bar(0, startedAt, endedAt, COLOURS.good, "answers"),
        ...outages.map(({ from, to }) => bar(0, from, to ?? endedAt, COLOURS.bad, "no good answer")),
        ...rows.map(({ row, sentAt, acknowledged }) =>
            bar(1, sentAt, sentAt, acknowledged ? COLOURS.good : COLOURS.bad, `row ${row}`, acknowledged ? 3 : 0),
        ),
        ...machines.flatMap((host, index) => {
            const lane = lanes.length - machines.length + index;
            return [
                bar(lane, startedAt, endedAt, COLOURS.on, "on"),
                ...stays
                    .filter((stay) => stay.host === host)
                    .map(({ domain, seenAt, possible }) =>
                        bar(lane, Math.min(seenAt, possible.to), possible.to, COLOURS.guest, `guest, domain ${domain}`),
                    ),
                ...downs(facts, host).map(({ from, to }) => bar(lane, from, to, COLOURS.off, "no power, or starting")),
            ];
        }),
        ...numbered.flatMap(({ at, row }, index) => {
            const centre = bottom + 14 + row * 18;
            return [
                `<line x1="${n(x(at))}" y1="${TOP}" x2="${n(x(at))}" y2="${n(centre - 8)}" stroke="${COLOURS.text}" stroke-dasharray="2 3"/>`,
                `<circle cx="${n(x(at))}" cy="${n(centre)}" r="8" fill="${COLOURS.text}"/>`,
                text(x(at), centre + 4, String(index + 1), ' text-anchor="middle" font-size="11" fill="#ffffff"'),
            ];
        }),
        ...numbered.flatMap(({ at, name, host, evidence }, index) => {
            const top = list + index * LINE;
            return [
                text(26, top, String(index + 1), ' text-anchor="end" font-weight="bold"'),
                text(98, top, seconds(at, fault), ' text-anchor="end"'),
                text(112, top, name),
                text(
                    258,
                    top,
                    shortened(`${host === undefined ? "" : `${host}: `}${evidence}`, 104),
                    ` fill="${COLOURS.faint}" font-size="11.5"`,
                ),
            ];
        }),
        ...entries.flatMap(([colour, words]) => {
            const at = legendAt;
            legendAt += 30 + words.length * 6.4;
            return [
                `<rect x="${n(at)}" y="${n(legend - 10)}" width="12" height="12" fill="${colour}"/>`,
                text(at + 18, legend, words, ` font-size="11" fill="${COLOURS.faint}"`),
            ];
        }),
        "</svg>",
        "",
    ].join("\n");
}
