import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { countWrites } from "../../drills/facts";
import { apacheRows, findApplication, mediaWikiRows, Rows } from "../../drills/writes";
import { freePort } from "../engine/support/sshd";
import { temporaryFolder } from "../support/temporaryFolder";

const setup = readFileSync(join(__dirname, "../../lab/image/apache/setup.sh"), "utf8");
const program = /rows\.lua" <<'EOF'\n(.*?)EOF\n/s.exec(setup)?.[1] ?? "";
const MODULES = "/usr/lib/apache2/modules";

/** The guest's web server, with the medium's own program. */
class Guest {
    private readonly folder = temporaryFolder();
    readonly file = join(this.folder, "rows");
    private server?: ChildProcess;

    /** Starts it, and returns the URL of the program. */
    async start(): Promise<string> {
        const port = await freePort();
        // Apache does as another user what root has it do.
        chmodSync(this.folder, 0o755);
        writeFileSync(this.file, "");
        chmodSync(this.file, 0o666);
        writeFileSync(join(this.folder, "rows.lua"), program.replace("/var/lib/rows/rows", this.file));
        writeFileSync(
            join(this.folder, "apache2.conf"),
            [
                `LoadModule mpm_event_module ${MODULES}/mod_mpm_event.so`,
                `LoadModule authz_core_module ${MODULES}/mod_authz_core.so`,
                `LoadModule lua_module ${MODULES}/mod_lua.so`,
                "User www-data",
                "Group www-data",
                "ServerName localhost",
                `Listen 127.0.0.1:${port}`,
                `DefaultRuntimeDir ${this.folder}`,
                `PidFile ${this.folder}/pid`,
                `ErrorLog ${this.folder}/error.log`,
                `LuaMapHandler ^/rows$ ${this.folder}/rows.lua`,
                "",
            ].join("\n"),
        );
        this.server = spawn("apache2", ["-f", join(this.folder, "apache2.conf"), "-D", "FOREGROUND"], {
            env: { PATH: "/usr/sbin:/usr/bin" },
            stdio: "ignore",
        });
        this.server.once("error", () => undefined);
        const url = `http://127.0.0.1:${port}/rows`;
        for (let tries = 0; tries < 50; tries++) {
            if (
                await fetch(url).then(
                    ({ ok }) => ok,
                    () => false,
                )
            ) {
                return url;
            }
            await sleep(100);
        }
        throw new Error("Apache does not answer: is the package apache2-bin installed?");
    }

    async close(): Promise<void> {
        if (this.server?.pid !== undefined) {
            const ended = once(this.server, "exit");
            this.server.kill();
            await ended;
        }
    }
}

describe("rows", () => {
    const guest = new Guest();
    let url = "";
    beforeAll(async () => {
        url = await guest.start();
    });
    afterAll(async () => guest.close());

    it("are written one a second and found again, those of others left alone", async () => {
        writeFileSync(guest.file, "17\n");
        const application = apacheRows(url, 2000);
        expect(await application.offered()).toBe(true);
        const rows = new Rows(application);
        rows.start();
        await sleep(2300);
        const writes = await rows.finish();
        expect(countWrites(writes)).toEqual({ sent: 2, acknowledged: 2, found: 2, lost: [] });
        expect(readFileSync(guest.file, "utf8").split("\n")).toEqual([
            "17",
            ...writes.samples.map(({ row }) => String(row)),
            "",
        ]);
    });

    it("are lost when they were acknowledged and are not there", async () => {
        const rows = new Rows(apacheRows(url, 2000));
        rows.start();
        await sleep(1500);
        writeFileSync(guest.file, "");
        const counted = countWrites(await rows.finish());
        expect(counted).toMatchObject({ sent: 1, acknowledged: 1, found: 0 });
        expect(counted.lost).toHaveLength(1);
    });

    it("are numbers, and nothing else gets into the file", async () => {
        const before = readFileSync(guest.file, "utf8");
        const { status } = await fetch(`${url}?1;id`, { method: "POST" });
        expect(status).toBe(400);
        expect(readFileSync(guest.file, "utf8")).toBe(before);
    });

    it("are not offered by a guest that does not have the program", async () => {
        const server = createServer((_, response) => response.writeHead(404).end());
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        const { port } = server.address() as AddressInfo;
        expect(await apacheRows(`http://127.0.0.1:${port}/rows`, 1000).offered()).toBe(false);
        expect(await findApplication(`http://127.0.0.1:${port}/`, 1000)).toBeUndefined();
        server.close();
    });

    it("are not left out because the guest's program is broken", async () => {
        const server = createServer((_, response) => response.writeHead(503).end());
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        const { port } = server.address() as AddressInfo;
        await expect(findApplication(`http://127.0.0.1:${port}/`, 1000)).rejects.toThrow(
            "rows in the guest does not answer",
        );
        server.close();
    });
});

/** As much of MediaWiki 1.39's api.php as rows need, in the answers it gives. */
class Wiki {
    readonly titles: string[] = [];
    /** Edits that were tried, by the parameters they came with. */
    readonly tried: URLSearchParams[] = [];
    token = "a+\\";
    refusal = "";
    private readonly server = createServer((request, response) => {
        let body = "";
        request.on("data", (data: Buffer) => (body += data.toString()));
        request.on("end", () => {
            const { pathname, searchParams } = new URL(request.url ?? "", "http://wiki");
            if (pathname !== "/mediawiki/api.php") {
                response.writeHead(404).end();
                return;
            }
            response.setHeader("content-type", "application/json");
            response.setHeader("set-cookie", "session=1; path=/; HttpOnly");
            response.end(
                JSON.stringify(this.answer(request.method === "POST" ? new URLSearchParams(body) : searchParams)),
            );
        });
    });

    private answer(asked: URLSearchParams): unknown {
        if (asked.get("action") === "edit") {
            this.tried.push(asked);
            const code = this.refusal || (asked.get("token") === this.token ? "" : "badtoken");
            if (code !== "") {
                return { error: { code, info: "…" } };
            }
            this.titles.push(asked.get("title") ?? "");
            return { edit: { result: "Success", title: asked.get("title"), newrevid: 7 } };
        }
        if (asked.get("meta") === "tokens") {
            return { batchcomplete: true, query: { tokens: { csrftoken: this.token } } };
        }
        if (asked.get("list") === "allpages") {
            // One page an answer, so that whoever asks has to go on.
            const from = Number(asked.get("apcontinue") ?? 0);
            const found = this.titles.filter((title) => title.startsWith(asked.get("apprefix") ?? ""));
            const more = from + 1 < found.length;
            return {
                ...(more && { continue: { apcontinue: String(from + 1), continue: "-||" } }),
                query: { allpages: found.slice(from, from + 1).map((title) => ({ pageid: 1, ns: 0, title })) },
            };
        }
        return { query: { general: { generator: "MediaWiki 1.39.17" } } };
    }

    async url(): Promise<string> {
        await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
        return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
    }

    close(): void {
        this.server.closeAllConnections();
        this.server.close();
    }
}

describe("rows in a MediaWiki", () => {
    const wiki = new Wiki();
    let url = "";
    beforeAll(async () => {
        url = await wiki.url();
    });
    afterAll(() => wiki.close());

    it("are pages, written one a second and found again", async () => {
        const application = await findApplication(url, 2000);
        expect(application?.name).toBe("MediaWiki");
        const rows = new Rows(application ?? apacheRows(url, 1));
        rows.start();
        await sleep(2300);
        const writes = await rows.finish();
        expect(countWrites(writes)).toEqual({ sent: 2, acknowledged: 2, found: 2, lost: [] });
        // The one by which it was tried whether edits are taken is no row of the drill.
        expect(wiki.titles).toHaveLength(3);
        expect(wiki.tried.every((edit) => edit.get("createonly") === "1")).toBe(true);
    });

    it("are written with a new token when the old one is no longer good", async () => {
        const application = mediaWikiRows(`${url}mediawiki/api.php`, 2000);
        expect(await application.write(1)).toBe(true);
        wiki.token = "b+\\";
        expect(await application.write(2)).toBe(false);
        expect(await application.write(3)).toBe(true);
    });

    it("are not acknowledged when the wiki says anything but Success", async () => {
        wiki.refusal = "ratelimited";
        expect(await mediaWikiRows(`${url}mediawiki/api.php`, 2000).write(4)).toBe(false);
        expect(await findApplication(url, 2000)).toBeUndefined();
        wiki.refusal = "";
    });
});
