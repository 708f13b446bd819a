import fc from "fast-check";
import { deleteAt, getAt, parsePath, type Path, printPath, setAt } from "../../../engine/values/path";
import { Secret, type Value } from "../../../engine/values/value";

describe("property paths", () => {
    test.each<[string, Path | undefined]>([
        ["root", ["root"]],
        ["root.nested", ["root", "nested"]],
        ['root["nested"]', ["root", "nested"]],
        ["root.array[0]", ["root", "array", 0]],
        ["root.array[0][1].nested", ["root", "array", 0, 1, "nested"]],
        ['root["key with \\"escaped\\" quotes"]', ["root", 'key with "escaped" quotes']],
        ['["root key with a ."][100]', ["root key with a .", 100]],
        ["root.array[*].field", ["root", "array", "*", "field"]],
        ['root.array["*"].field', ["root", "array", "*", "field"]],
        ["root.[0]", ["root", 0]],
        ["foo-bar", ["foo-bar"]],
        ["", []],
        [".root", undefined],
        ["root.", undefined],
        ["root[", undefined],
        ["root[a]", undefined],
        ["root[-1]", undefined],
        ['root["a', undefined],
        ['root["a"', undefined],
    ])("%s", (text, path) => {
        expect(parsePath(text)).toEqual(path);
    });

    test("are printed so that they are read back", () => {
        const names = fc.string().filter((name) => name !== "" && !name.includes("\\"));
        fc.assert(
            fc.property(fc.array(fc.oneof(names, fc.nat(99))), (path) => {
                expect(parsePath(printPath(path))).toEqual(path);
            }),
        );
    });

    test("print names that need it in quotes", () => {
        expect(printPath(["a", "b.c", 1, "d_2", "$e"])).toBe('a["b.c"][1].d_2["$e"]');
    });

    test("lead to values, through secrets", () => {
        const value: Value = { a: [1, new Secret({ b: "x" })] };
        expect(getAt(value, ["a", 0])).toBe(1);
        expect(getAt(value, ["a", 1, "b"])).toBe("x");
        expect(getAt(value, ["a", "0"])).toBeUndefined();
        expect(getAt(value, ["toString"])).toBeUndefined();
        expect(getAt(value, [])).toBe(value);
    });

    test("set values, creating what is missing and changing nothing in place", () => {
        const value: Value = { a: { b: 1 } };
        expect(setAt(value, ["a", "c", 1], "x")).toEqual({ a: { b: 1, c: [null, "x"] } });
        expect(setAt({ a: new Secret({ b: 1 }) }, ["a", "b"], 2)).toEqual({ a: new Secret({ b: 2 }) });
        expect(setAt(value, ["a", 0], "x")).toBeUndefined();
        expect(setAt(value, ["a", "b", "c"], "x")).toBeUndefined();
        expect(value).toEqual({ a: { b: 1 } });
    });

    test("delete properties, and empty the place of elements", () => {
        expect(deleteAt({ a: { b: 1, c: 2 } }, ["a", "b"])).toEqual({ a: { c: 2 } });
        expect(deleteAt({ a: new Secret({ b: 1 }) }, ["a", "b"])).toEqual({ a: new Secret({}) });
        expect(deleteAt({ a: [1, 2] }, ["a", 0])).toEqual({ a: [null, 2] });
        expect(deleteAt({ a: 1 }, ["x", "y"])).toEqual({ a: 1 });
    });
});
