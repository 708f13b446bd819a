import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../support/temporaryFolder";

const lib = readFileSync(join(__dirname, "../../platforms/lib.sh"), "utf8");

/** The helpers of all steps, with what they remember in a folder of the test. */
function withState(state: string, commands: string): string {
    return `${lib.replace(/^STATE=.*$/m, `STATE='${state}'`)}\n${commands}\n`;
}

async function runSide(script: string): Promise<number | null> {
    const child = spawn("sh", ["-s"], { stdio: ["pipe", "ignore", "ignore"] });
    child.stdin.end(script);
    return new Promise((answer) => child.on("close", answer));
}

describe("folders that several steps want at the same time", () => {
    // Each step looks, then waits for the others, so that all of them find nothing and make it at once.
    const slowLook = 'mkdir() { sleep 0.2; command mkdir "$@"; }';

    it("are made by one of them, and remembered as new by all", async () => {
        const root = temporaryFolder();
        const state = join(root, "state");
        const script = withState(state, `${slowLook}\nfolder '${root}/ovs/local'`);
        expect(await Promise.all([1, 2, 3, 4].map(async () => runSide(script)))).toEqual([0, 0, 0, 0]);
        expect(existsSync(join(root, "ovs/local"))).toBe(true);
        expect(existsSync(`${state}/absent${root}/ovs.mark`)).toBe(true);
        expect(existsSync(`${state}/before${root}/ovs`)).toBe(false);
        const away = withState(state, `drop_folder '${root}/ovs/local'\nremoved gone`);
        expect(await Promise.all([1, 2, 3, 4].map(async () => runSide(away)))).toEqual([0, 0, 0, 0]);
        expect([existsSync(join(root, "ovs")), existsSync(state)]).toEqual([false, false]);
    });

    it("are refused where something else is in the way", () => {
        const root = temporaryFolder();
        writeFileSync(join(root, "ovs"), "a file");
        const script = withState(join(root, "state"), `folder '${root}/ovs'`);
        const { status, stderr } = spawnSync("sh", ["-s"], { input: script, encoding: "utf8" });
        expect(status).toBe(1);
        expect(stderr).toBe(`error: ${root}/ovs has to be a folder: move away what is there\n`);
    });
});
