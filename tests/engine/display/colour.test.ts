import { wantsColour } from "../../../engine/display/colour";

test.each([
    ["at a terminal", "auto", true, {}, true],
    ["not elsewhere", "auto", false, {}, false],
    ["not at a dumb terminal", "auto", true, { TERM: "dumb" }, false],
    ["not with NO_COLOR", "auto", true, { NO_COLOR: "1" }, false],
    ["with an empty NO_COLOR, which counts as none", "auto", true, { NO_COLOR: "" }, true],
    ["elsewhere with FORCE_COLOR", "auto", false, { FORCE_COLOR: "1" }, true],
    ["not with FORCE_COLOR=0", "auto", false, { FORCE_COLOR: "0" }, false],
    ["elsewhere with --color always", "always", false, {}, true],
    ["not with NO_COLOR, whatever else is asked for", "always", true, { NO_COLOR: "1", FORCE_COLOR: "1" }, false],
    ["not with --color never", "never", true, { FORCE_COLOR: "1" }, false],
] as const)("there is colour %s", (_, choice, isTerminal, env, expected) => {
    expect(wantsColour(choice, isTerminal, env)).toBe(expected);
});
