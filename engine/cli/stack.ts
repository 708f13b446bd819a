import { type Project } from "../project/project";
import { resolveConfig, type ResolvedConfig } from "../project/resolveConfig";
import { type StackConfig } from "../project/stackConfig";
import { readPassphrase } from "../secrets/ask";
import { PassphraseCrypter } from "../secrets/passphrase";
import { type FileBackend } from "../state/backend";
import { CheckpointEncoder, decodeSnapshot, parseCheckpoint, type RawDeployment, saltOf } from "../state/checkpoint";
import { verifyIntegrity } from "../state/integrity";
import { lockStack, type StackLock } from "../state/lock";
import { type Snapshot } from "../state/resource";
import { fullName, type StackReference } from "../state/stackReference";
import { SnapshotWriter } from "../state/writer";
import { ValueCodec } from "../values/serialize";
import { type Globals, type Terminal } from "./globals";
import { currentStack, loadStackConfig, openWorkspace, unknownStack } from "./workspace";

/** A stack with everything an operation needs of it. Opening changes nothing on disk. */
export interface OpenStack {
    readonly reference: StackReference;
    readonly project: Project;
    readonly backend: FileBackend;
    /** The folder the command runs in, absolute. */
    readonly cwd: string;
    /** Resolved and checked against the project's schema. */
    readonly config: ResolvedConfig;
    /** As it stands in its file, for the history. */
    readonly stackConfig: StackConfig;
    /** The state as read; for a run that changes it, read it again with `reload` once the lock is held. */
    readonly snapshot: Snapshot;
    /** Locks the stack and removes what killed runs left beside its file. */
    lock(note: (line: string) => void): Promise<StackLock>;
    reload(): Promise<Snapshot>;
    /** Saves snapshots durably, several at once where they come quickly. One per run. */
    writer(): SnapshotWriter;
}

/**
 * Opens the stack that flags, environment and selection say: project, backend, config, passphrase, state. Throws
 * `UserError` and `NotSupported`, each one line with the remedy.
 */
export async function openStack(globals: Globals, terminal: Terminal): Promise<OpenStack> {
    const workspace = await openWorkspace(globals, terminal);
    const { project, backend, cwd } = workspace;
    const reference = await currentStack(workspace, globals);
    const stackConfig = await loadStackConfig(workspace, globals, reference);
    const raw = await readRaw(backend, reference);
    const crypter = await crypterOf(stackConfig, raw, terminal);
    const codec = new ValueCodec(crypter);
    const decode = async (from: RawDeployment): Promise<Snapshot> => {
        const snapshot = decodeSnapshot(from, await codecFor(from, crypter, codec, terminal));
        verifyIntegrity(snapshot, from.file);
        return snapshot;
    };
    return {
        reference,
        project,
        backend,
        cwd,
        config: resolveConfig(project, stackConfig, reference.name, crypter),
        stackConfig,
        snapshot: await decode(raw),
        lock: async (note) => {
            const lock = await lockStack(backend.lockFolder(reference), note);
            await backend.removeTemporaries(reference);
            return lock;
        },
        reload: async () => decode(await readRaw(backend, reference)),
        writer: () => {
            const encoder = new CheckpointEncoder(fullName(reference), codec, crypter.provider);
            return new SnapshotWriter((snapshot) => backend.write(reference, encoder.encode(snapshot)));
        },
    };
}

/** The stack file, checked in its outline. */
export async function readRaw(backend: FileBackend, reference: StackReference): Promise<RawDeployment> {
    const text = await backend.read(reference);
    if (text === undefined) {
        throw unknownStack(reference, undefined);
    }
    return parseCheckpoint(text, backend.stackFile(reference));
}

/**
 * The crypter of a stack, by the salt in its config file or else in its state. A stack that has neither gets a new
 * salt, which stands in its state from the next run on: a run changes no config file.
 */
export async function crypterOf(
    stackConfig: StackConfig,
    raw: RawDeployment | undefined,
    terminal: Terminal,
): Promise<PassphraseCrypter> {
    const salt = stackConfig.salt ?? (raw === undefined ? undefined : saltOf(raw));
    return salt === undefined
        ? PassphraseCrypter.create(await passphrase(terminal, "new"))
        : PassphraseCrypter.unlock(salt, await passphrase(terminal, "unlock"));
}

/** What decodes a deployment: `codec`, unless the deployment was encrypted with another salt than `crypter` has. */
export async function codecFor(
    raw: RawDeployment,
    crypter: PassphraseCrypter,
    codec: ValueCodec,
    terminal: Terminal,
): Promise<ValueCodec> {
    const salt = saltOf(raw);
    return salt === undefined || salt === crypter.salt
        ? codec
        : new ValueCodec(await PassphraseCrypter.unlock(salt, await passphrase(terminal, "unlock")));
}

async function passphrase(terminal: Terminal, purpose: "unlock" | "new"): Promise<string> {
    const { environment, ask } = terminal;
    return readPassphrase({ environment, ...(ask ? { ask: (prompt) => ask(prompt, true) } : {}) }, purpose);
}
