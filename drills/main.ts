/** Command line of the drills: `npm run drill -- NAME [--repeat N] [--json] [--site FILE]`. */
import { createInterface } from "node:readline/promises";
import { Command, InvalidArgumentError } from "commander";
import pc from "picocolors";
import { LabError, messageOf } from "../lab/errors";
import { Report } from "../lab/report";
import { LabFolder } from "../lab/state";
import { type Drill, DRILLS, findDrills } from "./catalogue";
import { conduct, refusals } from "./conduct";
import { type Ground } from "./ground";
import { LabGround } from "./lab";
import { asJson, summary } from "./report";
import { readSite, type Site, SiteGround, warning } from "./site";

/** Exit status after an interruption, as shells have it. */
const INTERRUPTED = 130;

function wholeNumber(text: string): number {
    if (!/^[1-9]\d*$/.test(text)) {
        throw new InvalidArgumentError("not a number from 1 on");
    }
    return Number(text);
}

/** Asks somebody at a terminal; without one nobody is asked, and the answer is empty. */
async function askAtTerminal(question: string, signal: AbortSignal): Promise<string> {
    if (!process.stdin.isTTY) {
        process.stderr.write(`${question}\n`);
        return "";
    }
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    try {
        return await terminal.question(question, { signal });
    } finally {
        terminal.close();
    }
}

interface Options {
    repeat: number;
    json?: boolean;
    out: string;
    site?: string;
}

/** What a command line stands on; tests put their own in its place. */
export interface Surroundings {
    folder: LabFolder;
    signal: AbortSignal;
    ask?: typeof askAtTerminal;
}

/** The drills that were named, each once. */
function drillsOf(names: readonly string[]): Drill[] {
    const drills = names.flatMap((name) => {
        const found = findDrills(name);
        if (found.length === 0) {
            throw new LabError(`there is no drill "${name}"; npm run drill -- --help lists them`);
        }
        return found;
    });
    return [...new Set(drills)];
}

function groundOf(options: Options, { folder, signal }: Surroundings): { ground: Ground; site?: Site } {
    const report = new Report();
    if (options.site === undefined) {
        return { ground: new LabGround({ folder, report, signal }) };
    }
    const site = readSite(options.site);
    return { ground: new SiteGround(site, report, signal), site };
}

/**
 * Lets somebody confirm drills on real hosts.
 *
 * @throws LabError when the pool's name was not given
 */
async function confirm(site: Site, drills: readonly Drill[], around: Surroundings): Promise<void> {
    const { ask = askAtTerminal, signal } = around;
    const names = drills.map(({ name }) => name);
    const answer = await ask(warning(site, names), signal);
    if (answer.trim() !== site.spec.pool.name) {
        throw new LabError("the pool's name was not given at a terminal: nothing was touched");
    }
}

/** The command line; exported so that tests can read its help. */
export function program(around: Surroundings): Command {
    const list = DRILLS.map(({ name, about }) => `  ${name.padEnd(22)}${about}`).join("\n");
    return new Command("drill")
        .description("Put faults into a running cluster, and see what they cost.")
        .argument("<name...>", "which drills; all: all that can be run")
        .option("--repeat <number>", "how often each", wholeNumber, 1)
        .option("--json", "print the figures as JSON")
        .option("--out <folder>", "where the reports go", around.folder.at("drills"))
        .option("--site <file>", "on real hosts, which the file says how to reach, instead of the lab")
        .addHelpText("after", `\nDrills:\n${list}`)
        .action(async (names: string[], options: Options) => {
            const named = drillsOf(names);
            const { ground, site } = groundOf(options, around);
            const refused = refusals(ground, named);
            // Who asks for all wants what there is; who asks for one by its name wants that one.
            if (refused.length > 0 && !names.includes("all")) {
                throw new LabError(
                    refused.map(({ drill, because }) => `${drill} cannot be run: ${because}`).join("\n"),
                );
            }
            const drills = named.filter(({ name }) => !refused.some(({ drill }) => drill === name));
            if (site) {
                await confirm(site, drills, around);
            }
            const runs = await conduct(ground, drills, options.repeat, options.out);
            process.stdout.write(`${options.json ? asJson(runs, refused) : summary(runs, refused)}\n`);
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
        await program({ folder: new LabFolder(), signal: abort.signal }).parseAsync();
    } catch (error) {
        if (abort.signal.aborted) {
            process.stderr.write("Interrupted; what the drill had done is taken back.\n");
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
