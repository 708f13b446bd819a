import { execFile } from "node:child_process";
import { setMaxListeners } from "node:events";
import { relative } from "node:path";
import { promisify } from "node:util";
import { colours, type ColourChoice, wantsColour } from "../display/colour";
import { renderDiff } from "../display/diff";
import { createDisplay } from "../display/display";
import { confirm } from "../display/prompt";
import { UserError } from "../errors";
import { createProviders } from "../providers/registry";
import { type DeploymentEvent, type OperationKind } from "../run/events";
import { type OperationOptions, type OperationResult, runOperation } from "../run/operation";
import { Targets } from "../run/targets";
import { type Snapshot } from "../state/resource";
import { type Globals, type Terminal } from "./globals";
import { type OperationFlags, type Verb } from "./operation";
import { openStack, type OpenStack } from "./stack";

/** The run failed, and everything there is to say about it has been said. */
export class AlreadyTold extends UserError {}

const KINDS: Readonly<Record<Verb, OperationKind>> = {
    up: "update",
    preview: "update",
    refresh: "refresh",
    destroy: "destroy",
};

/** What Ctrl-C sends, and what asks a process from elsewhere to end. */
const ENDING_SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Signals that come so soon after the first, in milliseconds, are the same one: npm passes on what the terminal sent. */
const SAME_SIGNAL = 1000;

/** Carries out `up`, `preview`, `refresh` or `destroy`. */
export async function runVerb(verb: Verb, globals: Globals, terminal: Terminal, flags: OperationFlags): Promise<void> {
    const onlyPreview = verb === "preview" || flags.previewOnly;
    if (!onlyPreview && !flags.yes && !flags.skipPreview && terminal.ask === undefined) {
        throw new UserError("nobody can be asked here", "pass --yes to go on without a question");
    }
    const stack = await openStack(globals, terminal);
    const run = new VerbRun(verb, globals, terminal, flags, stack);
    if (onlyPreview) {
        await run.preview();
        return;
    }
    const lock = await stack.lock((note) => terminal.err(`${note}\n`));
    // Whatever ends this process in an orderly way, the next run must not find it locked.
    const releaseNow = (): void => lock.releaseNow();
    process.once("exit", releaseNow);
    try {
        await run.perform();
    } finally {
        await lock.release();
        process.off("exit", releaseNow);
    }
}

/** One verb on one open stack. */
class VerbRun {
    private readonly colour: boolean;

    constructor(
        private readonly verb: Verb,
        globals: Globals,
        private readonly terminal: Terminal,
        private readonly flags: OperationFlags,
        private readonly stack: OpenStack,
    ) {
        const choice: ColourChoice = globals.color === "always" || globals.color === "never" ? globals.color : "auto";
        this.colour = wantsColour(choice, isTerminal(), terminal.environment);
    }

    /** Shows what would be done. */
    async preview(): Promise<DeploymentEvent[]> {
        const events: DeploymentEvent[] = [];
        const result = await this.run(true, this.stack.snapshot, undefined, (event) => events.push(event));
        this.judge(result, "proposed");
        return events;
    }

    /** Previews, asks, does it and notes it in the stack's history. */
    async perform(): Promise<void> {
        const { flags, stack, terminal, verb } = this;
        const events = flags.skipPreview ? undefined : await this.preview();
        if (!flags.yes && terminal.ask !== undefined && !(await this.agreed(events))) {
            throw new UserError(`${verb} was not confirmed, nothing was changed`);
        }
        const startTime = unixTime();
        // What the preview was shown for may have been changed before the lock was ours.
        const base = await stack.reload();
        const writer = stack.writer();
        const result = await this.run(
            false,
            base,
            (state) => writer.save(state),
            () => undefined,
        );
        await writer.idle();
        await stack.backend.addHistory(stack.reference, {
            kind: KINDS[verb],
            startTime,
            endTime: unixTime(),
            message: flags.message,
            environment: await environment(stack.cwd),
            config: stack.stackConfig.toJson(),
            result: result.result === "succeeded" ? "succeeded" : "failed",
            resourceChanges: result.counts,
        });
        this.judge(result, "occurred");
        if (verb === "destroy" && result.snapshot.resources.length === 0 && !flags.json) {
            const { name } = stack.reference;
            terminal.out(
                `The resources in the stack have been deleted; its history and configuration are still there. \`pulumi stack rm ${name}\` removes these, too.\n`,
            );
        }
    }

    private async agreed(preview: readonly DeploymentEvent[] | undefined): Promise<boolean> {
        const style = { colours: colours(this.colour), showSecrets: this.flags.showSecrets };
        const interruption = new AbortController();
        const release = onEndingSignals(() => interruption.abort());
        try {
            return await confirm({
                operation: KINDS[this.verb],
                ...(preview === undefined ? {} : { details: () => renderDiff(preview, style) }),
                colours: style.colours,
                input: process.stdin,
                output: process.stderr,
                signal: interruption.signal,
            });
        } finally {
            release(interruption.signal);
        }
    }

    private judge(result: OperationResult, happened: "proposed" | "occurred"): void {
        switch (result.result) {
            case "failed":
                throw new AlreadyTold(`${this.verb} failed`);
            case "interrupted":
                throw new AlreadyTold(`${this.verb} was interrupted`);
            case "succeeded":
                break;
            default:
                result.result satisfies never;
        }
        const changed = Object.entries(result.counts).some(
            ([op, count]) => op !== "same" && op !== "refresh" && count > 0,
        );
        if (this.flags.expectNoChanges && changed) {
            throw new UserError(`no changes were expected but changes were ${happened}`);
        }
    }

    private async run(
        dryRun: boolean,
        base: Snapshot,
        save: OperationOptions["save"],
        observe: (event: DeploymentEvent) => void,
    ): Promise<OperationResult> {
        const { flags, stack, terminal, verb } = this;
        const { project, config, reference } = stack;
        const display = createDisplay({
            kind: flags.json ? "json" : flags.diff ? "diff" : "progress",
            isTerminal: isTerminal(),
            colour: this.colour,
            showSecrets: flags.showSecrets,
            suppressOutputs: flags.suppressOutputs,
            write: (text) => terminal.out(text),
        });
        const interruption = watchInterrupts((text) => terminal.err(`${text}\n`));
        try {
            return await runOperation({
                kind: KINDS[verb],
                dryRun,
                refresh: flags.refresh,
                parallel: flags.parallel,
                targets: new Targets(flags.target),
                replace: new Targets(flags.replace),
                base,
                save,
                emit: (event) => {
                    observe(event);
                    display.emit(event);
                },
                program: {
                    root: project.folder,
                    main: relative(project.folder, project.program) || ".",
                    project: project.name,
                    stack: reference.name,
                    config: config.texts,
                    secretKeys: config.secretKeys,
                    typescript: project.runtimeOptions["typescript"] !== false,
                    nodeArgs: nodeArguments(project.runtimeOptions["nodeargs"]),
                },
                config: config.values,
                providers: (engineAddress) =>
                    createProviders({
                        programDirectory: project.folder,
                        engineAddress,
                        project: project.name,
                        config: config.values,
                    }),
                stop: interruption.stop,
                abort: interruption.abort,
            });
        } finally {
            interruption.close();
            display.close();
        }
    }
}

/** Ctrl-C once: finish what runs; twice: end it at once. */
function watchInterrupts(say: (text: string) => void): { stop: AbortSignal; abort: AbortSignal; close(): void } {
    const stop = new AbortController();
    const abort = new AbortController();
    // Every operation that runs listens, and how many those are is the user's choice: more than ten are no leak.
    setMaxListeners(0, abort.signal);
    let first = 0;
    const release = onEndingSignals(() => {
        const now = performance.now();
        if (!stop.signal.aborted) {
            first = now;
            say("finishing what runs, then ending; press Ctrl-C again to end at once");
            stop.abort();
        } else if (now - first >= SAME_SIGNAL && !abort.signal.aborted) {
            say("ending at once");
            abort.abort(new UserError("it was cut off by the user", "run the command again, it does it anew"));
        }
    });
    return { stop: stop.signal, abort: abort.signal, close: () => release(stop.signal) };
}

/**
 * Calls `handle` for every signal that asks this process to end. The answer is to be called when that is over; once
 * `given` is aborted, the process is ending in order already, and no late signal may do it sooner.
 */
function onEndingSignals(handle: () => void): (given: AbortSignal) => void {
    ENDING_SIGNALS.forEach((signal) => process.on(signal, handle));
    return (given) => {
        if (!given.aborted) {
            ENDING_SIGNALS.forEach((signal) => process.off(signal, handle));
        }
    };
}

function nodeArguments(option: unknown): string[] {
    return typeof option === "string" ? option.split(/\s+/).filter((part) => part !== "") : [];
}

function isTerminal(): boolean {
    return process.stdout.isTTY;
}

/** Seconds since 1970. */
function unixTime(): number {
    return Math.floor(Date.now() / 1000);
}

/** What the history notes about the source: the commit, if the project is in a git repository. */
async function environment(folder: string): Promise<Record<string, string>> {
    try {
        const { stdout } = await promisify(execFile)("git", ["rev-parse", "HEAD"], { cwd: folder });
        return { "git.head": stdout.trim() };
    } catch {
        return {};
    }
}
