/** What the lab needs of this computer, checked before anything is made. */
import { accessSync, constants, existsSync, mkdirSync, readFileSync, statfsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { LabError } from "./errors";
import { run, type RunResult } from "./run";
import { type MachinePlan } from "./machines";
import { type Report } from "./report";

/** A program the lab calls, and the Debian package it comes with. */
export interface Need {
    program: string;
    package: string;
}

/** What the lab calls. Without root, mmdebstrap needs the means to act for other users as well. */
export function needs(asRoot: boolean): Need[] {
    return [
        { program: "qemu-system-x86_64", package: "qemu-system-x86" },
        { program: "qemu-img", package: "qemu-utils" },
        { program: "vde_switch", package: "vde2" },
        { program: "mmdebstrap", package: "mmdebstrap" },
        { program: "mke2fs", package: "e2fsprogs" },
        { program: "xz", package: "xz-utils" },
        { program: "ssh", package: "openssh-client" },
        { program: "ssh-keygen", package: "openssh-client" },
        ...(asRoot ? [] : [{ program: "newuidmap", package: "uidmap" }]),
    ];
}

/** Folders in which programs are looked for: those of administration too, which are not on every user's PATH. */
export function programFolders(path = process.env["PATH"] ?? ""): string[] {
    return [...new Set([...path.split(delimiter).filter(Boolean), "/usr/sbin", "/sbin"])];
}

function has(program: string): boolean {
    return programFolders().some((folder) => {
        try {
            accessSync(join(folder, program), constants.X_OK);
            return true;
        } catch {
            return false;
        }
    });
}

/** Packages whose programs are missing, each once. */
export function missingPackages(wanted: readonly Need[], present: (program: string) => boolean = has): string[] {
    return [...new Set(wanted.filter(({ program }) => !present(program)).map((need) => need.package))];
}

/** The command that installs packages. */
export function installCommand(packages: readonly string[], asRoot: boolean): string {
    return `${asRoot ? "" : "sudo "}apt-get install --no-install-recommends -y ${packages.join(" ")}`;
}

/** Memory the machines may come to use, in MiB, with what QEMU itself takes under emulation. */
export function memoryNeeded(machines: readonly MachinePlan[]): number {
    return machines.reduce((sum, { memory }) => sum + memory + 256, 0);
}

/** Disk space asked for before images are built, and for a lab that only runs, in MiB. */
export const DISK = { build: 6000, run: 3000 } as const;

/** A value of /proc/meminfo in MiB. */
export function parseMemory(text: string, field: string): number {
    return Math.floor(Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) / 1024);
}

/**
 * Refuses a computer the lab cannot run on, in words that say what is missing.
 *
 * @param machines those that are not running yet
 */
export function checkComputer(
    machines: readonly MachinePlan[],
    computer: { platform: string; arch: string; memory: number } = {
        platform: process.platform,
        arch: process.arch,
        memory: process.platform === "linux" ? parseMemory(readFileSync("/proc/meminfo", "utf8"), "MemAvailable") : 0,
    },
): void {
    if (computer.platform !== "linux" || computer.arch !== "x64") {
        throw new LabError(`the lab runs on Linux on x86-64, not on ${computer.platform} on ${computer.arch}`);
    }
    const needed = memoryNeeded(machines);
    if (computer.memory < needed) {
        throw new LabError(
            `too little memory: ${machines.length} machines need ${needed} MiB, this computer has ` +
                `${computer.memory} MiB to give`,
        );
    }
}

/** Refuses a folder on a disk that has less than `megabytes` left. */
export function checkDisk(folder: string, megabytes: number): void {
    mkdirSync(folder, { recursive: true });
    const { bavail, bsize } = statfsSync(folder);
    const free = Math.floor((bavail * bsize) / (1 << 20));
    if (free < megabytes) {
        throw new LabError(
            `too little disk space for ${folder}: ${megabytes} MiB are needed, ${free} MiB are left: free some`,
        );
    }
}

/**
 * Makes sure that the packages are there.
 *
 * @param install install what is missing, even when not root (with sudo)
 * @throws LabError that names them and the command that installs them
 */
export async function ensurePackages(report: Report, install: boolean, signal: AbortSignal): Promise<void> {
    process.env["PATH"] = programFolders().join(delimiter);
    const asRoot = process.getuid?.() === 0;
    const missing = missingPackages(needs(asRoot));
    if (missing.length === 0) {
        return;
    }
    const command = installCommand(missing, asRoot);
    if (!asRoot && !install) {
        throw new LabError(`missing Debian packages: ${missing.join(", ")}\nInstall them with:  ${command}`);
    }
    if (!existsSync("/usr/bin/apt-get")) {
        throw new LabError(
            `missing programs of the Debian packages ${missing.join(", ")}, and there is no apt-get here`,
        );
    }
    await report.step(`installing ${missing.join(", ")}`, async () => {
        const apt = async (words: string[]): Promise<RunResult> =>
            run(asRoot ? "env" : "sudo", [...(asRoot ? [] : ["env"]), "DEBIAN_FRONTEND=noninteractive", ...words], {
                mayFail: true,
                signal,
                terminal: !asRoot,
            });
        const install = ["apt-get", "install", "--no-install-recommends", "-y", ...missing];
        // The lists may be missing or old; that shows only when a package cannot be had.
        if ((await apt(install)).failed) {
            await apt(["apt-get", "update"]);
            const { failed, all } = await apt(install);
            signal.throwIfAborted();
            if (failed) {
                throw new LabError(`"${command}" failed:\n${all.trim().split("\n").slice(-10).join("\n")}`);
            }
        }
    });
}
