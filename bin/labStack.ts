/**
 * The lab's stack in one command: `npm run lab:up|lab:preview|lab:refresh|lab:destroy`. Joins what else knows nothing of
 * each other, `lab/` and the engines, by their command lines; `up` starts the lab first.
 *
 * Everything it writes lies in `stack/` in the lab's folder: the state, its passphrase, and a copy of `Pulumi.lab.yaml`, because engines
 * write the passphrase's salt into a stack's config and no run may change a tracked file. OVM_HA_LAB_CONFIG names another
 * file to copy; a new lab gets the guest media that it asks for.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { MEDIA } from "../lab/image";
import { defaultLabFolder, readLab } from "../lab/state";

const root = resolve(__dirname, "..");
const labFolder = defaultLabFolder();
/** What the cluster is built from; another file tries another configuration, and no tracked one has to be changed. */
const trackedFile = resolve(root, process.env["OVM_HA_LAB_CONFIG"] ?? "Pulumi.lab.yaml");
const folder = join(labFolder, "stack");
const configFile = join(folder, "Pulumi.lab.yaml");
const passphraseFile = join(folder, "passphrase");
const environment = { PULUMI_BACKEND_URL: `file://${folder}`, PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile };

/** A command that has said itself why it failed. */
class CommandFailed extends Error {
    constructor(readonly exitCode: number) {
        super(`exit code ${exitCode}`);
    }
}

/** Runs one of the project's own commands in the foreground; answers with the seconds it took. */
async function timed(script: string, args: readonly string[], env: Record<string, string> = {}): Promise<number> {
    const started = Date.now();
    const tsx = join(root, "node_modules", ".bin", "tsx");
    const child = spawn(tsx, [join(root, script), ...args], {
        cwd: root,
        env: { ...process.env, ...env },
        stdio: "inherit",
    });
    // Ctrl-C reaches the child as well, and it is the child's to answer.
    const wait = (): void => undefined;
    process.on("SIGINT", wait);
    const code = await new Promise<number>((resolveCode, reject) => {
        child.once("error", reject);
        child.once("exit", (status) => resolveCode(status ?? 1));
    }).finally(() => process.off("SIGINT", wait));
    if (code !== 0) {
        throw new CommandFailed(code);
    }
    return Math.round((Date.now() - started) / 1000);
}

/** The tracked config, its paths leading into this lab's folder, with the salt that an engine has added to the copy. */
function refreshConfig(): void {
    const salt = existsSync(configFile) ? /^encryptionsalt: .*$/m.exec(readFileSync(configFile, "utf8")) : null;
    const tracked = readFileSync(trackedFile, "utf8").replaceAll(": .lab/", `: ${labFolder}/`);
    writeFileSync(configFile, salt === null ? tracked : `${tracked}${salt[0]}\n`);
}

/** The words that make a new lab have the media its guests are made from. */
function mediaFlags(): string[] {
    const text = readFileSync(trackedFile, "utf8");
    const names = MEDIA.filter((name) => text.includes(`medium: /srv/media/${name}\n`));
    return names.length === 0 ? [] : ["--media", names.join(",")];
}

async function prepareStack(): Promise<void> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!existsSync(passphraseFile)) {
        writeFileSync(passphraseFile, randomBytes(24).toString("base64url"), { mode: 0o600 });
    }
    refreshConfig();
    if (!existsSync(join(folder, ".pulumi", "stacks", "ovm-ha-cluster", "lab.json"))) {
        // The official CLI would write the salt into the tracked file here; the state it goes on with is the same.
        const init = ["stack", "init", "lab", "--no-select", "--config-file", configFile];
        await timed("engine/launcher.ts", init, { ...environment, OVM_HA_ENGINE: "embedded" });
    }
}

async function main([verb = "up", ...flags]: readonly string[]): Promise<void> {
    const started = verb === "up" ? await timed("lab/main.ts", ["start", ...mediaFlags()]) : 0;
    await prepareStack();
    const command = [verb, "--stack", "lab", "--config-file", configFile, ...flags];
    const seconds = await timed("engine/launcher.ts", command, environment);
    if (verb === "up") {
        const { guest } = readLab();
        process.stdout.write(
            `http://127.0.0.1:${guest.httpPort}/ is ${guest.name}: lab ${started} s, cluster ${seconds} s\n`,
        );
    }
}

main(process.argv.slice(2)).catch((error: unknown) => {
    if (!(error instanceof CommandFailed)) {
        process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    }
    process.exitCode = error instanceof CommandFailed ? error.exitCode : 1;
});
