import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, readFile, stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
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
        hash.update(tarHeaders(name, content.length));
        hash.update(padded(content));
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

/** What a tar header says of a file, of the little that the official engine's streams hold. */
interface TarEntry {
    readonly name: string;
    /** What of the name comes before `name`, when it is split. */
    readonly prefix?: string;
    readonly mode: number;
    readonly size: number;
    readonly flag: "0" | "x";
    /** Numbers of the device, which Go's library leaves empty for the extended header. */
    readonly device: boolean;
}

const NAME_BYTES = 100;
const PREFIX_BYTES = 155;

/**
 * The header (or headers) of one file in the tar stream that Go's library makes: plain USTAR where the name fits or can
 * be split, else a PAX header with the name before one that has as much of it as there is room for.
 */
function tarHeaders(name: string, size: number): Buffer {
    const file = { mode: 0o600, size, flag: "0", device: true } as const;
    const [prefix, rest] = splitName(name);
    if (rest !== undefined) {
        return tarHeader({ ...file, name: rest, prefix });
    }
    const record = Buffer.from(paxRecord("path", name));
    const slash = name.lastIndexOf("/") + 1;
    const extended = `${name.slice(0, slash)}PaxHeaders.0/${name.slice(slash)}`;
    return Buffer.concat([
        tarHeader({ name: asciiName(extended), mode: 0, size: record.length, flag: "x", device: false }),
        padded(record),
        tarHeader({ ...file, name: asciiName(name) }),
    ]);
}

function tarHeader(entry: TarEntry): Buffer {
    const header = Buffer.alloc(TAR_BLOCK);
    header.write(entry.name, 0, NAME_BYTES, "latin1");
    const octal = (value: number, offset: number, digits: number): void => {
        header.write(`${value.toString(8).padStart(digits, "0")}\0`, offset, "latin1");
    };
    octal(entry.mode, 100, 7);
    octal(0, 108, 7);
    octal(0, 116, 7);
    octal(entry.size, 124, 11);
    octal(0, 136, 11);
    header.write(entry.flag, 156, "latin1");
    header.write("ustar\x0000", 257, "latin1");
    if (entry.device) {
        octal(0, 329, 7);
        octal(0, 337, 7);
    }
    header.write(entry.prefix ?? "", 345, "latin1");
    header.write("        ", 148, "latin1");
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    return header;
}

/** Prefix and rest of a name that USTAR can say; no rest for one that it cannot. */
function splitName(name: string): [prefix: string, rest: string | undefined] {
    if (!isAscii(name)) {
        return ["", undefined];
    }
    if (name.length <= NAME_BYTES) {
        return ["", name];
    }
    const cut = name.lastIndexOf("/", PREFIX_BYTES);
    const rest = name.slice(cut + 1);
    return cut > 0 && rest !== "" && rest.length <= NAME_BYTES ? [name.slice(0, cut), rest] : ["", undefined];
}

function isAscii(text: string): boolean {
    return Array.from(text).every((character) => character > "\0" && character < "\x80");
}

/** As much of the name as an old reader can be told. */
function asciiName(name: string): string {
    return Array.from(name).filter(isAscii).join("").slice(0, NAME_BYTES).replace(/\/+$/, "");
}

/** `LENGTH KEY=VALUE\n`, where the length counts its own digits. */
function paxRecord(key: string, value: string): string {
    const rest = ` ${key}=${value}\n`;
    const bytes = Buffer.byteLength(rest);
    let length = bytes + String(bytes).length;
    while (length !== bytes + String(length).length) {
        length = bytes + String(length).length;
    }
    return `${length}${rest}`;
}

/** The content with what a tar stream fills its last block with. */
function padded(content: Buffer): Buffer {
    return Buffer.concat([content, Buffer.alloc((TAR_BLOCK - (content.length % TAR_BLOCK)) % TAR_BLOCK)]);
}
