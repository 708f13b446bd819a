const ESCAPES: Readonly<Record<string, string>> = {
    "\u0007": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
    '"': '\\"',
};

/** The text in double quotes as Go's `%q` prints it, which the provider's error texts use. */
export function goQuote(text: string): string {
    const quoted = Array.from(text, (character) => {
        const code = character.codePointAt(0) ?? 0;
        const escape = ESCAPES[character];
        if (escape !== undefined) {
            return escape;
        }
        if (code < 0x20 || code === 0x7f) {
            return `\\x${code.toString(16).padStart(2, "0")}`;
        }
        // Go prints letters, marks, numbers, punctuation, symbols and the ASCII space; surrogates are no characters.
        if (character === " " || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(character)) {
            return character;
        }
        if (code >= 0xd800 && code <= 0xdfff) {
            return "\ufffd";
        }
        return code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
    });
    return `"${quoted.join("")}"`;
}
