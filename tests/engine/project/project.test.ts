import { chmodSync, lstatSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Secure } from "../../../engine/project/configValue";
import { parseProject } from "../../../engine/project/project";
import { resolveConfig } from "../../../engine/project/resolveConfig";
import { Selection } from "../../../engine/project/selection";
import { fullKey, StackConfig } from "../../../engine/project/stackConfig";
import { Secret } from "../../../engine/values/value";
import { temporaryFolder } from "../../support/temporaryFolder";

const REVERSING = {
    encrypt: (text: string): string => [...text].reverse().join(""),
    decrypt: (text: string): string => [...text].reverse().join(""),
};
const HEAD = "name: p\nruntime: nodejs\n";
const project = (text = ""): ReturnType<typeof parseProject> => parseProject(HEAD + text, "/x/Pulumi.yaml");

function file(text: string): string {
    const path = join(temporaryFolder(), "Pulumi.dev.yaml");
    writeFileSync(path, text);
    return path;
}
const load = (text: string): Promise<StackConfig> => StackConfig.load(file(text), "p");

describe("Pulumi.yaml", () => {
    it("gives name, program, options and folders", () => {
        const read = parseProject(
            "name: p\ndescription: d\nauthor: a\nruntime: {name: nodejs, options: {typescript: false}}\nmain: src\n" +
                "backend: {url: 'file://./state'}\nstackConfigDir: stacks\n",
            "/x/Pulumi.yaml",
        );
        expect(read).toMatchObject({
            name: "p",
            folder: "/x",
            program: "/x/src",
            runtimeOptions: { typescript: false },
            backendUrl: "file://./state",
            stackConfigFolder: "/x/stacks",
        });
    });

    it.each([
        ["name: p\nruntime: go\n", "the runtime"],
        [`${HEAD}plugins: {providers: [{name: a, path: b}]}\n`, '"plugins"'],
        [`${HEAD}requiredPulumiVersion: '>=3'\n`, '"requiredPulumiVersion"'],
        [`${HEAD}options: {refresh: always}\n`, '"options"'],
        ["name: p\nruntime: {name: nodejs, options: {new: 1}}\n", '"new"'],
    ])("%j is refused by name", (text, what) => {
        expect(() => parseProject(text, "/x/Pulumi.yaml")).toThrow(what);
        expect(() => parseProject(text, "/x/Pulumi.yaml")).toThrow("official pulumi CLI");
    });

    it.each([
        ["", "not a map"],
        ["name: [\n", "not valid YAML"],
        ["runtime: nodejs\n", '"name"'],
        [`${HEAD}config: {a: {type: array}}\n`, "without the type of its elements"],
        [`${HEAD}config: {a: {type: integer, default: x}}\n`, "not of type integer"],
        [`${HEAD}config: {a: {default: 1, value: 2}}\n`, "both"],
        [`${HEAD}config: {'q:a': {type: string}}\n`, "another namespace"],
        [`${HEAD}config: {a: {typo: string}}\n`, '"typo"'],
    ])("%j is an error of one line", (text, what) => {
        expect(() => parseProject(text, "/x/Pulumi.yaml")).toThrow(what);
        expect(() => parseProject(text, "/x/Pulumi.yaml")).toThrow(/^[^\n]*$/);
    });
});

describe("a stack's config file", () => {
    const TEXT = `# who reads this\nencryptionsalt: v1:x # the salt\nconfig:\n  # first\n  p:a: "1" # tail\n\n  b: two\n`;

    it("keeps comments and order when it is edited", async () => {
        const config = await load(TEXT);
        config.set("b", "three", false);
        config.set("p:c", new Secure("xyz"), false);
        config.set("nodes[0].host", "h", true);
        config.set("nodes[0].port", "22", true);
        await config.save();
        expect(readFileSync(config.file, "utf8")).toBe(
            `${TEXT.replace("two", "three")}  p:c:\n    secure: xyz\n  p:nodes:\n    - host: h\n      port: 22\n`,
        );
        config.remove("c", false);
        config.remove("nodes[0].port", true);
        config.remove("nodes[0].none.deeper", true);
        await config.save();
        expect(readFileSync(config.file, "utf8")).toContain("# tail\n\n  b: three\n  p:nodes:\n    - host: h\n");
    });

    it("is left alone by reading", async () => {
        const config = await load(TEXT);
        expect(config.salt).toBe("v1:x");
        expect([...config.values()]).toEqual([
            ["p:a", "1"],
            ["p:b", "two"],
        ]);
        await config.save();
        expect(readFileSync(config.file, "utf8")).toBe(TEXT);
    });

    it.each([
        ["a", "1", false, "1"],
        ["a.b", "1", true, 1],
        ["a.b", "007", true, "007"],
        ["a.b", "true", true, true],
        ['a["x.y"]', "z", true, "z"],
        ['["a b"]', "z", true, "z"],
        ["q:a.b", "z", true, "z"],
    ])("%s set to %j (path %j) is %j", async (key, value, path, expected) => {
        const config = await load("");
        config.set(key, value, path);
        expect(config.get(key, path)).toBe(expected);
    });

    it("refuses paths that lead nowhere", async () => {
        const config = await load("config: {a: [1], b: text}\n");
        expect(() => config.set("a[2]", "x", true)).toThrow("only 1 elements");
        expect(() => config.set("a.x", "x", true)).toThrow("not in a map");
        expect(() => config.set("c.secure", "x", true)).toThrow("stands for a secret");
        expect(() => config.set("c[", "x", true)).toThrow("not a path");
        expect(() => fullKey("a:b:c", "p")).toThrow("not a config key");
        expect(config.get("a[0].x", true)).toBeUndefined();
    });

    it.each([
        "config: {a: 012}\n",
        "config: {a: 2026-01-01}\n",
        "config: {a: 1_000}\n",
        "config: {a: 99999999999999999999}\n",
    ])("does not guess what %j means", async (text) => {
        await expect(load(text)).rejects.toThrow("depends on who reads it");
    });

    it.each([
        ["secretsprovider: awskms://x\n", "awskms"],
        ["environment: [e]\n", '"environment"'],
        ["encryptedkey: k\n", '"encryptedkey"'],
    ])("%j is refused by name", async (text, what) => {
        await expect(load(text)).rejects.toThrow(what);
    });

    it("that is no YAML is told of in one line", async () => {
        await expect(load("config: [\n")).rejects.toThrow(/^\S+Pulumi\.dev\.yaml is not valid YAML: [^\n]*$/);
        await expect(load("config: text\n")).rejects.toThrow("not a map");
    });
});

describe("what the program gets", () => {
    const SCHEMA =
        "config:\n  count: {type: integer}\n  pw: {type: string, secret: true}\n  list: {type: array, items: {type: string}, default: [a]}\n" +
        "  short: 5\n  aws:region: west\n";

    it("is texts, objects as JSON, secrets listed, defaults filled in", async () => {
        const config = await load("config:\n  count: 3\n  pw: {secure: terces}\n  o: {z: 1, a: {secure: x}}\n");
        expect(resolveConfig(project(SCHEMA), config, "dev", REVERSING)).toEqual({
            texts: {
                "aws:region": "west",
                "p:count": "3",
                "p:list": '["a"]',
                "p:o": '{"a":"x","z":1}',
                "p:pw": "secret",
                "p:short": "5",
            },
            secretKeys: ["p:o", "p:pw"],
            values: {
                "aws:region": "west",
                "p:count": 3,
                "p:list": ["a"],
                "p:o": { a: new Secret("x"), z: 1 },
                "p:pw": new Secret("secret"),
                "p:short": "5",
            },
        });
    });

    it("misses all that is required at once, with the commands that set it", async () => {
        const config = await load("");
        expect(() => resolveConfig(project(SCHEMA), config, "dev", REVERSING)).toThrow(
            "stack dev has no value for the config keys count, pw: set each with " +
                "`pulumi config set count <value>`, `pulumi config set --secret pw <value>`",
        );
    });

    it.each([
        ["config: {count: x, pw: {secure: a}}\n", "p:count of stack dev is not of type integer"],
        ["config: {count: 1, pw: clear}\n", "is a secret but stands in clear"],
        ["config: {count: 1, pw: {secure: a}, list: [1]}\n", "not of type array<string>"],
    ])("%j is refused", async (text, message) => {
        const config = await load(text);
        expect(() => resolveConfig(project(SCHEMA), config, "dev", REVERSING)).toThrow(message);
    });
});

describe("the selected stack", () => {
    it("is kept per backend where the official CLI keeps it", async () => {
        const home = temporaryFolder();
        const selection = new Selection({ name: "p", file: "/x/Pulumi.yaml" }, "file://a", { PULUMI_HOME: home });
        expect(await selection.current()).toBeUndefined();
        await selection.select("organization/p/dev");
        expect(await selection.current()).toBe("organization/p/dev");
        // sha1 of "/x/Pulumi.yaml"
        const path = join(home, "workspaces", "p-d8ae687f6f0865b04fe9e5293d9ea93ac32c7f53-workspace.json");
        expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ stacks: { "file://a": "organization/p/dev" } });
        const other = new Selection({ name: "p", file: "/x/Pulumi.yaml" }, "file://b", { PULUMI_HOME: home });
        expect(await other.current()).toBeUndefined();
        const forced = { PULUMI_HOME: home, PULUMI_STACK: "x" };
        expect(await new Selection({ name: "p", file: "/x/Pulumi.yaml" }, "file://a", forced).current()).toBe("x");
        await selection.select(undefined);
        expect(await selection.current()).toBeUndefined();
    });
});

describe("saving Pulumi.<stack>.yaml", () => {
    it("keeps the mode of the file, whatever the umask, and the link that leads to it", async () => {
        const real = file("config: {}\n");
        chmodSync(real, 0o660);
        const link = join(temporaryFolder(), "Pulumi.dev.yaml");
        symlinkSync(real, link);
        const config = await StackConfig.load(link, "p");
        config.set("size", "2", false);
        await config.save();
        expect(lstatSync(link).isSymbolicLink()).toBe(true);
        expect(readFileSync(real, "utf8")).toContain("p:size");
        expect((statSync(real).mode & 0o777).toString(8)).toBe("660");
    });
});
