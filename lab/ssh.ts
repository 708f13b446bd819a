/** SSH into the lab's machines, with the lab's own key and its pinned host keys, whatever the user has configured. */
import { connect } from "node:net";
import { LabError } from "./errors";
import { run } from "./run";
import { type Lab, type LabMachine } from "./state";

/** What a command on a machine did. */
export interface Outcome {
    stdout: string;
    stderr: string;
    /** Its exit status; 255 when SSH itself failed. */
    exitCode: number;
}

/** The words after `ssh` that log in to a machine. */
export function sshArguments(lab: Lab, machine: LabMachine): string[] {
    const options = {
        BatchMode: "yes",
        ConnectTimeout: "30",
        GlobalKnownHostsFile: "/dev/null",
        IdentitiesOnly: "yes",
        LogLevel: "ERROR",
        ServerAliveInterval: "20",
        StrictHostKeyChecking: "yes",
        UserKnownHostsFile: `"${lab.ssh.knownHosts}"`,
    };
    return [
        ...["-F", "/dev/null", "-i", lab.ssh.privateKey, "-p", `${machine.sshPort}`, "-l", lab.ssh.user],
        ...Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]),
        "127.0.0.1",
    ];
}

/** The words after `ssh` that log in to the guest. It makes its own host key, so none can be pinned. */
export function guestArguments({ ssh, guest }: Lab): string[] {
    const options = {
        BatchMode: "yes",
        ConnectTimeout: "30",
        IdentitiesOnly: "yes",
        LogLevel: "ERROR",
        StrictHostKeyChecking: "no",
        UserKnownHostsFile: "/dev/null",
    };
    return [
        ...["-F", "/dev/null", "-i", ssh.privateKey, "-p", `${guest.sshPort}`, "-l", "root"],
        ...Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]),
        "127.0.0.1",
    ];
}

/** How to run a command over SSH. */
export interface SshOptions {
    /** Time limit, 60 by default; after it the outcome has exit status 255. */
    seconds?: number;
    /** What the command reads. */
    input?: string;
    /** Makes what the command reads, once it has printed something. */
    answer?: () => string;
    signal?: AbortSignal;
}

/**
 * Runs a shell command over SSH and waits for it. Its exit status is for the caller to judge.
 *
 * @param words what stands after `ssh`, up to the host
 */
export async function runOver(words: readonly string[], command: string, options: SshOptions = {}): Promise<Outcome> {
    const { seconds = 60, input = "", answer, signal } = options;
    const result = await run("ssh", [...words, command], {
        input,
        ...(answer && { answer }),
        mayFail: true,
        timeout: seconds * 1000,
        signal,
    });
    signal?.throwIfAborted();
    const late = result.timedOut ? `\nno answer within ${seconds} s` : "";
    return { stdout: result.stdout, stderr: `${result.stderr}${late}`.trim(), exitCode: result.exitCode };
}

/** Runs a shell command on a machine and waits for it. Its exit status is for the caller to judge. */
export async function runOn(
    lab: Lab,
    machine: LabMachine,
    command: string,
    options: SshOptions = {},
): Promise<Outcome> {
    return runOver(sshArguments(lab, machine), command, options);
}

/**
 * Like {@link runOn}, for a command that has to succeed.
 *
 * @returns what it printed
 * @throws LabError with the machine's name and its words
 */
export async function mustRunOn(...args: Parameters<typeof runOn>): Promise<string> {
    const { stdout, stderr, exitCode } = await runOn(...args);
    if (exitCode !== 0) {
        throw new LabError(`${args[1].name}: "${args[2]}" failed (${exitCode}): ${stderr || stdout}`);
    }
    return stdout;
}

/**
 * Whether an SSH server greets on a port of 127.0.0.1. A connection alone says nothing: the router accepts it whether
 * or not there is a machine behind.
 */
export async function greets(port: number, milliseconds = 3000): Promise<boolean> {
    return new Promise((resolve) => {
        const socket = connect({ port, host: "127.0.0.1" });
        const end = (answer: boolean): void => {
            clearTimeout(timer);
            socket.destroy();
            resolve(answer);
        };
        const timer = setTimeout(() => end(false), milliseconds);
        socket.once("data", (data) => end(data.toString("latin1").startsWith("SSH-")));
        socket.once("error", () => end(false));
        socket.once("close", () => end(false));
    });
}
