import { type ClientUnaryCall, type ServiceError } from "@grpc/grpc-js";
import { ErrorResourceInitFailed } from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { fromStruct } from "../../values/wire";
import { PartialFailure } from "../provider";

const DETAILS = "grpc-status-details-bin";
const INIT_FAILED = "pulumirpc.ErrorResourceInitFailed";

type Answered<Response> = (error: ServiceError | null, response: Response) => void;

/** Makes a call as a promise. Aborting cancels it. A resource that exists but is not well becomes a `PartialFailure`. */
export async function callProvider<Response>(
    signal: AbortSignal,
    call: (answered: Answered<Response>) => ClientUnaryCall,
): Promise<Response> {
    signal.throwIfAborted();
    let cancel: () => void = () => undefined;
    try {
        return await new Promise<Response>((resolve, reject) => {
            const made = call((error, response) => (error === null ? resolve(response) : reject(failureOf(error))));
            cancel = () => made.cancel();
            signal.addEventListener("abort", cancel, { once: true });
        });
    } catch (error) {
        signal.throwIfAborted();
        throw error;
    } finally {
        signal.removeEventListener("abort", cancel);
    }
}

function failureOf(error: ServiceError): Error {
    const message = error.details === "" ? error.message : error.details;
    for (const bytes of error.metadata.get(DETAILS)) {
        const details = Status.deserializeBinary(Buffer.from(bytes)).getDetailsList();
        const detail = details.find((any) => any.getTypeName() === INIT_FAILED);
        if (detail !== undefined) {
            const failed = ErrorResourceInitFailed.deserializeBinary(detail.getValue_asU8());
            const reasons = failed.getReasonsList();
            return new PartialFailure(message, failed.getId(), fromStruct(failed.getProperties()), reasons);
        }
    }
    return new Error(message);
}
