import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { existsSync, realpathSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { makeKey, startSshd, type Sshd, type SshdOptions } from "../../engine/support/sshd";

/** Names and addresses of the thesis. */
export const MANAGER = "OVMANAGER";
export const NODES = ["OVMSERVER01", "OVMSERVER02"] as const;
const ADDRESSES: Readonly<Record<string, string>> = {
    OVMANAGER: "192.168.1.100",
    OVMSERVER01: "192.168.1.101",
    OVMSERVER02: "192.168.1.102",
};

export const MANAGER_PASSWORD = "managers-own-word";
export const AGENT_PASSWORD = "agents-own-word";

/** What an EL5 has and steps may use: whatever is not here is not found. */
const COMMANDS =
    "awk basename bash cat chgrp chown cmp comm curl cut date dd dirname env expr false find getent head hostname id ln " +
    "ls mktemp od printf readlink rm rmdir sed seq sh sleep sort stat tail tee test touch tr true uniq wc xargs";

/** Real ones that are written into the log. */
const LOGGED = ["mkdir", "chmod", "cp", "mv", "grep"];

/** Stand-ins that every host has, by name. */
const STAND_INS: Readonly<Record<string, string>> = {
    service: "service",
    chkconfig: "chkconfig",
    rpm: "rpm",
    yum: "yum",
    uname: "uname",
    mount: "mount",
    umount: "umount",
    df: "df",
    netstat: "netstat",
};

/** Serves the Manager's services, and stands in for the Python 2.4 of its host. */
const PYTHON = "/usr/bin/python3";

/** How an OpenSSH of 2007 is met: only what version 4.3 has, as far as today's can still be told to. */
export const OLD_SSH: SshdOptions = {
    hostKeyType: "rsa",
    keyType: "rsa",
    config: {
        KexAlgorithms: "diffie-hellman-group14-sha1",
        HostKeyAlgorithms: "ssh-rsa",
        // Version 4.3 takes ssh-rsa alone and says nothing of it; today's always says that it takes SHA-2, so it must.
        PubkeyAcceptedAlgorithms: "ssh-rsa,rsa-sha2-256,rsa-sha2-512",
        Ciphers: "aes128-ctr,aes192-ctr,aes256-ctr",
        MACs: "hmac-sha1",
    },
};

/** One command that a host was given. */
export interface Logged {
    readonly host: string;
    readonly command: string;
}

function write(file: string, text: string): void {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
}

/**
 * Three hosts that behave as Oracle VM 2.2 is documented to: a test double, with a root of its own for each and a command log
 * for all. What each command does, and where that is known from, is said in its file in `bin/`.
 */
export class StandInCluster {
    readonly folder = mkdtempSync(join(tmpdir(), "ovm22-"));
    /** Address of the Manager's SOAP services, which serve as long as the Manager runs. */
    readonly services: string;
    private readonly servicesProcess: number;
    private readonly daemons = new Map<string, Sshd>();

    constructor() {
        if (!existsSync(PYTHON)) {
            throw new Error(`${PYTHON} is missing: install the package python3`);
        }
        for (const folder of ["faults", "manager/guests", "manager/images", "manager/isos", "manager/pools"]) {
            mkdirSync(join(this.folder, folder), { recursive: true });
        }
        write(join(this.folder, "log"), "");
        write(join(this.folder, "manager/password"), MANAGER_PASSWORD);
        // Milliseconds that a state on the way lasts.
        write(join(this.folder, "manager/delay"), "300");
        for (const host of [MANAGER, ...NODES]) {
            this.makeHost(host);
        }
        const program = [join(__dirname, "services.py"), this.folder, `${process.pid}`];
        const [port, pid] = execFileSync(PYTHON, program, { encoding: "utf8" }).split(" ").map(Number);
        this.services = `http://127.0.0.1:${port}/OVSWS`;
        this.servicesProcess = pid ?? 0;
    }

    /** Starts an SSH daemon for each host; one RSA key opens all of them. */
    async start(options: SshdOptions = {}): Promise<void> {
        makeKey(this.keyFile, "rsa", "");
        for (const host of [MANAGER, ...NODES]) {
            const own = {
                AuthorizedKeysFile: `${this.keyFile}.pub`,
                ForceCommand: `sh ${join(__dirname, "enter.sh")} ${this.folder} ${host}`,
            };
            this.daemons.set(host, await startSshd({ ...options, config: { ...options.config, ...own } }));
        }
        const all = [...this.daemons];
        write(this.knownHostsFile, all.map(([, { port, hostKey }]) => `[127.0.0.1]:${port} ${hostKey}\n`).join(""));
        const machines = all.map(([name, { port }]) => ({ name, sshPort: port }));
        write(this.endpointsFile, JSON.stringify({ machines }));
    }

    /** Private key of who may log in. */
    get keyFile(): string {
        return join(this.folder, "key");
    }

    get knownHostsFile(): string {
        return join(this.folder, "known_hosts");
    }

    /** Says where the hosts' daemons listen. */
    get endpointsFile(): string {
        return join(this.folder, "endpoints.json");
    }

    async stop(): Promise<void> {
        for (const daemon of this.daemons.values()) {
            await daemon.stop();
        }
        if (this.servicesProcess > 0) {
            process.kill(this.servicesProcess);
        }
        rmSync(this.folder, { recursive: true, force: true });
    }

    /** A file of a host, by its path there. */
    file(host: string, path: string): string {
        return readFileSync(join(this.folder, "hosts", host, "root", path), "utf8");
    }

    /** Writes a file of a host. */
    put(host: string, path: string, text: string): void {
        write(join(this.folder, "hosts", host, "root", path), text);
    }

    /** Something of a host that is not a file there: which processor it has, its agent's password, and so on. */
    set(host: string, what: string, value: string): void {
        write(join(this.folder, "hosts", host, "state", what), value);
    }

    /** Whether a failure is wanted from now on. */
    fault(name: string, wanted: boolean): void {
        const file = join(this.folder, "faults", name);
        if (wanted) {
            write(file, "");
        } else {
            rmSync(file, { force: true });
        }
    }

    /** A host is lost from now on, or back. */
    lose(host: string, lost = true): void {
        const file = join(this.folder, "hosts", host, "down");
        if (lost) {
            write(file, `${Date.now()}`);
        } else {
            rmSync(file, { force: true });
        }
    }

    /** What the Manager knows, by its path. */
    manager(path: string): string | undefined {
        const file = join(this.folder, "manager", path);
        return existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
    }

    setManager(path: string, value: string): void {
        write(join(this.folder, "manager", path), value);
    }

    log(): Logged[] {
        return readFileSync(join(this.folder, "log"), "utf8")
            .split("\n")
            .filter((line) => line !== "")
            .map((line) => {
                const [host = "", ...command] = line.split("\t");
                return { host, command: command.join("\t").trim() };
            });
    }

    forgetLog(): void {
        write(join(this.folder, "log"), "");
    }

    /** All that a step can change, of all hosts: a line for each file, folder and link. */
    tree(): string[] {
        const lines: string[] = [];
        const walk = (folder: string): void => {
            for (const entry of readdirSync(folder, { withFileTypes: true })) {
                const path = join(folder, entry.name);
                const short = path.slice(this.folder.length);
                if (entry.isSymbolicLink()) {
                    lines.push(`${short} ->`);
                } else if (entry.isDirectory()) {
                    lines.push(`${short}/`);
                    walk(path);
                } else {
                    const digest = createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 12);
                    lines.push(`${short} ${digest}`);
                }
            }
        };
        for (const host of [MANAGER, ...NODES]) {
            for (const folder of readdirSync(join(this.folder, "hosts", host, "root"))) {
                if (["etc", "var", "opt", "sys", "srv", "sharedvol", "OVS"].includes(folder)) {
                    const path = join(this.folder, "hosts", host, "root", folder);
                    if (folder === "OVS") {
                        lines.push(`/hosts/${host}/root/OVS ->`);
                    } else {
                        walk(path);
                    }
                }
            }
            for (const name of ["services", "levels", "packages", "repositories", "mounts"]) {
                const path = join(this.folder, "hosts", host, "state", name);
                if (!existsSync(path)) {
                    continue;
                }
                if (["packages", "repositories", "mounts"].includes(name)) {
                    lines.push(`${host} ${name}: ${readFileSync(path, "utf8").split("\n").sort().join("|")}`);
                } else {
                    readdirSync(path).forEach((one) =>
                        lines.push(`${host} ${name} ${one}: ${readFileSync(join(path, one), "utf8").trim()}`),
                    );
                }
            }
        }
        return lines.sort();
    }

    private makeHost(host: string): void {
        const root = join(this.folder, "hosts", host, "root");
        for (const folder of [
            ...[
                "bin",
                "sbin",
                "usr/bin",
                "usr/sbin",
                "dev",
                "proc",
                "tmp",
                "root",
                "host/usr",
                "standin",
                "standin-bin",
            ],
            ...[
                "etc/init.d",
                "etc/sysconfig",
                "etc/ocfs2",
                "var/lib",
                "var/ovs/mount",
                "opt",
                "srv/media",
                "sys/kernel/config/cluster",
            ],
        ]) {
            mkdirSync(join(root, folder), { recursive: true });
        }
        for (const [link, target] of [
            ["lib", "host/usr/lib"],
            ["lib64", "host/usr/lib64"],
            ["usr/lib", "../host/usr/lib"],
        ] as const) {
            symlinkSync(target, join(root, link));
        }
        for (const command of COMMANDS.split(" ")) {
            // As on EL5: sh is bash, awk is gawk where there is one.
            const real = command === "sh" ? "/usr/bin/bash" : realpathSync(`/usr/bin/${command}`);
            symlinkSync(`/host${real}`, join(root, "bin", command));
        }
        const standIn = (at: string, name: string): void => symlinkSync(`/standin-bin/${name}.sh`, join(root, at));
        symlinkSync(`/host${realpathSync(PYTHON)}`, join(root, "bin/python"));
        LOGGED.forEach((command) => standIn(`bin/${command}`, "logged"));
        Object.entries(STAND_INS).forEach(([command, name]) => standIn(`sbin/${command}`, name));
        write(join(root, "etc/nsswitch.conf"), "hosts: files\n");
        // The installer of EL5 gives a host's own name to the loopback address.
        write(join(root, "etc/hosts"), `127.0.0.1 ${host} localhost.localdomain localhost\n`);
        this.set(host, "address", `${ADDRESSES[host]}`);
        this.set(host, "mounts", "");
        this.set(host, "repositories", "");
        this.set(host, "packages", "bash-3.2-33.el5.1\nglibc-2.5-123.0.1.el5_11.1\n");
        if (host === MANAGER) {
            this.makeManager(host, root, standIn);
        } else {
            this.makeNode(host, root, standIn);
        }
    }

    private service(host: string, name: string, state: "running" | "stopped", levels: string): void {
        symlinkSync("/standin-bin/init.sh", join(this.folder, "hosts", host, "root/etc/init.d", name));
        this.set(host, `services/${name}`, state);
        this.set(host, `levels/${name}`, levels);
    }

    private makeManager(host: string, root: string, standIn: (at: string, name: string) => void): void {
        write(join(root, "etc/redhat-release"), "CentOS release 5.11 (Final)\n");
        standIn("bin/ovm", "ovm");
        standIn("sbin/exportfs", "exportfs");
        this.service(host, "oc4j", "stopped", "35");
        this.service(host, "portmap", "stopped", "");
        this.service(host, "nfslock", "stopped", "");
        this.service(host, "nfs", "stopped", "");
        this.service(host, "httpd", "stopped", "");
        write(join(root, "srv/media/linux.iso"), "an installation medium");
        write(join(root, "srv/media/web/System.img"), "a disk");
    }

    private makeNode(host: string, root: string, standIn: (at: string, name: string) => void): void {
        write(join(root, "etc/ovs-release"), "Oracle VM server release 2.2.1\n");
        mkdirSync(join(root, "opt/ovs-agent-2.3/utils"), { recursive: true });
        standIn("opt/ovs-agent-2.3/utils/repos.py", "repos");
        standIn("sbin/o2cb_ctl", "o2cb_ctl");
        // A copy, because its text is read for the version.
        cpSync(join(__dirname, "bin/ovs-agent.sh"), join(root, "etc/init.d/ovs-agent"));
        chmodSync(join(root, "etc/init.d/ovs-agent"), 0o755);
        symlinkSync("ovs-agent-2.3", join(root, "opt/ovs-agent-latest"));
        this.set(host, "services/ovs-agent", "running");
        this.set(host, "levels/ovs-agent", "35");
        this.set(host, "agent-release", "2.3-42");
        this.set(host, "agent-password", AGENT_PASSWORD);
        this.set(host, "cpu", "GenuineIntel 6");
        // The repository that the installation makes on the local disk.
        const uuid = `0000000${basename(host).slice(-1)}-1111-2222-3333-444444444444`;
        const where = `/var/ovs/mount/${uuid.replaceAll("-", "").toUpperCase()}`;
        for (const pool of ["running_pool", "seed_pool", "iso_pool", "publish_pool", "sharedDisk"]) {
            mkdirSync(join(this.folder, "hosts", host, "state/devices/sda3", pool), { recursive: true });
        }
        this.set(host, "devices/sda3/.ovsrepo", `${uuid}\n`);
        this.set(host, "repositories", `${uuid} root /dev/sda3\n`);
        this.set(host, "mounts", `/dev/sda3 ${where} ocfs2\n`);
        mkdirSync(join(root, where), { recursive: true });
        symlinkSync(where, join(root, "OVS"));
    }
}
