import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { UserError } from "../errors";
import { findProjectFile, loadProject, type Project, stackConfigFile } from "../project/project";
import { Selection } from "../project/selection";
import { StackConfig } from "../project/stackConfig";
import { FileBackend } from "../state/backend";
import { fullName, parseReference, type StackReference } from "../state/stackReference";
import { type Globals, type Terminal } from "./globals";

/** A project and the backend its stacks are on. */
export interface Workspace {
    /** The folder the command runs in, absolute. */
    readonly cwd: string;
    readonly project: Project;
    readonly backend: FileBackend;
    readonly selection: Selection;
}

/** Opens project and backend as `--cwd`, Pulumi.yaml and the environment say. */
export async function openWorkspace(globals: Globals, terminal: Terminal): Promise<Workspace> {
    const cwd = resolve(globals.cwd ?? ".");
    const project = await loadProject(cwd);
    const url = await backendUrl(project, terminal.environment);
    const backend = await FileBackend.open(url, cwd, terminal.environment);
    return { cwd, project, backend, selection: new Selection(project, url, terminal.environment) };
}

/** As `openWorkspace`, but also where there is no project. */
export async function openBackend(
    globals: Globals,
    terminal: Terminal,
): Promise<{ backend: FileBackend; project?: Project; selection?: Selection }> {
    const cwd = resolve(globals.cwd ?? ".");
    if ((await findProjectFile(cwd)) !== undefined) {
        return openWorkspace(globals, terminal);
    }
    return {
        backend: await FileBackend.open(await backendUrl(undefined, terminal.environment), cwd, terminal.environment),
    };
}

/** PULUMI_BACKEND_URL, else the project's, else where the user is logged in with the official CLI. */
async function backendUrl(project: Project | undefined, environment: NodeJS.ProcessEnv): Promise<string> {
    const url = environment["PULUMI_BACKEND_URL"] || project?.backendUrl || (await loggedInUrl(environment));
    if (url === undefined) {
        throw new UserError(
            "it is not said where the stacks are",
            "set PULUMI_BACKEND_URL, or backend.url in Pulumi.yaml, to file://<folder>",
        );
    }
    return url;
}

async function loggedInUrl(environment: NodeJS.ProcessEnv): Promise<string | undefined> {
    const home = environment["PULUMI_HOME"] || join(homedir(), ".pulumi");
    try {
        const { current } = JSON.parse(await readFile(join(home, "credentials.json"), "utf8")) as { current?: string };
        return current || undefined;
    } catch {
        return undefined;
    }
}

/** The stack of `--stack`, PULUMI_STACK or the selection; a `UserError` if there is none or it does not exist. */
export async function currentStack(workspace: Workspace, globals: Globals): Promise<StackReference> {
    const name = globals.stack ?? (await workspace.selection.current());
    if (name === undefined) {
        throw new UserError(
            "no stack is selected",
            "select one with `pulumi stack select <name>`, or name it with --stack; `pulumi stack init <name>` makes one",
        );
    }
    const reference = parseReference(name, workspace.project.name);
    if (!(await workspace.backend.exists(reference))) {
        throw unknownStack(reference, workspace.project);
    }
    return reference;
}

/** Reads the stack's config: of `--config-file`, else `Pulumi.<stack>.yaml`. */
export function loadStackConfig(
    { cwd, project }: Workspace,
    { configFile }: Globals,
    { name }: StackReference,
): Promise<StackConfig> {
    const file = configFile === undefined ? stackConfigFile(project, name) : resolve(cwd, configFile);
    return StackConfig.load(file, project.name);
}

/** The error for a stack that does not exist. */
export function unknownStack(reference: StackReference, project: Project | undefined): UserError {
    return new UserError(
        `no stack named ${JSON.stringify(shortName(reference, project))} found`,
        `make it with \`pulumi stack init ${shortName(reference, project)}\`; \`pulumi stack ls\` lists those there are`,
    );
}

/** The name alone within its own project, else the full name. */
export function shortName(reference: StackReference, project: Project | undefined): string {
    return reference.project === project?.name ? reference.name : fullName(reference);
}
