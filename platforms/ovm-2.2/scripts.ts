import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The step files of this folder, without their ending. */
export type ScriptName =
    | "credentials"
    | "guest"
    | "guest-disk"
    | "guest-iso"
    | "hosts"
    | "manager"
    | "nfs-export"
    | "ocfs2"
    | "pool-create"
    | "pool-ha"
    | "pool-join"
    | "pool-view"
    | "release"
    | "repository";

/** Steps that use the Manager's command line and services; they get the helpers for them. */
const WITH_CLI: ReadonlySet<ScriptName> = new Set([
    "guest",
    "guest-iso",
    "pool-create",
    "pool-ha",
    "pool-join",
    "pool-view",
]);

function read(file: string): string {
    return readFileSync(join(__dirname, file), "utf8");
}

/** soap.py, as a function that prints it. */
function soapProgram(): string {
    return `soap_program() {\n    cat <<'END_OF_PROGRAM'\n${read("soap.py")}END_OF_PROGRAM\n}\n`;
}

/** Text of a step: the shared helpers and its own file. */
export function script(name: ScriptName): string {
    const own = WITH_CLI.has(name) ? [read("lib.sh"), soapProgram(), read("lib-cli.sh")] : [read("lib.sh")];
    return [read("../lib.sh"), ...own, read(`${name}.sh`)].join("\n");
}
