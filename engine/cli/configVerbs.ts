import { UserError } from "../errors";
import { configText, type ConfigValue, isSecure, revealedJson, Secure, toJson } from "../project/configValue";
import { type Project } from "../project/project";
import { mergedConfig } from "../project/resolveConfig";
import { fullKey, type StackConfig } from "../project/stackConfig";
import { type Crypter } from "../secrets/crypter";
import { printJson, printTable } from "./context";
import { type Globals, type Terminal } from "./globals";
import { crypterOf, readRaw } from "./stack";
import { currentStack, loadStackConfig, openWorkspace, type Workspace } from "./workspace";
import { type StackReference } from "../state/stackReference";

/** The verbs of `pulumi config`. They follow pulumi/pulumi pkg/cmd/pulumi/config. */

interface OpenConfig {
    readonly workspace: Workspace;
    readonly project: Project;
    readonly reference: StackReference;
    readonly stackConfig: StackConfig;
}

async function openConfig(globals: Globals, terminal: Terminal): Promise<OpenConfig> {
    const workspace = await openWorkspace(globals, terminal);
    const reference = await currentStack(workspace, globals);
    const { project } = workspace;
    return {
        workspace,
        project,
        reference,
        stackConfig: await loadStackConfig(workspace, globals, reference),
    };
}

async function crypterFor({ workspace, reference, stackConfig }: OpenConfig, terminal: Terminal): Promise<Crypter> {
    return crypterOf(stackConfig, await readRaw(workspace.backend, reference), terminal);
}

/** Shows every secret as `[secret]`. */
const BLIND: Crypter = { encrypt: () => "[secret]", decrypt: () => "[secret]" };

/** One value as `--json` shows it; without `value` when it is a secret that was not asked for. */
function jsonEntry(value: ConfigValue, crypter: Crypter, key: string, hide: boolean): Record<string, unknown> {
    const secret = isSecure(value);
    if (secret && hide) {
        return { secret };
    }
    const json = revealedJson(value, crypter, key);
    const isStructure = typeof value === "object" && value !== null && !(value instanceof Secure);
    return { value: configText(json), ...(isStructure ? { objectValue: json } : {}), secret };
}

/** `config`: all values of the stack and the project's defaults. */
export async function listConfig(
    globals: Globals,
    terminal: Terminal,
    options: { json: boolean; showSecrets: boolean },
): Promise<void> {
    const open = await openConfig(globals, terminal);
    const merged = mergedConfig(open.project, open.stackConfig);
    const reveal = options.showSecrets && [...merged.values()].some(isSecure);
    const crypter = reveal ? await crypterFor(open, terminal) : BLIND;
    const entries = [...merged].map(
        ([key, value]) => [key, jsonEntry(value, crypter, key, !options.showSecrets)] as const,
    );
    if (options.json) {
        printJson(terminal, Object.fromEntries(entries));
        return;
    }
    const own = `${open.project.name}:`;
    const rows = [...merged].map(([key, value]) => [
        key.startsWith(own) ? key.slice(own.length) : key,
        configText(revealedJson(value, crypter, key)),
    ]);
    printTable(terminal, [["KEY", "VALUE"], ...rows]);
}

/** `config get KEY`: one value in clear. */
export async function getConfig(
    globals: Globals,
    terminal: Terminal,
    key: string,
    options: { json: boolean; path: boolean },
): Promise<void> {
    const open = await openConfig(globals, terminal);
    const value =
        open.stackConfig.get(key, options.path) ??
        (options.path ? undefined : mergedConfig(open.project, open.stackConfig).get(fullKey(key, open.project.name)));
    if (value === undefined) {
        throw new UserError(
            `the config key ${JSON.stringify(key)} is not set for stack ${open.reference.name}`,
            `set it with \`pulumi config set ${key} <value>\``,
        );
    }
    const crypter = isSecure(value) ? await crypterFor(open, terminal) : BLIND;
    if (options.json) {
        printJson(terminal, jsonEntry(value, crypter, key, false));
    } else {
        terminal.out(`${configText(revealedJson(value, crypter, key))}\n`);
    }
}

/** `config set KEY [VALUE]`: sets one value; without VALUE it is read from stdin or asked for. */
export async function setConfig(
    globals: Globals,
    terminal: Terminal,
    key: string,
    argument: string | undefined,
    options: { secret: boolean; plaintext: boolean; path: boolean },
): Promise<void> {
    if (options.secret && options.plaintext) {
        throw new UserError("--secret and --plaintext cannot both be meant", "pass one of them");
    }
    const open = await openConfig(globals, terminal);
    const { stackConfig } = open;
    const declared = open.project.config.get(fullKey(key, open.project.name));
    if (!options.path && declared?.secret === true && !options.secret && !options.plaintext) {
        throw new UserError(
            `the config key ${JSON.stringify(key)} is declared as a secret`,
            "pass --secret to encrypt its value",
        );
    }
    const value = argument ?? (await inputValue(terminal, options.secret));
    if (options.secret) {
        const raw = await readRaw(open.workspace.backend, open.reference);
        const crypter = await crypterOf(stackConfig, raw, terminal);
        stackConfig.set(key, new Secure(crypter.encrypt(value)), options.path);
        // A file with secrets tells by which salt, so that it can be read without the state.
        stackConfig.salt = crypter.salt;
    } else {
        stackConfig.set(key, value, options.path);
    }
    await stackConfig.save();
}

async function inputValue(terminal: Terminal, hidden: boolean): Promise<string> {
    const input = await terminal.readInput();
    if (input !== undefined) {
        return input.replace(/\r?\n$/, "");
    }
    if (terminal.ask === undefined) {
        throw new UserError("the value is missing", "write it after the key, or send it to stdin");
    }
    return terminal.ask("value: ", hidden);
}

/** `config rm KEY`: removes one value; the file is left as it is when there is none. */
export async function removeConfig(
    globals: Globals,
    terminal: Terminal,
    key: string,
    options: { path: boolean },
): Promise<void> {
    const { stackConfig } = await openConfig(globals, terminal);
    const before = JSON.stringify(toJson(Object.fromEntries(stackConfig.values())));
    stackConfig.remove(key, options.path);
    if (JSON.stringify(toJson(Object.fromEntries(stackConfig.values()))) !== before) {
        await stackConfig.save();
    }
}
