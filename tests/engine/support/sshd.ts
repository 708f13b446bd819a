import { execFileSync, spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const SSHD = "/usr/sbin/sshd";

export interface SshdOptions {
    /** Further lines of sshd_config by keyword, such as `AcceptEnv`, `MaxSessions` or `KexAlgorithms`. */
    readonly config?: Readonly<Record<string, string | number>>;
    /** Type of the host key. Default ed25519. */
    readonly hostKeyType?: "ed25519" | "ecdsa" | "rsa";
    /** Type of the client key. Default ed25519. */
    readonly keyType?: "ed25519" | "ecdsa" | "rsa";
    /** Encrypts the client key. */
    readonly passphrase?: string;
}

export interface Sshd {
    readonly host: string;
    readonly port: number;
    /** The key that may log in, as the user who runs the test. */
    readonly privateKey: string;
    readonly privateKeyFile: string;
    /** Line of authorized_keys. */
    readonly hostKey: string;
    readonly pid: number;
    /** Lets one more public key log in, given as its line of authorized_keys. */
    authorize(publicKey: string): void;
    /** Process ids of the daemon's children: one per connection (or two, before the login is complete). */
    connections(): number[];
    /** Connections that were logged in to since the start. */
    logins(): number;
    /** What the daemon says. */
    log(): string;
    stop(): Promise<void>;
}

/** Starts a daemon of its own on a free port of 127.0.0.1, with its own keys. The test must be root, and must stop it. */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
    if (!existsSync(SSHD)) {
        throw new Error(`${SSHD} is missing: install the package openssh-server`);
    }
    mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
    const folder = mkdtempSync(join(tmpdir(), "sshd-"));
    const hostKeyFile = join(folder, "host");
    const keyFile = join(folder, "key");
    makeKey(hostKeyFile, options.hostKeyType ?? "ed25519", "");
    makeKey(keyFile, options.keyType ?? "ed25519", options.passphrase ?? "");
    writeFileSync(join(folder, "authorized_keys"), readFileSync(`${keyFile}.pub`));
    const port = await freePort();
    const config = {
        Port: port,
        ListenAddress: "127.0.0.1",
        HostKey: hostKeyFile,
        AuthorizedKeysFile: join(folder, "authorized_keys"),
        PidFile: join(folder, "pid"),
        StrictModes: "no",
        UsePAM: "no",
        PermitRootLogin: "yes",
        PasswordAuthentication: "no",
        KbdInteractiveAuthentication: "no",
        MaxStartups: "100",
        LogLevel: "VERBOSE",
        Subsystem: "sftp internal-sftp",
        // The start-up files of whoever runs the tests cost time, and are none of their business.
        SetEnv: `HOME=${folder}`,
        ...options.config,
    };
    const file = join(folder, "sshd_config");
    writeFileSync(
        file,
        Object.entries(config)
            .map(([keyword, value]) => `${keyword} ${value}\n`)
            .join(""),
    );
    const daemon = spawn(SSHD, ["-D", "-e", "-f", file], { stdio: ["ignore", "ignore", "pipe"] });
    let log = "";
    daemon.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
    const ended = new Promise<void>((resolve) => daemon.once("exit", () => resolve()));
    const pid = daemon.pid;
    if (pid === undefined) {
        throw new Error(`${SSHD} did not start`);
    }
    await listening(
        port,
        () => daemon.exitCode !== null,
        () => log,
    );
    return {
        host: "127.0.0.1",
        port,
        privateKey: readFileSync(keyFile, "utf8"),
        privateKeyFile: keyFile,
        hostKey: readFileSync(`${hostKeyFile}.pub`, "utf8").trim(),
        pid,
        authorize: (publicKey) => appendFileSync(join(folder, "authorized_keys"), publicKey),
        connections: () => childrenOf(pid),
        logins: () => log.split(/Accepted (?:publickey|password|keyboard)/).length - 1,
        log: () => log,
        stop: async () => {
            for (const child of childrenOf(pid)) {
                end(child);
            }
            end(pid);
            await ended;
            rmSync(folder, { recursive: true, force: true });
        },
    };
}

/** Makes a key pair in `file` and `file.pub`. */
export function makeKey(file: string, type: string, passphrase: string): void {
    execFileSync("ssh-keygen", ["-q", "-t", type, "-N", passphrase, "-f", file, "-C", "test"]);
}

/** A port of 127.0.0.1 that nothing listens on. */
export async function freePort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    await new Promise((resolve) => server.close(resolve));
    return typeof address === "object" && address !== null ? address.port : 0;
}

async function listening(port: number, ended: () => boolean, log: () => string): Promise<void> {
    for (let tries = 0; tries < 200 && !ended(); tries++) {
        const up = await new Promise<boolean>((resolve) => {
            const socket = connect(port, "127.0.0.1");
            socket.once("connect", () => {
                socket.destroy();
                resolve(true);
            });
            socket.once("error", () => resolve(false));
        });
        if (up) {
            return;
        }
        await sleep(25);
    }
    throw new Error(`sshd does not listen: ${log()}`);
}

function childrenOf(pid: number): number[] {
    try {
        const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
        return text.split(" ").filter(Boolean).map(Number);
    } catch {
        return [];
    }
}

function end(pid: number): void {
    try {
        process.kill(pid, "SIGTERM");
    } catch {
        // It has ended by itself.
    }
}
