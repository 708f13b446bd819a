import { execFile, spawn } from "node:child_process";
import { cpus, loadavg, userInfo } from "node:os";
import { promisify } from "node:util";
import { type sendUnaryData, type ServerUnaryCall, type UntypedServiceImplementation } from "@grpc/grpc-js";
import * as resourceProto from "@pulumi/pulumi/proto/resource_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { engineService } from "../engine/rpc/engineService";
import { startServer } from "../engine/rpc/server";
import { makeUrn } from "../engine/urn";
import { Project } from "../tests/engine/support/cli";
import { type Sshd, startSshd } from "../tests/engine/support/sshd";
import { measure, repeat, type Cost } from "./cost";

const REPETITIONS = 3;
const SIZES = [10, 100, 1000];
/** The goal at the largest size, above the bare start. */
const GOAL = { seconds: 1, megabytes: 200 };
const HOST_COMMANDS = 50;
const SSH_PROCESSES = 8;

/** As many commands on one host as the environment asks for; with none, what is left is the start of the SDK. */
const PROGRAM = `import * as command from "@pulumi/command";
const connection = {
    host: process.env.BENCH_HOST!,
    port: Number(process.env.BENCH_PORT),
    user: process.env.BENCH_USER!,
    privateKey: process.env.BENCH_KEY!,
};
for (let i = 0; i < Number(process.env.BENCH_COMMANDS); i++) {
    new command.remote.Command(\`command-\${i}\`, { connection, create: \`echo \${i}\` });
}
`;

function commandsOn(sshd: Sshd, commands: number): NodeJS.ProcessEnv {
    return {
        BENCH_HOST: sshd.host,
        BENCH_PORT: String(sshd.port),
        BENCH_USER: userInfo().username,
        BENCH_KEY: sshd.privateKey,
        BENCH_COMMANDS: String(commands),
    };
}

async function withProject<T>(use: (project: Project) => Promise<T>): Promise<T> {
    const project = new Project({ files: { "index.ts": PROGRAM } });
    try {
        await project.init();
        return await use(project);
    } finally {
        await project.remove();
    }
}

/** Builds the stack with a true `up`, then previews it without a change. */
async function noOpPreview(sshd: Sshd, commands: number): Promise<Cost> {
    return withProject(async (project) => {
        const program = commandsOn(sshd, commands);
        await project.succeed(["up", "--yes", "--skip-preview"], program);
        return repeat(`preview of ${commands}`, REPETITIONS, () =>
            measure(async (hook) => {
                const shown = await project.succeed(["preview"], { ...program, ...hook });
                if (!shown.includes(`${commands + 1} unchanged`)) {
                    throw new Error(`the preview of ${commands} commands shows changes:\n${shown}`);
                }
            }),
        );
    });
}

/** A monitor that knows no state: it answers with what it is asked to register. */
function echoMonitor(): UntypedServiceImplementation {
    return {
        supportsFeature: (_call: unknown, answer: sendUnaryData<resourceProto.SupportsFeatureResponse>) => {
            answer(null, new resourceProto.SupportsFeatureResponse().setHassupport(true));
        },
        registerResource: (
            { request }: ServerUnaryCall<resourceProto.RegisterResourceRequest, resourceProto.RegisterResourceResponse>,
            answer: sendUnaryData<resourceProto.RegisterResourceResponse>,
        ) => {
            const response = new resourceProto.RegisterResourceResponse();
            response.setUrn(makeUrn("test", "trial", "", request.getType(), request.getName()));
            response.setId("id");
            response.setObject(request.getObject());
            answer(null, response);
        },
        registerResourceOutputs: (_call: unknown, answer: sendUnaryData<Empty>) => answer(null, new Empty()),
        signalAndWaitForShutdown: (_call: unknown, answer: sendUnaryData<Empty>) => answer(null, new Empty()),
    };
}

/** The SDK's runner alone, as the engine starts it, against the echo monitor in this process. */
async function sdkAlone(sshd: Sshd, commands: number): Promise<Cost> {
    const server = await startServer(engineService(() => undefined));
    server.serveMonitor(echoMonitor());
    try {
        return await withProject(async ({ folder }) =>
            repeat(`the SDK alone with ${commands}`, REPETITIONS, () =>
                measure(async (hook) => {
                    const flags = Object.entries({
                        monitor: server.address,
                        engine: server.address,
                        project: "trial",
                        stack: "test",
                        organization: "organization",
                        "root-directory": folder,
                        pwd: folder,
                    }).map(([name, value]) => `--${name}=${value}`);
                    const args = [require.resolve("@pulumi/pulumi/cmd/run"), ...flags, "--dry-run", "index.ts"];
                    const node = { PULUMI_NODEJS_TYPESCRIPT: "true", PULUMI_NODEJS_TRANSPILE_ONLY: "true" };
                    const env = { ...process.env, ...node, ...commandsOn(sshd, commands), ...hook };
                    const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ["ignore", "ignore", 2] });
                    const code = await new Promise((resolve) => child.once("close", resolve));
                    if (code !== 0) {
                        throw new Error(`the SDK's runner ended with ${String(code)}`);
                    }
                }),
            ),
        );
    } finally {
        server.close();
    }
}

/** The first `up` of commands that share the host's connection. */
async function upOnOneHost(sshd: Sshd, commands: number): Promise<Cost> {
    return repeat(`up of ${commands}`, REPETITIONS, () =>
        withProject((project) =>
            measure(async (hook) => {
                await project.succeed(["up", "--yes", "--skip-preview"], { ...commandsOn(sshd, commands), ...hook });
            }),
        ),
    );
}

/** The same commands, each with an `ssh` process and a login of its own. */
async function separateSsh(sshd: Sshd): Promise<Cost> {
    const options = ["BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"];
    const login = [...options.flatMap((option) => ["-o", option]), "-i", sshd.privateKeyFile, "-p", String(sshd.port)];
    return repeat(`${HOST_COMMANDS} ssh processes`, REPETITIONS, () =>
        measure(async () => {
            const left = Array.from({ length: HOST_COMMANDS }, (_, index) => `echo ${index}`);
            const worker = async (): Promise<void> => {
                for (let next = left.pop(); next !== undefined; next = left.pop()) {
                    await promisify(execFile)("ssh", ["-F", "none", ...login, sshd.host, next]);
                }
            };
            await Promise.all(Array.from({ length: SSH_PROCESSES }, worker));
        }),
    );
}

async function main(): Promise<void> {
    const before = loadavg()[0] ?? 0;
    const largest = Math.max(...SIZES);
    const megabytes = (value: number): string => (value === 0 ? "–" : value.toFixed(0));
    let bare: Cost | undefined;
    /** Prints a row as soon as it is known; the first is the bare start. */
    const row = async (what: string, measured: Promise<Cost>): Promise<Cost> => {
        const cost = await measured;
        bare ??= cost;
        const { seconds, engine, program } = cost;
        const above = (seconds - bare.seconds).toFixed(2);
        console.log(`| ${[what, seconds.toFixed(2), above, megabytes(engine), megabytes(program)].join(" | ")} |`);
        return cost;
    };
    const sshd = await startSshd();
    try {
        console.log("| what | seconds | above the bare start | engine MB | program MB |\n|---|--:|--:|--:|--:|");
        const start = await row("bare start: the SDK alone, empty program", sdkAlone(sshd, 0));
        await row(`the SDK alone, ${largest} commands`, sdkAlone(sshd, largest));
        let last = await row("preview of an empty program", noOpPreview(sshd, 0));
        for (const size of SIZES) {
            last = await row(`no-op preview of ${size} commands`, noOpPreview(sshd, size));
        }
        await row("`up` of an empty program", upOnOneHost(sshd, 0));
        await row(`\`up\` of ${HOST_COMMANDS} commands on one host`, upOnOneHost(sshd, HOST_COMMANDS));
        await row(`${HOST_COMMANDS} \`ssh\` processes, ${SSH_PROCESSES} at a time`, separateSsh(sshd));

        const seconds = last.seconds - start.seconds;
        const memory = last.engine + last.program - start.program;
        const met = seconds <= GOAL.seconds && memory <= GOAL.megabytes ? "met" : "missed";
        console.log(
            `\nMedians of ${REPETITIONS}; ${cpus().length} CPUs, load ${before.toFixed(1)} before and ` +
                `${(loadavg()[0] ?? 0).toFixed(1)} after. Preview of ${largest}: ${seconds.toFixed(2)} s and ` +
                `${memory.toFixed(0)} MB (both processes) above the bare start; ` +
                `the goal of ${GOAL.seconds} s and ${GOAL.megabytes} MB is ${met}.`,
        );
    } finally {
        await sshd.stop();
    }
}

void main();
