import { messageOf } from "../errors";
import { type Provider } from "../providers/provider";
import { engineService } from "../rpc/engineService";
import { monitorService } from "../rpc/monitor";
import { type RunningServer, startServer } from "../rpc/server";
import { type Snapshot } from "../state/resource";
import { ROOT_STACK_TYPE } from "../urn";
import { type PropertyMap } from "../values/value";
import { Deployment, type DeploymentOptions } from "./deployment";
import { type ChangeCounts, type Emit, type OperationKind } from "./events";
import { type ProgramOptions, startProgram } from "./program";
import { isToldAlready, programError } from "./programError";
import { Providers } from "./providers";
import { type Targets } from "./targets";

export interface OperationOptions {
    readonly kind: OperationKind;
    readonly dryRun: boolean;
    /** Read every resource before anything else. */
    readonly refresh: boolean;
    /** How many operations may run at a time. */
    readonly parallel: number;
    readonly targets: Targets;
    readonly replace: Targets;
    readonly base: Snapshot;
    /** Makes a state durable; absent in previews. */
    readonly save?: DeploymentOptions["save"];
    readonly emit: Emit;
    readonly program: Omit<ProgramOptions, "address" | "dryRun" | "parallel" | "onOutput">;
    /** The program's configuration by full key, secrets marked. */
    readonly config: PropertyMap;
    /** Makes the providers, which are told where the engine service listens. */
    readonly providers: (engineAddress: string) => ReadonlyMap<string, Provider>;
    /** Aborted by the first Ctrl-C: nothing new starts. */
    readonly stop: AbortSignal;
    /** Aborted by the second Ctrl-C: what runs ends at once. */
    readonly abort: AbortSignal;
}

export interface OperationResult {
    readonly result: "succeeded" | "failed" | "interrupted";
    readonly counts: ChangeCounts;
    readonly snapshot: Snapshot;
}

/** Carries out one verb on a stack, from its first event to its last. Failures are told as events, not thrown. */
export async function runOperation(options: OperationOptions): Promise<OperationResult> {
    const started = performance.now();
    const { emit, kind, dryRun, config } = options;
    const { stack, project } = options.program;
    emit({ kind: "start", operation: kind, dryRun, stack, project, config });
    tellPending(options.base, emit);

    let deployment: Deployment | undefined;
    const server = await startServer(
        engineService((urn, severity, text, live) => {
            if (severity === "error" && deployment !== undefined) {
                if (!isToldAlready(text, deployment.refusals)) {
                    deployment.fail(urn, programError(text, options.program.root));
                }
            } else {
                emit({ kind: "message", urn, severity, text, live });
            }
        }),
    );
    const providers = new Providers(options.providers(server.address));
    const begin = (base: Snapshot): Deployment => {
        deployment = new Deployment({ ...options, stack, project, providers }, base);
        if (options.stop.aborted) {
            deployment.stop();
        }
        return deployment;
    };
    options.stop.addEventListener("abort", () => deployment?.stop());

    let current = begin(options.base);
    try {
        // The targets of an update may be new: whether they exist is known when the program has ended.
        if (current.knowsAll(kind === "update" ? options.replace : options.targets)) {
            if (options.refresh || kind === "refresh") {
                await current.refresh();
            }
            if (kind === "destroy") {
                await current.destroy();
            } else if (kind === "update") {
                if (options.refresh && !current.hasFailed) {
                    current = begin(current.snapshot());
                }
                await update(current, server, providers, options);
            }
            await options.save?.(() => current.snapshot());
        }
    } catch (error) {
        current.fail("", messageOf(error));
    } finally {
        await providers.close();
        server.close();
    }

    const result = current.hasFailed ? "failed" : options.stop.aborted ? "interrupted" : "succeeded";
    const oldRoot = options.base.resources.find(({ type }) => type === ROOT_STACK_TYPE);
    emit({
        kind: "end",
        counts: current.changeCounts,
        errored: current.errorCount,
        oldOutputs: oldRoot?.outputs ?? {},
        outputs: current.outputs,
        seconds: (performance.now() - started) / 1000,
        result,
    });
    return { result, counts: current.changeCounts, snapshot: current.snapshot() };
}

async function update(
    deployment: Deployment,
    server: RunningServer,
    providers: Providers,
    { program, targets, dryRun, parallel, emit, stop, abort }: OperationOptions,
): Promise<void> {
    server.serveMonitor(monitorService({ deployment, providers, dryRun, root: program.root }));
    const running = startProgram({
        ...program,
        address: server.address,
        dryRun,
        parallel,
        onOutput: (text, stream) => emit({ kind: "program-output", text, stream }),
    });
    const kill = (): void => running.kill();
    abort.addEventListener("abort", kill);
    try {
        const problem = await running.finished;
        await deployment.settled();
        // A program that is told that the deployment ends has every reason to stop.
        if (problem !== undefined && !stop.aborted && (problem !== "" || !deployment.hasFailed)) {
            deployment.fail("", problem === "" ? "the program ended with an error" : problem);
        }
    } finally {
        abort.removeEventListener("abort", kill);
    }
    if (!deployment.hasFailed && !stop.aborted) {
        deployment.knowsAll(targets);
    }
    await deployment.deleteLeftovers();
    deployment.finishOutputs();
}

/** What an earlier run was doing when it was cut off may or may not have happened. */
function tellPending(base: Snapshot, emit: Emit): void {
    for (const { resource, type } of base.pendingOperations) {
        const text = `an earlier run was interrupted while ${type} it; whether that happened is not known, so this run does it again`;
        emit({ kind: "message", urn: resource.urn, severity: "warning", text, live: false });
    }
}
