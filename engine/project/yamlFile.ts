import { type Document, isMap, isScalar, isSeq, parseDocument } from "yaml";
import { UserError } from "../errors";
import { type Json } from "../values/wire";

/** Parses a YAML file; a `UserError` names the file, the place and the remedy when it is malformed. */
export function parseYaml(text: string, file: string): Document {
    const document = parseDocument(text.replace(/^\uFEFF/, ""), { version: "1.2" });
    const error = document.errors[0];
    if (error !== undefined) {
        const [first = error.message] = error.message.split("\n");
        throw new UserError(`${file} is not valid YAML: ${first.replace(/:$/, "")}`, "mend it by hand");
    }
    return document;
}

/**
 * A node as plain data. Scalars that YAML readers understand differently (`012`, `1_000`, dates, whole numbers beyond
 * 2^53) are refused with the advice to quote them, as the official CLI would read something else.
 */
export function plain(node: unknown, document: Document, file: string): Json {
    if (isMap(node)) {
        return Object.fromEntries(
            node.items.map(({ key, value }) => [
                isScalar(key) ? String(key.value) : String(key),
                plain(value, document, file),
            ]),
        );
    }
    if (isSeq(node)) {
        return node.items.map((item) => plain(item, document, file));
    }
    if (isScalar(node)) {
        refuseAmbiguous(node.source, node.type, node.value, file);
        return node.value as Json;
    }
    const resolved = node === null || node === undefined ? undefined : resolveAlias(node, document);
    return resolved === undefined ? null : plain(resolved, document, file);
}

function resolveAlias(node: unknown, document: Document): unknown {
    return (node as { resolve?: (document: Document) => unknown }).resolve?.(document);
}

function refuseAmbiguous(source: string | undefined, type: unknown, value: unknown, file: string): void {
    if (type !== "PLAIN" || source === undefined) {
        return;
    }
    if (
        /^[-+]?0\d+$/.test(source) ||
        /^[-+]?\d[\d_]*_[\d_]*$/.test(source) ||
        /^\d{4}-\d{1,2}-\d{1,2}([Tt\s].*)?$/.test(source) ||
        (typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value))
    ) {
        throw new UserError(
            `${file}: what ${source} means depends on who reads it`,
            `put it in quotes, "${source}", to have it as a text`,
        );
    }
}
