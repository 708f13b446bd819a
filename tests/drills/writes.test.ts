import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { countWrites } from "../../drills/facts";
import { Rows } from "../../drills/writes";
import { temporaryFolder } from "../support/temporaryFolder";

const setup = readFileSync(join(__dirname, "../../lab/image/apache/setup.sh"), "utf8");
const program = /cgi-bin\/rows" <<'EOF'\n(.*?)\nEOF\n/s.exec(setup)?.[1] ?? "";

/** The guest's web server: runs the medium's own program as Apache does. */
class Guest {
    readonly file = join(temporaryFolder(), "rows");
    /** Answers that come and mean nothing, from now on: rows are acknowledged and forgotten. */
    forgetful = false;
    private readonly server: Server;

    constructor() {
        writeFileSync(this.file, "");
        this.server = createServer((request, response) => {
            const { method = "", url = "" } = request;
            if (method === "POST" && this.forgetful) {
                response.end();
                return;
            }
            const env = { PATH: "/usr/bin:/bin", REQUEST_METHOD: method, QUERY_STRING: url.split("?")[1] ?? "" };
            const { stdout } = spawnSync("sh", ["-c", program.replace("/var/lib/rows/rows", this.file)], {
                env,
                encoding: "utf8",
            });
            const [head = "", body] = stdout.split("\r\n\r\n");
            response.statusCode = Number(/^Status: (\d+)/.exec(head)?.[1]);
            response.end(body);
        });
    }

    async url(): Promise<string> {
        await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
        return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/cgi-bin/rows`;
    }

    close(): void {
        this.server.closeAllConnections();
        this.server.close();
    }
}

describe("rows", () => {
    const guest = new Guest();
    let url = "";
    beforeAll(async () => {
        url = await guest.url();
    });
    afterAll(() => guest.close());

    it("are written one a second and found again, those of others left alone", async () => {
        writeFileSync(guest.file, "17\n");
        const rows = new Rows(url, 2000);
        expect(await rows.offered()).toBe(true);
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
        guest.forgetful = true;
        const rows = new Rows(url, 2000);
        rows.start();
        await sleep(1200);
        const counted = countWrites(await rows.finish());
        guest.forgetful = false;
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
        expect(await new Rows(`http://127.0.0.1:${port}/cgi-bin/rows`, 1000).offered()).toBe(false);
        server.close();
    });
});
