import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Step } from "../../platforms/platform";
import { siteOf, starter, workloadSecrets, workloadVariables } from "../../platforms/debian-xen/workload";
import { canScratch, onScratchHost, type Run } from "./scratch";
import { moodleSpec, SECRETS, wikiSpec } from "./spec";

/**
 * The programs that set a guest up, run as they are on a scratch host; in the place of the database, PHP and Moodle are
 * stand-ins that keep what they were told. With the real ones they were run by hand and are run in the lab.
 */

/** Runs are killed at every eighth command; at each of them with SCRATCH_EVERY=1. */
const EVERY = Number(process.env["SCRATCH_EVERY"] ?? 8);

/** Stand-ins. /state has databases and files; what was on command lines is in /tmp, which is no part of a run's tree. */
const STAND_INS: Readonly<Record<string, string>> = {
    mariadb: `echo "mariadb $*" >>/tmp/commands
while read -r line; do
    case $line in
    "SELECT COUNT"*) name=\${line##*= \\'}; [ -e "/state/db-\${name%\\'*}" ] && cat "/state/db-\${name%\\'*}" | wc -l || echo 0 ;;
    "DROP DATABASE IF EXISTS "*) rm -f "/state/db-\${line##* }" ;;
    "CREATE DATABASE IF NOT EXISTS "*) set -- \${line#CREATE DATABASE IF NOT EXISTS }; touch "/state/db-$1" ;;
    "ALTER USER "*) printf '%s\\n' "$line" >/state/db-user ;;
    esac
done`,
    "mariadb-dump": 'echo "mariadb-dump $*" >>/tmp/commands; cat /state/db-moodle',
    chown: "",
    cron: "",
    install: 'for word in "$@"; do folder=$word; done; mkdir -p "$folder"',
    setpriv: 'while case $1 in --*) ;; *) false ;; esac; do shift; done; exec "$@"',
    php: `echo "php $*" >>/tmp/commands
case $* in
*PHP_MAJOR*) printf 8.2; exit ;;
*unset_config*) rm -f /state/lock; exit ;;
esac
read -r program
rest=$(cat)
echo "run \${program##*/}" >>/tmp/programs
case $program in
*/install.php | */install_database.php)
    database=moodle
    case $program in */install.php) database=wiki ;; esac
    [ ! -s "/state/db-$database" ] || { echo "there are tables already"; exit 1; }
    echo half >"/state/db-$database"
    rm -f /state/nothing
    release=\${program#/var/www/}
    echo "\${release%%/*}" >"/state/db-$database"
    ;;
*/upgrade.php)
    [ ! -e /state/lock ] || { echo "an upgrade runs"; exit 1; }
    [ -e /var/moodledata/climaintenance.html ] || { echo "no maintenance mode"; exit 1; }
    touch /state/lock
    release=\${program#/var/www/}
    echo "half" >/state/db-moodle
    rm -f /state/nothing
    echo "\${release%%/*}" >/state/db-moodle
    rm -f /state/lock
    ;;
*/maintenance.php)
    case $rest in
    --enable) touch /var/moodledata/climaintenance.html ;;
    --disable) rm -f /var/moodledata/climaintenance.html ;;
    esac
    ;;
*/createAndPromote.php | */reset_password.php) printf '%s\\n' "$rest" | grep -- "that-nobody" | sed 's/.*=//' >/state/admin ;;
esac`,
};

let temporary: string;

beforeAll(() => {
    temporary = mkdtempSync(join(tmpdir(), "in-guest-"));
});

afterAll(() => {
    rmSync(temporary, { recursive: true });
});

type Guest = ReturnType<typeof wikiSpec>;

function siteIn(guest: Guest) {
    const site = siteOf(guest);
    if (site === undefined) {
        throw new Error("nothing is set up in this guest");
    }
    return site;
}

/** What a text of ours has to look like on a scratch host, whose /usr is this machine's. */
function adapted(text: string): string {
    return text
        .replaceAll("/usr/share/mediawiki", "/srv/mediawiki")
        .replaceAll("/dev/urandom", "/dev/zero")
        .replaceAll("/run/ovm-ha-workload", "/tmp/ovm-ha-workload");
}

/** The second disk of a guest, as the manager writes it. */
function disk(name: string, guest: Guest, secrets = SECRETS): string {
    const folder = join(temporary, name);
    mkdirSync(join(folder, "moodle/admin/cli"), { recursive: true });
    writeFileSync(join(folder, "moodle/version.php"), name);
    writeFileSync(join(folder, "moodle/admin/cli/install_database.php"), "");
    const variables = { ...workloadVariables(siteIn(guest)), ...workloadSecrets(secrets) };
    writeFileSync(join(folder, "version"), `${name}\n`);
    writeFileSync(join(folder, "settings"), `${variables["SETTINGS"] ?? ""}\n${variables["PASSWORDS"] ?? ""}\n`);
    writeFileSync(join(folder, "setup"), adapted(variables["SETUP"] ?? ""));
    execFileSync("tar", ["-czf", join(folder, "archive"), "-C", folder, "moodle"]);
    const file = join(temporary, `${name}.tar`);
    execFileSync("tar", ["-cf", file, "-C", folder, "version", "settings", "setup", "archive"]);
    return file;
}

/** A start of the guest with that disk, as a step. */
function startWith(name: string, guest: Guest, before = ""): Step {
    const program = adapted(starter(siteIn(guest)).STARTER).replace("disk=/dev/xvdb", `disk=/host/${name}.tar`);
    const started = `mkdir -p /srv/mediawiki/maintenance /var/www /etc/apache2/conf-enabled /etc/apache2/sites-enabled
        touch /srv/mediawiki/maintenance/install.php
        ${before}
        sh -s <<'END_OF_PROGRAM'\n${program}\nEND_OF_PROGRAM`;
    const script = `apply() {\n${started}\n}\nset -eu`;
    return { name: "start", host: "guest", script, variables: {}, timeout: 60 };
}

const files = (...names: string[]): Record<string, string> =>
    Object.fromEntries(names.map((name) => [`${name}.tar`, join(temporary, `${name}.tar`)]));

const run = (step: Step, names: string[], runs: string[] = ["apply"]): Run[] =>
    onScratchHost(step, runs, files(...names), STAND_INS);

/** The same, and the last line that these commands say. */
const ask = (step: Step, names: string[], commands: string): string | undefined =>
    run({ ...step, script: step.script.replace(/\n\}\nset -eu$/, `\n${commands}\n}\nset -eu`) }, names).at(-1)?.said;

const other = { ...SECRETS, admin: "another-that-nobody-may-see", database: "second-that-nobody-may-see" };

(canScratch ? describe : describe.skip)("a wiki", () => {
    const wiki = wikiSpec({ workload: { kind: "mediawiki", url: "http://192.168.1.110", title: "Wiki" } });
    const start = (before = ""): Step => startWith("wiki", wiki, before);

    beforeAll(() => {
        disk("wiki", wiki);
        disk("wiki2", wiki, other);
    });

    it("is installed with its passwords", () => {
        expect(ask(start(), ["wiki"], "cat /tmp/programs | tr '\\n' ' '; cat /state/admin")).toBe(
            `run install.php run createAndPromote.php ${SECRETS.admin}`,
        );
        expect(ask(start(), ["wiki"], "cat /state/db-user")).toBe(
            `ALTER USER 'wiki'@'localhost' IDENTIFIED BY '${SECRETS.database}';`,
        );
        expect(ask(start(), ["wiki"], "grep DBpassword /etc/mediawiki/LocalSettings.php")).toBe(
            `$wgDBpassword = '${SECRETS.database}';`,
        );
    });

    it("keeps its settings to root and the web server, and its notes to root", () => {
        const facts =
            "stat -c %a /etc/mediawiki/LocalSettings.php /var/lib/ovm-ha-cluster | tr '\\n' ' '; ls /tmp/ovm-ha-workload 2>&1 | wc -l";
        expect(ask(start(), ["wiki"], facts)).toBe("640 700 1");
    });

    it("is left alone at the next start", () => {
        const [, first, second] = run(start(), ["wiki"], ["apply", "apply"]);
        expect(second).toMatchObject({ status: 0, tree: first?.tree });
        const again = `rm /tmp/programs /tmp/commands
            ${start().script.replace(/^apply\(\) \{\n|\n\}\nset -eu$/g, "")}
            ls /tmp/programs /tmp/commands 2>/dev/null | wc -l`;
        expect(ask(start(), ["wiki"], again)).toBe("0");
    });

    it("takes the tables that its medium has", () => {
        const prepared =
            "mkdir -p /var/lib/ovm-ha-cluster; echo complete >/var/lib/ovm-ha-cluster/wiki; echo tables >/state/db-wiki";
        expect(ask(start(prepared), ["wiki"], "tr '\\n' ' ' </tmp/programs; cat /state/db-wiki")).toBe(
            "run createAndPromote.php tables",
        );
    });

    it("never touches tables that are not its own", () => {
        const [, refused] = run(start("echo precious >/state/db-wiki"), ["wiki"]);
        expect(refused).toMatchObject({
            status: 1,
            said: "error: there is a database wiki already that was not made here: rename it",
        });
        expect(refused?.tree).not.toContain("LocalSettings");
    });

    it("gets new passwords, and nothing else anew", () => {
        const next = startWith("wiki2", wiki).script.replace(/^apply\(\) \{\n|\n\}\nset -eu$/g, "");
        const facts = `rm /tmp/programs\n${next}\ntr '\\n' ' ' </tmp/programs; grep -c second /etc/mediawiki/LocalSettings.php /state/db-user | tr '\\n' ' '; cat /state/admin`;
        expect(ask(start(), ["wiki", "wiki2"], facts)).toBe(
            `run createAndPromote.php /etc/mediawiki/LocalSettings.php:1 /state/db-user:1 ${other.admin}`,
        );
    });

    it("has no password on a command line", () => {
        const seen = ask(start(), ["wiki"], "tr '\\n' ' ' </tmp/commands") ?? "";
        expect(seen).toMatch(/^mariadb .*php -r /);
        expect(seen).not.toContain("that-nobody-may-see");
    });

    it("converges from wherever a start was cut off", () => {
        const [, first] = run(start(), ["wiki"]);
        const commands = first?.commands ?? 0;
        expect(commands).toBeGreaterThan(15);
        for (let at = 1; at <= commands; at += EVERY) {
            const [, killed, finished] = run(start(), ["wiki"], [`kill:${at}`, "apply", "apply"]);
            expect({ at, status: killed?.status }).toEqual({ at, status: 137 });
            expect({ at, status: finished?.status, tree: finished?.tree }).toEqual({
                at,
                status: 0,
                tree: first?.tree,
            });
        }
    }, 300_000);
});

(canScratch ? describe : describe.skip)("Moodle", () => {
    const one = moodleSpec({ archive: "/srv/one.tgz", sha256: "1".repeat(64) });
    const two = moodleSpec({ archive: "/srv/two.tgz", sha256: "2".repeat(64) });
    const body = (step: Step): string => step.script.replace(/^apply\(\) \{\n|\n\}\nset -eu$/g, "");
    const install = (): Step => startWith("one", one);
    /** Installed once, then started with the next release as often as one likes. */
    const upgrade = (): Step =>
        startWith(
            "two",
            two,
            `if [ ! -e /srv/installed ]; then\n${body(install())}\n: >/srv/installed\n: >/tmp/programs\nfi`,
        );

    beforeAll(() => {
        disk("one", one);
        disk("two", two);
    });

    it("is installed, with its own jobs and a check", () => {
        const facts = `tr '\\n' ' ' </tmp/programs; readlink /var/www/moodle | tr '\\n' ' '
            tail -n 1 /etc/cron.d/ovm-ha-moodle | tr '\\n' ' '; grep HTTP_HOST /var/www/ovm-ha-cluster/health.php`;
        expect(ask(install(), ["one"], facts)).toBe(
            "run install_database.php run reset_password.php /var/www/moodle-111111111111 " +
                "* * * * * www-data php /var/www/moodle/admin/cli/cron.php >/dev/null " +
                "$_SERVER['HTTP_HOST'] = 'moodle.example.org';",
        );
    });

    it("is upgraded when the release is another, closed to visitors meanwhile, with the database put aside", () => {
        const facts = `tr '\\n' ' ' </tmp/programs; cat /state/db-moodle | tr '\\n' ' '; ls /var/www /var/moodledata | tr '\\n' ' '
            zcat /var/lib/ovm-ha-cluster/moodle-before-*`;
        expect(ask(upgrade(), ["one", "two"], facts)).toBe(
            "run maintenance.php run upgrade.php run maintenance.php moodle-222222222222 /var/moodledata:  " +
                "/var/www: moodle moodle-222222222222 ovm-ha-cluster moodle-111111111111",
        );
    });

    it("has no password on a command line", () => {
        const seen = ask(upgrade(), ["one", "two"], "tr '\\n' ' ' </tmp/commands") ?? "";
        expect(seen).toMatch(/php -r /);
        expect(seen).not.toContain("that-nobody-may-see");
    });

    it.each<[string, () => Step]>([
        ["installation", install],
        ["upgrade", upgrade],
    ])(
        "converges from wherever its %s was cut off",
        (_, step) => {
            const [, first, second] = run(step(), ["one", "two"], ["apply", "apply"]);
            expect(second).toMatchObject({ status: 0, tree: first?.tree });
            const commands = first?.commands ?? 0;
            expect(commands).toBeGreaterThan(20);
            for (let at = 1; at <= commands; at += EVERY) {
                const [, killed, finished] = run(step(), ["one", "two"], [`kill:${at}`, "apply", "apply"]);
                expect({ at, status: killed?.status }).toEqual({ at, status: 137 });
                expect({ at, status: finished?.status, tree: finished?.tree }).toEqual({
                    at,
                    status: 0,
                    tree: first?.tree,
                });
            }
        },
        300_000,
    );
});
