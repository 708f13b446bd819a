/** The drills: what each does to the cluster, and the rules it has to keep. */
import { LabError } from "../lab/errors";
import { waitedOn } from "./copies";
import { type Facts } from "./facts";
import { answers, type Field } from "./field";
import { type Ability } from "./ground";
import {
    asForetold,
    backWithin,
    coordinatorElected,
    eachWasCoordinator,
    goneAtMost,
    movedAlive,
    neverStopped,
    nobodyReset,
    noLeftovers,
    noWriteLost,
    oneCopy,
    oneCopySeen,
    resetBeforeStart,
    type Rule,
    runsAgain,
    runsElsewhere,
    startedAnew,
    watched,
} from "./verdict";

/** One drill. */
export interface Drill {
    name: string;
    /** What it does, in a few words. */
    about: string;
    /** What it asks of the ground it is run on. */
    needs: readonly Ability[];
    /** What has to be so before the fault; its time does not count. */
    prepare?: (field: Field) => Promise<void>;
    /** Options for crm_simulate that put the same fault into a copy of the configuration; absent: it is not asked. */
    foretell?: (field: Field) => string[];
    /** Puts the fault in, and returns when what follows from it is over. */
    strike: (field: Field) => Promise<void>;
    rules: readonly Rule[];
}

/**
 * Seconds an emulated cluster gets to bring the guest back. Seen: takeover 37 s, `xl create` 20 s, then 120 s of boot on an
 * idle machine and 270 s on a busy one; and a start that fails is tried again.
 */
const TAKEOVER = 600;

/**
 * Seconds without an answer that a live migration may cost under emulation. Seen: 21 to 64 s, of which the last pages take
 * up to 50 and the target's hotplug scripts 15. The limit stops a hang; that the guest was not started anew is told by
 * {@link movedAlive}.
 */
const MIGRATION = 300;

/** Seconds without an answer that are no outage of the guest but of a busy emulator. */
const HICCUP = 10;

const ALWAYS: readonly Rule[] = [watched, noWriteLost];

const answersElsewhere =
    ({ home }: Field) =>
    (facts: Facts): boolean =>
        facts.lastHome !== undefined && facts.lastHome !== home && answers(facts);

/** Waits for the guest on another node, and a little longer for what may come after. */
async function takenOver(field: Field): Promise<void> {
    await field.until("the guest answers from another node", TAKEOVER + 60, answersElsewhere(field));
    await field.wait(15);
}

async function answersAgain(field: Field, limit = TAKEOVER + 60): Promise<void> {
    await field.until("the guest answers", limit, (facts) => facts.lastHome !== undefined && answers(facts));
    await field.wait(15);
}

/** Moves the guest to a node, without a constraint that stays. */
async function moveTo(field: Field, node: string, limit = 400): Promise<void> {
    const { guest, manager } = field.record;
    field.mark("fault", `move to ${node}`);
    await field.on(manager, `crm_resource --resource ${guest} --move --node ${node}`);
    await field.until(`the guest runs on ${node}`, limit, (facts) => facts.lastHome === node && answers(facts));
    // Until Pacemaker has heard the end from both nodes it counts the guest on both, and refuses the next wish.
    const located = `"$(crm_resource --quiet --locate --resource ${guest} | tr -d ' \\n')"`;
    await field.on(manager, `until [ ${located} = ${node} ]; do sleep 1; done`, 180);
    await field.on(manager, `crm_resource --resource ${guest} --clear`);
}

/** Stops the repository's NFS server for some seconds, by a unit of the manager's own. */
function repositoryDrill(time: number): Drill {
    return {
        name: `repository-${time}`,
        about: `the repository's NFS server stops for ${time} s`,
        needs: [],
        strike: async (field) => {
            const { manager } = field.record;
            field.mark("fault", `NFS stops for ${time} s`, manager);
            await field.on(
                manager,
                `systemctl stop nfs-server.service && sleep ${time} && systemctl start nfs-server.service`,
                time + 180,
            );
            field.mark("repair", "NFS serves again", manager);
            await field.on(field.home, "timeout 120 stat --file-system /var/ovs/mount/*", 150);
            field.mark("note", "the node sees the repository again", field.home);
            // Whoever would be fenced for it would be so by now.
            await field.wait(60);
            await field.until("the guest answers", 120, answers);
        },
        rules: [...ALWAYS, oneCopy, neverStopped, nobodyReset, goneAtMost(time + 60)],
    };
}

/** Waits until the pool's members are these, all of them online. */
async function membersAre(field: Field, wanted: readonly string[]): Promise<void> {
    const { members } = await field.healthyAgain();
    const list = (names: readonly string[]): string => [...names].sort().join(", ");
    if (list(members) !== list(wanted)) {
        throw new LabError(`the pool's members are ${list(members)}, not ${list(wanted)}`);
    }
}

/** Waits until the members that are left have elected another coordinator than `before`. */
async function elected(field: Field, asked: string, before: string): Promise<void> {
    // Seen: an inquiry in the middle of an election that never ended.
    const found = await field.on(
        asked,
        `until dc=$(timeout 10 crmadmin --quiet --dc_lookup 2>/dev/null | sed 's/.* //') && [ -n "$dc" ] && [ "$dc" != ${before} ]; ` +
            'do sleep 1; done; echo "$dc"',
        180,
    );
    field.mark("note", `coordinator: ${found.trim()}`);
}

/** Takes a coordinator's power until another one is elected and at work, and tells who is coordinator when it is back. */
async function loseCoordinator(field: Field, coordinator: string): Promise<string> {
    await field.powerOff(coordinator);
    await elected(field, field.members.find((member) => member !== coordinator) ?? "", coordinator);
    await field.wait(60);
    // It may be the manager, and without the repository a guest answers for some minutes only.
    await field.powerOn(coordinator);
    const next = (await field.healthyAgain()).coordinator ?? "";
    await answersAgain(field);
    return next;
}

/** Kills a node in the middle of a live migration. */
function migrateKill(which: "source" | "target"): Drill {
    return {
        name: `migrate-kill-${which}`,
        about: `the ${which} of a live migration loses power in the middle of it`,
        needs: ["power"],
        foretell: ({ home, other }) => ["--node-fail", which === "source" ? home : other],
        strike: async (field) => {
            const { guest, manager } = field.record;
            const { home, other } = field;
            await field.on(manager, `crm_resource --resource ${guest} --move --node ${other}`);
            await field.until("the migration is under way", 180, ({ observations }) =>
                waitedOn(other, guest, observations),
            );
            await field.powerOff(which === "source" ? home : other);
            if (which === "source") {
                await takenOver(field);
            } else {
                // The guest may never be gone, so that its answers do not tell when this is over.
                await field.until(
                    "the target is taken for fenced",
                    180,
                    ({ timeline }) => timeline.fenced !== undefined,
                );
                await field.wait(30);
                await answersAgain(field);
            }
        },
        rules: [...ALWAYS, oneCopySeen, runsAgain, noLeftovers, backWithin(TAKEOVER), asForetold],
    };
}

export const DRILLS: readonly Drill[] = [
    {
        name: "node-power",
        about: "the node with the guest loses power",
        needs: ["power"],
        foretell: ({ home }) => ["--node-fail", home],
        strike: async (field) => {
            await field.powerOff(field.home);
            await takenOver(field);
        },
        rules: [...ALWAYS, oneCopy, runsElsewhere, backWithin(TAKEOVER), asForetold],
    },
    {
        name: "node-cut",
        about: "the node with the guest loses the network; it must have reset itself before the other one starts the guest",
        needs: ["network"],
        foretell: ({ home }) => ["--node-fail", home],
        strike: async (field) => {
            await field.cut(field.home);
            await takenOver(field);
            await field.join(field.home);
            await field.wait(5);
        },
        rules: [...ALWAYS, oneCopy, resetBeforeStart, runsElsewhere, backWithin(TAKEOVER), asForetold],
    },
    {
        name: "guest-crash",
        about: "the guest itself dies, on a healthy node",
        needs: [],
        strike: async (field) => {
            field.mark("fault", "guest destroyed", field.home);
            await field.on(field.home, `xl destroy ${field.record.guest}`);
            await field.until("a new guest runs", TAKEOVER, (facts) => facts.timeline.guestStarted !== undefined);
            await answersAgain(field);
        },
        rules: [...ALWAYS, oneCopy, startedAnew, runsAgain, nobodyReset, backWithin(TAKEOVER)],
    },
    {
        name: "guest-hang",
        about: "the guest hangs: its domain is there, but nothing answers",
        needs: [],
        strike: async (field) => {
            field.mark("fault", "guest paused", field.home);
            await field.on(field.home, `xl pause ${field.record.guest}`);
            await field.until(
                "a new guest runs",
                TAKEOVER + 200,
                (facts) => facts.timeline.guestStarted !== undefined && facts.lastHome !== undefined,
            );
            await answersAgain(field);
        },
        rules: [...ALWAYS, oneCopy, startedAnew, runsAgain, nobodyReset, backWithin(TAKEOVER + 200)],
    },
    {
        name: "web-crash",
        about: "the web server in the guest dies, the guest itself lives",
        needs: ["guest"],
        strike: async (field) => {
            // Masked as well: systemd in the guest would start it again, and nothing would be left to notice.
            field.mark("fault", "web server killed", field.record.guest);
            await field.inGuest(
                "systemctl mask --quiet --runtime apache2.service && systemctl kill --signal=KILL apache2.service",
            );
            await field.until(
                "a new guest runs",
                TAKEOVER,
                (facts) => facts.timeline.guestStarted !== undefined && facts.lastHome !== undefined,
            );
            await answersAgain(field);
        },
        rules: [...ALWAYS, oneCopy, startedAnew, runsAgain, nobodyReset, backWithin(TAKEOVER + 200)],
    },
    {
        name: "move",
        about: "the guest is moved while it runs, there and back",
        needs: [],
        strike: async (field) => {
            const { home, other } = field;
            await moveTo(field, other);
            await field.wait(20);
            await moveTo(field, home);
            await field.wait(15);
        },
        rules: [...ALWAYS, oneCopySeen, runsAgain, movedAlive, nobodyReset, goneAtMost(MIGRATION)],
    },
    {
        name: "drain",
        about: "the node with the guest goes to standby and comes back",
        needs: [],
        strike: async (field) => {
            const { home } = field;
            field.mark("fault", "standby", home);
            await field.on(field.record.manager, `crm_standby --node ${home} --update on`);
            await takenOver(field);
            field.mark("repair", "standby over", home);
            await field.on(field.record.manager, `crm_standby --node ${home} --delete`);
            await field.wait(15);
        },
        rules: [...ALWAYS, oneCopySeen, runsElsewhere, movedAlive, nobodyReset, goneAtMost(MIGRATION)],
    },
    {
        name: "drain-up",
        about: "the node with the guest gets maintenance: true in the configuration, and up; later false, and up",
        needs: ["up"],
        strike: async (field) => {
            const { home, poolNodes } = field;
            field.mark("fault", "up with maintenance: true", home);
            await field.up(poolNodes.map((name) => ({ name, maintenance: name === home })));
            await takenOver(field);
            field.mark("repair", "up with maintenance: false", home);
            await field.up(poolNodes.map((name) => ({ name })));
            await field.healthyAgain();
            await field.wait(15);
        },
        rules: [...ALWAYS, oneCopySeen, runsElsewhere, movedAlive, nobodyReset, goneAtMost(MIGRATION)],
    },
    {
        name: "coordinator",
        about: "the elected coordinator loses power",
        needs: ["power"],
        foretell: ({ coordinator }) => ["--node-fail", coordinator],
        strike: async (field) => {
            await loseCoordinator(field, field.coordinator);
        },
        rules: [...ALWAYS, oneCopy, coordinatorElected, runsAgain, backWithin(TAKEOVER), asForetold],
    },
    {
        name: "coordinator-each",
        about: "whoever is coordinator loses power and comes back, until every member has",
        needs: ["power"],
        strike: async (field) => {
            const { members } = field;
            let { coordinator } = field;
            const struck = new Set<string>();
            // Which one is elected is not ours to say; twice around is enough, or something is wrong.
            for (let round = 0; struck.size < members.length && round < 2 * members.length; round++) {
                struck.add(coordinator);
                coordinator = await loseCoordinator(field, coordinator);
            }
        },
        rules: [...ALWAYS, oneCopy, coordinatorElected, eachWasCoordinator, runsAgain],
    },
    {
        name: "manager",
        about: "the manager, with the repository on it, loses power and comes back",
        needs: ["power"],
        foretell: ({ record }) => ["--node-fail", record.manager],
        strike: async (field) => {
            const { manager, guest } = field.record;
            await field.powerOff(manager);
            if (field.coordinator === manager) {
                await elected(field, field.home, manager);
            } else {
                field.mark("note", `coordinator: ${field.coordinator}`);
            }
            await field.wait(30);
            await field.powerOn(manager);
            const online = `crm_mon -1 --output-as=xml | grep '<node name="${manager}" ' | grep -q 'online="true".*pending="false"'`;
            await field.on(field.home, `until ${online}; do sleep 2; done`, 500);
            field.mark("note", "online again", manager);
            await field.on(field.home, "timeout 120 stat --file-system /var/ovs/mount/*", 150);
            field.mark("note", `the node of ${guest} sees the repository again`, field.home);
            await field.wait(30);
            await field.until("the guest answers", 120, answers);
        },
        // Its disk is away with the manager. How much a guest answers from memory meanwhile is its own affair.
        rules: [...ALWAYS, oneCopy, coordinatorElected, neverStopped, nobodyReset, backWithin(TAKEOVER), asForetold],
    },
    ...[10, 60, 200].map(repositoryDrill),
    {
        name: "all-power",
        about: "everything loses power, and gets it back",
        needs: ["power"],
        strike: async (field) => {
            for (const member of field.members) {
                await field.powerOff(member);
            }
            await field.wait(5);
            for (const member of field.members) {
                await field.powerOn(member);
            }
            await answersAgain(field, 900);
        },
        rules: [...ALWAYS, oneCopy, runsAgain, backWithin(900)],
    },
    {
        name: "split",
        about: "the nodes see the manager but not each other",
        needs: [],
        strike: async (field) => {
            const { home, other } = field;
            field.mark("fault", "nodes separated");
            await Promise.all(
                [
                    [home, other],
                    [other, home],
                ].map(async ([node = "", away = ""]) => {
                    const address = field.addressOf(away);
                    const rules = [
                        "add table inet drill",
                        "add chain inet drill in { type filter hook input priority -300; }",
                        `add rule inet drill in ip saddr ${address} drop`,
                    ];
                    await field.on(node, `printf '%s\\n' ${rules.map((rule) => `'${rule}'`).join(" ")} | nft -f -`);
                }),
            );
            field.mark("note", "nodes do not see each other");
            await field.wait(120);
            await answersAgain(field);
        },
        rules: [...ALWAYS, oneCopy, runsAgain, backWithin(TAKEOVER + 120)],
    },
    {
        name: "double",
        about: "the guest dies again as soon as it was started after its node's loss",
        needs: ["power"],
        strike: async (field) => {
            const { other } = field;
            await field.powerOff(field.home);
            await field.until("the guest was started", TAKEOVER, ({ lastHome }) => lastHome === other);
            field.mark("fault", "guest destroyed", other);
            await field.on(other, `xl destroy ${field.record.guest}`);
            await takenOver(field);
        },
        rules: [...ALWAYS, oneCopy, runsElsewhere, backWithin(2 * TAKEOVER)],
    },
    {
        name: "join",
        about: "a third node joins the pool",
        needs: ["up", "spare"],
        strike: async (field) => {
            const { poolNodes, spare } = field;
            field.mark("fault", "up with one node more", spare);
            await field.up([...poolNodes, spare].map((name) => ({ name })));
            await membersAre(field, [...field.members, spare]);
            await field.wait(30);
        },
        rules: [...ALWAYS, oneCopy, neverStopped, nobodyReset, goneAtMost(HICCUP)],
    },
    {
        name: "leave",
        about: "the node with the guest leaves the pool, a third one having joined before",
        needs: ["up", "spare"],
        prepare: async (field) => {
            await field.up([...field.poolNodes, field.spare].map((name) => ({ name })));
            await membersAre(field, [...field.members, field.spare]);
        },
        strike: async (field) => {
            const { home, poolNodes, spare } = field;
            field.mark("fault", "up with one node less", home);
            await field.up([...poolNodes.filter((name) => name !== home), spare].map((name) => ({ name })));
            await membersAre(field, [...field.members.filter((name) => name !== home), spare]);
            await takenOver(field);
        },
        rules: [...ALWAYS, oneCopySeen, runsElsewhere, movedAlive, nobodyReset, goneAtMost(MIGRATION)],
    },
    migrateKill("source"),
    migrateKill("target"),
];

/** Further names: `repository` is three drills. */
export function findDrills(name: string): readonly Drill[] {
    return name === "all"
        ? DRILLS
        : DRILLS.filter((drill) => drill.name === name || drill.name.replace(/-(\d+|source|target)$/, "") === name);
}
