import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { parseCluster, readPulumiConfig } from "../config/parse";
import { referencePage } from "../config/reference";
import { type ClusterSpec } from "../config/spec";
import { architecture } from "./architecture";

/** The lab's cluster as the config in the folder `root` has it; where its SSH answers is made up. */
export function labCluster(root: string): ClusterSpec {
    const { config } = parse(readFileSync(join(root, "Pulumi.lab.yaml"), "utf8")) as {
        config: Record<string, unknown>;
    };
    const texts = Object.entries(config).map(([key, value]): [string, string] => [
        key,
        typeof value === "string" ? value : JSON.stringify(value),
    ]);
    const { raw } = readPulumiConfig(Object.fromEntries(texts), "ovm-ha-cluster");
    const parsed = parseCluster(
        { ...raw, endpoints: null },
        { knownHosts: "* ssh-ed25519 AAAAC3NzaC1lZDI1NTE5\n", secrets: new Set() },
    );
    if ("faults" in parsed) {
        throw new Error(`Pulumi.lab.yaml: ${parsed.faults[0]?.path ?? ""} ${parsed.faults[0]?.problem ?? ""}`);
    }
    return parsed.spec;
}

/** Text of every document that is made from the program, by its path in the folder `root`. */
export function documents(root: string): Record<string, string> {
    return { "docs/config.md": referencePage(), "docs/architecture.svg": architecture(labCluster(root)) };
}
