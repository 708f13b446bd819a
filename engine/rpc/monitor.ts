import { status, type handleUnaryCall, type UntypedServiceImplementation } from "@grpc/grpc-js";
import * as resourceProto from "@pulumi/pulumi/proto/resource_pb";
import * as providerProto from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { messageOf, NotSupported } from "../errors";
import { type Deployment, type Registered } from "../run/deployment";
import { type Providers } from "../run/providers";
import { type PropertyMap, Unknown } from "../values/value";
import { fromStruct, toStruct } from "../values/wire";
import { goalOf } from "./goalOf";

/** What the program may use of the protocol. Hooks and transforms are refused where they are used, by name. */
const FEATURES: ReadonlySet<string> = new Set([
    "secrets",
    "resourceReferences",
    "outputValues",
    "deletedWith",
    "replaceWith",
    "aliasSpecs",
    "transforms",
    "invokeTransforms",
    "resourceHooks",
    "errorHooks",
]);

/** A gRPC error that the SDK takes for the end of the deployment: it stops without a word. */
const ENDING = Object.assign(new Error("the deployment is ending"), { code: status.UNAVAILABLE });

/** Serves `pulumirpc.ResourceMonitor` for one run of a program. */
export function monitorService(options: {
    readonly deployment: Deployment;
    readonly providers: Providers;
    readonly dryRun: boolean;
    /** The program's folder. */
    readonly root: string;
}): UntypedServiceImplementation {
    const { deployment, providers } = options;
    let ending = false;
    /** What the engine refuses ends the program, too: the rest of it would stand on what is missing. */
    const refusing = (what: string) =>
        unary(async () => {
            throw new NotSupported(what);
        });
    /**
     * The same for calls whose refusal the SDK cannot take: it rejects a promise that nobody waits for, with nothing. The
     * program ends at the next resource it registers.
     */
    const refusingLater = (what: string) =>
        unary(async () => {
            deployment.refuse("", new NotSupported(what).message);
            ending = true;
            return new Empty();
        });

    function unary<Request, Response>(
        handle: (request: Request) => Promise<Response>,
        urnOf: (request: Request) => string = () => "",
    ): handleUnaryCall<Request, Response> {
        return (call, answer) => {
            handle(call.request).then(
                (response) => answer(null, response),
                (error: unknown) => {
                    if (error !== ENDING) {
                        deployment.refuse(urnOf(call.request), messageOf(error));
                    }
                    answer(error === ENDING ? ENDING : { code: status.UNIMPLEMENTED, message: messageOf(error) });
                },
            );
        };
    }

    return {
        supportsFeature: unary(async (request: resourceProto.SupportsFeatureRequest) => {
            const response = new resourceProto.SupportsFeatureResponse();
            response.setHassupport(FEATURES.has(request.getId()));
            return response;
        }),
        registerResource: unary(
            async (request: resourceProto.RegisterResourceRequest) => {
                if (ending) {
                    throw ENDING;
                }
                const registered = await deployment.register(goalOf(request, options.root));
                return responseOf(registered, options.dryRun);
            },
            (request) => deployment.urnOf(request.getParent(), request.getType(), request.getName()),
        ),
        registerResourceOutputs: unary(async (request: resourceProto.RegisterResourceOutputsRequest) => {
            await deployment.registerOutputs(request.getUrn(), fromStruct(request.getOutputs()));
            return new Empty();
        }),
        invoke: unary(async (request: resourceProto.ResourceInvokeRequest) => {
            const { outputs, failures } = await providers.invoke(request.getTok(), fromStruct(request.getArgs()));
            const response = new providerProto.InvokeResponse();
            response.setReturn(toStruct(outputs));
            response.setFailuresList(
                failures.map(({ property, reason }) => {
                    const failure = new providerProto.CheckFailure();
                    failure.setProperty(property);
                    failure.setReason(reason);
                    return failure;
                }),
            );
            return response;
        }),
        signalAndWaitForShutdown: unary(async () => new Empty()),
        call: refusing("calling a method of a resource"),
        readResource: refusing("reading a resource that the stack does not manage (`get`, StackReference)"),
        registerStackTransform: refusingLater("a stack transform"),
        registerStackInvokeTransform: refusingLater("a stack invoke transform"),
        registerResourceHook: refusing("a resource hook"),
        registerErrorHook: refusing("an error hook"),
        registerPackage: refusing("a parameterized package"),
        getDeploymentInfo: refusing("asking about the deployment"),
    };
}

function responseOf(registered: Registered, dryRun: boolean): resourceProto.RegisterResourceResponse {
    const response = new resourceProto.RegisterResourceResponse();
    switch (registered.kind) {
        case "stopped":
            throw ENDING;
        case "failed":
        case "skipped":
            // The SDK then takes the outputs for unknown and goes on with what does not need them.
            response.setUrn(registered.urn);
            response.setResult(registered.kind === "failed" ? resourceProto.Result.FAIL : resourceProto.Result.SKIP);
            response.setObject(toStruct({}));
            return response;
        case "done": {
            const { state } = registered;
            response.setUrn(state.urn);
            response.setId(state.id);
            response.setObject(toStruct(dryRun ? settled(state.outputs) : state.outputs));
            return response;
        }
        default:
            return registered satisfies never;
    }
}

/** Without the top-level properties that are wholly unknown: the SDK takes a missing one for unknown, of whatever type. */
function settled(outputs: PropertyMap): PropertyMap {
    const known = Object.entries(outputs).filter(([, value]) => !(value instanceof Unknown));
    return Object.fromEntries(known);
}
