import fc from "fast-check";
import {
    applyIgnoreChanges,
    changedKeys,
    detailedFrom,
    diffProperties,
    diffValues,
    matchesAny,
} from "../../../engine/values/diff";
import { pathContains, parsePath } from "../../../engine/values/path";
import { Asset, type PropertyMap, Secret, UNKNOWN, type Value } from "../../../engine/values/value";

describe("the differences between two property maps", () => {
    test.each<[string, PropertyMap, PropertyMap, Record<string, string>]>([
        ["nothing", {}, {}, {}],
        ["equal values", { a: [1, { b: "x" }] }, { a: [1, { b: "x" }] }, {}],
        ["an added property", {}, { a: 1 }, { a: "add" }],
        ["a removed property", { a: 1 }, {}, { a: "delete" }],
        ["a changed property", { a: 1 }, { a: 2 }, { a: "update" }],
        ["null, which counts as absent", { a: null }, {}, {}],
        ["null that becomes a value", { a: null }, { a: 1 }, { a: "add" }],
        ["a value that becomes null", { a: 1 }, { a: null }, { a: "delete" }],
        [
            "a nested object",
            { c: { host: "a", port: 22 } },
            { c: { host: "b", port: 22, user: "root" } },
            { "c.host": "update", "c.user": "add" },
        ],
        ["arrays, by index", { t: [1, 2, 3] }, { t: [1, 9] }, { "t[1]": "update", "t[2]": "delete" }],
        ["null within an array, which has its place", { t: [] }, { t: [null] }, { "t[0]": "add" }],
        ["a name that needs quoting", { a: { "b.c": 1 } }, { a: { "b.c": 2 } }, { 'a["b.c"]': "update" }],
        ["another shape", { a: [1] }, { a: { "0": 1 } }, { a: "update" }],
        ["a value that only became secret", { a: "x" }, { a: new Secret("x") }, {}],
        ["a changed secret", { a: new Secret({ b: 1 }) }, { a: new Secret({ b: 2 }) }, { a: "update" }],
        ["a secret beneath an array", { a: [new Secret(1), 2] }, { a: [new Secret(3), 2] }, { "a[0]": "update" }],
        ["a value not yet known", { a: 1 }, { a: UNKNOWN }, { a: "update" }],
        [
            "an asset of other content",
            { a: new Asset({ path: "f" }, "1") },
            { a: new Asset({ path: "f" }, "2") },
            { a: "update" },
        ],
        [
            "an asset of the same content",
            { a: new Asset({ path: "f" }, "1") },
            { a: new Asset({ path: "g" }, "1") },
            {},
        ],
    ])("%s", (_, old, changed, expected) => {
        expect(detailedFrom(diffProperties(old, changed))).toEqual(expected);
    });

    test("are marked as needing a replacement where asked", () => {
        const diff = diffProperties({ triggers: [1], stdin: "a" }, { triggers: [2], stdin: "b" });
        expect(detailedFrom(diff, (path) => matchesAny(["triggers[*]"], path))).toEqual({
            stdin: "update",
            "triggers[0]": "update-replace",
        });
        expect(changedKeys(diff)).toEqual(["stdin", "triggers"]);
    });

    test("can leave out what is not to be compared", () => {
        expect(
            diffProperties({ __provider: "a" }, { __provider: "b" }, ([key]) => key === "__provider"),
        ).toBeUndefined();
    });

    test("keep old and new of every update", () => {
        expect(diffValues("a", "b")).toEqual({ old: "a", new: "b" });
        expect(diffValues("a", "a")).toBeUndefined();
    });

    const values = fc.letrec<{ value: Value }>((tie) => ({
        value: fc.oneof(
            { depthSize: "small" },
            fc.constantFrom<Value>(null, true, 0, "", UNKNOWN),
            fc.string(),
            fc.array(tie("value"), { maxLength: 3 }),
            fc.dictionary(fc.string(), tie("value"), { maxKeys: 3, noNullPrototype: true }),
            tie("value").map((value) => new Secret(value)),
        ),
    })).value;
    const maps = fc.dictionary(fc.string(), values, { maxKeys: 4, noNullPrototype: true });

    test("are none between a map and itself, and the same in both directions", () => {
        fc.assert(
            fc.property(maps, maps, (left, right) => {
                expect(diffProperties(left, left)).toBeUndefined();
                const there = Object.entries(detailedFrom(diffProperties(left, right)));
                const opposite = { add: "delete", delete: "add", update: "update" } as Record<string, string>;
                expect(detailedFrom(diffProperties(right, left))).toEqual(
                    Object.fromEntries(there.map(([path, kind]) => [path, opposite[kind]])),
                );
            }),
        );
    });

    test("are none after every changed property was ignored", () => {
        fc.assert(
            fc.property(maps, maps, (old, changed) => {
                const keys = changedKeys(diffProperties(old, changed)).filter((key) => /^[a-z]+$/.test(key));
                const { inputs } = applyIgnoreChanges(changed, old, keys);
                expect(changedKeys(diffProperties(old, inputs)).filter((key) => keys.includes(key))).toEqual([]);
            }),
        );
    });
});

describe("ignored changes", () => {
    test.each<[string, PropertyMap, PropertyMap, string[], PropertyMap, string[]]>([
        ["take the old value", { a: 2, b: 2 }, { a: 1, b: 1 }, ["a"], { a: 1, b: 2 }, []],
        ["bring back what was removed", {}, { a: 1 }, ["a"], { a: 1 }, []],
        ["remove what is new", { a: 1 }, {}, ["a"], {}, []],
        ["reach into objects", { c: { h: "b", p: 2 } }, { c: { h: "a", p: 1 } }, ["c.h"], { c: { h: "a", p: 2 } }, []],
        ["reach into arrays", { t: [3, 4] }, { t: [1, 2] }, ["t[1]"], { t: [3, 2] }, []],
        ["cover every element", { t: [3, 4] }, { t: [1, 2] }, ["t[*]"], { t: [1, 2] }, []],
        ["cover every property", { c: { x: 1 } }, { c: { y: 2 } }, ["c.*"], { c: { y: 2 } }, []],
        [
            "reach through every element",
            { l: [{ a: 2, b: 2 }] },
            { l: [{ a: 1, b: 1 }] },
            ["l[*].a"],
            { l: [{ a: 1, b: 2 }] },
            [],
        ],
        ["refuse an element that only one has", { t: [1] }, { t: [1, 2] }, ["t[1]"], { t: [1] }, ["t[1]"]],
        ["refuse arrays of other length", { t: [9] }, { t: [1, 2] }, ["t[*]"], { t: [1] }, ["t[*]"]],
        ["refuse a way that ends early", {}, { c: { h: 1 } }, ["c.h"], {}, ["c.h"]],
        ["allow a way that neither has", { a: 1 }, { a: 1 }, ["c.h"], { a: 1 }, []],
        ["pass over what is no path", { a: 2 }, { a: 1 }, ["[x"], { a: 2 }, []],
        [
            "keep secret what was",
            { c: { h: 2 } },
            { c: new Secret({ h: 1 }) },
            ["c.h"],
            { c: { h: new Secret(1) } },
            [],
        ],
        [
            "do not wrap twice",
            { c: new Secret({ h: 2 }) },
            { c: new Secret({ h: 1 }) },
            ["c.h"],
            { c: new Secret({ h: 1 }) },
            [],
        ],
    ])("%s", (_, news, olds, paths, inputs, invalid) => {
        const before = JSON.stringify([news, olds]);
        expect(applyIgnoreChanges(news, olds, paths)).toEqual({ inputs, invalid });
        expect(JSON.stringify([news, olds])).toBe(before);
    });
});

test("patterns match what they cover and what is inside it", () => {
    expect(matchesAny(["triggers[*]"], ["triggers", 0])).toBe(true);
    expect(matchesAny(["triggers[*]"], ["triggers"])).toBe(false);
    expect(matchesAny(["connection"], ["connection", "host"])).toBe(true);
    expect(matchesAny(["connection.host"], ["connection", "port"])).toBe(false);
    expect(matchesAny(["*"], ["anything", 3])).toBe(true);
    expect(matchesAny(["["], ["a"])).toBe(false);
    expect(pathContains(parsePath("a[1]") ?? [], ["a", 1, "b"])).toBe(true);
});
