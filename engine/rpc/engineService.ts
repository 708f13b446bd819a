import { type sendUnaryData, type ServerUnaryCall, status, type UntypedServiceImplementation } from "@grpc/grpc-js";
import * as engineProto from "@pulumi/pulumi/proto/engine_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { satisfies } from "semver";
import { NotSupported } from "../errors";
import { type Severity } from "../run/events";
import { FORMAT_VERSION } from "../state/checkpoint";

/**
 * Serves `pulumirpc.Engine` for one run of a program: its log messages and the root resource's name.
 *
 * Debug messages of the SDK hold resource properties in clear, private keys included. They are dropped here, before
 * anything could print or store them.
 */
export function engineService(
    log: (urn: string, severity: Severity, text: string, live: boolean) => void,
): UntypedServiceImplementation {
    let root = "";
    return {
        log: (call: ServerUnaryCall<engineProto.LogRequest, Empty>, answer: sendUnaryData<Empty>) => {
            const severity = severityOf(call.request.getSeverity());
            if (severity !== undefined) {
                log(call.request.getUrn(), severity, call.request.getMessage(), call.request.getEphemeral());
            }
            answer(null, new Empty());
        },
        getRootResource: (
            _call: ServerUnaryCall<engineProto.GetRootResourceRequest, engineProto.GetRootResourceResponse>,
            answer: sendUnaryData<engineProto.GetRootResourceResponse>,
        ) => {
            const response = new engineProto.GetRootResourceResponse();
            response.setUrn(root);
            answer(null, response);
        },
        setRootResource: (
            call: ServerUnaryCall<engineProto.SetRootResourceRequest, engineProto.SetRootResourceResponse>,
            answer: sendUnaryData<engineProto.SetRootResourceResponse>,
        ) => {
            root = call.request.getUrn();
            answer(null, new engineProto.SetRootResourceResponse());
        },
        startDebugging: (_call: ServerUnaryCall<unknown, Empty>, answer: sendUnaryData<Empty>) => {
            answer(null, new Empty());
        },
        requirePulumiVersion: (
            call: ServerUnaryCall<engineProto.RequirePulumiVersionRequest, engineProto.RequirePulumiVersionResponse>,
            answer: sendUnaryData<engineProto.RequirePulumiVersionResponse>,
        ) => {
            const range = call.request.getPulumiVersionRange();
            if (satisfies(FORMAT_VERSION, range)) {
                answer(null, new engineProto.RequirePulumiVersionResponse());
            } else {
                const { message } = new NotSupported(`a program that requires Pulumi ${range}`);
                answer({ code: status.FAILED_PRECONDITION, message });
            }
        },
    };
}

function severityOf(severity: engineProto.LogSeverity): Exclude<Severity, "debug"> | undefined {
    switch (severity) {
        case engineProto.LogSeverity.DEBUG:
            return undefined;
        case engineProto.LogSeverity.INFO:
            return "info";
        case engineProto.LogSeverity.WARNING:
            return "warning";
        case engineProto.LogSeverity.ERROR:
            return "error";
        default:
            return severity satisfies never;
    }
}
