import { type ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import {
    CheckRequest,
    type CheckResponse,
    ConfigureRequest,
    type ConfigureResponse,
    CreateRequest,
    type CreateResponse,
    DeleteRequest,
    DiffRequest,
    DiffResponse,
    ReadRequest,
    type ReadResponse,
    UpdateRequest,
    type UpdateResponse,
} from "@pulumi/pulumi/proto/provider_pb";
import { type Empty } from "google-protobuf/google/protobuf/empty_pb";
import { NotSupported } from "../../errors";
import { changedKeys, detailedFrom, diffProperties } from "../../values/diff";
import { type PropertyMap } from "../../values/value";
import { fromStruct, toStruct } from "../../values/wire";
import {
    type CheckFailure,
    type DiffResult,
    type OperationContext,
    PartialFailure,
    type Provider,
    type ReadOutcome,
    type ResourceOutcome,
} from "../provider";
import { callProvider } from "./call";
import { DynamicProcess, type ProcessOptions } from "./process";
import { withSecretsOf } from "./secrets";

type Old = { id: string; inputs: PropertyMap; outputs: PropertyMap };

export interface DynamicOptions extends ProcessOptions {
    /** The program's configuration by full key (`project:name`), secrets marked. */
    readonly config: PropertyMap;
}

const { DIFF_NONE, DIFF_SOME } = DiffResponse.DiffChanges;

/**
 * Package `pulumi-nodejs`: dynamic resources, whose code travels among their inputs and runs in a process of the SDK's
 * own. The process is started by the first operation and serves all of a deployment.
 */
export class DynamicProvider implements Provider {
    readonly pkg = "pulumi-nodejs";
    private started: Promise<DynamicProcess> | undefined;
    /** The operations in flight; what the process prints is shown for the last of them. */
    private readonly contexts = new Set<OperationContext>();
    /** The operation that ended last: its answer may be faster than what the process printed. */
    private ended: OperationContext | undefined;

    constructor(private readonly options: DynamicOptions) {}

    supports(type: string): boolean {
        return /^pulumi-nodejs:dynamic(\/[^:]+)?:[^:]+$/.test(type);
    }

    async check(
        context: OperationContext,
        olds: PropertyMap | undefined,
        news: PropertyMap,
    ): Promise<{ inputs: PropertyMap; failures: readonly CheckFailure[] }> {
        const request = new CheckRequest();
        request.setUrn(context.urn);
        request.setOlds(toStruct(olds ?? {}, "reveal"));
        request.setNews(toStruct(news, "reveal"));
        const response = await this.call<CheckResponse>(context, (client, done) => client.check(request, done));
        return {
            inputs: withSecretsOf(news, fromStruct(response.getInputs())),
            failures: response
                .getFailuresList()
                .map((failure) => ({ property: failure.getProperty(), reason: failure.getReason() })),
        };
    }

    async diff(context: OperationContext, old: Old, news: PropertyMap): Promise<DiffResult> {
        const request = new DiffRequest();
        request.setId(old.id);
        request.setUrn(context.urn);
        request.setOlds(toStruct(old.outputs, "reveal"));
        request.setNews(toStruct(news, "reveal"));
        request.setOldInputs(toStruct(old.inputs, "reveal"));
        const response = await this.call<DiffResponse>(context, (client, done) => client.diff(request, done));
        const difference = diffProperties(old.inputs, news);
        const replaceKeys = response.getReplacesList();
        const told = response.getChanges();
        return {
            changes: told === DIFF_SOME || (told !== DIFF_NONE && difference !== undefined),
            replaceKeys,
            deleteBeforeReplace: response.getDeletebeforereplace(),
            changedKeys: changedKeys(difference),
            stables: response.getStablesList(),
            detailed: detailedFrom(difference, ([key]) => replaceKeys.includes(String(key))),
        };
    }

    async preview(_context: OperationContext, _old: Old | undefined, news: PropertyMap): Promise<PropertyMap> {
        return news;
    }

    async create(context: OperationContext, inputs: PropertyMap): Promise<ResourceOutcome> {
        const request = new CreateRequest();
        request.setUrn(context.urn);
        request.setProperties(toStruct(inputs, "reveal"));
        const response = await this.change<CreateResponse>(context, inputs, (client, done) =>
            client.create(request, done),
        );
        return { id: response.getId(), outputs: withSecretsOf(inputs, fromStruct(response.getProperties())) };
    }

    async update(context: OperationContext, old: Old, news: PropertyMap): Promise<ResourceOutcome> {
        const request = new UpdateRequest();
        request.setId(old.id);
        request.setUrn(context.urn);
        request.setOlds(toStruct(old.outputs, "reveal"));
        request.setNews(toStruct(news, "reveal"));
        request.setOldInputs(toStruct(old.inputs, "reveal"));
        const response = await this.change<UpdateResponse>(context, news, (client, done) =>
            client.update(request, done),
        );
        return { id: old.id, outputs: withSecretsOf(news, fromStruct(response.getProperties())) };
    }

    async read(context: OperationContext, old: Old): Promise<ReadOutcome | undefined> {
        const request = new ReadRequest();
        request.setId(old.id);
        request.setUrn(context.urn);
        request.setProperties(toStruct(old.outputs, "reveal"));
        request.setInputs(toStruct(old.inputs, "reveal"));
        const response = await this.change<ReadResponse>(context, old.outputs, (client, done) =>
            client.read(request, done),
        );
        if (response.getId() === "") {
            return undefined;
        }
        return {
            id: response.getId(),
            outputs: withSecretsOf(old.outputs, fromStruct(response.getProperties())),
            ...(response.hasInputs() ? { inputs: withSecretsOf(old.inputs, fromStruct(response.getInputs())) } : {}),
        };
    }

    async delete(context: OperationContext, old: Old): Promise<void> {
        const request = new DeleteRequest();
        request.setId(old.id);
        request.setUrn(context.urn);
        request.setProperties(toStruct(old.outputs, "reveal"));
        request.setOldInputs(toStruct(old.inputs, "reveal"));
        await this.call<Empty>(context, (client, done) => client.delete(request, done));
    }

    async invoke(token: string): Promise<never> {
        throw new NotSupported(`function ${token}`);
    }

    async close(): Promise<void> {
        const process = await this.started?.catch(() => undefined);
        await process?.end();
    }

    /** A call whose partial failure carries properties that come out of `sent`. */
    private async change<Response>(
        context: OperationContext,
        sent: PropertyMap,
        make: Make<Response>,
    ): Promise<Response> {
        try {
            return await this.call(context, make);
        } catch (error) {
            throw error instanceof PartialFailure
                ? new PartialFailure(error.message, error.id, withSecretsOf(sent, error.outputs), error.reasons)
                : error;
        }
    }

    private async call<Response>(context: OperationContext, make: Make<Response>): Promise<Response> {
        this.contexts.add(context);
        try {
            const { client } = await this.process();
            return await callProvider<Response>(context.signal, (done) => make(client, done));
        } finally {
            this.contexts.delete(context);
            this.ended = context;
        }
    }

    private process(): Promise<DynamicProcess> {
        this.started ??= this.start().catch((error: unknown) => {
            this.started = undefined;
            throw error;
        });
        return this.started;
    }

    private async start(): Promise<DynamicProcess> {
        const process = await DynamicProcess.start(this.options, (line) => this.show(line));
        const request = new ConfigureRequest();
        request.setArgs(toStruct(this.options.config));
        const never = new AbortController().signal;
        try {
            await callProvider<ConfigureResponse>(never, (done) => process.client.configure(request, done));
        } catch (error) {
            await process.end();
            throw error;
        }
        return process;
    }

    private show(line: string): void {
        ([...this.contexts].at(-1) ?? this.ended)?.log(line, "info");
    }
}

type Make<Response> = (
    client: ResourceProviderClient,
    done: Parameters<Parameters<typeof callProvider<Response>>[1]>[0],
) => ReturnType<Parameters<typeof callProvider<Response>>[1]>;
