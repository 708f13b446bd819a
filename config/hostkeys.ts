import { createHmac } from "node:crypto";

/** A host's public key, as it stands in a known_hosts file. */
export interface HostKey {
    /** `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa`, … */
    type: string;
    /** Base64. */
    key: string;
}

/** The name under which ssh keeps a host's key: `host` on port 22, else `[host]:port`. */
export function knownHostsName(host: string, port: number): string {
    return port === 22 ? host : `[${host}]:${port}`;
}

function matchesHashed(pattern: string, name: string): boolean {
    const [, , salt, hash] = pattern.split("|");
    return (
        createHmac("sha1", Buffer.from(salt ?? "", "base64"))
            .update(name)
            .digest("base64") === hash
    );
}

function matchesPlain(pattern: string, name: string): boolean {
    if (!/[*?]/.test(pattern)) {
        return pattern.toLowerCase() === name.toLowerCase();
    }
    const source = pattern
        .replace(/[.+^${}()|[\]\\]/g, "\\$&")
        .replace(/\*+/g, ".*")
        .replaceAll("?", ".");
    return new RegExp(`^${source}$`, "i").test(name);
}

/** Whether a line's first field names the host; hashed names, wildcards and negation as in sshd(8). */
function matches(patterns: string, name: string): boolean {
    const hit = (pattern: string): boolean =>
        pattern.startsWith("|1|") ? matchesHashed(pattern, name) : matchesPlain(pattern, name);
    const all = patterns.split(",");
    return (
        all.some((pattern) => !pattern.startsWith("!") && hit(pattern)) &&
        !all.some((pattern) => pattern.startsWith("!") && hit(pattern.slice(1)))
    );
}

/**
 * A lookup into the text of a known_hosts file: all keys of one host, in the file's order. Lines with a marker
 * (`@revoked`, `@cert-authority`) give no key, and a revoked key is left out wherever else it stands. The text is taken
 * apart once, so that a pool of many hosts costs one pass.
 */
export function hostKeyLookup(knownHosts: string): (host: string, port: number) => HostKey[] {
    const lines = knownHosts
        .split("\n")
        .map((line) => line.trim().split(/\s+/))
        .filter(([first]) => first !== undefined && first !== "" && !first.startsWith("#"));
    const revoked = new Set(lines.filter(([marker]) => marker === "@revoked").map(([, , , key]) => key));
    const entries = lines.flatMap(([patterns, type, key]) =>
        patterns === undefined ||
        patterns.startsWith("@") ||
        type === undefined ||
        key === undefined ||
        revoked.has(key)
            ? []
            : [{ patterns, type, key }],
    );
    return (host, port) => {
        const name = knownHostsName(host, port);
        return entries.filter(({ patterns }) => matches(patterns, name)).map(({ type, key }) => ({ type, key }));
    };
}

/**
 * The key to pin, best first: Ed25519, ECDSA, and RSA only where `allowRsa` says so. Pinning one key makes
 * the provider offer its type alone, for RSA that is `ssh-rsa` with SHA-1, which an sshd of today refuses and one of Oracle
 * VM 2.2's time still speaks.
 */
export function keyToPin(keys: readonly HostKey[], allowRsa: boolean): HostKey | undefined {
    const first = (prefix: string): HostKey | undefined => keys.find(({ type }) => type.startsWith(prefix));
    return first("ssh-ed25519") ?? first("ecdsa-sha2-") ?? (allowRsa ? first("ssh-rsa") : undefined);
}
