/** Encrypts and decrypts single texts; the key is inside. Both are quick enough to be synchronous. */
export interface Crypter {
    encrypt(plaintext: string): string;
    /** Throws a `UserError` when the text was not encrypted with this key, or was changed since. */
    decrypt(ciphertext: string): string;
}

/** What a state file says of how its secrets are encrypted. */
export interface SecretsProvider {
    readonly type: string;
    readonly state: unknown;
}
