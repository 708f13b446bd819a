/**
 * The images: one root for all machines, and the guest media. Built once by content, into a cache outside the project.
 *
 * The name of an image holds a hash of everything it is made of (package list, scripts) and the day of the archive.
 * An image appears under that name only when it is complete, so an interrupted build leaves nothing that looks usable.
 */
import { createHash } from "node:crypto";
import {
    chmodSync,
    copyFileSync,
    createReadStream,
    existsSync,
    linkSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    renameSync,
    statSync,
    writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { LabError, messageOf } from "./errors";
import { run } from "./run";
import { identify, isAlive } from "./process";
import { type Report } from "./report";
import { type Archive, findArchive, RELEASE } from "./sources";
import { withLock } from "./state";

/** Folder with the build scripts. */
const SCRIPTS = join(__dirname, "image");

/** The guest media that can be made: each is a folder of {@link SCRIPTS}. */
export const MEDIA = ["apache", "mediawiki", "moodle"] as const;

/** Name of a guest medium. */
export type Medium = (typeof MEDIA)[number];

/** The media of a lab for which nobody names others: whoever wants more waits for their making. */
export const USUAL_MEDIA: readonly Medium[] = ["apache"];

/** Folder with what all guest media are made of, beside their own. */
const BASE = "web";

/** Sizes of the file systems, as mke2fs takes them. The files are sparse. */
const SIZES: Readonly<Record<"host" | Medium, string>> = {
    host: "10G",
    apache: "768M",
    mediawiki: "1536M",
    moodle: "1536M",
};

/** Everything an image is made of, but for the archive. */
export interface Recipe {
    name: string;
    packages: string[];
    modules: string[];
    size: string;
    /** Texts of the scripts, by what they are for. */
    scripts: { common: string; base?: string; setup: string; initrd: string; init: string; export: string };
}

/** Images that are ready: folders with `root.img`, `vmlinuz`, `initrd.img` and `xen`, and one with `media.img`. */
export interface Images {
    host: string;
    media: string;
    /** Whether anything had to be built. */
    built: boolean;
}

/** Folder of the cache: `ovm-ha-cluster` in XDG_CACHE_HOME, by default ~/.cache. */
export function cacheFolder(): string {
    return join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "ovm-ha-cluster");
}

/** The words of a list file: one a line, with comments. */
export function parseWords(text: string): string[] {
    return text
        .split("\n")
        .map((line) => line.replace(/#.*/, "").trim())
        .filter(Boolean);
}

/** The recipe of an image, from its folder of scripts. */
export function readRecipe(name: "host" | Medium): Recipe {
    const read = (...path: string[]): string => readFileSync(join(SCRIPTS, ...path), "utf8");
    const base = name === "host" ? [] : [BASE];
    return {
        name,
        packages: [...base, name].flatMap((folder) => parseWords(read(folder, "packages"))),
        modules: parseWords(read(base[0] ?? name, "modules")),
        size: SIZES[name],
        scripts: {
            common: read("common.sh"),
            ...(name === "host" ? {} : { base: read(BASE, "setup.sh") }),
            setup: read(name, "setup.sh"),
            initrd: read("initrd.sh"),
            init: read("init"),
            export: read("export.sh"),
        },
    };
}

/** A short hash of some content. */
export function keyOf(content: unknown): string {
    return createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 12);
}

/**
 * The image to use, among those in the cache: the one of this very recipe and day; when the day is not known, the
 * youngest one of this recipe. Undefined when it has to be built.
 *
 * @param cached names of the images in the cache, `NAME-KEY-DAY`
 */
export function findCached(cached: readonly string[], recipe: Recipe, day: string | undefined): string | undefined {
    const prefix = `${recipe.name}-${keyOf(recipe)}-`;
    const fitting = cached.filter((name) => name.startsWith(prefix)).sort();
    return day === undefined ? fitting.at(-1) : fitting.find((name) => name === `${prefix}${day}`);
}

/** The words after `mmdebstrap` that make an image's root and export it. `sources` is the text on its input. */
export function mmdebstrapArguments(recipe: Recipe, asRoot: boolean, hasSources: boolean): string[] {
    const { scripts } = recipe;
    const leftOut = ["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*"];
    return [
        `--mode=${asRoot ? "root" : "unshare"}`,
        "--variant=apt",
        "--format=null",
        `--include=${recipe.packages.join(",")}`,
        ...leftOut.map((path) => `--dpkgopt=path-exclude=${path}`),
        '--aptopt=Acquire::Languages "none"',
        // The scripts go as text: within mmdebstrap's user namespace this folder may not be readable.
        `--essential-hook=${scripts.common}`,
        ...(scripts.base === undefined ? [] : [`--customize-hook=${scripts.base}`]),
        `--customize-hook=${scripts.setup}`,
        `--customize-hook=${scripts.initrd}`,
        `--customize-hook=${scripts.export}`,
        RELEASE,
        "-",
        ...(hasSources ? ["-"] : []),
    ];
}

/** Names of complete images in the cache. */
function cachedImages(folder: string): string[] {
    return existsSync(folder) ? readdirSync(folder).filter((name) => !name.startsWith("work-")) : [];
}

/** Removes what builds left behind whose process is gone: killed, or the computer went down. */
async function removeLeftovers(folder: string): Promise<void> {
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
        const [, pid, ticks] = /^work-(\d+)-(\d+)-/.exec(name) ?? [];
        if (pid !== undefined && identify(Number(pid))?.startTicks !== ticks) {
            await removeTree(join(folder, name));
        }
    }
}

/** Removes a folder, but nothing that is mounted inside it. */
async function removeTree(path: string): Promise<void> {
    await run("rm", ["-rf", "--one-file-system", path], { mayFail: true });
}

/** Makes a folder for one build, and removes it whatever happens. */
async function withWorkFolder<T>(folder: string, use: (work: string) => Promise<T>): Promise<T> {
    const me = identify(process.pid);
    const work = mkdtempSync(join(folder, `work-${process.pid}-${me?.startTicks ?? 0}-`));
    try {
        return await use(work);
    } finally {
        await removeTree(work);
    }
}

/** Builds one image with mmdebstrap; returns its folder in the cache. */
async function build(folder: string, recipe: Recipe, archive: Archive, signal: AbortSignal): Promise<string> {
    const asRoot = process.getuid?.() === 0;
    // Without root, mmdebstrap works as another user, who must get at the folder but cannot be expected in a home.
    return withWorkFolder(asRoot ? folder : "/var/tmp", async (work) => {
        const out = join(work, "out");
        mkdirSync(out);
        if (!asRoot) {
            chmodSync(work, 0o711);
            chmodSync(out, 0o777);
        }
        const log = join(folder, "..", `build-${recipe.name}.log`);
        const result = await run("mmdebstrap", mmdebstrapArguments(recipe, asRoot, archive.sources !== undefined), {
            input: archive.sources ?? "",
            mayFail: true,
            signal,
            patience: 30_000,
            env: {
                ...(asRoot && { TMPDIR: work }),
                OUT: out,
                FS_SIZE: recipe.size,
                FS_LABEL: recipe.name,
                INITRD_INIT: recipe.scripts.init,
                INITRD_MODULES: recipe.modules.join(" "),
            },
        });
        writeFileSync(log, result.all);
        signal.throwIfAborted();
        if (result.failed) {
            const end = result.all.trim().split("\n").slice(-15).join("\n");
            throw new LabError(`the image "${recipe.name}" could not be built; whole log in ${log}\n${end}`);
        }
        const day = archive.day ?? new Date().toISOString().slice(0, 10).replaceAll("-", "");
        const target = join(folder, `${recipe.name}-${keyOf(recipe)}-${day}`);
        await publish(folder, out, target);
        return target;
    });
}

/** Makes a finished folder appear in the cache at once. */
async function publish(folder: string, from: string, target: string): Promise<void> {
    if (statSync(from).dev === statSync(folder).dev) {
        await removeTree(target);
        renameSync(from, target);
    } else {
        await withWorkFolder(folder, async (work) => {
            await run("cp", ["-r", "--sparse=always", from, join(work, "out")]);
            await removeTree(target);
            renameSync(join(work, "out"), target);
        });
    }
}

/** SHA-256 of a file, in hexadecimal. */
async function hashFile(file: string): Promise<string> {
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
        hash.update(chunk as Buffer);
    }
    return hash.digest("hex");
}

/**
 * Makes the disk that lies in the manager like the installation medium in a drive: a folder for each medium, with
 * `System.img`, `vmlinuz`, `initrd.img`, `packages.txt` and `SHA256SUMS`.
 */
async function buildMedia(folder: string, media: ReadonlyMap<string, string>, target: string): Promise<void> {
    await withWorkFolder(folder, async (work) => {
        const out = join(work, "out");
        let megabytes = 64;
        for (const [name, image] of media) {
            const place = join(work, "tree", name);
            mkdirSync(place, { recursive: true });
            const sums: string[] = [];
            for (const [from, to] of [
                ["root.img", "System.img"],
                ["vmlinuz", "vmlinuz"],
                ["initrd.img", "initrd.img"],
                ["packages.txt", "packages.txt"],
            ] as const) {
                const file = join(image, from);
                linkOrCopy(file, join(place, to));
                sums.push(`${await hashFile(file)}  ${to}\n`);
                megabytes += Math.ceil((statSync(file).blocks * 512) / 1e6) + 1;
            }
            writeFileSync(join(place, "SHA256SUMS"), sums.join(""));
        }
        mkdirSync(out);
        await run("mke2fs", [
            ...["-q", "-F", "-t", "ext4", "-L", "media", "-m", "0", "-O", "^has_journal", "-N", "1024"],
            ...["-E", "root_owner=0:0,nodiscard,lazy_itable_init=0", "-d", join(work, "tree")],
            ...[join(out, "media.img"), `${Math.ceil(megabytes * 1.05)}M`],
        ]);
        await publish(folder, out, target);
    });
}

function linkOrCopy(from: string, to: string): void {
    try {
        linkSync(from, to);
    } catch {
        copyFileSync(from, to);
    }
}

/**
 * Makes sure that all images are there, building what is missing, all at the same time.
 *
 * When a build fails (without network, for example) but the cache holds an image of the same recipe from an older day
 * of the archive, that one is taken, with a warning.
 *
 * @param wanted the guest media to put on the disk, in this order
 * @throws LabError with the end of the log when there is nothing to go on with
 */
export async function ensureImages(
    wanted: readonly Medium[],
    report: Report,
    signal: AbortSignal,
    archive = findArchive(),
): Promise<Images> {
    const folder = join(cacheFolder(), "images");
    mkdirSync(folder, { recursive: true });
    let built = false;
    const ensure = async (name: "host" | Medium): Promise<string> => {
        const recipe = readRecipe(name);
        const look = (day: string | undefined): string | undefined => {
            const found = findCached(cachedImages(folder), recipe, day);
            return found && join(folder, found);
        };
        const cached = look(archive.day);
        if (cached) {
            return cached;
        }
        const lock = join(cacheFolder(), `build-${name}-${keyOf(recipe)}.lock`);
        const run = async (): Promise<string> =>
            withLock(
                lock,
                1800,
                // Somebody else may have built it in the meantime.
                async () => look(archive.day) ?? (await build(folder, recipe, archive, signal)),
                signal,
            );
        try {
            const path = await report.step(`building the image "${name}" from packages`, run);
            built = true;
            return path;
        } catch (error) {
            const older = signal.aborted ? undefined : look(undefined);
            if (!older) {
                throw error;
            }
            report.warn(`${messageOf(error).split("\n")[0] ?? ""}; going on with ${basename(older)}`);
            return older;
        }
    };
    if (!cachedImages(folder).length) {
        report.note("The images are built from Debian packages, once; this takes some minutes.");
    }
    await removeLeftovers(folder);
    const results = await Promise.allSettled((["host", ...wanted] as const).map(ensure));
    const failed = results.find((result) => result.status === "rejected");
    if (failed) {
        throw failed.reason;
    }
    const [host = "", ...guests] = results.map((result) => (result.status === "fulfilled" ? result.value : ""));
    const media = new Map(wanted.map((name, index) => [name as string, guests[index] ?? ""]));
    const disk = join(folder, `media-${keyOf([...media].map(([name, path]) => [name, basename(path)]))}`);
    if (!existsSync(disk)) {
        await report.step("putting the guest media on a disk", async () => buildMedia(folder, media, disk));
        built = true;
    }
    return { host, media: disk, built };
}

/** Whether a build runs in the cache, as far as its work folders tell. */
export function buildRuns(): boolean {
    const folder = join(cacheFolder(), "images");
    return (existsSync(folder) ? readdirSync(folder) : []).some((name) => {
        const [, pid, ticks] = /^work-(\d+)-(\d+)-/.exec(name) ?? [];
        const process = pid === undefined ? undefined : identify(Number(pid));
        return isAlive(process) && process.startTicks === ticks;
    });
}

/** Removes every image of the cache. */
export async function removeImages(): Promise<void> {
    if (buildRuns()) {
        throw new LabError("an image is being built; try again when that has ended");
    }
    await removeTree(cacheFolder());
}
