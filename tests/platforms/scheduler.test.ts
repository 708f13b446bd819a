/** The configuration that the stack makes, judged by Pacemaker's own scheduler: needs Debian's pacemaker-cli-utils. */
import { spawnSync } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readView } from "../../drills/cluster";
import { type CibObject, guestObjects, poolObjects } from "../../platforms/debian-xen/cib";
import { memberId } from "../../platforms/debian-xen/members";
import { temporaryFolder } from "../support/temporaryFolder";
import { clusterSpec, guestSpec } from "./spec";

const guest = guestSpec({ preferredNode: "OVMSERVER01" });
const spec = clusterSpec({ guests: [guest] });
const objects = [
    ...poolObjects(spec),
    ...guestObjects(spec, guest, { path: "/x/vm.cfg", digest: "d", health: "/x/health" }),
];

/** The whole configuration of a cluster whose members are online. */
function cib(): string {
    const of = (section: CibObject["section"]): string =>
        objects
            .filter((object) => object.section === section)
            .map(({ xml }) => xml)
            .join("");
    const members = [spec.manager, ...spec.nodes].map(({ name, address }) => ({
        name,
        id: memberId(spec, { address }),
    }));
    const nodes = members.map(({ name, id }) => `<node id="${id}" uname="${name}"/>`);
    const states = members.map(
        ({ name, id }) =>
            `<node_state id="${id}" uname="${name}" in_ccm="true" crmd="online" join="member" expected="member">` +
            `<lrm id="${id}"><lrm_resources/></lrm></node_state>`,
    );
    return `<cib validate-with="pacemaker-3.8" epoch="1" num_updates="0" admin_epoch="0" have-quorum="1" dc-uuid="100">
<configuration><crm_config>${of("crm_config")}</crm_config><nodes>${nodes.join("")}</nodes>
<resources>${of("resources")}</resources><constraints>${of("constraints")}</constraints>
<rsc_defaults>${of("rsc_defaults")}</rsc_defaults></configuration><status>${states.join("")}</status></cib>`;
}

/** Something that happens to the cluster, after which the scheduler does what it finds right. */
interface Event {
    /** Options of crm_simulate. */
    options?: string[];
    /** A change of the configuration. */
    change?: (cib: string) => string;
}

const fails = (node: string): Event => ({ options: ["--node-fail", node] });
const comes = (node: string): Event => ({ options: ["--node-up", node] });
const leaves = (node: string): Event => ({ options: ["--node-down", node] });
// As the controller writes it into a configuration that has had a quorum before.
const quorumLost: Event = {
    change: (text) => text.replace(/have-quorum="1"/, 'have-quorum="0" no-quorum-panic="true"'),
};
const happens = (operation: string, node: string, result: number): Event => ({
    options: ["--op-inject", `WebServerHA_${operation}@${node}=${result}`],
});
const standby = (node: string, on: boolean): Event => ({
    change: (text) => {
        const attribute = `<instance_attributes id="s"><nvpair id="s-s" name="standby" value="on"/></instance_attributes>`;
        return on
            ? text.replace(new RegExp(`(<node [^>]*uname="${node}"[^>]*)/>`), `$1>${attribute}</node>`)
            : text.replace(/<instance_attributes id="s">.*?<\/instance_attributes>/s, "");
    },
});
// As the step "rules" writes it for a node with maintenance: true.
const inMaintenance = (node: string): Event => ({
    change: (text) =>
        text.replace(
            new RegExp(`(<node [^>]*uname="${node}"[^>]*)/>`),
            `$1><instance_attributes id="ovm-ha-cluster-standby-${node}">` +
                `<nvpair id="n" name="standby" value="on"/></instance_attributes></node>`,
        ),
});
const maintenanceOver: Event = {
    change: (text) => text.replace(/<instance_attributes id="ovm-ha-cluster-standby-.*?<\/instance_attributes>/s, ""),
};
const clusterMaintenance: Event = {
    change: (text) =>
        text.replace(
            '<cluster_property_set id="ovm-ha-cluster">',
            '$&<nvpair id="m" name="maintenance-mode" value="true"/>',
        ),
};

interface Outcome {
    /** Where the guest is in the end; nowhere: empty. */
    guest: string;
    address: string;
    /** Members that were fenced on the way, in order. */
    fenced: string[];
    /** How the guest got there in the last event: "", "restart", "migrate" and so on. */
    deeds: string[];
}

function play(...events: readonly Event[]): Outcome {
    const folder = temporaryFolder();
    const file = join(folder, "cib.xml");
    const next = join(folder, "next.xml");
    writeFileSync(file, cib());
    const fenced: string[] = [];
    let deeds: string[] = [];
    let xml = "";
    for (const event of [{}, ...events]) {
        const { options = [], change } = event;
        if (change) {
            writeFileSync(file, change(readFileSync(file, "utf8")));
        }
        const { stdout, stderr, status } = spawnSync(
            "crm_simulate",
            ["--xml-file", file, "--simulate", "--save-output", next, "--output-as=xml", ...options],
            { encoding: "utf8" },
        );
        expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
        xml = stdout;
        copyFileSync(next, file);
        fenced.push(
            ...[...stdout.matchAll(/<fencing_action [^>]*(?:target|node)="([^"]*)"/g)].map(([, node = ""]) => node),
        );
        deeds = [
            ...stdout.matchAll(
                /<rsc_action [^>]*resource="WebServerHA"[^>]*(?:task|op)="([a-z_]*)"[^>]*node="([^"]*)"/g,
            ),
        ].map(([, task, node]) => `${task} ${node}`);
    }
    const { runsOn } = readView(xml);
    return {
        guest: (runsOn["WebServerHA"] ?? []).join(),
        address: (runsOn["pool-address"] ?? []).join(),
        fenced,
        deeds,
    };
}

const hasScheduler = spawnSync("crm_simulate", ["--version"]).status === 0;

test("Pacemaker's tools are there to judge", () => {
    // A judge that is not there is no acquittal.
    expect(hasScheduler ? "" : "install the package pacemaker-cli-utils").toBe("");
});

(hasScheduler ? describe : describe.skip)("Pacemaker's scheduler, asked about the objects of the stack", () => {
    it("finds no fault in them", () => {
        const file = join(temporaryFolder(), "cib.xml");
        writeFileSync(file, cib());
        const { status, stdout, stderr } = spawnSync("crm_verify", ["-V", "-x", file], { encoding: "utf8" });
        expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: "" });
    });

    const [ONE, TWO, MANAGER] = ["OVMSERVER01", "OVMSERVER02", "OVMANAGER"] as const;
    const onStandby = standby(ONE, true);
    const overAgain = standby(ONE, false);
    const migrationFails = { ...onStandby, options: ["--op-fail", `WebServerHA_migrate_to_0@${ONE}=1`] };
    const startFails = { options: ["--node-fail", ONE, "--op-fail", `WebServerHA_start_0@${TWO}=1`] };
    it.each<[string, Event[], string, string[], string[]]>([
        // what happens, where the guest is then, who is fenced, what is done with the guest in the last transition
        ["nothing: it starts where it likes to be", [], ONE, [], ["start 1"]],
        ["its node fails: fenced first, then started elsewhere", [fails(ONE)], TWO, [ONE], ["start 2"]],
        ["the other node fails", [fails(TWO)], ONE, [TWO], []],
        ["the manager fails", [fails(MANAGER)], ONE, [MANAGER], []],
        ["its node fails and comes back: it does not move again", [fails(ONE), comes(ONE)], TWO, [ONE], []],
        ["both nodes fail: never on the manager", [fails(ONE), fails(TWO)], "", [ONE, TWO], []],
        ["both fail, one is back", [fails(ONE), fails(TWO), comes(TWO)], TWO, [ONE, TWO], ["start 2"]],
        ["both fail, both are back", [fails(ONE), fails(TWO), comes(ONE), comes(TWO)], ONE, [ONE, TWO], []],
        ["all fail, all are back", [fails(ONE), fails(TWO), comes(TWO), comes(ONE)], TWO, [ONE, TWO], []],
        ["both leave in good order", [leaves(ONE), leaves(TWO)], "", [], []],
        ["both leave, one is back", [leaves(ONE), leaves(TWO), comes(TWO)], TWO, [], ["start 2"]],
        ["the quorum is lost: everybody resets itself", [quorumLost], "", [ONE, TWO, MANAGER], []],
        ["it does not answer any more", [happens("monitor_5000", ONE, 1)], ONE, [], ["stop 1", "start 1"]],
        ["its domain is gone", [happens("monitor_5000", ONE, 7)], ONE, [], ["stop 1", "start 1"]],
        ["it cannot be stopped: its node is fenced", [happens("stop_0", ONE, 1)], TWO, [ONE], ["start 2"]],
        ["its node goes to standby: it moves while it runs", [onStandby], TWO, [], ["migrate_to 1", "migrate_from 2"]],
        [
            "its node goes to maintenance: it moves while it runs",
            [inMaintenance(ONE)],
            TWO,
            [],
            ["migrate_to 1", "migrate_from 2"],
        ],
        ["maintenance is over: it does not move again", [inMaintenance(ONE), maintenanceOver], TWO, [], []],
        ["its node fails while the other is in maintenance", [inMaintenance(TWO), fails(ONE)], "", [ONE], []],
        [
            "its node fails while the other is in maintenance, which then is over",
            [inMaintenance(TWO), fails(ONE), maintenanceOver],
            TWO,
            [ONE],
            ["start 2"],
        ],
        ["standby is over: it does not move again", [onStandby, overAgain], TWO, [], []],
        [
            "its migration fails: both ends are stopped first",
            [migrationFails, {}],
            TWO,
            [],
            ["stop 2", "stop 1", "start 2"],
        ],
        ["its start fails: it is tried again", [startFails, {}], TWO, [ONE], ["stop 2", "start 2"]],
        [
            "it dies during maintenance: nobody does anything",
            [clusterMaintenance, happens("monitor_5000", ONE, 7)],
            "",
            [],
            [],
        ],
    ])(
        "%s",
        (_, events, where, fenced, deeds) => {
            const outcome = play(...events);
            expect(outcome).toMatchObject({ guest: where, fenced });
            const short = outcome.deeds.map((deed) => deed.replace(/OVMSERVER0/, ""));
            expect(short.filter((deed) => !deed.startsWith("monitor"))).toEqual(
                // After a migration the source is asked to forget the guest, which is a stop in name only.
                short.includes("migrate_from 2") ? [...deeds, "stop 1"] : deeds,
            );
        },
        30_000,
    );
});
