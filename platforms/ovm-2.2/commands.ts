import { type OracleVmCommand, type OracleVmSpec } from "../../config/spec";
import { quote } from "../../remote/shell";

/** A command of `ovm`, and how its success is told. */
export interface Command {
    /** What follows `ovm -u USER -p PASSWORD`; `{…}` stands for a value and is one word, or part of one. */
    readonly words: string;
    /** Text that the output of a success has; where it is absent, the exit status decides alone. */
    readonly answer?: string;
    /** Where the command was found in use or described; `undefined`: it was not, and nobody has verified it. */
    readonly source: string | undefined;
}

const OPENSVC = "OpenSVC, lib/rcOvm.py";
const NKJM = "nkjm/oracle-vm-demonstration, Guests.php and op.php";

/**
 * The commands of each version of Oracle VM Manager's command line. The manual of 2.2 can no longer be had. Those with a
 * source are what published programs run, with the sentences they compare; the others follow the same pattern, from
 * memory, and are to be compared with `ovm help` on a live Manager.
 */
export const COMMANDS: Readonly<Record<OracleVmSpec["cli"], Readonly<Record<OracleVmCommand, Command>>>> = {
    "2.2": {
        // Four fields; the second is the server, the fourth its pool. Published programs leave out the quotes only.
        serverList: { words: "-S ; svr ls", source: OPENSVC },
        poolCreate: {
            words: "svrp new -n {pool} -m {address} -U root -w {agentPassword} -t master,utility,vm -v {virtualAddress}",
            source: undefined,
        },
        poolCheckHa: { words: "svrp ha -n {pool} -t", source: undefined },
        poolEnableHa: { words: "svrp conf -n {pool} -e", source: undefined },
        poolDelete: { words: "svrp del -n {pool}", source: undefined },
        serverAdd: {
            words: "svr add -n {node} -a {address} -w {agentPassword} -t utility,vm -s {pool}",
            source: undefined,
        },
        serverRemove: { words: "svr del -n {node} -s {pool}", source: undefined },
        imageRegister: {
            words: "img reg -n {vm} -c {consolePassword} -o {os} -s {pool}",
            answer: "Registering virtual machine image. Please check the status.",
            source: NKJM,
        },
        imageState: { words: "img stat -n {vm} -s {pool}", source: NKJM },
        imageApprove: {
            words: "img approve -n {vm} -s {pool}",
            answer: 'Virtual machine image "{vm}" approved.',
            source: NKJM,
        },
        isoRegister: { words: "iso reg -g ISO -f {iso} -s {pool}", source: undefined },
        isoState: { words: "iso stat -n {iso} -s {pool}", source: undefined },
        isoApprove: { words: "iso approve -n {iso} -s {pool}", source: undefined },
        isoDelete: { words: "iso del -n {iso} -s {pool}", source: undefined },
        guestCreate: {
            words: "vm new -n {vm} -s {pool} -m {memory} -c {vcpus} -d {disk} -i {iso} -o {os} -p {consolePassword} -M {mac}",
            source: undefined,
        },
        // Name, ?, memory, processors, state, server. Found without -S, which other commands take.
        guestList: { words: "-S ; vm ls -l -s {pool}", source: NKJM },
        guestState: { words: "vm stat -n {vm} -s {pool}", source: NKJM },
        guestInfo: { words: "vm info -n {vm} -s {pool}", source: OPENSVC },
        guestMemory: {
            words: "vm conf -n {vm} -s {pool} -m {memory}",
            answer: 'Memory size changed to "{memory}".',
            source: NKJM,
        },
        guestProcessors: {
            words: "vm conf -n {vm} -s {pool} -c {vcpus}",
            answer: 'Number of VCPUs changed to "{vcpus}".',
            source: NKJM,
        },
        guestEnableHa: {
            words: "vm conf -n {vm} -s {pool} -e",
            answer: "High availability has been enabled.",
            source: OPENSVC,
        },
        guestDisableHa: {
            words: "vm conf -n {vm} -s {pool} -d",
            answer: "High availability has been disabled.",
            source: OPENSVC,
        },
        guestPowerOn: { words: "vm poweron -n {vm} -s {pool}", source: NKJM },
        guestPowerOff: { words: "vm poweroff -n {vm} -s {pool}", source: NKJM },
        guestDelete: {
            words: "vm del -n {vm} -s {pool}",
            answer: 'Deleted virtual machine "{vm}" and its image files.',
            source: NKJM,
        },
    },
};

/** Values that only the host has: they never stand in a text that is shown. */
const SECRETS: Readonly<Record<string, string>> = {
    agentPassword: '"$AGENT_PASSWORD"',
    consolePassword: '"$CONSOLE_PASSWORD"',
};

function fill(template: string, values: Readonly<Record<string, string>>, name: string): string {
    return template.replace(/\{([^{}]*)\}/g, (_, key: string) => {
        const value = values[key];
        if (value === undefined) {
            const known = [...Object.keys(values), ...Object.keys(SECRETS)].map((one) => `{${one}}`).join(", ");
            throw new Error(`oracleVm.commands: ${name} has no value for {${key}}; use ${known}`);
        }
        return value;
    });
}

function shellWords(template: string, values: Readonly<Record<string, string>>, name: string): string {
    return template
        .trim()
        .split(/ +/)
        .map((word) => SECRETS[/^\{(.*)\}$/.exec(word)?.[1] ?? ""] ?? quote(fill(word, values, name)))
        .join(" ");
}

/**
 * The variable COMMANDS of a step: a line for each command, with its values filled in.
 *
 * @throws Error when a command of the config has a place for a value that there is not
 */
export function commandLines(
    { cli, commands }: OracleVmSpec,
    names: readonly OracleVmCommand[],
    values: Readonly<Record<string, string>>,
): string {
    return names
        .map((name) => {
            const override = commands.find((one) => one.name === name);
            const { words, answer = "" } = override ?? COMMANDS[cli][name];
            // Who overrides a command knows it.
            const known = override !== undefined || COMMANDS[cli][name].source !== undefined;
            const fields = [
                known ? "known" : "unverified",
                fill(answer, values, name),
                shellWords(words, values, name),
            ];
            return [name, ...fields].join("\t");
        })
        .join("\n");
}
