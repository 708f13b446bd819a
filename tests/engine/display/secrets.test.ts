import fc from "fast-check";
import { colours } from "../../../engine/display/colour";
import { diffRenderer } from "../../../engine/display/diff";
import { createDigest, engineEvent } from "../../../engine/display/json";
import { createMask, MASK, NO_MASK, printable } from "../../../engine/display/mask";
import { progressRenderer } from "../../../engine/display/progress";
import { type Op } from "../../../engine/plan/step";
import { type PropertyMap, Secret, UNKNOWN, type Value } from "../../../engine/values/value";
import { begin, done, end, live, message, resource, shown, start, step } from "./events";

/** No other value of these tests holds this, so wherever it shows up a secret has got out. */
const PLAINTEXT = "pl41nt3xt";

const secrets: fc.Arbitrary<Value> = fc
    .oneof(
        fc.string().map((more) => PLAINTEXT + more),
        fc.array(fc.string(), { maxLength: 2 }).map((lines) => [PLAINTEXT, ...lines].join("\n")),
        fc.string().map((more) => ({ host: PLAINTEXT + more, [PLAINTEXT]: 1 })),
        fc.constant([PLAINTEXT, { deep: [PLAINTEXT] }]),
    )
    .map((value) => new Secret(value));

const values = fc.letrec<{ value: Value }>((tie) => ({
    value: fc.oneof(
        { depthSize: "small" },
        secrets,
        fc.constantFrom<Value>(null, true, 7, UNKNOWN, '{"a":1}', "a\nb\nc"),
        fc.string(),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(fc.string(), tie("value"), { maxKeys: 3, noNullPrototype: true }),
    ),
})).value;

const names = fc.constantFrom("a", "b", "connection", "stdin", "triggers");
const maps: fc.Arbitrary<PropertyMap> = fc.dictionary(names, values, { maxKeys: 4, noNullPrototype: true });
const ops = fc.constantFrom<Op>("create", "update", "replace", "delete", "refresh", "same", "create-replacement");

describe("no secret's plaintext", () => {
    test.each(["progress", "diff", "json"] as const)("gets out of the %s display", (kind) => {
        fc.assert(
            fc.property(maps, maps, maps, ops, fc.boolean(), (old, changed, outputs, op, dryRun) => {
                const before = op === "create" ? undefined : resource({ id: "x", inputs: old, outputs });
                const after = op === "delete" ? undefined : resource({ inputs: changed, outputs: old });
                const of = step(op, before, after, { changedKeys: ["a", "b"], replaceKeys: ["a"] });
                const text = shown(
                    [
                        start({ dryRun, config: old }),
                        begin(of),
                        live(of.urn, "working"),
                        message(of.urn, "warning", "careful"),
                        done(of),
                        { kind: "step-failed", step: of, seconds: 1, message: "failed" },
                        end({ oldOutputs: old, outputs: changed, counts: { [op]: 1 } }),
                    ],
                    { kind },
                );
                expect(text).not.toContain(PLAINTEXT);
            }),
            { numRuns: 300 },
        );
    });

    test("gets out of any renderer, without the mask that would catch it", () => {
        const style = { colours: colours(false), showSecrets: false };
        fc.assert(
            fc.property(maps, maps, maps, ops, fc.boolean(), (old, changed, outputs, op, dryRun) => {
                const before = op === "create" ? undefined : resource({ inputs: old, outputs });
                const after = op === "delete" ? undefined : resource({ inputs: changed, outputs: old });
                const of = step(op, before, after);
                const events = [
                    start({ dryRun, config: old }),
                    begin(of),
                    done(of),
                    end({ oldOutputs: old, outputs: changed }),
                ];
                const diff = diffRenderer(style);
                const progress = progressRenderer(style, () => 0);
                const digest = createDigest(NO_MASK);
                events.forEach((event) => digest.add(event));
                const rendered = [
                    ...events.flatMap((event) => [...diff.render(event), ...progress.render(event)]),
                    JSON.stringify(digest.document()),
                    JSON.stringify(events.map((event) => engineEvent(event, dryRun, NO_MASK))),
                ];
                expect(rendered.join("\n")).not.toContain(PLAINTEXT);
            }),
            { numRuns: 300 },
        );
    });

    test.each(["progress", "diff", "json"] as const)("gets out of the %s display in what a command prints", (kind) => {
        const printed = fc.string({ minLength: 3, unit: "grapheme-ascii" }).filter((text) => text.trim().length >= 3);
        fc.assert(
            fc.property(printed, fc.boolean(), (tail, dryRun) => {
                const secret = PLAINTEXT + tail;
                const of = step("create", undefined, resource({ inputs: { stdin: new Secret(secret) } }));
                const text = shown(
                    [
                        start({ dryRun }),
                        begin(of),
                        live(of.urn, `got ${secret}`),
                        message(of.urn, "error", `bad ${secret}\nreally: ${secret.trim()}`),
                        { kind: "program-output", text: secret, stream: "stderr" },
                        { kind: "step-failed", step: of, seconds: 1, message: `no: ${secret}` },
                        end(),
                    ],
                    { kind },
                );
                expect(text).not.toContain(PLAINTEXT);
            }),
        );
    });

    test("is there at all unless it is hidden", () => {
        const of = step("create", undefined, resource({ inputs: { stdin: new Secret(PLAINTEXT) } }));
        expect(shown([start(), begin(of)], { kind: "diff", showSecrets: true })).toContain(PLAINTEXT);
        expect(shown([start(), begin(of), live(of.urn, PLAINTEXT)], { showSecrets: true })).toContain(PLAINTEXT);
    });
});

describe("the mask", () => {
    const mask = createMask();
    mask.learn({
        token: new Secret("abc"),
        longer: new Secret("abcdef"),
        quoted: new Secret('say "hi"'),
        short: new Secret("xy"),
        word: new Secret("True"),
        list: [new Secret("in-a-list")],
        connection: new Secret({ user: "root", hostKey: "ssh-ed25519 AAAA", password: "s3same" }),
        open: "visible",
    });

    test.each([
        ["the longest secret first", "abcdef abc", `${MASK} ${MASK}`],
        ["secrets written as JSON", '{"a":"say \\"hi\\""}', `{"a":"${MASK}"}`],
        ["nothing shorter than three characters", "xy", "xy"],
        ["no truth values", "True true", "True true"],
        ["secrets within lists", "in-a-list", MASK],
        ["passwords within secret objects, but not what stands beside them", "root s3same", `root ${MASK}`],
        ["nothing that is no secret", "visible", "visible"],
    ])("hides %s", (_, text, expected) => {
        expect(mask.apply(text)).toBe(expected);
    });

    test("shows lines that a secret text shares with an input in clear, but never a whole secret", () => {
        const shared = "a_function_of_every_step() { true; }";
        const whole = "the-whole-of-a-secret";
        const steps = createMask();
        steps.learnInputs({ create: new Secret(`KEY=0123456789abcdef\n${shared}\n`), token: new Secret(whole) });
        expect(steps.apply(`${shared}\n`)).toBe(`${MASK}\n`);
        steps.learnInputs({ create: `other\n  ${shared}\n`, list: [whole] });
        expect(steps.apply(shared)).toBe(shared);
        expect(steps.apply("KEY=0123456789abcdef")).toBe(MASK);
        expect(steps.apply(whole)).toBe(MASK);
    });

    test("takes nothing within a secret object for a line in clear", () => {
        const line = "a line of some length";
        const within = createMask();
        within.learnInputs({ stdin: new Secret(`${line}\nand another`), connection: new Secret({ host: line }) });
        expect(within.apply(line)).toBe(MASK);
    });

    test("is what makes values printable", () => {
        const value: Value = { a: [new Secret({ b: 1 }), UNKNOWN] };
        expect(printable(value)).toEqual({ a: [MASK, "04da6b54-80e4-46f7-96ec-b56ff0331ba9"] });
        expect(printable(value, true)).toEqual({ a: [{ b: 1 }, "04da6b54-80e4-46f7-96ec-b56ff0331ba9"] });
    });
});
