import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Project } from "./support/cli";

const PROGRAM = `
import { local } from "@pulumi/command";
new local.Command("first", { create: "echo made", addPreviousOutputInEnv: false });
`;
const QUESTION = "yes / no / details: ";

jest.setTimeout(120_000);

let project: Project;
beforeAll(async () => {
    project = new Project({ files: { "index.ts": PROGRAM } });
    await project.init();
});
afterAll(() => project.remove());

/** Everything of the stack on disk; its locks are gone when nobody works on it. */
function onDisk(): Map<string, string> {
    const locks = join(project.backend, ".pulumi/locks/organization", project.name, project.stack);
    expect(readdirSync(locks)).toEqual([]);
    return project.files();
}

test.each([
    ["no", "no\r"],
    ["Ctrl-C", "\x03"],
    ["Ctrl-D", "\x04"],
])("an answer of %s changes nothing and leaves no lock", async (_name, answer) => {
    const before = onDisk();
    const { code, shown } = await project.atTerminal(["up"], [[QUESTION, answer]]);
    expect(shown).toMatch(/\nerror: up was not confirmed, nothing was changed\n/);
    expect(code).toBe(1);
    expect(onDisk()).toEqual(before);
});

test("details are shown, anything else is asked again, yes does it", async () => {
    const { code, shown } = await project.atTerminal(
        ["up"],
        [
            [QUESTION, "details\r"],
            [QUESTION, "perhaps\r"],
            [QUESTION, "yes\r"],
        ],
        { NO_COLOR: "1" },
    );
    expect(shown).toMatch(/ \+ {2}command:local:Command first create\n/);
    expect(shown).toMatch(/details: details\n[^]*\+ command:local:Command: \(create\)\n[^]*create *: "echo made"\n/);
    expect(shown).toMatch(/details: perhaps\nPlease answer yes \/ no \/ details\.\n/);
    expect(shown).toMatch(/details: yes\n[^]*command:local:Command first created/);
    expect(shown).not.toContain("\x1b[");
    expect(code).toBe(0);
});

test("a terminal gets colours", async () => {
    const { code, shown } = await project.atTerminal(["destroy"], [[QUESTION, "yes\r"]]);
    expect(shown).toContain("\x1b[31m- \x1b[39m command:local:Command first");
    expect(code).toBe(0);
});

test("a passphrase is asked for and not echoed", async () => {
    const environment = { PULUMI_CONFIG_PASSPHRASE: undefined };
    const asked = "Enter your passphrase to unlock config/secrets: ";
    const right = await project.atTerminal(["preview"], [[asked, "open sesame\r"]], environment);
    expect(right.shown).toContain("2 to create");
    expect(right.shown).not.toContain("sesame");
    expect(right.code).toBe(0);
    const wrong = await project.atTerminal(["preview"], [[asked, "open barley\r"]], environment);
    expect(wrong.shown).toContain("error: incorrect passphrase: ");
    expect(wrong.shown).not.toContain("barley");
    expect(wrong.code).toBe(1);
});
