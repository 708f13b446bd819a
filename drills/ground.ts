/** What a drill stands on: the machines of a cluster, and what can be done to them. `lab` and `site` are such grounds. */
import { LabError } from "../lab/errors";
import { type Report } from "../lab/report";
import { type Outcome } from "../lab/ssh";
import { type ConsoleLine } from "./record";
import { type Sampler } from "./samplers";

/** A machine that is on. */
export interface Host {
    name: string;
    role: "manager" | "node";
    address: string;
}

/** A node as the cluster's configuration is to have it. */
export interface WantedNode {
    name: string;
    /** Whether it is on standby; false by default. */
    maintenance?: boolean;
}

/**
 * What not every ground can do: switch power, pull a network cable, run `up` with another configuration, offer a node
 * that is not in the pool yet, log in to the guest.
 */
export type Ability = "power" | "network" | "up" | "spare" | "guest";

/** Options of a command on a host. */
export interface CommandOptions {
    /** Time limit, 60 by default. */
    seconds?: number;
    /** What it reads. */
    input?: string;
}

export interface Ground {
    readonly report: Report;
    /** Aborted by Ctrl-C and its like. */
    readonly signal: AbortSignal;
    /** The guest that drills are about, the URL of its web server, with a slash at its end, and a page there to ask for. */
    readonly guest: { name: string; url: string; page: string };
    /** Milliseconds the guest gets to answer one request. */
    readonly patience: number;
    /** The machines that are on, the manager first. */
    hosts(): Host[];
    /** Why it cannot do something, and what to do about it; undefined: it can. */
    lacks(ability: Ability): string | undefined;
    /** Runs a shell command as root; its exit status is for the caller to judge. */
    run(host: string, command: string, options?: CommandOptions): Promise<Outcome>;
    /** The same inside the guest. */
    runInGuest(command: string, options?: CommandOptions): Promise<Outcome>;
    /** Cuts the power and returns when it is gone, or gives it back and returns at once. */
    power(host: string, on: boolean): Promise<void>;
    /** Pulls the network cable or puts it back. */
    cable(host: string, connected: boolean): Promise<void>;
    /** Follows what a host's watcher says, from now on. */
    follow(host: string, onLine: (line: ConsoleLine) => void): Sampler;
    /** Makes the pool consist of these nodes, by `up` with a changed configuration. */
    up(nodes: readonly WantedNode[]): Promise<void>;
    /** Puts watchers onto the hosts. */
    prepare(): Promise<void>;
    /** Keeps the state that drills begin with. */
    keep(): Promise<void>;
    /** Brings the cluster back to that state, as far as it can. Must not be cut short by an interruption. */
    bringBack(): Promise<void>;
    /** Leaves nothing of the drills on the hosts. Must not be cut short by an interruption. */
    tidy(): Promise<void>;
}

/**
 * Runs a command that has to succeed.
 *
 * @returns what it printed
 * @throws LabError with the machine's name and its words
 */
export function mustSucceed(where: string, command: string, { stdout, stderr, exitCode }: Outcome): string {
    if (exitCode !== 0) {
        throw new LabError(`${where}: "${command}" failed (${exitCode}): ${stderr || stdout}`);
    }
    return stdout;
}
