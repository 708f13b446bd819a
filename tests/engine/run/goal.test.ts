import { formerUrns, inherited, type Goal } from "../../../engine/run/goal";
import { Targets } from "../../../engine/run/targets";
import { isDefaultProvider, makeUrn, parseReference, parseUrn } from "../../../engine/urn";
import { goalOf } from "../support/stack";

const goal = (fields: Partial<Goal>): Goal => ({ ...goalOf({ name: "vm-disk" }, () => ({})), ...fields });
const none = (): undefined => undefined;
const alias = { name: "", type: "", stack: "", project: "", parent: "", noParent: false };

describe("a resource's former names", () => {
    const stack = makeUrn("s", "p", "", "pulumi:pulumi:Stack", "p-s");
    const parent = makeUrn("s", "p", stack, "ha:index:Guest", "vm");

    it.each<[string, Partial<Goal>, string[]]>([
        ["a whole URN", { aliases: [{ urn: "urn:pulumi:s::p::a:b:C::d" }] }, ["urn:pulumi:s::p::a:b:C::d"]],
        ["another name", { aliases: [{ ...alias, name: "old" }] }, ["urn:pulumi:s::p::memory:index:Thing::old"]],
        ["another type", { aliases: [{ ...alias, type: "a:b:C" }] }, ["urn:pulumi:s::p::a:b:C::vm-disk"]],
        [
            "no parent",
            { parent, aliases: [{ ...alias, noParent: true }] },
            ["urn:pulumi:s::p::memory:index:Thing::vm-disk"],
        ],
        [
            "another parent",
            { aliases: [{ ...alias, parent }] },
            ["urn:pulumi:s::p::ha:index:Guest$memory:index:Thing::vm-disk"],
        ],
    ])("%s", (_name, fields, urns) => expect(formerUrns(goal(fields), "s", "p", none)).toEqual(urns));

    it("follow the parent's former name", () => {
        const former = makeUrn("s", "p", "", "ha:index:Guest", "old");
        expect(formerUrns(goal({ parent }), "s", "p", (urn) => (urn === parent ? former : undefined))).toEqual([
            "urn:pulumi:s::p::ha:index:Guest$memory:index:Thing::old-disk",
        ]);
    });
});

it("inherits from its parent what it does not say itself", () => {
    const parent = goal({ protect: true, deletedWith: "host" });
    expect(inherited(goal({}), parent)).toMatchObject({ protect: true, deletedWith: "host" });
    expect(inherited(goal({ protect: false, deletedWith: "other" }), parent)).toMatchObject({
        protect: false,
        deletedWith: "other",
    });
});

it("takes names apart", () => {
    expect(parseUrn("urn:pulumi:s::p::a:b:C$d:e:F::n::m")).toEqual({
        stack: "s",
        project: "p",
        qualifiedType: "a:b:C$d:e:F",
        type: "d:e:F",
        name: "n::m",
    });
    expect(() => parseUrn("something")).toThrow("not a resource name: something");
    expect(parseReference("urn:pulumi:s::p::a:b:C::n::id")).toEqual({ urn: "urn:pulumi:s::p::a:b:C::n", id: "id" });
    expect(isDefaultProvider("urn:pulumi:s::p::pulumi:providers:command::default_1_2_1")).toBe(true);
    expect(isDefaultProvider("urn:pulumi:s::p::pulumi:providers:command::mine")).toBe(false);
});

it.each([
    ["urn:pulumi:s::p::a:b:C::n", true],
    ["urn:pulumi:s::p::a:b:C::*", true],
    ["**C::n", true],
    ["urn:*::n", false],
    ["urn:pulumi:s::p::a:b:C::m", false],
])("the target %s", (pattern, expected) => {
    expect(new Targets([pattern]).includes("urn:pulumi:s::p::a:b:C::n")).toBe(expected);
});
