/** Command line of the virtual lab: `npm run lab -- VERB`. */
import { spawn } from "node:child_process";
import { createConnection } from "node:net";
import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import pc from "picocolors";
import { LabError, messageOf } from "./errors";
import { MEDIA, type Medium, removeImages, USUAL_MEDIA } from "./image";
import * as verbs from "./lab";
import { endOfConsole } from "./machine";
import { NODES } from "./machines";
import { Report } from "./report";
import { sshArguments } from "./ssh";
import { LabFolder } from "./state";

/** Exit status after an interruption, as shells have it. */
const INTERRUPTED = 130;

/** Rows as a table with aligned columns. */
function table(rows: readonly (readonly string[])[]): string {
    const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
    return rows
        .map((row) =>
            row
                .map((cell, i) => cell.padEnd(widths[i] ?? 0))
                .join("  ")
                .trimEnd(),
        )
        .join("\n");
}

function showStatus(state: verbs.LabStatus): string {
    if (!state.exists) {
        return "There is no lab here: npm run lab -- start";
    }
    const head = ["MACHINE", "ADDRESS", "SSH PORT", "STATE", "CABLE", "SSH", "BOOTS", "MEMORY", "DISK"];
    const rows = state.machines.map((machine) => [
        machine.name,
        machine.address,
        `${machine.sshPort}`,
        machine.state,
        machine.cut ? "cut" : "in",
        machine.ssh ? "answers" : "-",
        `${machine.boots}`,
        `${machine.memory} MiB`,
        `${machine.disk} MiB`,
    ]);
    const saves = Object.entries(state.saves).map(([name, { at }]) => `${name} (${at})`);
    return [
        table([head, ...rows]),
        `guest    http://127.0.0.1:${state.guest?.httpPort}/ -> ${state.guest?.address}`,
        `pool     http://127.0.0.1:${state.pool?.httpPort}/ -> ${state.pool?.address}`,
        `saved    ${saves.join(", ") || "nothing"}`,
        `runs by  ${state.accelerator === "kvm" ? "hardware (KVM)" : "emulation (TCG)"}`,
    ].join("\n");
}

/** Joins the terminal to a machine's serial console, until Ctrl-]. */
async function openConsole(folder: LabFolder, name: string): Promise<void> {
    const { machine } = verbs.machineOf(folder, name);
    process.stdout.write(`${endOfConsole(folder, machine)}\n`);
    const socket = createConnection(join(folder.sockets, `${machine.name}.console`));
    await new Promise<void>((resolve, reject) => {
        socket.once("error", () => reject(new LabError(`${machine.name} is off, or its console is open elsewhere`)));
        socket.once("connect", () => process.stderr.write(pc.dim("connected; Ctrl-] leaves\n")));
        socket.once("close", () => resolve());
        socket.pipe(process.stdout);
        if (process.stdin.isTTY) {
            process.stdin.setRawMode(true);
        }
        process.stdin.on("data", (data: Buffer) => {
            if (data.includes(0x1d)) {
                socket.destroy();
            } else {
                socket.write(data);
            }
        });
        process.stdin.once("end", () => socket.end());
    }).finally(() => {
        if (process.stdin.isTTY) {
            process.stdin.setRawMode(false);
        }
        process.stdin.destroy();
    });
}

/** Runs ssh on this terminal; resolves to its exit status. */
async function openSsh(folder: LabFolder, name: string, command: readonly string[]): Promise<number> {
    const { lab, machine } = verbs.machineOf(folder, name);
    const child = spawn("ssh", [...sshArguments(lab, machine), ...command], { stdio: "inherit" });
    return new Promise((resolve, reject) => {
        child.once("error", reject);
        child.once("close", (code) => resolve(code ?? 255));
    });
}

function wholeNumber(text: string): number {
    if (!/^\d+$/.test(text)) {
        throw new InvalidArgumentError("not a number");
    }
    return Number(text);
}

function mediaNames(text: string): Medium[] {
    return [...new Set(text.split(","))].map((word) => {
        const name = MEDIA.find((one) => one === word);
        if (name === undefined) {
            throw new InvalidArgumentError(`"${word}" is none of ${MEDIA.join(", ")}`);
        }
        return name;
    });
}

/** The command line; exported so that tests can read its help. */
export function program(context: verbs.Context): Command {
    const { folder, report } = context;
    const lab = new Command("lab")
        .description("A virtual lab: manager and nodes of the cluster as machines in QEMU.")
        .enablePositionalOptions();
    const began = Date.now();
    /** Prints a result: as JSON when asked, else in words. */
    const print = (json: boolean | undefined, data: unknown, words: string): void => {
        process.stdout.write(json ? `${JSON.stringify(data, null, 2)}\n` : `${words}\n`);
    };
    const json = (): Option => new Option("--json", "print the result as JSON");
    const done = (what: string): string => `${what} in ${((Date.now() - began) / 1000).toFixed(1)} s`;
    const times = (): { seconds: number; timings: Report["timings"] } => ({
        seconds: (Date.now() - began) / 1000,
        timings: report.timings,
    });

    lab.command("start")
        .description("build what is missing, boot, wait until all machines can be logged in to")
        .addOption(
            new Option("--nodes <number>", `how many nodes, ${NODES.least} or ${NODES.most}`).argParser(wholeNumber),
        )
        .addOption(
            new Option(
                "--media <names>",
                `guest media of a new lab, of ${MEDIA.join(", ")}, with commas; ${USUAL_MEDIA.join(",")} otherwise`,
            ).argParser(mediaNames),
        )
        .option("--install", "install missing Debian packages with sudo")
        .addOption(json())
        .action(async (options: { nodes?: number; media?: Medium[]; install?: boolean; json?: boolean }) => {
            const started = await verbs.start(context, options);
            const { machines, guest, pool } = started.lab;
            const steps = started.timings.map(({ step, seconds }) => [`  ${step}`, `${seconds.toFixed(1)} s`]);
            print(
                options.json,
                { ...started, seconds: times().seconds },
                [
                    `${done("The lab runs: ready")}, ${started.memory} MiB of memory in use.`,
                    ...(steps.length > 0 ? [table(steps)] : []),
                    ...machines.map(({ name, address }) => `${name.padEnd(12)} ${address}  npm run lab -- ssh ${name}`),
                    `${guest.name.padEnd(12)} ${guest.address}  http://127.0.0.1:${guest.httpPort}/ (once it runs)`,
                    `${"pool".padEnd(12)} ${pool.address}  http://127.0.0.1:${pool.httpPort}/ (once it is there)`,
                ].join("\n"),
            );
        });
    lab.command("stop")
        .description("end every process of the lab; the disks stay")
        .addOption(json())
        .action(async (options: { json?: boolean }) => {
            await verbs.stop(context);
            print(options.json, times(), done("Stopped"));
        });
    lab.command("status")
        .description("what there is, what runs")
        .addOption(json())
        .action(async (options: { json?: boolean }) => {
            const state = await verbs.status(context);
            print(options.json, state, showStatus(state));
        });
    lab.command("ssh")
        .description("log in to a machine, or run a command there")
        .argument("<name>")
        .argument("[command...]")
        .passThroughOptions()
        .action(async (name: string, command: string[]) => {
            process.exitCode = await openSsh(folder, name, command);
        });
    lab.command("console")
        .description("the serial console of a machine; Ctrl-] leaves")
        .argument("<name>")
        .action(async (name: string) => openConsole(folder, name));
    lab.command("reset")
        .description("make the machines as freshly installed")
        .addOption(json())
        .action(async (options: { json?: boolean }) => {
            await verbs.reset(context);
            print(options.json, times(), done("Reset"));
        });
    lab.command("save")
        .description("save memory and disks of all machines under a name")
        .argument("<name>")
        .addOption(json())
        .action(async (name: string, options: { json?: boolean }) => {
            await verbs.save(context, name);
            print(options.json, times(), done("Saved"));
        });
    lab.command("restore")
        .description("bring all machines back to a saved state")
        .argument("<name>")
        .addOption(json())
        .action(async (name: string, options: { json?: boolean }) => {
            await verbs.restore(context, name);
            print(options.json, times(), done("Restored"));
        });
    const fault = lab.command("fault").description("do something to one machine from outside");
    const meanings: Record<verbs.Fault, string> = {
        "power-off": "cut its power",
        "power-on": "switch it on and wait until it can be logged in to",
        cut: "pull its network cable",
        join: "put the cable back",
        freeze: "stop its processors",
        thaw: "let them go on",
    };
    for (const kind of verbs.FAULTS) {
        const command = fault.command(kind).description(meanings[kind]).argument("<name>").addOption(json());
        if (kind === "power-on") {
            command.option("--no-wait", "do not wait for it");
        }
        command.action(async (name: string, options: { json?: boolean; wait?: boolean }) => {
            await verbs.fault(context, kind, name, options.wait ?? true);
            print(options.json, times(), done(`${kind} ${name}`));
        });
    }
    lab.command("clean")
        .description("stop the lab and remove it: disks, saved states, keys")
        .option("--images", "remove the cached images as well")
        .addOption(json())
        .action(async (options: { images?: boolean; json?: boolean }) => {
            await verbs.clean(context);
            if (options.images) {
                await removeImages();
            }
            print(options.json, times(), done("Removed"));
        });
    return lab;
}

async function main(): Promise<void> {
    const abort = new AbortController();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
        process.on(signal, () => abort.abort());
    }
    const context = { folder: new LabFolder(), report: new Report(), signal: abort.signal };
    try {
        await program(context).parseAsync();
    } catch (error) {
        if (abort.signal.aborted) {
            context.report.note("Interrupted. What this command had started is stopped again.");
            process.exitCode = INTERRUPTED;
        } else {
            const text = error instanceof LabError || error instanceof RangeError ? messageOf(error) : undefined;
            context.report.note(
                pc.red(text ?? (error instanceof Error ? (error.stack ?? error.message) : String(error))),
            );
            process.exitCode = 1;
        }
    }
}

if (require.main === module) {
    void main();
}
