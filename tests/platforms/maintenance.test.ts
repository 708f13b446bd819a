/** Nodes on standby: what the planner asks for, and what the step does to a configuration (a file, Pacemaker's own tools). */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { debianXen } from "../../platforms/debian-xen";
import { assemble } from "../../remote/shell";
import { temporaryFolder } from "../support/temporaryFolder";
import { clusterSpec } from "./spec";

const hasTools = spawnSync("cibadmin", ["--version"]).status === 0;

test("Pacemaker's tools are there", () => {
    expect(hasTools ? "" : "install the package pacemaker-cli-utils").toBe("");
});

function rules(maintenance: readonly string[]) {
    const spec = clusterSpec();
    const nodes = spec.nodes.map((node) => ({ ...node, maintenance: maintenance.includes(node.name) }));
    const step = debianXen.pool({ ...spec, nodes }).find(({ name }) => name === "rules");
    if (!step) {
        throw new Error("there is no step rules");
    }
    return step;
}

test("the step names the nodes in maintenance", () => {
    expect(rules([]).variables["MAINTENANCE"]).toBe("");
    expect(rules(["OVMSERVER02"]).variables["MAINTENANCE"]).toBe("OVMSERVER02");
});

(hasTools ? describe : describe.skip)("standby in the configuration", () => {
    const own = '<nvpair id="nodes-101-a" name="standby" value="on"/>';
    const cib = `<cib validate-with="pacemaker-3.8" epoch="1" num_updates="0" admin_epoch="0"><configuration><crm_config/><nodes>
<node id="100" uname="OVMANAGER"/><node id="101" uname="OVMSERVER01"><instance_attributes id="nodes-101">${own}</instance_attributes></node>
<node id="102" uname="OVMSERVER02"/></nodes><resources/><constraints/></configuration><status/></cib>`;

    /** Runs the step's part after another, on the same configuration. */
    function run(...wanted: readonly string[][]): string {
        const file = join(temporaryFolder(), "cib.xml");
        writeFileSync(file, cib);
        for (const names of wanted) {
            const { script, variables } = rules(names);
            // The part alone: the whole step waits for a cluster.
            const text = assemble("rules", `${script}\napply() { set_standby; }`, variables);
            const { status, stderr } = spawnSync("sh", ["-s", "apply"], {
                input: text,
                encoding: "utf8",
                env: { ...process.env, CIB_file: file },
            });
            expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
        }
        return readFileSync(file, "utf8").replace(/\n\s*/g, "");
    }

    const ours = 'id="ovm-ha-cluster-standby-OVMSERVER02"';

    it("is set on the node in maintenance, once", () => {
        const once = run(["OVMSERVER02"]);
        expect(once).toMatch(new RegExp(`<node id="102" uname="OVMSERVER02"><instance_attributes ${ours}><nvpair`));
        expect(once.match(/name="standby" value="on"/g)).toHaveLength(2);
        const again = run(["OVMSERVER02"], ["OVMSERVER02"]);
        expect(again.match(/name="standby" value="on"/g)).toHaveLength(2);
    });

    it("is taken back, and one that somebody else has set is left alone", () => {
        const after = run(["OVMSERVER02"], []);
        expect(after).not.toContain("ovm-ha-cluster-standby");
        expect(after).toContain(own);
    });

    it("moves from one node to the other", () => {
        const after = run(["OVMSERVER02"], ["OVMSERVER01"]);
        expect(after).not.toContain(ours);
        expect(after).toContain('id="ovm-ha-cluster-standby-OVMSERVER01"');
    });
});
