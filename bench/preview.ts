/**
 * What a preview of a large cluster costs: a first one, of everything to be made. No host is asked, so none has to be
 * there. `npm run bench:preview`; other sizes: `npm run bench:preview -- 8x100 32x500`.
 */
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir, totalmem } from "node:os";
import { join, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { spawn } from "node:child_process";
import { formatAddress, parseAddress } from "../config/addresses";
import { parseCluster, type RawConfig } from "../config/parse";
import { debianXen } from "../platforms/debian-xen";
import { measure, repeat, type Cost } from "./cost";

const ROOT = resolve(__dirname, "..");
const REPETITIONS = 3;
const SIZES = ["2x1", "8x125", "16x250", "32x500"];
/** What a stack's program is read from. */
const PARTS = ["index.ts", "Pulumi.yaml", "tsconfig.json", "components", "config", "platforms", "remote"];
const KNOWN_HOSTS = "* ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ\n";

interface Size {
    readonly nodes: number;
    readonly guests: number;
}

function readSize(text: string): Size {
    const [, nodes, guests] = /^(\d+)x(\d+)$/.exec(text) ?? [];
    if (nodes === undefined || guests === undefined) {
        throw new Error(`"${text}" is no size: write NODESxGUESTS, such as 32x500`);
    }
    return { nodes: Number(nodes), guests: Number(guests) };
}

const BASE = parseAddress("10.0.0.0") ?? 0;

/** A cluster of that size in 10.0.0.0/16: nodes in the first 254 addresses, guests from 10.0.16.1 on. */
function configOf({ nodes, guests }: Size): RawConfig {
    return {
        ssh: { knownHosts: "known_hosts", key: "./key" },
        network: { cidr: "10.0.0.0/16" },
        manager: { address: "10.0.0.2" },
        pool: { virtualAddress: "10.0.0.3" },
        nodes: Array.from({ length: nodes }, (_, index) => ({
            name: `NODE${index + 1}`,
            address: formatAddress(BASE + 10 + index),
            memory: 262144,
        })),
        guests: Array.from({ length: guests }, (_, index) => ({
            name: `GUEST${index + 1}`,
            address: formatAddress(BASE + 4097 + index),
            medium: "/srv/media/apache",
        })),
    };
}

/** Milliseconds of our own pure parts, in this process: reading and checking the config, planning every step. */
function pureParts(config: RawConfig): { parse: number; plan: number; steps: number } {
    const started = performance.now();
    const parsed = parseCluster(config, { knownHosts: KNOWN_HOSTS, secrets: new Set() });
    if ("faults" in parsed) {
        throw new Error(`${parsed.faults[0]?.path ?? ""} ${parsed.faults[0]?.problem ?? ""}`);
    }
    const { spec } = parsed;
    const read = performance.now();
    const steps = [
        ...debianXen.repository(spec),
        ...spec.nodes.flatMap((node) => debianXen.node(spec, node)),
        ...debianXen.pool(spec),
        ...spec.guests.flatMap((guest) => debianXen.guest(spec, guest)),
    ].length;
    return { parse: read - started, plan: performance.now() - read, steps };
}

/** MiB of heap that the processes may take. */
const heap = Math.floor((0.8 * totalmem()) / 2 ** 20);

async function engine(folder: string, args: readonly string[], environment: NodeJS.ProcessEnv): Promise<string> {
    const launcher = ["--require", require.resolve("tsx/cjs"), join(ROOT, "engine/launcher.ts"), ...args];
    const child = spawn(process.execPath, launcher, {
        cwd: folder,
        env: {
            ...process.env,
            OVM_HA_ENGINE: "embedded",
            PULUMI_BACKEND_URL: `file://${folder}`,
            PULUMI_CONFIG_PASSPHRASE: "bench",
            NO_COLOR: "1",
            ...environment,
            // The program of the largest size needs more than Node's usual limit.
            NODE_OPTIONS: `${environment["NODE_OPTIONS"] ?? ""} --max-old-space-size=${heap}`,
        },
        stdio: ["ignore", "pipe", "inherit"],
    });
    const shown: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => shown.push(chunk));
    const code = await new Promise((answer) => child.once("close", answer));
    const text = Buffer.concat(shown).toString();
    if (code !== 0) {
        throw new Error(`${args.join(" ")} ended with ${String(code)}:\n${text.slice(-2000)}`);
    }
    return text;
}

async function preview(size: Size): Promise<Cost & { resources: number }> {
    const folder = mkdtempSync(join(tmpdir(), "bench-preview-"));
    try {
        PARTS.forEach((part) => cpSync(join(ROOT, part), join(folder, part), { recursive: true }));
        symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
        writeFileSync(join(folder, "known_hosts"), KNOWN_HOSTS);
        writeFileSync(join(folder, "key"), "no key: a preview logs in nowhere\n");
        const config = Object.entries(configOf(size)).map(([key, value]) => [`ovm-ha-cluster:${key}`, value] as const);
        // JSON is YAML.
        writeFileSync(join(folder, "Pulumi.large.yaml"), JSON.stringify({ config: Object.fromEntries(config) }));
        await engine(folder, ["stack", "init", "large"], {});
        let resources = 0;
        const cost = await repeat(`preview of ${size.nodes} nodes, ${size.guests} guests`, REPETITIONS, () =>
            measure(async (hook) => {
                const shown = await engine(folder, ["preview", "--stack", "large"], hook);
                resources = Number(/\+ (\d+) to create/.exec(shown)?.[1] ?? NaN);
            }),
        );
        return { ...cost, resources };
    } finally {
        rmSync(folder, { recursive: true });
    }
}

async function main(args: readonly string[]): Promise<void> {
    const before = loadavg()[0] ?? 0;
    console.log(
        "| nodes | guests | resources | config read, ms | steps planned, ms | preview, s | engine MB | program MB |\n" +
            "|--:|--:|--:|--:|--:|--:|--:|--:|",
    );
    for (const size of (args.length > 0 ? args : SIZES).map(readSize)) {
        const { parse, plan } = pureParts(configOf(size));
        const { resources, seconds, engine: engineMegabytes, program } = await preview(size);
        const cells = [size.nodes, size.guests, resources, parse.toFixed(0), plan.toFixed(0), seconds.toFixed(1)];
        console.log(`| ${[...cells, engineMegabytes.toFixed(0), program.toFixed(0)].join(" | ")} |`);
    }
    const after = loadavg()[0] ?? 0;
    console.log(
        `\nMedians of ${REPETITIONS}; ${cpus().length} CPUs, load ${before.toFixed(1)} before, ${after.toFixed(1)} after.`,
    );
}

void main(process.argv.slice(2));
