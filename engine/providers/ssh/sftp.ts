import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { posix } from "node:path";
import { type Client, type SFTPWrapper, type Stats } from "ssh2";
import { messageOf, UserError } from "../../errors";
import { isRefusal, NoRoom } from "./run";

/** "No such file" in the protocol (SSH_FX_NO_SUCH_FILE). */
const NO_SUCH_FILE = 2;

function noSftp(endpoint: string, error: Error): UserError {
    return new UserError(
        `${endpoint} offers no SFTP: ${messageOf(error)}`,
        "its sshd_config needs a line such as `Subsystem sftp internal-sftp`",
        { cause: error },
    );
}

/** File operations on a host, with the provider's words in errors. Paths are the host's. */
export class RemoteFiles {
    private constructor(private readonly sftp: SFTPWrapper) {}

    /**
     * Opens a session for files. Throws `NoRoom` if the server has none left.
     *
     * @param endpoint the host's name in errors
     */
    static open(client: Client, endpoint: string): Promise<RemoteFiles> {
        return new Promise((resolve, reject) => {
            client.sftp((error, sftp) => {
                if (error !== undefined) {
                    reject(isRefusal(error) ? new NoRoom(error.message, { cause: error }) : noSftp(endpoint, error));
                    return;
                }
                // What was asked for fails by itself.
                sftp.on("error", () => undefined);
                resolve(new RemoteFiles(sftp));
            });
        });
    }

    close(): void {
        this.sftp.end();
    }

    /** `undefined` if there is nothing at the path. */
    async kindOf(path: string): Promise<"directory" | "file" | undefined> {
        const stats = await new Promise<Stats | undefined>((resolve, reject) => {
            this.sftp.stat(path, (error, found) => {
                if (error === undefined) {
                    resolve(found);
                } else if ((error as Error & { code?: number }).code === NO_SUCH_FILE) {
                    resolve(undefined);
                } else {
                    reject(new Error(`failed to stat remote path ${path}: ${messageOf(error)}`));
                }
            });
        });
        return stats === undefined ? undefined : stats.isDirectory() ? "directory" : "file";
    }

    async makeDirectory(path: string): Promise<void> {
        await new Promise<void>((resolve, reject) => {
            this.sftp.mkdir(path, (error) =>
                error === undefined || error === null
                    ? resolve()
                    : reject(new Error(`failed to create remote directory ${path}: ${messageOf(error)}`)),
            );
        });
    }

    /** Makes the directory with all above it, as far as they are missing. */
    async makeDirectories(path: string): Promise<void> {
        if ((await this.kindOf(path)) === "directory") {
            return;
        }
        const parent = posix.dirname(path);
        if (parent !== path) {
            await this.makeDirectories(parent);
        }
        await this.makeDirectory(path);
    }

    async writeText(path: string, text: string): Promise<void> {
        await this.write(path, [Buffer.from(text)], `failed to write text content to remote path ${path}`);
    }

    async writeFile(path: string, source: string): Promise<void> {
        await this.write(path, createReadStream(source), `failed to copy file ${source} to remote path ${path}`);
    }

    private async write(path: string, source: Iterable<Buffer> | AsyncIterable<Buffer>, what: string): Promise<void> {
        try {
            await pipeline(source, this.sftp.createWriteStream(path));
        } catch (error) {
            throw new Error(`${what}: ${messageOf(error)}`, { cause: error });
        }
    }
}
