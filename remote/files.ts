import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { resolve } from "node:path";

function local(path: string): string {
    return resolve(path.replace(/^~(?=\/|$)/, homedir()));
}

/** Text of a file on this machine, if it is there. `~` is the home directory, a relative path begins where we run. */
export function readIfThere(path: string | undefined): string | undefined {
    return path !== undefined && existsSync(local(path)) ? readFileSync(local(path), "utf8") : undefined;
}

/**
 * Text of the private key that `ssh.key` names.
 *
 * @throws Error that says what to do when there is none
 */
export function readKey(path: string): string {
    const key = readIfThere(path);
    if (key === undefined) {
        throw new Error(`ssh.key: ${path} cannot be read; make it with ssh-keygen -t ed25519, or set ssh.key to agent`);
    }
    return key;
}
