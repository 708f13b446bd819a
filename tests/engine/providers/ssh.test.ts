import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Connection, Server } from "ssh2";
import { CommandProvider } from "../../../engine/providers/command/provider";
import { type KeepAlive } from "../../../engine/providers/ssh/dial";
import { SshPool } from "../../../engine/providers/ssh/pool";
import { runCommand } from "../../../engine/providers/ssh/run";
import { connectionFrom } from "../../../engine/providers/ssh/settings";
import { type PropertyMap } from "../../../engine/values/value";
import { descendants, VECTORS } from "../support/cli";
import { freePort, makeKey, type Sshd, startSshd } from "../support/sshd";
import { contextFor } from "./context";

const TYPE = "command:remote:Command";
jest.setTimeout(60_000);

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "ssh-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let provider: CommandProvider;
let sshd: Sshd | undefined;
beforeEach(() => (provider = new CommandProvider()));
afterEach(async () => {
    await provider.close();
    await sshd?.stop();
    sshd = undefined;
});

/** Properties that lead to a host, without any that logs in. */
const hostOf = ({ host, port, hostKey }: Sshd): PropertyMap => ({ host, port, hostKey, dialErrorLimit: 0 });

interface PasswordServer {
    readonly port: number;
    stop(): Promise<void>;
}

/** A host on which `ann` logs in by that password, and every command prints `in`. */
async function passwordServer(expected: string): Promise<PasswordServer> {
    const file = join(mkdtempSync(join(folder, "server-")), "key");
    makeKey(file, "ed25519", "");
    const clients: Connection[] = [];
    const server = new Server({ hostKeys: [readFileSync(file)] }, (client) => {
        clients.push(client);
        client.on("error", () => undefined);
        client.on("authentication", (attempt) => {
            if (attempt.method === "password" && attempt.username === "ann" && attempt.password === expected) {
                attempt.accept();
            } else {
                attempt.reject(["password"]);
            }
        });
        client.on("session", (accept) =>
            accept().on("exec", (run) => {
                const channel = run();
                channel.write("in\n");
                channel.exit(0);
                channel.end();
            }),
        );
    });
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    return {
        port,
        stop: () => {
            const closed = new Promise<void>((resolve) => server.close(() => resolve()));
            clients.forEach((client) => client.end());
            return closed;
        },
    };
}

async function echo(connection: PropertyMap): Promise<unknown> {
    const { outputs } = await provider.create(contextFor(TYPE, "it"), { connection, create: "echo in" });
    return outputs["stdout"];
}

describe("login", () => {
    // A daemon that asks for root's password would need one on this machine; a small server stands for it.
    it("by password, which is told to nobody when it is wrong", async () => {
        const server = await passwordServer("correct horse");
        try {
            const connection = { host: "127.0.0.1", port: server.port, user: "ann", dialErrorLimit: 0 };
            expect(await echo({ ...connection, password: "correct horse" })).toBe("in");
            const refused = echo({ ...connection, password: "battery staple" });
            await expect(refused).rejects.toThrow(/unable to authenticate, attempted methods \[none password/);
            await expect(refused).rejects.not.toThrow(/battery/);
        } finally {
            await server.stop();
        }
    });

    it("by an agent, and refused without the key in it", async () => {
        sshd = await startSshd();
        const socket = join(folder, "agent");
        const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
        try {
            for (let tries = 0; tries < 200 && !existsSync(socket); tries++) {
                await sleep(25);
            }
            const connection = { ...hostOf(sshd), user: "root", agentSocketPath: socket };
            await expect(echo(connection)).rejects.toThrow("unable to authenticate");
            const env = { ...process.env, SSH_AUTH_SOCK: socket };
            execFileSync("ssh-add", ["-q", sshd.privateKeyFile], { env, stdio: "ignore" });
            expect(await echo(connection)).toBe("in");
        } finally {
            agent.kill();
        }
    });

    it("with a key that the host refuses fails in one line", async () => {
        sshd = await startSshd();
        makeKey(join(folder, "stranger"), "ed25519", "");
        const privateKey = readFileSync(join(folder, "stranger"), "utf8");
        await expect(echo({ ...hostOf(sshd), privateKey })).rejects.toThrow(
            /^after 0 failed attempts: ssh: handshake failed: ssh: unable to authenticate, attempted methods \[none publickey\], no supported methods remain$/,
        );
    });

    it("with an encrypted key needs its passphrase", async () => {
        sshd = await startSshd({ passphrase: "open sesame" });
        const connection = { ...hostOf(sshd), privateKey: sshd.privateKey };
        expect(await echo({ ...connection, privateKeyPassword: "open sesame" })).toBe("in");
        await expect(echo({ ...connection, privateKeyPassword: "open barley" })).rejects.toThrow(
            /^ssh: cannot read the private key for 127\.0\.0\.1:\d+: [^\n]*$/,
        );
        await expect(echo(connection)).rejects.toThrow(
            /^ssh: this private key is passphrase protected: give privateKeyPassword$/,
        );
        expect(sshd.logins()).toBe(1);
    });
});

describe("a connection", () => {
    it("is shared by nothing that logs in otherwise, or trusts another host key", async () => {
        sshd = await startSshd();
        makeKey(join(folder, "second"), "ed25519", "");
        sshd.authorize(readFileSync(join(folder, "second.pub"), "utf8"));
        const { privateKey } = sshd;
        const own: PropertyMap = { ...hostOf(sshd), privateKey };
        const { hostKey: _, ...unpinned } = own;
        expect(await Promise.all([echo(own), echo(own), echo({ ...own, user: "root" })])).toEqual(["in", "in", "in"]);
        expect(sshd.logins()).toBe(1);
        await echo({ ...own, privateKey: readFileSync(join(folder, "second"), "utf8") });
        expect(sshd.logins()).toBe(2);
        await echo(unpinned);
        expect(sshd.logins()).toBe(3);
        // Nobody of that name exists, so that only a shared connection could do it.
        await expect(echo({ ...own, user: "nobody-at-all" })).rejects.toThrow("unable to authenticate");
        await expect(echo({ ...own, hostKey: readFileSync(join(folder, "second.pub"), "utf8") })).rejects.toThrow(
            "host key mismatch",
        );
        expect(sshd.logins()).toBe(3);
    });

    it("to a host that goes silent fails what it runs within the bound of the keep-alive", async () => {
        sshd = await startSshd();
        const keepAlive: KeepAlive = { intervalMs: 300, countMax: 2 };
        const pool = new SshPool({ keepAlive });
        const stopped: number[] = [];
        const waiting = { signal: new AbortController().signal, onRetry: () => undefined };
        const settings = connectionFrom({ ...hostOf(sshd), privateKey: sshd.privateKey });
        let said = "";
        try {
            const running = pool.withSession(settings, waiting, (client, begin) =>
                runCommand(
                    client,
                    {
                        command: "echo begun; sleep 30",
                        stdin: "",
                        environment: {},
                        offered: {},
                        onRefused: () => undefined,
                        onStart: begin,
                        onOutput: (chunk) => (said += chunk.toString()),
                    },
                    waiting.signal,
                ),
            );
            const failed = expect(running).rejects.toThrow(
                /the SSH connection to 127\.0\.0\.1:\d+ was lost: .*eepalive/,
            );
            while (!said.includes("begun")) {
                await sleep(20);
            }
            for (const pid of descendants(sshd.pid)) {
                process.kill(pid, "SIGSTOP");
                stopped.push(pid);
            }
            const silentSince = performance.now();
            await failed;
            const bound = keepAlive.intervalMs * (keepAlive.countMax + 1);
            expect(performance.now() - silentSince).toBeGreaterThan(keepAlive.intervalMs);
            expect(performance.now() - silentSince).toBeLessThan(bound + 3_000);
        } finally {
            stopped.forEach((pid) => process.kill(pid, "SIGCONT"));
            await pool.close();
        }
    });
});

describe("what is shown of a command", () => {
    it.each([
        ["stdoutAndStderr", ["info: out", "info: err"]],
        ["stdout", ["info: out"]],
        ["stderr", ["info: err"]],
        ["none", []],
    ])("with logging %s", async (logging, lines) => {
        sshd = await startSshd();
        const context = contextFor(TYPE, "it");
        const connection = { ...hostOf(sshd), privateKey: sshd.privateKey };
        const create = "echo out; sleep 0.2; echo err >&2";
        const { outputs } = await provider.create(context, { connection, create, logging });
        expect(context.lines.filter((line) => /out|err/.test(line)).sort()).toEqual([...lines].sort());
        // What is not shown is kept all the same.
        expect(outputs).toMatchObject({ stdout: "out", stderr: expect.stringContaining("err") as string });
    });
});

describe("the outputs of a command in the state", () => {
    interface Recorded {
        deployment: { resources: { type: string; inputs?: PropertyMap; outputs?: PropertyMap }[] };
    }
    const { deployment } = JSON.parse(readFileSync(join(VECTORS, "recorded/1.state.json"), "utf8")) as Recorded;
    const commands = deployment.resources.filter(({ type }) => type === TYPE);

    it("have the keys that the official provider gives them", async () => {
        sshd = await startSshd();
        const connection = { ...hostOf(sshd), privateKey: sshd.privateKey };
        expect(commands.length).toBeGreaterThan(0);
        for (const { inputs = {}, outputs = {} } of commands) {
            const given = Object.fromEntries(Object.entries(inputs).filter(([key]) => !key.startsWith("__")));
            const runnable = { ...given, connection, create: "true", stdin: "", environment: {} };
            const news = Object.fromEntries(Object.entries(runnable).filter(([key]) => key in given));
            const checked = await provider.check(contextFor(TYPE, "it"), undefined, news);
            const made = await provider.create(contextFor(TYPE, "it"), checked.inputs);
            expect(Object.keys(made.outputs).sort()).toEqual(
                Object.keys(outputs)
                    .filter((key) => !key.startsWith("__"))
                    .sort(),
            );
        }
    });
});
