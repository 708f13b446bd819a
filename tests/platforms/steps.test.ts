import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type GuestSpec } from "../../config/spec";
import { completeTiming } from "../../config/timing";
import { debianXen } from "../../platforms/debian-xen";
import { type Step } from "../../platforms/platform";
import { assemble } from "../../remote/shell";
import { clusterSpec, guestSpec, moodleSpec, SECRETS, wikiSpec } from "./spec";

const folder = join(__dirname, "../../platforms/debian-xen");
const files = readdirSync(folder).filter((name) => name.endsWith(".sh"));
const spec = clusterSpec({
    guests: [
        guestSpec(),
        guestSpec({ name: "Plain", ha: false, address: "192.168.1.111" }),
        wikiSpec({ name: "Wiki", address: "192.168.1.112" }),
        { ...moodleSpec(), name: "Moodle", address: "192.168.1.113" },
    ],
});

function allSteps(): [string, Step][] {
    const plans: [string, Step[]][] = [
        ["repository", debianXen.repository(spec)],
        ...spec.nodes.map((node): [string, Step[]] => [node.name, debianXen.node(spec, node)]),
        ["pool", debianXen.pool(spec)],
        ...spec.guests.map((guest): [string, Step[]] => [guest.name, debianXen.guest(spec, guest)]),
    ];
    return plans.flatMap(([plan, steps]) => steps.map((step): [string, Step] => [`${plan}/${step.name}`, step]));
}

function find(steps: readonly Step[], name: string): Step {
    const found = steps.find((step) => step.name === name);
    if (found === undefined) {
        throw new Error(`no step ${name}`);
    }
    return found;
}

function variablesOf(step: Step): Record<string, string> {
    return { ...step.variables, ...step.secret?.(SECRETS) };
}

describe("step files", () => {
    const hasShellcheck = spawnSync("shellcheck", ["--version"]).status === 0;

    it.each(files)("%s is shell that a checker finds nothing in", (file) => {
        expect(() => execFileSync("sh", ["-n", join(folder, file)])).not.toThrow();
        if (hasShellcheck) {
            const { stdout, status } = spawnSync("shellcheck", [join(folder, file)], { encoding: "utf8" });
            expect(stdout).toBe("");
            expect(status).toBe(0);
        } else {
            process.stderr.write("shellcheck is not installed: not checked\n");
        }
    });

    it.each(files.filter((name) => !name.startsWith("lib")))("%s defines apply, remove and probe", (file) => {
        const text = readFileSync(join(folder, file), "utf8");
        for (const name of ["apply", "remove", "probe"]) {
            expect(text).toMatch(new RegExp(`^${name}\\(\\) \\{`, "m"));
        }
    });
});

describe("planned steps", () => {
    it.each(allSteps())("%s gets exactly the variables its file names at its head", (_, step) => {
        const required = [...step.script.matchAll(/\$\{([A-Z][A-Z0-9_]*):?\?\}/g)].map(([, name]) => name);
        expect(Object.keys(variablesOf(step)).sort()).toEqual([...new Set(required)].sort());
    });

    it.each(allSteps())("%s is a shell's text as a whole", (name, step) => {
        const text = assemble(name, step.script, variablesOf(step));
        expect(spawnSync("sh", ["-n"], { input: text }).status).toBe(0);
    });

    it("come after steps that their own plan has, and never in a circle", () => {
        for (const plan of [debianXen.repository(spec), debianXen.pool(spec)]) {
            const done = new Set<string>();
            let open = [...plan];
            while (open.length > 0) {
                const ready = open.filter(({ after = [] }) => after.every((name) => done.has(name)));
                expect(ready).not.toHaveLength(0);
                ready.forEach(({ name }) => done.add(name));
                open = open.filter((step) => !ready.includes(step));
            }
        }
    });

    it.each([
        ["fast", "2"],
        ["relaxed", "11"],
    ] as const)("give a migration up whose target is silent, %s", (profile, silence) => {
        const pool = { ...spec.pool, timing: completeTiming(profile, {}) };
        const keys = debianXen.pool({ ...spec, pool }).filter(({ name }) => name.startsWith("keys-"));
        expect(keys.map(({ variables }) => variables["SILENCE"])).toEqual([silence, silence, silence]);
    });

    it("let no member start before all others know of it", () => {
        const starts = debianXen.pool(spec).filter(({ name }) => name.startsWith("member-"));
        expect(starts).toHaveLength(3);
        for (const { after } of starts) {
            expect(after).toEqual(["ring-OVMANAGER", "ring-OVMSERVER01", "ring-OVMSERVER02"]);
        }
    });

    it("let nobody's cluster services end before all members have stopped", () => {
        const online = debianXen.pool(spec).filter(({ name }) => name.startsWith("online-"));
        expect(online).toHaveLength(3);
        for (const { after } of online) {
            expect(after).toEqual(["member-OVMANAGER", "member-OVMSERVER01", "member-OVMSERVER02"]);
        }
    });

    it("carry secrets in steps of their own", () => {
        const hidden = allSteps().filter(([, { secret }]) => secret !== undefined);
        expect(hidden.map(([name]) => name)).toEqual([
            "pool/keys-OVMANAGER",
            "pool/keys-OVMSERVER01",
            "pool/keys-OVMSERVER02",
            "Wiki/workload",
            "Moodle/workload",
        ]);
    });

    it("show no secret in what everybody may read", () => {
        for (const [name, step] of allSteps()) {
            const shown = JSON.stringify({ ...step, secret: undefined });
            for (const secret of [SECRETS.admin, SECRETS.database]) {
                expect({ name, shows: shown.includes(secret) }).toEqual({ name, shows: false });
            }
        }
    });

    it("give a guest's passwords to its own set-up alone", () => {
        const told = allSteps().filter(([, step]) => JSON.stringify(step.secret?.(SECRETS) ?? "").includes("nobody"));
        expect(told.map(([name]) => name)).toEqual(["Wiki/workload", "Moodle/workload"]);
    });

    it("start a guest anew when what it sets up has changed, but not for a password", () => {
        const digestOf = (guest: GuestSpec) => find(debianXen.guest(spec, guest), "resource").variables["DIGEST"];
        const upgraded = moodleSpec({ archive: "/srv/moodle.tgz", sha256: "cd".repeat(32) });
        const moved = moodleSpec({ archive: "https://example.org/moodle.tgz", sha256: "ab".repeat(32) });
        expect(digestOf(upgraded)).not.toBe(digestOf(moodleSpec()));
        expect(digestOf(moved)).toBe(digestOf(moodleSpec()));
    });

    it("make another disk for another workload", () => {
        const identityOf = (guest: GuestSpec) => find(debianXen.guest(spec, guest), "image").identity;
        expect(identityOf(guestSpec())).toEqual(identityOf(guestSpec({ workload: { kind: "apache" } })));
        expect(identityOf(wikiSpec({ medium: "/m" }))).toEqual(["WebServerHA", "/m", "mediawiki"]);
        expect(identityOf(guestSpec({ medium: "/m" }))).toEqual(["WebServerHA", "/m"]);
    });

    it("give the host longer than it gives the guest", () => {
        const pool = { ...spec.pool, timing: completeTiming("relaxed", {}) };
        for (const one of [spec, clusterSpec({ pool })]) {
            for (const guest of [guestSpec(), wikiSpec(), moodleSpec(), { ...moodleSpec(), ha: false }]) {
                const last = debianXen.guest(one, guest).at(-1);
                expect(last?.timeout).toBeGreaterThan(Number(last?.variables["PATIENCE"]));
            }
        }
    });

    it("leave a guest's steps alone when another guest changes", () => {
        const [first] = spec.guests;
        const other = clusterSpec({ guests: [guestSpec(), guestSpec({ name: "Plain", memory: 64 }), wikiSpec()] });
        expect(first && debianXen.guest(other, first)).toEqual(first && debianXen.guest(spec, first));
    });

    it("put a plain guest on its preferred node only", () => {
        const guest = guestSpec({ ha: false, preferredNode: "OVMSERVER02" });
        expect(debianXen.guest(spec, guest).map(({ name, host }) => `${name}@${host}`)).toEqual([
            "image@OVMANAGER",
            "node-OVMSERVER02@OVMSERVER02",
            "running@OVMSERVER02",
        ]);
    });
});
