import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Exported, Project } from "./support/cli";
import { type Sshd, startSshd } from "./support/sshd";

const RUNS = Number(process.env["KILL_RUNS"] ?? 20);
const SEED = Number(process.env["KILL_SEED"] ?? Date.now() % 1_000_000);
const COMMANDS = 30;
/** How many commands of a row wait for each other. */
const DEPTH = 5;

/**
 * Commands that converge, as those of the cluster do: applied or removed twice is the same as once. Each takes a
 * moment, so that a kill also hits one that is under way.
 */
const PROGRAM = `
import * as pulumi from "@pulumi/pulumi";
import { remote } from "@pulumi/command";
const config = new pulumi.Config();
const connection = {
    host: config.require("host"), port: config.requireNumber("port"), user: "root",
    privateKey: config.requireSecret("privateKey"), hostKey: config.require("hostKey"),
};
let before: remote.Command[] = [];
for (let i = 0; i < ${COMMANDS}; i++) {
    const file = config.require("folder") + "/" + i;
    const command = new remote.Command("c" + i, {
        connection,
        create: "sleep 0.02; echo done > " + file, delete: "sleep 0.02; rm -f " + file,
        addPreviousOutputInEnv: false,
    }, { dependsOn: i % ${DEPTH} === 0 ? [] : before });
    before = [command];
}
`;

/** The numbers of a seed, from 0 to 1. Source: mulberry32, public domain. */
function randomNumbers(seed: number): () => number {
    let state = seed;
    return () => {
        state = (state + 0x6d2b79f5) | 0;
        let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
        mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
        return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
}

jest.setTimeout(60_000 + RUNS * 30_000);

test(`a run killed at any moment leaves a state that the next one goes on from (KILL_SEED=${SEED})`, async () => {
    const random = randomNumbers(SEED);
    const folder = mkdtempSync(join(tmpdir(), "kill-"));
    const effects = join(folder, "effects");
    mkdirSync(effects);
    const project = new Project({ files: { "index.ts": PROGRAM } });
    let sshd: Sshd | undefined;
    try {
        sshd = await startSshd();
        await project.init(
            { host: sshd.host, port: String(sshd.port), hostKey: sshd.hostKey, folder: effects },
            { privateKey: sshd.privateKey },
        );
        const all = Array.from({ length: COMMANDS }, (_, index) => String(index)).sort();
        // Read from the file itself: that the state loads, the run after it shows.
        const latest = (): Exported["deployment"] => {
            const state = JSON.parse(readFileSync(project.stateFile, "utf8")) as {
                checkpoint: { latest?: Exported["deployment"] | null };
            };
            return state.checkpoint.latest ?? {};
        };
        const names = (): string[] =>
            (latest().resources ?? [])
                .filter(({ type }) => type === "command:remote:Command")
                .map(({ urn }) => urn.slice(urn.lastIndexOf("::c") + 3))
                .sort();
        const verb = (name: "up" | "destroy"): string[] => [name, "--yes", "--skip-preview"];
        const outcomes = { untouched: 0, halfway: 0, finished: 0, pending: 0 };
        for (let run = 0; run < RUNS; run++) {
            const killed = run % 2 === 0 ? "up" : "destroy";
            const target = killed === "up" ? all : [];
            const started = project.start(verb(killed));
            // Most of the moments are to lie within the commands, which begin some time after the start.
            await firstStep(started, random() * 0.9);
            await sleep(random() * 600);
            started.killAll();
            await started.ended;

            const known = names();
            const pending = latest().pending_operations?.length ?? 0;
            outcomes.pending += pending > 0 ? 1 : 0;
            const changed = killed === "up" ? known.length : COMMANDS - known.length;
            outcomes[changed === 0 ? "untouched" : changed === COMMANDS ? "finished" : "halfway"]++;

            const next = await project.run(verb(killed));
            const where = `run ${run}, KILL_SEED=${SEED}`;
            expect({ where, code: next.code, output: next.stderr }).toMatchObject({ where, code: 0 });
            if (pending > 0 && killed === "up") {
                expect({ where, told: next.stdout.includes("interrupted") }).toEqual({ where, told: true });
            }
            expect({ where, known: names() }).toEqual({ where, known: target });
            expect({ where, effects: readdirSync(effects).sort() }).toEqual({ where, effects: target });
            for (const name of target) {
                expect({ where, name, text: readFileSync(join(effects, name), "utf8") }).toEqual({
                    where,
                    name,
                    text: "done\n",
                });
            }
        }
        // A test that never hits a run half-way proves nothing.
        expect({ outcomes, hit: outcomes.halfway > 0 || RUNS < 10 }).toEqual({ outcomes, hit: true });
    } finally {
        await project.remove();
        await sshd?.stop();
        rmSync(folder, { recursive: true, force: true });
    }
});

/** Waits for the first finished step, or with a small chance not at all, so that the start is hit, too. */
async function firstStep(running: { stdout(): string; ended: Promise<unknown> }, chance: number): Promise<void> {
    let over = false;
    void running.ended.then(() => (over = true));
    while (chance > 0.1 && !over && !/(creating|deleting) /.test(running.stdout())) {
        await sleep(10);
    }
}
