import { spawn, type ChildProcess } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { UserError } from "../errors";

/** The SDK's runner ends with this code when it has reported the error itself. */
const ERROR_ALREADY_SHOWN = 32;
/** Keeps the frames of packages out of the source mapping; see there. */
const PACKAGE_FRAMES = join(__dirname, "packageFrames.cjs");

export interface ProgramOptions {
    /** Absolute path of the project: the folder with Pulumi.yaml. */
    readonly root: string;
    /** The program's file or folder, relative to `root`. */
    readonly main: string;
    readonly project: string;
    readonly stack: string;
    readonly dryRun: boolean;
    readonly parallel: number;
    /** Address of the server that offers both the monitor and the engine service. */
    readonly address: string;
    /** Plain values by full key (`project:key`), objects as JSON text. */
    readonly config: Readonly<Record<string, string>>;
    readonly secretKeys: readonly string[];
    readonly typescript: boolean;
    readonly nodeArgs: readonly string[];
    readonly onOutput: (text: string, stream: "stdout" | "stderr") => void;
}

export interface RunningProgram {
    /** Undefined when the program came to its end, else what to tell the user ("" when the SDK has told it). */
    readonly finished: Promise<string | undefined>;
    /** Ends the process at once. */
    kill(): void;
}

/**
 * Runs the unmodified program with the SDK's own runner, in a process of its own.
 *
 * The program is transpiled without a type check, which costs seconds on every run; `tsc --noEmit` is where types are
 * checked. `PULUMI_NODEJS_TRANSPILE_ONLY=false` in the environment asks for the check.
 *
 * @throws UserError if the SDK is not installed in the project
 */
export function startProgram(options: ProgramOptions): RunningProgram {
    const args = [`--require=${PACKAGE_FRAMES}`, ...options.nodeArgs, ...runnerArguments(options)];
    const child = spawn(process.execPath, args, {
        cwd: options.root,
        env: {
            ...process.env,
            PULUMI_CONFIG: JSON.stringify(options.config),
            PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(options.secretKeys),
            PULUMI_NODEJS_TYPESCRIPT: String(options.typescript),
            PULUMI_NODEJS_TRANSPILE_ONLY: process.env["PULUMI_NODEJS_TRANSPILE_ONLY"] ?? "true",
        },
        stdio: ["ignore", "pipe", "pipe"],
        // Ctrl-C at the terminal is the engine's to answer: the program must live until its resources are saved.
        detached: true,
    });
    return { finished: outcome(child, options.onOutput), kill: () => child.kill("SIGKILL") };
}

function runnerArguments(options: ProgramOptions): string[] {
    return [
        runnerPath(options.root),
        `--monitor=${options.address}`,
        `--engine=${options.address}`,
        `--project=${options.project}`,
        `--stack=${options.stack}`,
        "--organization=organization",
        `--root-directory=${options.root}`,
        `--pwd=${options.root}`,
        ...(options.dryRun ? ["--dry-run"] : []),
        `--parallel=${options.parallel}`,
        options.main,
    ];
}

function runnerPath(root: string): string {
    try {
        return createRequire(join(root, "package.json")).resolve("@pulumi/pulumi/cmd/run");
    } catch (error) {
        throw new UserError(`@pulumi/pulumi is not installed in ${root}`, "run `npm ci` there", { cause: error });
    }
}

async function outcome(child: ChildProcess, onOutput: ProgramOptions["onOutput"]): Promise<string | undefined> {
    for (const stream of ["stdout", "stderr"] as const) {
        const pipe = child[stream];
        if (pipe !== null) {
            createInterface({ input: pipe }).on("line", (line) => onOutput(line, stream));
        }
    }
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
        child.once("error", reject);
        child.once("close", (...ending) => resolve(ending));
    });
    if (code === 0) {
        return undefined;
    }
    if (code === ERROR_ALREADY_SHOWN) {
        return "";
    }
    return signal === null ? `the program ended with exit code ${code}` : `the program was ended by ${signal}`;
}
