import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
    debianSources,
    findArchive,
    inReleaseName,
    parseList,
    parseSources,
    releaseDay,
    renderSources,
} from "../../lab/sources";

const STANZAS = `Types: deb deb-src
# a comment
URIs: http://archive.test/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian.gpg

Types: deb
URIs: http://archive.test/security
Suites: bookworm-security
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc

Types: deb
Enabled: no
URIs: http://off.test/debian
Suites: bookworm
Components: main
`;

const ARCHIVE = "http://archive.test/debian";
const OTHER = "http://other.test";
const LINES = `# deb http://comment.test bookworm main
deb [arch=amd64 signed-by=/k.gpg] ${ARCHIVE} bookworm main non-free # why
deb-src ${ARCHIVE} bookworm main
deb ${ARCHIVE} bookworm-security main
deb ${OTHER}/docker bookworm stable
deb ${OTHER}/pgdg bookworm-pgdg main
`;

test("stanzas give an entry for each suite, with the key, inline or by path", () => {
    const sources = parseSources(STANZAS);
    expect(sources.map(({ suite }) => suite)).toEqual(["bookworm", "bookworm-updates", "bookworm-security"]);
    expect(sources[0]?.options["Signed-By"]).toBe("/usr/share/keyrings/debian.gpg");
    expect(sources[2]?.options["Signed-By"]).toContain("\n abc");
});

test("lines give their entries, without source packages and comments", () => {
    const sources = parseList(LINES);
    expect(sources).toHaveLength(4);
    expect(sources[0]).toEqual({
        uri: "http://archive.test/debian",
        suite: "bookworm",
        components: ["main", "non-free"],
        options: { "Signed-By": "/k.gpg" },
    });
});

test("only Debian's own suites are taken, with main", () => {
    const kept = debianSources(parseList(LINES), "bookworm");
    expect(kept.map(({ suite, components }) => [suite, components])).toEqual([
        ["bookworm", ["main"]],
        ["bookworm-security", ["main"]],
    ]);
});

test("a third party under Debian's suite name is told by its origin", () => {
    const lines = `${LINES}deb http://third.test/x bookworm main\n`;
    const kept = debianSources(parseList(lines), "bookworm", ({ uri }) => !uri.includes("third"));
    expect(kept.some(({ uri }) => uri.includes("third"))).toBe(false);
});

test("another release of Debian lends its archive", () => {
    const trixie = parseList(
        "deb http://archive.test/debian trixie main\ndeb http://archive.test/debian trixie-updates main",
    );
    expect(debianSources(trixie, "trixie").map(({ suite }) => suite)).toEqual(["bookworm", "bookworm-updates"]);
});

test("updates without the release are nothing", () => {
    expect(debianSources(parseList("deb http://archive.test/debian bookworm-updates main"), "bookworm")).toEqual([]);
});

test("what is rendered reads back as the same", () => {
    const sources = debianSources(parseSources(STANZAS), "bookworm");
    expect(parseSources(renderSources(sources))).toEqual(sources);
});

test("apt's name of an InRelease file", () => {
    expect(inReleaseName({ uri: "http://archive.test/debian/", suite: "bookworm" })).toBe(
        "archive.test_debian_dists_bookworm_InRelease",
    );
});

test("the day of a release", () => {
    expect(releaseDay("Origin: Debian\nDate: Sat, 11 Jul 2026 09:33:01 UTC\n")).toBe("20260711");
    expect(releaseDay("nothing")).toBeUndefined();
});

describe("the archive of a computer", () => {
    let root: string;
    const write = (path: string, text: string): void => {
        mkdirSync(dirname(join(root, path)), { recursive: true });
        writeFileSync(join(root, path), text);
    };
    beforeEach(() => {
        root = mkdtempSync(join(tmpdir(), "lab-unit-"));
    });
    afterEach(() => rmSync(root, { recursive: true }));

    test("is its own sources and the day of its lists, on Debian", () => {
        write("etc/os-release", 'ID=debian\nVERSION_CODENAME=bookworm\nNAME="Debian"\n');
        write("etc/apt/sources.list.d/debian.sources", STANZAS);
        write("etc/apt/sources.list.d/other.list", "deb http://third.test/x bookworm main\n");
        const lists = "var/lib/apt/lists";
        write(
            `${lists}/archive.test_debian_dists_bookworm_InRelease`,
            "Origin: Debian\nDate: Sat, 11 Jul 2026 09:33:01 UTC\n",
        );
        write(`${lists}/third.test_x_dists_bookworm_InRelease`, "Origin: Third\n");
        const archive = findArchive(root, "");
        expect(archive.day).toBe("20260711");
        expect(archive.sources).toContain("http://archive.test/security");
        expect(archive.sources).not.toContain("third");
    });

    test("is mmdebstrap's own elsewhere, and what the user says anywhere", () => {
        write("etc/os-release", "ID=fedora\n");
        expect(findArchive(root, "")).toEqual({});
        expect(findArchive(root, "http://mine.test/debian").sources).toContain(
            "deb http://mine.test/debian bookworm main",
        );
    });
});
