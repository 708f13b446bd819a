/**
 * The stack beside Ansible on the same machines: `npm run bench:lab`. Each of them gets the lab as it was after its first
 * boot, builds the cluster, runs again without anything to do, and takes it away.
 *
 * The lab is reset twice, so whatever a stack has built there is lost: run `npm run lab:destroy` first.
 */
import { spawn } from "node:child_process";
import { mkdirSync, rmSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join, resolve } from "node:path";
import { labCluster } from "../bin/documents";
import { guestUrl } from "../config/guestUrl";
import { type ClusterSpec, type GuestSpec } from "../config/spec";
import { readLab, type Lab, type LabMachine } from "../lab/state";
import { guestObjects, poolObjects, type CibObject } from "../platforms/debian-xen/cib";
import {
    BRIDGE,
    configDigest,
    guestHosts,
    guestNetwork,
    guestAgent,
    healthCheck,
    healthPath,
    LOCAL_STORE,
    mountPoint,
    vmConfig,
} from "../platforms/debian-xen/guest";
import { memberId, members } from "../platforms/debian-xen/members";
import { MANAGER_PACKAGES, NODE_PACKAGES } from "../platforms/debian-xen/packages";

const root = resolve(__dirname, "..");
const folder = join(root, ".lab", "bench");
const tsx = join(root, "node_modules", ".bin", "tsx");

/** Runs a command in the foreground, which must succeed; answers with the seconds it took. */
async function timed(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
    const started = performance.now();
    // What it tells goes to the standard error: the standard output is for the table.
    const child = spawn(command, args, { cwd: root, env: { ...process.env, ...env }, stdio: ["ignore", 2, 2] });
    const code = await new Promise<number | null>((answer, reject) => {
        child.once("error", reject);
        child.once("close", answer);
    });
    if (code !== 0) {
        throw new Error(`${command} ${args.join(" ")} ended with ${String(code)}`);
    }
    return (performance.now() - started) / 1000;
}

/** The lab as after its first boot, quiet again. */
async function reset(): Promise<void> {
    await timed(tsx, [join(root, "lab/main.ts"), "reset"]);
}

/** The guest must serve, seen from outside of the lab. */
async function mustServe({ guest }: Lab): Promise<void> {
    const url = `http://127.0.0.1:${guest.httpPort}/`;
    const { status } = await fetch(url, { signal: AbortSignal.timeout(60_000) });
    if (status !== 200) {
        throw new Error(`${url} answers ${status}`);
    }
}

/** Seconds of each phase, by the phase's name in the table. */
type Times = Readonly<Record<"first" | "again" | "away", number>>;

async function byTheStack(lab: Lab): Promise<Times> {
    const configFile = join(folder, "Pulumi.bench.yaml");
    writeFileSync(configFile, readFileSync(join(root, "Pulumi.lab.yaml")));
    const env = {
        PULUMI_BACKEND_URL: `file://${folder}`,
        PULUMI_CONFIG_PASSPHRASE: "bench",
        OVM_HA_ENGINE: "embedded",
    };
    const stack = ["--stack", "bench", "--config-file", configFile];
    const engine = async (...args: string[]): Promise<number> =>
        timed(tsx, [join(root, "engine/launcher.ts"), ...args], env);
    await engine("stack", "init", "bench", "--no-select", "--config-file", configFile);
    const first = await engine("up", ...stack, "--yes", "--skip-preview");
    await mustServe(lab);
    const again = await engine("up", ...stack, "--yes", "--skip-preview", "--expect-no-changes");
    const away = await engine("destroy", ...stack, "--yes", "--skip-preview");
    return { first, again, away };
}

function sections(objects: readonly CibObject[]): string {
    const names = [...new Set(objects.map(({ section }) => section))];
    const texts = names.map((name) => {
        const inside = objects.filter(({ section }) => section === name).map(({ xml }) => xml);
        return `<${name}>${inside.join("")}</${name}>`;
    });
    return `<configuration>${texts.join("")}</configuration>`;
}

function guestVariables(spec: ClusterSpec, guest: GuestSpec): Record<string, unknown> {
    return {
        name: guest.name,
        medium: guest.medium,
        disk: guest.disk,
        url: guestUrl(guest),
        status: guest.httpCheck?.status,
        config: vmConfig(spec, guest),
        health: healthCheck(spec, guest),
        agent: guestAgent(),
        network: guestNetwork(spec, guest),
        hosts: guestHosts(guest),
    };
}

/**
 * The inventory of the lab's machines, with what the cluster is to be. Texts that both ways need to have in common, vm.cfg
 * and the cluster's configuration, come from the same planners.
 */
export function inventory(spec: ClusterSpec, lab: Pick<Lab, "machines" | "ssh">, hostKey: (port: number) => string) {
    const [guest] = spec.guests;
    if (guest === undefined) {
        throw new Error("Pulumi.lab.yaml has no guest to compare with");
    }
    const config = vmConfig(spec, guest);
    const path = `${LOCAL_STORE}/${guest.name}/vm.cfg`;
    const hosts = members(spec).map(({ name, address }, index) => {
        const machine = lab.machines.find((one: LabMachine) => one.name === name);
        if (machine === undefined) {
            throw new Error(`the lab has no machine ${name}`);
        }
        const variables = {
            ansible_host: "127.0.0.1",
            ansible_port: machine.sshPort,
            address,
            node_id: memberId(spec, { address }),
            host_key: hostKey(machine.sshPort),
            packages: index === 0 ? MANAGER_PACKAGES : NODE_PACKAGES,
        };
        return [name, variables] as const;
    });
    return {
        all: {
            vars: {
                ansible_user: lab.ssh.user,
                ansible_ssh_private_key_file: lab.ssh.privateKey,
                ansible_ssh_common_args: `-o UserKnownHostsFile=${lab.ssh.knownHosts} -o StrictHostKeyChecking=yes`,
                bridge: BRIDGE,
                local_store: LOCAL_STORE,
                mount_point: mountPoint(spec),
                mount_unit: `var-ovs-mount-${spec.repository.uuid}.mount`,
                network: spec.network,
                repository: spec.repository,
                pool: { name: spec.pool.name },
                timing: spec.pool.timing,
                watchdog: spec.pool.watchdog,
                guest: guestVariables(spec, guest),
                guest_folder: `${spec.repository.path}/running_pool/${guest.name}`,
                configuration_xml: sections([
                    ...poolObjects(spec),
                    ...guestObjects(spec, guest, { path, digest: configDigest(config), health: healthPath(guest) }),
                ]),
            },
            children: {
                members: {
                    children: {
                        manager: { hosts: Object.fromEntries(hosts.slice(0, 1)) },
                        nodes: { hosts: Object.fromEntries(hosts.slice(1)) },
                    },
                },
            },
        },
    };
}

/** The host key that the lab's known_hosts has for a port of this computer. */
function hostKeyOf(knownHosts: string): (port: number) => string {
    const lines = readFileSync(knownHosts, "utf8").split("\n");
    return (port) => {
        const line = lines.find((one) => one.split(" ")[0]?.split(",").includes(`[127.0.0.1]:${port}`));
        if (line === undefined) {
            throw new Error(`${knownHosts} has no key for port ${port}`);
        }
        return line.split(" ").slice(1, 3).join(" ");
    };
}

async function byThePlaybook(lab: Lab): Promise<Times> {
    const file = join(folder, "inventory.json");
    writeFileSync(file, JSON.stringify(inventory(labCluster(root), lab, hostKeyOf(lab.ssh.knownHosts)), null, 2));
    const here = join(root, "bench", "ansible");
    const play = async (name: string): Promise<number> =>
        timed("ansible-playbook", ["--inventory", file, join(here, name)], {
            ANSIBLE_CONFIG: join(here, "ansible.cfg"),
        });
    const first = await play("up.yml");
    await mustServe(lab);
    const again = await play("up.yml");
    const away = await play("down.yml");
    return { first, again, away };
}

async function main(): Promise<void> {
    const lab = readLab();
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    await timed("ansible-playbook", ["--version"]);
    await reset();
    const stack = await byTheStack(lab);
    await reset();
    const playbook = await byThePlaybook(lab);
    await reset();
    const row = (what: string, phase: keyof Times): string =>
        `| ${what} | ${stack[phase].toFixed(1)} | ${playbook[phase].toFixed(1)} | ${(playbook[phase] / stack[phase]).toFixed(1)} |`;
    console.log(
        [
            "| what | stack, s | Ansible, s | Ansible ÷ stack |",
            "|---|--:|--:|--:|",
            row("build, until the guest answers", "first"),
            row("again, nothing to do", "again"),
            row("take away", "away"),
            "",
            `Single runs on the virtual lab (${lab.accelerator}); ${cpus().length} CPUs, load ${(loadavg()[0] ?? 0).toFixed(1)} at the end.`,
        ].join("\n"),
    );
}

if (require.main === module) {
    main().catch((error: unknown) => {
        process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
        process.exitCode = 1;
    });
}
