/** Writes the documents that are made from the program: `npm run docs`. tests/bin/docs.test.ts fails when one is old. */
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { documents } from "./documents";

const root = resolve(__dirname, "..");

for (const [file, text] of Object.entries(documents(root))) {
    writeFileSync(join(root, file), text);
    process.stdout.write(`${file}\n`);
}
