import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Monitor } from "../../lab/qmp";

let folder: string;
let path: string;
let server: Server;
const asked: unknown[] = [];

/** A monitor that answers each command with `answer`. */
async function serve(answer: (command: string) => object | undefined, greet = true): Promise<void> {
    server = createServer((socket: Socket) => {
        if (greet) {
            socket.write('{"QMP": {"version": {}}}\r\n');
        }
        socket.on("error", () => undefined);
        socket.setEncoding("utf8").on("data", (data: string) => {
            for (const line of data.trim().split("\n")) {
                const request = JSON.parse(line) as { execute: string };
                asked.push(request);
                const reply = request.execute === "qmp_capabilities" ? { return: {} } : answer(request.execute);
                if (reply === undefined) {
                    socket.destroy();
                } else {
                    // In two pieces, with an event before: readers must not care.
                    const text = `{"event": "STOP"}\r\n${JSON.stringify(reply)}\r\n`;
                    socket.write(text.slice(0, 9));
                    setTimeout(() => socket.write(text.slice(9)), 5);
                }
            }
        });
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
}

beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "lab-unit-"));
    path = join(folder, "monitor");
    asked.length = 0;
});
afterEach(() => {
    server?.close();
    rmSync(folder, { recursive: true, force: true });
});

test("commands are answered in order, events passed over", async () => {
    await serve((command) => ({ return: { command } }));
    const monitor = await Monitor.open(path);
    expect(await monitor.execute("query-status")).toEqual({ command: "query-status" });
    await monitor.execute("set_link", { name: "n0", up: false });
    expect(asked.at(-1)).toEqual({ execute: "set_link", arguments: { name: "n0", up: false } });
    monitor.close();
});

test("a refusal is an error in QEMU's words", async () => {
    await serve(() => ({ error: { class: "GenericError", desc: "no such thing" } }));
    const monitor = await Monitor.open(path);
    await expect(monitor.execute("x")).rejects.toThrow("no such thing");
    monitor.close();
});

test("words of the monitor for humans are an error", async () => {
    await serve(() => ({ return: "Error: no space\r\n" }));
    const monitor = await Monitor.open(path);
    await expect(monitor.human("savevm x")).rejects.toThrow("Error: no space");
    monitor.close();
});

test("a monitor that goes away fails whoever waits", async () => {
    await serve(() => undefined);
    const monitor = await Monitor.open(path);
    await expect(monitor.execute("quit")).rejects.toThrow(/closed/);
    await expect(monitor.execute("more")).rejects.toThrow(/closed/);
});

test("one that never greets is given up", async () => {
    await serve(() => undefined, false);
    await expect(Monitor.open(path, 50)).rejects.toThrow(/closed/);
    await expect(Monitor.open(join(folder, "none"))).rejects.toThrow();
});
