import { NotSupported } from "../../errors";
import { changedKeys, detailedFrom, diffProperties } from "../../values/diff";
import { type PropertyMap, revealedMap } from "../../values/value";
import {
    type CheckFailure,
    type DiffResult,
    type OperationContext,
    type Provider,
    type ReadOutcome,
    type ResourceOutcome,
} from "../provider";
import { type PoolOptions, SshPool } from "../ssh/pool";
import { uniqueId } from "../uniqueId";
import { checkInputs } from "./check";
import { copyToRemote, hashedSource, needsCopy } from "./copyToRemote";
import { ASSET_INPUTS, runLocal } from "./localCommand";
import { runRemote } from "./remoteCommand";
import { NO_OUTPUT, type PreviousOutput, previousOutputFrom, runInputsFrom, textOf } from "./runInputs";

const REMOTE_COMMAND = "command:remote:Command";
const LOCAL_COMMAND = "command:local:Command";
const COPY = "command:remote:CopyToRemote";
const LOCAL_RUN = "command:local:run";

type Old = { id: string; inputs: PropertyMap; outputs: PropertyMap };

export interface CommandOptions {
    readonly pool?: PoolOptions;
    /** Where local commands run and paths of assets start from: the program's folder. Default: this process's. */
    readonly directory?: string;
}

/**
 * Package `command` as its provider 1.2.1: commands on this machine and on others, and copies to others. All that goes
 * to one host shares one connection.
 */
export class CommandProvider implements Provider {
    readonly pkg = "command";
    private readonly pool: SshPool;
    private readonly directory: string;

    constructor(options: CommandOptions = {}) {
        this.pool = new SshPool(options.pool);
        this.directory = options.directory ?? process.cwd();
    }

    supports(type: string): boolean {
        return [REMOTE_COMMAND, LOCAL_COMMAND, COPY].includes(type);
    }

    async check(
        context: OperationContext,
        _olds: PropertyMap | undefined,
        news: PropertyMap,
    ): Promise<{ inputs: PropertyMap; failures: readonly CheckFailure[] }> {
        refuseAssets(context.type, news);
        const { inputs, failures } = checkInputs(context.type, news);
        return context.type === COPY && failures.length === 0
            ? { inputs: await hashedSource(inputs, this.directory), failures }
            : { inputs, failures };
    }

    async diff(_context: OperationContext, old: Old, news: PropertyMap): Promise<DiffResult> {
        const difference = diffProperties(old.inputs, news);
        const keys = changedKeys(difference);
        return {
            changes: difference !== undefined,
            replaceKeys: keys.filter((key) => key === "triggers"),
            deleteBeforeReplace: false,
            changedKeys: keys,
            stables: [],
            detailed: detailedFrom(difference, (path) => path[0] === "triggers"),
        };
    }

    async preview(_context: OperationContext, _old: Old | undefined, news: PropertyMap): Promise<PropertyMap> {
        return news;
    }

    async create(context: OperationContext, inputs: PropertyMap): Promise<ResourceOutcome> {
        if (context.type === COPY) {
            await copyToRemote(this.pool, context, inputs, this.directory);
            return { id: uniqueId(""), outputs: inputs };
        }
        const command = runInputsFrom(inputs).create;
        const output = command === undefined ? NO_OUTPUT : await this.run(context, command, inputs, NO_OUTPUT);
        return { id: uniqueId(context.name), outputs: outputsOf(inputs, output) };
    }

    async update(context: OperationContext, old: Old, news: PropertyMap): Promise<ResourceOutcome> {
        if (context.type === COPY) {
            if (needsCopy(old.outputs, news)) {
                await copyToRemote(this.pool, context, news, this.directory);
            }
            return { id: old.id, outputs: news };
        }
        const texts = runInputsFrom(news);
        const command = texts.update ?? texts.create;
        const previous = previousOutputFrom(old.outputs);
        const output = command === undefined ? previous : await this.run(context, command, news, previous);
        return { id: old.id, outputs: outputsOf(news, output) };
    }

    async read(_context: OperationContext, old: Old): Promise<ReadOutcome> {
        return { id: old.id, inputs: old.inputs, outputs: old.outputs };
    }

    async delete(context: OperationContext, old: Old): Promise<void> {
        const command = runInputsFrom(old.outputs).delete;
        if (context.type !== COPY && command !== undefined) {
            await this.run(context, command, old.outputs, previousOutputFrom(old.outputs));
        }
    }

    async invoke(
        token: string,
        args: PropertyMap,
    ): Promise<{ outputs: PropertyMap; failures: readonly CheckFailure[] }> {
        if (token !== LOCAL_RUN) {
            throw new NotSupported(`function ${token}`);
        }
        refuseAssets(token, args);
        const { inputs, failures } = checkInputs(token, args);
        if (failures.length > 0) {
            return { outputs: {}, failures };
        }
        const quiet = { log: () => undefined, signal: new AbortController().signal };
        const command = textOf(revealedMap(inputs)["command"]) ?? "";
        return {
            outputs: outputsOf(inputs, await runLocal(quiet, command, inputs, NO_OUTPUT, this.directory)),
            failures,
        };
    }

    async close(): Promise<void> {
        await this.pool.close();
    }

    private run(
        context: OperationContext,
        command: string,
        properties: PropertyMap,
        previous: PreviousOutput,
    ): Promise<PreviousOutput> {
        return context.type === LOCAL_COMMAND
            ? runLocal(context, command, properties, previous, this.directory)
            : runRemote(this.pool, context, command, properties, previous);
    }
}

function outputsOf(inputs: PropertyMap, output: PreviousOutput): PropertyMap {
    return { ...inputs, stdout: output.stdout, stderr: output.stderr };
}

function refuseAssets(type: string, properties: PropertyMap): void {
    const wanted = ASSET_INPUTS.find((name) => properties[name] !== undefined && properties[name] !== null);
    if (wanted !== undefined) {
        throw new NotSupported(`${wanted} of ${type}`);
    }
}
