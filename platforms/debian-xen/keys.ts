import { createPrivateKey, createPublicKey, hkdfSync } from "node:crypto";

/** Prefix of an Ed25519 private key in PKCS #8: what follows is its seed. */
const PKCS8_ED25519 = Buffer.from("302e020100300506032b657004220420", "hex");

/** An SSH key pair in the forms OpenSSH reads. */
export interface SshKeyPair {
    readonly privateKey: string;
    /** One line, as in authorized_keys. */
    readonly publicKey: string;
}

/**
 * Bytes for one purpose, made from the pool's secret. The secret itself is a password, because a random-bytes resource
 * would keep its value as its id, in clear in the state.
 */
export function derive(material: string, purpose: string, bytes: number): Buffer {
    return Buffer.from(hkdfSync("sha512", material, "ovm-ha-cluster", purpose, bytes));
}

/** Corosync's key, in base64. */
export function corosyncKey(material: string): string {
    return derive(material, "corosync", 256).toString("base64");
}

/** The key with which members ask nodes to receive a guest or to leave the pool. */
export function memberKey(material: string): SshKeyPair {
    return ed25519FromSeed(derive(material, "member", 32), "ovm-ha-cluster member");
}

function field(content: Buffer | string): Buffer {
    const bytes = Buffer.from(content);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
}

/** The key pair of a seed of 32 bytes. The same seed gives the same text, so that it never shows as a change. */
export function ed25519FromSeed(seed: Buffer, comment: string): SshKeyPair {
    const key = createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, seed]), format: "der", type: "pkcs8" });
    const { x } = createPublicKey(key).export({ format: "jwk" });
    const point = Buffer.from(x ?? "", "base64url");
    const kind = "ssh-ed25519";
    const blob = Buffer.concat([field(kind), field(point)]);
    // Two equal numbers tell OpenSSH that it decrypted the key rightly; this one is not encrypted.
    const check = Buffer.concat([seed.subarray(0, 4), seed.subarray(0, 4)]);
    const secret = Buffer.concat([
        check,
        field(kind),
        field(point),
        field(Buffer.concat([seed, point])),
        field(comment),
    ]);
    const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, index) => index + 1));
    const one = Buffer.from([0, 0, 0, 1]);
    const file = Buffer.concat([
        Buffer.from("openssh-key-v1\0"),
        field("none"),
        field("none"),
        field(""),
        one,
        field(blob),
        field(Buffer.concat([secret, padding])),
    ]);
    const text = file.toString("base64").replace(/(.{70})(?=.)/g, "$1\n");
    return {
        privateKey: `-----BEGIN OPENSSH PRIVATE KEY-----\n${text}\n-----END OPENSSH PRIVATE KEY-----`,
        publicKey: `${kind} ${blob.toString("base64")} ${comment}`,
    };
}
