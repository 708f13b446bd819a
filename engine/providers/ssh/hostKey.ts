import { createHash } from "node:crypto";
import { type ServerHostKeyAlgorithm } from "ssh2";
import { UserError } from "../../errors";

/** A public key of a host. `blob` is its SSH wire form. */
export interface HostKey {
    readonly type: string;
    readonly blob: Buffer;
}

/**
 * Reads one public key from a line of authorized_keys: options and comment are allowed, comment lines and empty lines
 * around it too.
 */
export function parseHostKey(text: string): HostKey {
    for (const line of text.split("\n")) {
        const words = line.trim().split(/\s+/);
        for (const [index, type] of words.entries()) {
            const blob = Buffer.from(words[index + 1] ?? "", "base64");
            if (!type.startsWith("#") && blob.length > 4 && typeOf(blob) === type) {
                return { type, blob };
            }
        }
    }
    throw new UserError(
        "failed to parse host key: ssh: no key found",
        "give hostKey as one line of authorized_keys, such as ssh-keyscan prints without the host name",
    );
}

function typeOf(blob: Buffer): string {
    return blob.subarray(4, 4 + blob.readUInt32BE(0)).toString("latin1");
}

/** `SHA256:…` as ssh-keygen prints it. */
export function fingerprintOf(blob: Buffer): string {
    return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

/**
 * The signature algorithms a host with this key can prove itself by. An RSA key signs with SHA-2 on new servers and
 * with SHA-1 (`ssh-rsa`) on old ones.
 */
export function algorithmsFor(key: HostKey): ServerHostKeyAlgorithm[] {
    return key.type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"] : [key.type as ServerHostKeyAlgorithm];
}
