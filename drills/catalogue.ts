/** The drills: what each does to the cluster, and the rules it has to keep. */
import { type Facts } from "./facts";
import { answers, type Field } from "./field";
import {
    asForetold,
    backWithin,
    coordinatorElected,
    goneAtMost,
    neverStopped,
    nobodyReset,
    noWriteLost,
    oneCopy,
    oneCopySeen,
    resetBeforeStart,
    type Rule,
    runsAgain,
    runsElsewhere,
    watched,
} from "./verdict";

/** One drill. */
export interface Drill {
    name: string;
    /** What it does, in a few words. */
    about: string;
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

/** Seconds without an answer that a live migration may cost under emulation, which copies about 1 MB a second. */
const MIGRATION = 60;

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
    // What Pacemaker still does after the handover must not meet another wish.
    await field.wait(10);
    await field.on(manager, `crm_resource --resource ${guest} --clear`);
}

/** Stops the repository's NFS server for some seconds, by a unit of the manager's own. */
function repositoryDrill(time: number): Drill {
    return {
        name: `repository-${time}`,
        about: `the repository's NFS server stops for ${time} s`,
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

/** Waits until the members that are left have elected another coordinator than `before`. */
async function elected(field: Field, asked: string, before: string): Promise<void> {
    const found = await field.on(
        asked,
        `until dc=$(crmadmin --quiet --dc_lookup 2>/dev/null | sed 's/.* //') && [ -n "$dc" ] && [ "$dc" != ${before} ]; ` +
            'do sleep 1; done; echo "$dc"',
        180,
    );
    field.mark("note", `coordinator: ${found.trim()}`);
}

/** Kills a node in the middle of a live migration. */
function migrateKill(which: "source" | "target"): Drill {
    return {
        name: `migrate-kill-${which}`,
        about: `the ${which} of a live migration loses power in the middle of it`,
        strike: async (field) => {
            const { guest, manager } = field.record;
            const { home, other } = field;
            await field.on(manager, `crm_resource --resource ${guest} --move --node ${other}`);
            await field.until("the migration is under way", 180, ({ observations }) =>
                observations.some(
                    (one) =>
                        one.kind === "sight" &&
                        one.host === other &&
                        one.copies.some(({ name }) => name === `${guest}--incoming`),
                ),
            );
            await field.powerOff(which === "source" ? home : other);
            await answersAgain(field, TAKEOVER + 300);
        },
        rules: [...ALWAYS, oneCopySeen, runsAgain, backWithin(TAKEOVER + 300)],
    };
}

export const DRILLS: readonly Drill[] = [
    {
        name: "node-power",
        about: "the node with the guest loses power",
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
        strike: async (field) => {
            field.mark("fault", "guest destroyed", field.home);
            await field.on(field.home, `xl destroy ${field.record.guest}`);
            await field.until("a new guest runs", TAKEOVER, (facts) => facts.timeline.guestStarted !== undefined);
            await answersAgain(field);
        },
        rules: [...ALWAYS, oneCopy, runsAgain, nobodyReset, backWithin(TAKEOVER)],
    },
    {
        name: "guest-hang",
        about: "the guest hangs: its domain is there, but nothing answers",
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
        rules: [...ALWAYS, oneCopy, runsAgain, nobodyReset, backWithin(TAKEOVER + 200)],
    },
    {
        name: "move",
        about: "the guest is moved while it runs, there and back",
        strike: async (field) => {
            const { home, other } = field;
            await moveTo(field, other);
            await field.wait(20);
            await moveTo(field, home);
            await field.wait(15);
        },
        rules: [...ALWAYS, oneCopySeen, runsAgain, nobodyReset, goneAtMost(MIGRATION)],
    },
    {
        name: "drain",
        about: "the node with the guest goes to standby and comes back",
        strike: async (field) => {
            const { home } = field;
            field.mark("fault", "standby", home);
            await field.on(field.record.manager, `crm_standby --node ${home} --update on`);
            await takenOver(field);
            field.mark("repair", "standby over", home);
            await field.on(field.record.manager, `crm_standby --node ${home} --delete`);
            await field.wait(15);
        },
        rules: [...ALWAYS, oneCopySeen, runsElsewhere, nobodyReset, goneAtMost(MIGRATION)],
    },
    {
        name: "coordinator",
        about: "the elected coordinator loses power",
        foretell: ({ coordinator }) => ["--node-fail", coordinator],
        strike: async (field) => {
            const { coordinator, members } = field;
            await field.powerOff(coordinator);
            await elected(field, members.find((member) => member !== coordinator) ?? "", coordinator);
            await field.wait(60);
            await answersAgain(field);
        },
        rules: [...ALWAYS, oneCopy, coordinatorElected, runsAgain, backWithin(TAKEOVER), asForetold],
    },
    {
        name: "manager",
        about: "the manager, with the repository on it, loses power and comes back",
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
        rules: [...ALWAYS, oneCopy, coordinatorElected, neverStopped, nobodyReset, goneAtMost(HICCUP), asForetold],
    },
    ...[10, 60, 200].map(repositoryDrill),
    {
        name: "all-power",
        about: "everything loses power, and gets it back",
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
        strike: async (field) => {
            const { machines } = field.context.folder.readLab();
            const { home, other } = field;
            field.mark("fault", "nodes separated");
            await Promise.all(
                [
                    [home, other],
                    [other, home],
                ].map(async ([node = "", away = ""]) => {
                    const address = machines.find(({ name }) => name === away)?.address ?? "";
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
    migrateKill("source"),
    migrateKill("target"),
];

/** Further names: `repository` is three drills. */
export function findDrills(name: string): readonly Drill[] {
    return name === "all"
        ? DRILLS
        : DRILLS.filter((drill) => drill.name === name || drill.name.replace(/-(\d+|source|target)$/, "") === name);
}
