import { createCipheriv, createDecipheriv, pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { UserError } from "../errors";
import { type Crypter, type SecretsProvider } from "./crypter";

/**
 * Secrets by passphrase, as the official CLI does them: AES-256-GCM, key from PBKDF2-SHA256 with 1,000,000 rounds.
 * A ciphertext is `v1:<base64 nonce>:<base64 ciphertext and tag>`; a salt is `v1:<base64 salt>:<ciphertext of "pulumi">`,
 * by which a wrong passphrase is noticed.
 *
 * Source: pulumi/pulumi pkg/secrets/passphrase/manager.go, sdk/go/common/resource/config/crypt.go.
 */
const ROUNDS = 1_000_000;
const KEY_BYTES = 32;
const SALT_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const PROBE = "pulumi";

const WHERE_TO_SET_IT =
    "set PULUMI_CONFIG_PASSPHRASE to the right one, or PULUMI_CONFIG_PASSPHRASE_FILE to a file that holds it";

const derive = promisify(pbkdf2);

/** A crypter and the salt by which the same passphrase gives the same key again. */
export class PassphraseCrypter implements Crypter {
    private constructor(
        readonly salt: string,
        private readonly key: Buffer,
    ) {}

    private static readonly known = new Map<string, Promise<PassphraseCrypter>>();

    /**
     * The crypter for a salt as it stands in `encryptionsalt` and in a state file. A key that was derived once is kept
     * for the life of the process, as deriving it takes a good part of a second.
     */
    static unlock(salt: string, passphrase: string): Promise<PassphraseCrypter> {
        const id = JSON.stringify([salt, passphrase]);
        const known = this.known.get(id) ?? this.unlockAnew(salt, passphrase);
        this.known.set(id, known);
        return known;
    }

    private static async unlockAnew(salt: string, passphrase: string): Promise<PassphraseCrypter> {
        const [version, encodedSalt, ...probe] = salt.split(":");
        if (version !== "v1" || encodedSalt === undefined || probe.length !== 3) {
            throw new UserError(
                `the encryption salt ${JSON.stringify(salt)} is malformed`,
                "restore it from the stack's config file or its state file, where it also stands",
            );
        }
        const key = await derive(passphrase, Buffer.from(encodedSalt, "base64"), ROUNDS, KEY_BYTES, "sha256");
        const crypter = new PassphraseCrypter(salt, key);
        if (tryOpen(key, probe.join(":")) !== PROBE) {
            throw new UserError("incorrect passphrase", WHERE_TO_SET_IT);
        }
        return crypter;
    }

    /** A crypter with a new random salt. */
    static async create(passphrase: string): Promise<PassphraseCrypter> {
        const salt = randomBytes(SALT_BYTES);
        const key = await derive(passphrase, salt, ROUNDS, KEY_BYTES, "sha256");
        const text = `v1:${salt.toString("base64")}:${seal(key, PROBE)}`;
        const crypter = new PassphraseCrypter(text, key);
        this.known.set(JSON.stringify([text, passphrase]), Promise.resolve(crypter));
        return crypter;
    }

    /** How a state file names this crypter. */
    get provider(): SecretsProvider {
        return { type: "passphrase", state: { salt: this.salt } };
    }

    encrypt(plaintext: string): string {
        return seal(this.key, plaintext);
    }

    decrypt(ciphertext: string): string {
        const plaintext = tryOpen(this.key, ciphertext);
        if (plaintext === undefined) {
            throw new UserError(
                "a secret cannot be decrypted, it was encrypted with another passphrase or salt, or has been damaged",
                "restore the file that holds it, or set the secret anew",
            );
        }
        return plaintext;
    }
}

function seal(key: Buffer, plaintext: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", key, nonce);
    const sealed = Buffer.concat([cipher.update(plaintext, "utf8"), cipher.final(), cipher.getAuthTag()]);
    return `v1:${nonce.toString("base64")}:${sealed.toString("base64")}`;
}

function tryOpen(key: Buffer, ciphertext: string): string | undefined {
    const [version, encodedNonce, encodedText, ...rest] = ciphertext.split(":");
    if (version !== "v1" || encodedNonce === undefined || encodedText === undefined || rest.length > 0) {
        return undefined;
    }
    const nonce = Buffer.from(encodedNonce, "base64");
    const text = Buffer.from(encodedText, "base64");
    if (nonce.length !== NONCE_BYTES || text.length < TAG_BYTES) {
        return undefined;
    }
    const decipher = createDecipheriv("aes-256-gcm", key, nonce);
    decipher.setAuthTag(text.subarray(text.length - TAG_BYTES));
    try {
        return Buffer.concat([decipher.update(text.subarray(0, text.length - TAG_BYTES)), decipher.final()]).toString();
    } catch {
        return undefined;
    }
}
