import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type GuestSpec } from "../../config/spec";
import { debianXen } from "../../platforms/debian-xen";
import { type Step } from "../../platforms/platform";
import { canScratch, onScratchHost, type Run, withApply } from "./scratch";
import { clusterSpec, guestSpec, moodleSpec, SECRETS, wikiSpec } from "./spec";

const spec = clusterSpec({ repository: { ...clusterSpec().repository, path: "/srv/volume" } });
const FOLDER = "/srv/volume/running_pool/WebServerHA";
let temporary: string;

beforeAll(() => {
    temporary = mkdtempSync(join(tmpdir(), "workload-"));
});

afterAll(() => {
    rmSync(temporary, { recursive: true });
});

function stepOf(guest: GuestSpec, name: string, other: Step["variables"] = {}): Step {
    const step = debianXen.guest(spec, guest).find((one) => one.name === name);
    if (step === undefined) {
        throw new Error(`no step ${name}`);
    }
    return { ...step, variables: { ...step.variables, ...other } };
}

/** The step, with another deed that runs its `apply` and then these commands, whose last line is the answer. */
function followedBy(step: Step, commands: string): Step {
    return withApply(step, `(apply_it)\n${commands}`);
}

/** A release of Moodle as far as a manager looks at it. */
function release(name: string, files: Record<string, string>): { file: string; sha256: string } {
    const folder = join(temporary, name);
    for (const [path, text] of Object.entries(files)) {
        mkdirSync(join(folder, path, ".."), { recursive: true });
        writeFileSync(join(folder, path), text);
    }
    const file = join(temporary, `${name}.tgz`);
    execFileSync("tar", ["-czf", file, "-C", folder, "."], { stdio: "inherit" });
    execFileSync("tar", ["-czf", file, "-C", folder, ...Object.keys(files)], { stdio: "inherit" });
    return { file, sha256: createHash("sha256").update(readFileSync(file)).digest("hex") };
}

const version = (number: string): string =>
    `<?php\n$version  = ${number};              // a comment\n$branch = '405';\n`;

(canScratch ? describe : describe.skip)("what a guest is set up from", () => {
    const workloadOf = (file: { sha256: string }, name = "one.tgz"): Step =>
        stepOf(moodleSpec({ archive: `/host/${name}`, sha256: file.sha256 }), "workload");
    const last = (runs: readonly Run[]): Run | undefined => runs.at(-1);

    it("has the settings and the passwords, for root alone, and the program", () => {
        const facts = `cd / && tar --numeric-owner -tvf ${FOLDER}/workload.tar | sed 's/ *[0-9]* 1970/ 1970/' | tr '\\n' ' '
            stat -c '%a ' ${FOLDER}/workload.tar | tr -d '\\n'
            tar -xOf ${FOLDER}/workload.tar settings | sort | tr '\\n' ' '`;
        const run = last(onScratchHost(followedBy(stepOf(wikiSpec(), "workload"), facts), ["apply"]));
        expect(run?.said.replaceAll(/ +/g, " ")).toBe(
            "-rw------- 0/0 1970-01-01 00:00 version -rw------- 0/0 1970-01-01 00:00 settings " +
                "-rw------- 0/0 1970-01-01 00:00 setup 600 " +
                `ADMIN_PASSWORD='${SECRETS.admin}' DATABASE_PASSWORD='${SECRETS.database}' ` +
                "TITLE='The wiki'\\''s' URL='http://192.168.1.110' ",
        );
    });

    it("says nothing of the passwords", () => {
        const trace = followedBy(stepOf(wikiSpec(), "workload"), "echo done");
        const run = last(onScratchHost({ ...trace, script: `set -x\n${trace.script}` }, ["apply"]));
        // Traced, the shell shows them, so this test sees what a step says; untraced it does not.
        expect(run?.status).toBe(0);
        const quiet = last(onScratchHost(stepOf(wikiSpec(), "workload"), ["apply"]));
        expect(quiet?.said).toBe("WebServerHA: sets up mediawiki when it starts");
    });

    it("has the release, taken only when it is the one that was meant", () => {
        const one = release("one", { "moodle/version.php": version("2024100700.00"), "moodle/a/version.php": "x" });
        const good = onScratchHost(workloadOf(one), ["apply", "apply"], { "one.tgz": one.file });
        expect(good.map(({ status, said }) => [status, said]).slice(1)).toEqual([
            [0, "WebServerHA: sets up moodle 2024100700.00 when it starts"],
            [0, "WebServerHA: sets up moodle 2024100700.00 when it starts"],
        ]);
        expect(good[2]?.tree).toBe(good[1]?.tree);

        const other = { ...one, sha256: "12".repeat(32) };
        const wrong = last(onScratchHost(workloadOf(other), ["apply"], { "one.tgz": one.file }));
        expect(wrong).toMatchObject({
            status: 1,
            said: `error: /host/one.tgz has the SHA-256 ${one.sha256}, but workload.sha256 is ${other.sha256}: get it again, or correct the one that is wrong`,
        });
        expect(wrong?.tree).not.toContain("workload.tar");
    });

    it("is found where Moodle has it since 5.1", () => {
        const new5 = release("five", { "moodle/public/version.php": version("2025100600"), "moodle/x/y": "" });
        const run = last(onScratchHost(workloadOf(new5), ["apply"], { "one.tgz": new5.file }));
        expect(run?.said).toBe("WebServerHA: sets up moodle 2025100600 when it starts");
    });

    it("is refused when it is no release, or not there", () => {
        const none = release("none", { "moodle/lib/version.php": version("2024100700") });
        const run = last(onScratchHost(workloadOf(none), ["apply"], { "one.tgz": none.file }));
        expect(run).toMatchObject({
            status: 1,
            said: "error: /host/one.tgz is no release of moodle: there is no version.php with a version in it",
        });
        expect(last(onScratchHost(workloadOf(none), ["apply"]))).toMatchObject({
            status: 1,
            said: "error: OVMTEST has no file /host/one.tgz: put the release there, or set workload.archive",
        });
    });

    it("is not fetched again while it is the same, and goes forward only", () => {
        const one = release("one", { "moodle/version.php": version("2024100700.00") });
        const two = release("two", { "moodle/version.php": version("2024100700.01") });
        const files = { "one.tgz": one.file, "two.tgz": two.file };
        // Steps as they follow each other on one host, in one script.
        const inTurn = (...texts: string[]): Step => followedBy(workloadOf(two, "two.tgz"), texts.join("\n"));
        const turn = (file: { sha256: string }, path: string): string =>
            `(ARCHIVE=${path} SHA256=${file.sha256}; export ARCHIVE SHA256; apply_it) 2>&1 || echo "refused"`;
        const gone = last(onScratchHost(inTurn(turn(two, "/host/gone.tgz")), ["apply"], files));
        expect(gone?.said).toBe("WebServerHA: sets up moodle 2024100700.01 when it starts");

        const sum = `sha256sum <${FOLDER}/workload.tar`;
        const back = inTurn(
            `before=$(${sum})`,
            turn(one, "/host/one.tgz"),
            `[ "$before" = "$(${sum})" ] && cat ${FOLDER}/release`,
        );
        expect(last(onScratchHost(back, ["apply"], files))?.said).toBe(`${two.sha256} 2024100700.01`);
        expect(last(onScratchHost(inTurn(turn(one, "/host/one.tgz")), ["apply"], files))?.said).toBe("refused");
    });

    it("is kept in mind with a disk that stays, but without the passwords", () => {
        const one = release("one", { "moodle/version.php": version("2024100700.00") });
        const [, , kept] = onScratchHost(workloadOf(one), ["apply", "remove"], { "one.tgz": one.file });
        expect(kept?.tree).toContain(`${FOLDER.slice(1)}/release`);
        expect(kept?.tree).not.toContain("workload.tar");
        const step = stepOf(
            { ...moodleSpec({ archive: "/host/one.tgz", sha256: one.sha256 }), keepDisk: false },
            "workload",
        );
        const [start, , gone] = onScratchHost(step, ["apply", "remove"], { "one.tgz": one.file });
        expect(gone?.tree).toBe(start?.tree);
    });
});

const canMakeImages = canScratch && spawnSync("debugfs", ["-V"]).status === 0;

(canMakeImages ? describe : describe.skip)("the image of a guest", () => {
    /** A medium with next to nothing on it. */
    function medium(): string {
        const file = join(temporary, "medium.tar");
        const folder = join(temporary, "medium");
        for (const path of ["boot", "etc/ssh", "etc/systemd/system", "usr/local/sbin", "root"]) {
            mkdirSync(join(folder, path), { recursive: true });
        }
        writeFileSync(join(folder, "boot/vmlinuz"), "kernel");
        writeFileSync(join(folder, "boot/initrd.img"), "initrd");
        execFileSync("tar", ["-cf", file, "-C", folder, "."]);
        return file;
    }
    const said = (guest: GuestSpec, commands: string): string | undefined =>
        onScratchHost(
            followedBy(
                stepOf({ ...guest, medium: "/host/medium.tar", disk: 1 }, "image", { DISK_MIB: "16" }),
                commands,
            ),
            ["apply"],
            {
                "medium.tar": medium(),
            },
        ).at(-1)?.said;
    const inside = (request: string): string => `debugfs -R '${request}' ${FOLDER}/System.img 2>/dev/null`;

    it("gets the program that sets it up, and starts it", () => {
        const facts = [
            inside("cat /usr/local/sbin/ovm-ha-workload") + " | head -n 2 | tail -n 1 | tr '\\n' ' '",
            inside("stat /usr/local/sbin/ovm-ha-workload") + " | grep -o 'Mode: *[0-9]*' | tr '\\n' ' '",
            inside("stat /etc/systemd/system/multi-user.target.wants/ovm-ha-workload.service") +
                " | grep -o 'dest:.*' | tr '\\n' ' '",
            `cat ${FOLDER}/medium`,
        ].join("\n");
        expect(said(wikiSpec(), facts)).toBe(
            '# Made by ovm-ha-cluster. Mode:  0755 dest: "../ovm-ha-workload.service" /host/medium.tar mediawiki',
        );
    });

    it("has nothing of that where nothing is to be set up", () => {
        const facts = `${inside("cat /usr/local/sbin/ovm-ha-workload")} | wc -c | tr '\\n' ' '; cat ${FOLDER}/medium`;
        expect(said(guestSpec(), facts)).toBe("0 /host/medium.tar");
    });

    it("is put aside with what is known of it, when something else is to be set up", () => {
        const facts = `echo known >${FOLDER}/release
            (WORKLOAD=moodle; apply_it) >/dev/null
            ls ${FOLDER} | sed 's/[0-9]\\{8\\}T[0-9]\\{6\\}Z/TIME/' | tr '\\n' ' '`;
        expect(said(wikiSpec(), facts)).toBe(
            "System.img System.img.TIME host-key.pub initrd.img medium vm.cfg vmlinuz ",
        );
    });
});
