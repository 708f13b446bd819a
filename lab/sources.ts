/**
 * Where Debian's packages come from: the archive this computer itself uses, when it runs Debian.
 *
 * Only the entries for Debian's own suites are taken; lists of third parties have no business in the images.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The release the machines run. */
export const RELEASE = "bookworm";

/** One archive entry: what a stanza of a .sources file or a line of a .list file says. */
export interface Source {
    uri: string;
    suite: string;
    components: string[];
    /** Options other than the above, as in a .sources file, such as `Signed-By`. */
    options: Record<string, string>;
}

/** Option names of one-line entries, and the fields of a .sources file they stand for. */
const LINE_OPTIONS: Record<string, string> = {
    "signed-by": "Signed-By",
    trusted: "Trusted",
    "check-valid-until": "Check-Valid-Until",
    "check-date": "Check-Date",
    "allow-insecure": "Allow-Insecure",
    "by-hash": "By-Hash",
};

const KEPT_FIELDS = new Set(Object.values(LINE_OPTIONS).map((name) => name.toLowerCase()));

/** The entries of a one-line file (`deb [signed-by=…] URI SUITE COMPONENT…`); source packages are left out. */
export function parseList(text: string): Source[] {
    return text.split("\n").flatMap((line) => {
        const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]+)/.exec(line);
        if (!match) {
            return [];
        }
        const [, options = "", uri = "", suite = "", components = ""] = match;
        const pairs = options.split(/\s+/).flatMap((option): [string, string][] => {
            const [name = "", value = ""] = option.split(/=(.*)/s);
            const field = LINE_OPTIONS[name.toLowerCase()];
            return field === undefined ? [] : [[field, value.replaceAll(",", " ")]];
        });
        return [{ uri, suite, components: components.trim().split(/\s+/), options: Object.fromEntries(pairs) }];
    });
}

/** The entries of a .sources file (deb822), one for each address and suite of a stanza. */
export function parseSources(text: string): Source[] {
    const uncommented = text.replaceAll("\r", "").replace(/^#.*\n?/gm, "");
    return uncommented.split(/\n\s*\n/).flatMap((stanza) => {
        const fields: Record<string, string> = {};
        let last = "";
        for (const line of stanza.split("\n")) {
            const match = /^([A-Za-z-]+):\s*(.*)$/.exec(line);
            if (match?.[1]) {
                last = match[1].toLowerCase();
                fields[last] = match[2] ?? "";
            } else if (last && /^\s/.test(line)) {
                fields[last] += `\n${line}`;
            }
        }
        const words = (field: string): string[] => (fields[field] ?? "").split(/\s+/).filter(Boolean);
        if (!words("types").includes("deb") || words("enabled")[0] === "no") {
            return [];
        }
        const options = Object.fromEntries(
            Object.values(LINE_OPTIONS).flatMap((name) => {
                const value = fields[name.toLowerCase()];
                return value === undefined || !KEPT_FIELDS.has(name.toLowerCase()) ? [] : [[name, value]];
            }),
        );
        return words("uris").flatMap((uri) =>
            words("suites").map((suite) => ({ uri, suite, components: words("components"), options })),
        );
    });
}

/**
 * The entries to take for the machines' release, from those of a computer that runs Debian.
 *
 * Kept are the release itself, its updates and its security updates, with `main` only. A computer that runs another
 * release of Debian gives its archive's address, with the suites of the machines' release.
 *
 * @param codename release of this computer
 * @param isDebian whether an entry's archive calls itself Debian, as far as that is known
 */
export function debianSources(
    sources: readonly Source[],
    codename: string,
    isDebian: (source: Source) => boolean = () => true,
): Source[] {
    const kinds = ["", "-updates", "-security"];
    const kept = sources.flatMap((source) => {
        const kind = kinds.find((kind) => source.suite === `${codename}${kind}`);
        if (kind === undefined || !source.components.includes("main") || !isDebian(source)) {
            return [];
        }
        return [{ ...source, suite: `${RELEASE}${kind}`, components: ["main"] }];
    });
    // Without the release itself the rest is of no use.
    return kept.some(({ suite }) => suite === RELEASE) ? kept : [];
}

/** Entries as the text of a .sources file. */
export function renderSources(sources: readonly Source[]): string {
    return sources
        .map(({ uri, suite, components, options }) =>
            [
                `Types: deb\nURIs: ${uri}\nSuites: ${suite}\nComponents: ${components.join(" ")}`,
                ...Object.entries(options).map(([name, value]) => `${name}: ${value}`),
                "",
            ].join("\n"),
        )
        .join("\n");
}

/** Name under which apt keeps an archive's InRelease file. */
export function inReleaseName({ uri, suite }: Pick<Source, "uri" | "suite">): string {
    const place = uri.replace(/^[a-z+]+:\/\//, "").replace(/\/+$/, "");
    return `${place.replaceAll("_", "%5f").replaceAll("/", "_")}_dists_${suite}_InRelease`;
}

/** Day of an InRelease file's `Date:`, as YYYYMMDD; undefined without one. */
export function releaseDay(inRelease: string): string | undefined {
    const date = /^Date:\s*(.+)$/m.exec(inRelease)?.[1];
    const time = date === undefined ? NaN : Date.parse(date);
    return Number.isNaN(time) ? undefined : new Date(time).toISOString().slice(0, 10).replaceAll("-", "");
}

/** What the images are made from. */
export interface Archive {
    /** Text of a sources file; undefined: mmdebstrap's own default. */
    sources?: string;
    /** Day of the archive's release, YYYYMMDD, as this computer last saw it; undefined when it does not know. */
    day?: string;
}

/**
 * The archive to use: the file or address in OVM_HA_LAB_MIRROR, else this computer's own sources when it runs Debian,
 * else mmdebstrap's default.
 */
export function findArchive(root = "/", mirror = process.env["OVM_HA_LAB_MIRROR"]): Archive {
    if (mirror) {
        return { sources: existsSync(mirror) ? readFileSync(mirror, "utf8") : `deb ${mirror} ${RELEASE} main\n` };
    }
    const read = (...path: string[]): string => {
        const file = join(root, ...path);
        return existsSync(file) ? readFileSync(file, "utf8") : "";
    };
    const release = read("etc/os-release");
    const field = (name: string): string => new RegExp(`^${name}="?([^"\n]*)`, "m").exec(release)?.[1] ?? "";
    if (field("ID") !== "debian") {
        return {};
    }
    const codename = field("VERSION_CODENAME");
    const folder = join(root, "etc/apt/sources.list.d");
    const names = existsSync(folder) ? readdirSync(folder).sort() : [];
    const found = [
        ...parseList(read("etc/apt/sources.list")),
        ...names
            .filter((name) => name.endsWith(".list"))
            .flatMap((name) => parseList(read("etc/apt/sources.list.d", name))),
        ...names
            .filter((name) => name.endsWith(".sources"))
            .flatMap((name) => parseSources(read("etc/apt/sources.list.d", name))),
    ];
    const inRelease = (source: Pick<Source, "uri" | "suite">): string =>
        read("var/lib/apt/lists", inReleaseName(source));
    const isDebian = (source: Source): boolean => {
        const text = inRelease(source);
        return text === "" || /^Origin: Debian$/m.test(text);
    };
    const sources = debianSources(found, codename, isDebian);
    if (sources.length === 0) {
        return {};
    }
    const main = sources.find(({ suite }) => suite === RELEASE);
    const day = main && releaseDay(inRelease(main));
    return { sources: renderSources(sources), ...(day !== undefined && { day }) };
}
