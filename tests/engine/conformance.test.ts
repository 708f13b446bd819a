import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Exported, type ExportedResource, type Json, Project, VECTORS } from "./support/cli";
import { type Sshd, startSshd } from "./support/sshd";

const PHASES = [1, 2, 3, 4, 5, 6] as const;
const PASSPHRASE = "conformance";

const recorded = (file: string): string => readFileSync(join(VECTORS, "recorded", file), "utf8");

/** What must come before what, wherever both are run; each word is the beginning of a line of the commands' log. */
const APPLY_ORDER = [
    ["apply first-1", "apply first-2", "apply first-3", "apply second-1", "apply second-2", "apply secret"],
    ["apply created-first", "apply after"],
    ["apply created-first", "update after", "remove created-first"],
    ["remove replaced", "apply replaced"],
    ["apply replaced", "remove created-first"],
];
const DESTROY_ORDER = [
    ["remove secret", "remove second-2", "remove second-1", "remove first-3", "remove first-2", "remove first-1"],
    ["remove after", "remove created-first"],
];

/** The commands that the host saw; what hangs on the generated password is left out of the line of its hash. */
function commandsOf(log: string): string[] {
    return log
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => line.replace(/(?<= secret) [0-9a-f]{8}$/, ""));
}

function expectOrder(commands: readonly string[], chains: readonly (readonly string[])[]): void {
    for (const chain of chains) {
        const places = chain.map((start) => commands.findIndex((line) => line.startsWith(start)));
        const present = places.filter((place) => place >= 0);
        expect({ chain, places: present }).toEqual({ chain, places: [...present].sort((a, b) => a - b) });
    }
}

/** The counts of a run's summary by word: `created`, `unchanged`… */
function countsOf(output: string): Record<string, number> {
    const summary = /^Resources:\n([^]*?)^Duration/m.exec(output)?.[1];
    if (summary === undefined) {
        throw new Error(`there is no summary in:\n${output}`);
    }
    return Object.fromEntries<number>(
        [...summary.matchAll(/(\d+) (created|updated|replaced|deleted|unchanged|errored)/g)].map(
            ([, count, word = ""]) => [word, Number(count)],
        ),
    );
}

const nameOf = (urn: string): string => urn.slice(urn.lastIndexOf("::") + 2);

/** The text behind the mark of a decrypted secret. */
function plain(value: Json | undefined): Json | undefined {
    const isSecret = typeof value === "object" && value !== null && !Array.isArray(value) && "plaintext" in value;
    return isSecret && typeof value["plaintext"] === "string" ? (JSON.parse(value["plaintext"]) as Json) : value;
}

/**
 * A state with everything named that differs from run to run: ids, times, generated and configured values, positions.
 * Properties named in `without` are left out.
 */
function comparable({ deployment }: Exported, without: readonly string[]): Map<string, Json> {
    const omitted = ["created", "modified", "sourcePosition", "stackTrace", ...without];
    const resources = deployment.resources ?? [];
    const find = (type: string): ExportedResource | undefined => resources.find((each) => each.type === type);
    const names = new Map<string, string>();
    const config = find("pulumi:providers:pulumi-nodejs")?.inputs ?? {};
    for (const [key, value] of Object.entries(config)) {
        const text = plain(value);
        if (typeof text === "string" && !["conformance:phase", "conformance:host"].includes(key)) {
            names.set(text, `<${key}>`);
            // As it stands within the JSON text of a larger secret.
            names.set(JSON.stringify(text).slice(1, -1), `<${key}>`);
        }
    }
    for (const type of ["RandomPassword", "RandomUuid", "RandomBytes"]) {
        const outputs = find(`random:index/random${type.slice(6)}:Random${type.slice(6)}`)?.outputs ?? {};
        for (const [key, value] of Object.entries(outputs)) {
            const text = plain(value);
            if (typeof text === "string" && text.length >= 16) {
                names.set(text, `<${type}.${key}>`);
            }
        }
    }
    resources.forEach(({ id, urn }) => {
        if (id !== undefined && id !== "none" && id !== "clock" && !names.has(id)) {
            names.set(id, `<id of ${nameOf(urn)}>`);
        }
    });
    const longestFirst = [...names].sort(([left], [right]) => right.length - left.length);
    const renamed = (text: string): string =>
        longestFirst.reduce((result, [value, name]) => result.replaceAll(value, name), text);
    const clean = (value: Json): Json => {
        if (typeof value === "string") {
            // A shell of the recording host complained of its own accord.
            return value.includes("pyenv: cannot rehash") ? "" : renamed(value);
        }
        if (Array.isArray(value)) {
            return value.map(clean);
        }
        if (typeof value !== "object" || value === null) {
            return value;
        }
        const secret = plain(value);
        if (secret !== value && secret !== undefined) {
            return { "(secret)": clean(secret) };
        }
        return Object.fromEntries(
            Object.entries(value)
                .filter(([key]) => !omitted.includes(key))
                .map(([key, each]) => [key, key === "port" ? renamed(JSON.stringify(each)) : clean(each)]),
        );
    };
    /** What has no order, or is left out when it is empty (as a refresh by the official CLI does). */
    const ordered = (resource: { [key: string]: Json }): Json => {
        const { dependencies = [], propertyDependencies = {}, ...rest } = resource;
        const used = Object.entries(propertyDependencies ?? {}).filter(
            ([, urns]) => Array.isArray(urns) && urns.length > 0,
        );
        return {
            ...rest,
            dependencies: Array.isArray(dependencies) ? [...dependencies].sort() : dependencies,
            propertyDependencies: Object.fromEntries(used),
        };
    };
    return new Map(
        resources
            .map((resource): [string, Json] => [
                resource.urn,
                ordered(clean(resource as { [key: string]: Json }) as { [key: string]: Json }),
            ])
            .sort(([left], [right]) => (left < right ? -1 : 1)),
    );
}

/** Every resource stands behind what it needs, as the official engine demands of a state. */
function expectDependenciesFirst({ deployment }: Exported): void {
    const seen = new Set<string>();
    for (const { urn, parent, dependencies, provider } of deployment.resources ?? []) {
        const needed = [
            ...(typeof parent === "string" ? [parent] : []),
            ...(Array.isArray(dependencies) ? dependencies.map(String) : []),
            ...(typeof provider === "string" ? [provider.slice(0, provider.lastIndexOf("::"))] : []),
        ];
        expect({ urn, missing: needed.filter((each) => !seen.has(each)) }).toEqual({ urn, missing: [] });
        seen.add(urn);
    }
}

function recordedProject(): Project {
    return new Project({
        name: "conformance",
        stack: "v",
        passphrase: PASSPHRASE,
        from: join(VECTORS, "program"),
    });
}

jest.setTimeout(300_000);

describe("the recorded program", () => {
    let folder: string;
    let log: string;
    let observed: string;
    let project: Project;
    /** Holds what the official CLI recorded, one state after the other. */
    let official: Project;
    let sshd: Sshd;

    beforeAll(async () => {
        folder = mkdtempSync(join(tmpdir(), "conformance-"));
        log = join(folder, "log.txt");
        observed = join(folder, "observed.txt");
        project = recordedProject();
        official = recordedProject();
        sshd = await startSshd();
        observe("1.state.json");
        await project.init(
            { host: sshd.host, port: String(sshd.port), hostKey: sshd.hostKey, log, observed },
            { privateKey: sshd.privateKey },
        );
        await official.succeed(["stack", "init", "v"]);
    });
    afterAll(async () => {
        await Promise.all([project?.remove(), official?.remove()]);
        await sshd?.stop();
        rmSync(folder, { recursive: true, force: true });
    });

    /** Makes the file that the program observes as long as it was when that state was recorded. */
    function observe(file: string): void {
        const { deployment } = JSON.parse(recorded(file)) as Exported;
        const seen = deployment.resources?.find(({ urn }) => nameOf(urn) === "observed")?.outputs?.["seen"];
        writeFileSync(observed, "x".repeat(Number(seen)));
    }

    async function expectCommands(expected: string, order: readonly (readonly string[])[]): Promise<void> {
        const commands = commandsOf(readFileSync(log, "utf8"));
        expect([...commands].sort()).toEqual([...commandsOf(recorded(expected))].sort());
        expectOrder(commands, order);
    }

    async function expectState(file: string, without: readonly string[] = []): Promise<void> {
        await official.succeed(["stack", "import"], {}, recorded(file));
        const [ours, theirs] = await Promise.all([project.export("--show-secrets"), official.export("--show-secrets")]);
        expectDependenciesFirst(ours);
        expect(comparable(ours, without)).toEqual(comparable(theirs, without));
    }

    test.each(PHASES)("phase %d does what the official CLI did", async (phase) => {
        await project.succeed(["config", "set", "phase", String(phase)]);
        writeFileSync(log, "");
        const { code, stdout } = await project.run(["up", "--yes", "--skip-preview"]);
        await expectCommands(`${phase}.commands.txt`, APPLY_ORDER);
        if (phase === 4) {
            // The official engine stops at the first failure; this one goes on with what does not need what failed.
            await expectState("4.state.json", ["conformance:phase"]);
            expect(code).toBe(1);
            expect(countsOf(stdout)).toMatchObject({ unchanged: 18 });
            expect(stdout).toContain("Process exited with status 7");
            return;
        }
        expect(code).toBe(0);
        expect(countsOf(stdout)).toEqual(countsOf(recorded(`${phase}.up.txt`)));

        writeFileSync(log, "");
        const again = await project.succeed(["up", "--yes", "--skip-preview", "--expect-no-changes"]);
        expect(countsOf(again)).toEqual(countsOf(recorded(`${phase}.again.txt`)));
        expect(readFileSync(log, "utf8")).toBe("");
        await expectState(`${phase}.state.json`);
    });

    test("refresh finds what changed, and runs no command", async () => {
        writeFileSync(log, "");
        observe("refresh.state.json");
        const output = await project.succeed(["refresh", "--yes", "--skip-preview"]);
        expect(countsOf(output)).toEqual(countsOf(recorded("refresh.txt")));
        expect(readFileSync(log, "utf8")).toBe("");
        await expectState("refresh.state.json");
    });

    test("destroy removes everything, dependents first", async () => {
        writeFileSync(log, "");
        const output = await project.succeed(["destroy", "--yes", "--skip-preview"]);
        expect(countsOf(output)).toEqual(countsOf(recorded("destroy.txt")));
        await expectCommands("destroy.commands.txt", DESTROY_ORDER);
        await expectState("destroy.state.json");
    });
});

describe("a state of the official CLI", () => {
    let project: Project;
    beforeAll(async () => {
        project = recordedProject();
        await project.succeed(["stack", "init", "v"]);
    });
    afterAll(() => project?.remove());

    test.each(PHASES)("after phase %d is taken over with nothing to do", async (phase) => {
        await project.succeed(["stack", "import"], {}, recorded(`${phase}.state.json`));
        const { deployment } = await project.export("--show-secrets");
        const provider = deployment.resources?.find(({ type }) => type === "pulumi:providers:pulumi-nodejs");
        for (const [key, value] of Object.entries(provider?.inputs ?? {})) {
            const text = plain(value);
            if (
                typeof text === "string" &&
                key.startsWith("conformance:") &&
                (phase === 1 || key === "conformance:phase")
            ) {
                const flags = text === value ? [] : ["--secret"];
                await project.succeed(["config", "set", ...flags, key], {}, text);
            }
        }
        await project.succeed(["config", "set", "phase", String(phase)]);
        const { code, stdout } = await project.run(["preview", "--json", "--expect-no-changes"]);
        const { steps, changeSummary } = JSON.parse(stdout) as {
            steps: { op: string; urn: string }[];
            changeSummary: Record<string, number>;
        };
        const changes = steps.filter(({ op }) => op !== "same").map(({ op, urn }) => `${op} ${nameOf(urn)}`);
        if (phase === 4) {
            // What failed then is what is left to do.
            expect(changes.sort()).toEqual(["create broken", "create never-reached"]);
            return;
        }
        expect({ code, changes }).toEqual({ code: 0, changes: [] });
        expect(changeSummary).toEqual({
            same: deployment.resources?.filter(({ type }) => !isDefaultProvider(type)).length,
        });
    });
});

function isDefaultProvider(type: string): boolean {
    return type.startsWith("pulumi:providers:");
}
