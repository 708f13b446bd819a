import fc from "fast-check";
import { Targets } from "../../../engine/run/targets";
import { resourceState } from "../../../engine/state/resource";
import { changes, errors, type Thing, TestStack, urnOf } from "../support/stack";

describe("an update", () => {
    it("creates, keeps, updates and deletes", async () => {
        const stack = new TestStack();
        expect(changes(await stack.up([{ name: "a" }, { name: "b", dependsOn: ["a"] }]))).toEqual([
            "create a",
            "create b",
        ]);
        expect(changes(await stack.up([{ name: "a" }, { name: "b", dependsOn: ["a"] }]))).toEqual([]);
        expect(changes(await stack.up([{ name: "a", value: "2" }]))).toEqual(["update a", "delete b"]);
        expect(stack.state.resources.map(({ urn }) => urn)).toContain(urnOf("a"));
    });

    it("creates a replacement first and deletes the replaced at the end, dependents updated between", async () => {
        const stack = new TestStack();
        await stack.up([{ name: "a" }, { name: "b", from: { value: "a" } }]);
        stack.provider.log.length = 0;
        await stack.up([
            { name: "a", identity: "2" },
            { name: "b", from: { value: "a" } },
        ]);
        expect(stack.provider.log.map(({ op, id }) => `${op} ${id}`)).toEqual([
            "create a-3",
            "update b-2",
            "delete a-1",
        ]);
    });

    it("deletes before it replaces, with the dependents that would be replaced too", async () => {
        const stack = new TestStack();
        const program = (identity: string): Thing[] => [
            { name: "a", identity, deleteBeforeReplace: true },
            { name: "goes", from: { identity: "a" } },
            { name: "stays", from: { value: "a" } },
        ];
        await stack.up(program("1"));
        stack.provider.log.length = 0;
        await stack.up(program("2"));
        const done = stack.provider.log.map(({ op, name }) => `${op} ${name}`);
        expect(done.slice(0, 3)).toEqual(["delete goes", "delete a", "create a"]);
        expect(done.slice(3).sort()).toEqual(["create goes", "update stays"]);
        expect(changes(await stack.up(program("2")))).toEqual([]);
    });

    it("goes on with what does not need the failed resource, and deletes nothing", async () => {
        const stack = new TestStack();
        await stack.up([{ name: "leaves" }]);
        stack.provider.failing.add("a");
        const events = await stack.up([{ name: "a" }, { name: "b", dependsOn: ["a"] }, { name: "c" }]);
        expect(changes(events)).toEqual(["create c"]);
        expect(errors(events)).toEqual(["create of a fails as planned"]);
        expect(stack.provider.things.size).toBe(2);
        stack.provider.failing.clear();
        expect(changes(await stack.up([{ name: "a" }, { name: "b", dependsOn: ["a"] }, { name: "c" }]))).toEqual([
            "create a",
            "create b",
            "delete leaves",
        ]);
    });

    it("keeps a replaced resource that could not be deleted, and deletes it in the next run", async () => {
        const stack = new TestStack();
        await stack.up([{ name: "a" }]);
        const first = stack.provider.log[0]?.id ?? "";
        const original = stack.provider.delete.bind(stack.provider);
        stack.provider.delete = async () => {
            throw new Error("not now");
        };
        expect(errors(await stack.up([{ name: "a", identity: "2" }]))).toEqual(["not now"]);
        expect(stack.state.resources.filter((resource) => resource.delete).map(({ id }) => id)).toEqual([first]);
        stack.provider.delete = original;
        expect(changes(await stack.up([{ name: "a", identity: "2" }]))).toEqual(["delete-replaced a"]);
        expect([...stack.provider.things.keys()]).toEqual(["a-2"]);
    });

    it("finds a resource under its alias and records it under its new name", async () => {
        const stack = new TestStack();
        await stack.up([{ name: "old" }, { name: "b", dependsOn: ["old"] }]);
        const alias = { name: "old", type: "", stack: "", project: "", parent: "", noParent: false };
        expect(
            changes(
                await stack.up([
                    { name: "new", aliases: [alias] },
                    { name: "b", dependsOn: ["new"] },
                ]),
            ),
        ).toEqual([]);
        expect(stack.state.resources.map(({ urn }) => urn)).toEqual(expect.arrayContaining([urnOf("new"), urnOf("b")]));
        expect(stack.state.resources.map(({ urn }) => urn)).not.toContain(urnOf("old"));
        expect(changes(await stack.up([{ name: "new" }, { name: "b", dependsOn: ["new"] }]))).toEqual([]);
    });

    it.each<[string, Thing[], Thing[], RegExp]>([
        ["delete", [{ name: "a", protect: true }], [], /unable to delete resource .*::a" as it is currently marked/],
        [
            "replace",
            [{ name: "a", protect: true }],
            [{ name: "a", protect: true, identity: "2" }],
            /unable to replace resource .*::a" as it is currently marked/,
        ],
    ])("refuses to %s what is protected", async (_verb, before, after, message) => {
        const stack = new TestStack();
        await stack.up(before);
        stack.provider.log.length = 0;
        expect(errors(await stack.up(after))).toEqual([expect.stringMatching(message)]);
        expect(stack.provider.log).toEqual([]);
    });

    it("leaves what `retainOnDelete` or a deleted `deletedWith` resource spares it from deleting", async () => {
        const stack = new TestStack();
        await stack.up([
            { name: "kept", retainOnDelete: true },
            { name: "host" },
            { name: "on-host", dependsOn: ["host"], deletedWith: urnOf("host") },
        ]);
        stack.provider.log.length = 0;
        await stack.destroy();
        expect(stack.state.resources).toEqual([]);
        // The guest is deleted before its host is, so its own delete must know that the host goes, too.
        expect(stack.provider.log.map(({ name }) => name)).toEqual(["host"]);
    });

    it("ignores changes, and replaces on changes, where the program says so", async () => {
        const stack = new TestStack();
        await stack.up([{ name: "a", value: "1" }]);
        expect(changes(await stack.up([{ name: "a", value: "2", ignoreChanges: ["value"] }]))).toEqual([]);
        expect(changes(await stack.up([{ name: "a", value: "3", replaceOnChanges: ["value"] }]))).toEqual([
            "create-replacement a",
            "replace a",
            "delete-replaced a",
        ]);
    });

    it("limits itself to targets", async () => {
        const stack = new TestStack();
        await stack.up([{ name: "a" }, { name: "b" }]);
        const changed: Thing[] = [{ name: "a", value: "2" }, { name: "b", value: "2" }, { name: "c" }];
        expect(changes(await stack.up(changed, { targets: new Targets([urnOf("b")]) }))).toEqual(["update b"]);
        expect(changes(await stack.up(changed)).sort()).toEqual(["create c", "update a"]);
        expect(errors(await stack.destroy({ targets: new Targets([urnOf("a")]) }))).toEqual([]);
        expect(stack.state.resources.map(({ urn }) => urn)).toEqual(expect.not.arrayContaining([urnOf("a")]));
    });

    it("refuses to delete a target that others need", async () => {
        const stack = new TestStack();
        await stack.up([{ name: "a" }, { name: "b", dependsOn: ["a"] }]);
        stack.provider.log.length = 0;
        expect(errors(await stack.destroy({ targets: new Targets([urnOf("a")]) }))).toEqual([
            `"${urnOf("a")}" cannot be deleted, "${urnOf("b")}" needs it: name that with --target too`,
        ]);
        expect(stack.provider.log).toEqual([]);
    });

    it("replaces what --replace names", async () => {
        const stack = new TestStack();
        await stack.up([{ name: "a" }]);
        expect(changes(await stack.up([{ name: "a" }], { replace: new Targets([urnOf("a")]) }))).toEqual([
            "create-replacement a",
            "replace a",
            "delete-replaced a",
        ]);
    });

    it("changes nothing in a preview and knows what it cannot know", async () => {
        const stack = new TestStack();
        const program: Thing[] = [{ name: "a" }, { name: "b", from: { identity: "a" } }];
        expect(changes(await stack.up(program, { dryRun: true, save: undefined }))).toEqual(["create a", "create b"]);
        expect(stack.provider.log).toEqual([]);
        expect(stack.saved).toEqual([]);
    });

    it("refuses two resources of one name", async () => {
        const stack = new TestStack();
        expect(errors(await stack.up([{ name: "a" }, { name: "a" }]))).toEqual([
            `Duplicate resource URN '${urnOf("a")}'; try giving it a unique name`,
        ]);
    });

    it("says what an operation is about before it begins, and forgets it when it is over", async () => {
        const stack = new TestStack();
        await stack.up([{ name: "a" }]);
        const pending = stack.saved.map(({ pendingOperations }) => pendingOperations.map(({ type }) => type));
        expect(pending).toContainEqual(["creating"]);
        expect(stack.state.pendingOperations).toEqual([]);
    });

    it("keeps a pending creation in the state until the resource is there", async () => {
        const stack = new TestStack();
        const resource = resourceState({ urn: urnOf("a"), type: "memory:index:Thing" });
        stack.state = { resources: [], pendingOperations: [{ resource, type: "creating" }] };
        await stack.up([{ name: "b" }]);
        expect(stack.state.pendingOperations).toHaveLength(1);
        await stack.up([{ name: "a" }, { name: "b" }]);
        expect(stack.state.pendingOperations).toEqual([]);
    });
});

describe("a refresh", () => {
    it("takes up what changed and drops what is gone", async () => {
        const stack = new TestStack();
        await stack.up([{ name: "a" }, { name: "b", dependsOn: ["a"] }]);
        stack.provider.things.delete("a-1");
        stack.provider.things.set("b-2", { identity: "", value: "drifted" });
        await stack.refresh();
        const [b] = stack.state.resources.filter(({ type }) => type === "memory:index:Thing");
        expect(b?.outputs["value"]).toBe("drifted");
        expect(b?.dependencies).toEqual([]);
        expect(changes(await stack.up([{ name: "a" }, { name: "b", dependsOn: ["a"] }]))).toEqual(["create a"]);
    });
});

/** Programs of up to eight resources, each of which may need any before it. */
const programs = fc
    .array(
        fc.record({
            present: fc.boolean(),
            identity: fc.constantFrom("1", "2"),
            value: fc.constantFrom("1", "2"),
            deleteBeforeReplace: fc.constantFrom(undefined, true),
            dependsOn: fc.array(fc.nat(7), { maxLength: 2 }),
            identityFrom: fc.option(fc.nat(7), { nil: undefined }),
        }),
        { minLength: 1, maxLength: 8 },
    )
    .map((specs): Thing[] =>
        specs.flatMap((spec, index) => {
            const usable = (other: number): boolean => other < index && specs[other]?.present === true;
            const from: Record<string, string> =
                spec.identityFrom !== undefined && usable(spec.identityFrom)
                    ? { identity: `r${spec.identityFrom}` }
                    : {};
            return spec.present
                ? [
                      {
                          name: `r${index}`,
                          identity: spec.identity,
                          value: spec.value,
                          deleteBeforeReplace: spec.deleteBeforeReplace,
                          dependsOn: spec.dependsOn.filter(usable).map((other) => `r${other}`),
                          from,
                      },
                  ]
                : [];
        }),
    );

const needsOf = (thing: Thing): string[] => [...(thing.dependsOn ?? []), ...Object.values(thing.from ?? {})];

describe("any sequence of programs", () => {
    it("is carried out in a valid order, leaves exactly what was asked for, and then has nothing to do", async () => {
        await fc.assert(
            fc.asyncProperty(fc.array(programs, { minLength: 1, maxLength: 4 }), async (sequence) => {
                const stack = new TestStack();
                let before: readonly Thing[] = [];
                for (const program of sequence) {
                    const existing = new Set(before.map(({ name }) => name));
                    const told = await stack.up(program);
                    expect(errors(told)).toEqual([]);
                    const events = changes(told).map((change) => {
                        const [op, name = ""] = change.split(" ");
                        return { op, name };
                    });
                    const goes = (thing: Thing, name: string): boolean =>
                        needsOf(thing).includes(name) && !program.some((other) => other.name === thing.name);
                    for (const { op, name } of events) {
                        const wanted = program.find((thing) => thing.name === name);
                        switch (op) {
                            case "create":
                            case "create-replacement":
                            case "update":
                                // What a resource needs is there before it is made or changed.
                                needsOf(wanted ?? { name }).forEach((need) => expect(existing).toContain(need));
                                existing.add(name);
                                break;
                            case "delete-replaced":
                                // One that only comes after another may stay, for a while, without it.
                                if (wanted === undefined) {
                                    existing.delete(name);
                                }
                                break;
                            case "delete":
                                existing.delete(name);
                                // Nothing is deleted before what still needs it.
                                expect(before.filter((thing) => existing.has(thing.name) && goes(thing, name))).toEqual(
                                    [],
                                );
                                break;
                            default:
                                break;
                        }
                    }
                    const left = [...stack.provider.things.keys()].map((id) => id.replace(/-\d+$/, "")).sort();
                    expect(left).toEqual(program.map(({ name }) => name).sort());
                    expect(changes(await stack.up(program))).toEqual([]);
                    before = program;
                }
                await stack.destroy();
                expect(stack.provider.things.size).toBe(0);
                expect(stack.state.resources).toEqual([]);
            }),
            { numRuns: 200 },
        );
    });

    it("converges after failures at random places", async () => {
        await fc.assert(
            fc.asyncProperty(
                programs,
                programs,
                fc.subarray(["r0", "r1", "r2", "r3", "r4"]),
                async (first, second, failing) => {
                    const stack = new TestStack();
                    await stack.up(first);
                    failing.forEach((name) => stack.provider.failing.add(name));
                    await stack.up(second);
                    stack.provider.failing.clear();
                    expect(errors(await stack.up(second))).toEqual([]);
                    const left = [...stack.provider.things.keys()].map((id) => id.replace(/-\d+$/, "")).sort();
                    expect(left).toEqual(second.map(({ name }) => name).sort());
                    expect(changes(await stack.up(second))).toEqual([]);
                },
            ),
            { numRuns: 200 },
        );
    });
});
