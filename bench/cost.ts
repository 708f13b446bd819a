import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Notes a process's peak memory as it ends. VmHWM, as getrusage's peak counts the parent's pages before the exec. */
const PEAK_HOOK = `const { readFileSync, writeFileSync } = require("node:fs");
process.on("exit", () => {
    const kilobytes = /VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1];
    const role = process.argv[1].includes("launcher") ? "engine" : "program";
    writeFileSync(process.env.BENCH_PEAKS + "/" + role, kilobytes);
});
`;

/** Seconds, and peak megabytes of the processes that took part; medians if of several runs. */
export interface Cost {
    readonly seconds: number;
    readonly engine: number;
    readonly program: number;
}

/** Runs something with the peak hook in the environment of what it starts. */
export async function measure(run: (environment: NodeJS.ProcessEnv) => Promise<void>): Promise<Cost> {
    const folder = mkdtempSync(join(tmpdir(), "bench-"));
    const hook = join(folder, "hook.cjs");
    writeFileSync(hook, PEAK_HOOK);
    const started = performance.now();
    await run({ NODE_OPTIONS: `--require=${hook}`, BENCH_PEAKS: folder });
    const seconds = (performance.now() - started) / 1000;
    const seen = readdirSync(folder);
    const peak = (role: string): number =>
        seen.includes(role) ? Number(readFileSync(join(folder, role), "utf8")) / 1024 : 0;
    const cost = { seconds, engine: peak("engine"), program: peak("program") };
    rmSync(folder, { recursive: true });
    return cost;
}

function median(values: readonly number[]): number {
    return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** The medians of several measurements, each figure by itself. */
export async function repeat(what: string, times: number, once: () => Promise<Cost>): Promise<Cost> {
    const costs: Cost[] = [];
    for (let i = 0; i < times; i++) {
        costs.push(await once());
        process.stderr.write(`${what}: ${costs[i]?.seconds.toFixed(2)} s\n`);
    }
    return {
        seconds: median(costs.map(({ seconds }) => seconds)),
        engine: median(costs.map(({ engine }) => engine)),
        program: median(costs.map(({ program }) => program)),
    };
}
