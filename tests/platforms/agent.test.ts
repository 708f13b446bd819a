import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { guestObjects } from "../../platforms/debian-xen/cib";
import { debianXen } from "../../platforms/debian-xen";
import { guestAgent } from "../../platforms/debian-xen/guest";
import { temporaryFolder } from "../support/temporaryFolder";
import { clusterSpec, guestSpec } from "./spec";

/** Runs the agent on a host with these domains. */
function run(action: string, domains: readonly string[], env: Record<string, string> = { OCF_RESKEY_name: "web" }) {
    const folder = temporaryFolder();
    const log = join(folder, "log");
    const programs = {
        "bin/xl": `case $1 in
domid) [ -e "${folder}/$2" ] && echo 7 ;;
destroy) rm "${folder}/$2"; echo "destroy $2" >>"${log}" ;;
esac`,
        "bin/logger": ":",
        "ocf/resource.d/heartbeat/Xen": `echo "agent $*" >>"${log}"; exit 3`,
    };
    mkdirSync(join(folder, "bin"));
    mkdirSync(join(folder, "ocf/resource.d/heartbeat"), { recursive: true });
    for (const [name, text] of Object.entries(programs)) {
        writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
        chmodSync(join(folder, name), 0o755);
    }
    domains.forEach((name) => writeFileSync(join(folder, name), ""));
    const { status } = spawnSync("sh", ["-c", guestAgent(), "Xen", action], {
        env: { ...env, OCF_ROOT: join(folder, "ocf"), PATH: `${join(folder, "bin")}:/usr/bin:/bin` },
    });
    return {
        status,
        log: readFileSync(log, "utf8").trim().split("\n"),
        left: domains.filter((name) => existsSync(join(folder, name))),
    };
}

describe("the agent of a guest", () => {
    const everything = ["web", "web--incoming", "web--migratedaway", "web2--incoming"];

    it.each(["start", "stop"])("destroys what a broken migration left, before a %s and nothing else", (action) => {
        expect(run(action, everything)).toEqual({
            // What Debian's agent answers is the answer.
            status: 3,
            log: ["destroy web--incoming", "destroy web--migratedaway", `agent ${action}`],
            left: ["web", "web2--incoming"],
        });
    });

    it.each(["monitor", "migrate_to", "migrate_from", "meta-data"])("leaves it alone in a %s", (action) => {
        expect(run(action, everything)).toEqual({ status: 3, log: [`agent ${action}`], left: everything });
    });

    it("has nothing to destroy on a clean host, nor without a guest's name", () => {
        expect(run("start", ["web"])).toMatchObject({ log: ["agent start"], left: ["web"] });
        expect(run("start", everything, {})).toMatchObject({ log: ["agent start"], left: everything });
    });

    it("is on every node, and the one that guests name", () => {
        const [node] = clusterSpec().nodes;
        const steps = node ? debianXen.node(clusterSpec(), node) : [];
        expect(steps.find(({ name }) => name === "hypervisor")?.variables["AGENT"]).toBe(guestAgent());
        const [resource] = guestObjects(clusterSpec(), guestSpec(), { path: "/x", digest: "d" });
        expect(resource?.xml).toContain('class="ocf" provider="ovm-ha-cluster" type="Xen"');
    });
});
