import { Project } from "./support/cli";
import { type Sshd, startSshd } from "./support/sshd";

const TOKEN = "tok-4f1d9c0ab7e2";
const PASSWORD = "correct horse battery";

/** Secrets of every origin: config, a literal, a generated value, one that a command prints, one that a failure prints. */
const PROGRAM = `
import * as pulumi from "@pulumi/pulumi";
import { local, remote } from "@pulumi/command";
import * as random from "@pulumi/random";
const config = new pulumi.Config();
const connection = {
    host: config.require("host"), port: config.requireNumber("port"), user: "root", dialErrorLimit: 1,
    privateKey: config.requireSecret("privateKey"), hostKey: config.require("hostKey"),
};
const token = config.requireSecret("token");
const generated = new random.RandomPassword("generated", { length: 24, special: false });
new remote.Command("on-stdin", { connection, stdin: token, create: "cat >/dev/null", addPreviousOutputInEnv: false });
new remote.Command("printed", { connection, stdin: pulumi.secret(${JSON.stringify(PASSWORD)}), create: "cat",
    addPreviousOutputInEnv: false }, { additionalSecretOutputs: ["stdout", "stderr"] });
new local.Command("generated-on-stdin", { stdin: generated.result, create: "cat >/dev/null" });
if (config.getBoolean("fails")) {
    new remote.Command("fails", { connection, stdin: token, create: "cat >&2; exit 3", addPreviousOutputInEnv: false });
}
export const hidden = token;
export const open = "nothing to hide";
`;

jest.setTimeout(300_000);

let sshd: Sshd;
let project: Project;

beforeAll(async () => {
    sshd = await startSshd();
    project = new Project({ files: { "index.ts": PROGRAM } });
    await project.init(
        { host: sshd.host, port: String(sshd.port), hostKey: sshd.hostKey },
        { privateKey: sshd.privateKey, token: TOKEN },
    );
});
afterAll(async () => {
    await project?.remove();
    await sshd?.stop();
});

/** What must be found nowhere: whole secrets, and a line from the middle of the key. */
function secretsOf(generated?: string): string[] {
    const keyLine = sshd.privateKey.split("\n")[2] ?? "";
    return [TOKEN, PASSWORD, keyLine, ...(generated === undefined ? [] : [generated])];
}

/** The names of the texts that hold a secret. */
function leaks(texts: ReadonlyMap<string, string>, secrets: readonly string[]): string[] {
    return [...texts].filter(([, text]) => secrets.some((secret) => text.includes(secret))).map(([name]) => name);
}

it("finds a planted secret", () => {
    expect(
        leaks(
            new Map([
                ["here", `x${TOKEN}y`],
                ["there", "nothing"],
            ]),
            secretsOf(),
        ),
    ).toEqual(["here"]);
});

it("shows no secret in any verb's output and stores none in clear", async () => {
    const told = new Map<string, string>();
    const run = async (args: readonly string[], expected = 0): Promise<void> => {
        const { code, stdout, stderr } = await project.run(args);
        told.set(args.join(" "), stdout + stderr);
        expect([args.join(" "), code]).toEqual([args.join(" "), expected]);
    };
    await run(["preview", "--diff"]);
    await run(["preview", "--json"]);
    await run(["up", "--yes", "--skip-preview"]);
    const { deployment } = await project.export("--show-secrets");
    const password = deployment.resources?.find(({ urn }) => urn.endsWith("::generated"))?.outputs?.["result"];
    const generated = (password as { plaintext: string }).plaintext.replaceAll('"', "");
    expect(generated).toHaveLength(24);

    await project.succeed(["config", "set", "fails", "true"]);
    await run(["up", "--yes", "--skip-preview", "--diff"], 1);
    await run(["up", "--yes", "--skip-preview", "--json"], 1);
    await run(["refresh", "--yes", "--diff"]);
    await run(["stack", "export"]);
    await run(["stack", "output"]);
    await run(["stack", "output", "--json"]);
    await run(["config"]);
    await run(["config", "--json"]);
    project.files().forEach((text, path) => told.set(`before: ${path}`, text));
    await run(["destroy", "--yes", "--diff"]);
    project.files().forEach((text, path) => told.set(`after: ${path}`, text));

    expect(leaks(told, secretsOf(generated))).toEqual([]);
    // Where a secret stands, its place is shown.
    expect(told.get("stack output")).toContain("[secret]");
    expect([...told.keys()].some((name) => name.includes("history"))).toBe(true);
});
