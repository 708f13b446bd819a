import fc from "fast-check";
import { compareSync } from "bcryptjs";
import { RandomProvider } from "../../../engine/providers/random/provider";
import { type PropertyMap, revealedMap, Secret } from "../../../engine/values/value";
import { contextFor } from "./context";
import recorded from "../vectors/recorded/1.state.json";

const PASSWORD = "random:index/randomPassword:RandomPassword";
const STRING = "random:index/randomString:RandomString";
const provider = new RandomProvider();

interface Recorded {
    readonly type: string;
    readonly inputs?: PropertyMap;
    readonly outputs?: object;
}

const state = recorded as unknown as Record<string, { latest?: object } & object>;
const checkpoint = (state["checkpoint"]?.latest ?? state["deployment"]) as { resources: Recorded[] };
const made = checkpoint.resources.filter(({ type }) => type.startsWith("random:"));

describe("package random", () => {
    it.each(made.map((resource) => [resource.type, resource] as const))(
        "gives %s the outputs that the official provider recorded",
        async (type, { inputs = {}, outputs = {} }) => {
            const created = await provider.create(contextFor(type, "it"), inputs);
            expect(Object.keys(created.outputs).sort()).toEqual(Object.keys(outputs).sort());
            const [ours, theirs] = [created.outputs["__pulumi_raw_state_delta"], outputs] as [object, PropertyMap];
            const shape = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
            const delta = theirs["__pulumi_raw_state_delta"] as { obj: { ps: object } };
            expect(Object.keys((shape(ours) as typeof delta).obj.ps).sort()).toEqual(Object.keys(delta.obj.ps).sort());
        },
    );

    it("keeps the rules of a string, whatever they are", async () => {
        const count = fc.nat({ max: 4 });
        const rules = { minLower: count, minUpper: count, minNumeric: count, minSpecial: count };
        await fc.assert(
            fc.asyncProperty(fc.record({ ...rules, extra: fc.nat({ max: 20 }) }), async ({ extra, ...minima }) => {
                const length = Object.values(minima).reduce((sum, value) => sum + value, 1 + extra);
                const { outputs } = await provider.create(contextFor(STRING, "it"), { ...minima, length });
                const text = outputs["result"] as string;
                const counted = (pattern: RegExp): number => text.match(pattern)?.length ?? 0;
                expect(text).toHaveLength(length);
                expect(counted(/[a-z]/g)).toBeGreaterThanOrEqual(minima.minLower);
                expect(counted(/[A-Z]/g)).toBeGreaterThanOrEqual(minima.minUpper);
                expect(counted(/[0-9]/g)).toBeGreaterThanOrEqual(minima.minNumeric);
                expect(counted(/[^a-zA-Z0-9]/g)).toBeGreaterThanOrEqual(minima.minSpecial);
            }),
        );
    });

    it("makes a password secret, with a hash that fits", async () => {
        const { id, outputs } = await provider.create(contextFor(PASSWORD, "it"), { length: 12 });
        const { result, bcryptHash } = revealedMap(outputs);
        expect(id).toBe("none");
        expect(outputs["result"]).toBeInstanceOf(Secret);
        expect(compareSync(result as string, bcryptHash as string)).toBe(true);
    });

    it("replaces for any change but that of keepers that came", async () => {
        const context = contextFor(PASSWORD, "it");
        const old = { id: "none", inputs: { length: 12 }, outputs: {} };
        await expect(provider.diff(context, old, { length: 13 })).resolves.toMatchObject({ replaceKeys: ["length"] });
        await expect(provider.diff(context, old, { length: 12, lower: true })).resolves.toMatchObject({
            changes: false,
        });
        await expect(provider.diff(context, old, { length: 12, keepers: { a: "b" } })).resolves.toMatchObject({
            changes: true,
            replaceKeys: [],
        });
    });

    it("refuses rules that no string can keep", async () => {
        const { failures } = await provider.check(contextFor(PASSWORD, "it"), undefined, { length: 3, minLower: 4 });
        expect(failures).toHaveLength(1);
    });

    it("warns that RandomBytes has its value as its id", async () => {
        const context = contextFor("random:index/randomBytes:RandomBytes", "it");
        const { id, outputs } = await provider.create(context, { length: 32 });
        expect(revealedMap(outputs)["base64"]).toBe(id);
        await provider.preview(context, undefined, { length: 32 });
        expect(context.lines).toEqual(Array(2).fill(expect.stringMatching(/^warning: a RandomBytes/)));
    });
});
