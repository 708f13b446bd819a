import { spawn, spawnSync } from "node:child_process";
import { appendFileSync, chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DRILLS, findDrills } from "../../drills/catalogue";
import { readView } from "../../drills/cluster";
import { observe } from "../../drills/console";
import { factsOf } from "../../drills/facts";
import { svg } from "../../drills/picture";
import { figures, markdown, statistics, summary } from "../../drills/report";
import { followConsole, sampleHttp } from "../../drills/samplers";
import { type ConsoleLine, type HttpSample } from "../../drills/record";
import { judge, resetBeforeStart } from "../../drills/verdict";
import { installWatcher, watcher } from "../../drills/watcher";
import { temporaryFolder } from "../support/temporaryFolder";
import { failover, http, record, START } from "./lines";
import { standInForXen } from "./xen";

describe("the cluster's own XML", () => {
    const node = (name: string, online: boolean, standby = false) =>
        `<node name="${name}" id="1" online="${online}" standby="${standby}" standby_onfail="false" pending="false"/>`;
    const resource = (id: string, ...hosts: string[]) =>
        hosts.length === 0
            ? `<resource id="${id}" role="Stopped" active="false"/>`
            : `<resource id="${id}" role="Started" active="true">${hosts.map((host) => `<node name="${host}" id="2" cached="true"/>`).join("\n")}</resource>`;
    const status = `<summary><current_dc present="true" name="OVMANAGER" with_quorum="true"/></summary>
        <nodes>${node("OVMANAGER", true)}${node("A", true)}${node("B", false)}${node("C", true, true)}</nodes>
        <resources>${resource("stopped")}${resource("guest", "A")}${resource("address", "A", "B")}</resources>`;

    it("is read", () => {
        expect(readView(status)).toEqual({
            quorum: true,
            coordinator: "OVMANAGER",
            members: ["OVMANAGER", "A", "B", "C"],
            online: ["OVMANAGER", "A"],
            runsOn: { guest: ["A"], address: ["A", "B"] },
        });
    });

    it("is read at its end when it is the scheduler's", () => {
        const revised = `<revised_cluster_status><nodes></nodes><resources>${resource("guest", "B")}</resources></revised_cluster_status>`;
        expect(readView(`${status}${revised}`).runsOn).toEqual({ guest: ["B"] });
    });

    it("has no coordinator when none is present", () => {
        expect(readView('<summary><current_dc present="false"/></summary>')).toMatchObject({
            quorum: false,
            online: [],
        });
    });
});

describe("requests", () => {
    async function sampled(answer: RequestListener, milliseconds: number, patience: number): Promise<HttpSample[]> {
        const server = createServer(answer);
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        const samples: HttpSample[] = [];
        const { port } = server.address() as AddressInfo;
        const sampler = sampleHttp(`http://127.0.0.1:${port}/`, patience, (sample) => samples.push(sample));
        await sleep(milliseconds);
        sampler.stop();
        server.closeAllConnections();
        server.close();
        return samples;
    }

    it("are sent five times a second", async () => {
        const samples = await sampled((_, response) => response.end("page"), 1100, 500);
        expect(samples.length).toBeGreaterThanOrEqual(4);
        expect(samples.length).toBeLessThanOrEqual(7);
        expect(new Set(samples.map(({ status }) => status))).toEqual(new Set([200]));
    });

    it("keep their connection, and are sent again when the server closes it just then", async () => {
        const sockets = new Set<unknown>();
        let answered = 0;
        const samples = await sampled(
            (message, response) => {
                sockets.add(message.socket);
                answered++;
                if (answered === 3) {
                    message.socket.resetAndDestroy();
                } else {
                    response.end("page");
                }
            },
            1300,
            1000,
        );
        expect(samples.length).toBeGreaterThanOrEqual(4);
        expect(samples.every(({ status }) => status === 200)).toBe(true);
        expect(sockets.size).toBe(2);
    });

    it("do not pile up: five wait at most", async () => {
        let waiting = 0;
        await sampled(() => void waiting++, 1800, 60_000);
        expect(waiting).toBe(5);
    });

    it("are given up, each by itself, when no answer or half of one comes", async () => {
        const samples = await sampled((_, response) => response.write("half a page"), 1100, 300);
        expect(samples.length).toBeGreaterThanOrEqual(3);
        for (const { status, sentAt, endedAt } of samples) {
            expect(status).toBeUndefined();
            expect(endedAt - sentAt).toBeGreaterThanOrEqual(290);
        }
    });

    it("tell what was answered", async () => {
        const samples = await sampled((_, response) => response.writeHead(503).end(), 300, 300);
        expect(samples[0]).toMatchObject({ status: 503 });
    });

    it("tell that a server dies in the middle of an answer", async () => {
        const samples = await sampled(
            (_, response) => {
                response.writeHead(200, { "content-length": "100" });
                response.write("a part");
                setTimeout(() => response.destroy(), 20);
            },
            500,
            5000,
        );
        expect(samples[0]?.status).toBeUndefined();
        expect(samples.length).toBeGreaterThan(0);
    });
});

describe("a console", () => {
    it("is followed from its end on, whole lines only", async () => {
        const file = join(temporaryFolder(), "console.log");
        writeFileSync(file, "@drill see 1.00 .\n");
        const lines: ConsoleLine[] = [];
        const follower = followConsole("A", file, (line) => lines.push(line));
        appendFileSync(file, "noise\n@drill see 2.00");
        await sleep(150);
        expect(lines).toEqual([]);
        appendFileSync(file, " .\r\n(XEN) Xen version 4\n");
        await sleep(150);
        follower.stop();
        expect(lines.map(({ text }) => text)).toEqual(["@drill see 2.00 .", "(XEN) Xen version 4"]);
    });
});

describe("the watcher", () => {
    /** The environment of a host with these domains (in Python), and with what its journal says. */
    function host(folder: string, domains: string, journal: string): NodeJS.ProcessEnv {
        const bin = join(folder, "bin");
        mkdirSync(bin);
        writeFileSync(join(bin, "journalctl"), `#!/bin/sh\n${journal}\n`);
        chmodSync(join(bin, "journalctl"), 0o755);
        return { PATH: `${bin}:/usr/bin:/bin`, PYTHONPATH: standInForXen(folder, domains) };
    }

    it("says what the console's reader understands", async () => {
        const folder = temporaryFolder();
        const program = installWatcher("WebServerHA").input.replace('"/dev/console"', "3");
        const domains = `[
            (7, "WebServerHA", ("blocked",)),
            (8, "WebServerHA--incoming", ("paused",)),
            (9, "WebServerHA2", ("running",)),
            (10, "WebServerHA--migratedaway", ("shutdown", "crashed", "dying")),
        ]`;
        const log = "[  123.456789] A pacemaker-controld[77]:  notice: Node B state is now lost";
        const child = spawn("python3", ["-c", program, "WebServerHA"], {
            env: host(folder, domains, `echo '${log}'; sleep 2`),
            stdio: ["ignore", "ignore", "ignore", "pipe"],
            detached: true,
        });
        let text = "";
        child.stdio[3]?.on("data", (data: Buffer) => (text += data.toString()));
        for (let tries = 0; tries < 100 && !(text.includes("see") && text.includes("log")); tries++) {
            await sleep(50);
        }
        // Its own group: the loop, and the journal's reader beside it.
        process.kill(-(child.pid ?? NaN), "SIGKILL");
        const lines = text.split("\n").map((line) => ({ host: "A", at: START, text: line }));
        const seen = observe(lines);
        expect(seen.find(({ kind }) => kind === "log")).toMatchObject({
            unit: "pacemaker-controld",
            text: "notice: Node B state is now lost",
        });
        expect(seen.find(({ kind }) => kind === "sight")).toMatchObject({
            copies: [
                { name: "WebServerHA", id: 7, state: "-b----" },
                { name: "WebServerHA--incoming", id: 8, state: "--p---" },
                { name: "WebServerHA--migratedaway", id: 10, state: "---scd" },
            ],
        });
    });

    const [broken, nameless] = ["1 / 0", '[(3, None, ("running",))]'];
    it.each([
        ["says that nothing runs where there is no guest, whatever devices there are", "[]", ["vif-3-0"], true],
        ["says that nothing runs where Xen does not answer, and no device of a guest is there", broken, [], true],
        ["says nothing where Xen does not answer, and a device of a guest is there", broken, ["vif-3-0"], false],
        ["says nothing of a domain without a name", nameless, ["vif-3-0"], false],
    ])("%s", async (_, domains, devices, says) => {
        const folder = temporaryFolder();
        mkdirSync(join(folder, "devices"));
        devices.forEach((name) => writeFileSync(join(folder, "devices", name), ""));
        const text = watcher.text().replace(/^BACKENDS = .*$/m, `BACKENDS = "${join(folder, "devices")}"`);
        const child = spawn("python3", ["-", "WebServerHA", "connection"], {
            env: host(folder, domains, "sleep 2"),
            detached: true,
        });
        child.stdin.end(text);
        let said = "";
        child.stdout.on("data", (data: Buffer) => (said += data.toString()));
        for (let tries = 0; tries < 100 && !said.includes("here"); tries++) {
            await sleep(50);
        }
        // It ends with all it has begun when nobody reads any more.
        child.stdout.destroy();
        const signal = await new Promise((resolve) => child.once("exit", (code, by) => resolve(by ?? code)));
        expect(signal).toBe("SIGTERM");
        expect(said).toContain("@drill here");
        expect(/@drill see [\d.]+ \.\n/.test(said)).toBe(says);
    });

    it("is installed by a shell's text", () => {
        expect(spawnSync("sh", ["-n"], { input: installWatcher("WebServerHA").command }).status).toBe(0);
    });
});

describe("a report", () => {
    const facts = factsOf(
        record({
            marks: [{ at: START + 10_000, kind: "fault", text: "network cut", host: "OVMSERVER01" }],
            console: failover(10, 27, 52, 200),
            http: http(200, [10.4, 130]),
            prediction: { options: ["--node-fail", "OVMSERVER01"], node: "OVMSERVER02" },
        }),
    );
    const run = { facts, verdict: judge(facts, [resetBeforeStart]), about: "a cable <is> pulled" };

    it("in words has every figure", () => {
        expect(markdown(run, "node-cut.svg")).toMatchSnapshot();
    });

    it("as a table has one row a run", () => {
        expect(summary([run]).split("\n")).toHaveLength(3);
        expect(summary([run], [{ drill: "join", because: "no third node" }])).toContain("Not run: join: no third node");
    });

    it("of several runs of one drill says how they spread", () => {
        const longer = factsOf(record({ http: http(200, [10, 90]) }));
        const other = { facts: longer, verdict: { passed: false, rulings: [] }, about: "" };
        expect(statistics([run, other])).toEqual([
            { drill: "node-cut", runs: 2, passed: 1, gone: { least: 80.05, median: 99.85, most: 119.65 } },
        ]);
        expect(summary([run, other])).toContain("| node-cut | 1 of 2 | 80.0 s | 99.8 s | 119.7 s |");
        expect(statistics([run])).toEqual([]);
    });

    it("as data has no lines of the consoles", () => {
        const data = JSON.stringify(figures(run));
        expect(data.length).toBeLessThan(6000);
        expect(figures(run)).toMatchObject({
            passed: true,
            copies: { seen: 1, possible: 1 },
            http: { longest: 119.65 },
        });
    });

    it("as a picture is well formed", () => {
        const picture = svg(run);
        const { status } = spawnSync("xmllint", ["--noout", "-"], { input: picture });
        // Without that program the tags are counted at least.
        expect(status === 0 || status === null).toBe(true);
        expect(picture.match(/<(rect|text|title|svg)\b(?:[^>]*[^/])?>/g)?.length).toBe(
            picture.match(/<\/(rect|text|title|svg)>/g)?.length,
        );
        expect(picture).toMatch(/>\+120\.0 s<\/text>\n<text [^>]*>HTTP back</);
        expect(picture).not.toContain("NaN");
    });
});

describe("the catalogue", () => {
    it("has drills of different names, each with rules, and all under `all`", () => {
        expect(new Set(DRILLS.map(({ name }) => name)).size).toBe(DRILLS.length);
        expect(DRILLS.every(({ rules }) => rules.length > 2)).toBe(true);
        expect(findDrills("all")).toBe(DRILLS);
    });

    it("knows a group of drills by what they have in common", () => {
        expect(findDrills("repository").map(({ name }) => name)).toEqual([
            "repository-10",
            "repository-60",
            "repository-200",
        ]);
        expect(findDrills("node-cut")).toHaveLength(1);
        expect(findDrills("node")).toHaveLength(0);
    });

    it("asks node-cut for proof", () => {
        expect(findDrills("node-cut")[0]?.rules).toContain(resetBeforeStart);
    });

    it("has a watcher that Python can read", () => {
        const read = "import ast, sys; ast.parse(sys.stdin.read())";
        expect(watcher.text().startsWith("#!/usr/bin/python3\n")).toBe(true);
        expect(spawnSync("python3", ["-c", read], { input: watcher.text() }).status).toBe(0);
    });
});
