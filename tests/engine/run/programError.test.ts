import { isToldAlready, programError } from "../../../engine/run/programError";

const headline = "Running program '/p/index.ts' failed with an unhandled exception:\n";

it.each([
    [
        "one that throws",
        `${headline}Error: boom\n    at require (node:internal/modules/helpers:182:18)\n    at new Thing (/p/node_modules/thing/index.js:1:1)\n    at f \u001b[90m(/p/\u001b[39mcomponents/site.ts:1:40\u001b[90m)\u001b[39m\n    at Object.<anonymous> (/p/index.ts:1:74)`,
        "Error: boom (components/site.ts:1:40)",
    ],
    [
        "one that throws several lines",
        `${headline}Error: boom\nagain\n    at /p/index.ts:3:4`,
        "Error: boom: again (index.ts:3:4)",
    ],
    [
        "one that does not compile",
        `${headline}TSError: ⨯ Unable to compile TypeScript:\nindex.ts(1,11): error TS1109: Expression expected.`,
        "the program does not compile: index.ts:1:11: TS1109: Expression expected.",
    ],
    [
        "one that misses a config value",
        "Missing required configuration variable 't:x'\n\tplease set a value using the command `pulumi config set t:x <value>`",
        "Missing required configuration variable 't:x': please set a value using the command `pulumi config set t:x <value>`",
    ],
    ["a plain message", "something is wrong", "something is wrong"],
    [
        "what the engine answered",
        `${headline}Error: 9 FAILED_PRECONDITION: it is too old\n    at f (/p/index.ts:1:1)`,
        "it is too old (index.ts:1:1)",
    ],
    [
        "a module that does not exist",
        `${headline}Error: Cannot find module './a'\nRequire stack:\n- /p/index.ts\n- /p/node_modules/run.js\n    at f (/p/index.ts:1:1)`,
        "Error: Cannot find module './a' (index.ts:1:1)",
    ],
])("tells of %s in one line", (_name, text, expected) => expect(programError(text, "/p")).toBe(expected));

test("leaves a list alone that the program has laid out", () => {
    const list = "The configuration has 1 fault:\n   1. nodes = []\n      has too few nodes\n      → add two";
    expect(programError(`${list}\n`, "/p")).toBe(list);
});

test.each([
    [
        "a refused resource",
        "Error: failed to register new resource x [a:b:C]: 12 UNIMPLEMENTED: no `import` here\n    at f (/p/index.ts:1:1)",
        true,
    ],
    ["a refused call, coloured", `${headline}Error: 12 UNIMPLEMENTED: \u001b[31mno \`import\` here\u001b[39m`, true],
    ["anything else", "Error: no import here", false],
])("knows %s as told already, or not", (_name, text, expected) =>
    expect(isToldAlready(text, ["no `import` here"])).toBe(expected),
);
