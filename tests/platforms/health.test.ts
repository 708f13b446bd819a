import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { completeTiming } from "../../config/timing";
import { debianXen } from "../../platforms/debian-xen";
import { healthCheck } from "../../platforms/debian-xen/guest";
import { temporaryFolder } from "../support/temporaryFolder";
import { clusterSpec, guestSpec } from "./spec";

/** What the check finds when it is run. */
interface Situation {
    /** Seconds since the host started. */
    now: number;
    /** Number of the guest's domain; absent: there is none. */
    domain?: number;
    /** What curl says; 000: nothing answered. */
    status?: string;
    /** Whether the repository does not answer. */
    away?: boolean;
}

/** A host whose check is run at several moments. */
class Host {
    private readonly folder = temporaryFolder();
    readonly notes = join(this.folder, "notes");

    constructor(private readonly text = healthCheck(clusterSpec(), guestSpec())) {
        mkdirSync(join(this.folder, "bin"));
    }

    /** Exit status and words of the check. */
    run({ now, domain = 1, status = "000", away = false }: Situation): { status: number | null; said: string } {
        const stubs = {
            xl: domain === 0 ? "exit 1" : `echo ${domain}`,
            curl: `printf '${status}'`,
            cut: `echo ${now}`,
            stat: away ? "exit 1" : "exit 0",
        };
        for (const [name, deed] of Object.entries(stubs)) {
            writeFileSync(join(this.folder, "bin", name), `#!/bin/sh\n${deed}\n`);
            chmodSync(join(this.folder, "bin", name), 0o755);
        }
        const { status: code, stderr } = spawnSync(
            "sh",
            ["-eu", "-c", this.text.replaceAll("/run/ovm-ha-cluster", this.notes)],
            { encoding: "utf8", env: { PATH: `${join(this.folder, "bin")}:/usr/bin:/bin` } },
        );
        return { status: code, said: stderr.trim() };
    }
}

describe("the check of a guest", () => {
    const ok = { status: 0, said: "" };

    it("lets a guest boot, but not for ever", () => {
        const host = new Host();
        expect(host.run({ now: 1000 })).toEqual(ok);
        expect(host.run({ now: 1299 })).toEqual(ok);
        expect(host.run({ now: 1300 })).toEqual({
            status: 1,
            said: "WebServerHA has not answered 200 at http://192.168.1.110/ for 300 s",
        });
    });

    it("holds a guest that has answered for dead after a while of silence, not after one late answer", () => {
        const host = new Host();
        expect(host.run({ now: 1000, status: "200" })).toEqual(ok);
        expect(host.run({ now: 1005 })).toEqual(ok);
        expect(host.run({ now: 1010, status: "200" })).toEqual(ok);
        expect(host.run({ now: 1024, status: "500" })).toEqual(ok);
        expect(host.run({ now: 1025, status: "500" })).toMatchObject({ status: 1 });
    });

    it("gives slow hosts more time", () => {
        const pool = { ...clusterSpec().pool, timing: completeTiming("relaxed", {}) };
        const host = new Host(healthCheck(clusterSpec({ pool }), guestSpec()));
        expect(host.run({ now: 1000, status: "200" })).toEqual(ok);
        expect(host.run({ now: 1059 })).toEqual(ok);
        expect(host.run({ now: 1060 })).toMatchObject({ status: 1 });
    });

    it("does not blame a guest for a repository that is away, nor right after it is back", () => {
        const host = new Host();
        expect(host.run({ now: 1000, status: "200" })).toEqual(ok);
        expect(host.run({ now: 1200, away: true })).toEqual(ok);
        expect(host.run({ now: 1214 })).toEqual(ok);
        expect(host.run({ now: 1215 })).toMatchObject({ status: 1 });
    });

    it("begins anew with another domain, and forgets the one before", () => {
        const host = new Host();
        expect(host.run({ now: 1000, domain: 1, status: "200" })).toEqual(ok);
        expect(host.run({ now: 1100, domain: 2 })).toEqual(ok);
        expect(readdirSync(host.notes)).toEqual(["WebServerHA.2"]);
    });

    it("leaves it to the agent whether there is a domain", () => {
        const host = new Host();
        expect(host.run({ now: 1000, domain: 0 })).toEqual(ok);
        expect(existsSync(host.notes)).toBe(false);
    });

    it("is on every node and named in the guest's resource, unless the guest is not asked", () => {
        const asked = debianXen.guest(clusterSpec(), guestSpec());
        for (const node of ["OVMSERVER01", "OVMSERVER02"]) {
            const step = asked.find(({ name }) => name === `node-${node}`);
            expect(step?.variables["HEALTH"]).toBe(healthCheck(clusterSpec(), guestSpec()));
        }
        expect(asked.at(-1)?.variables["OBJECTS"]).toContain(
            'name="monitor_scripts" value="/var/ovs/local/WebServerHA/health"',
        );
        const { httpCheck, ...silent } = guestSpec();
        expect(httpCheck).toBeDefined();
        const steps = debianXen.guest(clusterSpec(), silent);
        expect(steps.find(({ name }) => name === "node-OVMSERVER01")?.variables["HEALTH"]).toBe("");
        expect(steps.at(-1)?.variables["OBJECTS"]).not.toContain("monitor_scripts");
    });
});
