import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { forcedAccelerator } from "../../lab/accelerator";
import { identityFiles, knownHosts } from "../../lab/identity";
import { findCached, keyOf, MEDIA, mmdebstrapArguments, parseWords, readRecipe, USUAL_MEDIA } from "../../lab/image";
import { start } from "../../lab/lab";
import { countBoots, isInGuest } from "../../lab/machine";
import { ALL_MACHINES, findMachine, GUEST, planMachines, POOL } from "../../lab/machines";
import {
    checkComputer,
    checkDisk,
    installCommand,
    memoryNeeded,
    missingPackages,
    needs,
    parseMemory,
} from "../../lab/needs";
import { choosePorts, forwardsOf, usualPorts } from "../../lab/ports";
import { identify, isAlive, parseStat } from "../../lab/process";
import { machineArguments, type MachineFiles, routerArguments } from "../../lab/qemu";
import { program } from "../../lab/main";
import { Report } from "../../lab/report";
import { run } from "../../lab/run";
import { type Lab, LabFolder, readLab, withLock } from "../../lab/state";

const FILES: MachineFiles = {
    disk: "/lab/a,b/disk.qcow2",
    identity: "/lab/identity.tar",
    media: [],
    consoleLog: "/lab/console.log",
    console: "/run/console",
    monitor: "/run/monitor",
    network: "/run/switch",
};

let temporary: string;
beforeEach(() => {
    temporary = mkdtempSync(join(tmpdir(), "lab-unit-"));
});
afterEach(() => rmSync(temporary, { recursive: true, force: true }));

describe("machines", () => {
    test("are those of the thesis", () => {
        expect(planMachines(2).map(({ name, address, role }) => [name, address, role])).toEqual([
            ["OVMANAGER", "192.168.1.100", "manager"],
            ["OVMSERVER01", "192.168.1.101", "node"],
            ["OVMSERVER02", "192.168.1.102", "node"],
        ]);
        expect(planMachines(3)[3]).toMatchObject({ name: "OVMSERVER03", address: "192.168.1.103" });
    });

    test("share no address, hardware address or port", () => {
        for (const key of ["address", "mac", "usualPort"] as const) {
            expect(new Set(ALL_MACHINES.map((machine) => machine[key])).size).toBe(ALL_MACHINES.length);
        }
    });

    test.each([1, 4, 2.5, NaN])("%s nodes are refused", (nodes) => {
        expect(() => planMachines(nodes)).toThrow(RangeError);
    });

    test("are found by name in any case, and by what they are", () => {
        for (const name of ["OVMSERVER01", "ovmserver01", "node1", "Node01"]) {
            expect(findMachine(ALL_MACHINES, name).name).toBe("OVMSERVER01");
        }
        expect(findMachine(ALL_MACHINES, "manager").name).toBe("OVMANAGER");
        expect(() => findMachine(planMachines(2), "node3")).toThrow(/OVMANAGER, OVMSERVER01, OVMSERVER02/);
    });
});

describe("command lines", () => {
    const [manager, node] = planMachines(2) as [(typeof ALL_MACHINES)[0], (typeof ALL_MACHINES)[0]];

    test("a node boots Xen with the kernel as its first module, and has Xen's watchdog only", () => {
        const args = machineArguments(node, FILES, "tcg");
        expect(args[args.indexOf("-kernel") + 1]).toBe("xen");
        expect(args[args.indexOf("-initrd") + 1]).toMatch(/^vmlinuz root=\/dev\/vda .* console=hvc0 .*,initrd\.img$/);
        expect(args).toContain("qemu64,+svm,+npt,+rdrand");
        expect(args).not.toContain("i6300esb");
    });

    test("the manager boots its kernel itself and has a watchdog on the bus", () => {
        const args = machineArguments(manager, { ...FILES, media: ["/cache/media.img"] }, "tcg");
        expect(args).toContain("max,-erms,-fsrm");
        expect(args[args.indexOf("-kernel") + 1]).toBe("vmlinuz");
        expect(args).toContain("i6300esb");
        expect(args.join(" ")).toContain("id=media0,if=none,file=/cache/media.img,format=raw,readonly=on");
    });

    test("a reset by the watchdog is a reset, not the end of QEMU", () => {
        for (const machine of ALL_MACHINES) {
            const args = machineArguments(machine, FILES, "tcg");
            expect(args).toContain("watchdog=reset");
            expect(args).not.toContain("-no-reboot");
        }
    });

    test("commas in paths are doubled", () => {
        expect(machineArguments(node, FILES, "tcg").join(" ")).toContain("file=/lab/a,,b/disk.qcow2,format=qcow2");
    });

    test("a saved state is loaded paused", () => {
        expect(machineArguments(node, FILES, "tcg", "fresh").slice(-3)).toEqual(["-S", "-loadvm", "fresh"]);
        expect(machineArguments(node, FILES, "tcg")).not.toContain("-S");
    });

    test("under KVM the processor is this computer's", () => {
        const args = machineArguments(node, FILES, "kvm");
        expect(args[args.indexOf("-cpu") + 1]).toBe("host");
        expect(args[args.indexOf("-accel") + 1]).toBe("kvm");
    });

    test("the router lets nothing out and listens on 127.0.0.1 only", () => {
        const words = routerArguments("/run/switch", forwardsOf(usualPorts())).join(" ");
        expect(words).toContain("restrict=on");
        expect(words.match(/hostfwd=tcp:/g)).toHaveLength(ALL_MACHINES.length + 3);
        expect(words.match(/hostfwd=tcp:127\.0\.0\.1:/g)).toHaveLength(ALL_MACHINES.length + 3);
        expect(words).toContain(`-${GUEST.address}:80`);
        expect(words).toContain(`-${POOL.address}:80`);
    });
});

describe("ports", () => {
    test("are the usual ones when these are free", async () => {
        expect(await choosePorts(usualPorts(), async () => true, jest.fn())).toEqual(usualPorts());
    });

    test("are others where taken, each one once", async () => {
        let next = 40_000;
        // Proposals repeat, and collide with a usual one.
        const proposals = [40_001, 40_001, 2210];
        const chosen = await choosePorts(
            usualPorts(),
            async (port) => port !== 2200 && port !== 2201,
            async () => proposals.shift() ?? next++,
        );
        expect(chosen.ssh["OVMANAGER"]).toBe(40_001);
        const all = [...Object.values(chosen.ssh), chosen.guestHttp, chosen.guestSsh, chosen.poolHttp];
        expect(new Set(all).size).toBe(all.length);
        expect(chosen.ssh["OVMSERVER02"]).toBe(2202);
    });
});

describe("identity", () => {
    const keys = { hostKey: "SECRET", hostPublicKey: "ssh-ed25519 AAAA x", clientPublicKey: "ssh-ed25519 BBBB lab" };
    const text = (nodes: number, path: string): string | undefined =>
        identityFiles(planMachines(2)[nodes]!, keys).find((file) => file.path === path)?.text;

    test("keys are readable by root only", () => {
        const modes = identityFiles(planMachines(2)[1]!, keys)
            .filter(({ text }) => text.includes("SECRET"))
            .map(({ mode }) => mode);
        expect(modes).toEqual([0o600]);
    });

    test("every machine knows every other one by name", () => {
        for (const { name, address } of ALL_MACHINES) {
            expect(text(0, "etc/hosts")).toContain(`${address} ${name}\n`);
        }
    });

    test("a node has its address on the bridge, the manager on its card", () => {
        expect(text(1, "etc/systemd/network/30-xenbr0.network")).toContain("Address=192.168.1.101/24");
        expect(text(0, "etc/systemd/network/20-eth0.network")).toContain("Address=192.168.1.100/24");
    });

    test("machines have different machine ids", () => {
        expect(text(0, "etc/machine-id")).toMatch(/^[0-9a-f]{32}\n$/);
        expect(text(0, "etc/machine-id")).not.toBe(text(1, "etc/machine-id"));
    });

    test("known_hosts pins each key under port, name and address", () => {
        const machines = planMachines(2).map((plan) => ({ ...plan, sshPort: plan.usualPort }));
        const publicKeys = Object.fromEntries(machines.map(({ name }) => [name, `ssh-ed25519 KEY-${name} comment\n`]));
        expect(knownHosts({ machines }, publicKeys).split("\n")[1]).toBe(
            "[127.0.0.1]:2201,OVMSERVER01,192.168.1.101 ssh-ed25519 KEY-OVMSERVER01",
        );
    });
});

describe("images", () => {
    const recipe = readRecipe("host");

    test("lists are words without comments", () => {
        expect(parseWords("# all\na\n\n b # why\n")).toEqual(["a", "b"]);
    });

    test("every medium has a recipe, and fence agents are in none", () => {
        for (const name of ["host", ...MEDIA] as const) {
            const { packages, modules } = readRecipe(name);
            expect(modules).toContain("ext4");
            expect(packages).toContain("busybox-static");
            expect(packages).not.toContain("fence-agents");
            expect(new Set(packages).size).toBe(packages.length);
        }
    });

    test("every medium is a guest with a web server before it is anything else", () => {
        for (const name of MEDIA) {
            const { packages, modules, scripts } = readRecipe(name);
            expect(packages).toEqual(expect.arrayContaining(["apache2", "openssh-server"]));
            expect(modules).toContain("xen-blkfront");
            const hooks = mmdebstrapArguments(readRecipe(name), true, false).filter((word) => word.includes("-hook="));
            expect(hooks.slice(1, 3)).toEqual([
                `--customize-hook=${scripts.base ?? ""}`,
                `--customize-hook=${scripts.setup}`,
            ]);
        }
        expect(readRecipe("host").scripts).not.toHaveProperty("base");
        expect(readRecipe("mediawiki").packages).toEqual(expect.arrayContaining(["mediawiki", "mariadb-server"]));
        // What others wait for in any lab stays small.
        expect(USUAL_MEDIA).toEqual(["apache"]);
    });

    test("media are named with commas, and only those that can be made", async () => {
        const wanted: unknown[] = [];
        const context = {
            folder: new LabFolder(temporary),
            report: new Report(),
            signal: new AbortController().signal,
        };
        const parse = async (words: string): Promise<unknown> => {
            const lab = program(context).exitOverride();
            const start = lab.commands.find((command) => command.name() === "start");
            start?.exitOverride().configureOutput({ writeErr: () => undefined });
            start?.action((options: { media?: unknown }) => void wanted.push(options.media));
            return lab.parseAsync(["node", "lab", "start", "--media", words]);
        };
        await parse("apache,mediawiki,apache");
        expect(wanted).toEqual([["apache", "mediawiki"]]);
        await expect(parse("apache,windows")).rejects.toThrow(/"windows" is none of apache, mediawiki, moodle/);
    });

    test("a lab keeps the media it was made with, and says how to get others", async () => {
        const folder = new LabFolder(join(temporary, "other"));
        mkdirSync(folder.path, { recursive: true });
        const media = { machine: "OVMANAGER", folder: "/srv/media", names: ["apache"] };
        folder.writeLab({ version: 1, machines: [], saves: {}, media } as unknown as Lab);
        const context = { folder, report: new Report(), signal: new AbortController().signal };
        await expect(start(context, { media: ["apache", "mediawiki"] })).rejects.toThrow(
            "this lab was made without the guest medium mediawiki: npm run lab -- clean, " +
                "then npm run lab -- start --media apache,mediawiki",
        );
    });

    test("the key follows from packages and scripts", () => {
        const changed = [
            { ...recipe, packages: [...recipe.packages, "x"] },
            { ...recipe, scripts: { ...recipe.scripts, init: `${recipe.scripts.init}\n` } },
            { ...recipe, size: "1G" },
        ];
        expect(new Set([recipe, ...changed].map(keyOf)).size).toBe(4);
    });

    test("an image is taken from the cache by recipe and day; without a day, the youngest of the recipe", () => {
        const name = (day: string): string => `host-${keyOf(recipe)}-${day}`;
        const cached = [name("20260101"), "host-000000000000-20270101", name("20260301"), name("20260201")];
        expect(findCached(cached, recipe, "20260201")).toBe(name("20260201"));
        expect(findCached(cached, recipe, "20260401")).toBeUndefined();
        expect(findCached(cached, recipe, undefined)).toBe(name("20260301"));
        expect(findCached([], recipe, undefined)).toBeUndefined();
    });

    test("scripts are handed over as text, and sources by input", () => {
        const args = mmdebstrapArguments(recipe, false, true);
        expect(args).toContain("--mode=unshare");
        expect(args).toContain(`--customize-hook=${recipe.scripts.setup}`);
        expect(args.slice(-3)).toEqual(["bookworm", "-", "-"]);
        expect(mmdebstrapArguments(recipe, true, false).slice(-2)).toEqual(["bookworm", "-"]);
    });
});

describe("the computer", () => {
    test("missing packages are named once, with the command that installs them", () => {
        const missing = missingPackages(
            needs(false),
            (program) => !program.startsWith("ssh") && program !== "newuidmap",
        );
        expect(missing).toEqual(["openssh-client", "uidmap"]);
        expect(installCommand(missing, false)).toBe(
            "sudo apt-get install --no-install-recommends -y openssh-client uidmap",
        );
        expect(missingPackages(needs(true), () => true)).toEqual([]);
    });

    test("only Linux on x86-64 will do", () => {
        const machines = planMachines(2);
        expect(() => checkComputer(machines, { platform: "darwin", arch: "x64", memory: 1e6 })).toThrow(
            /Linux on x86-64/,
        );
        expect(() => checkComputer(machines, { platform: "linux", arch: "arm64", memory: 1e6 })).toThrow(/arm64/);
        expect(() => checkComputer(machines, { platform: "linux", arch: "x64", memory: 1e6 })).not.toThrow();
    });

    test("too little memory is refused with both figures", () => {
        const machines = planMachines(2);
        const words = new RegExp(`${memoryNeeded(machines)} MiB.*1000 MiB`);
        expect(() => checkComputer(machines, { platform: "linux", arch: "x64", memory: 1000 })).toThrow(words);
    });

    test("too little disk space is refused with both figures, and the folder", () => {
        const folder = mkdtempSync(join(tmpdir(), "disk-"));
        const wanted = 2 ** 40;
        expect(() => checkDisk(folder, wanted)).toThrow(
            new RegExp(`^too little disk space for ${folder}: ${wanted} MiB are needed, \\d+ MiB are left: free some$`),
        );
        expect(() => checkDisk(folder, 0)).not.toThrow();
        rmSync(folder, { recursive: true });
    });

    test("memory is read in MiB", () => {
        expect(parseMemory("MemTotal: 9 kB\nMemAvailable:   2097152 kB\n", "MemAvailable")).toBe(2048);
    });

    test("the accelerator can be forced, to a known one only", () => {
        expect(forcedAccelerator("tcg")).toBe("tcg");
        expect(forcedAccelerator("")).toBeUndefined();
        expect(() => forcedAccelerator("xen")).toThrow(/kvm or tcg/);
    });
});

describe("processes", () => {
    test("a name with spaces and parentheses does not shift the fields", () => {
        const fields = Array.from({ length: 20 }, (_, index) => `${index + 3}`);
        expect(parseStat(`7 (a) b) S ${fields.slice(1).join(" ")} 99`)).toEqual({ state: "S", startTicks: "22" });
    });

    test("another process under the same pid is another one", () => {
        const me = identify(process.pid)!;
        expect(isAlive(me)).toBe(true);
        expect(isAlive({ ...me, startTicks: "1" })).toBe(false);
        expect(isAlive({ ...me, bootId: "before" })).toBe(false);
        expect(isAlive(undefined)).toBe(false);
    });

    test("a program's words are in its error", async () => {
        await expect(run("sh", ["-c", "echo why >&2; exit 3"])).rejects.toThrow(/failed \(3\): why/);
        expect(await run("cat", [], { input: "text" })).toMatchObject({ stdout: "text", exitCode: 0 });
    });

    test("a program ends when it is too slow, and when it is aborted", async () => {
        expect(await run("sleep", ["60"], { timeout: 50, mayFail: true })).toMatchObject({ timedOut: true });
        await expect(run("sleep", ["60"], { signal: AbortSignal.timeout(50) })).rejects.toThrow();
    });
});

describe("state", () => {
    test("a folder without a lab says how to get one", () => {
        expect(() => readLab(temporary)).toThrow(/npm run lab -- start/);
    });

    test("sockets have short paths, whatever the folder", () => {
        const folder = new LabFolder(`/${"long/".repeat(40)}.lab`);
        expect(join(folder.sockets, "OVMSERVER01.monitor").length).toBeLessThan(107);
        expect(new LabFolder("/other/.lab").sockets).not.toBe(folder.sockets);
    });

    test("what is written down but gone is not running", () => {
        const folder = new LabFolder(temporary);
        const gone = { pid: 999_999_999, startTicks: "1", bootId: "x" };
        const me = identify(process.pid)!;
        folder.writeRun({ switch: gone, router: me, machines: { A: { process: gone, startedAt: "", cut: false } } });
        expect(folder.readRun()).toEqual({ router: me, machines: {} });
    });

    test("a lock is held by one, and freed afterwards", async () => {
        const file = join(temporary, "lock");
        let inside = 0;
        let most = 0;
        const use = async (): Promise<void> => {
            most = Math.max(most, ++inside);
            await new Promise((resolve) => setTimeout(resolve, 20));
            inside--;
        };
        await Promise.all([1, 2, 3].map(async () => withLock(file, 10, use)));
        expect(most).toBe(1);
        expect(existsSync(file)).toBe(false);
    });

    test("a lock of a process that is gone is taken over; one of a living process is not", async () => {
        const file = join(temporary, "lock");
        writeFileSync(file, JSON.stringify({ pid: 999_999_999, startTicks: "1", bootId: "x" }));
        expect(await withLock(file, 0, async () => "done")).toBe("done");
        writeFileSync(file, JSON.stringify(identify(process.pid)));
        await expect(withLock(file, 0, async () => "done")).rejects.toThrow(new RegExp(`process ${process.pid}`));
        expect(readFileSync(file, "utf8")).not.toBe("");
    });

    test("boots are counted from the last time the power went on", () => {
        const boot = "(XEN) noise\ninitrd: machine starts\r\n";
        expect(countBoots(`=== power on A ===\n${boot}${boot}\n=== power on B ===\n${boot}`)).toBe(1);
        expect(countBoots(`=== power on A ===\n${boot}${boot}`)).toBe(2);
        expect(countBoots(`=== power on A from "fresh" ===\n${boot}`)).toBe(2);
        expect(countBoots("")).toBe(0);
    });

    test.each([
        ["Xen or dom0", "ffff82d040577000", false],
        ["a guest's Linux", "fffffe0000000000", true],
        ["a guest that starts", "0000000000000000", true],
    ])("a processor in %s is told by its table of interrupts", (_, table, inGuest) => {
        const registers = `GDT=     ffff820000000000 0000efff\r\nIDT=     ${table} 00000fff\r\nCR0=80050033\r\n`;
        expect(isInGuest(registers)).toBe(inGuest);
    });

    test("a folder that is not there is made, also for its machines", () => {
        const folder = new LabFolder(join(temporary, "new"));
        mkdirSync(folder.path);
        expect(folder.exists).toBe(false);
        expect(folder.machine("A", "disk")).toBe(join(temporary, "new/machines/A/disk"));
    });
});
