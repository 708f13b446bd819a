import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chooseEngine, findOfficial } from "../../../engine/cli/launch";
import { temporaryFolder } from "../../support/temporaryFolder";

const official = (version: string) => () => ({ path: "/bin/pulumi", version });
const none = (): undefined => undefined;

describe("which engine runs", () => {
    it.each([
        [undefined, official("3.248.0"), "/bin/pulumi", "official pulumi 3.248.0, found on the PATH"],
        [undefined, official("3.245.0"), "/bin/pulumi", "found"],
        [undefined, official("4.0.0"), "/bin/pulumi", "found"],
        [undefined, official("3.244.9"), undefined, "is 3.244.9, older than 3.245"],
        [undefined, none, undefined, "there is no official pulumi on the PATH"],
        ["embedded", official("3.248.0"), undefined, "as OVM_HA_ENGINE says"],
        ["official", official("3.248.0"), "/bin/pulumi", "as OVM_HA_ENGINE says"],
    ])("OVM_HA_ENGINE=%s, %p: %s", (forced, find, program, reason) => {
        const choice = chooseEngine({ environment: { OVM_HA_ENGINE: forced }, findOfficial: find });
        expect(choice.official).toBe(program);
        expect(choice.reason).toContain(reason);
    });

    it("is an error when the official one is asked for and does not fit, or the wish is unknown", () => {
        const choose = (forced: string): unknown =>
            chooseEngine({ environment: { OVM_HA_ENGINE: forced }, findOfficial: none });
        expect(() => choose("official")).toThrow(/no official pulumi.*install pulumi 3\.245/);
        expect(() => choose("other")).toThrow("set it to embedded or official");
    });
});

describe("the official pulumi", () => {
    function program(folder: string, output: string): string {
        mkdirSync(folder, { recursive: true });
        const file = join(folder, "pulumi");
        writeFileSync(file, `#!/bin/sh\n${output}\n`);
        chmodSync(file, 0o755);
        return file;
    }

    it("is the first on the PATH that runs and is of no node_modules", () => {
        const root = temporaryFolder();
        const script = program(join(root, "node_modules/.bin"), "echo v9.9.9");
        program(join(root, "broken"), "exit 1");
        mkdirSync(join(root, "linked"));
        symlinkSync(script, join(root, "linked/pulumi"));
        const real = program(join(root, "real"), "echo v3.248.0");
        const folders = ["node_modules/.bin", "none", "broken", "linked", "real"];
        const path = folders.map((folder) => join(root, folder)).join(delimiter);
        expect(findOfficial(path)).toEqual({ path: real, version: "3.248.0" });
        expect(findOfficial("")).toBeUndefined();
    });
});
