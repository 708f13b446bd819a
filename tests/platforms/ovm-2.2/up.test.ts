import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { Project } from "../../engine/support/cli";
import {
    AGENT_PASSWORD,
    type Logged,
    MANAGER,
    MANAGER_PASSWORD,
    NODES,
    OLD_SSH,
    StandInCluster,
} from "../../standins/ovm-2.2/cluster";

const ROOT = join(__dirname, "../../..");

jest.setTimeout(180_000);

/**
 * The sixteen steps of the thesis, as commands in the hosts' log. What it did by hand before there was anything to log in to
 * (1, 2, and the installer of 3) is checked here, and refused where it is missing.
 */
const STEPS: readonly (readonly [number: number, hosts: readonly string[], commands: readonly RegExp[]])[] = [
    [1, NODES, [/^rpm -q .* ovs-agent$/, /^ovs-agent status$/]],
    [2, [MANAGER], [/^grep -q release 5 \/etc\/redhat-release$/]],
    [3, [MANAGER], [/^service oc4j status$/, /^service oc4j start$/]],
    [4, [MANAGER], [/^yum -y upgrade$/]],
    [
        5,
        [MANAGER],
        [
            /^yum -y install nfs-utils system-config-nfs$/,
            /^mv \/etc\/sysconfig\/nfs.new \/etc\/sysconfig\/nfs$/,
            /^service nfslock start$/,
            /^mkdir \/sharedvol$/,
            /^chmod 777 \/sharedvol$/,
        ],
    ],
    [6, [MANAGER], [/^mv \/etc\/exports.new \/etc\/exports$/]],
    [7, NODES, [/^mv \/etc\/hosts.new \/etc\/hosts$/]],
    [8, NODES, [/^repos.py -l$/, /^repos.py -d [0-9a-f-]{36}$/]],
    [9, NODES, [/^repos.py -n 192\.168\.1\.100:\/sharedvol$/, /^repos.py -l$/]],
    [10, NODES, [/^repos.py -r [0-9a-f-]{36}$/, /^repos.py -i$/]],
    [11, NODES, [/^df -h$/]],
    [12, NODES, [/^mv \/etc\/ocfs2\/cluster.conf.new \/etc\/ocfs2\/cluster.conf$/]],
    [
        13,
        [MANAGER],
        [
            /^soap .* createServerPool serverPoolName=HAPPOOL virtualIP=192\.168\.1\.120 serverName=OVMSERVER01 ip=192\.168\.1\.101$/,
            /^soap .* addMembers .*serverPoolName=HAPPOOL .*serverName=OVMSERVER02 ip=192\.168\.1\.102$/,
            /^soap .* checkHAAbility4ServerPoolById /,
            /^ovm .* svrp conf -n HAPPOOL -e$/,
        ],
    ],
    [
        14,
        [MANAGER],
        [
            /^mv \/sharedvol\/iso_pool\/ISO\/linux.iso.new \/sharedvol\/iso_pool\/ISO\/linux.iso$/,
            /^ovm .* iso reg -g ISO -f linux.iso -s HAPPOOL$/,
            /^soap .* approveISOResource /,
        ],
    ],
    [
        15,
        [MANAGER],
        [
            /^soap .* createVmBasedOnISO vmName=WebServerHA .*serverPoolName=HAPPOOL .*ISOFileName=linux.iso memory=1000 /,
            /^ovm .* vm conf -n WebServerHA -s HAPPOOL -e$/,
            /^ovm .* vm poweron -n WebServerHA -s HAPPOOL$/,
        ],
    ],
];

/** Step 16 comes as soon as there is something to start: a manager that restarts must not leave the nodes without disks. */
const AT_BOOT = ["chkconfig --level 35 nfs on", "chkconfig --level 35 httpd on"];

/** Where in the log a host first runs the commands, one after the other; throws when it does not. */
function placeOf(log: readonly Logged[], host: string, commands: readonly RegExp[], from: number): number[] {
    let at = from - 1;
    return commands.map((command) => {
        const next = log.findIndex((one, index) => index > at && one.host === host && command.test(one.command));
        if (next < 0) {
            throw new Error(`${host} does not run ${String(command)} after the log's line ${at}`);
        }
        at = next;
        return next;
    });
}

describe("the thesis's cluster on three stand-in hosts, by the embedded engine over SSH as of 2007", () => {
    const cluster = new StandInCluster();
    let project: Project;
    let before: string[];

    beforeAll(async () => {
        await cluster.start(OLD_SSH);
        const about = readFileSync(join(ROOT, "Pulumi.yaml"), "utf8");
        project = new Project({
            name: "ovm-ha-cluster",
            stack: "thesis",
            files: { "Pulumi.yaml": about.replace("main: index.ts", `main: ${ROOT}/index.ts`) },
        });
        const example = parse(readFileSync(join(ROOT, "Pulumi.thesis.yaml.example"), "utf8")) as {
            config: Record<string, unknown>;
        };
        const config = {
            ...example.config,
            "ovm-ha-cluster:endpoints": cluster.endpointsFile,
            "ovm-ha-cluster:oracleVm": {
                ...(example.config["ovm-ha-cluster:oracleVm"] as object),
                services: cluster.services,
            },
            "ovm-ha-cluster:ssh": { key: cluster.keyFile, knownHosts: cluster.knownHostsFile },
        };
        project.write("Pulumi.thesis.yaml", stringify({ config }));
        await project.init({}, { managerPassword: "not the one", agentPassword: AGENT_PASSWORD });
        before = cluster.tree();
    });

    afterAll(async () => {
        await project.remove();
        await cluster.stop();
    });

    it("says in one error what is wrong with the Manager's password, without showing it", async () => {
        const { code, stdout, stderr } = await project.run(["up", "--yes", "--skip-preview"]);
        expect(code).not.toBe(0);
        const said = stdout + stderr;
        expect(said).toMatch(/error: ovm -S ; svr ls failed: Error: Invalid user name or password \(admin\/X+\)/);
        expect(said).not.toContain("not the one");
        expect(said).not.toContain(AGENT_PASSWORD);
        expect(new Set(said.match(/error: ovm.*$/gm))).toHaveProperty("size", 1);
    });

    it("goes on from there with the right one, and says which commands nobody has verified", async () => {
        await project.succeed(["config", "set", "--secret", "managerPassword"], {}, MANAGER_PASSWORD);
        const said = await project.succeed(["up", "--yes", "--skip-preview"]);
        expect(said).toMatch(
            /note: `soap ServerPoolService createServerPool .*` \(oracleVm\.commands: poolCreate\) is not verified/,
        );
        expect(said).not.toContain(MANAGER_PASSWORD);
        expect(said).not.toContain(AGENT_PASSWORD);
        expect(cluster.manager("pools/HAPPOOL/servers")).toBe("OVMSERVER01\nOVMSERVER02");
        expect(cluster.manager("pools/HAPPOOL/ha")).toBe("Enabled");
        expect(cluster.manager("guests/WebServerHA/state")).toBe("Running");
        expect(cluster.manager("guests/WebServerHA/memory")).toBe("1000");
        expect(cluster.manager("guests/WebServerHA/ha")).toBe("Enabled");
    });

    it("has every one of the sixteen steps in the hosts' log, in order and with the thesis's arguments", () => {
        const log = cluster.log();
        // A machine does not wait for another one but where it needs it: the nodes' steps come after the export, and what the
        // manager does with the pool comes after both.
        const last = new Map([MANAGER, ...NODES].map((host) => [host, -1]));
        for (const [number, hosts, commands] of STEPS) {
            if (number === 7 || number === 13) {
                const latest = Math.max(...last.values());
                last.forEach((_, host) => last.set(host, latest));
            }
            for (const host of hosts) {
                last.set(host, placeOf(log, host, commands, (last.get(host) ?? -1) + 1).at(-1) ?? -1);
            }
        }
        for (const command of AT_BOOT) {
            expect(log).toContainEqual({ host: MANAGER, command });
        }
    });

    it("leaves the files that the thesis shows", () => {
        expect(cluster.file(MANAGER, "etc/exports")).toContain(
            "/sharedvol 192.168.1.101(rw,insecure,sync,no_root_squash) 192.168.1.102(rw,insecure,sync,no_root_squash)\n",
        );
        for (const node of NODES) {
            expect(cluster.file(node, "etc/hosts")).toContain("192.168.1.101 OVMSERVER01\n192.168.1.102 OVMSERVER02\n");
            expect(cluster.file(node, "etc/ocfs2/cluster.conf")).toBe(
                "node:\n\tip_port = 7777\n\tip_address = 192.168.1.101\n\tnumber = 0\n\tname = OVMSERVER01\n\tcluster = ocfs2\n\n" +
                    "node:\n\tip_port = 7777\n\tip_address = 192.168.1.102\n\tnumber = 1\n\tname = OVMSERVER02\n\tcluster = ocfs2\n\n" +
                    "cluster:\n\tnode_count = 2\n\tname = ocfs2\n",
            );
        }
    });

    it("has nothing to do a second time", async () => {
        cluster.forgetLog();
        await project.succeed(["up", "--yes", "--skip-preview", "--expect-no-changes"]);
        expect(cluster.log()).toEqual([]);
    });

    const now = async () => (await project.succeed(["stack", "output", "now"])).trim();

    /** Refreshes until the state has the line; answers with all that the refreshes said. */
    const refreshUntil = async (line: string): Promise<string> => {
        let said = "";
        for (let tries = 0; tries < 20; tries++) {
            said += await project.succeed(["refresh", "--yes", "--skip-preview", "--diff"]);
            if (JSON.stringify((await project.export()).deployment).includes(line)) {
                return said;
            }
        }
        throw new Error(`no refresh finds "${line}":\n${said}`);
    };

    it("says who is master, how the servers are and where the guest runs", async () => {
        expect(await now()).toBe(
            [
                "pool HAPPOOL: master OVMSERVER01",
                "server OVMSERVER01: Active",
                "server OVMSERVER02: Active",
                "guest WebServerHA: Running on OVMSERVER01",
            ].join("\n"),
        );
    });

    it("refreshes without a change as long as nothing happens", async () => {
        await project.succeed(["refresh", "--yes", "--skip-preview", "--expect-no-changes"]);
    });

    it("shows a lost node by refresh and in the outputs, and nothing to be done about it", async () => {
        cluster.lose("OVMSERVER02");
        const said = await refreshUntil("server OVMSERVER02: Unreachable");
        expect(said).toMatch(/\+ server OVMSERVER02: Unreachable/);
        await project.succeed(["up", "--yes", "--skip-preview", "--expect-no-changes"]);
        expect(await now()).toBe(
            [
                "pool HAPPOOL: master OVMSERVER01",
                "server OVMSERVER01: Active",
                "server OVMSERVER02: Unreachable",
                "guest WebServerHA: Running on OVMSERVER01",
            ].join("\n"),
        );
        cluster.lose("OVMSERVER02", false);
        await refreshUntil("server OVMSERVER02: Active");
    });

    it("shows a lost master: its role and its guest go to the other server, on their way first", async () => {
        cluster.setManager("delay", "3000");
        cluster.lose("OVMSERVER01");
        const said = await refreshUntil("guest WebServerHA: Running on OVMSERVER02");
        cluster.setManager("delay", "300");
        expect(said).toMatch(/\+ pool HAPPOOL: master OVMSERVER02/);
        expect(said).toMatch(/\+ guest WebServerHA: Starting on OVMSERVER02/);
        await project.succeed(["up", "--yes", "--skip-preview", "--expect-no-changes"]);
        expect(await now()).toBe(
            [
                "pool HAPPOOL: master OVMSERVER02",
                "server OVMSERVER01: Unreachable",
                "server OVMSERVER02: Active",
                "guest WebServerHA: Running on OVMSERVER02",
            ].join("\n"),
        );
        cluster.lose("OVMSERVER01", false);
    });

    it("says why when the Manager cannot tell, and keeps what is known", async () => {
        cluster.set(MANAGER, "services/oc4j", "stopped");
        const { code, stdout, stderr } = await project.run(["refresh", "--yes", "--skip-preview"]);
        cluster.set(MANAGER, "services/oc4j", "running");
        expect(code).not.toBe(0);
        expect(stdout + stderr).toMatch(
            /cluster: now, as OVMANAGER sees it: error: ovm -S ; svr ls failed: .*Connection refused/,
        );
        expect(await now()).toContain("master OVMSERVER02");
    });

    it("keeps every password out of the state", () => {
        for (const [path, text] of project.files()) {
            expect({ path, shown: text.includes(MANAGER_PASSWORD) || text.includes(AGENT_PASSWORD) }).toEqual({
                path,
                shown: false,
            });
        }
    });

    it("gives the hosts back as they were, but for the data it is to keep", async () => {
        await project.succeed(["destroy", "--yes", "--skip-preview"]);
        const after = cluster.tree();
        expect(before.filter((line) => !after.includes(line))).toEqual([]);
        // That the folder with the data is this program's is remembered.
        const kept = /\/sharedvol|\/var\/lib\/ovm-ha-cluster\/(absent\/)?$/;
        expect(after.filter((line) => !before.includes(line) && !kept.test(line))).toEqual([]);
        expect(cluster.manager("pools/HAPPOOL/servers")).toBeUndefined();
        expect(cluster.manager("guests/WebServerHA/state")).toBeUndefined();
    });
});
