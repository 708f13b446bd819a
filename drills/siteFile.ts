/** The file that says how drills reach real hosts. Pure: text in, a description or what is wrong with it out. */
import { parse } from "yaml";
import { type RawConfig } from "../config/parse";
import { secretKeys, type SecretKey } from "../config/schema";
import { LabError } from "../lab/errors";

/** Commands that switch something off or on, or cut and mend it. */
export interface Switch {
    off: string;
    on: string;
}

/** What the file says. Commands are run here by a shell that has HOST and ADDRESS of the host in its environment. */
export interface SiteFile {
    /** The stack's configuration file: it names the hosts, the guests and how to log in. */
    config: string;
    /** The guest that drills are about; the first with `ha` if not given. */
    guest?: string;
    /** Switches a host's power; returns when it is done. */
    power?: Switch;
    /** Cuts a host off the network and lets it in again, at the switch for example. */
    network?: Switch;
    /** Prints a host's serial console until it is ended; without it the watchers speak over SSH. */
    console?: string;
}

const FORM = "see drills.yaml.example";

function textOf(value: unknown, path: string): string {
    if (typeof value !== "string" || value.trim() === "") {
        throw new LabError(`${path} must be a text; ${FORM}`);
    }
    return value;
}

function mapOf(value: unknown, path: string, keys: readonly string[]): Record<string, unknown> {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
        throw new LabError(`${path} must be a map with ${keys.join(", ")}; ${FORM}`);
    }
    const unknown = Object.keys(value).find((key) => !keys.includes(key));
    if (unknown !== undefined) {
        throw new LabError(`${path} has the unknown key ${unknown}; it can have ${keys.join(", ")}`);
    }
    return value as Record<string, unknown>;
}

function switchOf(value: unknown, path: string, [off, on]: readonly [string, string]): Switch {
    const map = mapOf(value, path, [off, on]);
    return { off: textOf(map[off], `${path}.${off}`), on: textOf(map[on], `${path}.${on}`) };
}

/**
 * Reads the file's text.
 *
 * @throws LabError that names the key and what is wrong with it
 */
export function readSiteFile(text: string): SiteFile {
    const map = mapOf(parse(text), "the file", ["config", "guest", "power", "network", "console"]);
    return {
        config: textOf(map["config"], "config"),
        ...(map["guest"] !== undefined && { guest: textOf(map["guest"], "guest") }),
        ...(map["power"] !== undefined && { power: switchOf(map["power"], "power", ["off", "on"]) }),
        ...(map["network"] !== undefined && { network: switchOf(map["network"], "network", ["cut", "join"]) }),
        ...(map["console"] !== undefined && { console: textOf(map["console"], "console") }),
    };
}

/** The configuration in a stack's file, as the config's parser takes it: keys without the project's name. */
export function readStackFile(text: string, project: string): { raw: RawConfig; secrets: ReadonlySet<SecretKey> } {
    const file = parse(text) as { config?: Record<string, unknown> } | null;
    const entries = Object.entries(file?.config ?? {})
        .filter(([key]) => key.startsWith(`${project}:`))
        .map(([key, value]): [string, unknown] => [key.slice(project.length + 1), value]);
    const isSecret = ([key]: [string, unknown]): boolean => Object.hasOwn(secretKeys, key);
    return {
        raw: Object.fromEntries(entries.filter((entry) => !isSecret(entry))),
        secrets: new Set(entries.filter(isSecret).map(([key]) => key as SecretKey)),
    };
}
