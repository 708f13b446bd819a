import fs from "node:fs";
import path from "node:path";
import { createDigest } from "../../../engine/display/json";
import { type Step } from "../../../engine/plan/step";
import { type PropertyDiffKind } from "../../../engine/providers/provider";
import { resourceState, type ResourceState } from "../../../engine/state/resource";
import { mapProperties, mapValue, type PropertyMap, Secret, type Value } from "../../../engine/values/value";
import { fromWire, type Json } from "../../../engine/values/wire";
import { begin, done, end, live, message, resource, shown, stackResource, start, step } from "./events";

interface RecordedStep {
    op: Step["op"];
    urn: string;
    oldState?: ResourceState;
    newState?: ResourceState;
    diffReasons?: string[];
    replaceReasons?: string[];
    detailedDiff: Record<string, { kind: PropertyDiffKind }> | null;
}

interface Recorded {
    config: Record<string, string>;
    steps: RecordedStep[];
    duration: number;
    changeSummary: Record<string, number>;
}

function recorded(phase: number): Recorded {
    const file = path.join(__dirname, `../vectors/recorded/${phase}.preview.json`);
    return JSON.parse(fs.readFileSync(file, "utf8")) as Recorded;
}

/** Makes secret again what the recording masked. */
function unmasked(map: PropertyMap | undefined): PropertyMap {
    const secret = (value: Value): Value | undefined => (value === "[secret]" ? new Secret("hunter22") : undefined);
    return mapProperties(map ?? {}, (value) => mapValue(fromWire(value as Json), secret));
}

function state(json: ResourceState | undefined): ResourceState | undefined {
    return json && resourceState({ ...json, inputs: unmasked(json.inputs), outputs: unmasked(json.outputs) });
}

describe("the document of `preview --json`", () => {
    test.each([1, 2, 3, 4, 5, 6])("is the official one, phase %i of the recordings", (phase) => {
        const expected = recorded(phase);
        const digest = createDigest();
        digest.add(start({ dryRun: true, config: unmasked(expected.config) }));
        for (const each of expected.steps) {
            const detailed = Object.entries(each.detailedDiff ?? {}).map(([at, { kind }]) => [at, kind] as const);
            digest.add(
                begin(
                    step(each.op, state(each.oldState), state(each.newState), {
                        urn: each.urn,
                        changedKeys: each.diffReasons ?? [],
                        replaceKeys: each.replaceReasons ?? [],
                        ...(each.detailedDiff === null ? {} : { detailed: Object.fromEntries(detailed) }),
                    }),
                ),
            );
        }
        // Resources that stay as they are stand in no official document, but for the stack.
        digest.add(begin(step("same", resource(), resource())));
        digest.add(end({ counts: expected.changeSummary, seconds: expected.duration / 1e9 }));
        const { config, steps, duration, changeSummary } = expected;
        expect(digest.document()).toEqual({ config, steps, duration, changeSummary });
    });

    test("holds diagnostics but no live and no debug messages", () => {
        const text = shown(
            [
                start({ dryRun: true, config: { "shop:list": [1], "shop:key": new Secret("hunter22") } }),
                live(resource().urn, "output"),
                message(resource().urn, "warning", "careful, hunter22"),
                message("", "debug", "inside"),
                { kind: "program-output", text: "hello", stream: "stdout" },
                end({ seconds: 0.5 }),
            ],
            { kind: "json" },
        );
        expect(JSON.parse(text)).toEqual({
            config: { "shop:list": "[1]", "shop:key": "[secret]" },
            diagnostics: [
                { urn: resource().urn, message: "warning: careful, [secret]", severity: "warning" },
                { message: "hello", severity: "info" },
            ],
            duration: 500_000_000,
        });
    });

    test("shows what a refresh found in place of the refresh", () => {
        const was = resource({ id: "a", outputs: { seen: 1 } });
        const gone = resource({ urn: "urn:pulumi:dev::shop::command:remote:Command::gone", id: "b" });
        const digest = createDigest();
        [
            start({ dryRun: true, operation: "refresh" }),
            begin(step("refresh", was, was)),
            begin(step("refresh", gone, gone)),
            done(step("refresh", was, resource({ outputs: { seen: 2 } }), { detailed: { seen: "update" } })),
            { kind: "step-done" as const, step: step("refresh", gone, gone), seconds: 0 },
        ].forEach((event) => digest.add(event));
        expect(digest.document()["steps"]).toMatchObject([
            { op: "update", newState: { outputs: { seen: 2 } } },
            { op: "delete" },
        ]);
    });
});

test("a secret that is part of a resource's name does not change the name, but is hidden from its properties", () => {
    const of = step("create", undefined, resource({ inputs: { a: new Secret("web"), b: "is web" }, id: "web" }));
    const text = shown([start({ dryRun: true }), begin(of), end()], { kind: "json" });
    expect(JSON.parse(text)).toMatchObject({
        steps: [
            { urn: of.urn, newState: { urn: of.urn, id: "[secret]", inputs: { a: "[secret]", b: "is [secret]" } } },
        ],
    });
    expect(shown([start(), begin(of)])).toContain("command:remote:Command web creating");
});

test("an update tells its events as lines of JSON, as they happen", () => {
    const of = step(
        "create",
        undefined,
        resource({ inputs: { create: "a" }, outputs: { key: new Secret("hunter22") } }),
    );
    const lines = shown(
        [
            start(),
            begin(step("same", stackResource(), stackResource())),
            begin(of),
            live(of.urn, "the key is hunter22"),
            { kind: "program-output", text: "hello", stream: "stdout" },
            done(of),
            { kind: "step-failed", step: of, seconds: 1, message: "no" },
            end({ counts: { create: 1, "create-replacement": 1 } }),
        ],
        { kind: "json" },
    );
    const events = lines
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events.map(({ sequence }) => sequence)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(events.map((event) => Object.keys(event)[2])).toEqual([
        "preludeEvent",
        "resourcePreEvent",
        "resourcePreEvent",
        "diagnosticEvent",
        "stdoutEvent",
        "resOutputsEvent",
        "resOpFailedEvent",
        "summaryEvent",
    ]);
    expect(events[3]).toMatchObject({
        timestamp: 1_700_000_000,
        diagnosticEvent: { message: "the key is [secret]", ephemeral: true, severity: "info" },
    });
    expect(events[7]).toMatchObject({
        summaryEvent: { durationSeconds: 3, resourceChanges: { create: 1 }, isPreview: false, result: "succeeded" },
    });
});
