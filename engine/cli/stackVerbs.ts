import { readFile, rm } from "node:fs/promises";
import { messageOf, UserError } from "../errors";
import { stackConfigFile } from "../project/project";
import { type Crypter } from "../secrets/crypter";
import { atomicWrite } from "../state/atomicWrite";
import {
    CheckpointEncoder,
    checkpointText,
    decodeSnapshot,
    parseExport,
    type RawDeployment,
} from "../state/checkpoint";
import { findFault } from "../state/integrity";
import { cancelLocks, lockStack } from "../state/lock";
import { fullName, parseReference, type StackReference } from "../state/stackReference";
import { encodeRevealed, ValueCodec } from "../values/serialize";
import { SECRET_SIGNATURE, SIGNATURE_KEY } from "../values/signatures";
import { mapValue, type PropertyMap, revealed, Secret } from "../values/value";
import { type Json } from "../values/wire";
import { confirm, printJson, printTable } from "./context";
import { type Globals, type Terminal } from "./globals";
import { codecFor, crypterOf, readRaw } from "./stack";
import {
    currentStack,
    loadStackConfig,
    openBackend,
    openWorkspace,
    shortName,
    type Workspace,
    unknownStack,
} from "./workspace";

/** The verbs of `pulumi stack`. They follow pulumi/pulumi pkg/cmd/pulumi/stack. */

/** `stack init NAME`: makes an empty stack, notes a new salt in its config file, and selects it. */
export async function initStack(
    globals: Globals,
    terminal: Terminal,
    argument: string | undefined,
    options: { select: boolean },
): Promise<void> {
    const workspace = await openWorkspace(globals, terminal);
    const name = argument ?? globals.stack;
    if (name === undefined) {
        throw new UserError("the new stack has no name", "write `pulumi stack init <name>`");
    }
    const reference = parseReference(name, workspace.project.name);
    if (reference.project !== workspace.project.name) {
        throw new UserError(
            `the stack ${fullName(reference)} belongs to another project than ${workspace.project.file}`,
            "run the command in that project's folder",
        );
    }
    const lock = await lockStack(workspace.backend.lockFolder(reference), (line) => terminal.err(`${line}\n`));
    try {
        if (await workspace.backend.exists(reference)) {
            throw new UserError(
                `stack ${JSON.stringify(reference.name)} already exists`,
                `select it with \`pulumi stack select ${reference.name}\``,
            );
        }
        const stackConfig = await loadStackConfig(workspace, globals, reference);
        // Asks for the passphrase, and refuses one that the salt in an existing config file does not fit.
        const crypter = await crypterOf(stackConfig, undefined, terminal);
        if (stackConfig.salt === undefined) {
            stackConfig.salt = crypter.salt;
            await stackConfig.save();
        }
        await workspace.backend.write(reference, checkpointText(fullName(reference), { version: 3, features: [] }));
    } finally {
        await lock.release();
    }
    if (options.select) {
        await workspace.selection.select(fullName(reference));
    }
    terminal.out(`Created stack '${reference.name}'\n`);
}

/** `stack ls`: the project's stacks, or with `all` those of every project. */
export async function listStacks(
    globals: Globals,
    terminal: Terminal,
    options: { json: boolean; all: boolean; project?: string },
): Promise<void> {
    const { backend, project, selection } = await openBackend(globals, terminal);
    const owner = options.project ?? (options.all ? undefined : project?.name);
    const selected = await selection?.current();
    const current = selected === undefined ? undefined : parseReference(selected, project?.name);
    const rows = [];
    for (const { reference } of await backend.list(owner)) {
        const isCurrent = reference.project === current?.project && reference.name === current.name;
        const resources = outline(await readRaw(backend, reference));
        rows.push({ name: shortName(reference, project), current: isCurrent, ...resources });
    }
    if (options.json) {
        printJson(terminal, rows);
        return;
    }
    printTable(terminal, [
        ["NAME", "LAST UPDATE", "RESOURCE COUNT"],
        ...rows.map((row) => [
            row.current ? `${row.name}*` : row.name,
            row.lastUpdate === undefined ? "n/a" : ago(row.lastUpdate, new Date()),
            row.resourceCount === undefined ? "n/a" : String(row.resourceCount),
        ]),
    ]);
}

function outline(raw: RawDeployment): { lastUpdate?: string; resourceCount?: number } {
    const { manifest, resources } = raw.deployment ?? {};
    const time = (manifest as { time?: string } | undefined)?.time;
    return {
        ...(time === undefined ? {} : { lastUpdate: new Date(time).toISOString() }),
        ...(raw.deployment === undefined ? {} : { resourceCount: Array.isArray(resources) ? resources.length : 0 }),
    };
}

/** A time as `3 minutes ago`. */
export function ago(time: string, now: Date): string {
    const seconds = Math.max(0, (now.getTime() - Date.parse(time)) / 1000);
    const units = [
        [86_400 * 365, "year"],
        [86_400 * 30, "month"],
        [86_400, "day"],
        [3_600, "hour"],
        [60, "minute"],
        [1, "second"],
    ] as const;
    const [length, unit] = units.find(([size]) => seconds >= size) ?? [1, "second"];
    const count = Math.floor(seconds / length);
    return count === 0 ? "now" : `${count} ${unit}${count === 1 ? "" : "s"} ago`;
}

/** `stack select NAME`: changes which stack the other verbs work on; makes nothing. */
export async function selectStack(globals: Globals, terminal: Terminal, argument: string | undefined): Promise<void> {
    const workspace = await openWorkspace(globals, terminal);
    const name = argument ?? globals.stack;
    if (name === undefined) {
        throw new UserError("it is not said which stack to select", "write `pulumi stack select <name>`");
    }
    const reference = parseReference(name, workspace.project.name);
    if (!(await workspace.backend.exists(reference))) {
        throw unknownStack(reference, workspace.project);
    }
    await workspace.selection.select(fullName(reference));
}

/** `stack output [PROPERTY]`: the stack's outputs; secrets as `[secret]` unless asked for. */
export async function showOutputs(
    globals: Globals,
    terminal: Terminal,
    property: string | undefined,
    options: { json: boolean; showSecrets: boolean },
): Promise<void> {
    const workspace = await openWorkspace(globals, terminal);
    const reference = await currentStack(workspace, globals);
    const raw = await readRaw(workspace.backend, reference);
    const outputs = await outputsOf(globals, workspace, reference, raw, terminal, options.showSecrets);
    if (property !== undefined) {
        const value = outputs[property];
        if (value === undefined) {
            throw new UserError(
                `stack ${JSON.stringify(reference.name)} has no output ${JSON.stringify(property)}`,
                "`pulumi stack output` lists those there are",
            );
        }
        if (options.json) {
            printJson(terminal, value);
        } else {
            terminal.out(`${outputText(value)}\n`);
        }
    } else if (options.json) {
        printJson(terminal, outputs);
    } else {
        const names = Object.keys(outputs);
        terminal.out(`Current stack outputs (${names.length}):\n`);
        if (names.length === 0) {
            terminal.out("    No output values currently in this stack\n");
        } else {
            const rows = names.map((name) => [name, outputText(outputs[name] ?? null)]);
            printTable(terminal, [["OUTPUT", "VALUE"], ...rows], "    ");
        }
    }
}

async function outputsOf(
    globals: Globals,
    workspace: Workspace,
    reference: StackReference,
    raw: RawDeployment,
    terminal: Terminal,
    showSecrets: boolean,
): Promise<Record<string, Json>> {
    const codec = showSecrets ? await decoder(globals, workspace, reference, raw, terminal) : new ValueCodec(BLIND);
    const root = decodeSnapshot(raw, codec).resources.find((item) => item.type === "pulumi:pulumi:Stack");
    const shown = mapValue(root?.outputs ?? {}, (value) =>
        value instanceof Secret ? (showSecrets ? revealed(value) : "[secret]") : undefined,
    ) as PropertyMap;
    return Object.fromEntries(
        Object.keys(shown)
            .sort()
            .map((name) => [name, encodeRevealed(shown[name] ?? null)]),
    );
}

function outputText(value: Json): string {
    return typeof value === "string" ? value : JSON.stringify(value);
}

/** Makes every secret unreadable, and needs no passphrase for it. */
const BLIND: Crypter = {
    encrypt: () => {
        throw new Error("nothing may be encrypted here");
    },
    decrypt: () => '"[secret]"',
};

/** `stack export`: the state as JSON, to stdout or a file; secrets encrypted unless asked for in clear. */
export async function exportStack(
    globals: Globals,
    terminal: Terminal,
    options: { file?: string; showSecrets: boolean },
): Promise<void> {
    const workspace = await openWorkspace(globals, terminal);
    const reference = await currentStack(workspace, globals);
    const raw = await readRaw(workspace.backend, reference);
    let deployment: Json | undefined = raw.deployment;
    if (options.showSecrets && deployment !== undefined) {
        const codec = await decoder(globals, workspace, reference, raw, terminal);
        deployment = inClear(deployment, (json) => encodeRevealed(codec.decode(json, "")));
    }
    const text = `${JSON.stringify(
        {
            version: raw.version === 0 ? 3 : raw.version,
            ...(raw.features.length > 0 ? { features: raw.features } : {}),
            deployment: deployment ?? null,
        },
        undefined,
        4,
    )}\n`;
    if (options.file === undefined) {
        terminal.out(text);
    } else {
        await atomicWrite(options.file, text);
    }
}

/** A copy with every secret decrypted. */
function inClear(json: Json, reveal: (secret: Json) => Json): Json {
    if (Array.isArray(json)) {
        return json.map((item) => inClear(item, reveal));
    }
    if (typeof json !== "object" || json === null) {
        return json;
    }
    if (json[SIGNATURE_KEY] === SECRET_SIGNATURE) {
        return reveal(json);
    }
    return Object.fromEntries(Object.entries(json).map(([key, item]) => [key, inClear(item, reveal)]));
}

/** `stack import`: replaces the state by an exported one, from a file or stdin. */
export async function importStack(
    globals: Globals,
    terminal: Terminal,
    options: { file?: string; force: boolean },
): Promise<void> {
    const workspace = await openWorkspace(globals, terminal);
    const reference = await currentStack(workspace, globals);
    const { text, source } = await importText(terminal, options.file);
    const raw = parseExport(text, source);
    const crypter = await crypterOf(await loadStackConfig(workspace, globals, reference), raw, terminal);
    const codec = new ValueCodec(crypter);
    const snapshot = decodeSnapshot(raw, await codecFor(raw, crypter, codec, terminal));
    const foreign = snapshot.resources.find(
        ({ urn }) => !urn.startsWith(`urn:pulumi:${reference.name}::${reference.project}::`),
    );
    const fault =
        foreign === undefined
            ? findFault(snapshot.resources)
            : `resource ${foreign.urn} is not of stack ${fullName(reference)}`;
    if (fault !== undefined && !options.force) {
        throw new UserError(`${source} is not imported: ${fault}`, "correct it, or pass --force to import it anyway");
    }
    const note = (line: string): void => terminal.err(`${line}\n`);
    const lock = await lockStack(workspace.backend.lockFolder(reference), note);
    try {
        for (const { resource, type } of snapshot.pendingOperations) {
            note(`warning: removing the pending operation '${type}' on '${resource.urn}'`);
        }
        const encoder = new CheckpointEncoder(fullName(reference), codec, crypter.provider);
        const text = encoder.encode({ resources: snapshot.resources, pendingOperations: [] });
        await workspace.backend.write(reference, text);
    } finally {
        await lock.release();
    }
    terminal.out("Import complete.\n");
}

async function importText(terminal: Terminal, file: string | undefined): Promise<{ text: string; source: string }> {
    if (file !== undefined) {
        try {
            return { text: await readFile(file, "utf8"), source: file };
        } catch (error) {
            throw new UserError(`${file} cannot be read (${messageOf(error)})`, "name a readable file with --file");
        }
    }
    const text = await terminal.readInput();
    if (text === undefined) {
        throw new UserError("there is nothing to import", "name a file with --file, or send it to stdin");
    }
    return { text, source: "stdin" };
}

/** `stack rm [NAME]`: removes an empty stack, its history and its config file. */
export async function removeStack(
    globals: Globals,
    terminal: Terminal,
    argument: string | undefined,
    options: { force: boolean; yes: boolean; preserveConfig: boolean; removeBackups: boolean },
): Promise<void> {
    const workspace = await openWorkspace(globals, terminal);
    const reference = await currentStack(workspace, argument === undefined ? globals : { ...globals, stack: argument });
    const name = shortName(reference, workspace.project);
    if (!options.yes) {
        await confirm(terminal, `This will permanently remove the '${name}' stack!`, name);
    }
    const { backend, project, selection } = workspace;
    const lock = await lockStack(backend.lockFolder(reference), (line) => terminal.err(`${line}\n`));
    try {
        const resources = (await readRaw(backend, reference)).deployment?.["resources"] ?? [];
        const left = (resources as { type?: string }[]).filter(({ type }) => type !== "pulumi:pulumi:Stack").length;
        if (left > 0 && !options.force) {
            throw new UserError(
                `stack ${JSON.stringify(name)} still has ${left} resources`,
                "delete them with `pulumi destroy` first, or pass --force to forget them",
            );
        }
        await backend.remove(reference, options.removeBackups);
    } finally {
        await lock.release();
    }
    if (!options.preserveConfig && reference.project === project.name) {
        await rm(stackConfigFile(project, reference.name), { force: true });
    }
    const selected = await selection.current();
    if (selected !== undefined && fullName(parseReference(selected, project.name)) === fullName(reference)) {
        await selection.select(undefined);
    }
    terminal.out(`Stack '${name}' has been removed!\n`);
}

/** `cancel [NAME]`: takes away the locks of a stack. */
export async function cancelStack(
    globals: Globals,
    terminal: Terminal,
    argument: string | undefined,
    options: { yes: boolean },
): Promise<void> {
    const workspace = await openWorkspace(globals, terminal);
    const reference = await currentStack(workspace, argument === undefined ? globals : { ...globals, stack: argument });
    const name = shortName(reference, workspace.project);
    if (!options.yes) {
        const warning = `This will irreversibly cancel the currently running update for '${name}'!`;
        await confirm(terminal, warning, name);
    }
    const count = await cancelLocks(workspace.backend.lockFolder(reference));
    terminal.out(`The lock of stack '${name}' has been taken away (${count} lock file${count === 1 ? "" : "s"}).\n`);
}

async function decoder(
    globals: Globals,
    workspace: Workspace,
    reference: StackReference,
    raw: RawDeployment,
    terminal: Terminal,
): Promise<ValueCodec> {
    const crypter = await crypterOf(await loadStackConfig(workspace, globals, reference), raw, terminal);
    return codecFor(raw, crypter, new ValueCodec(crypter), terminal);
}
