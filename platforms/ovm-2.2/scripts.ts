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
    | "release"
    | "repository";

/** Steps that use the manager's command line; they get the helpers for it. */
const WITH_CLI: ReadonlySet<ScriptName> = new Set(["guest", "guest-iso", "pool-create", "pool-ha", "pool-join"]);

function read(file: string): string {
    return readFileSync(join(__dirname, file), "utf8");
}

/** Text of a step: the shared helpers and its own file. */
export function script(name: ScriptName): string {
    const own = WITH_CLI.has(name) ? ["lib.sh", "lib-cli.sh"] : ["lib.sh"];
    return ["../lib.sh", ...own, `${name}.sh`].map(read).join("\n");
}
