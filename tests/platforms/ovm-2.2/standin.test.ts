import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { oracleVm22 } from "../../../platforms/ovm-2.2";
import { MANAGER, StandInCluster } from "../../standins/ovm-2.2/cluster";
import { AGENT_PASSWORD, MANAGER_PASSWORD } from "../../standins/ovm-2.2/cluster";
import { allSteps, runAll, runStep, thesisSpec } from "./plan";

jest.setTimeout(120_000);

/** A failure at a step: how it is brought about, what the step says, and how it is put right. */
type Failure = [step: string, what: string, cause: (on: boolean) => void, error: RegExp];

/** Tries until it is true, for a minute at most. */
async function until(isTrue: () => Promise<boolean>): Promise<void> {
    for (const end = Date.now() + 60_000; !(await isTrue());) {
        expect(Date.now()).toBeLessThan(end);
    }
}

describe("steps on the stand-in, each failure of it in its turn", () => {
    const cluster = new StandInCluster();
    const steps = allSteps(thesisSpec({}, cluster.services));
    const before = cluster.tree();
    const done = new Set<string>();

    afterAll(() => cluster.stop());

    const fault = (name: string) => (on: boolean) => cluster.fault(name, on);
    const folder = (path: string) => (on: boolean) => {
        const full = join(cluster.folder, path);
        if (on) {
            mkdirSync(full, { recursive: true });
        } else {
            rmSync(full, { recursive: true });
        }
    };
    const value = (host: string, what: string, wrong: string, right: string) => (on: boolean) =>
        cluster.set(host, what, on ? wrong : right);

    const failures: Failure[] = [
        [`manager@${MANAGER}`, "the Manager does not start", fault("oc4j-start"), /oc4j\) does not start/],
        [`export@${MANAGER}`, "no package can be had", fault("yum"), /lacks one of nfs-utils system-config-nfs/],
        [
            "release@OVMSERVER01",
            "an older release",
            (on) =>
                cluster.put("OVMSERVER01", "etc/ovs-release", `Oracle VM server release ${on ? "2.1.5" : "2.2.1"}\n`),
            /is no Oracle VM Server 2\.2 \(Oracle VM server release 2\.1\.5\)/,
        ],
        [
            "repository@OVMSERVER01",
            "repos.py cannot read its database",
            fault("OVMSERVER01.repos-list"),
            /repos\.py -l failed: Error: cannot open/,
        ],
        [
            "repository@OVMSERVER01",
            "/OVS is not made",
            fault("OVMSERVER01.no-OVS"),
            /\/OVS is missing or leads elsewhere/,
        ],
        [
            "ocfs2@OVMSERVER01",
            "a cluster of former times is still on",
            folder("hosts/OVMSERVER01/root/sys/kernel/config/cluster/old"),
            /still in the O2CB cluster old/,
        ],
        [
            "release@OVMSERVER02",
            "a part of the agent is down",
            fault("OVMSERVER02.agent"),
            /agent is not in order: error! process OVSMonitorServer/,
        ],
        [
            "repository@OVMSERVER02",
            "the local repository holds data",
            (on) =>
                on
                    ? cluster.set("OVMSERVER02", "devices/sda3/running_pool/a.img", "data")
                    : rmSync(join(cluster.folder, "hosts/OVMSERVER02/state/devices/sda3/running_pool/a.img")),
            /local repository .* is not known to be empty/,
        ],
        [
            `create@${MANAGER}`,
            "another password of the Manager",
            (on) => cluster.setManager("password", on ? "another" : MANAGER_PASSWORD),
            /ovm -S ; svr ls failed: Error: Invalid user name or password \(admin\/X+\)/,
        ],
        [
            `create@${MANAGER}`,
            "a pool of that name",
            (on) =>
                on
                    ? cluster.setManager("pools/HAPPOOL/servers", "OVMSERVER02\n")
                    : rmSync(join(cluster.folder, "manager/pools/HAPPOOL"), { recursive: true }),
            /there is a server pool HAPPOOL already, and it was not made by this program/,
        ],
        [
            `create@${MANAGER}`,
            "a wrong agent password",
            value("OVMSERVER01", "agent-password", "another", AGENT_PASSWORD),
            /Wrong agent password for OVMSERVER01 \(X+\)/,
        ],
        [
            `join-OVMSERVER02@${MANAGER}`,
            "a processor of another family",
            value("OVMSERVER02", "cpu", "AuthenticAMD 15", "GenuineIntel 6"),
            /not compatible with the server pool: CPU/,
        ],
        [
            `join-OVMSERVER02@${MANAGER}`,
            "a server of another pool",
            (on) =>
                on
                    ? cluster.setManager("pools/OTHER/servers", "OVMSERVER02\n")
                    : rmSync(join(cluster.folder, "manager/pools/OTHER"), { recursive: true }),
            /OVMSERVER02 is in the server pool OTHER: take it out there first/,
        ],
        [
            `ha@${MANAGER}`,
            "a pool that is not able to",
            fault("OVMSERVER02.not-able"),
            /OVM-1011 OVMSERVER02: \/OVS must be mounted/,
        ],
        [
            `guest@${MANAGER}`,
            "a name that is taken",
            (on) =>
                on
                    ? cluster.setManager("guests/WebServerHA/state", "Running")
                    : rmSync(join(cluster.folder, "manager/guests/WebServerHA"), { recursive: true }),
            /there is a guest WebServerHA in the pool HAPPOOL already/,
        ],
        [
            `guest@${MANAGER}`,
            "a guest that the Manager has lost sight of",
            fault("unknown-vm"),
            /Virtual machine "WebServerHA" not found/,
        ],
        [
            `guest@${MANAGER}`,
            "a guest that goes into error",
            (on) => {
                cluster.fault("poweron", on);
                if (!on) {
                    cluster.setManager("guests/WebServerHA/state", "Powered Off");
                }
            },
            /WebServerHA is in the state Error/,
        ],
    ];

    it.each(failures)("%s: %s", async (name, _, cause, error) => {
        for (const step of steps) {
            const full = `${step.name}@${step.host}`;
            if (full === name) {
                cause(true);
                const failed = await runStep(cluster, step, "apply");
                cause(false);
                expect(failed.status).toBe(1);
                expect(failed.stderr).toMatch(error);
                expect(failed.stderr.match(/^error:/gm)).toHaveLength(1);
                expect(failed.stderr).not.toContain(AGENT_PASSWORD);
                expect(failed.stderr).not.toContain(MANAGER_PASSWORD);
                return;
            }
            if (!done.has(full)) {
                expect(await runStep(cluster, step, "apply")).toMatchObject({ step: full, status: 0 });
                done.add(full);
            }
        }
    });

    it("converges when nothing fails any more, and changes nothing the next time", async () => {
        expect(await runAll(cluster, steps, "apply")).toMatchObject({ status: 0 });
        const tree = cluster.tree();
        cluster.forgetLog();
        const again = await runAll(cluster, steps, "apply");
        expect(again.stdout).toBe("WebServerHA: Running in HAPPOOL, 1000 MiB, 1 processors, HA yes\n");
        expect(cluster.tree()).toEqual(tree);
        const changes = / (mv|start|new|reg|add|del|conf|poweron|poweroff|approve)( |$)|^(mv|chmod|repos\.py -[nrid])/;
        expect(cluster.log().filter(({ command }) => changes.test(command))).toEqual([]);
    });

    const onlyStep = (name: string, host: string) => steps.filter((step) => step.name === name && step.host === host);

    it.each(["2.3-38", "2.3-41.el5", "2.3-42", "2.3-100"])(
        "warns of an agent with known holes: %s",
        async (version) => {
            cluster.set("OVMSERVER02", "agent-release", version);
            const { status, stdout, stderr } = await runAll(cluster, onlyStep("release", "OVMSERVER02"), "apply");
            expect(status).toBe(0);
            const warning =
                /agent 2\.3-\S+; warning: below 2\.3-42 it has CVE-2010-3582, CVE-2010-3583, CVE-2010-3584 and CVE-2010-3585: upgrade it/;
            if (/-(38|41)/.test(version)) {
                expect(stdout).toMatch(warning);
                expect(stderr).toMatch(warning);
            } else {
                expect(stdout + stderr).not.toContain("warning");
            }
        },
    );

    it("takes identifiers without hyphens, and the root marked by R, for what they are", async () => {
        cluster.fault("OVMSERVER01.plain", true);
        cluster.forgetLog();
        const { status, stdout } = await runAll(cluster, onlyStep("repository", "OVMSERVER01"), "apply");
        cluster.fault("OVMSERVER01.plain", false);
        expect(status).toBe(0);
        expect(stdout).toMatch(/cluster root is 192\.168\.1\.100:\/sharedvol, repository [0-9A-F]{32}\n$/);
        expect(cluster.log().filter(({ command }) => /^repos\.py -[^l]/.test(command))).toEqual([]);
    });

    it("never starts the agent of a node whose cluster is on", async () => {
        cluster.set("OVMSERVER02", "services/ovs-agent", "stopped");
        cluster.forgetLog();
        const { status, stderr } = await runAll(cluster, onlyStep("release", "OVMSERVER02"), "apply");
        cluster.set("OVMSERVER02", "services/ovs-agent", "running");
        expect(status).toBe(1);
        expect(stderr).toMatch(/^error: OVMSERVER02: the agent is not in order and not restarted in a running cluster/);
        expect(cluster.log().filter(({ command }) => /ovs-agent (start|restart|stop)/.test(command))).toEqual([]);
    });

    it("tells a running cluster of a node that joins it, and leaves the numbers of all others as they are", async () => {
        const spec = thesisSpec({}, cluster.services);
        const [, second] = spec.nodes;
        const third = {
            ...second,
            name: "OVMSERVER03",
            address: "192.168.1.103",
            number: 2,
        } as (typeof spec.nodes)[number];
        const ocfs2 = async (nodes: typeof spec.nodes) => {
            const step = oracleVm22
                .node({ ...spec, nodes }, second as typeof third)
                .find(({ name }) => name === "ocfs2");
            expect(step === undefined ? undefined : await runStep(cluster, step, "apply")).toMatchObject({ status: 0 });
            return cluster.file("OVMSERVER02", "etc/ocfs2/cluster.conf");
        };
        cluster.forgetLog();
        expect(await ocfs2([...spec.nodes, third])).toMatch(/number = 2\n\tname = OVMSERVER03\n[^]*node_count = 3\n/);
        expect(cluster.log().map(({ command }) => command)).toContain(
            "o2cb_ctl -C -i -n OVMSERVER03 -t node -a number=2 -a ip_address=192.168.1.103 -a ip_port=7777 -a cluster=ocfs2",
        );
        const left = await ocfs2(spec.nodes.slice(1));
        expect(left).toMatch(/number = 1\n\tname = OVMSERVER02\n[^]*node_count = 1\n/);
        expect(left).not.toContain("OVMSERVER01");
        await ocfs2(spec.nodes);
        expect(cluster.file("OVMSERVER02", "etc/sysconfig/o2cb")).toMatch(
            /^O2CB_HEARTBEAT_THRESHOLD=31\nO2CB_IDLE_TIMEOUT_MS=30000\nO2CB_KEEPALIVE_DELAY_MS=2000\nO2CB_RECONNECT_DELAY_MS=2000$/m,
        );
    });

    it("says which fields the Manager's service has when one that is assumed is another, and takes the right ones", async () => {
        const commands = (name: string) => [
            {
                name: "serverAdd" as const,
                words: `soap ServerPoolService addMembers 1=@getAllServerPools()[{pool}] 2.${name}={node}`,
            },
        ];
        const joins = (name: string) => {
            const spec = thesisSpec({}, cluster.services);
            const plan = oracleVm22.pool({ ...spec, oracleVm: { ...spec.oracleVm, commands: commands(name) } });
            return plan.filter((step) => step.name === "join-OVMSERVER02");
        };
        await runAll(cluster, joins("serverName"), "remove");
        const { status, stderr } = await runAll(cluster, joins("hostName"), "apply");
        expect(status).toBe(1);
        expect(stderr).toMatch(/has no field hostName; it has serverName, ip, agentUser, agentPassword/);
        expect(await runAll(cluster, onlyStep("join-OVMSERVER02", MANAGER), "apply")).toMatchObject({ status: 0 });
        expect(await runAll(cluster, onlyStep("ha", MANAGER), "apply")).toMatchObject({ status: 0 });
    });

    it.each([true, false])("names the master, whether the services tell its address or not: %s", async (byAddress) => {
        cluster.fault("master-by-address", byAddress);
        expect(await runAll(cluster, onlyStep("ha", MANAGER), "apply")).toMatchObject({
            status: 0,
            stdout: "HAPPOOL: HA on at 192.168.1.120, master OVMSERVER01, servers OVMSERVER01 OVMSERVER02\n",
        });
    });

    it("is reacted to by the pool: a lost master's role and its guest go to the other server", async () => {
        expect(cluster.manager("guests/WebServerHA/server")).toBe("OVMSERVER01");
        cluster.lose("OVMSERVER01");
        const ask = steps.filter(({ name }) => name === "guest");
        await until(async () => {
            expect(await runAll(cluster, ask, "apply")).toMatchObject({ status: 0 });
            return cluster.manager("guests/WebServerHA/server") === "OVMSERVER02";
        });
        expect(cluster.manager("guests/WebServerHA/state")).toBe("Running");
        expect(cluster.manager("pools/HAPPOOL/master")).toBe("OVMSERVER02");
    });

    it("is reacted to by the pool when no server is left: the guest is off, and starts with the first that is back", async () => {
        const look = async () => {
            const view = oracleVm22.view?.(thesisSpec({}, cluster.services));
            return view === undefined ? "" : (await runStep(cluster, { name: "view", ...view }, "probe")).stdout;
        };
        cluster.lose("OVMSERVER02");
        await until(async () => /guest WebServerHA: Powered Off$/m.test(await look()));
        expect(await look()).toMatch(/^pool HAPPOOL: master unknown$/m);
        cluster.lose("OVMSERVER01", false);
        await until(async () => /guest WebServerHA: Running on OVMSERVER01$/m.test(await look()));
        expect(await look()).toMatch(/^pool HAPPOOL: master OVMSERVER01$/m);
        cluster.lose("OVMSERVER02", false);
    });

    it("is given back as it was", async () => {
        expect(await runAll(cluster, [...steps].reverse(), "remove")).toMatchObject({ status: 0 });
        expect(cluster.tree()).toEqual(before);
    });
});

describe("a guest made from an image, on nodes whose local data may go", () => {
    const cluster = new StandInCluster();
    const plain = thesisSpec({}, cluster.services);
    const spec = { ...plain, oracleVm: { ...plain.oracleVm, removeLocalRepository: true } };
    const guests = spec.guests.map((guest) => ({ ...guest, medium: "/srv/media/web", keepDisk: true }));
    const steps = allSteps({ ...spec, guests });

    afterAll(() => cluster.stop());

    it("is registered and approved by commands that are all found facts, and its disk outlives it", async () => {
        cluster.set("OVMSERVER02", "devices/sda3/running_pool/a.img", "data");
        expect(await runAll(cluster, steps, "apply")).toMatchObject({ status: 0 });
        const commands = cluster.log().filter(({ command }) => / (img|vm) (reg|approve|conf|poweron)/.test(command));
        expect(
            commands.map(({ command }) =>
                command.replace(/^ovm -u admin -p \S+ /, "").replace(/-c [0-9a-f]{8}/, "-c SECRET"),
            ),
        ).toEqual([
            "img reg -n WebServerHA -c SECRET -o Other -s HAPPOOL",
            "img approve -n WebServerHA -s HAPPOOL",
            "vm conf -n WebServerHA -s HAPPOOL -e",
            "vm poweron -n WebServerHA -s HAPPOOL",
        ]);
        const guest = steps.filter(({ name }) => name === "guest");
        const disk = steps.filter(({ name }) => name === "disk");
        cluster.put(MANAGER, "sharedvol/running_pool/WebServerHA/System.img", "what the guest wrote");
        expect(await runAll(cluster, [...guest, ...disk], "remove")).toMatchObject({ status: 0 });
        expect(cluster.manager("guests/WebServerHA/state")).toBeUndefined();
        expect(await runAll(cluster, [...disk, ...guest], "apply")).toMatchObject({
            status: 0,
            stderr: "WebServerHA is Powered Off\n",
        });
        expect(cluster.file(MANAGER, "sharedvol/running_pool/WebServerHA/System.img")).toBe("what the guest wrote");
    });
});
