import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Ended, type ExportedResource, Project } from "./support/cli";
import { freePort, makeKey, type Sshd, startSshd } from "./support/sshd";

/** One command; the config's `fault` names what else the program does. */
const PROGRAM = `
import * as pulumi from "@pulumi/pulumi";
import { remote } from "@pulumi/command";
const config = new pulumi.Config();
const connection = {
    host: config.require("host"), port: config.requireNumber("port"), user: "root", dialErrorLimit: 1,
    privateKey: config.requireSecret("privateKey"), hostKey: config.require("hostKey"),
};
const command = (name: string, create: string, options = {}) =>
    new remote.Command(name, { connection, create, addPreviousOutputInEnv: false }, options);
class Foreign extends pulumi.CustomResource {
    constructor() { super("foreign:index:Thing", "thing", {}); }
}
const faults: Record<string, () => any> = {
    fails: () => command("first", "echo the reason >&2; exit 7"),
    type: () => new Foreign(),
    throws: () => {
        throw new Error("the program is not well");
    },
    missing: () => command("first", config.require("region")),
    import: () => command("first", "true", { import: "id" }),
    hooks: () => {
        const hook = new pulumi.ResourceHook("told", () => undefined);
        command("first", "true", { hooks: { beforeCreate: [hook] } });
    },
    errorHooks: () => {
        const hook = new pulumi.ErrorHook("again", async () => true);
        command("first", "true", { hooks: { onError: [hook] } });
    },
    transforms: () => command("first", "true", { transforms: [() => undefined] }),
    stackTransforms: () => {
        pulumi.runtime.registerResourceTransform(() => undefined);
        command("first", "true");
    },
    get: () => void new pulumi.StackReference("organization/trial/other"),
    invoke: () => void pulumi.runtime.invoke("foreign:index:getThing", {}),
    version: () => (pulumi.runtime as any).requirePulumiVersion(">=99.0.0"),
    module: () => require("./nowhere"),
    slow: () => command("first", "sleep 30", { customTimeouts: { create: "1s", update: "1s" } }),
};
const fault = config.get("fault") ?? "none";
const commands: Record<string, string> = { none: "echo as it was", half: "exit 7" };
const made = fault in commands ? command("first", commands[fault]!) : faults[fault]?.();
export const printed = made?.stdout ?? "as it was";
export const added = fault === "half" ? "new" : "old";
`;

jest.setTimeout(300_000);

let sshd: Sshd;
let project: Project;
const folder = mkdtempSync(join(tmpdir(), "bad-"));

beforeAll(async () => {
    sshd = await startSshd();
    project = new Project({ files: { "index.ts": PROGRAM } });
    await project.init(
        { host: sshd.host, port: String(sshd.port), hostKey: sshd.hostKey, fault: "none" },
        { privateKey: sshd.privateKey },
    );
});
afterAll(async () => {
    await project?.remove();
    await sshd?.stop();
    rmSync(folder, { recursive: true, force: true });
});

const UP = ["up", "--yes", "--skip-preview"];

/** Runs with other config, which is put back afterwards. */
async function withConfig(change: (text: string) => string, args: readonly string[]): Promise<Ended> {
    const file = join(project.folder, `Pulumi.${project.stack}.yaml`);
    const before = readFileSync(file, "utf8");
    const changed = change(before);
    expect(changed).not.toBe(before);
    writeFileSync(file, changed);
    try {
        return await project.run(args);
    } finally {
        writeFileSync(file, before);
    }
}

const withFault = (fault: string, args: readonly string[] = UP): Promise<Ended> =>
    withConfig((text) => text.replace("trial:fault: none", `trial:fault: ${fault}`), args);

/** The lines that begin as an error, without the launcher's note. */
function errorLines({ stdout, stderr }: Ended): string[] {
    return `${stdout}\n${stderr}`.split("\n").filter((line) => /^\s*error: /.test(line));
}

/** One line on stderr, with what is wrong and what to do, and nothing else. */
function expectOneLine(ended: Ended, problem: RegExp): void {
    const lines = ended.stderr.split("\n").filter((line) => line !== "" && !line.startsWith("embedded engine"));
    expect({ code: ended.code, stdout: ended.stdout, lines }).toEqual({
        code: 1,
        stdout: "",
        lines: [expect.stringMatching(problem)],
    });
    expect(lines[0]).toMatch(/^error: /);
}

/** One error among the diagnostics of a run, without a stack trace, and no other but that the verb failed. */
function expectDiagnostic(ended: Ended, problem: RegExp): void {
    expect(ended.code).toBe(1);
    const told = errorLines(ended).filter((line) => !/^error: \w+ failed$/.test(line));
    expect(told).toEqual([expect.stringMatching(problem)]);
    expect(`${ended.stdout}${ended.stderr}`).not.toMatch(/\n\s+at .*:\d+:\d+/);
}

/** What the state file has of every resource. */
function resources(): readonly ExportedResource[] {
    const { checkpoint } = JSON.parse(readFileSync(project.stateFile, "utf8")) as {
        checkpoint: { latest?: { resources?: ExportedResource[] } };
    };
    return checkpoint.latest?.resources ?? [];
}

describe("refused before anything runs", () => {
    let before: Map<string, string>;
    beforeEach(() => (before = project.files()));
    afterEach(() => expect(project.files()).toEqual(before));

    test("a wrong passphrase", async () => {
        expectOneLine(await project.run(UP, { PULUMI_CONFIG_PASSPHRASE: "wrong" }), /passphrase/);
    });
    test("an unknown stack", async () => {
        expectOneLine(await project.run([...UP, "--stack", "nowhere"]), /nowhere.*pulumi stack init/);
    });
    test("an unknown verb", async () => {
        expectOneLine(await project.run(["watch"]), /watch.*official pulumi CLI is needed/);
    });
    test("an unknown flag", async () => {
        expectOneLine(await project.run([...UP, "--attach-debugger"]), /--attach-debugger.*official pulumi CLI/);
    });
    test("a damaged state file", async () => {
        const text = readFileSync(project.stateFile, "utf8");
        writeFileSync(project.stateFile, text.slice(0, text.length / 2));
        const ended = await project.run(UP);
        const after = readFileSync(project.stateFile, "utf8");
        writeFileSync(project.stateFile, text);
        expect(after).toBe(text.slice(0, text.length / 2));
        expectOneLine(ended, /test\.json.*(\.bak|import)/);
    });
    test("a stack locked by another run", async () => {
        const locks = join(project.backend, ".pulumi/locks/organization", project.name, project.stack);
        const lock = join(locks, "00000000-0000-4000-8000-000000000000.json");
        mkdirSync(locks, { recursive: true });
        writeFileSync(
            lock,
            JSON.stringify({ pid: 1, username: "else", hostname: "elsewhere", timestamp: "2026-01-01T00:00:00Z" }),
        );
        try {
            expectOneLine(await project.run(UP), /locked by else@elsewhere.*pulumi cancel/);
            expect(existsSync(lock)).toBe(true);
        } finally {
            rmSync(lock);
        }
    });
});

describe("told as one error of the run, which leaves the stack and its outputs as they were", () => {
    let before: readonly ExportedResource[];
    beforeAll(async () => {
        await project.succeed(UP);
        before = resources();
        expect(before.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs).toEqual({
            printed: "as it was",
            added: "old",
        });
    });
    afterEach(() => expect(resources()).toEqual(before));

    test.each([
        ["a command that fails", "fails", /Process exited with status 7/],
        ["a program that throws", "throws", /the program is not well \(index\.ts:\d+:\d+\)/],
        ["a command that takes too long", "slow", /not done within 1 s: give it more time.*`customTimeouts`/],
        ["a module that is missing", "module", /Cannot find module '\.\/nowhere' \(index\.ts:\d+:\d+\)$/],
        ["a resource hook", "hooks", /a resource hook is not supported.*official pulumi CLI/],
        ["an error hook", "errorHooks", /an error hook is not supported.*official pulumi CLI/],
        ["the option `import`", "import", /resource option `import`.*official pulumi CLI/],
        ["the option `transforms`", "transforms", /transforms.*official pulumi CLI/],
        ["a stack transform", "stackTransforms", /a stack transform is not supported.*official pulumi CLI/],
        ["a stack reference", "get", /StackReference\) is not supported.*official pulumi CLI/],
        ["a function that nobody here knows", "invoke", /function foreign:index:getThing.*official pulumi CLI/],
        [
            "another Pulumi than this",
            "version",
            /error: a program that requires Pulumi >=99\.0\.0.*official pulumi CLI/,
        ],
        ["a resource type that nobody here knows", "type", /resource type foreign:index:Thing.*official pulumi CLI/],
    ])("%s", async (_name, fault, problem) => {
        expectDiagnostic(await withFault(fault), problem);
    });

    test("a config value that is missing, without filling the memory first", async () => {
        const started = performance.now();
        const ended = await withFault("missing");
        expectDiagnostic(ended, /: Missing required configuration variable 'trial:region': .*config set trial:region/);
        expect((performance.now() - started) / 1000).toBeLessThan(20);
    });

    test("a program that does not compile", async () => {
        project.write("index.ts", "const broken = ;\n");
        try {
            expectDiagnostic(await project.run(UP), /the program does not compile: index\.ts:1:16: TS1109/);
        } finally {
            project.write("index.ts", PROGRAM);
        }
    });

    test.each([
        ["up", "--target"],
        ["up", "--replace"],
        ["refresh", "--target"],
        ["destroy", "--target"],
    ])("%s with a %s that is not there", async (verb, flag) => {
        const urn = "urn:pulumi:test::trial::command:remote:Command::frist";
        const ended = await project.run([verb, "--yes", "--skip-preview", flag, urn]);
        expectDiagnostic(ended, /::frist" could not be found in the stack: write its whole URN/);
    });

    test("another host key than expected", async () => {
        makeKey(join(folder, "other"), "ed25519", "");
        const other = readFileSync(join(folder, "other.pub"), "utf8").trim();
        const ended = await withConfig((text) => text.replace(/(trial:hostKey: ).*/, `$1${other}`), UP);
        expectDiagnostic(ended, /host key/i);
    });
    test("a host that is down", async () => {
        const port = await freePort();
        const ended = await withConfig((text) => text.replace(/(trial:port: ).*/, `$1"${port}"`), UP);
        expectDiagnostic(ended, new RegExp(`${port}`));
    });
    test("a key that the host refuses", async () => {
        makeKey(join(folder, "refused"), "ed25519", "");
        const key = readFileSync(join(folder, "refused"), "utf8");
        const ended = await withConfig(
            (text) => text.replace(/( *trial:privateKey:\n.*\n)/, `  trial:privateKey: ${JSON.stringify(key)}\n`),
            UP,
        );
        expectDiagnostic(ended, /unable to authenticate/);
    });
});

test("an output of what failed stays as it was, one of what went well is taken", async () => {
    await project.succeed(UP);
    expect((await withFault("half")).code).toBe(1);
    expect(JSON.parse(await project.succeed(["stack", "output", "--json"]))).toEqual({
        printed: "as it was",
        added: "new",
    });
});

// Only root may mount the small disk that this needs.
(process.getuid?.() === 0 ? test : test.skip)("a full disk", async () => {
    const disk = join(folder, "disk");
    mkdirSync(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]);
    const small = new Project({ files: { "index.ts": PROGRAM }, backend: disk });
    try {
        await small.init(
            { host: sshd.host, port: String(sshd.port), hostKey: sshd.hostKey },
            { privateKey: sshd.privateKey },
        );
        const state = readFileSync(small.stateFile, "utf8");
        try {
            writeFileSync(join(disk, "filler"), "x".repeat(128 * 1024));
        } catch {
            // It is full now, which was the aim.
        }
        const ended = await small.run(UP);
        expect(ended.code).toBe(1);
        expect(errorLines(ended).join("\n")).toMatch(/no space left on the disk: make room/);
        expect(errorLines(ended)).toHaveLength(1);
        expect(readFileSync(small.stateFile, "utf8")).toBe(state);
    } finally {
        await small.remove();
        execFileSync("umount", [disk]);
    }
});
