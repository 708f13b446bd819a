import { createDisplay } from "../../../engine/display/display";
import { type DeploymentEvent } from "../../../engine/run/events";
import { Secret, UNKNOWN } from "../../../engine/values/value";
import { begin, done, end, live, message, resource, shown, stackResource, start, step } from "./events";

const OLD = resource({ id: "web1", inputs: { create: "a", stdin: "x" } });
const NEW = resource({ inputs: { create: "b", stdin: "x", triggers: [1] } });
const CREATE = step("create", undefined, NEW);
const UPDATE = step("update", OLD, NEW, { detailed: { create: "update", triggers: "add" } });

describe("progress", () => {
    test("tells an update as it happens, then what came of it", () => {
        const stack = step("create", undefined, stackResource());
        const random = resource({
            urn: "urn:pulumi:dev::shop::shop:index:Part$random:index/randomUuid:RandomUuid::id",
            type: "random:index/randomUuid:RandomUuid",
        });
        expect(
            shown([
                start(),
                begin(stack),
                begin(CREATE),
                live(CREATE.urn, "apt-get update\nReading package lists...\n"),
                message(CREATE.urn, "warning", "slow mirror"),
                done(CREATE),
                begin(step("create", undefined, random)),
                done(step("create", undefined, random), 0.021),
                { kind: "program-output", text: "hello from the program\n", stream: "stdout" },
                message("", "debug", "private key: hunter22"),
                done(stack),
                end({ counts: { create: 3 }, outputs: { url: "http://x", token: new Secret("hunter22") } }),
            ]),
        ).toMatchInlineSnapshot(`
            "Updating (dev):
             +  pulumi:pulumi:Stack shop-dev creating (0s)
             +  command:remote:Command web creating (0s)
             +  command:remote:Command web creating (0s) apt-get update
             +  command:remote:Command web creating (0s) Reading package lists...
             +  command:remote:Command web creating (0s) warning: slow mirror
             +  command:remote:Command web created (0.20s)
             +  random:index:RandomUuid id creating (0s)
             +  random:index:RandomUuid id created (0.02s)
                pulumi:pulumi:Stack shop-dev hello from the program
             +  pulumi:pulumi:Stack shop-dev created (0.20s)

            Diagnostics:
              command:remote:Command (web):
                warning: slow mirror

              pulumi:pulumi:Stack (shop-dev):
                hello from the program

            Outputs:
                token: [secret]
                url  : "http://x"

            Resources:
                + 3 created

            Duration: 3s

            "
        `);
    });

    test("tells changes, replacements and deletions with their properties", () => {
        const replace = { detailed: { "triggers[0]": "update-replace" }, replaceKeys: ["triggers"] } as const;
        const old = resource({ id: "web1", inputs: { triggers: [1] } });
        const changed = resource({ inputs: { triggers: [2] } });
        const [first, note, last] = [
            step("create-replacement", old, changed, replace),
            step("replace", old, changed, replace),
            step("delete-replaced", old),
        ] as const;
        const gone = step("delete", resource({ urn: "urn:pulumi:dev::shop::command:local:Command::gone" }));
        expect(
            shown([
                start(),
                begin(step("same", stackResource(), stackResource())),
                done(step("same", stackResource(), stackResource())),
                begin(UPDATE),
                done(UPDATE),
                ...[first, note, last, gone].flatMap((each) => [begin(each), done(each)]),
                end({
                    counts: { same: 1, update: 1, replace: 1, delete: 1, "create-replacement": 1 },
                    oldOutputs: { a: "1", b: "2", s: new Secret("x") },
                    outputs: { a: "1", c: "3", s: new Secret("y") },
                    seconds: 3725.2,
                }),
            ]),
        ).toMatchInlineSnapshot(`
            "Updating (dev):
             ~  command:remote:Command web updating (0s) [diff: +triggers~create]
             ~  command:remote:Command web updated (0.20s) [diff: +triggers~create]
             ++ command:remote:Command web creating replacement (0s) [diff: ~triggers]
             ++ command:remote:Command web created replacement (0.20s) [diff: ~triggers]
             +- command:remote:Command web replacing (0s) [diff: ~triggers]
             +- command:remote:Command web replaced (0.20s) [diff: ~triggers]
             -- command:remote:Command web deleting original (0s)
             -- command:remote:Command web deleted original (0.20s)
             -  command:local:Command gone deleting (0s)
             -  command:local:Command gone deleted (0.20s)

            Outputs:
                a: "1"
              - b: "2"
              + c: "3"
              ~ s: [secret] => [secret]

            Resources:
                ~ 1 updated
                - 1 deleted
                +-1 replaced
                3 changes. 1 unchanged

            Duration: 1h2m6s

            "
        `);
    });

    test("tells a failure where it happens and once more at the end", () => {
        const text = 'Process exited with status 7: running "exit 7":\nbefore the fault\nthe reason\n';
        expect(
            shown([
                start(),
                begin(CREATE),
                live(CREATE.urn, "before the fault"),
                { kind: "step-failed", step: CREATE, seconds: 1, message: text },
                message(CREATE.urn, "error", text),
                message("", "error", "update failed"),
                end({ counts: { same: 7 }, errored: 1, oldOutputs: { id: "1" }, result: "failed" }),
            ]),
        ).toMatchInlineSnapshot(`
            "Updating (dev):
             +  command:remote:Command web creating (0s)
             +  command:remote:Command web creating (0s) before the fault
             +  command:remote:Command web **creating failed** error: Process exited with status 7: running "exit 7":
                pulumi:pulumi:Stack shop-dev error: update failed

            Diagnostics:
              command:remote:Command (web):
                error: Process exited with status 7: running "exit 7":
                before the fault
                the reason

              pulumi:pulumi:Stack (shop-dev):
                error: update failed

            Outputs:
              - id: "1"

            Resources:
                7 unchanged
                2 errored

            Duration: 3s

            "
        `);
    });

    test("tells in a preview what would be done, once for each resource", () => {
        const old = resource({ id: "web1", inputs: { triggers: [1] } });
        const changed = resource({ inputs: { triggers: [UNKNOWN] } });
        const steps = ["create-replacement", "replace", "delete-replaced"] as const;
        expect(
            shown([
                start({ dryRun: true }),
                ...steps
                    .map((op) => step(op, old, op === "delete-replaced" ? undefined : changed))
                    .flatMap((each) => [begin(each), done(each)]),
                begin(step("delete-replaced", resource({ delete: true }))),
                message(old.urn, "warning", "will be slow"),
                end({
                    counts: { replace: 1, same: 2 },
                    oldOutputs: { id: "1", gone: true },
                    outputs: { id: UNKNOWN, fresh: UNKNOWN },
                }),
            ]),
        ).toMatchInlineSnapshot(`
            "Previewing update (dev):
             +- command:remote:Command web replace [diff: ~triggers]
             -- command:remote:Command web delete original
                command:remote:Command web warning: will be slow

            Diagnostics:
              command:remote:Command (web):
                warning: will be slow

            Outputs:
              + fresh: [unknown]
              - gone : true

            Resources:
                +-1 to replace
                2 unchanged

            "
        `);
    });

    test("tells only what a refresh found changed", () => {
        const was = resource({ id: "f", outputs: { seen: 1 } });
        const events = (found: DeploymentEvent): DeploymentEvent[] => [
            start({ operation: "refresh" }),
            begin(step("refresh", was, was)),
            found,
        ];
        const refresh = step("refresh", was, was);
        const result = (found: DeploymentEvent): string => shown(events(found)).split("\n").slice(2).join("\n");
        expect(result(done(refresh))).toBe("");
        expect(result({ kind: "step-done", step: refresh, seconds: 0 })).toBe(
            " -  command:remote:Command web deleted\n",
        );
        expect(result(done({ ...refresh, new: resource({ id: "f", outputs: { seen: 2 } }) }))).toBe(
            " ~  command:remote:Command web refreshed [diff: ~seen]\n",
        );
    });

    test("keeps secrets out of what commands and programs print", () => {
        const key = "-----BEGIN KEY-----\nAAAABBBBCCCCDDDDEEEE\nshort\n-----END KEY-----\n";
        const secret = step(
            "create",
            undefined,
            resource({
                inputs: {
                    stdin: new Secret("s3cret-value\n"),
                    connection: new Secret({ user: "root", host: "10.0.0.1", password: "pa55word", privateKey: key }),
                    short: new Secret("ab"),
                    flag: new Secret("true"),
                },
            }),
        );
        const text = shown([
            start({ config: { "shop:token": new Secret("t0ken") } }),
            begin(secret),
            live(secret.urn, "got s3cret-value, pa55word and t0ken as root on 10.0.0.1: true ab"),
            live(secret.urn, "  AAAABBBBCCCCDDDDEEEE"),
            message(secret.urn, "error", `bad key: ${key}`),
            end(),
        ]);
        expect(text).toContain("got [secret], [secret] and [secret] as root on 10.0.0.1: true ab");
        expect(text).not.toMatch(/s3cret|pa55|t0ken|AAAA|short|BEGIN/);
    });

    test("lets no terminal control sequence of a command through", () => {
        expect(shown([start(), begin(CREATE), live(CREATE.urn, "\u001b[2Jcleared\rdone")])).toMatch(
            / cleared\n.* done\n$/,
        );
    });

    test("is coloured only when told so", () => {
        const events = [start(), begin(CREATE), done(CREATE), end({ counts: { create: 1 } })];
        expect(shown(events)).not.toContain("\u001b");
        expect(shown(events, { colour: true })).toContain("\u001b[32m+ \u001b[39m");
    });

    test("says at a terminal that a long operation still runs", () => {
        jest.useFakeTimers();
        try {
            let text = "";
            const display = createDisplay({
                kind: "progress",
                isTerminal: true,
                colour: false,
                showSecrets: false,
                write: (more) => (text += more),
            });
            [start(), begin(CREATE)].forEach(display.emit);
            jest.advanceTimersByTime(25_000);
            display.close();
            jest.advanceTimersByTime(25_000);
            expect(text.split("\n").slice(2, -1)).toEqual([
                " +  command:remote:Command web creating (10s)",
                " +  command:remote:Command web creating (20s)",
            ]);
        } finally {
            jest.useRealTimers();
        }
    });
});
