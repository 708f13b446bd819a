import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { messageOf, UserError } from "../errors";

/** Where a passphrase may come from. */
export interface PassphraseSource {
    readonly environment: NodeJS.ProcessEnv;
    /** Asks at the terminal without echo; absent when nobody can be asked. */
    readonly ask?: (prompt: string) => Promise<string>;
}

/**
 * The passphrase from PULUMI_CONFIG_PASSPHRASE (which may be empty), from the file that
 * PULUMI_CONFIG_PASSPHRASE_FILE names, or from the terminal. A new one is asked for twice.
 */
export async function readPassphrase(source: PassphraseSource, purpose: "unlock" | "new"): Promise<string> {
    const { PULUMI_CONFIG_PASSPHRASE: plain, PULUMI_CONFIG_PASSPHRASE_FILE: file } = source.environment;
    if (plain !== undefined) {
        return plain;
    }
    if (file !== undefined && file !== "") {
        try {
            return (await readFile(resolve(file), "utf8")).trim();
        } catch (error) {
            throw new UserError(
                `PULUMI_CONFIG_PASSPHRASE_FILE cannot be read (${messageOf(error)})`,
                "set it to a readable file that holds the passphrase",
            );
        }
    }
    if (source.ask === undefined) {
        throw new UserError(
            "the passphrase for this stack's secrets is missing",
            "set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE to a file that holds it",
        );
    }
    if (purpose === "unlock") {
        return source.ask("Enter your passphrase to unlock config/secrets: ");
    }
    const first = await source.ask("Enter your passphrase to protect config/secrets: ");
    const second = await source.ask("Re-enter your passphrase to confirm: ");
    if (first !== second) {
        throw new UserError("the two passphrases differ", "run the command again and enter the same one twice");
    }
    return first;
}
