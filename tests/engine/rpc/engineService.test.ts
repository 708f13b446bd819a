import { type sendUnaryData } from "@grpc/grpc-js";
import * as proto from "@pulumi/pulumi/proto/engine_pb";
import { engineService } from "../../../engine/rpc/engineService";

type Handler = (call: { request: unknown }, answer: sendUnaryData<unknown>) => void;

function call(method: string, request: unknown, log: jest.Mock = jest.fn()): unknown {
    let error: unknown;
    const handler = engineService(log)[method] as unknown as Handler;
    handler({ request }, (problem) => (error = problem));
    return error;
}

it("passes on what the program says, but for debug messages, which hold secrets in clear", () => {
    const log = jest.fn();
    for (const severity of [proto.LogSeverity.DEBUG, proto.LogSeverity.INFO, proto.LogSeverity.ERROR]) {
        const request = new proto.LogRequest();
        request.setSeverity(severity);
        request.setMessage("privateKey: hunter2");
        call("log", request, log);
    }
    expect(log.mock.calls.map(([, severity]: string[]) => severity)).toEqual(["info", "error"]);
});

it.each([
    [">=3.0.0", undefined],
    [">=4.0.0", "a program that requires Pulumi >=4.0.0 is not supported by the embedded engine"],
])("answers a program that requires Pulumi %s", (range, refusal) => {
    const request = new proto.RequirePulumiVersionRequest();
    request.setPulumiVersionRange(range);
    const error = call("requirePulumiVersion", request) as Error | null;
    expect(error?.message.split(":")[0]).toBe(refusal);
});
