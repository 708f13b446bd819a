import { Server, ServerCredentials, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { ResourceMonitorService } from "@pulumi/pulumi/proto/resource_grpc_pb";

/** Bytes a message may have; the official engine's limit. */
const MAX_MESSAGE = 400 * 1024 * 1024;

export interface RunningServer {
    /** `127.0.0.1:PORT`; nobody outside this machine can reach it. */
    readonly address: string;
    /** From here on a program can register resources. */
    serveMonitor(monitor: UntypedServiceImplementation): void;
    close(): void;
}

/** Starts the gRPC server that a program and dynamic providers talk to, on a free port of this machine. */
export async function startServer(engine: UntypedServiceImplementation): Promise<RunningServer> {
    const server = new Server({
        "grpc.max_receive_message_length": MAX_MESSAGE,
        "grpc.max_send_message_length": MAX_MESSAGE,
    });
    server.addService(EngineService, engine);
    const port = await new Promise<number>((resolve, reject) =>
        server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
            error === null ? resolve(bound) : reject(error),
        ),
    );
    return {
        address: `127.0.0.1:${port}`,
        serveMonitor: (monitor) => server.addService(ResourceMonitorService, monitor),
        close: () => server.forceShutdown(),
    };
}
