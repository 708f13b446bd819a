import { CommandProvider } from "../../../engine/providers/command/provider";
import { type PropertyMap, revealedMap, Secret } from "../../../engine/values/value";
import { freePort, type Sshd, startSshd } from "../support/sshd";
import { contextFor } from "./context";

const TYPE = "command:remote:Command";
jest.setTimeout(60_000);

describe("command:remote:Command", () => {
    let sshd: Sshd;
    let provider: CommandProvider;

    beforeAll(async () => {
        sshd = await startSshd({ config: { AcceptEnv: "GIVEN PULUMI_COMMAND_*" } });
    });
    afterAll(() => sshd.stop());
    beforeEach(() => {
        provider = new CommandProvider();
    });
    afterEach(() => provider.close());

    const connection = (): PropertyMap => ({
        host: sshd.host,
        port: sshd.port,
        user: "root",
        privateKey: sshd.privateKey,
        hostKey: sshd.hostKey,
        dialErrorLimit: 0,
    });
    const create = (inputs: PropertyMap, context = contextFor(TYPE, "it")) =>
        provider.create(context, { connection: connection(), ...inputs });

    it("keeps what the command printed, without one line end", async () => {
        const context = contextFor(TYPE, "first-1");
        const made = await create({ create: "cat; printf 'warned\\n\\n' >&2", stdin: "hello\n" }, context);
        expect(made.id).toMatch(/^first-1[0-9a-f]{8}$/);
        expect(made.outputs["stdout"]).toBe("hello");
        expect(made.outputs["stderr"]).toMatch(/warned\n$/);
        expect(context.lines).toContain("info: hello");
    });

    it("shows nothing when logging is none", async () => {
        const context = contextFor(TYPE, "it");
        await create({ create: "echo out; echo err >&2", logging: "none" }, context);
        expect(context.lines).toEqual([]);
    });

    it.each([
        ["echo before; exit 7", /^Process exited with status 7: running "echo before; exit 7":\n[^]*before\n/],
        ["kill -9 $$", /^Process exited with status 137 from signal KILL: running "kill -9 \$\$":\n/],
    ])("tells how %j ended", async (command, message) => {
        await expect(create({ create: command })).rejects.toThrow(message);
    });

    it("passes the environment, and what was printed before", async () => {
        const made = await create({ create: 'printf "$GIVEN"', environment: { GIVEN: "a b" } });
        expect(made.outputs["stdout"]).toBe("a b");
        const inputs = { connection: connection(), update: 'printf "was $PULUMI_COMMAND_STDOUT"' };
        const updated = await provider.update(contextFor(TYPE, "it"), { ...made, inputs: {} }, inputs);
        expect(updated).toMatchObject({ id: made.id, outputs: { stdout: "was a b" } });
    });

    it("fails when the server refuses a variable", async () => {
        const context = contextFor(TYPE, "it");
        const made = create({ create: "true", environment: { OTHER: "x" } }, context);
        await expect(made).rejects.toThrow('could not set environment variable "OTHER": ssh: setenv failed');
        expect(context.lines[0]).toMatch(/^error: Unable to set 'OTHER'/);
    });

    it("keeps secrets out of errors and live output", async () => {
        const context = contextFor(TYPE, "it");
        const stdin = new Secret("correct horse battery");
        const made = create({ create: "cat; exit 1", stdin }, context);
        await expect(made).rejects.toThrow("[secret]");
        await expect(made).rejects.not.toThrow("correct horse");
        expect(context.lines.join()).not.toContain("correct horse");
    });

    it("refuses a host with another key, whoever it is", async () => {
        const other = await startSshd();
        const wrong = { ...connection(), hostKey: other.hostKey };
        await other.stop();
        await expect(create({ create: "true", connection: wrong })).rejects.toThrow(
            /^after 0 failed attempts: ssh: handshake failed: ssh: host key mismatch: /,
        );
    });

    it("tells that the key was refused, and that nothing listens", async () => {
        const { privateKey: _, ...nothing } = connection();
        await expect(create({ create: "true", connection: nothing })).rejects.toThrow("ssh: unable to authenticate");
        const down = { ...connection(), port: await freePort(), dialErrorLimit: 1 };
        await expect(create({ create: "true", connection: down })).rejects.toThrow(
            /^after 1 failed attempts: dial tcp 127\.0\.0\.1:\d+: connect: connection refused$/,
        );
    });

    it("shares one connection among many commands", async () => {
        const before = sshd.logins();
        const numbers = Array.from({ length: 50 }, (_, index) => index);
        const made = await Promise.all(numbers.map((index) => create({ create: `echo ${index}`, logging: "none" })));
        expect(made.map(({ outputs }) => outputs["stdout"])).toEqual(numbers.map(String));
        expect(sshd.logins() - before).toBe(1);
    });

    it("notices a lost connection and dials anew", async () => {
        const lost = create({ create: "echo started; sleep 30" });
        const seen = expect(lost).rejects.toThrow(/the SSH connection to 127\.0\.0\.1:\d+ was lost/);
        await new Promise((resolve) => setTimeout(resolve, 2_000));
        sshd.connections().forEach((pid) => process.kill(pid, "SIGKILL"));
        await seen;
        await expect(create({ create: "echo again" })).resolves.toMatchObject({ outputs: { stdout: "again" } });
    });

    it("stops waiting when it is aborted", async () => {
        const abort = new AbortController();
        const running = create({ create: "sleep 30" }, contextFor(TYPE, "it", abort.signal));
        setTimeout(() => abort.abort(new Error("enough")), 500);
        await expect(running).rejects.toThrow("enough");
    });

    it("goes through a proxy", async () => {
        const proxy = connection();
        const made = await create({ create: "echo through", connection: { ...connection(), proxy } });
        expect(made.outputs["stdout"]).toBe("through");
    });

    it("completes and protects the connection when it checks", async () => {
        const news = { connection: { host: "h", privateKey: "k" }, create: "true" };
        const { inputs, failures } = await provider.check(contextFor(TYPE, "it"), undefined, news);
        expect(failures).toEqual([]);
        expect(revealedMap(inputs)["connection"]).toEqual({
            dialErrorLimit: 10,
            host: "h",
            perDialTimeout: 15,
            port: 22,
            privateKey: "k",
            user: "root",
        });
        expect(inputs["connection"]).toBeInstanceOf(Secret);
    });
});

describe("servers of other kinds", () => {
    const run = async (sshd: Sshd, more: PropertyMap = {}): Promise<unknown> => {
        const provider = new CommandProvider();
        const { host, port, privateKey, hostKey } = sshd;
        try {
            const connection = { host, port, privateKey, hostKey, dialErrorLimit: 0, ...more };
            const made = await Promise.all(
                [1, 2, 3, 4].map(() => provider.create(contextFor(TYPE, "it"), { connection, create: "echo done" })),
            );
            return made.map(({ outputs }) => outputs["stdout"]);
        } finally {
            await provider.close();
            await sshd.stop();
        }
    };
    const done = ["done", "done", "done", "done"];

    it("speaks with old ones", async () => {
        const config = {
            KexAlgorithms: "diffie-hellman-group14-sha1",
            HostKeyAlgorithms: "ssh-rsa",
            Ciphers: "aes128-ctr",
            MACs: "hmac-sha1",
        };
        await expect(run(await startSshd({ config, hostKeyType: "rsa", keyType: "rsa" }))).resolves.toEqual(done);
    });

    it("takes a pinned RSA key from a new one, and an encrypted key", async () => {
        const sshd = await startSshd({ hostKeyType: "rsa", passphrase: "open sesame" });
        await expect(run(sshd, { privateKeyPassword: "open sesame" })).resolves.toEqual(done);
    });

    it("queues for the sessions there are", async () => {
        await expect(run(await startSshd({ config: { MaxSessions: 2 } }))).resolves.toEqual(done);
    });
});
