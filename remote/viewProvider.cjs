/*
 * The code of a `View` (view.ts). It is recorded with the resource, and run by Pulumi's own provider process, which knows
 * none of this program's modules: only what is installed for it can be required.
 */
const { Buffer } = require("node:buffer");
const { createRequire } = require("node:module");
const { join } = require("node:path");
const { clearTimeout, setTimeout } = require("node:timers");
const { isDeepStrictEqual } = require("node:util");

/** From the dial to the login. Old servers look names up before they greet. */
const LOGIN_MS = 60_000;

/** Added to what the host itself allows a probe. */
const MARGIN_MS = 30_000;

function keyOf(line) {
    const words = line.trim().split(/\s+/);
    return { type: words[0], blob: Buffer.from(words[1] ?? "", "base64") };
}

function login({ Client }, endpoint, sock) {
    const pinned = keyOf(endpoint.hostKey);
    const name = `${endpoint.host}:${endpoint.port}`;
    return new Promise((resolve, reject) => {
        const client = new Client();
        let isOther = false;
        client.once("ready", () => resolve(client));
        client.on("error", (error) =>
            reject(
                new Error(
                    isOther ? `${name} has another host key than the one it is known by` : `${name}: ${error.message}`,
                ),
            ),
        );
        client.connect({
            ...(sock === undefined ? { host: endpoint.host, port: endpoint.port } : { sock }),
            username: endpoint.user,
            ...(endpoint.privateKey === undefined
                ? { agent: process.env.SSH_AUTH_SOCK }
                : { privateKey: endpoint.privateKey }),
            readyTimeout: LOGIN_MS,
            hostVerifier: (key) => {
                isOther = !pinned.blob.equals(key);
                return !isOther;
            },
            algorithms: {
                // Servers of the age of OpenSSH 4.3 know nothing newer.
                kex: { append: ["diffie-hellman-group14-sha1"], prepend: [], remove: [] },
                serverHostKey: pinned.type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"] : [pinned.type],
            },
        });
    });
}

function through(client, { host, port }) {
    return new Promise((resolve, reject) =>
        client.forwardOut("127.0.0.1", 0, host, port, (error, stream) => (error ? reject(error) : resolve(stream))),
    );
}

function run(client, { command, script, seconds }) {
    return new Promise((resolve, reject) => {
        const clock = setTimeout(() => reject(new Error("did not answer in time")), seconds * 1000 + MARGIN_MS);
        const end = (settle, value) => {
            clearTimeout(clock);
            settle(value);
        };
        client.once("close", () => end(reject, new Error("the connection broke")));
        client.exec(command, (error, stream) => {
            if (error) {
                end(reject, error);
                return;
            }
            let said = "";
            let complained = "";
            stream.setEncoding("utf8").on("data", (text) => (said += text));
            stream.stderr.setEncoding("utf8").on("data", (text) => (complained += text));
            stream.once("close", (code) => {
                const reason = complained.trim().split("\n").pop() || `ended with status ${code}`;
                end(code === 0 ? resolve : reject, code === 0 ? said.trimEnd() : new Error(reason));
            });
            stream.end(script);
        });
    });
}

async function look({ title, connection, ...probe }) {
    const ssh2 = createRequire(join(process.cwd(), "index.js"))("ssh2");
    const { proxy, ...endpoint } = connection;
    const clients = [];
    try {
        if (proxy !== undefined) {
            clients.push(await login(ssh2, proxy));
        }
        clients.push(await login(ssh2, endpoint, proxy && (await through(clients[0], endpoint))));
        return await run(clients.at(-1), probe);
    } catch (error) {
        throw new Error(`${title}: ${error.message}`, { cause: error });
    } finally {
        clients.reverse().forEach((client) => client.end());
    }
}

const INPUTS = ["title", "connection", "command", "script", "seconds", "after"];

const inputsOf = (properties) => Object.fromEntries(INPUTS.map((name) => [name, properties[name]]));

module.exports.handler = () => ({
    async create(inputs) {
        return { id: inputs.title, outs: { ...inputs, state: await look(inputs) } };
    },
    async update(_id, _olds, inputs) {
        return { outs: { ...inputs, state: await look(inputs) } };
    },
    // What was seen, and by which code, is no reason to look again; only what to look at is.
    async diff(_id, olds, news) {
        return { changes: !isDeepStrictEqual(inputsOf(olds), inputsOf(news)) };
    },
    async read(id, properties) {
        const state = await look(properties);
        // An engine shows a refreshed resource as changed when its inputs are: the news are put there, too.
        const news = state === properties.state ? {} : { inputs: { ...inputsOf(properties), seen: state } };
        return { id, props: { ...properties, state }, ...news };
    },
});
