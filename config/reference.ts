import { type Field, type Fields } from "./fields";
import { schema, secretKeys } from "./schema";

const EMPTY: Partial<Record<PulumiDeclaration["type"], unknown>> = { object: {}, array: [] };

/** A key as Pulumi.yaml's `config:` block declares it. */
export interface PulumiDeclaration {
    type: "string" | "integer" | "boolean" | "array" | "object";
    description: string;
    items?: { type: string };
    default: unknown;
}

/**
 * The `config:` block of Pulumi.yaml. A declared key without a default makes the official CLI stop with the key's bare
 * name, so every list and group has an empty default here: the parser then says what is missing, with all other faults.
 * Texts without a static default, and secrets, are left out: the CLI takes undeclared keys.
 */
export function pulumiDeclarations(): Record<string, PulumiDeclaration> {
    const entries = Object.entries<Field<unknown>>(schema).flatMap(([key, field]): [string, PulumiDeclaration][] => {
        const { type, description, whenAbsent, item } = field;
        if (type === "number" || type === "string | object") {
            throw new Error(`${key}: Pulumi.yaml knows no type “${type}”`);
        }
        const value = "value" in whenAbsent ? whenAbsent.value : EMPTY[type];
        const items = item === undefined ? {} : { items: { type: item.type } };
        return value === undefined ? [] : [[key, { type, description, ...items, default: value }]];
    });
    return Object.fromEntries(entries);
}

/** Every key of the configuration, nested ones with their full name. */
interface Row {
    key: string;
    type: string;
    whenAbsent: string;
    description: string;
}

function absence({ whenAbsent }: Field<unknown>): string {
    if ("required" in whenAbsent) {
        return "required";
    }
    return "value" in whenAbsent ? `\`${JSON.stringify(whenAbsent.value).replaceAll('"', "")}\`` : whenAbsent.words;
}

function rowsOf(fields: Fields, prefix: string): Row[] {
    return Object.entries(fields).flatMap(([name, field]) => {
        const key = prefix + name;
        const inside = field.fields ?? field.item?.fields;
        const below = inside === undefined ? [] : rowsOf(inside, field.type === "array" ? `${key}[].` : `${key}.`);
        return [{ key, type: field.type, whenAbsent: absence(field), description: field.description }, ...below];
    });
}

const cell = (text: string): string => text.replaceAll("|", "\\|");

/** The reference of all keys as a Markdown table. */
export function referenceTable(): string {
    const secrets = Object.entries(secretKeys).map(([key, description]) => ({
        key,
        type: "string, secret",
        whenAbsent: "none",
        description,
    }));
    return [
        "| key | type | when absent | what it is |",
        "|---|---|---|---|",
        ...[...rowsOf(schema, ""), ...secrets].map(
            ({ key, type, whenAbsent, description }) =>
                `| \`${key}\` | ${cell(type)} | ${cell(whenAbsent)} | ${cell(description)} |`,
        ),
        "",
    ].join("\n");
}

/** Text of docs/config.md; `npm run docs` writes it. */
export function referencePage(): string {
    return `# Configuration

All keys of a stack's config file, with their defaults. The file is \`Pulumi.<stack>.yaml\`; every key in it begins with
\`ovm-ha-cluster:\`. [Pulumi.site.yaml.example](../Pulumi.site.yaml.example) is a complete one for three PCs,
[Pulumi.lab.yaml](../Pulumi.lab.yaml) the one of the virtual lab. \`a.b\` is the key \`b\` below \`a\`, \`a[].b\` the key \`b\` of
each entry of the list \`a\`. All faults of a file are reported at once, each with its key and what to do.

This page is written from \`config/schema.ts\` by \`npm run docs\`.

${referenceTable()}`;
}
