import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { guestUrl } from "../../config/guestUrl";
import { type GuestSpec } from "../../config/spec";
import { completeTiming } from "../../config/timing";
import { guestObjects, leavingProperties, lines, poolObjects } from "../../platforms/debian-xen/cib";
import { corosyncConf, sbdSettings } from "../../platforms/debian-xen/corosync";
import { firewallRules } from "../../platforms/debian-xen/firewall";
import { guestHosts, guestNetwork, vmConfig } from "../../platforms/debian-xen/guest";
import { corosyncKey, memberKey } from "../../platforms/debian-xen/keys";
import { memberId } from "../../platforms/debian-xen/members";
import { siteOf, starter, type SiteWorkload, workloadVariables } from "../../platforms/debian-xen/workload";
import { clusterSpec, guestSpec, moodleSpec, wikiSpec } from "./spec";

const spec = clusterSpec();
const relaxed = clusterSpec({ pool: { ...spec.pool, timing: completeTiming("relaxed", {}) } });
const guest = guestSpec({ preferredNode: "OVMSERVER01" });

function siteIn(from: GuestSpec): SiteWorkload {
    const site = siteOf(from);
    if (site === undefined) {
        throw new Error(`${from.name} sets up nothing`);
    }
    return site;
}

describe("texts for the hosts", () => {
    it.each([
        ["corosync.conf", () => corosyncConf(spec)],
        ["corosync.conf, relaxed", () => corosyncConf(relaxed)],
        ["sbd", () => sbdSettings(spec)],
        ["firewall", () => firewallRules(spec)],
        ["vm.cfg", () => vmConfig(spec, guest)],
        ["vm.cfg, relaxed", () => vmConfig(relaxed, guest)],
        ["vm.cfg with a workload", () => vmConfig(spec, moodleSpec())],
        ["the settings of a wiki", () => workloadVariables(siteIn(wikiSpec()))["SETTINGS"]],
        ["the settings of Moodle", () => workloadVariables(siteIn(moodleSpec()))["SETTINGS"]],
        ["the unit of a workload", () => starter(siteIn(wikiSpec())).UNIT],
        ["guest's network", () => guestNetwork(spec, guest)],
        ["guest's hosts", () => guestHosts(guest)],
        ["pool's objects", () => lines(poolObjects(spec))],
        ["pool's objects while it is taken down", () => lines([leavingProperties()])],
        ["guest's objects", () => lines(guestObjects(spec, guest, { path: "/x/vm.cfg", digest: "d" }))],
    ])("%s", (_, render) => {
        expect(render()).toMatchSnapshot();
    });

    it("keep a member's number when another one leaves", () => {
        expect(spec.nodes.map((node) => memberId(spec, node))).toEqual([101, 102]);
        const wide = { ...spec, network: { ...spec.network, prefix: 16 } };
        expect(memberId(wide, { address: "10.1.2.3" })).toBe(2 * 256 + 3);
    });

    it("leave guests of real hosts their mitigations, however slow the hosts are", () => {
        const slow = clusterSpec({ pool: { ...spec.pool, timing: completeTiming("fast", { token: 10 }) } });
        expect(vmConfig(slow, guest)).toBe(vmConfig(spec, guest));
        const byHand = clusterSpec({ pool: { ...spec.pool, timing: completeTiming("relaxed", { token: 2 }) } });
        expect(vmConfig(byHand, guest)).toBe(vmConfig(relaxed, guest));
    });

    it("ask a guest where its check says", () => {
        expect(guestUrl(guestSpec())).toBe("http://192.168.1.110/");
        expect(guestUrl(guestSpec({ httpCheck: { path: "/up", port: 8080, status: 204 } }))).toBe(
            "http://192.168.1.110:8080/up",
        );
        const { httpCheck: _, ...unasked } = guestSpec();
        expect(guestUrl(unasked)).toBe("");
    });

    it("quote what XML would take for its own", () => {
        const [xml] = guestObjects(spec, guest, { path: '/a"b<&', digest: "d" });
        expect(xml?.xml).toContain('value="/a&quot;b&lt;&amp;"');
    });
});

describe("keys", () => {
    it("follow from the pool's secret alone", () => {
        expect(corosyncKey("one")).toBe(corosyncKey("one"));
        expect(corosyncKey("one")).not.toBe(corosyncKey("two"));
        expect(Buffer.from(corosyncKey("one"), "base64")).toHaveLength(256);
    });

    it("are ones that OpenSSH reads", () => {
        const folder = mkdtempSync(join(tmpdir(), "keys-"));
        try {
            const { privateKey, publicKey } = memberKey("one");
            writeFileSync(join(folder, "key"), `${privateKey}\n`, { mode: 0o600 });
            const { stdout } = spawnSync("ssh-keygen", ["-y", "-f", join(folder, "key")], { encoding: "utf8" });
            expect(stdout.trim()).toBe(publicKey);
        } finally {
            rmSync(folder, { recursive: true });
        }
    });
});
