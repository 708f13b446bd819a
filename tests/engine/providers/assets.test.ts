import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { hashedArchive, hashedAsset } from "../../../engine/providers/assets";
import { Archive, Asset } from "../../../engine/values/value";

/** Folders by name, with the hash that the official engine (SDK 3.248.0) gave them. */
const FOLDERS: Readonly<Record<string, { files: Record<string, string>; hash: string }>> = {
    empty: { files: {}, hash: "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef" },
    plain: {
        files: {
            "a.txt": "a",
            "b/c.txt": "0123456789".repeat(60),
            "b/d": "",
            "b.txt": "bb",
            "b-c/e": "e",
            ".pulumi/x": "no",
            Z: "z".repeat(512),
        },
        hash: "5868951a57272a7dd98ab5215265169b1858fd16144eb5058c848837fed1ec66",
    },
    "names to split": {
        files: { [`${"d".repeat(60)}/${"e".repeat(60)}/f`]: "x" },
        hash: "cf52ef0127886157e7a0db73d2bac02b3cd2c4b15b2a512a6eaba43c4a9cce48",
    },
    "names that are too long": {
        files: { ["n".repeat(120)]: "x" },
        hash: "4edae971477175b68bfaae1bff7876eca066f070f2da55c367628310f36632bb",
    },
    "names that are not ASCII": {
        files: { "grüße.txt": "x" },
        hash: "aeab038048942cf7ae7d52dbee0aec423499573f84db4f9d153e70bea6da1977",
    },
};

describe("hashes of assets and archives", () => {
    let folder: string;

    beforeAll(() => {
        folder = mkdtempSync(join(tmpdir(), "assets-"));
        for (const [name, { files }] of Object.entries(FOLDERS)) {
            mkdirSync(join(folder, name));
            for (const [path, text] of Object.entries(files)) {
                mkdirSync(dirname(join(folder, name, path)), { recursive: true });
                writeFileSync(join(folder, name, path), text);
            }
        }
        // A link to a file counts as the file, one to a folder not at all.
        symlinkSync("a.txt", join(folder, "plain", "link"));
        symlinkSync("b", join(folder, "plain", "linkdir"));
        writeFileSync(join(folder, "file"), "hello\n");
        writeFileSync(join(folder, "x.tgz"), "not really");
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    it.each(Object.entries(FOLDERS))("are the official ones for a folder: %s", async (name, { hash }) => {
        const relative = await hashedArchive(new Archive({ path: name }), folder);
        expect(relative).toEqual(new Archive({ path: name }, hash));
        await expect(hashedArchive(new Archive({ path: join(folder, name) }), "/")).resolves.toMatchObject({ hash });
    });

    it.each([
        [{ path: "file" }, "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"],
        [{ text: "grüße" }, "8285d1ad84c6b6e475d3b50dbf90389c8c7a07a278d9ae46d5698cbe872e3834"],
        [{ text: "" }, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    ])("are the official ones for the asset %j", async (source, hash) => {
        await expect(hashedAsset(new Asset(source), folder)).resolves.toEqual(new Asset(source, hash));
    });

    it("are those of the bytes for an archive file", async () => {
        await expect(hashedArchive(new Archive({ path: "x.tgz" }), folder)).resolves.toMatchObject({
            hash: "c22d26d33c5783cf2bd157ba48eefa471ac49ab7bc71d5e8d5977eedd2c91726",
        });
    });

    it("stay as they came", async () => {
        const known = new Archive({ path: "nowhere" }, "abc");
        await expect(hashedArchive(known, folder)).resolves.toBe(known);
    });

    it("need something to read", async () => {
        const file = hashedArchive(new Archive({ path: "file" }), folder);
        await expect(file).rejects.toThrow("'file' is neither a recognized archive type nor a directory");
        await expect(hashedAsset(new Asset({ path: "gone" }), folder)).rejects.toThrow("cannot read gone");
        await expect(hashedAsset(new Asset({ path: "plain" }), folder)).rejects.toThrow("cannot read plain");
        await expect(hashedAsset(new Asset({ uri: "http://host/x" }), folder)).rejects.toThrow(
            "the official pulumi CLI is needed",
        );
    });
});
