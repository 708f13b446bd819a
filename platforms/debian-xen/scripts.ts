import { readFileSync } from "node:fs";
import { join } from "node:path";
import { quote } from "../../remote/shell";

/** The step files of this folder, without their ending. */
export type ScriptName =
    | "drain"
    | "guest-image"
    | "guest-node"
    | "guest-plain"
    | "guest-resource"
    | "guest-workload"
    | "hypervisor"
    | "keys"
    | "member"
    | "network"
    | "nfs-export"
    | "online"
    | "pool"
    | "prepare"
    | "ring"
    | "storage";

/** Steps that change the cluster's configuration; they get the helpers for it. */
const WITH_CIB: ReadonlySet<ScriptName> = new Set(["guest-resource", "pool"]);

function read(file: string): string {
    return readFileSync(join(__dirname, file), "utf8");
}

/** Text of the program with which a guest sets up a workload: what all of them stand on, and its own. */
export function inGuest(name: "mediawiki" | "moodle"): string {
    return ["#!/bin/sh", read(join("in-guest", "lib.sh")), read(join("in-guest", `${name}.sh`)).trimEnd()].join("\n");
}

/** Text of the program that a guest starts with, and which runs that one. */
export function startProgram(): string {
    return ["#!/bin/sh", "# Made by ovm-ha-cluster.", read(join("in-guest", "start.sh")).trimEnd()].join("\n");
}

/** Text of a program that a step puts onto a node: shell, with these variables at its head. */
export function onNode(name: "guest-agent" | "guest-health", variables: Readonly<Record<string, string>>): string {
    const head = Object.entries(variables).map(([key, value]) => `${key}=${quote(value)}`);
    return ["#!/bin/sh", "# Made by ovm-ha-cluster.", ...head, read(join("on-node", `${name}.sh`)).trimEnd()].join(
        "\n",
    );
}

/** Text of the program that guards a node's place in the pool's ring. */
export function ringGuard(): string {
    return `# Made by ovm-ha-cluster.\n${read(join("on-node", "ring-guard.py")).trimEnd()}`;
}

const known = new Map<ScriptName, string>();

/** Text of a step: the shared helpers and its own file. It is read once, for however many steps. */
export function script(name: ScriptName): string {
    const before = known.get(name);
    if (before !== undefined) {
        return before;
    }
    const own = WITH_CIB.has(name) ? ["lib.sh", "lib-cib.sh"] : ["lib.sh"];
    const text = [...["../lib.sh", ...own].map(read), read(`${name}.sh`)].join("\n");
    known.set(name, text);
    return text;
}
