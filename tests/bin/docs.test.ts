import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { architecture } from "../../bin/architecture";
import { documents } from "../../bin/documents";
import { clusterSpec } from "../platforms/spec";

const root = resolve(__dirname, "../..");

test.each(Object.entries(documents(root)))("%s is what `npm run docs` writes", (file, text) => {
    expect(readFileSync(join(root, file), "utf8")).toBe(text);
});

test("the picture has every machine and every address, as text and not as markup", () => {
    const spec = clusterSpec();
    const picture = architecture({ ...spec, pool: { ...spec.pool, name: "A<B" } });
    for (const { name, address } of [spec.manager, ...spec.nodes, ...spec.guests]) {
        expect(picture).toContain(`>${name}<`);
        expect(picture).toContain(address);
    }
    expect(picture).toContain(spec.pool.virtualAddress);
    expect(picture).toContain("A&lt;B");
    expect(picture).not.toContain("A<B");
});
