/**
 * Drills on hosts that are reached over SSH: three daemons of this machine, each with stand-ins for Xen's and Pacemaker's
 * commands that share one little world. No real hardware has been met.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo } from "node:net";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { type Drill, DRILLS, findDrills } from "../../drills/catalogue";
import { conduct, refusals } from "../../drills/conduct";
import { answers } from "../../drills/field";
import { withNodes } from "../../drills/lab";
import { program } from "../../drills/main";
import { type ConsoleLine } from "../../drills/record";
import { followProgram, readSite, SiteGround, warning } from "../../drills/site";
import { readSiteFile } from "../../drills/siteFile";
import { noWriteLost, oneCopy, runsElsewhere } from "../../drills/verdict";
import { Report } from "../../lab/report";
import { LabFolder } from "../../lab/state";
import { temporaryFolder } from "../support/temporaryFolder";
import { type Sshd, startSshd } from "../engine/support/sshd";
import { standInForXen } from "./xen";

jest.setTimeout(120_000);

const MANAGER = "OVMANAGER";
const [ONE, TWO] = ["OVMSERVER01", "OVMSERVER02"] as const;
const HOSTS = [MANAGER, ONE, TWO] as const;

const world = temporaryFolder();
const inWorld = (...parts: string[]): string => join(world, ...parts);
const quiet = new Report(new PassThrough() as unknown as NodeJS.WriteStream);
const signal = new AbortController().signal;

/** The domains of a host, in Python. */
const DOMAINS = `(
    [(5, "WebServerHA", ("blocked",))]
    if open("${world}/home").read().strip() == os.environ["HOST"]
    and not os.path.exists("${world}/off-" + os.environ["HOST"])
    else []
)`;

/** What the hosts' commands do. `home` in the world is the node that runs the guest, `off-NAME` one without power. */
const STAND_INS: Readonly<Record<string, string>> = {
    journalctl: "sleep 60",
    crm_mon: `home=$(cat ${world}/home)
node() { printf '<node name="%s" id="1" online="true" standby="false" pending="false"/>\\n' $1; }
echo '<summary><current_dc present="true" name="OVMANAGER" with_quorum="true"/></summary><nodes>'
for name in ${HOSTS.join(" ")}; do node $name; done
echo '</nodes><resources><resource id="WebServerHA" role="Started" active="true"><node name="'$home'" id="2"/></resource></resources>'`,
    crm_resource: `echo "crm_resource $*" >>${world}/deeds`,
    crm_standby: `echo "crm_standby $*" >>${world}/deeds`,
    systemctl: `echo "systemctl $*" >>${world}/deeds`,
    nft: `echo "$HOST nft $*" >>${world}/deeds`,
};

const daemons: Sshd[] = [];
let guest: Server;

async function startWorld(): Promise<void> {
    writeFileSync(inWorld("home"), ONE);
    mkdirSync(inWorld("bin"));
    for (const [name, text] of Object.entries(STAND_INS)) {
        writeFileSync(inWorld("bin", name), `#!/bin/sh\n${text}\n`);
        chmodSync(inWorld("bin", name), 0o755);
    }
    const keys: string[] = [];
    const xen = standInForXen(inWorld(), DOMAINS);
    for (const host of HOSTS) {
        writeFileSync(
            inWorld(host),
            `#!/bin/sh\nexport HOST=${host} PATH=${inWorld("bin")}:/usr/bin:/bin PYTHONPATH=${xen}\nexec sh -c "$SSH_ORIGINAL_COMMAND"\n`,
        );
        chmodSync(inWorld(host), 0o755);
        daemons.push(await startSshd({ config: { ForceCommand: inWorld(host) } }));
    }
    daemons.forEach(({ port, hostKey }) => keys.push(`[127.0.0.1]:${port} ${hostKey}\n`));
    writeFileSync(inWorld("known_hosts"), keys.join(""));
    // One key for all, as a user has it.
    daemons.slice(1).forEach((daemon) => daemon.authorize(readFileSync(`${daemons[0]?.privateKeyFile}.pub`, "utf8")));
    guest = createServer((request, response) =>
        request.url === "/" ? response.end("page") : response.writeHead(404).end(),
    );
    await new Promise<void>((resolve) => guest.listen(0, "127.0.0.1", resolve));
}

/** Writes the site's file and the configuration it names; answers with its path. */
function site(more: string): string {
    const ssh = (index: number): string => `{ host: 127.0.0.1, port: ${daemons[index]?.port} }`;
    writeFileSync(
        inWorld("Pulumi.site.yaml"),
        `encryptionsalt: v1:x
config:
  ovm-ha-cluster:network: { cidr: 127.0.0.0/24, gateway: 127.0.0.254 }
  ovm-ha-cluster:ssh: { key: ${daemons[0]?.privateKeyFile}, knownHosts: ${inWorld("known_hosts")} }
  ovm-ha-cluster:manager: { address: 127.0.0.100, ssh: ${ssh(0)} }
  ovm-ha-cluster:nodes:
    - { name: ${ONE}, address: 127.0.0.101, ssh: ${ssh(1)} }
    - { name: ${TWO}, address: 127.0.0.102, ssh: ${ssh(2)} }
  ovm-ha-cluster:pool: { virtualAddress: 127.0.0.120 }
  ovm-ha-cluster:guests:
    - { name: WebServerHA, address: 127.0.0.1, medium: /srv/x, httpCheck: { port: ${(guest.address() as AddressInfo).port} } }
`,
    );
    writeFileSync(inWorld("drills.yaml"), `config: Pulumi.site.yaml\n${more}`);
    return inWorld("drills.yaml");
}

const POWER = `power:
  off: 'touch ${world}/off-$HOST && { (sleep 3; [ ! -e ${world}/off-$HOST ] || echo ${TWO} >${world}/home) >/dev/null 2>&1 & } && echo "off $HOST $ADDRESS" >>${world}/deeds'
  on: 'rm ${world}/off-$HOST && echo "on $HOST" >>${world}/deeds'
`;

const drill: Drill = {
    name: "power",
    about: "the node loses power",
    needs: ["power"],
    strike: async (field) => {
        await field.powerOff(field.home);
        await field.until("it runs elsewhere", 30, (facts) => facts.lastHome === field.other && answers(facts));
    },
    rules: [oneCopy, runsElsewhere, noWriteLost],
};

beforeAll(startWorld);
afterAll(async () => {
    guest.closeAllConnections();
    guest.close();
    await Promise.all(daemons.map(async (daemon) => daemon.stop()));
});
beforeEach(() => {
    writeFileSync(inWorld("home"), ONE);
    rmSync(inWorld("deeds"), { force: true });
});

describe("a site's file", () => {
    it.each([
        ["config: [a]", "config must be a text"],
        ["config: x\npower: { off: a }", "power.on must be a text"],
        ["config: x\npower: { of: a }", "power has the unknown key of; it can have off, on"],
        ["config: x\nfence: y", "the file has the unknown key fence"],
        ["- config", "the file must be a map"],
    ])("%j is refused: %s", (text, words) => {
        expect(() => readSiteFile(text)).toThrow(words);
    });

    it("has an example that is one", () => {
        const example = readFileSync(join(__dirname, "../../drills.yaml.example"), "utf8");
        expect(readSiteFile(example).power?.off).toContain("chassis power off");
        // What is commented out is right as well.
        const all = readSiteFile(example.replace(/^# (?=guest|network|console| {2})/gm, ""));
        expect(all.guest).toBe("WebServerHA");
        expect(all.network?.off).toContain("port disable");
        expect(all.console).toContain("sol activate");
    });

    it("is checked with the configuration it names before anything is touched", () => {
        expect(() => readSite(site("guest: Other\n"))).toThrow("guest: Other is no guest with ha");
        expect(() => readSite(inWorld("none.yaml"))).toThrow("cannot be read");
        const path = site("");
        const config = readFileSync(inWorld("Pulumi.site.yaml"), "utf8");
        writeFileSync(inWorld("Pulumi.site.yaml"), config.replace("127.0.0.101", "127.0.0.102"));
        expect(() => readSite(path)).toThrow("is the same address as");
    });
});

describe("drills on a site", () => {
    it("are carried out over SSH, with the user's commands for power, and mended afterwards", async () => {
        const ground = new SiteGround(readSite(site(POWER)), quiet, signal);
        const [run] = await conduct(ground, [drill], 1, inWorld("out"));
        expect(run?.verdict.rulings.filter(({ kept }) => !kept)).toEqual([]);
        expect(run?.facts).toMatchObject({ lastHome: TWO, copies: { seen: 1, possible: 1 } });
        const deeds = readFileSync(inWorld("deeds"), "utf8").trim().split("\n");
        expect(deeds.slice(0, 2)).toEqual([`off ${ONE} 127.0.0.101`, `on ${ONE}`]);
        expect(deeds).toContain("crm_resource --resource WebServerHA --clear");
        expect(deeds).toContain(`${TWO} nft delete table inet drill`);
        expect(existsSync(inWorld("out", "power.svg"))).toBe(true);
    });

    it("give power back also when a drill fails in the middle", async () => {
        const ground = new SiteGround(readSite(site(POWER)), quiet, signal);
        const strike: Drill["strike"] = async (field) => {
            await field.powerOff(field.home);
            throw new Error("the drill is wrong");
        };
        const [run] = await conduct(ground, [{ ...drill, strike }], 1, inWorld("out"));
        expect(run?.facts.record.error).toBe("the drill is wrong");
        expect(readFileSync(inWorld("deeds"), "utf8")).toContain(`on ${ONE}`);
    });

    it("that cannot begin have failed, and the next one is tried", async () => {
        const ground = new SiteGround(readSite(site(POWER)), quiet, signal);
        const hosts = ground.hosts.bind(ground);
        let away = false;
        ground.keep = async () => Promise.resolve(void (away = true));
        ground.hosts = () => {
            if (away) {
                throw new Error("nobody is there");
            }
            return hosts();
        };
        ground.bringBack = async () => Promise.resolve(void (away = false));
        const runs = await conduct(ground, [drill, drill], 1, inWorld("out"));
        expect(runs.map(({ facts }) => facts.record.error)).toEqual(["nobody is there", undefined]);
        expect(runs.map(({ verdict }) => verdict.passed)).toEqual([false, true]);
    });

    it("that the site cannot offer are told, with what is missing", () => {
        const ground = new SiteGround(readSite(site(POWER)), quiet, signal);
        const refused = Object.fromEntries(refusals(ground, DRILLS).map(({ drill: name, because }) => [name, because]));
        expect(refused["node-cut"]).toBe("it needs network.cut and network.join in the site's file");
        expect(Object.keys(refused).sort()).toEqual(["drain-up", "join", "leave", "node-cut"]);
        const bare = new SiteGround(readSite(site("")), quiet, signal);
        expect(refusals(bare, findDrills("node-power"))).toHaveLength(1);
    });

    it("begin when the pool's name was typed, and not before", async () => {
        const asked: string[] = [];
        const run = async (answer: string): Promise<unknown> =>
            program({
                folder: new LabFolder(inWorld("lab")),
                signal,
                ask: async (question) => {
                    asked.push(question);
                    return Promise.resolve(answer);
                },
            }).parseAsync(["node", "drill", "node-power", "--site", site(POWER)]);
        await expect(run("yes")).rejects.toThrow("nothing was touched");
        expect(asked).toHaveLength(1);
        expect(asked[0]).toContain("OVMANAGER (127.0.0.100), OVMSERVER01 (127.0.0.101), OVMSERVER02 (127.0.0.102)");
        expect(existsSync(inWorld("deeds"))).toBe(false);
        expect(warning(readSite(site(POWER)), ["node-power"])).toContain("Type the pool's name, HAPPOOL");
    });
});

describe("a console that is a program", () => {
    it("is read line by line, begun again when it ends, and ended with its children", async () => {
        const lines: ConsoleLine[] = [];
        const text = "echo noise; echo '@drill see 1.00 .'; echo $$ >$WORLD/pid; sleep 0.2";
        const follower = followProgram("A", "sh", ["-c", text], { WORLD: world }, "", (line) => lines.push(line));
        await sleep(2500);
        expect(lines.length).toBeGreaterThanOrEqual(2);
        expect(new Set(lines.map(({ host, text: words }) => `${host} ${words}`))).toEqual(
            new Set(["A @drill see 1.00 ."]),
        );
        follower.stop();
        const count = lines.length;
        await sleep(1500);
        expect(lines.length).toBe(count);
    });
});

describe("the lab's configuration with other nodes", () => {
    const machines = [ONE, TWO, "OVMSERVER03"].map((name, index) => ({
        name,
        address: `192.168.1.10${index + 1}`,
        memory: 2560,
    }));
    const tracked = readFileSync(join(__dirname, "../../Pulumi.lab.yaml"), "utf8");

    it("has these nodes and all else as it was", () => {
        const text = withNodes(tracked, [{ name: ONE, maintenance: true }, { name: "OVMSERVER03" }], machines);
        expect(text).toMatch(
            /name: OVMSERVER01\n.*192\.168\.1\.101\n.*2560\n +maintenance: true\n +- name: OVMSERVER03/,
        );
        expect(text).not.toContain("name: OVMSERVER02");
        expect(text).toContain("knownHosts: .lab/known_hosts");
    });

    it("knows the lab's machines only", () => {
        expect(() => withNodes(tracked, [{ name: "X" }], machines)).toThrow("the lab has no machine X");
    });
});
