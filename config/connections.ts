import { type Fault, type Report } from "./faults";
import { isGroup } from "./fields";
import { hostKeyLookup, knownHostsName, keyToPin, type HostKey } from "./hostkeys";
import { nearest } from "./nearest";
import { type ClusterDraft, type SecretKey } from "./schema";
import { type Endpoint } from "./spec";

/** What the parser needs to know of the machine it runs on; reading it is the caller's part, see `neededFiles`. */
export interface Surroundings {
    /** Text of the file `ssh.knownHosts`; absent when it cannot be read. */
    knownHosts?: string;
    /** Text of the file `endpoints`; absent when it cannot be read. */
    endpoints?: string;
    /** Text of the public half of the key file `ssh.key`; absent when there is no such file. */
    publicKey?: string;
    /** The secret keys that are set in the stack. */
    secrets: ReadonlySet<SecretKey>;
}

/** A host to log in to, as far as the configuration could be read. */
export interface Machine {
    /** `manager` or `nodes[2]`. */
    path: string;
    name?: string;
    address?: string;
    /** Its own `ssh:` block. */
    ssh?: { host?: string; port?: number };
}

/** Finds where each host's SSH answers and with which key; hosts that could not be resolved are missing in `of`. */
export interface Connections {
    of: ReadonlyMap<string, Endpoint>;
    bastion?: Endpoint;
}

type Ports = ReadonlyMap<string, { host: string; port: number }>;

/**
 * Reads the endpoints file, which is the lab's description: `{"machines": [{"name": "OVMANAGER", "sshPort": 2200}, …]}`,
 * with ports on 127.0.0.1. Whatever else it says is left alone, because the file belongs to the lab. `undefined`: it is not
 * of that form.
 */
export function parseEndpoints(content: string): Ports | undefined {
    let json: unknown;
    try {
        json = JSON.parse(content);
    } catch {
        return undefined;
    }
    if (!isGroup(json) || !Array.isArray(json["machines"])) {
        return undefined;
    }
    const ports = new Map<string, { host: string; port: number }>();
    for (const machine of json["machines"] as readonly unknown[]) {
        if (!isGroup(machine) || typeof machine["name"] !== "string" || !isPort(machine["sshPort"])) {
            return undefined;
        }
        ports.set(machine["name"].toLowerCase(), { host: "127.0.0.1", port: machine["sshPort"] });
    }
    return ports;
}

function isPort(value: unknown): value is number {
    return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 65535;
}

function readEndpoints(file: string | undefined, { endpoints }: Surroundings, report: Report): Ports | undefined {
    if (file === undefined) {
        return undefined;
    }
    const ports = endpoints === undefined ? undefined : parseEndpoints(endpoints);
    if (ports === undefined) {
        report({
            path: "endpoints",
            value: file,
            problem:
                endpoints === undefined
                    ? "cannot be read: the lab has not been started"
                    : 'does not say {"machines": [{"name": …, "sshPort": …}, …]}',
            remedy: "start the lab, which writes it (npm run lab:up), or remove the key if the hosts are real",
        });
    }
    return ports;
}

/** The command that fetches a host's key, and how to see that it is the right one. */
function scanRemedy(
    host: string,
    port: number,
    file: string,
    { bastion, type }: { bastion: string | undefined; type: "ed25519" | "rsa" },
): string {
    const scan = `ssh-keyscan -t ${type}${port === 22 ? "" : ` -p ${port}`} ${host}`;
    const command = bastion === undefined ? scan : `ssh ${bastion} ${scan}`;
    return (
        `run \`${command} >> ${file}\`, then compare \`ssh-keygen -l -F '${knownHostsName(host, port)}' -f ${file}\` ` +
        `with \`ssh-keygen -l -f /etc/ssh/ssh_host_${type}_key.pub\` on the host's own console`
    );
}

/** Resolves every machine's endpoint and host key and reports what is missing. */
export function connect(
    draft: ClusterDraft,
    machines: readonly Machine[],
    around: Surroundings,
    report: Report,
): Connections {
    const ports = readEndpoints(draft.endpoints, around, report);
    const file = draft.ssh?.knownHosts ?? "known_hosts";
    const lookup = around.knownHosts === undefined ? undefined : hostKeyLookup(around.knownHosts);
    // The lab writes both files when it starts: without it, one fault says so.
    const labIsDown = draft.endpoints !== undefined && ports === undefined;
    if (lookup === undefined && draft.ssh?.knownHosts !== undefined && !labIsDown) {
        report({
            path: "ssh.knownHosts",
            value: file,
            problem: "cannot be read, so no host could be told from an impostor",
            remedy: "name a file that exists, or make it with the commands below",
        });
    }
    const bastionDraft = draft.ssh?.bastion;
    const allowRsa = draft.platform === "ovm-2.2";

    const pin = (path: string, host: string, port: number, through: string | undefined): Endpoint | undefined => {
        const keys: HostKey[] = lookup?.(host, port) ?? [];
        const key = keyToPin(keys, allowRsa);
        if (key === undefined) {
            const problem =
                keys.length === 0
                    ? `has no host key in ${file}`
                    : `has no usable host key in ${file}, only ${keys.map(({ type }) => type).join(", ")}`;
            const remedy = scanRemedy(host, port, file, { bastion: through, type: allowRsa ? "rsa" : "ed25519" });
            report({ path, value: `${host}:${port}`, problem, remedy });
            return undefined;
        }
        return { host, port, hostKey: `${key.type} ${key.key}` };
    };

    const through = bastionDraft?.host;
    const bastion =
        bastionDraft?.host === undefined || bastionDraft.port === undefined
            ? undefined
            : pin("ssh.bastion", bastionDraft.host, bastionDraft.port, undefined);

    const of = new Map<string, Endpoint>();
    const taken = new Map<string, string>();
    for (const { path, name, address, ssh } of machines) {
        const listed = name === undefined ? undefined : ports?.get(name.toLowerCase());
        if (ports !== undefined && listed === undefined && ssh?.host === undefined && name !== undefined) {
            report(notListed(path, name, draft.endpoints, ports));
            continue;
        }
        const host = ssh?.host ?? listed?.host ?? address;
        const port = ssh?.port ?? listed?.port ?? draft.ssh?.port;
        // Where the endpoints file itself is missing, that is the one fault; the addresses in its place would be wrong.
        if (host === undefined || port === undefined || labIsDown) {
            continue;
        }
        const where = `${host.toLowerCase()}:${port}`;
        const other = taken.get(where);
        // Two equal addresses are reported as such already.
        if (other !== undefined && host !== address) {
            report({
                path: `${path}.ssh`,
                value: where,
                problem: `leads to the same machine as ${other}`,
                remedy: "give each host its own endpoint",
            });
            continue;
        }
        if (other === undefined) {
            taken.set(where, path);
            const endpoint = pin(path, host, port, through);
            if (endpoint !== undefined) {
                of.set(path, endpoint);
            }
        }
    }
    return { of, ...(bastion === undefined ? {} : { bastion }) };
}

function notListed(path: string, name: string, file: string | undefined, ports: Ports): Fault {
    const meant = nearest(name, [...ports.keys()]);
    return {
        path: `${path}.name`,
        value: name,
        problem: `is no machine that ${file ?? "endpoints"} lists`,
        remedy:
            meant === undefined
                ? "start the lab with this machine, or take it out of the configuration"
                : `did you mean ${meant.toUpperCase()}? Otherwise start the lab with this machine (npm run lab -- start --nodes 3)`,
    };
}
