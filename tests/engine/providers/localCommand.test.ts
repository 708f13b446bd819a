import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CommandProvider } from "../../../engine/providers/command/provider";
import { type PropertyMap, Secret, UNKNOWN } from "../../../engine/values/value";
import { contextFor } from "./context";

const TYPE = "command:local:Command";
const RUN = "command:local:run";
jest.setTimeout(60_000);

describe("command:local:Command", () => {
    let folder: string;
    let provider: CommandProvider;

    beforeAll(() => {
        folder = realpathSync(mkdtempSync(join(tmpdir(), "local-")));
        mkdirSync(join(folder, "inside"));
        provider = new CommandProvider({ directory: folder });
    });
    afterAll(async () => {
        await provider.close();
        rmSync(folder, { recursive: true });
    });

    const create = (inputs: PropertyMap, context = contextFor(TYPE, "it")) => provider.create(context, inputs);
    const read = (name: string): string => readFileSync(join(folder, name), "utf8");

    it("goes from create to update to delete, each told what the last one printed", async () => {
        const says = (what: string): string => `echo "${what} $PULUMI_COMMAND_STDOUT" >> story; echo ${what}`;
        const inputs = { create: says("made"), update: says("changed"), delete: says("gone") };
        const made = await create(inputs, contextFor(TYPE, "story-1"));
        expect(made.id).toMatch(/^story-1[0-9a-f]{8}$/);
        expect(made.outputs).toEqual({ ...inputs, stdout: "made", stderr: "" });
        const updated = await provider.update(contextFor(TYPE, "it"), { ...made, inputs }, inputs);
        expect(updated).toEqual({ id: made.id, outputs: { ...inputs, stdout: "changed", stderr: "" } });
        await provider.delete(contextFor(TYPE, "it"), { ...updated, inputs });
        expect(read("story")).toBe("made \nchanged made\ngone changed\n");
    });

    it("creates again on update when there is no update, and deletes nothing when there is no delete", async () => {
        const inputs = { create: "echo again >> again", addPreviousOutputInEnv: true };
        const made = await create(inputs);
        await provider.update(contextFor(TYPE, "it"), { ...made, inputs }, inputs);
        await provider.delete(contextFor(TYPE, "it"), { ...made, inputs });
        expect(read("again")).toBe("again\nagain\n");
    });

    it("keeps what was printed when an update has nothing to run", async () => {
        const old = { id: "id", inputs: {}, outputs: { stdout: "out", stderr: "err" } };
        const updated = await provider.update(contextFor(TYPE, "it"), old, { delete: "true" });
        expect(updated.outputs).toEqual({ delete: "true", stdout: "out", stderr: "err" });
    });

    it("does not tell what was printed when that is not wanted", async () => {
        const old = { id: "id", inputs: {}, outputs: { stdout: "out", stderr: "err" } };
        const news = { create: 'echo "<$PULUMI_COMMAND_STDOUT$PULUMI_COMMAND_STDERR>"', addPreviousOutputInEnv: false };
        const updated = await provider.update(contextFor(TYPE, "it"), old, news);
        expect(updated.outputs["stdout"]).toBe("<>");
    });

    it.each([
        ["the program's folder", {}, "."],
        ["a folder in it", { dir: "inside" }, "inside"],
        ["a folder anywhere", { dir: "/" }, "/"],
    ])("runs in %s", async (_where, inputs, expected) => {
        const made = await create({ create: "pwd", ...inputs });
        expect(made.outputs["stdout"]).toBe(expected.startsWith("/") ? expected : join(folder, expected));
    });

    it("takes environment, interpreter and stdin, secrets among them", async () => {
        const made = await create({
            create: 'process.stdin.on("data", (text) => console.log(process.env.GIVEN + " " + text))',
            interpreter: ["node", "-e"],
            environment: { GIVEN: new Secret("given") },
            stdin: new Secret("typed"),
        });
        expect(made.outputs["stdout"]).toBe("given typed");
        expect(made.outputs["stdin"]).toEqual(new Secret("typed"));
    });

    it("bears with a command that does not read its input", async () => {
        const made = await create({ create: "echo done", stdin: "x".repeat(1 << 20) });
        expect(made.outputs["stdout"]).toBe("done");
    });

    it.each([
        [undefined, ["info: err", "info: out", "info: rest"]],
        ["stdoutAndStderr", ["info: err", "info: out", "info: rest"]],
        ["stdout", ["info: out", "info: rest"]],
        ["stderr", ["info: err"]],
        ["none", []],
    ])("shows what logging %p asks for and keeps everything", async (logging, lines) => {
        const context = contextFor(TYPE, "it");
        const inputs = { create: "printf 'out\\nrest'; echo err >&2", ...(logging === undefined ? {} : { logging }) };
        const made = await create(inputs, context);
        expect([...context.lines].sort()).toEqual(lines);
        expect(made.outputs).toMatchObject({ stdout: "out\nrest", stderr: "err" });
    });

    it.each([
        ["echo so; exit 3", 'exit status 3: running "echo so; exit 3":\nso\n'],
        ["kill -TERM $$", 'signal: terminated: running "kill -TERM $$":\n'],
    ])("tells how %j failed", async (command, message) => {
        await expect(create({ create: command })).rejects.toThrow(new Error(message));
    });

    it("tells what cannot be started", async () => {
        await expect(create({ create: "true", dir: "gone" })).rejects.toThrow(
            `cannot start /bin/sh in ${join(folder, "gone")}: no such file or directory: running "true":\n`,
        );
        await expect(create({ create: "true", interpreter: ["no-such-shell"] })).rejects.toThrow(
            "cannot start no-such-shell",
        );
        const old = { id: "id", inputs: {}, outputs: { stdout: "x".repeat(1 << 20), stderr: "" } };
        await expect(provider.update(contextFor(TYPE, "it"), old, { create: "true" })).rejects.toThrow(
            "argument list too long (is addPreviousOutputInEnv wanted?)",
        );
    });

    it("keeps secrets out of errors and live output", async () => {
        const context = contextFor(TYPE, "it");
        const failed = create({ create: "cat; exit 1", stdin: new Secret("correct horse battery") }, context);
        await expect(failed).rejects.toThrow('exit status 1: running "cat; exit 1":\n[secret]');
        expect(context.lines).toEqual(["info: [secret]"]);
    });

    it("ends the command with all it started when it is aborted", async () => {
        const abort = new AbortController();
        const command = "sh -c 'echo $$ > child; sleep 300; true'; true";
        const running = create({ create: command }, contextFor(TYPE, "it", abort.signal));
        const seen = expect(running).rejects.toThrow("enough");
        while (!existsSync(join(folder, "child")) || read("child") === "") {
            await sleep(20);
        }
        abort.abort(new Error("enough"));
        await seen;
        await gone(Number(read("child")));
    });

    it("previews what it is given", async () => {
        const news = { create: "exit 1", stdin: UNKNOWN };
        await expect(provider.preview(contextFor(TYPE, "it"), undefined, news)).resolves.toEqual(news);
    });

    it("refuses inputs that are none", async () => {
        const news = { create: 1, logging: "loud", interpreter: "sh", nonsense: true };
        const { failures } = await provider.check(contextFor(TYPE, "it"), undefined, news);
        expect(failures.map(({ property }) => property)).toEqual(["create", "logging", "interpreter", "nonsense"]);
        await expect(
            provider.check(contextFor(TYPE, "it"), undefined, { create: "true", assetPaths: ["*"] }),
        ).rejects.toThrow(`assetPaths of ${TYPE} is not supported`);
    });

    it("replaces for triggers and updates for anything else", async () => {
        const old = { id: "id", inputs: { create: "a", triggers: [1] }, outputs: {} };
        const diff = (news: PropertyMap) => provider.diff(contextFor(TYPE, "it"), old, news);
        await expect(diff({ create: "a", triggers: [2] })).resolves.toMatchObject({
            replaceKeys: ["triggers"],
            detailed: { "triggers[0]": "update-replace" },
        });
        await expect(diff({ create: "b", triggers: [1] })).resolves.toMatchObject({ changes: true, replaceKeys: [] });
        await expect(diff({ create: "a", triggers: [1] })).resolves.toMatchObject({ changes: false });
    });
});

describe(RUN, () => {
    const provider = new CommandProvider();
    afterAll(() => provider.close());

    it("answers with its arguments and what the command printed", async () => {
        const args = { command: "cat; echo oops >&2", stdin: "in", environment: {} };
        await expect(provider.invoke(RUN, args)).resolves.toEqual({
            outputs: { ...args, stdout: "in", stderr: "oops" },
            failures: [],
        });
    });

    it("fails as the command does, and without one", async () => {
        await expect(provider.invoke(RUN, { command: "exit 2" })).rejects.toThrow('exit status 2: running "exit 2"');
        await expect(provider.invoke(RUN, {})).resolves.toEqual({
            outputs: {},
            failures: [{ property: "command", reason: "missing required property" }],
        });
        await expect(provider.invoke("command:local:other", {})).rejects.toThrow("function command:local:other");
    });
});

/** Waits until the process has ended; the test's time limit is the only one. */
async function gone(pid: number): Promise<void> {
    for (;;) {
        try {
            // A zombie that nobody has waited for still has a pid.
            if (/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))) {
                return;
            }
        } catch {
            return;
        }
        await sleep(20);
    }
}
