import { execFileSync, spawn } from "node:child_process";
import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { constants as osConstants } from "node:os";
import { delimiter, join, sep } from "node:path";
import { UserError } from "../errors";
import type * as Main from "../main";

/** From this version on the official CLI and this engine agree on the state format. */
const OLDEST_OFFICIAL = [3, 245] as const;

/** Which engine runs, in words, and the official one's program if it is that. */
export interface Choice {
    readonly reason: string;
    readonly official?: string;
}

/** What is known of the machine; replaceable in tests. */
export interface Machine {
    readonly environment: NodeJS.ProcessEnv;
    /** The official `pulumi` on the PATH and its version, `3.248.0`. */
    findOfficial(): { path: string; version: string } | undefined;
}

/** The official CLI if there is one that fits, else the embedded engine; OVM_HA_ENGINE forces one of them. */
export function chooseEngine(machine: Machine): Choice {
    const forced = machine.environment["OVM_HA_ENGINE"] ?? "";
    if (!["", "embedded", "official"].includes(forced)) {
        throw new UserError(
            `OVM_HA_ENGINE is ${JSON.stringify(forced)}`,
            "set it to embedded or official, or not at all",
        );
    }
    if (forced === "embedded") {
        return { reason: "embedded engine, as OVM_HA_ENGINE says" };
    }
    const oldest = OLDEST_OFFICIAL.join(".");
    const found = machine.findOfficial();
    if (found !== undefined && isRecent(found.version)) {
        const why = forced === "official" ? "as OVM_HA_ENGINE says" : "found on the PATH";
        return { reason: `official pulumi ${found.version}, ${why}`, official: found.path };
    }
    const lack =
        found === undefined
            ? "there is no official pulumi on the PATH"
            : `the official pulumi at ${found.path} is ${found.version}, older than ${oldest}`;
    if (forced === "official") {
        throw new UserError(
            `OVM_HA_ENGINE asks for the official pulumi, but ${lack}`,
            `install pulumi ${oldest} or later, or unset OVM_HA_ENGINE`,
        );
    }
    return { reason: `embedded engine: ${lack}` };
}

function isRecent(version: string): boolean {
    const [major = 0, minor = 0] = version.split(".").map(Number);
    const [oldestMajor, oldestMinor] = OLDEST_OFFICIAL;
    return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

/** The first `pulumi` on the PATH that is not a script of some `node_modules` and says its version. */
export function findOfficial(path: string): { path: string; version: string } | undefined {
    for (const folder of path.split(delimiter).filter((item) => item !== "")) {
        const file = join(folder, "pulumi");
        try {
            accessSync(file, constants.X_OK);
            const inModules = [file, realpathSync(file)].some((name) => name.split(sep).includes("node_modules"));
            if (inModules || !statSync(file).isFile()) {
                continue;
            }
            const text = execFileSync(file, ["version"], {
                encoding: "utf8",
                stdio: ["ignore", "pipe", "ignore"],
                env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
                timeout: 20_000,
            });
            const version = /^v?(\d+\.\d+\.\d+\S*)/.exec(text.trim())?.[1];
            if (version !== undefined) {
                return { path: file, version };
            }
        } catch {
            // Not there, or not a program that can be run.
        }
    }
    return undefined;
}

/** Runs one command line with the engine that fits; answers with its exit code. */
export async function launch(args: readonly string[]): Promise<number> {
    let choice: Choice;
    try {
        choice = chooseEngine({
            environment: process.env,
            findOfficial: () => findOfficial(process.env["PATH"] ?? ""),
        });
    } catch (error) {
        process.stderr.write(`error: ${(error as Error).message}\n`);
        return 1;
    }
    process.stderr.write(`${choice.reason}\n`);
    if (choice.official !== undefined) {
        return runOfficial(choice.official, args);
    }
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- not needed when the official CLI runs
    return (require("../main") as typeof Main).main(args);
}

function runOfficial(program: string, args: readonly string[]): Promise<number> {
    const child = spawn(program, args, { stdio: "inherit" });
    const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
    // Ctrl-C at a terminal reaches the child by itself; here it must only not end the launcher before it.
    const ignore = (): void => undefined;
    process.on("SIGINT", ignore);
    process.on("SIGTERM", forward);
    process.on("SIGHUP", forward);
    return new Promise((resolve) => {
        child.once("error", (error) => {
            process.stderr.write(`error: ${program} cannot be run (${error.message})\n`);
            resolve(1);
        });
        child.once("exit", (code, signal) => resolve(code ?? 128 + (signal ? osConstants.signals[signal] : 0)));
    });
}
