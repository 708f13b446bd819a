import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readPassphrase } from "../../../engine/secrets/ask";
import { PassphraseCrypter } from "../../../engine/secrets/passphrase";
import { temporaryFolder } from "../../support/temporaryFolder";

/** Of the recorded states, made by the official CLI with the passphrase `conformance`. */
const SALT = "v1:/yYeC6p25bI=:v1://q50yDeyt6CrWK2:otrg0azUNuUrbdhAoyh6Gt2di91XBA==";

describe("secrets by passphrase", () => {
    it("unlocks a salt of the official CLI, and notices a wrong passphrase", async () => {
        const crypter = await PassphraseCrypter.unlock(SALT, "conformance");
        expect(crypter.decrypt(crypter.encrypt("π"))).toBe("π");
        expect(crypter.encrypt("x")).not.toBe(crypter.encrypt("x"));
        await expect(PassphraseCrypter.unlock(SALT, "wrong")).rejects.toThrow(
            /^incorrect passphrase: set PULUMI_CONFIG_PASSPHRASE/,
        );
    });

    it("makes salts that the same passphrase unlocks", async () => {
        const made = await PassphraseCrypter.create("");
        expect(made.salt).toMatch(/^v1:[\w+/]{11}=:v1:/);
        const other = await PassphraseCrypter.create("");
        expect(() => other.decrypt(made.encrypt("text"))).toThrow("cannot be decrypted");
    });

    it.each(["", "v2:AAAA:v1:AAAA:AAAA", "v1:AAAA"])("refuses the malformed salt %j", async (salt) => {
        await expect(PassphraseCrypter.unlock(salt, "p")).rejects.toThrow("malformed");
    });

    it.each(["", "v1:x", "v2:AAAA:AAAA", "v1:AAAAAAAAAAAAAAAA:AAAA", "v1:AAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAA"])(
        "refuses the damaged ciphertext %j",
        async (ciphertext) => {
            const crypter = await PassphraseCrypter.unlock(SALT, "conformance");
            expect(() => crypter.decrypt(ciphertext)).toThrow("cannot be decrypted");
        },
    );
});

describe("where the passphrase comes from", () => {
    it("is the environment first, an empty one too, then the file", async () => {
        const file = join(temporaryFolder(), "phrase");
        writeFileSync(file, "of the file\n");
        const environment = { PULUMI_CONFIG_PASSPHRASE_FILE: file };
        expect(await readPassphrase({ environment: { ...environment, PULUMI_CONFIG_PASSPHRASE: "" } }, "new")).toBe("");
        expect(await readPassphrase({ environment }, "unlock")).toBe("of the file");
    });

    it("is asked for, a new one twice", async () => {
        const answers = ["one", "one", "one", "other"];
        const ask = (): Promise<string> => Promise.resolve(answers.shift() ?? "");
        expect(await readPassphrase({ environment: {}, ask }, "new")).toBe("one");
        await expect(readPassphrase({ environment: {}, ask }, "new")).rejects.toThrow("differ");
    });

    it("is missed in one line that says where to put it", async () => {
        await expect(readPassphrase({ environment: {} }, "unlock")).rejects.toThrow(
            /^the passphrase .* is missing: set PULUMI_CONFIG_PASSPHRASE/,
        );
        const environment = { PULUMI_CONFIG_PASSPHRASE_FILE: "/does/not/exist" };
        await expect(readPassphrase({ environment }, "unlock")).rejects.toThrow("cannot be read");
    });
});
