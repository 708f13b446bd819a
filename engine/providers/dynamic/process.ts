import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { credentials } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { UserError } from "../../errors";

const MAX_MESSAGE_BYTES = 400 * 1024 * 1024;
/** From asking the process to end to making it end. */
const GRACE_MS = 2_000;

/** Nobody else ends the process when the engine was killed, and its pipe is closed with it. */
const END_WITH_ENGINE = "data:text/javascript,process.stdin.on('end', () => process.exit()).resume()";

export interface ProcessOptions {
    /** Folder of the program, whose own `@pulumi/pulumi` is started. */
    readonly programDirectory: string;
    /** `HOST:PORT` of the engine's gRPC service. */
    readonly engineAddress: string;
    /** The Pulumi project's name, by which the provider completes configuration keys. Default: none. */
    readonly project?: string;
}

/** The SDK's own provider process, which runs the code of dynamic resources, and the way to speak with it. */
export class DynamicProcess {
    /** That the process has ended, and everything that it printed was told. */
    private readonly closed: Promise<void>;

    private constructor(
        private readonly child: ChildProcess,
        readonly client: ResourceProviderClient,
    ) {
        this.closed = new Promise((resolve) => child.once("close", () => resolve()));
    }

    /**
     * Starts the process and waits until it listens.
     *
     * @param onLine told of every line that it prints
     */
    static async start(options: ProcessOptions, onLine: (line: string) => void): Promise<DynamicProcess> {
        const script = scriptOf(options.programDirectory);
        const child = spawn(process.execPath, ["--import", END_WITH_ENGINE, script, options.engineAddress], {
            cwd: options.programDirectory,
            env: { ...process.env, PULUMI_NODEJS_PROJECT: options.project ?? "" },
            stdio: ["pipe", "pipe", "pipe"],
            // Ctrl-C at the terminal is the engine's to answer: what runs must be finished.
            detached: true,
        });
        createInterface(child.stderr).on("line", onLine);
        const port = await new Promise<string>((resolve, reject) => {
            const lines = createInterface(child.stdout);
            lines.once("line", (line) => {
                lines.on("line", onLine);
                resolve(line.trim());
            });
            child.once("error", reject);
            child.once("exit", (code, signal) =>
                reject(new Error(`the dynamic provider process ended with ${signal ?? code ?? "nothing"}`)),
            );
        });
        const client = new ResourceProviderClient(`127.0.0.1:${port}`, credentials.createInsecure(), {
            "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
            "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
        });
        return new DynamicProcess(child, client);
    }

    /** Ends the process, by force when it does not end in time, once everything that it printed was told. */
    async end(): Promise<void> {
        this.client.close();
        this.child.kill("SIGTERM");
        const force = setTimeout(() => this.child.kill("SIGKILL"), GRACE_MS);
        // What the code started may hold the pipes open for ever.
        await Promise.race([this.closed, sleep(2 * GRACE_MS, undefined, { ref: false })]);
        clearTimeout(force);
    }
}

function scriptOf(programDirectory: string): string {
    try {
        return createRequire(join(programDirectory, "index.js")).resolve("@pulumi/pulumi/cmd/dynamic-provider");
    } catch (error) {
        throw new UserError(`@pulumi/pulumi is not installed for ${programDirectory}`, "run npm ci there", {
            cause: error,
        });
    }
}
