/** What a killed run has begun goes on on its host: the next run's same step must wait for it. Run for real. */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { debianXen } from "../../platforms/debian-xen";
import { assemble, launcher } from "../../remote/shell";
import { temporaryFolder } from "../support/temporaryFolder";

/** A step as a host is sent it, its lock in a folder of the test's own. */
function step(folder: string, name: string, apply: string): Promise<number | null> {
    const words = debianXen.alone?.(name).replace("/run/lock", folder) ?? "";
    const before = `${debianXen.timeLimit(60)} ${words}`;
    const child = spawn("sh", ["-c", launcher("apply", before, "root")], {
        cwd: folder,
        stdio: ["pipe", "ignore", "inherit"],
    });
    child.stdin.end(assemble(name, `apply() { ${apply}; }`, {}));
    return new Promise((resolve) => child.once("close", resolve));
}

it("lets two runs do the same step one after the other, and others beside it", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "log"), "");
    const apply = "echo begin >>log; sleep 1; echo end >>log";
    const codes = await Promise.all([
        step(folder, "node-storage", apply),
        step(folder, "node-storage", apply),
        step(folder, "node-network", "until grep -q begin log; do sleep 0.1; done; cp log beside"),
    ]);
    expect(codes).toEqual([0, 0, 0]);
    expect(readFileSync(join(folder, "log"), "utf8")).toBe("begin\nend\nbegin\nend\n");
    expect(readFileSync(join(folder, "beside"), "utf8")).toBe("begin\n");
});

it("does not wait for what a step leaves running", async () => {
    const folder = temporaryFolder();
    expect(await step(folder, "pool", "setsid sleep 300 >/dev/null 2>&1 & echo $! >pid")).toBe(0);
    try {
        expect(await step(folder, "pool", ":")).toBe(0);
    } finally {
        process.kill(Number(readFileSync(join(folder, "pid"), "utf8")));
    }
}, 30_000);
