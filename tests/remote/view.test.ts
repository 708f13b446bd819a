import { startSshd, type Sshd } from "../engine/support/sshd";

interface Properties {
    title: string;
    connection: Record<string, unknown>;
    command: string;
    script: string;
    seconds: number;
    after: string[];
    state?: string;
    seen?: string;
}

/** The code of a View, as Pulumi's provider process has it. */
interface Handler {
    create(inputs: Properties): Promise<{ id: string; outs: Properties }>;
    update(id: string, olds: Properties, inputs: Properties): Promise<{ outs: Properties }>;
    diff(id: string, olds: Properties, news: Properties): Promise<{ changes: boolean }>;
    read(id: string, properties: Properties): Promise<{ id: string; props: Properties; inputs?: Properties }>;
}

const code = jest.requireActual<{ handler: () => Handler }>("../../remote/viewProvider.cjs").handler();

jest.setTimeout(60_000);

describe("a view", () => {
    let daemon: Sshd;
    let inputs: Properties;

    beforeAll(async () => {
        daemon = await startSshd();
        const { host, port, hostKey, privateKey } = daemon;
        inputs = {
            title: "pool: now",
            connection: { host, port, hostKey, privateKey, user: "root", dialErrorLimit: 15 },
            command: "sh -s probe",
            script: 'echo "deed $1"\necho "a note" >&2\n',
            seconds: 30,
            after: [],
        };
    });
    afterAll(() => daemon.stop());

    it("keeps what the probe prints, and nothing of what it notes", async () => {
        expect(await code.create(inputs)).toEqual({ id: "pool: now", outs: { ...inputs, state: "deed probe" } });
        expect(await code.update("pool: now", inputs, inputs)).toEqual({ outs: { ...inputs, state: "deed probe" } });
    });

    it("looks through another host", async () => {
        const { user, ...proxy } = inputs.connection;
        const connection = { ...inputs.connection, proxy: { ...proxy, user } };
        const before = daemon.logins();
        expect(await code.create({ ...inputs, connection })).toMatchObject({ outs: { state: "deed probe" } });
        expect(daemon.logins() - before).toBe(2);
    });

    it("is changed by what it looks at, and not by what it has seen", async () => {
        const seen = { ...inputs, state: "deed probe", seen: "another" };
        expect(await code.diff("", seen, inputs)).toEqual({ changes: false });
        expect(await code.diff("", seen, { ...inputs, after: ["news"] })).toEqual({ changes: true });
        expect(await code.diff("", seen, { ...inputs, script: "true" })).toEqual({ changes: true });
    });

    it("has news among its inputs when it is read, and only then", async () => {
        const same = { ...inputs, state: "deed probe" };
        expect(await code.read("id", same)).toEqual({ id: "id", props: same });
        expect(await code.read("id", { ...same, state: "before" })).toEqual({
            id: "id",
            props: same,
            inputs: { ...inputs, seen: "deed probe" },
        });
    });

    it("says why it sees nothing: the probe's last word, another host key, nobody there", async () => {
        await expect(
            code.create({ ...inputs, script: "echo first >&2; echo 'error: no pool' >&2; exit 3\n" }),
        ).rejects.toThrow(/^pool: now: error: no pool$/);
        await expect(code.create({ ...inputs, script: "exit 3\n" })).rejects.toThrow(
            /^pool: now: ended with status 3$/,
        );
        const blob = Buffer.from((inputs.connection["hostKey"] as string).split(" ")[1] ?? "", "base64");
        blob[blob.length - 1] = (blob.at(-1) ?? 0) ^ 1;
        const other = { ...inputs.connection, hostKey: `ssh-ed25519 ${blob.toString("base64")}` };
        await expect(code.create({ ...inputs, connection: other })).rejects.toThrow(
            /^pool: now: 127\.0\.0\.1:\d+ has another host key than the one it is known by$/,
        );
        const nobody = { ...inputs.connection, port: 1 };
        await expect(code.create({ ...inputs, connection: nobody })).rejects.toThrow(
            /^pool: now: 127\.0\.0\.1:1: .*ECONNREFUSED/,
        );
    });
});
