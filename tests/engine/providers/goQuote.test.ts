import { goQuote } from "../../../engine/providers/goQuote";
import { uniqueId } from "../../../engine/providers/uniqueId";

describe("goQuote", () => {
    // Printed by Go's %q.
    it.each([
        ["plain", '"plain"'],
        ['a"b\\c', '"a\\"b\\\\c"'],
        ["\u0007\b\f\n\r\t\v", '"\\a\\b\\f\\n\\r\\t\\v"'],
        ["\u0000\u001b\u001f\u007f", '"\\x00\\x1b\\x1f\\x7f"'],
        ["é ß 漢 🙂", '"é ß 漢 🙂"'],
        ["\u00a0\u00ad\u0085\u200b\u2028\ufeff\ue000", '"\\u00a0\\u00ad\\u0085\\u200b\\u2028\\ufeff\\ue000"'],
        ["\u{e0001}\u{1f3fb}\u0301", '"\\U000e0001\u{1f3fb}\u0301"'],
        ["\ufffd", '"\ufffd"'],
        ["'`$", '"\'`$"'],
    ])("quotes %j as Go does", (text, quoted) => {
        expect(goQuote(text)).toBe(quoted);
    });

    it("takes half a surrogate pair for what Go reads of it", () => {
        expect(goQuote("a\ud83d")).toBe('"a\ufffd"');
    });
});

describe("uniqueId", () => {
    it("is the prefix and eight hex digits, never the same", () => {
        const ids = Array.from({ length: 100 }, () => uniqueId("name-"));
        ids.forEach((id) => expect(id).toMatch(/^name-[0-9a-f]{8}$/));
        expect(new Set(ids).size).toBe(ids.length);
    });
});
