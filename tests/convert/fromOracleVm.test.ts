import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { parse } from "yaml";
import { readAssignments } from "../../convert/assignments";
import { fromOracleVm, renderProposal } from "../../convert/fromOracleVm";
import { sample, specOf } from "../config/sample";

/** As the agent writes it for a guest that knows it is one (PV). */
const PV = `name = 'web1'
bootloader = '/usr/bin/pygrub'
memory = '1024'
vcpus = 2
disk = ['file:/var/ovs/mount/4D5D6DBC5DA14C81A97F5313F689F36F/running_pool/36_web1/System.img,xvda,w']
vif = ['mac=00:16:3E:0A:BB:C6, bridge=xenbr0, type=netfront']
vfb = ['type=vnc,vncunused=1,vnclisten=0.0.0.0,vncpasswd=geheim']
uuid = '36f8b1c0-0000-4000-8000-000000000001'
on_crash = 'destroy'
on_reboot = 'restart'
`;

/** As the agent writes it for a whole computer (HVM), installed from a CD. */
const HVM = `# made by the manager
name = "db-1"
builder = 'hvm'
kernel = '/usr/lib/xen/boot/hvmloader'
device_model = '/usr/lib/xen/bin/qemu-dm'
memory = '2048'; vcpus = 1
acpi = 1
apic = 1
pae = 1
boot = 'cd'
usbdevice = 'tablet'
disk = ['file:/OVS/running_pool/db-1/System.img,hda,w',
        # what it was installed from
        'file:/OVS/iso_pool/linux/linux.iso,hdc:cdrom,r',]
vif = ['bridge=xenbr1,mac=00:16:3e:09:bb:c6,type=ioemu']
vnc = 1
vncunused = 1
vnclisten = '0.0.0.0'
cpu_weight = 512
on_crash = 'restart'
`;

function faults(text: string): string[] {
    const result = fromOracleVm(text);
    return "faults" in result ? result.faults.map(({ path, problem }) => `${path}: ${problem}`) : [];
}

function proposed(text: string): string {
    const result = fromOracleVm(text);
    if ("faults" in result) {
        throw new Error(JSON.stringify(result.faults));
    }
    return renderProposal(result.proposal);
}

describe("a guest of Oracle VM", () => {
    test("that is paravirtualised becomes an entry of the configuration", () => {
        expect(proposed(PV)).toMatchSnapshot();
    });

    test("that is fully virtualised does, too, and what it loses is named", () => {
        expect(proposed(HVM)).toMatchSnapshot();
    });

    test.each([PV, HVM])("is accepted once it has an address", (text) => {
        const guests = parse(proposed(text).replace("ADDRESS", "192.168.1.111")) as unknown[];
        expect(specOf({ ...sample(), guests }).guests[0]).toMatchObject({ address: "192.168.1.111" });
    });

    test("shows nothing that may be a password", () => {
        const text = `${PV}vncpasswd = 'geheim' + ''\npasswort = 'geheim'\n`;
        expect(JSON.stringify(fromOracleVm(text))).not.toContain("geheim");
        expect(proposed(PV)).not.toContain("geheim");
    });

    const disk = (entry: string): string => PV.replace(/disk = .*/, `disk = [${entry}]`);
    test.each([
        ["no name", PV.replace(/name = .*/, ""), ["name: is missing or no text"]],
        ["a name that no host can have", PV.replace("web1'", "36_web1'"), ["name: is no legal host name"]],
        ["no memory", PV.replace(/memory.*/, ""), ["memory: is missing or no number that a guest can have"]],
        ["a physical disk", disk("'phy:/dev/sdb,xvda,w'"), ["disk: is no disk in a file"]],
        ["a shared disk", disk("'file:/a,xvda,w!'"), ["disk: is shared by several guests"]],
        ["a disk that is only read", disk("'file:/a,xvda,r'"), ["disk: is not written to"]],
        ["a second disk", disk("'file:/a,xvda,w', 'file:/b,xvdb,w'"), ["disk: is a second disk"]],
        ["no disk but a drive", disk("'file:/a,hdc:cdrom,r'"), ["disk: has no disk"]],
        ["no network", PV.replace(/vif.*/, "vif = []"), ["vif: has no network interface"]],
        ["two networks", PV.replace(/vif.*/, "vif = ['bridge=a', 'bridge=b']"), ["vif: is a second network interface"]],
        ["a wrong MAC address", PV.replace("3E:0A", "3E"), [expect.stringMatching(/^vif: /)]],
        ["a device of the host", `${PV}pci = ['0000:02:00.0']`, ["pci: cannot be carried"]],
        ["a USB device", `${PV}usbdevice = 'host:1234:5678'`, ["usbdevice: cannot be carried"]],
        ["an unknown key", `${PV}memroy = 5`, ["memroy: is no key this program knows"]],
        ["a program", `import os\n${PV}`, ["line 1: is more than a name with a plain value"]],
        [
            "an expression",
            PV.replace("vcpus = 2", "vcpus = 1 + 1"),
            ["vcpus in line 4: is more than a name with a plain value"],
        ],
        [
            "several of these",
            `${disk("'phy:/dev/sdb,xvda,w'")}pci = []`,
            ["disk: is no disk in a file", "pci: cannot be carried"],
        ],
    ])("with %s is refused by name", (_, text, expected) => {
        expect(faults(text)).toEqual(expected);
    });

    test("suggests what was meant", () => {
        const result = fromOracleVm(`${PV}memroy = 5`);
        expect(result).toMatchObject({
            faults: [{ remedy: expect.stringContaining("did you mean memory?") as string }],
        });
    });

    test("is never answered by a stack trace", () => {
        const word = fc.constantFrom(
            ..."[](),='\"\\\n#; ",
            "name",
            "disk",
            "vif",
            "memory",
            "0x1",
            "True",
            "__proto__",
        );
        const texts = [fc.string({ unit: "binary" }), fc.array(word).map((words) => words.join(""))];
        fc.assert(
            fc.property(fc.oneof(...texts), fc.nat(PV.length), (text, at) => {
                const result = fromOracleVm(PV.slice(0, at) + text + PV.slice(at));
                if ("faults" in result) {
                    expect(result.faults.length).toBeGreaterThan(0);
                } else {
                    expect(parse(renderProposal(result.proposal))).toHaveLength(1);
                }
            }),
            { numRuns: 2000 },
        );
    });
});

test("plain values are read as Python reads them", () => {
    const report = jest.fn();
    const text = `a = 'it\\'s'\r\nb = "\\\\n"\nc=[1, (2, 'x'), [], None,]\nd = 0x10 # sixteen\ne = True; f = ''\na = 2`;
    const values = [...readAssignments(text, report)].map(([name, { value }]) => [name, value]);
    expect(values).toEqual([
        ["a", 2],
        ["b", "\\n"],
        ["c", [1, [2, "x"], [], null]],
        ["d", 16],
        ["e", true],
        ["f", ""],
    ]);
    expect(report).not.toHaveBeenCalled();
});

describe("the command", () => {
    const folder = mkdtempSync(join(tmpdir(), "vm-cfg-"));
    const command = ["--require", "tsx/cjs", join(__dirname, "../../bin/fromOracleVm.ts")];
    const run = (...files: string[]) => spawnSync(process.execPath, [...command, ...files], { encoding: "utf8" });
    const write = (text: string): string => {
        const file = join(folder, "vm.cfg");
        writeFileSync(file, text);
        return file;
    };

    afterAll(() => rmSync(folder, { recursive: true }));

    test("prints the entry, and nothing else", () => {
        const printed = execFileSync(process.execPath, [...command, write(PV)], { encoding: "utf8" });
        expect(printed).toBe(proposed(PV));
    });

    test("says what is in the way", () => {
        const { status, stdout, stderr } = run(write(`${PV}pci = []`));
        expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
        expect(stderr).toContain("cannot be carried over as it is:\n   1. pci = []\n");
    });

    test("says which file it cannot read, and that it needs one", () => {
        expect(run(join(folder, "none"))).toMatchObject({
            status: 1,
            stderr: expect.stringMatching(/^cannot read .*none: ENOENT[^\n]*\n$/) as string,
        });
        expect(run()).toMatchObject({
            status: 1,
            stderr: expect.stringMatching(/^say which file: [^\n]*\n$/) as string,
        });
    });
});
