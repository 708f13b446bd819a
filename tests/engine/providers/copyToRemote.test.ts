import {
    existsSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    realpathSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandProvider } from "../../../engine/providers/command/provider";
import { Archive, Asset, type PropertyMap, Secret, UNKNOWN, type Value } from "../../../engine/values/value";
import { type Sshd, startSshd } from "../support/sshd";
import { contextFor } from "./context";

const TYPE = "command:remote:CopyToRemote";
jest.setTimeout(60_000);

describe(TYPE, () => {
    let sshd: Sshd;
    let provider: CommandProvider;
    /** Where the sources are. */
    let here: string;
    /** What the other host's file system is for: a new folder for each test. */
    let there: string;

    beforeAll(async () => {
        sshd = await startSshd();
        here = realpathSync(mkdtempSync(join(tmpdir(), "copy-")));
        mkdirSync(join(here, "tree/sub/empty"), { recursive: true });
        writeFileSync(join(here, "tree/one"), "1");
        writeFileSync(join(here, "tree/sub/two"), "2");
        writeFileSync(join(here, "file"), "content\n");
        provider = new CommandProvider({ directory: here });
    });
    afterAll(async () => {
        await provider.close();
        await sshd.stop();
        rmSync(here, { recursive: true });
    });
    beforeEach(() => {
        there = realpathSync(mkdtempSync(join(tmpdir(), "there-")));
    });
    afterEach(() => rmSync(there, { recursive: true }));

    const connection = (of: Sshd = sshd): PropertyMap => ({
        host: of.host,
        port: of.port,
        privateKey: of.privateKey,
        hostKey: of.hostKey,
        dialErrorLimit: 0,
    });
    const context = () => contextFor(TYPE, "it");
    const checked = async (source: Value, path: string, more: PropertyMap = {}): Promise<PropertyMap> => {
        const news = { connection: connection(), source, remotePath: join(there, path), ...more };
        const { inputs, failures } = await provider.check(context(), undefined, news);
        expect(failures).toEqual([]);
        return inputs;
    };
    const copy = async (source: Value, path: string) => provider.create(context(), await checked(source, path));
    const read = (path: string): string => readFileSync(join(there, path), "utf8");
    const tree = (): string[] => (readdirSync(there, { recursive: true }) as string[]).sort();

    it("copies a file, with the folders above it, and over the one that is there", async () => {
        const made = await copy(new Asset({ path: "file" }), "a/b/c");
        expect(made.id).toMatch(/^[0-9a-f]{8}$/);
        expect(made.outputs["source"]).toEqual(
            new Asset({ path: "file" }, "434728a410a78f56fc1b5899c3593436e61ab0c731e9072d95e96db290205e53"),
        );
        expect(made.outputs["connection"]).toBeInstanceOf(Secret);
        expect(read("a/b/c")).toBe("content\n");
        writeFileSync(join(there, "a/b/c"), "something that is longer than the new content");
        await copy(new Asset({ path: join(here, "file") }), "a/b/c");
        expect(read("a/b/c")).toBe("content\n");
    });

    it("copies a file into a folder that is there", async () => {
        await copy(new Asset({ path: "file" }), "");
        expect(read("file")).toBe("content\n");
    });

    it("copies bytes as they are, more than fit into one message", async () => {
        const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919) % 256));
        writeFileSync(join(here, "bytes"), bytes);
        await copy(new Asset({ path: "bytes" }), "bytes");
        expect(readFileSync(join(there, "bytes")).equals(bytes)).toBe(true);
    });

    it("copies a text, secret or empty", async () => {
        await copy(new Secret(new Asset({ text: "grüße\n" })), "a/text");
        await copy(new Asset({ text: "" }), "a/empty");
        expect(read("a/text")).toBe("grüße\n");
        expect(read("a/empty")).toBe("");
        await expect(copy(new Asset({ text: "x" }), "a")).rejects.toThrow(
            `remote path ${join(there, "a")} is a directory; when using a text asset, remotePath must be a file path`,
        );
    });

    const INSIDE = ["one", "sub", "sub/empty", "sub/two"];
    const within = (folder: string): string[] => [folder, ...INSIDE.map((name) => join(folder, name))];

    it.each([
        ["into a folder that it makes", "tree", "new", ["new", ...within("new/tree")]],
        ["into a folder that is there", "tree", "", within("tree")],
        ["what is in it, into a folder that it makes", "tree/", "new", within("new")],
        ["what is in it, into a folder that is there", "tree/", "", INSIDE],
    ])("copies a folder as cp -r: %s", async (_case, path, remotePath, expected) => {
        await copy(new Archive({ path }), remotePath);
        expect(tree()).toEqual(expected);
        expect(read(expected.find((name) => name.endsWith("two")) ?? "")).toBe("2");
    });

    it("copies a folder over itself and leaves alone what else is there", async () => {
        mkdirSync(join(there, "tree"));
        writeFileSync(join(there, "tree/other"), "kept");
        writeFileSync(join(there, "tree/one"), "old");
        await copy(new Archive({ path: "tree" }), "");
        await copy(new Archive({ path: "tree" }), "");
        expect(tree()).toEqual([...within("tree"), "tree/other"].sort());
        expect(read("tree/one")).toBe("1");
    });

    it("copies an archive file as it is", async () => {
        writeFileSync(join(here, "x.tgz"), "packed");
        await copy(new Archive({ path: "x.tgz" }), "y.tgz");
        expect(read("y.tgz")).toBe("packed");
    });

    it("does not copy a folder over a file", async () => {
        writeFileSync(join(there, "tree"), "a file");
        await expect(copy(new Archive({ path: "tree" }), "")).rejects.toThrow(
            `remote path ${join(there, "tree")} exists but is not a directory`,
        );
        await expect(copy(new Archive({ path: "tree" }), "tree")).rejects.toThrow(
            `remote path ${join(there, "tree")} exists but is not a directory`,
        );
        expect(read("tree")).toBe("a file");
    });

    it("tells which file it could not write", async () => {
        await expect(
            provider.create(context(), await checked(new Asset({ text: "x" }), "../../proc/x")),
        ).rejects.toThrow("failed to write text content to remote path /proc/x");
    });

    it("copies again only when content or path changed", async () => {
        writeFileSync(join(here, "changing"), "1");
        const source = new Asset({ path: "changing" });
        const inputs = await checked(source, "file");
        const made = await provider.create(context(), inputs);
        const old = { ...made, inputs };
        rmSync(join(there, "file"));

        const patient = await checked(source, "file", { connection: { ...connection(), perDialTimeout: 3 } });
        await expect(provider.diff(context(), old, patient)).resolves.toMatchObject({ changes: true, replaceKeys: [] });
        await expect(provider.update(context(), old, patient)).resolves.toEqual({ id: made.id, outputs: patient });
        expect(existsSync(join(there, "file"))).toBe(false);

        writeFileSync(join(here, "changing"), "2");
        const changed = await checked(source, "file");
        await expect(provider.diff(context(), old, changed)).resolves.toMatchObject({ changedKeys: ["source"] });
        await provider.update(context(), old, changed);
        expect(read("file")).toBe("2");

        const moved = await checked(source, "elsewhere");
        await provider.update(context(), { ...old, outputs: changed, inputs: changed }, moved);
        expect(tree()).toEqual(["elsewhere", "file"]);
    });

    it("sees no change in the same content under another path", async () => {
        writeFileSync(join(here, "twin"), "content\n");
        const inputs = await checked(new Asset({ path: "file" }), "file");
        const news = await checked(new Asset({ path: "twin" }), "file");
        const old = { id: "id", inputs, outputs: inputs };
        await expect(provider.diff(context(), old, news)).resolves.toMatchObject({ changes: false });
    });

    it("replaces for triggers", async () => {
        const inputs = await checked(new Asset({ path: "file" }), "file", { triggers: [1] });
        const news = await checked(new Asset({ path: "file" }), "file", { triggers: [2] });
        const old = { id: "id", inputs, outputs: inputs };
        await expect(provider.diff(context(), old, news)).resolves.toMatchObject({ replaceKeys: ["triggers"] });
    });

    it("copies nothing in a preview, and deletes nothing", async () => {
        const inputs = await checked(new Asset({ path: "file" }), "file");
        await expect(provider.preview(context(), undefined, inputs)).resolves.toEqual(inputs);
        expect(tree()).toEqual([]);
        const made = await provider.create(context(), inputs);
        await provider.delete(context(), { ...made, inputs });
        expect(tree()).toEqual(["file"]);
    });

    it("lets pass what is not known yet", async () => {
        const inputs = await checked(UNKNOWN, "file");
        expect(inputs["source"]).toBe(UNKNOWN);
    });

    it.each([
        ["an asset by URI", new Asset({ uri: "https://host/file" })],
        ["an archive of assets", new Archive({ assets: { file: new Asset({ text: "x" }) } })],
        ["a plain text", "text"],
    ])("refuses %s", async (_what, source) => {
        const news = { connection: connection(), source, remotePath: "/x" };
        const { failures } = await provider.check(context(), undefined, news);
        expect(failures).toEqual([
            { property: "source", reason: "expected a FileAsset, a StringAsset or a FileArchive" },
        ]);
    });

    it("tells that a source is missing before anything is done", async () => {
        await expect(checked(new Asset({ path: "gone" }), "x")).rejects.toThrow("cannot read gone");
    });

    it("says what is missing on a host without SFTP", async () => {
        const bare = await startSshd({ config: { Subsystem: "other /bin/false" } });
        try {
            const inputs = await checked(new Asset({ text: "x" }), "x", { connection: connection(bare) });
            await expect(provider.create(context(), inputs)).rejects.toThrow(
                `${bare.host}:${bare.port} offers no SFTP: `,
            );
        } finally {
            await bare.stop();
        }
    });

    it("fails when the SFTP server ends at once", async () => {
        const broken = await startSshd({ config: { Subsystem: "sftp /bin/false" } });
        try {
            const inputs = await checked(new Asset({ text: "x" }), "x", { connection: connection(broken) });
            await expect(provider.create(context(), inputs)).rejects.toThrow(
                `${broken.host}:${broken.port} offers no SFTP: `,
            );
        } finally {
            await broken.stop();
        }
    });

    it("shares the connection among many copies", async () => {
        const before = sshd.logins();
        const names = Array.from({ length: 30 }, (_, index) => `file-${index}`);
        await Promise.all(names.map((name) => copy(new Asset({ text: name }), name)));
        expect(names.map(read)).toEqual(names);
        expect(sshd.logins() - before).toBeLessThanOrEqual(1);
    });
});
