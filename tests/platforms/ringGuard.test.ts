import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ringGuard } from "../../platforms/debian-xen/scripts";

test("a node is reset when the ring carries its messages no more, and only then", () => {
    const folder = mkdtempSync(join(tmpdir(), "ring-"));
    try {
        const program = join(folder, "ring-guard");
        const parts = ringGuard().split("/proc/sysrq-trigger");
        expect(parts).toHaveLength(2);
        writeFileSync(program, parts.join(join(folder, "trigger")));
        const words = [join(__dirname, "ring.sh"), program, "2"];
        const { stdout, stderr } = spawnSync("sh", words, { encoding: "utf8", timeout: 100_000 });
        expect({ stdout, stderr }).toEqual({
            stdout: [
                "Corosync runs: on",
                "Corosync hangs: b",
                "Corosync hangs, and the guard is a new one: b",
                // It runs no guests yet.
                "Corosync hangs from the beginning: on",
                // Its unit ends with Corosync's, and sbd resets the node.
                "Corosync is gone: on",
                "",
            ].join("\n"),
            stderr: "",
        });
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}, 120_000);
