import { type DiffResult } from "../../../engine/providers/provider";
import { NO_CHANGES, planRegistration, type Registration, withReplaceOnChanges } from "../../../engine/plan/register";
import { resourceState, type ResourceState } from "../../../engine/state/resource";

const state = (fields: Partial<ResourceState> = {}): ResourceState =>
    resourceState({ urn: "urn:pulumi:s::p::t:index:T::a", type: "t:index:T", ...fields });
const changed: DiffResult = { ...NO_CHANGES, changes: true, changedKeys: ["value"], detailed: { value: "update" } };
const replacing: DiffResult = { ...changed, replaceKeys: ["value"] };

const cases: [string, Partial<Registration>, string[] | string][] = [
    ["a new resource", {}, ["create"]],
    ["a new one outside the targets", { targeted: false }, "skip"],
    ["an unchanged one", { old: state() }, ["same"]],
    ["a changed one", { old: state(), diff: changed }, ["update"]],
    ["a changed one outside the targets", { old: state(), diff: changed, targeted: false }, ["same"]],
    ["an unchanged one with init errors", { old: state({ initErrors: ["x"] }) }, ["update"]],
    ["one that needs a replacement", { old: state(), diff: replacing }, ["create-replacement", "replace"]],
    [
        "one that must go first",
        { old: state(), diff: replacing, deleteBeforeReplace: true },
        ["delete-replaced", "replace", "create-replacement"],
    ],
    [
        "one that its provider says must go first",
        { old: state(), diff: { ...replacing, deleteBeforeReplace: true } },
        ["delete-replaced", "replace", "create-replacement"],
    ],
    [
        "one that the user says need not go first",
        { old: state(), diff: { ...replacing, deleteBeforeReplace: true }, deleteBeforeReplace: false },
        ["create-replacement", "replace"],
    ],
    [
        "one that takes a dependent with it",
        {
            old: state(),
            diff: replacing,
            deleteBeforeReplace: true,
            dependents: [{ resource: state({ id: "dependent" }), keys: [] }],
        },
        ["delete-replaced", "delete-replaced", "replace", "create-replacement"],
    ],
    [
        "one that was deleted already, by this run or one that was cut off",
        { old: state({ pendingReplacement: true }), deleteBeforeReplace: true },
        ["replace", "create-replacement"],
    ],
    [
        "a protected one that needs a replacement",
        { old: state({ protect: true }), next: state({ protect: true }), diff: replacing },
        "refused",
    ],
    [
        "one unprotected in the same run",
        { old: state({ protect: true }), diff: replacing },
        ["create-replacement", "replace"],
    ],
    [
        "one whose dependent is protected",
        {
            old: state(),
            diff: replacing,
            deleteBeforeReplace: true,
            dependents: [{ resource: state({ protect: true }), keys: [] }],
        },
        "refused",
    ],
];

it.each(cases)("%s", (_name, given, expected) => {
    const decision = planRegistration({
        next: state(),
        diff: NO_CHANGES,
        targeted: true,
        dependents: [],
        ...given,
    });
    expect(decision.kind === "steps" ? decision.steps.map(({ op }) => op) : decision.kind).toEqual(expected);
});

describe("replaceOnChanges", () => {
    const diff: DiffResult = { ...changed, changedKeys: ["triggers"], detailed: { "triggers[0]": "update" } };

    it.each<[string[], string[], string]>([
        [["triggers[*]"], ["triggers"], "update-replace"],
        [["triggers"], ["triggers"], "update-replace"],
        [["*"], ["triggers"], "update-replace"],
        [["other"], [], "update"],
        [[], [], "update"],
    ])("%j replaces for %j", (paths, keys, kind) => {
        const result = withReplaceOnChanges(diff, paths, false);
        expect(result.replaceKeys).toEqual(keys);
        expect(result.detailed).toEqual({ "triggers[0]": kind });
    });

    it("can name the init errors", () => {
        expect(withReplaceOnChanges(NO_CHANGES, ["__initErrors"], true)).toMatchObject({
            changes: true,
            replaceKeys: ["__initErrors"],
        });
    });
});
