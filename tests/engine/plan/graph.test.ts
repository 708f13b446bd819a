import { deletionOrder, dependentsOf } from "../../../engine/plan/graph";
import { planDeletes } from "../../../engine/plan/delete";
import { type ResourceState, resourceState } from "../../../engine/state/resource";

const urn = (name: string): string => `urn:pulumi:s::p::t:index:T::${name}`;

function state(name: string, fields: Partial<ResourceState> = {}): ResourceState {
    return resourceState({ urn: urn(name), type: "t:index:T", ...fields });
}

const names = (states: readonly ResourceState[]): string[] => states.map((each) => each.urn.split("::").at(-1) ?? "");

describe("dependents", () => {
    it("are found through every kind of dependency, but not through being a child", () => {
        const root = state("root");
        const resources = [
            root,
            state("direct", { dependencies: [urn("root")] }),
            state("through", { propertyDependencies: { input: [urn("direct")] } }),
            state("with", { deletedWith: urn("root") }),
            state("provided", { provider: `${urn("root")}::id` }),
            state("child", { parent: urn("root") }),
            state("other"),
        ];
        expect(names(dependentsOf(resources, root))).toEqual(["direct", "through", "with", "provided"]);
        expect(names(dependentsOf(resources, root, (name) => name === urn("direct")))).toEqual(["with", "provided"]);
    });
});

describe("the order of deletion", () => {
    it("puts children before parents, and who depends on a component before all that is in it", () => {
        const component = state("component", { custom: false });
        const inner = state("inner", { parent: urn("component") });
        const user = state("user", { dependencies: [urn("component")] });
        const before = deletionOrder([component, inner, user], new Set([component, inner, user]));
        expect(names(before.get(component) ?? []).sort()).toEqual(["inner", "user"]);
        expect(names(before.get(inner) ?? [])).toEqual(["user"]);
        expect(before.get(user)).toEqual([]);
    });
});

describe("deletes", () => {
    it("are refused for the protected and for what others need, each by name", () => {
        const base = state("base", { protect: true });
        const user = state("user", { dependencies: [urn("base")] });
        const { refusals } = planDeletes(
            [base, user],
            (resource) => resource === user,
            () => true,
        );
        expect(refusals).toEqual([
            expect.stringContaining(`unable to delete resource "${urn("base")}"`),
            `"${urn("base")}" cannot be deleted, "${urn("user")}" needs it: name that with --target too`,
        ]);
    });

    it("only forget what was deleted already and never replaced", () => {
        const gone = state("gone", { pendingReplacement: true });
        const replaced = state("replaced", { delete: true });
        const { deletes } = planDeletes(
            [gone, replaced],
            () => false,
            () => true,
        );
        expect(deletes.map(({ step }) => step.op)).toEqual(["delete-replaced", "discard-replaced"]);
    });
});
