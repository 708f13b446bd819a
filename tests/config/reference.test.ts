import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { pulumiDeclarations, referenceTable } from "../../config/reference";

test("Pulumi.yaml declares what the schema has", () => {
    const project: unknown = parse(readFileSync(join(__dirname, "../../Pulumi.yaml"), "utf8"));
    expect(project).toMatchObject({
        name: "ovm-ha-cluster",
        main: "index.ts",
        runtime: { name: "nodejs", options: { typescript: true } },
        backend: { url: "file://." },
    });
    expect(project).toHaveProperty("config", pulumiDeclarations());
});

test("the reference has every key", () => {
    expect(referenceTable()).toMatchSnapshot();
});
