/**
 * The virtual lab itself, in a folder of its own beside any lab of this checkout: started once, then everything a
 * lab has to do. Each test leaves the machines running.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as verbs from "../../lab/lab";
import { ALL_MACHINES } from "../../lab/machines";
import { Report } from "../../lab/report";
import { run } from "../../lab/run";
import { greets, mustRunOn, runOn } from "../../lab/ssh";
import { type Lab, LabFolder, type LabMachine } from "../../lab/state";

jest.setTimeout(900_000);

const MANAGER = "OVMANAGER";
const NODE1 = "OVMSERVER01";
const NODE2 = "OVMSERVER02";

const root = mkdtempSync(join(tmpdir(), "lab test, "));
const folder = new LabFolder(join(root, ".lab"));
const report = new Report();
const context: verbs.Context = { folder, report, signal: new AbortController().signal };
let lab: Lab;

function machine(name: string): LabMachine {
    return verbs.machineOf(folder, name).machine;
}

async function on(name: string, command: string, seconds = 90): Promise<string> {
    return mustRunOn(lab, machine(name), command, { seconds });
}

async function pings(from: string, to: string): Promise<boolean> {
    const { exitCode } = await runOn(lab, machine(from), `ping -c 2 -i 0.5 -W 3 ${to}`, { seconds: 60 });
    return exitCode === 0;
}

/** What tells a machine from a fresh one, should something of an earlier use be left. */
async function facts(name: string): Promise<string> {
    return on(
        name,
        "cat /proc/sys/kernel/random/boot_id; systemctl list-units --state=running --no-legend --plain;" +
            " find /etc/systemd/system -type l | sort; lsmod | sort | cut -d' ' -f1;" +
            " find / -xdev -newer /etc/machine-identity -path '/etc/*' -type f | sort",
    );
}

/** Ids of all processes on this computer that have to do with this lab. */
function processes(): number[] {
    return readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
        .filter((pid) => {
            try {
                const words = readFileSync(`/proc/${pid}/cmdline`, "utf8");
                return words.includes(folder.sockets) || words.includes(folder.path);
            } catch {
                return false;
            }
        })
        .map(Number);
}

beforeAll(async () => {
    const started = await verbs.start(context, { nodes: 2, install: true });
    lab = started.lab;
    report.note(`memory of the lab: ${started.memory} MiB`);
});

afterAll(async () => {
    await verbs.clean(context);
    rmSync(root, { recursive: true, force: true });
});

test("keys are the lab's own, and private", () => {
    expect(statSync(lab.ssh.privateKey).mode & 0o777).toBe(0o600);
    const known = readFileSync(lab.ssh.knownHosts, "utf8");
    for (const { name, address, sshPort } of lab.machines) {
        expect(known).toMatch(new RegExp(`^\\[127\\.0\\.0\\.1\\]:${sshPort},${name},${address} ssh-ed25519 `, "m"));
    }
});

test("nodes run under real Xen, everyone is known by name, nothing leads out", async () => {
    for (const name of [NODE1, NODE2]) {
        expect(await on(name, "xl list")).toMatch(/^Domain-0\s+0\s+1024\s/m);
        expect(await on(name, "xl info | grep -E 'xen_version|virt_caps'")).toMatch(/hvm[\s\S]*4\.17/);
        expect(await on(name, "hostname; cat /sys/hypervisor/type")).toBe(`${name}\nxen`);
    }
    expect(await pings(NODE1, NODE2)).toBe(true);
    expect(await pings(NODE2, NODE1)).toBe(true);
    expect(await pings(NODE1, MANAGER)).toBe(true);
    expect(await pings(NODE2, MANAGER)).toBe(true);
    expect(await on(MANAGER, "ip route show default")).toBe("");
});

test("packages are there, their services neither enabled nor running", async () => {
    const services = ["corosync", "pacemaker", "sbd", "pcsd", "nfs-server", "rpcbind", "nftables"].join(" ");
    for (const name of [MANAGER, NODE1]) {
        const { stdout } = await runOn(
            lab,
            machine(name),
            `systemctl is-enabled ${services}; systemctl is-active ${services}`,
        );
        expect([...new Set(stdout.split("\n"))].sort()).toEqual(["disabled", "inactive"]);
        expect(await on(name, "ss -Hltn | awk '{print $4}' | sort -u")).toBe("0.0.0.0:22\n[::]:22");
    }
});

test("the guest medium lies on the manager, whole", async () => {
    expect(await on(MANAGER, "cd /srv/media/apache && sha256sum -c SHA256SUMS", 240)).toMatch(/System\.img: OK/);
});

test("a cut isolates exactly one machine, a join brings it back", async () => {
    await verbs.fault(context, "cut", NODE2);
    expect((await verbs.status(context)).machines.map(({ cut }) => cut)).toEqual([false, false, true]);
    expect(await pings(NODE1, NODE2)).toBe(false);
    expect(await pings(NODE1, MANAGER)).toBe(true);
    expect(await pings(MANAGER, NODE1)).toBe(true);
    expect(await greets(machine(NODE2).sshPort)).toBe(false);
    await verbs.fault(context, "join", NODE2);
    expect(await on(NODE2, "hostname")).toBe(NODE2);
    expect(await pings(NODE1, NODE2)).toBe(true);
});

test("a frozen machine does nothing until it is thawed", async () => {
    await verbs.fault(context, "freeze", NODE1);
    expect((await verbs.status(context)).machines.find(({ name }) => name === NODE1)?.state).toBe("paused");
    expect(await pings(MANAGER, NODE1)).toBe(false);
    await verbs.fault(context, "thaw", NODE1);
    expect(await on(NODE1, "hostname")).toBe(NODE1);
});

test("save and restore bring back what was there", async () => {
    await on(NODE1, "echo before >/root/note");
    await verbs.save(context, "noted");
    await on(NODE1, "echo after >/root/note");
    const began = Date.now();
    await verbs.restore(context, "noted");
    expect((Date.now() - began) / 1000).toBeLessThan(60);
    expect(await on(NODE1, "cat /root/note")).toBe("before");
    const earliest = Date.now() / 1000;
    const clock = Number(await on(NODE1, "date +%s"));
    expect(clock).toBeGreaterThan(earliest - 5);
    expect(clock).toBeLessThan(Date.now() / 1000 + 5);
});

test("a machine whose watchdog is not fed is reset, and boots again by itself", async () => {
    const bootId = "cat /proc/sys/kernel/random/boot_id";
    const before: Record<string, string> = { [NODE2]: await on(NODE2, bootId), [MANAGER]: await on(MANAGER, bootId) };
    // Opened, and never written to again.
    const neglect = "{ sh -c 'exec 3>/dev/watchdog; echo >&3; sleep 1000' </dev/null >/dev/null 2>&1 & }";
    await on(NODE2, `modprobe xen_wdt timeout=10 && ${neglect}`);
    await on(MANAGER, `rmmod i6300esb && modprobe i6300esb heartbeat=10 && ${neglect}`);
    for (const name of [MANAGER, NODE2]) {
        let now: string | undefined;
        for (const until = Date.now() + 400_000; Date.now() < until; await sleep(2000)) {
            const { stdout, exitCode } = await runOn(lab, machine(name), bootId, { seconds: 40 });
            now = exitCode === 0 ? stdout : undefined;
            if (now !== undefined && now !== before[name]) {
                break;
            }
        }
        expect(now).toBeDefined();
        expect(now).not.toBe(before[name]);
        expect((await verbs.status(context)).machines.find((each) => each.name === name)?.boots).toBe(2);
    }
});

test("a machine without power is off, and comes back with it, also when it dies while it boots", async () => {
    /** Ends the node's QEMU soon after it was switched on, so many times. */
    const kill = async (times: number): Promise<void> => {
        const killed = new Set<number>();
        for (const until = Date.now() + 120_000; killed.size < times && Date.now() < until; await sleep(100)) {
            const pid = folder.readRun().machines[NODE1]?.process.pid;
            if (pid !== undefined && !killed.has(pid)) {
                await sleep(2000);
                process.kill(pid, "SIGKILL");
                killed.add(pid);
            }
        }
        expect(killed.size).toBe(times);
    };
    await verbs.fault(context, "power-off", NODE1);
    const state = (await verbs.status(context)).machines.find(({ name }) => name === NODE1);
    expect(state).toMatchObject({ state: "off", ssh: false });
    // It is tried three times; then the end of its console is in the error.
    const dying = expect(verbs.fault(context, "power-on", NODE1)).rejects.toThrow(/^OVMSERVER01[^]*its console:\n/);
    await Promise.all([dying, kill(3)]);
    expect((await verbs.status(context)).machines.find(({ name }) => name === NODE1)?.state).toBe("off");
    const warn = jest.spyOn(report, "warn");
    await Promise.all([verbs.fault(context, "power-on", NODE1), kill(1)]);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(await on(NODE1, "xl list && cat /root/note")).toMatch(/Domain-0[\s\S]*before/);
});

test("reset gives machines equal to fresh ones, in seconds", async () => {
    await on(NODE1, "systemctl enable --now nfs-server; mkdir -p /OVS; echo x >/etc/exports", 240);
    await verbs.reset(context);
    const first = await Promise.all([facts(MANAGER), facts(NODE1), facts(NODE2)]);
    await on(NODE1, "echo x >/etc/exports; modprobe xen_wdt; systemctl start rpcbind");
    const began = Date.now();
    await verbs.reset(context);
    report.note(`reset: ${((Date.now() - began) / 1000).toFixed(1)} s`);
    expect((Date.now() - began) / 1000).toBeLessThan(60);
    expect(await Promise.all([facts(MANAGER), facts(NODE1), facts(NODE2)])).toEqual(first);
    expect(await on(NODE1, "ls -d /OVS /root/note 2>/dev/null | wc -l; systemctl is-enabled nfs-server || true")).toBe(
        "0\ndisabled",
    );
});

test("a second lab runs beside, with ports of its own", async () => {
    const other = new LabFolder(join(root, "other", ".lab"));
    const abort = new AbortController();
    // Stopped as soon as its machines are on: that it was interrupted must leave nothing either.
    const started = verbs
        .start({ folder: other, report, signal: abort.signal }, { nodes: 2 })
        .catch((error: unknown) => error);
    for (const until = Date.now() + 60_000; Date.now() < until; await sleep(200)) {
        if (Object.keys(other.readRun().machines).length === 3) {
            break;
        }
    }
    const beside = other.readLab();
    const ports = (of: Lab): number[] => [
        ...of.machines.map(({ sshPort }) => sshPort),
        of.guest.httpPort,
        of.pool.httpPort,
    ];
    expect(ports(beside).filter((port) => ports(lab).includes(port))).toEqual([]);
    abort.abort();
    expect(await started).toBeInstanceOf(Error);
    expect(other.readRun()).toEqual({ machines: {} });
    expect(existsSync(other.sockets)).toBe(false);
    await verbs.clean({ folder: other, report, signal: new AbortController().signal });
    expect(await on(MANAGER, "hostname")).toBe(MANAGER);
});

test("stop leaves no process, no socket and no pid; clean leaves no file", async () => {
    expect(processes().length).toBeGreaterThanOrEqual(5);
    await verbs.stop(context);
    expect(processes()).toEqual([]);
    expect(existsSync(folder.sockets)).toBe(false);
    expect(existsSync(folder.at("run.json"))).toBe(false);
    // The disks are those of machines that had their power cut; the images they stand on are untouched.
    const disk = folder.machine(NODE1, "disk.qcow2");
    expect((await run("qemu-img", ["check", "-q", disk])).exitCode).toBe(0);
    await verbs.clean(context);
    expect(existsSync(folder.path)).toBe(false);
    expect(ALL_MACHINES).toHaveLength(4);
});
