/** Carries drills out, one after the other, each from the same healthy cluster. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../lab/errors";
import { type Context } from "../lab/lab";
import { type Drill } from "./catalogue";
import { factsOf } from "./facts";
import { bringBack, Field, prepare, tidy } from "./field";
import { type DrillRecord } from "./record";
import { figures, markdown, type Run, svg } from "./report";
import { judge } from "./verdict";

async function recordOf(context: Context, drill: Drill): Promise<DrillRecord> {
    const field = await Field.open(context, drill.name);
    try {
        if (drill.foretell) {
            field.record.prediction = await field.foretell(drill.foretell(field));
        }
        await drill.strike(field);
        await field.countRows();
    } catch (error) {
        context.signal.throwIfAborted();
        field.record.error = messageOf(error);
    } finally {
        field.close();
    }
    return field.record;
}

/** Writes a run's report: NAME.md with its picture, and NAME.json. */
function write(folder: string, name: string, run: Run): void {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${name}.md`), markdown(run, `${name}.svg`));
    writeFileSync(join(folder, `${name}.svg`), svg(run));
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(figures(run), null, 2)}\n`);
}

/**
 * Carries drills out. Whatever happens, also an interruption, the cluster is brought back to what it was before, and
 * nothing is left on its hosts.
 *
 * @param repeat how often each
 * @param folder takes the reports
 */
export async function conduct(
    context: Context,
    drills: readonly Drill[],
    repeat: number,
    folder: string,
): Promise<Run[]> {
    const { report } = context;
    const runs: Run[] = [];
    const rounds = drills.flatMap((drill) => Array.from({ length: repeat }, (_, round) => ({ drill, round })));
    // Taking things back must not be cut short by what interrupted the drill.
    const lasting: Context = { ...context, signal: new AbortController().signal };
    try {
        await prepare(context);
        for (const { drill, round } of rounds) {
            report.note(`${drill.name}: ${drill.about}`);
            let record: DrillRecord;
            try {
                record = await recordOf(context, drill);
            } finally {
                await bringBack(lasting);
            }
            const facts = factsOf(record);
            const run: Run = { facts, verdict: judge(facts, drill.rules), about: drill.about };
            runs.push(run);
            write(folder, repeat === 1 ? drill.name : `${drill.name}-${round + 1}`, run);
            report.note(`${drill.name}: ${run.verdict.passed ? "passed" : "FAILED"}`);
            run.verdict.rulings
                .filter(({ kept }) => !kept)
                .forEach(({ rule, because }) => report.note(`  broken: ${rule} (${because})`));
        }
    } finally {
        await tidy(lasting);
    }
    return runs;
}
