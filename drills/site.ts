/**
 * Real hosts as the ground of drills: commands over SSH, power and network by commands of the user's. Nothing can be put
 * back to a saved state here: what a drill broke is mended, and the cluster has to become healthy again by itself.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { guestUrl } from "../config/guestUrl";
import { knownHostsName } from "../config/hostkeys";
import { renderFaults } from "../config/faults";
import { neededFiles, parseCluster } from "../config/parse";
import { type ClusterSpec, type Endpoint, type GuestSpec } from "../config/spec";
import { LabError, messageOf } from "../lab/errors";
import { type Report } from "../lab/report";
import { run } from "../lab/run";
import { type Outcome, runOver } from "../lab/ssh";
import { readIfThere } from "../remote/files";
import { quote } from "../remote/shell";
import { isTelling } from "./console";
import { type Ability, type CommandOptions, type Ground, type Host, mustSucceed } from "./ground";
import { type ConsoleLine } from "./record";
import { type Sampler } from "./samplers";
import { readSiteFile, readStackFile, type SiteFile } from "./siteFile";
import { installWatcher, removeWatcher, watcher } from "./watcher";

/** Seconds the user's commands get. */
const PATIENCE = 120;

/** A site, read from its file and the configuration that names. */
export interface Site {
    file: SiteFile;
    spec: ClusterSpec;
    guest: GuestSpec;
    /** The user's known_hosts, which the guest's key is looked up in. */
    knownHosts: string;
}

/**
 * Reads a site's file, and checks all of it before anything is touched.
 *
 * @param path of the file; what it names lies beside it
 * @throws LabError that says what is wrong
 */
export function readSite(path: string): Site {
    const text = readIfThere(path);
    if (text === undefined) {
        throw new LabError(`--site: ${path} cannot be read; see drills.yaml.example`);
    }
    const file = readSiteFile(text);
    const config = readIfThere(resolve(dirname(path), file.config));
    if (config === undefined) {
        throw new LabError(`config: ${file.config} cannot be read`);
    }
    const { raw, secrets } = readStackFile(config, "ovm-ha-cluster");
    const files = neededFiles(raw);
    const parsed = parseCluster(raw, {
        knownHosts: readIfThere(files.knownHosts),
        endpoints: readIfThere(files.endpoints),
        publicKey: readIfThere(files.publicKey),
        secrets,
    });
    if ("faults" in parsed) {
        throw new LabError(renderFaults(parsed.faults));
    }
    const { spec } = parsed;
    if (spec.platform !== "debian-xen") {
        throw new LabError(`platform: drills know debian-xen only, not ${spec.platform}`);
    }
    if (spec.ssh.key.from === "secret" || spec.ssh.bastion !== undefined) {
        throw new LabError(
            "ssh: drills take a key file or the agent, and reach the hosts without a bastion; run them inside the network",
        );
    }
    const guest = spec.guests.find(({ name, ha }) => (file.guest === undefined ? ha : name === file.guest));
    if (guest === undefined || !guest.ha) {
        throw new LabError(
            `guest: ${file.guest ?? "the configuration"} ${file.guest === undefined ? "has no guest with ha" : "is no guest with ha"}`,
        );
    }
    return { file, spec, guest, knownHosts: files.knownHosts ?? "~/.ssh/known_hosts" };
}

/** What a user has to type before drills begin. */
export function warning({ spec, guest }: Site, drills: readonly string[]): string {
    const hosts = [spec.manager, ...spec.nodes].map(({ name, address }) => `${name} (${address})`).join(", ");
    return [
        `These are real hosts: ${hosts}.`,
        `The drills ${drills.join(", ")} take ${guest.name} down, and may cut power and network. Nothing is put back to a`,
        "saved state: what does not come back by itself is yours to mend.",
        `Type the pool's name, ${spec.pool.name}, to go on: `,
    ].join("\n");
}

const SPARE = "it needs a node that is not in the pool yet; that is tried in the lab";

export class SiteGround implements Ground {
    readonly patience = 2000;
    readonly guest: Ground["guest"];
    /** Holds the pinned host keys. */
    private folder = "";
    /** What was taken from hosts and not given back yet. */
    private readonly dark = new Set<string>();
    private readonly cut = new Set<string>();

    constructor(
        private readonly site: Site,
        readonly report: Report,
        readonly signal: AbortSignal,
    ) {
        const { guest } = site;
        const page = guestUrl(guest) || `http://${guest.address}/`;
        this.guest = { name: guest.name, url: new URL("/", page).href, page };
    }

    private get members(): { name: string; address: string; ssh: Endpoint }[] {
        return [this.site.spec.manager, ...this.site.spec.nodes];
    }

    private member(host: string): { name: string; address: string; ssh: Endpoint } {
        const found = this.members.find(({ name }) => name === host);
        if (!found) {
            throw new LabError(`there is no host ${host}`);
        }
        return found;
    }

    hosts(): Host[] {
        const manager = this.site.spec.manager.name;
        return this.members.map(({ name, address }) => ({
            name,
            role: name === manager ? ("manager" as const) : ("node" as const),
            address,
        }));
    }

    lacks(ability: Ability): string | undefined {
        const { power, network } = this.site.file;
        switch (ability) {
            case "power":
                return power ? undefined : "it needs power.off and power.on in the site's file";
            case "network":
                return network ? undefined : "it needs network.cut and network.join in the site's file";
            case "up":
                return "it changes the stack's configuration, which on real hosts is yours; it is tried in the lab";
            case "spare":
                return SPARE;
            case "guest":
                return undefined;
        }
    }

    /** The words after `ssh` that log in somewhere. */
    private words(host: string, port: number, knownHosts: string, more: readonly string[] = []): string[] {
        const { user, key } = this.site.spec.ssh;
        const options = {
            BatchMode: "yes",
            ConnectTimeout: "10",
            GlobalKnownHostsFile: "/dev/null",
            LogLevel: "ERROR",
            ServerAliveInterval: "5",
            StrictHostKeyChecking: "yes",
            UserKnownHostsFile: `"${knownHosts.replace(/^~(?=\/)/, homedir())}"`,
        };
        const identity = key.from === "file" ? ["-o", "IdentitiesOnly=yes", "-i", local(key.path)] : [];
        return [
            ...["-F", "/dev/null", "-p", `${port}`, "-l", user, ...identity, ...more],
            ...Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]),
            host,
        ];
    }

    private wordsFor(host: string): string[] {
        const { ssh } = this.member(host);
        return this.words(ssh.host, ssh.port, join(this.folder, "known_hosts"));
    }

    /** As root, whoever logs in. */
    private asRoot(command: string): string {
        return this.site.spec.ssh.user === "root" ? command : `sudo -n sh -c ${quote(command)}`;
    }

    async run(host: string, command: string, options: CommandOptions = {}): Promise<Outcome> {
        return runOver(this.wordsFor(host), this.asRoot(command), { ...options, signal: this.signal });
    }

    async runInGuest(command: string, options: CommandOptions = {}): Promise<Outcome> {
        const words = this.words(this.site.guest.address, 22, this.site.knownHosts);
        return runOver(words, this.asRoot(command), { ...options, signal: this.signal });
    }

    /** One of the user's commands, for a host. */
    private async command(command: string, host: string): Promise<void> {
        const { name, address } = this.member(host);
        const { failed, timedOut, all } = await run("sh", ["-c", command], {
            env: { HOST: name, ADDRESS: address },
            mayFail: true,
            timeout: PATIENCE * 1000,
        });
        if (failed) {
            throw new LabError(`${name}: "${command}" failed${timedOut ? ` after ${PATIENCE} s` : ""}: ${all.trim()}`);
        }
    }

    private async switch(host: string, which: "power" | "network", on: boolean, off: Set<string>): Promise<void> {
        const commands = this.site.file[which];
        if (!commands) {
            throw new LabError(this.lacks(which) ?? which);
        }
        // Before it is tried: a command that failed may have worked.
        off.add(host);
        await this.command(on ? commands.on : commands.off, host);
        if (on) {
            off.delete(host);
        }
    }

    async power(host: string, on: boolean): Promise<void> {
        await this.switch(host, "power", on, this.dark);
    }

    async cable(host: string, connected: boolean): Promise<void> {
        await this.switch(host, "network", connected, this.cut);
    }

    follow(host: string, onLine: (line: ConsoleLine) => void): Sampler {
        const { name, address } = this.member(host);
        const { console: command } = this.site.file;
        return command === undefined
            ? followWatcher(name, this.wordsFor(host), this.asRoot(watcher.overSsh(this.watched(host))), onLine)
            : followProgram(name, "sh", ["-c", command], { HOST: name, ADDRESS: address }, "", onLine);
    }

    /** The guest to look for on a host; none on one without a hypervisor. */
    private watched(host: string): string {
        return host === this.site.spec.manager.name ? "" : this.site.guest.name;
    }

    async up(): Promise<void> {
        return Promise.reject(new LabError(this.lacks("up") ?? ""));
    }

    private async onAll(what: string, use: (host: string) => Promise<unknown>): Promise<void> {
        await this.report.step(what, async () => Promise.all(this.members.map(async ({ name }) => use(name))));
    }

    async prepare(): Promise<void> {
        this.folder = mkdtempSync(join(tmpdir(), "drill-site-"));
        const pinned = this.members.map(({ ssh }) => `${knownHostsName(ssh.host, ssh.port)} ${ssh.hostKey}\n`);
        writeFileSync(join(this.folder, "known_hosts"), pinned.join(""));
        if (this.site.file.console === undefined) {
            await this.onAll("logging in to the hosts", async (host) =>
                mustSucceed(host, "true", await this.run(host, "true")),
            );
            return;
        }
        await this.onAll("watching the hosts", async (host) => {
            const { command, input } = installWatcher(this.watched(host));
            mustSucceed(host, "install the watcher", await this.run(host, command, { input, seconds: 120 }));
        });
    }

    async keep(): Promise<void> {
        // There is nothing that could be kept.
    }

    async bringBack(): Promise<void> {
        await this.report.step("mending what the drill broke", async () => {
            const problems: string[] = [];
            const attempt = async (deed: Promise<unknown>): Promise<void> =>
                deed.then(
                    () => undefined,
                    (error: unknown) => void problems.push(messageOf(error)),
                );
            for (const host of this.dark) {
                await attempt(this.power(host, true));
            }
            for (const host of this.cut) {
                await attempt(this.cable(host, true));
            }
            const { manager, nodes } = this.site.spec;
            const undo = [
                `crm_resource --resource ${this.guest.name} --clear`,
                ...nodes.map(({ name }) => `crm_standby --node ${name} --delete`),
                "systemctl start nfs-server.service",
            ];
            await attempt(this.insist(manager.name, undo.join("; ")));
            await Promise.all(
                nodes.map(async ({ name }) =>
                    attempt(this.insist(name, "nft delete table inet drill 2>/dev/null; true")),
                ),
            );
            if (problems.length > 0) {
                this.report.warn(`not everything could be mended:\n${problems.join("\n")}`);
            }
        });
    }

    /** Runs a command on a host that may still be starting. */
    private async insist(host: string, command: string): Promise<void> {
        const words = this.wordsFor(host);
        for (const end = Date.now() + 600_000; ;) {
            const { exitCode, stderr } = await runOver(words, this.asRoot(command));
            if (exitCode !== 255) {
                return;
            }
            if (Date.now() > end) {
                throw new LabError(`${host}: does not answer: ${stderr}`);
            }
            await sleep(5000);
        }
    }

    async tidy(): Promise<void> {
        if (this.site.file.console !== undefined) {
            await this.onAll("taking the watchers away", async (host) =>
                runOver(this.wordsFor(host), this.asRoot(removeWatcher()), { seconds: 60 }),
            );
        }
        rmSync(this.folder, { recursive: true, force: true });
    }
}

function local(path: string): string {
    return resolve(path.replace(/^~(?=\/)/, homedir()));
}

/** Hands on the telling lines of a program, which is started again when it ends, until the follower is stopped. */
export function followProgram(
    host: string,
    file: string,
    args: readonly string[],
    env: Record<string, string>,
    input: string,
    onLine: (line: ConsoleLine) => void,
): Sampler {
    let stopped = false;
    let again: NodeJS.Timeout | undefined;
    let end = (): void => undefined;
    const begin = (): void => {
        const child = spawn(file, args, {
            env: { ...process.env, ...env },
            stdio: ["pipe", "pipe", "ignore"],
            // A group of its own, so that a shell's children end with it.
            detached: true,
        });
        let rest = "";
        child.stdin.on("error", () => undefined);
        child.stdin.end(input);
        child.stdout.setEncoding("latin1").on("data", (data: string) => {
            const lines = (rest + data).split("\n");
            rest = lines.pop() ?? "";
            const at = Date.now();
            lines.filter(isTelling).forEach((text) => onLine({ host, at, text: text.trim() }));
        });
        child.once("error", () => undefined);
        child.once("close", () => {
            if (!stopped) {
                again = setTimeout(begin, 1000);
            }
        });
        end = () => {
            if (child.pid !== undefined && child.exitCode === null) {
                process.kill(-child.pid, "SIGTERM");
            }
        };
    };
    begin();
    return {
        stop: () => {
            stopped = true;
            clearTimeout(again);
            end();
        },
    };
}

/**
 * Runs the watcher over SSH, again whenever the connection ends. A host whose clock has gone back has restarted in between;
 * when exactly, nobody saw, so it is told as late as it may have been.
 */
export function followWatcher(
    host: string,
    words: readonly string[],
    command: string,
    onLine: (line: ConsoleLine) => void,
): Sampler {
    let newest = 0;
    return followProgram(host, "ssh", [...words, command], {}, watcher.text(), (line) => {
        const stamp = Number(/@drill see ([\d.]+)/.exec(line.text)?.[1] ?? NaN);
        if (stamp < newest) {
            onLine({ ...line, text: "@drill restarted" });
        }
        if (!Number.isNaN(stamp)) {
            newest = stamp;
        }
        onLine(line);
    });
}
