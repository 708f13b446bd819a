import { Archive, Asset, type PropertyMap, ResourceReference, Secret, UNKNOWN } from "../../../engine/values/value";
import { colours } from "../../../engine/display/colour";
import { renderDiff } from "../../../engine/display/diff";
import { begin, done, end, live, message, resource, shown, stackResource, start, step } from "./events";

const STYLE = { colours: colours(false), showSecrets: false };

/** The property lines of an update from one map to the other. */
function update(old: PropertyMap, changed: PropertyMap, showSecrets = false): string {
    const of = step("update", resource({ inputs: old }), resource({ inputs: changed }));
    return `\n${renderDiff([begin(of)], { ...STYLE, showSecrets })
        .split("\n")
        .slice(3)
        .join("\n")}\n`;
}

test("a text of several lines is shown whole where something else stood before, or comes", () => {
    const old = { becomes: UNKNOWN, was: "one\ntwo" };
    expect(update(old, { becomes: "three\nfour\n", was: UNKNOWN })).toMatchInlineSnapshot(`
        "
          ~ becomes: [unknown] => |
                three
                four
          ~ was    : |- => [unknown]
                one
                two
        "
    `);
});

describe("a diff", () => {
    test("shows every step with its resource, children beneath their parents", () => {
        const stack = stackResource();
        const part = resource({
            urn: "urn:pulumi:dev::shop::shop:index:Part::part",
            type: "shop:index:Part",
            custom: false,
            provider: "",
        });
        const inner = {
            urn: "urn:pulumi:dev::shop::shop:index:Part$command:remote:Command::inner",
            parent: part.urn,
        };
        const replaced = { detailed: { "triggers[0]": "update-replace" }, replaceKeys: ["triggers"] } as const;
        const old = resource({ ...inner, id: "inner1", inputs: { triggers: ["a"], create: "x" } });
        const changed = resource({ ...inner, inputs: { triggers: ["b"], create: "x" } });
        const removed = resource({
            urn: "urn:pulumi:dev::shop::command:local:Command::gone",
            id: "gone1",
            protect: true,
        });
        const steps = [
            step("same", stack, stack),
            step("create", undefined, part),
            step("create-replacement", old, changed, replaced),
            step("replace", old, changed, replaced),
            step("same", resource(), resource()),
            step("delete", removed),
            step("delete-replaced", old),
        ];
        expect(
            shown(
                [
                    start({ dryRun: true }),
                    ...steps.map(begin),
                    end({ counts: { same: 2, replace: 1, create: 1, delete: 1 } }),
                ],

                {
                    kind: "diff",
                },
            ),
        ).toMatchInlineSnapshot(`
            "Previewing update (dev):
              pulumi:pulumi:Stack: (same)
                [urn=urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev]
                + shop:index:Part: (create)
                    [urn=urn:pulumi:dev::shop::shop:index:Part::part]
                    +-command:remote:Command: (replace)
                        [id=inner1]
                        [urn=urn:pulumi:dev::shop::shop:index:Part$command:remote:Command::inner]
                        [provider=urn:pulumi:dev::shop::pulumi:providers:command::default_1_2_1::7f3a]
                        [replaced because of: triggers[0]]
                      ~ triggers: [
                          ~ [0]: "a" => "b"
                        ]
                - command:remote:Command: (delete) 🔒
                    [id=gone1]
                    [urn=urn:pulumi:dev::shop::command:local:Command::gone]
                    [provider=urn:pulumi:dev::shop::pulumi:providers:command::default_1_2_1::7f3a]

            Resources:
                + 1 to create
                - 1 to delete
                +-1 to replace
                3 changes. 2 unchanged

            "
        `);
    });

    test("shows what an update brought forth, its messages, and the stack's outputs", () => {
        const of = step("create", undefined, resource({ inputs: { create: "date" } }));
        const result = resource({ id: "web1", inputs: { create: "date" }, outputs: { create: "date", stdout: "Mon" } });
        const drifted = resource({ inputs: { create: "date" }, outputs: { create: "date", stdout: "Tue" } });
        expect(
            shown(
                [
                    start(),
                    begin(step("create", undefined, stackResource())),
                    begin(of),
                    live(of.urn, "Mon"),
                    done({ ...of, new: result }),
                    begin(step("refresh", result, result)),
                    done(step("refresh", result, drifted)),
                    message(of.urn, "warning", "all is well"),
                    end({ counts: { create: 2 }, outputs: { at: "Mon" } }),
                ],

                { kind: "diff" },
            ),
        ).toMatchInlineSnapshot(`
            "Updating (dev):
            + pulumi:pulumi:Stack: (create)
                [urn=urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev]
                + command:remote:Command: (create)
                    [urn=urn:pulumi:dev::shop::command:remote:Command::web]
                    [provider=urn:pulumi:dev::shop::pulumi:providers:command::default_1_2_1::7f3a]
                    create: "date"
             +  command:remote:Command web creating (0s) Mon
                    --outputs:--
                    stdout: "Mon"
                ~ command:remote:Command: (update)
                    [id=web1]
                    [urn=urn:pulumi:dev::shop::command:remote:Command::web]
                    [provider=urn:pulumi:dev::shop::pulumi:providers:command::default_1_2_1::7f3a]
                  ~ stdout: "Mon" => "Tue"
                command:remote:Command web warning: all is well
                --outputs:--
                    at: "Mon"

            Diagnostics:
              command:remote:Command (web):
                warning: all is well

            Resources:
                + 2 created

            Duration: 3s

            "
        `);
    });

    test("shows a changed script line by line, with a little around it", () => {
        const script = Array.from({ length: 12 }, (_, index) => `line ${index + 1}`);
        const edited = [...script.slice(0, 6), "inserted", ...script.slice(6, 10), "line eleven", "line 12"];
        expect(update({ create: script.join("\n") }, { create: edited.join("\n") })).toMatchInlineSnapshot(`
            "
              ~ create:
                    ...
                    line 5
                    line 6
                  + inserted
                    line 7
                    line 8
                    line 9
                    line 10
                  - line 11
                  + line eleven
                    line 12
            "
        `);
    });

    test("shows values of every kind", () => {
        expect(
            update(
                {
                    number: 1,
                    gone: ["a", { b: [] }],
                    nested: { host: "a", port: 22, same: true },
                    list: ["a", "b", "c"],
                    kind: "text",
                    password: new Secret("old"),
                    opened: "now secret",
                    file: new Asset({ path: "a.txt" }, "0123456789"),
                    json: '{"a": [1, 2], "b": 1}',
                    __internal: 1,
                },
                {
                    number: 2,
                    nested: { host: "b", port: 22, same: true, user: UNKNOWN },
                    list: ["a", "x"],
                    kind: { of: "object" },
                    password: new Secret("new"),
                    opened: new Secret("now secret!"),
                    file: new Asset({ path: "b.txt" }, "abcdefghij"),
                    json: '{"a": [1, 3], "b": 1}',
                    script: "set -e\necho hello\n",
                    empty: {},
                    none: [],
                    reference: new ResourceReference("urn:pulumi:dev::shop::a:b:C::d", "id-1"),
                    tree: new Archive({ assets: { "a.txt": new Asset({ text: "hi" }, "1") } }, "2"),
                    remote: new Archive({ uri: "https://example.org/a.zip" }),
                    config: '["x"]',
                    __internal: 2,
                },
            ),
        ).toMatchInlineSnapshot(`
            "
              + config   : (json) [
              +     [0]: "x"
                ]
              + empty    : {}
              ~ file     : asset(file:0123456->abcdefg) { a.txt->b.txt }
              - gone     : [
              -     [0]: "a"
              -     [1]: {
                      - b: []
                    }
                ]
              ~ json     : (json) {
                  ~ a: [
                      ~ [1]: 2 => 3
                    ]
                }
              - kind     : "text"
              + kind     : {
                  + of: "object"
                }
              ~ list     : [
                  ~ [1]: "b" => "x"
                  - [2]: "c"
                ]
              ~ nested   : {
                  ~ host: "a" => "b"
                  + user: [unknown]
                }
              + none     : []
              ~ number   : 1 => 2
              ~ opened   : [secret] => [secret]
              ~ password : [secret] => [secret]
              + reference: {
                  + ID : "id-1"
                  + URN: "urn:pulumi:dev::shop::a:b:C::d"
                }
              + remote   : archive(uri:) { https://example.org/a.zip }
              + script   : |
                    set -e
                    echo hello
              + tree     : archive(assets:2) {
              +     "a.txt": asset(text:1) {
                        hi
                    }
                }
            "
        `);
    });

    test("shows secrets when told so, as deep as they go", () => {
        const old = { connection: new Secret({ host: "a", password: "x" }) };
        expect(update(old, { connection: new Secret({ host: "b", password: "x" }) }, true)).toBe(
            '\n  ~ connection: {\n      ~ host: "a" => "b"\n    }\n',
        );
    });

    test("shows only what the provider says matters, and names what is hidden", () => {
        const old = resource({ inputs: { create: "a", connection: "b", noise: 1 }, outputs: { seen: 1 } });
        const changed = resource({ inputs: { create: "c", connection: "d", noise: 2, seen: 2 }, hideDiff: ["noise"] });
        const of = step("update", old, changed, { detailed: { create: "update", seen: "update" } });
        expect(
            renderDiff([begin(of)], STYLE)
                .split("\n")
                .slice(3),
        ).toEqual(["  ~ noise (hidden)", '  ~ create: "a" => "c"', "  + seen  : 2"]);
    });

    test("shows a changed provider and protection", () => {
        const of = step(
            "update",
            resource({ provider: "urn:a::1", protect: true }),
            resource({ provider: "urn:b::2" }),
        );
        const [head, , provider] = renderDiff([begin(of)], STYLE).split("\n");
        expect(head).toBe("~ command:remote:Command: (update) 🔓");
        expect(provider).toBe("    [provider: urn:a::1 => urn:b::2]");
    });
});
