import { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";
import { Callback } from "@pulumi/pulumi/proto/callback_pb";
import { SourcePosition } from "@pulumi/pulumi/proto/source_pb";
import { goalOf, secondsOf } from "../../../engine/rpc/goalOf";

describe("a registration", () => {
    it("is decoded with what the program left open left open", () => {
        const request = new RegisterResourceRequest();
        request.setType("command:remote:Command");
        request.setName("step");
        request.setCustom(true);
        request.setDeletebeforereplace(true);
        const at = new SourcePosition();
        at.setUri("file:///project/index.ts");
        at.setLine(7);
        at.setColumn(3);
        request.setSourceposition(at);
        const timeouts = new RegisterResourceRequest.CustomTimeouts();
        timeouts.setCreate("1h30m");
        request.setCustomtimeouts(timeouts);
        expect(goalOf(request, "/project")).toMatchObject({
            type: "command:remote:Command",
            name: "step",
            custom: true,
            protect: undefined,
            retainOnDelete: undefined,
            deleteBeforeReplace: true,
            customTimeouts: { create: 5400 },
            sourcePosition: "project:///index.ts#7,3",
        });
        expect(goalOf(request, "/elsewhere").sourcePosition).toBe("");
    });

    it.each<[string, (request: RegisterResourceRequest) => void]>([
        ["the remote component pkg:index:Thing", (request) => request.setRemote(true)],
        ["the resource option `import`", (request) => request.setImportid("id")],
        ["the resource option `transforms`", (request) => request.setTransformsList([new Callback()])],
        ["the resource option `pluginDownloadURL`", (request) => request.setPlugindownloadurl("x")],
        ["a parameterized package", (request) => request.setPackageref("x")],
        [
            "the resource option `hooks`",
            (request) => {
                const hooks = new RegisterResourceRequest.ResourceHooksBinding();
                hooks.setBeforeCreateList(["hook"]);
                request.setHooks(hooks);
            },
        ],
    ])("is refused for %s, by name", (what, ask) => {
        const request = new RegisterResourceRequest();
        request.setType("pkg:index:Thing");
        ask(request);
        expect(() => goalOf(request, "/")).toThrow(
            `${what} is not supported by the embedded engine: the official pulumi CLI is needed for it`,
        );
    });
});

describe("a duration", () => {
    it.each([
        ["40m", 2400],
        ["1h30m", 5400],
        ["0.5s", 0.5],
        ["250ms", 0.25],
    ])("%s is %d seconds", (text, seconds) => expect(secondsOf(text)).toBe(seconds));

    it.each(["", "40", "m", "40 m", "-1s", "1d"])("%j is none", (text) => {
        expect(() => secondsOf(text)).toThrow(`customTimeouts: "${text}" is not a duration`);
    });
});
