/**
 * The whole product on real machines: `npm run lab:up` and its like on a virtual lab in a folder of its own. A host that
 * loses its power, a run that is killed, a second run, strangers on the network, `destroy`, `up` on what it kept, drills,
 * and a node that leaves.
 *
 * INTERRUPTIONS (default 1) says how many runs are killed before one may end: `npm run test:interrupt` has 20.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findDrills } from "../../drills/catalogue";
import { conduct } from "../../drills/conduct";
import { LabGround } from "../../drills/lab";
import { markdown, type Run } from "../../drills/report";
import * as verbs from "../../lab/lab";
import { Report } from "../../lab/report";
import { mustRunOn } from "../../lab/ssh";
import { type Lab, LabFolder } from "../../lab/state";

jest.setTimeout(2_400_000);

const MANAGER = "OVMANAGER";
const NODE1 = "OVMSERVER01";
const NODE2 = "OVMSERVER02";
const HOSTS = [MANAGER, NODE1, NODE2];
const interruptions = Number(process.env["INTERRUPTIONS"] ?? 1);

const project = join(__dirname, "../..");
const root = mkdtempSync(join(tmpdir(), "cluster-test-"));
const folder = new LabFolder(join(root, ".lab"));
const context: verbs.Context = { folder, report: new Report(), signal: new AbortController().signal };
const trackedConfig = readFileSync(join(project, "Pulumi.lab.yaml"), "utf8");
const before: Record<string, string> = {};
let lab: Lab;

async function on(host: string, command: string, { seconds = 120, input = "" } = {}): Promise<string> {
    return mustRunOn(lab, verbs.machineOf(folder, host).machine, command, { seconds, input });
}

interface Ended {
    code: number | null;
    output: string;
}

/** Starts one of the lab's stack commands, in a process group of its own so that it can be killed as a whole. */
function start(verb: string, ...flags: string[]): { kill(): void; output(): string; ended: Promise<Ended> } {
    const child = spawn(process.execPath, ["--require", "tsx/cjs", join(project, "bin/labStack.ts"), verb, ...flags], {
        cwd: project,
        env: { ...process.env, OVM_HA_LAB_DIR: folder.path, OVM_HA_ENGINE: "embedded", NO_COLOR: "1" },
        detached: true,
        stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.on("data", (data: Buffer) => void (output += data.toString()));
    child.stderr.on("data", (data: Buffer) => void (output += data.toString()));
    const ended = new Promise<Ended>((resolve) => child.on("close", (code) => resolve({ code, output })));
    return {
        kill: () => void (child.pid !== undefined && child.exitCode === null && process.kill(-child.pid, "SIGKILL")),
        output: () => output,
        ended,
    };
}

async function succeed(verb: string, ...flags: string[]): Promise<string> {
    const { code, output } = await start(verb, ...flags).ended;
    if (code !== 0) {
        throw new Error(`${verb} ended with ${code}:\n${output}`);
    }
    return output;
}

async function guestAnswers(): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${lab.guest.httpPort}/`, { signal: AbortSignal.timeout(30_000) });
    await response.text();
    return response.status;
}

async function facts(host: string): Promise<string> {
    const script = readFileSync(join(__dirname, "facts.sh"), "utf8");
    return on(host, "sh -s", { seconds: 300, input: script });
}

/** Lines that only one of two texts has, with the sign of a diff. */
function difference(old: string, now: string): string[] {
    const [had, has] = [new Set(old.split("\n")), new Set(now.split("\n"))];
    return [
        ...[...had].filter((line) => !has.has(line)).map((line) => `- ${line}`),
        ...[...has].filter((line) => !had.has(line)).map((line) => `+ ${line}`),
    ];
}

beforeAll(async () => {
    ({ lab } = await verbs.start(context, { nodes: 2, install: true }));
    // One host has to install a package first.
    await on(NODE1, "sh -s sbd", { input: readFileSync(join(__dirname, "holdBack.sh"), "utf8") });
    for (const host of HOSTS) {
        before[host] = await facts(host);
    }
});

afterAll(async () => {
    await verbs.clean(context);
    rmSync(root, { recursive: true, force: true });
});

test("a host that loses its power in the middle is named", async () => {
    const up = start("up", "--yes");
    for (const until = Date.now() + 300_000; Date.now() < until; await sleep(200)) {
        if (up.output().includes(`${NODE2}-network creating`)) {
            break;
        }
    }
    await verbs.fault(context, "power-off", NODE2);
    const { code, output } = await up.ended;
    expect(code).toBe(1);
    expect(output).toMatch(new RegExp(`\\(${NODE2}-[a-z]+\\):\n +error: `));
    await verbs.fault(context, "power-on", NODE2);
});

test("up converges from any moment at which it was killed", async () => {
    const moments: string[] = [];
    while (moments.length < interruptions) {
        const up = start("up", "--yes");
        const seconds = 5 + Math.random() * (interruptions === 1 ? 120 : 25);
        const through = await Promise.race([sleep(seconds * 1000, false), up.ended.then(() => true)]);
        if (through) {
            // Nothing is left to interrupt: from the start again.
            await succeed("destroy", "--yes");
            continue;
        }
        up.kill();
        await up.ended;
        const last = up.output().trimEnd().split("\n").at(-1);
        moments.push(`${seconds.toFixed(0)} s: ${last}`);
    }
    process.stdout.write(`killed after\n  ${moments.join("\n  ")}\n`);
    expect(await succeed("up", "--yes")).toContain(`http://127.0.0.1:${lab.guest.httpPort}/ is ${lab.guest.name}`);
    expect(await guestAnswers()).toBe(200);
    expect(await on(NODE1, "cat /var/lib/ovm-ha-cluster/packages")).toBe("sbd");
});

test("a second up changes nothing, and logs in nowhere", async () => {
    const logins = async (host: string): Promise<number> =>
        Number(await on(host, "journalctl --quiet --unit ssh.service | grep -c 'Accepted publickey'"));
    const had = await Promise.all(HOSTS.map(logins));
    expect(await succeed("up", "--yes", "--expect-no-changes")).toMatch(/Resources:\n {4}\d+ unchanged\n/);
    // One more each: that of the second count itself.
    expect(await Promise.all(HOSTS.map(logins))).toEqual(had.map((count) => count + 1));
    expect(readFileSync(join(project, "Pulumi.lab.yaml"), "utf8")).toBe(trackedConfig);
});

test("nobody but members gets in", async () => {
    const stranger = "192.168.1.77";
    // Whatever listens on the host, and what is well known: nothing else can answer.
    const scan = async (from: string, host: string): Promise<number[]> => {
        const listening = await on(host, "ss -Hltn | awk '{ print $4 }' | sed 's/.*://' | sort -nu");
        const ports = new Set([...Array(1024).keys()].map((index) => index + 1));
        listening.split("\n").forEach((port) => ports.add(Number(port)));
        const { address } = verbs.machineOf(folder, host).machine;
        const script = readFileSync(join(__dirname, "scan.pl"), "utf8");
        const open = await on(NODE1, `perl - ${from} ${address} ${[...ports].join(" ")}`, { input: script });
        const numbers = open.split("\n").filter(Boolean).map(Number);
        return numbers.sort((left, right) => left - right);
    };
    await on(NODE1, `ip address add ${stranger}/24 dev xenbr0`);
    try {
        for (const host of [MANAGER, NODE2]) {
            expect(await scan(stranger, host)).toEqual([22]);
        }
        // The same way finds them open to a member, so that what is closed above is known to be there.
        expect(await scan("192.168.1.101", MANAGER)).toEqual(expect.arrayContaining([22, 111, 2049]));
        // Corosync's port is UDP: what the firewall drops is counted.
        const dropped = async (): Promise<number> => {
            const rules = await on(MANAGER, "nft list table inet ovm-ha-cluster");
            return Number(/udp dport .* counter packets (\d+) /.exec(rules)?.[1]);
        };
        const had = await dropped();
        await on(
            NODE1,
            `perl -MIO::Socket::INET -e 'for (111, 5405) { IO::Socket::INET->new(Proto => "udp",
            LocalAddr => "${stranger}", PeerAddr => "192.168.1.100", PeerPort => $_)->send("x") }'`,
        );
        expect(await dropped()).toBe(had + 2);
        // What a migration uses is SSH, with a key that is good for that, and from members' addresses only.
        const login = "ssh -o BatchMode=yes -o StrictHostKeyChecking=yes";
        expect(await on(NODE1, `${login} -b 192.168.1.101 ${NODE2} true 2>&1 || :`)).toContain(
            "this key is for migrations",
        );
        expect(await on(NODE1, `${login} -b ${stranger} ${NODE2} true 2>&1 || :`)).toContain("Permission denied");
    } finally {
        await on(NODE1, `ip address del ${stranger}/24 dev xenbr0`);
    }
});

test("destroy gives every machine back as it was, but for the data kept", async () => {
    await succeed("destroy", "--yes");
    // The data, and the notes by which a later run knows that the stack has made them.
    const kept = /^\+ [df] \d+ root:root (\/sharedvol|\/var\/lib\/ovm-ha-cluster)(\/| )/;
    const differs: string[] = [];
    for (const host of HOSTS) {
        const lines = difference(before[host] ?? "", await facts(host));
        differs.push(...lines.filter((line) => host !== MANAGER || !kept.test(line)).map((line) => `${host} ${line}`));
    }
    expect(differs).toEqual([]);
});

test("up goes on with the data kept", async () => {
    await succeed("up", "--yes");
    expect(await guestAnswers()).toBe(200);
});

describe("drills", () => {
    const names = ["node-power", "node-cut", "move"];
    let runs: Run[];

    beforeAll(async () => {
        const drills = names.flatMap((name) => findDrills(name));
        runs = await conduct(new LabGround(context), drills, 1, join(root, "drills"));
    });

    test.each(names)("%s keeps every rule, and no row is lost", (name) => {
        const run = runs.find(({ facts }) => facts.record.drill === name);
        if (!run?.verdict.passed) {
            throw new Error(run ? markdown(run) : "it was not run");
        }
        expect(run.facts.writes?.acknowledged).toBeGreaterThan(0);
    });
});

test("a node that is asked to leave sends its guest away alive", async () => {
    const where = async (): Promise<string> =>
        (await on(MANAGER, `crm_resource --locate --resource ${lab.guest.name}`))
            .replace(/.*is running on: /, "")
            .trim();
    const from = await where();
    await on(MANAGER, `ssh -o BatchMode=yes ${from} leave`, { seconds: 900 });
    expect(await on(from, "systemctl is-active pacemaker corosync sbd || true")).toBe("inactive\ninactive\ninactive");
    const to = await where();
    expect([from, to].sort()).toEqual([NODE1, NODE2]);
    const moved = `Result of migrate_from operation for ${lab.guest.name} on ${to}: ok`;
    expect(await on(to, "journalctl --quiet --unit pacemaker.service")).toContain(moved);
    expect(await guestAnswers()).toBe(200);
});
