import { createHash } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { UserError } from "../errors";
import { atomicWrite } from "../state/atomicWrite";
import { type Project } from "./project";

/** What the official CLI keeps per project; `stack` is how older versions kept it, for all backends. */
interface Settings {
    stack?: string;
    stacks?: Record<string, string>;
}

/**
 * The selected stack of a project, kept where the official CLI keeps it, in `~/.pulumi/workspaces` (or PULUMI_HOME).
 *
 * Source: pulumi/pulumi pkg/workspace/{workspace,settings}.go.
 */
export class Selection {
    private readonly file: string;

    constructor(
        project: Pick<Project, "name" | "file">,
        private readonly backendUrl: string,
        private readonly environment: NodeJS.ProcessEnv = process.env,
    ) {
        const home = environment["PULUMI_HOME"] || join(homedir(), ".pulumi");
        const hash = createHash("sha1").update(project.file).digest("hex");
        this.file = join(home, "workspaces", `${project.name}-${hash}-workspace.json`);
    }

    /** PULUMI_STACK, or what was selected; `undefined` if nothing is. */
    async current(): Promise<string | undefined> {
        const settings = this.environment["PULUMI_STACK"] === undefined ? await this.read() : {};
        return this.environment["PULUMI_STACK"] || (settings.stacks?.[this.backendUrl] ?? settings.stack) || undefined;
    }

    /** Selects a stack by its full name; `undefined` selects none. */
    async select(stack: string | undefined): Promise<void> {
        const { stack: legacy, stacks = {} } = await this.read();
        const { [this.backendUrl]: _old, ...others } = stacks;
        const next: Settings =
            stack === undefined
                ? { stacks: others }
                : {
                      ...(legacy === undefined ? {} : { stack: legacy }),
                      stacks: { ...others, [this.backendUrl]: stack },
                  };
        if (next.stack === undefined && Object.keys(next.stacks ?? {}).length === 0) {
            await rm(this.file, { force: true });
        } else {
            await atomicWrite(this.file, JSON.stringify(next, undefined, 4));
        }
    }

    private async read(): Promise<Settings> {
        try {
            return JSON.parse(await readFile(this.file, "utf8")) as Settings;
        } catch (error) {
            if ((error as NodeJS.ErrnoException).code === "ENOENT") {
                return {};
            }
            throw new UserError(`${this.file} cannot be used`, "remove it and select the stack again");
        }
    }
}
