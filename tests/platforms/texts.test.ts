import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { completeTiming } from "../../config/timing";
import { guestObjects, leavingProperties, lines, poolObjects, type CibObject } from "../../platforms/debian-xen/cib";
import { corosyncConf, sbdSettings } from "../../platforms/debian-xen/corosync";
import { firewallRules } from "../../platforms/debian-xen/firewall";
import { guestHosts, guestNetwork, guestUrl, vmConfig } from "../../platforms/debian-xen/guest";
import { corosyncKey, memberKey } from "../../platforms/debian-xen/keys";
import { memberId } from "../../platforms/debian-xen/members";
import { clusterSpec, guestSpec } from "./spec";

const spec = clusterSpec();
const relaxed = clusterSpec({ pool: { ...spec.pool, timing: completeTiming("relaxed", {}) } });
const guest = guestSpec({ preferredNode: "OVMSERVER01" });

describe("texts for the hosts", () => {
    it.each([
        ["corosync.conf", () => corosyncConf(spec)],
        ["corosync.conf, relaxed", () => corosyncConf(relaxed)],
        ["sbd", () => sbdSettings(spec)],
        ["firewall", () => firewallRules(spec)],
        ["vm.cfg", () => vmConfig(spec, guest)],
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

/** The whole configuration of a cluster whose members are online, for Pacemaker's own scheduler. */
function cib(objects: readonly CibObject[]): string {
    const of = (section: CibObject["section"]): string =>
        objects
            .filter((object) => object.section === section)
            .map(({ xml }) => xml)
            .join("");
    const members = [spec.manager, ...spec.nodes];
    const nodes = members.map(({ name, address }) => `<node id="${memberId(spec, { address })}" uname="${name}"/>`);
    const states = members.map(
        ({ name, address }) =>
            `<node_state id="${memberId(spec, { address })}" uname="${name}" in_ccm="true" crmd="online" join="member" ` +
            `expected="member"><lrm id="${memberId(spec, { address })}"><lrm_resources/></lrm></node_state>`,
    );
    return `<cib validate-with="pacemaker-3.8" epoch="1" num_updates="0" admin_epoch="0" have-quorum="1" dc-uuid="100">
<configuration><crm_config>${of("crm_config")}</crm_config><nodes>${nodes.join("")}</nodes>
<resources>${of("resources")}</resources><constraints>${of("constraints")}</constraints>
<rsc_defaults>${of("rsc_defaults")}</rsc_defaults></configuration><status>${states.join("")}</status></cib>`;
}

const hasScheduler = spawnSync("crm_simulate", ["--version"]).status === 0;
if (!hasScheduler) {
    process.stderr.write("crm_simulate (pacemaker-cli-utils) is not installed: its verdict is skipped\n");
}

(hasScheduler ? describe : describe.skip)("Pacemaker's scheduler, asked about the objects", () => {
    const objects = [...poolObjects(spec), ...guestObjects(spec, guest, { path: "/x/vm.cfg", digest: "d" })];

    function simulate(...options: string[]): string {
        const folder = mkdtempSync(join(tmpdir(), "cib-"));
        try {
            const [file, out] = [join(folder, "cib.xml"), join(folder, "out.xml")];
            writeFileSync(file, cib(objects));
            const first = spawnSync("crm_simulate", ["-x", file, "-S", "-O", out], { encoding: "utf8" });
            expect(first.stderr).toBe("");
            const { stdout } =
                options.length === 0
                    ? first
                    : spawnSync("crm_simulate", ["-x", out, "-S", ...options], { encoding: "utf8" });
            return stdout.slice(stdout.indexOf("Revised Cluster Status"));
        } finally {
            rmSync(folder, { recursive: true });
        }
    }

    it("accepts them as valid", () => {
        const folder = mkdtempSync(join(tmpdir(), "cib-"));
        try {
            writeFileSync(join(folder, "cib.xml"), cib(objects));
            const { status, stdout, stderr } = spawnSync("crm_verify", ["-V", "-x", join(folder, "cib.xml")], {
                encoding: "utf8",
            });
            expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: "" });
        } finally {
            rmSync(folder, { recursive: true });
        }
    });

    it("starts the guest on the node it prefers", () => {
        expect(simulate()).toMatch(/WebServerHA.*Started OVMSERVER01/);
    });

    it("starts it on the other node when that one is lost, after fencing it", () => {
        expect(simulate("--node-fail", "OVMSERVER01")).toMatch(/WebServerHA.*Started OVMSERVER02/);
    });

    it("never starts it on the manager", () => {
        expect(simulate("--node-down", "OVMSERVER01", "--node-down", "OVMSERVER02")).toMatch(/WebServerHA.*Stopped/);
    });
});
