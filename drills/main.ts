/** Command line of the drills: `npm run drill -- NAME [--repeat N] [--json]`. */
import { Command, InvalidArgumentError } from "commander";
import pc from "picocolors";
import { LabError, messageOf } from "../lab/errors";
import { Report } from "../lab/report";
import { LabFolder } from "../lab/state";
import { DRILLS, findDrills } from "./catalogue";
import { conduct } from "./conduct";
import { figures, summary } from "./report";

/** Exit status after an interruption, as shells have it. */
const INTERRUPTED = 130;

function wholeNumber(text: string): number {
    if (!/^[1-9]\d*$/.test(text)) {
        throw new InvalidArgumentError("not a number from 1 on");
    }
    return Number(text);
}

/** The command line; exported so that tests can read its help. */
export function program(folder: LabFolder, signal: AbortSignal): Command {
    const list = DRILLS.map(({ name, about }) => `  ${name.padEnd(22)}${about}`).join("\n");
    return new Command("drill")
        .description("Put faults into the running cluster of the lab, and see what they cost.")
        .argument("<name...>", "which drills; all: all of them")
        .option("--repeat <number>", "how often each", wholeNumber, 1)
        .option("--json", "print the figures as JSON")
        .option("--out <folder>", "where the reports go", folder.at("drills"))
        .addHelpText("after", `\nDrills:\n${list}`)
        .action(async (names: string[], options: { repeat: number; json?: boolean; out: string }) => {
            const drills = names.flatMap((name) => {
                const found = findDrills(name);
                if (found.length === 0) {
                    throw new LabError(`there is no drill "${name}"; npm run drill -- --help lists them`);
                }
                return found;
            });
            const runs = await conduct({ folder, report: new Report(), signal }, drills, options.repeat, options.out);
            const result = options.json ? JSON.stringify(runs.map(figures), null, 2) : summary(runs);
            process.stdout.write(`${result}\n`);
            if (!runs.every(({ verdict }) => verdict.passed)) {
                process.exitCode = 1;
            }
        });
}

async function main(): Promise<void> {
    const abort = new AbortController();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
        process.on(signal, () => abort.abort());
    }
    try {
        await program(new LabFolder(), abort.signal).parseAsync();
    } catch (error) {
        if (abort.signal.aborted) {
            process.stderr.write("Interrupted. The cluster is what it was before.\n");
            process.exitCode = INTERRUPTED;
        } else {
            const text = error instanceof LabError ? messageOf(error) : undefined;
            process.stderr.write(
                `${pc.red(text ?? (error instanceof Error ? (error.stack ?? error.message) : String(error)))}\n`,
            );
            process.exitCode = 1;
        }
    }
}

if (require.main === module) {
    void main();
}
