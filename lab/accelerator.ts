/**
 * How the machines' instructions are executed. /dev/kvm may be there and yet hang any kernel (in some clouds), so it
 * is believed only after it has booted one.
 */
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LabError } from "./errors";
import { run } from "./run";
import { cacheFolder, keyOf } from "./image";
import { type Accelerator } from "./qemu";

/** Seconds a kernel gets to come up; on hardware it takes two. */
const PROBE_SECONDS = 10;

/** What OVM_HA_LAB_ACCEL asks for; undefined: find out. */
export function forcedAccelerator(value = process.env["OVM_HA_LAB_ACCEL"]): Accelerator | undefined {
    if (value === undefined || value === "" || value === "tcg" || value === "kvm") {
        return value === "" ? undefined : value;
    }
    throw new LabError(`OVM_HA_LAB_ACCEL is "${value}"; it may be kvm or tcg`);
}

/** Boots the kernel of the image with KVM, without a disk: it comes as far as missing its root, if KVM works. */
async function probeKvm(image: string, signal: AbortSignal): Promise<boolean> {
    const result = await run(
        "qemu-system-x86_64",
        [
            ...["-nodefaults", "-no-user-config", "-display", "none", "-vga", "none", "-machine", "pc", "-m", "256"],
            ...["-accel", "kvm", "-cpu", "host", "-smp", "2", "-no-reboot", "-serial", "stdio"],
            ...["-kernel", "vmlinuz", "-append", "console=ttyS0 panic=-1"],
        ],
        { cwd: image, mayFail: true, timeout: PROBE_SECONDS * 1000, patience: 100, signal },
    );
    signal.throwIfAborted();
    return result.stdout.includes("Unable to mount root fs");
}

/**
 * The accelerator to use. The answer of a probe is kept until this computer starts again.
 *
 * @param image folder of the host image
 */
export async function findAccelerator(image: string, signal: AbortSignal): Promise<Accelerator> {
    const forced = forcedAccelerator();
    if (forced) {
        return forced;
    }
    try {
        accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
    } catch {
        return "tcg";
    }
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const answers = join(cacheFolder(), "kvm");
    const file = join(answers, keyOf([boot, image, process.getuid?.()]));
    if (existsSync(file)) {
        return readFileSync(file, "utf8") === "kvm" ? "kvm" : "tcg";
    }
    const answer = (await probeKvm(image, signal)) ? "kvm" : "tcg";
    mkdirSync(answers, { recursive: true });
    writeFileSync(file, answer);
    return answer;
}
