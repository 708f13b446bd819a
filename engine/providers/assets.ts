import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, readFile, stat } from "node:fs/promises";
import { basename, isAbsolute, join } from "node:path";
import { NotSupported, UserError } from "../errors";
import { Archive, Asset } from "../values/value";

/** File names that are archives by themselves, hashed byte by byte. */
const ARCHIVE_NAME = /\.(tar|tgz|tar\.gz|zip|jar)$/;
/** Where the official engine keeps its own data; never part of a folder that is an asset. */
const BOOKKEEPING = ".pulumi";
const TAR_BLOCK = 512;

/** The path of an asset's or archive's file or folder, relative ones from `directory` on. */
export function resolvePath(path: string, directory: string): string {
    return isAbsolute(path) ? path : join(directory, path);
}

/** The asset with the hash that the official engine gives it: sha256 of the content, in hex. */
export async function hashedAsset(asset: Asset, directory: string): Promise<Asset> {
    return asset.hash === "" ? new Asset(asset.source, await contentHash(asset, directory)) : asset;
}

async function contentHash(asset: Asset, directory: string): Promise<string> {
    const { path, text, uri } = asset.source;
    if (uri !== undefined) {
        throw new NotSupported("an asset by URI");
    }
    const hash = createHash("sha256");
    if (path === undefined) {
        hash.update(text ?? "");
    } else {
        await hashFile(hash, resolvePath(path, directory), path);
    }
    return hash.digest("hex");
}

/**
 * The archive with the hash that the official engine gives it: of the bytes of an archive file; of a folder, of the
 * tar stream made of its files, in the order of their names, without modes, owners and times.
 */
export async function hashedArchive(archive: Archive, directory: string): Promise<Archive> {
    const { path } = archive.source;
    if (archive.hash !== "") {
        return archive;
    }
    if (path === undefined) {
        throw new NotSupported("an archive of assets or by URI");
    }
    const file = resolvePath(path, directory);
    const hash = createHash("sha256");
    if (ARCHIVE_NAME.test(path)) {
        await hashFile(hash, file, path);
    } else {
        await hashFolder(hash, file, path);
    }
    return new Archive(archive.source, hash.digest("hex"));
}

async function hashFile(hash: Hash, file: string, shown: string): Promise<void> {
    try {
        for await (const chunk of createReadStream(file)) {
            hash.update(chunk as Buffer);
        }
    } catch (error) {
        throw new UserError(`cannot read ${shown}`, "the source of an asset must be a readable file", { cause: error });
    }
}

async function hashFolder(hash: Hash, folder: string, shown: string): Promise<void> {
    const found = await stat(folder).catch(() => undefined);
    if (found?.isDirectory() !== true) {
        throw new UserError(`'${shown}' is neither a recognized archive type nor a directory`);
    }
    for (const name of await filesIn(folder)) {
        const content = await readFile(join(folder, name));
        hash.update(tarHeader(name, content.length));
        hash.update(content);
        hash.update(Buffer.alloc((TAR_BLOCK - (content.length % TAR_BLOCK)) % TAR_BLOCK));
    }
    hash.update(Buffer.alloc(2 * TAR_BLOCK));
}

/** The files below a folder by relative path, in the order in which names sort on each level. */
async function filesIn(folder: string, prefix = ""): Promise<string[]> {
    const names = (await readdir(folder)).sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
    const found: string[] = [];
    for (const name of names.filter((entry) => entry !== BOOKKEEPING)) {
        const path = join(folder, name);
        if ((await lstat(path)).isDirectory()) {
            found.push(...(await filesIn(path, `${prefix}${name}/`)));
        } else if (!(await stat(path)).isDirectory()) {
            found.push(prefix + name);
        }
    }
    return found;
}

/**
 * One header of a tar stream as the official engine's library writes it for a file of mode 0600 without owner and time:
 * plain USTAR, split names included. What needs an extended header is not supported.
 */
function tarHeader(name: string, size: number): Buffer {
    const [prefix, rest] = splitName(name);
    const header = Buffer.alloc(TAR_BLOCK);
    header.write(rest, 0, "latin1");
    const octal = (value: number, offset: number, digits: number): void => {
        header.write(`${value.toString(8).padStart(digits, "0")}\0`, offset, "latin1");
    };
    octal(0o600, 100, 7);
    octal(0, 108, 7);
    octal(0, 116, 7);
    octal(size, 124, 11);
    octal(0, 136, 11);
    header.write("0", 156, "latin1");
    header.write("ustar\x0000", 257, "latin1");
    octal(0, 329, 7);
    octal(0, 337, 7);
    header.write(prefix, 345, "latin1");
    header.write("        ", 148, "latin1");
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    return header;
}

function splitName(name: string): [prefix: string, rest: string] {
    const ascii = Array.from(name).every((character) => character >= " " && character <= "~");
    if (ascii && name.length <= 100) {
        return ["", name];
    }
    const cut = name.lastIndexOf("/", 155);
    const rest = name.slice(cut + 1);
    if (!ascii || cut <= 0 || rest.length > 100 || rest === "") {
        throw new NotSupported(`the long or not plain file name ${basename(name)} in a folder that is an asset`);
    }
    return [name.slice(0, cut), rest];
}
