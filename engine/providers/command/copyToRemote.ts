import { lstat, readdir, stat } from "node:fs/promises";
import { basename, join, posix } from "node:path";
import { Archive, Asset, containsUnknown, type PropertyMap, revealed, revealedMap, Secret } from "../../values/value";
import { hashedArchive, hashedAsset, resolvePath } from "../assets";
import { type OperationContext } from "../provider";
import { type SshPool } from "../ssh/pool";
import { connectionFrom, endpointOf } from "../ssh/settings";
import { RemoteFiles } from "../ssh/sftp";
import { textOf } from "./runInputs";

/** The inputs with the hash of their source's content, by which a change of it is noticed. */
export async function hashedSource(inputs: PropertyMap, directory: string): Promise<PropertyMap> {
    const given = inputs["source"];
    if (given === undefined || containsUnknown(given)) {
        return inputs;
    }
    const source = revealed(given);
    const hashed =
        source instanceof Asset
            ? await hashedAsset(source, directory)
            : source instanceof Archive
              ? await hashedArchive(source, directory)
              : source;
    return { ...inputs, source: given instanceof Secret ? new Secret(hashed) : hashed };
}

/** Whether what was copied last is not what or where it should be now. */
export function needsCopy(olds: PropertyMap, news: PropertyMap): boolean {
    const [old, changed] = [revealedMap(olds), revealedMap(news)];
    return hashOf(old) !== hashOf(changed) || old["remotePath"] !== changed["remotePath"];
}

function hashOf(properties: PropertyMap): string {
    const source = properties["source"];
    return source instanceof Asset || source instanceof Archive ? source.hash : "";
}

/** Copies a file, a text or a folder to the host of `connection` by SFTP. */
export async function copyToRemote(
    pool: SshPool,
    context: OperationContext,
    properties: PropertyMap,
    directory: string,
): Promise<void> {
    const plain = revealedMap(properties);
    const source = plain["source"];
    const remotePath = textOf(plain["remotePath"]) ?? "";
    const waiting = {
        signal: context.signal,
        onRetry: (message: string) => context.log(message, "info"),
    };
    const connection = connectionFrom(plain["connection"]);
    await pool.withSession(connection, waiting, async (client, begin) => {
        const files = await RemoteFiles.open(client, endpointOf(connection));
        const close = (): void => files.close();
        context.signal.addEventListener("abort", close, { once: true });
        begin();
        try {
            if (source instanceof Asset && source.source.path === undefined) {
                await copyText(files, source.source.text ?? "", remotePath);
            } else if (source instanceof Asset || source instanceof Archive) {
                const path = source.source.path ?? "";
                await copyPath(files, resolvePath(path, directory), path.endsWith("/"), remotePath);
            }
        } finally {
            context.signal.removeEventListener("abort", close);
            files.close();
        }
    });
}

async function copyText(files: RemoteFiles, text: string, remotePath: string): Promise<void> {
    if ((await files.kindOf(remotePath)) === "directory") {
        throw new Error(
            `remote path ${remotePath} is a directory; when using a text asset, remotePath must be a file path`,
        );
    }
    await files.makeDirectories(posix.dirname(remotePath));
    await files.writeText(remotePath, text);
}

/** Like `cp -r`: into an existing directory, and a source with "/" at its end stands for what is in it. */
async function copyPath(files: RemoteFiles, source: string, contents: boolean, remotePath: string): Promise<void> {
    const there = await files.kindOf(remotePath);
    if (!(await stat(source)).isDirectory()) {
        if (there === undefined) {
            await files.makeDirectories(posix.dirname(remotePath));
        }
        const target = there === "directory" ? posix.join(remotePath, basename(source)) : remotePath;
        await files.writeFile(target, source);
        return;
    }
    if (there === "file") {
        throw new Error(`remote path ${remotePath} exists but is not a directory`);
    }
    if (there === undefined) {
        await files.makeDirectories(remotePath);
    }
    await copyFolder(files, source, contents ? remotePath : posix.join(remotePath, basename(source)));
}

async function copyFolder(files: RemoteFiles, source: string, target: string): Promise<void> {
    const there = await files.kindOf(target);
    if (there === "file") {
        throw new Error(`remote path ${target} exists but is not a directory`);
    }
    if (there === undefined) {
        await files.makeDirectory(target);
    }
    for (const name of (await readdir(source)).sort()) {
        const path = join(source, name);
        const inside = posix.join(target, name);
        await ((await lstat(path)).isDirectory() ? copyFolder(files, path, inside) : files.writeFile(inside, path));
    }
}
