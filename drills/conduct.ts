/** Carries drills out, one after the other, each from the same healthy cluster. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../lab/errors";
import { type Drill } from "./catalogue";
import { factsOf } from "./facts";
import { Field, healthy } from "./field";
import { type Ground } from "./ground";
import { type DrillRecord } from "./record";
import { svg } from "./picture";
import { figures, markdown, type Refusal, type Run } from "./report";
import { judge } from "./verdict";

/** Tells which of these drills cannot be run on a ground, and why. */
export function refusals(ground: Ground, drills: readonly Drill[]): Refusal[] {
    return drills.flatMap(({ name, needs }) => {
        const because = needs.map((need) => ground.lacks(need)).find((lack) => lack !== undefined);
        return because === undefined ? [] : [{ drill: name, because }];
    });
}

/** A run that could not even begin: one failed drill, and no reason to give up those after it. */
function notBegun(ground: Ground, drill: Drill, startedAt: number, error: unknown): DrillRecord {
    return {
        drill: drill.name,
        startedAt,
        endedAt: Date.now(),
        guest: ground.guest.name,
        manager: "",
        nodes: [],
        home: "",
        http: [],
        console: [],
        marks: [],
        error: messageOf(error),
    };
}

async function recordOf(ground: Ground, drill: Drill): Promise<DrillRecord> {
    const startedAt = Date.now();
    let field: Field;
    try {
        field = await Field.open(ground, drill.name);
    } catch (error) {
        ground.signal.throwIfAborted();
        return notBegun(ground, drill, startedAt, error);
    }
    try {
        await drill.prepare?.(field);
        if (drill.foretell) {
            field.record.prediction = await field.foretell(drill.foretell(field));
        }
        await drill.strike(field);
        await field.countRows();
    } catch (error) {
        ground.signal.throwIfAborted();
        field.record.error = messageOf(error);
    } finally {
        field.close();
    }
    return field.record;
}

/** What the machines said, line by line, as it was read. */
function consoles({ console: lines, startedAt }: DrillRecord): string {
    return lines.map(({ at, host, text }) => `${((at - startedAt) / 1000).toFixed(1)} ${host} ${text}\n`).join("");
}

/** Writes a run's report: NAME.md with its picture, NAME.json, and NAME.log with what the report was read from. */
function write(folder: string, name: string, run: Run): void {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${name}.md`), markdown(run, `${name}.svg`));
    writeFileSync(join(folder, `${name}.svg`), svg(run));
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(figures(run), null, 2)}\n`);
    writeFileSync(join(folder, `${name}.log`), consoles(run.facts.record));
}

/**
 * Carries drills out. Whatever happens, also an interruption, the cluster is brought back to what it was before, as far as
 * the ground can, and nothing is left on its hosts.
 *
 * @param repeat how often each
 * @param folder takes the reports
 */
export async function conduct(
    ground: Ground,
    drills: readonly Drill[],
    repeat: number,
    folder: string,
): Promise<Run[]> {
    const { report } = ground;
    const runs: Run[] = [];
    const rounds = drills.flatMap((drill) => Array.from({ length: repeat }, (_, round) => ({ drill, round })));
    try {
        await ground.prepare();
        await report.step("waiting for a healthy cluster", async () => healthy(ground));
        await ground.keep();
        for (const { drill, round } of rounds) {
            report.note(`${drill.name}${repeat === 1 ? "" : ` (${round + 1} of ${repeat})`}: ${drill.about}`);
            let run: Run;
            try {
                const facts = factsOf(await recordOf(ground, drill));
                run = { facts, verdict: judge(facts, drill.rules), about: drill.about };
                // Before the cluster is brought back: that may fail, and what was seen is not lost.
                write(folder, repeat === 1 ? drill.name : `${drill.name}-${round + 1}`, run);
            } finally {
                await ground.bringBack();
            }
            runs.push(run);
            report.note(`${drill.name}: ${run.verdict.passed ? "passed" : "FAILED"}`);
            run.verdict.rulings
                .filter(({ kept }) => !kept)
                .forEach(({ rule, because }) => report.note(`  broken: ${rule} (${because})`));
        }
    } finally {
        await ground.tidy();
    }
    return runs;
}
