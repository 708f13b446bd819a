import { createServer, type Server } from "node:http";
import { type AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ask, connections } from "../../drills/ask";

let server: Server;
let url: string;

beforeAll(async () => {
    server = createServer((request, response) => {
        if (request.url === "/") {
            response.end("here");
        } else if (request.url === "/half") {
            response.write("the first line");
        }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
    server.closeAllConnections();
    server.close();
});

/** Collects garbage for a while, as a long drill does: a timer that nobody holds is gone then. */
async function collectGarbage(): Promise<void> {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    for (let turn = 0; turn < 5; turn++) {
        await sleep(50);
        collect();
    }
}

test("an answer is whole", async () => {
    const agent = connections();
    expect(await ask(`${url}/`, agent, 5000)).toEqual({ status: 200, text: "here", cookies: [] });
    agent.destroy();
});

test.each(["/half", "/never"])(
    "a request for %s is given up when its time is over",
    async (path) => {
        const agent = connections();
        const [answer] = await Promise.all([ask(`${url}${path}`, agent, 500), collectGarbage()]);
        expect(answer).toBeUndefined();
        agent.destroy();
    },
    20_000,
);

test("a request is given up when it is told to", async () => {
    const agent = connections();
    const stop = new AbortController();
    const answer = ask(`${url}/never`, agent, 60_000, { signal: stop.signal });
    await sleep(50);
    stop.abort();
    expect(await answer).toBeUndefined();
    agent.destroy();
}, 20_000);
