import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { descendants, type ExportedResource, Project, type Running } from "./support/cli";

/** More at a time than Node expects listeners on one signal. */
const PARALLEL = 12;

/** Rows of two local commands each; every command tells when it starts and when it has ended. */
const PROGRAM = `
import { local } from "@pulumi/command";
for (let i = 0; i < ${PARALLEL}; i++) {
    const step = (name: string, dependsOn: local.Command[]) =>
        new local.Command(name, {
            create: \`touch \${process.env.TOLD}/\${name}.begun; sleep $(cat \${process.env.NAP}); touch \${process.env.TOLD}/\${name}.done\`,
            addPreviousOutputInEnv: false,
        }, { dependsOn });
    step("second-" + i, [step("first-" + i, [])]);
}
`;
const UP = ["up", "--yes", "--skip-preview", "--parallel", String(PARALLEL)];

jest.setTimeout(120_000);

let project: Project;
let told: string;
/** How many seconds the commands take: in a file, so that another time is no change of the command. */
let nap: string;

beforeEach(async () => {
    project = new Project({ files: { "index.ts": PROGRAM } });
    told = join(project.folder, "told");
    nap = join(project.folder, "nap");
    mkdirSync(told);
    await project.init();
});
afterEach(() => project.remove());

function environment(seconds: number): NodeJS.ProcessEnv {
    writeFileSync(nap, String(seconds));
    return { TOLD: told, NAP: nap };
}

/** How many commands have come that far. */
const count = (ending: "begun" | "done"): number => readdirSync(told).filter((file) => file.endsWith(ending)).length;

async function until(what: () => boolean, seconds: number): Promise<void> {
    const end = performance.now() + seconds * 1000;
    while (!what()) {
        if (performance.now() > end) {
            throw new Error(`not within ${seconds} s`);
        }
        await sleep(20);
    }
}

/** Starts `up` and waits until all first commands run. */
async function underWay(seconds: number): Promise<{ running: Running; processes: number[] }> {
    const running = project.start(UP, environment(seconds));
    await until(() => count("begun") === PARALLEL, 60);
    return { running, processes: descendants(running.pid) };
}

/** The names of the commands in the state file, which must load. */
function known(): string[] {
    const { checkpoint } = JSON.parse(readFileSync(project.stateFile, "utf8")) as {
        checkpoint: { latest?: { resources?: ExportedResource[] } };
    };
    return (checkpoint.latest?.resources ?? [])
        .filter(({ type }) => type === "command:local:Command")
        .map(({ urn }) => urn.slice(urn.lastIndexOf("::") + 2));
}

async function expectConvergence(): Promise<void> {
    await project.succeed(UP, environment(0));
    expect(known()).toHaveLength(2 * PARALLEL);
    await project.succeed([...UP, "--expect-no-changes"], environment(0));
}

/** Processes that are there; one that has ended but was not waited for counts as gone. */
function alive(processes: readonly number[]): number[] {
    return processes.filter((pid) => {
        const file = `/proc/${pid}/stat`;
        return existsSync(file) && !/^\d+ \(.*\) Z/.test(readFileSync(file, "utf8"));
    });
}

test("many commands at a time run without a warning of Node", async () => {
    const { code, stdout, stderr } = await project.run(UP, environment(0.5));
    expect(code).toBe(0);
    expect(`${stdout}${stderr}`).not.toContain("MaxListeners");
});

test("Ctrl-C once: what runs is finished and saved, nothing new starts, the next run goes on", async () => {
    const { running, processes } = await underWay(3);
    running.signal("SIGINT");
    // npm hands the signal on that the terminal has sent to all: that is no second one.
    await sleep(100);
    running.signal("SIGINT");
    const { code, stderr } = await running.ended;
    expect(code).toBe(1);
    expect(stderr).toContain("finishing what runs");
    expect(stderr).not.toContain("ending at once");
    expect({ begun: count("begun"), done: count("done") }).toEqual({ begun: PARALLEL, done: PARALLEL });
    expect(known().sort()).toEqual(Array.from({ length: PARALLEL }, (_, index) => `first-${index}`).sort());
    await until(() => alive(processes).length === 0, 5);
    rmSync(told, { recursive: true });
    mkdirSync(told);
    await expectConvergence();
    // What was finished is not done again.
    expect(count("done")).toBe(PARALLEL);
});

test("Ctrl-C twice: it ends at once, leaves no process, and the next run converges", async () => {
    const { running, processes } = await underWay(60);
    // The engine, the program, and a shell with its sleep for every command.
    expect(processes.length).toBeGreaterThan(PARALLEL);
    const started = performance.now();
    running.signal("SIGINT");
    await sleep(1_500);
    running.signal("SIGINT");
    const { code, stdout, stderr } = await running.ended;
    expect((performance.now() - started) / 1000).toBeLessThan(15);
    expect(code).not.toBe(0);
    expect(stderr).toContain("ending at once");
    expect(stdout).toContain("it was cut off by the user");
    expect(known()).toEqual([]);
    await until(() => alive(processes).length === 0, 5);
    await expectConvergence();
});
