import { type Fault, type Report } from "../config/faults";
import { nearest } from "../config/nearest";
import * as texts from "../config/texts";
import { type Assignment, type Plain, readAssignments } from "./assignments";

/** A guest as `guests` of the configuration has it, as far as its vm.cfg tells. */
export interface Proposal {
    readonly name: string;
    /** MiB. */
    readonly memory: number;
    readonly vcpus: number;
    /** As it was written; absent when Xen was to make one up at every start. */
    readonly mac?: string;
    /** Where its disk lies on the Oracle VM server. */
    readonly image: string;
    /** Whether it was fully virtualised (HVM), and not paravirtualised (PV). */
    readonly hvm: boolean;
    /** What it had and will not have, in the words of vm.cfg. */
    readonly left: readonly string[];
}

/** What somebody must do before a key can be carried. */
const REFUSED: Readonly<Record<string, string>> = {
    pci: "a guest that holds a device of one machine cannot move: give the device up, and take the line out",
    irq: "a guest that holds a device of one machine cannot move: give the device up, and take the line out",
    ioports: "a guest that holds a device of one machine cannot move: give the device up, and take the line out",
    vscsi: "SCSI devices are not carried: copy what is on them into the guest's disk, and take the line out",
    vtpm: "a TPM is not carried: take the line out if nothing in the guest is sealed with it",
    nfs_server: "a root on NFS is not carried: copy it into an image, and put that into `disk`",
    nfs_root: "a root on NFS is not carried: copy it into an image, and put that into `disk`",
};

/** Said in the proposal, because the guest may miss it. */
const LEFT = [
    "cpus",
    "cpu_weight",
    "cpu_cap",
    "maxmem",
    "maxvcpus",
    "vcpu_avail",
    "shadow_memory",
    "extra",
    "localtime",
];

/** How it was started, shown and ended: the stack has its own way. */
const OWN_WAY = `acpi apic bootargs bootloader boot device_model features hap hpet kernel keymap monitor nographic
    on_crash on_poweroff on_reboot on_shutdown on_xend_start on_xend_stop pae ramdisk root rtc_timeoffset sdl serial
    stdvga timer_mode usb usbdevice uuid vfb viridian vnc vncconsole vncdisplay vnclisten vncpasswd vncunused xauthority
    display`.split(/\s+/);

const USED = ["name", "memory", "vcpus", "vif", "disk", "builder"];
const KNOWN = [...USED, ...LEFT, ...OWN_WAY, ...Object.keys(REFUSED)];

/** The bridge that guests are plugged into, as on Oracle VM's first one. */
const BRIDGE = "xenbr0";

/** `key=value` pairs of a vif. */
function pairs(text: string): Map<string, string> {
    return new Map(
        text
            .split(",")
            .map((part) => part.trim().split("="))
            .map(([key = "", ...rest]) => [key.trim(), rest.join("=").trim()]),
    );
}

function strings(value: Plain): readonly string[] | undefined {
    const items = Array.isArray(value) ? (value as readonly Plain[]) : [value];
    return items.every((item) => typeof item === "string") ? items : undefined;
}

/** What a file tells, key by key; every fault goes to `report`. */
class Reading {
    readonly left: string[] = [];

    constructor(
        private readonly values: ReadonlyMap<string, Assignment>,
        private readonly report: Report,
    ) {}

    fault(path: string, problem: string, remedy: string, value: unknown = this.values.get(path)?.value): undefined {
        this.report({ path, value, problem, remedy });
        return undefined;
    }

    name(): string | undefined {
        const name = this.values.get("name")?.value;
        if (typeof name !== "string") {
            return this.fault("name", "is missing or no text", "write name = '…', which becomes the guest's host name");
        }
        const complaint = texts.hostName(name);
        return complaint === undefined ? name : this.fault("name", complaint.problem, complaint.remedy);
    }

    /** A whole number, which Oracle VM also writes in quotes. */
    number(key: string, ifMissing: number | undefined, least: number, most: number): number | undefined {
        const value = this.values.get(key)?.value ?? ifMissing;
        const number = typeof value === "string" && /^\d{1,9}$/.test(value.trim()) ? Number(value) : value;
        return typeof number === "number" && number >= least && number <= most
            ? number
            : this.fault(key, "is missing or no number that a guest can have", `write one from ${least} to ${most}`);
    }

    hvm(): boolean {
        const builder = this.values.get("builder")?.value ?? "linux";
        if (builder !== "hvm" && builder !== "linux" && builder !== "generic") {
            this.fault("builder", "is no builder of Oracle VM's", "write 'hvm', or take the line out for a PV guest");
        }
        return builder === "hvm";
    }

    image(): string | undefined {
        const disks = strings(this.values.get("disk")?.value ?? []);
        if (disks === undefined) {
            return this.fault("disk", "has something that is no text", "write ['file:/…/System.img,xvda,w']");
        }
        const isDrive = (disk: string): boolean => (disk.split(",")[1] ?? "").endsWith(":cdrom");
        const [first, ...others] = disks.filter((disk) => !isDrive(disk));
        disks.filter(isDrive).forEach((drive) => this.left.push(`CD drive ${drive}`));
        if (first === undefined) {
            return this.fault("disk", "has no disk", "write ['file:/…/System.img,xvda,w']");
        }
        for (const other of others) {
            this.fault("disk", "is a second disk", "copy what is on it into the first one, and take it out", other);
        }
        const [, kind, path = ""] = /^([a-z:0-9]+):(\/[^,]*)/.exec(first) ?? [];
        if (kind !== "file" && kind !== "tap:aio") {
            const remedy = "copy the device into a file with dd, and write 'file:/PATH,xvda,w'";
            return this.fault("disk", "is no disk in a file", remedy, first);
        }
        const mode = first.split(",")[2]?.trim();
        if (mode !== "w") {
            const remedy = "only disks that one guest alone writes to are carried: write w if that is true";
            this.fault("disk", mode === "w!" ? "is shared by several guests" : "is not written to", remedy, first);
        }
        return path;
    }

    mac(): string | undefined {
        const cards = strings(this.values.get("vif")?.value ?? []);
        const [first, ...others] = cards ?? [];
        if (first === undefined) {
            const remedy = "a guest here has just one: write ['mac=…, bridge=…']";
            return this.fault("vif", "has no network interface", remedy);
        }
        for (const other of others) {
            const remedy = "a guest here has just one: route instead, or take it out";
            this.fault("vif", "is a second network interface", remedy, other);
        }
        const settings = pairs(first);
        const bridge = settings.get("bridge");
        if (bridge !== undefined && bridge !== BRIDGE) {
            this.left.push(`bridge ${bridge} (it is ${BRIDGE} here)`);
        }
        for (const key of ["rate", "ip", "script"]) {
            if (settings.has(key)) {
                this.left.push(`${key}=${settings.get(key) ?? ""} of vif`);
            }
        }
        const mac = settings.get("mac");
        const complaint = mac === undefined ? undefined : texts.mac(mac);
        return complaint === undefined ? mac : this.fault("vif", complaint.problem, complaint.remedy, mac);
    }

    others(): void {
        for (const [key, { value }] of this.values) {
            const refused = Object.hasOwn(REFUSED, key) ? REFUSED[key] : undefined;
            if (refused !== undefined) {
                this.fault(key, "cannot be carried", refused);
            } else if (key === "usbdevice" && value !== "tablet") {
                this.fault(key, "cannot be carried", "take the line out if the guest does without the device");
            } else if (LEFT.includes(key)) {
                this.left.push(`${key} = ${JSON.stringify(value)}`);
            } else if (!KNOWN.includes(key)) {
                const meant = nearest(key, KNOWN);
                const remedy = "take the line out if the guest does without it";
                this.report({
                    path: key,
                    // Not shown: it may be a password.
                    value: undefined,
                    problem: "is no key this program knows",
                    remedy: meant === undefined ? remedy : `did you mean ${meant}? Otherwise ${remedy}`,
                });
            }
        }
    }
}

/**
 * Reads an Oracle VM 2.2 guest's vm.cfg, of the PV or the HVM form.
 *
 * @returns the guest, or everything that is in the way of carrying it over
 */
export function fromOracleVm(vmCfg: string): { readonly proposal: Proposal } | { readonly faults: readonly Fault[] } {
    const faults: Fault[] = [];
    const report: Report = (fault) => void faults.push(fault);
    const reading = new Reading(readAssignments(vmCfg, report), report);
    const name = reading.name();
    const memory = reading.number("memory", undefined, 64, 1048576);
    const vcpus = reading.number("vcpus", 1, 1, 128);
    const hvm = reading.hvm();
    const image = reading.image();
    const mac = reading.mac();
    reading.others();
    return faults.length > 0 || name === undefined || memory === undefined || vcpus === undefined || image === undefined
        ? { faults }
        : { proposal: { name, memory, vcpus, ...(mac !== undefined && { mac }), image, hvm, left: reading.left } };
}

/** The entry for `guests`, in YAML, with what remains to be done as comments. ADDRESS is left for a person. */
export function renderProposal({ name, memory, vcpus, mac, image, hvm, left }: Proposal): string {
    const comment = (text: string): string => `  # ${text.replace(/[^ -~]/g, "?")}`;
    return [
        `# An entry for \`guests\` of the stack's configuration; what is left to do: docs/from-oracle-vm.md`,
        `- name: ${JSON.stringify(name)}`,
        comment("vm.cfg does not have it: the one that the guest's own settings give it."),
        "  address: ADDRESS",
        comment(`On the manager, made from ${image}:`),
        `  medium: ${JSON.stringify(`/srv/media/${name}`)}`,
        ...(hvm ? [comment("It was fully virtualised: it must be a Linux whose kernel boots as PVH.")] : []),
        `  memory: ${memory}`,
        `  vcpus: ${vcpus}`,
        comment("GiB, as large as the image or larger:"),
        "  disk: 10",
        ...(mac === undefined ? [] : [`  mac: ${JSON.stringify(mac.toLowerCase())}`]),
        ...left.map((what) => comment(`Left behind: ${what}`)),
        "",
    ].join("\n");
}
