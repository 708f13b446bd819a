import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Step } from "../../platforms/platform";
import { assemble } from "../../remote/shell";
import { SECRETS } from "./spec";

/** What a run left. */
export interface Run {
    /** Its exit status; 137 after it was killed. */
    status: number;
    /** How many commands it ran that are counted. */
    commands: number;
    /** The last line it wrote. */
    said: string;
    /** Every file, folder and link of the scratch host, with its rights and a digest of its content. */
    tree: string;
}

/** Every command that changes something is counted, and can be the one at which the run is killed. */
const COUNTED = ["chmod", "cp", "ln", "mkdir", "mv", "rm", "rmdir", "systemctl", "nft", "exportfs"];

const COUNT = `printf x >>/state/count
if [ "\${KILL_AT:-0}" = "$(wc -c </state/count)" ]; then kill -9 0; fi`;

/** Stand-ins for what would reach the machine itself. They keep what they are told in /state. */
const STAND_INS: Readonly<Record<string, string>> = {
    systemctl: `unit=''
for word in "$@"; do case $word in *.*) unit="$unit $word" ;; esac; done
case $1 in
is-active) for one in $unit; do [ -e "/state/running/$one" ] || exit 3; done; [ "$2" = --quiet ] || echo active ;;
start | restart) for one in $unit; do : >"/state/running/$one"; done ;;
stop) for one in $unit; do rm -f "/state/running/$one"; done ;;
esac
# The one unit whose start does something a step looks at.
case $* in
"start ovm-ha-cluster-firewall.service") cp /etc/ovm-ha-cluster/firewall.nft /state/nft ;;
"stop ovm-ha-cluster-firewall.service") rm -f /state/nft ;;
esac`,
    nft: `case "$*" in
"list table"*) [ -e /state/nft ] ;;
"delete table"*) [ -e /state/nft ] && rm -f /state/nft ;;
"-f "*) cp "$2" /state/nft ;;
esac`,
    exportfs: `[ "$1" != -s ] || cat /etc/exports.d/*.exports`,
    "dpkg-query": `printf 'installed %s\\n' corosync curl nftables pacemaker pacemaker-cli-utils resource-agents sbd \\
    e2fsprogs nfs-kernel-server nfs-common`,
    uname: "echo OVMTEST",
};

/** Whether this machine lets us make a root of our own. */
export const canScratch = spawnSync("unshare", ["--map-root-user", "--mount", "--pid", "--fork", "true"]).status === 0;

/** The step, with other commands as its `apply`, which can call its own one as `apply_it`. */
export function withApply(step: Step, commands: string): Step {
    const script = `${step.script.replace(/^apply\(\) \{/m, "apply_it() {")}\napply() {\n${commands}\n}`;
    return { ...step, script };
}

/**
 * Runs a step on a scratch host, as often as `runs` says; the first result is the host as it was.
 *
 * @param files of this machine that are there, by their names below /host
 * @param more stand-ins for further commands, all of them counted
 */
export function onScratchHost(
    step: Step,
    runs: readonly string[],
    files: Readonly<Record<string, string>> = {},
    more: Readonly<Record<string, string>> = {},
): Run[] {
    const folder = mkdtempSync(join(tmpdir(), "scratch-"));
    try {
        const stubs = join(folder, "stubs");
        mkdirSync(stubs);
        for (const name of new Set([...COUNTED, ...Object.keys(STAND_INS), ...Object.keys(more)])) {
            const deed = more[name] ?? STAND_INS[name] ?? `exec /usr/bin/${name} "$@"`;
            const text = COUNTED.includes(name) || name in more ? `${COUNT}\n${deed}` : deed;
            writeFileSync(join(stubs, name), `#!/bin/sh\n${text}\n`);
            chmodSync(join(stubs, name), 0o755);
        }
        Object.entries(files).forEach(([name, file]) => copyFileSync(file, join(folder, name)));
        const variables = { ...step.variables, ...step.secret?.(SECRETS) };
        writeFileSync(join(folder, "step"), assemble(step.name, step.script, variables));
        const output = execFileSync("sh", [join(__dirname, "scratch.sh"), folder, runs.join(" ")], {
            encoding: "utf8",
        });
        return output
            .split(/^=== /m)
            .slice(1)
            .map((part) => {
                const [head = "", ...rest] = part.split("\n");
                const [, status = "0", commands = "0", ...said] = head.split(" ");
                return {
                    status: Number(status),
                    commands: Number(commands),
                    said: said.join(" "),
                    tree: rest.join("\n"),
                };
            });
    } finally {
        rmSync(folder, { recursive: true });
    }
}
