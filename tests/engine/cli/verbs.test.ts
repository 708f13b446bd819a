import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { getConfig, listConfig, removeConfig, setConfig } from "../../../engine/cli/configVerbs";
import { type Globals, type Terminal } from "../../../engine/cli/globals";
import { openStack } from "../../../engine/cli/stack";
import {
    ago,
    cancelStack,
    exportStack,
    importStack,
    initStack,
    listStacks,
    removeStack,
    selectStack,
    showOutputs,
} from "../../../engine/cli/stackVerbs";
import { main } from "../../../engine/main";
import { temporaryFolder } from "../../support/temporaryFolder";

const RECORDED = join(__dirname, "../vectors/recorded");
const PASSPHRASE = "conformance";

interface Desk {
    readonly folder: string;
    readonly globals: Globals;
    readonly terminal: Terminal;
    /** What was printed on stdout since the last call. */
    readonly printed: () => string;
    /** Everything printed, on either stream. */
    readonly all: string[];
}

/** A project with a fresh backend, and a terminal that remembers. */
function desk(environment: NodeJS.ProcessEnv = {}, input?: string): Desk {
    const folder = temporaryFolder();
    writeFileSync(
        join(folder, "Pulumi.yaml"),
        "name: conformance\nruntime: nodejs\nbackend: {url: 'file://./state'}\n",
    );
    const out: string[] = [];
    const all: string[] = [];
    return {
        folder,
        globals: { cwd: folder, interactive: false, color: "never" },
        terminal: {
            environment: { PULUMI_HOME: join(folder, "home"), PULUMI_CONFIG_PASSPHRASE: PASSPHRASE, ...environment },
            out: (text) => void (out.push(text), all.push(text)),
            err: (text) => void all.push(text),
            readInput: () => Promise.resolve(input),
        },
        printed: () => out.splice(0).join(""),
        all,
    };
}

async function withStack(environment?: NodeJS.ProcessEnv, input?: string): Promise<Desk> {
    const made = desk(environment, input);
    await initStack(made.globals, made.terminal, "v", { select: true });
    made.printed();
    return made;
}

/** Every regular file below a folder. */
function files(folder: string): string[] {
    return readdirSync(folder, { recursive: true, encoding: "utf8" })
        .map((name) => join(folder, name))
        .filter((name) => statSync(name).isFile());
}

const rm = { force: false, yes: true, preserveConfig: false, removeBackups: false };

describe("stack", () => {
    it("init makes an empty stack with a salt, selects it, and makes none twice", async () => {
        const { folder, globals, terminal } = await withStack();
        expect(readFileSync(join(folder, "Pulumi.v.yaml"), "utf8")).toMatch(/^encryptionsalt: v1:/);
        const open = await openStack(globals, terminal);
        expect(open.snapshot).toEqual({ resources: [], pendingOperations: [] });
        await expect(initStack(globals, terminal, "v", { select: true })).rejects.toThrow("already exists");
        await expect(selectStack(globals, terminal, "other")).rejects.toThrow(
            /no stack named "other".*stack init other/,
        );
    });

    it("import, output and export carry a state of the official CLI", async () => {
        const { globals, terminal, printed, all, folder } = await withStack();
        await importStack(globals, terminal, { file: join(RECORDED, "6.state.json"), force: false });
        expect(printed()).toBe("Import complete.\n");
        await showOutputs(globals, terminal, undefined, { json: true, showSecrets: false });
        expect(JSON.parse(printed())).toEqual(JSON.parse(readFileSync(join(RECORDED, "outputs.json"), "utf8")));
        await showOutputs(globals, terminal, "generated", { json: false, showSecrets: false });
        expect(printed()).toBe("[secret]\n");
        await exportStack(globals, terminal, { showSecrets: false });
        const exported = JSON.parse(printed()) as { deployment: { resources: unknown[] } };
        expect(exported.deployment.resources).toHaveLength(20);
        const before = all.join("");
        await showOutputs(globals, terminal, undefined, { json: true, showSecrets: true });
        const outputs = JSON.parse(printed()) as { generated: string };
        expect(outputs).toEqual(JSON.parse(readFileSync(join(RECORDED, "outputs.secrets.json"), "utf8")));
        for (const secret of [outputs.generated, "PRIVATE KEY", PASSPHRASE.toUpperCase()]) {
            expect(before).not.toContain(secret);
            for (const file of files(folder)) {
                expect(readFileSync(file, "utf8")).not.toContain(secret);
            }
        }
        await exportStack(globals, terminal, { showSecrets: true });
        expect(printed()).toContain(outputs.generated);
    });

    it("import from stdin refuses what is not this stack's, unless forced", async () => {
        const text = readFileSync(join(RECORDED, "6.state.json"), "utf8").replaceAll(
            "urn:pulumi:v::",
            "urn:pulumi:w::",
        );
        const { globals, terminal } = await withStack({}, text);
        await expect(importStack(globals, terminal, { force: false })).rejects.toThrow("is not of stack");
        await importStack(globals, terminal, { force: true });
    });

    it("ls shows the selected one and how much is in it", async () => {
        const { globals, terminal, printed } = await withStack();
        await initStack(globals, terminal, "w", { select: false });
        printed();
        await listStacks(globals, terminal, { json: false, all: false });
        expect(printed()).toBe("NAME  LAST UPDATE  RESOURCE COUNT\nv*    n/a          n/a\nw     n/a          n/a\n");
        await listStacks(globals, terminal, { json: true, all: true });
        expect(JSON.parse(printed())).toEqual([
            { name: "v", current: true },
            { name: "w", current: false },
        ]);
    });

    it("rm wants an empty stack and a yes, and takes the config file along", async () => {
        const { globals, terminal, folder } = await withStack();
        await importStack(globals, terminal, { file: join(RECORDED, "6.state.json"), force: false });
        await expect(removeStack(globals, terminal, undefined, { ...rm, yes: false })).rejects.toThrow("--yes");
        await expect(removeStack(globals, terminal, undefined, rm)).rejects.toThrow(/19 resources: .*pulumi destroy/);
        await removeStack(globals, terminal, undefined, { ...rm, force: true });
        expect(readdirSync(folder).sort()).toEqual(["Pulumi.yaml", "home", "state"]);
        await expect(openStack(globals, terminal)).rejects.toThrow("no stack is selected");
    });

    it("a locked stack is refused, and cancel frees it", async () => {
        const { globals, terminal, printed } = await withStack();
        const lock = await (await openStack(globals, terminal)).lock(() => undefined);
        await expect(removeStack(globals, terminal, undefined, rm)).rejects.toThrow(/locked by .*pulumi cancel/);
        await cancelStack(globals, terminal, undefined, { yes: true });
        expect(printed()).toContain("1 lock file");
        await lock.release();
        await removeStack(globals, terminal, undefined, rm);
    });

    it("a wrong or missing passphrase and a damaged state are one line each, and change nothing", async () => {
        const { globals, terminal, folder } = await withStack();
        const config = readFileSync(join(folder, "Pulumi.v.yaml"), "utf8");
        const wrong = { ...terminal, environment: { ...terminal.environment, PULUMI_CONFIG_PASSPHRASE: "other" } };
        await expect(openStack(globals, wrong)).rejects.toThrow(/^incorrect passphrase: /);
        const missing = { ...terminal, environment: { ...terminal.environment, PULUMI_CONFIG_PASSPHRASE: undefined } };
        await expect(openStack(globals, missing)).rejects.toThrow(/^the passphrase .* is missing: /);
        writeFileSync(join(folder, "state/.pulumi/stacks/conformance/v.json"), '{"version":3,');
        await expect(openStack(globals, terminal)).rejects.toThrow(/^the state file .* is damaged: .*\.bak/);
        expect(readFileSync(join(folder, "Pulumi.v.yaml"), "utf8")).toBe(config);
    });

    it("without a salt in its config file uses that of the state, and leaves the file alone", async () => {
        const { globals, terminal, folder } = await withStack();
        await importStack(globals, terminal, { file: join(RECORDED, "6.state.json"), force: false });
        writeFileSync(join(folder, "Pulumi.v.yaml"), "config: {}\n");
        const open = await openStack(globals, terminal);
        await open.writer().save(() => open.snapshot);
        expect(await open.reload()).toEqual(open.snapshot);
        expect(readFileSync(join(folder, "Pulumi.v.yaml"), "utf8")).toBe("config: {}\n");
    });

    it.each([
        [0, "now"],
        [59, "59 seconds ago"],
        [60, "1 minute ago"],
        [86_400 * 2, "2 days ago"],
    ])("says %d seconds ago as %s", (seconds, text) => {
        const now = new Date();
        expect(ago(new Date(now.getTime() - seconds * 1000).toISOString(), now)).toBe(text);
    });
});

describe("config", () => {
    const plain = { secret: false, plaintext: false, path: false };

    it("set, get and rm work on plain values, secrets and paths", async () => {
        const { globals, terminal, printed, folder, all } = await withStack({}, "from stdin\n");
        await setConfig(globals, terminal, "a", "1", plain);
        await setConfig(globals, terminal, "in", undefined, plain);
        await setConfig(globals, terminal, "pw", "hunter2", { ...plain, secret: true });
        await setConfig(globals, terminal, "o.pw", "hunter3", { ...plain, secret: true, path: true });
        await listConfig(globals, terminal, { json: false, showSecrets: false });
        expect(printed()).toBe('KEY  VALUE\na    1\nin   from stdin\no    {"pw":"[secret]"}\npw   [secret]\n');
        for (const text of [readFileSync(join(folder, "Pulumi.v.yaml"), "utf8"), all.join("")]) {
            expect(text).not.toContain("hunter");
        }
        await getConfig(globals, terminal, "pw", { json: false, path: false });
        expect(printed()).toBe("hunter2\n");
        await getConfig(globals, terminal, "o", { json: true, path: false });
        expect(JSON.parse(printed())).toEqual({
            value: '{"pw":"hunter3"}',
            objectValue: { pw: "hunter3" },
            secret: true,
        });
        await listConfig(globals, terminal, { json: true, showSecrets: false });
        expect(JSON.parse(printed())).toMatchObject({ "conformance:pw": { secret: true } });
        await removeConfig(globals, terminal, "pw", { path: false });
        await expect(getConfig(globals, terminal, "pw", { json: false, path: false })).rejects.toThrow("config set pw");
    });

    it("removing what is not there leaves the file as it is", async () => {
        const { globals, terminal, folder } = await withStack();
        const before = statSync(join(folder, "Pulumi.v.yaml")).mtimeMs;
        await removeConfig(globals, terminal, "none", { path: false });
        expect(statSync(join(folder, "Pulumi.v.yaml")).mtimeMs).toBe(before);
    });
});

describe("the command line", () => {
    it.each([
        [["frobnicate"], "pulumi frobnicate`"],
        [["stack", "rename", "x"], "pulumi stack rename"],
        [["stack"], "pulumi stack`"],
        [["stack", "ls", "--tag", "x"], "the flag --tag of `pulumi stack ls`"],
        [["config", "env", "ls"], "pulumi config env"],
        [["state", "delete", "x"], "pulumi state delete"],
        [["up", "now"], "a further argument of `pulumi up now`"],
    ])("refuses %j by name, in one line", async (args, name) => {
        const written: string[] = [];
        const spy = jest.spyOn(process.stderr, "write").mockImplementation((text) => written.push(String(text)) > 0);
        const code = await main(args);
        spy.mockRestore();
        expect(code).toBe(1);
        expect(written.join("")).toMatch(/^error: [^\n]*the official pulumi CLI is needed for it\n$/);
        expect(written.join("")).toContain(name);
    });
});
