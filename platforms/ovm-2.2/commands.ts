import { type OracleVmCommand, type OracleVmSpec, SOAP_SERVICES } from "../../config/spec";
import { quote } from "../../remote/shell";

/** A command of `ovm` or a call of a SOAP service, and how its success is told. */
export interface Command {
    /**
     * What follows `ovm -u USER -p PASSWORD`; `{…}` stands for a value and is one word, or part of one. With `soap` in front:
     * service, operation and arguments, as soap.py describes them, but for its signs: `1.a=@…` is a call, and a password
     * is an argument's whole value.
     */
    readonly words: string;
    /** Text that the output of a success has; where it is absent, the exit status decides alone. */
    readonly answer?: string;
    /** Where the command was found in use or described; `undefined`: it was not, and nobody has verified it. */
    readonly source: string | undefined;
}

const OPENSVC = "OpenSVC, lib/rcOvm.py";
const NKJM = "nkjm/oracle-vm-demonstration, Guests.php and op.php";
const API = "Oracle VM Manager Web Services API Reference 2.2.0";

/**
 * What each version of Oracle VM Manager is told. The command line's manual of 2.2 can no longer be had: those of its
 * commands that have a source are what published programs run, with the sentences they compare. Where nothing was found of a
 * command and the reference of the SOAP services has an operation, that is taken. It names operations with their parameters,
 * but not the fields of every class: a call with a field whose name is assumed has no source, and soap.py compares the name
 * with the service's own description before it sends anything. What remains follows the known commands' pattern, from
 * memory, and is to be compared with `ovm help` on a live Manager.
 */
export const COMMANDS: Readonly<Record<OracleVmSpec["cli"], Readonly<Record<OracleVmCommand, Command>>>> = {
    "2.2": {
        // Four fields; the second is the server, the fourth its pool. Published programs leave out the quotes only.
        serverList: { words: "-S ; svr ls", source: OPENSVC },
        // ServerPool createServerPool(ServerPoolConfig, Long[]); the fields are assumed.
        poolCreate: {
            words:
                "soap ServerPoolService createServerPool 1.serverPoolName={pool} 1.virtualIP={virtualAddress} " +
                "1.masterServer.serverName={node} 1.masterServer.ip={address} 1.masterServer.agentPassword={agentPassword}",
            source: undefined,
        },
        poolMaster: {
            words: "soap ServerPoolService getMasterServer 1=@getAllServerPools()[{pool}]",
            source: API,
        },
        poolCheckHa: {
            words: "soap ServerPoolService checkHAAbility4ServerPoolById 1=@getAllServerPools()[{pool}].id",
            source: API,
        },
        poolEnableHa: { words: "svrp conf -n {pool} -e", source: undefined },
        // deleteServerPool(ServerPool, boolean isDelWorkingDir, boolean force, List warningMessageList)
        poolDelete: {
            words: "soap ServerPoolService deleteServerPool 1=@getAllServerPools()[{pool}] 2=false 3=false",
            source: API,
        },
        // VirtualServer[] addMembers(ServerPool, VirtualServerConfig[]); the fields are assumed.
        serverAdd: {
            words:
                "soap ServerPoolService addMembers 1=@getAllServerPools()[{pool}] 2.serverName={node} 2.ip={address} " +
                "2.agentPassword={agentPassword}",
            source: undefined,
        },
        serverRemove: { words: "svr del -n {node} -s {pool}", source: undefined },
        serverInfo: { words: "svr info -n {server} -s {pool}", source: NKJM },
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
        isoApprove: {
            words: "soap ResourceService approveISOResource 1=@getAllISOResources({pool})[{iso}].id",
            source: API,
        },
        isoDelete: { words: "soap ResourceService deleteISO 1=@getAllISOResources({pool})[{iso}].id", source: API },
        // createVmBasedOnISO(ISOVmConfig). The reference has serverPool, iso, memory, cpuNumber, consolePassword, diskConf and
        // vif; the name's field, and those of disk and network card, are assumed.
        guestCreate: {
            words:
                "soap LifecycleService createVmBasedOnISO 1.vmName={vm} " +
                "1.serverPool=@ServerPoolService.getAllServerPools()[{pool}] " +
                "1.iso=@ResourceService.getAllISOResources({pool})[{iso}] 1.memory={memory} 1.cpuNumber={vcpus} " +
                "1.operatingSystem={os} 1.consolePassword={consolePassword} 1.diskConf.diskSize={disk} " +
                "1.vif.macAddress={mac} 1.vif.bridge=xenbr0",
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

/** Values that only the host has, as its variables: passwords never stand in a text that is shown. */
const ON_HOST: Readonly<Record<string, string>> = {
    agentPassword: "AGENT_PASSWORD",
    consolePassword: "CONSOLE_PASSWORD",
    server: "SERVER",
};

function onHost(template: string): string | undefined {
    return ON_HOST[/^\{(.*)\}$/.exec(template)?.[1] ?? ""];
}

function fill(template: string, values: Readonly<Record<string, string>>, name: string): string {
    return template.replace(/\{([^{}]*)\}/g, (_, key: string) => {
        const value = values[key];
        if (value === undefined) {
            const known = [...Object.keys(values), ...Object.keys(ON_HOST)].map((one) => `{${one}}`).join(", ");
            throw new Error(`oracleVm.commands: ${name} has no value for {${key}}; use ${known}`);
        }
        return value;
    });
}

/** An argument for soap.py, whose sign says what the value is: the template alone decides that, whatever it is filled with. */
function soapArgument(template: string, values: Readonly<Record<string, string>>, name: string): string {
    const [, place, value = ""] = /^(\d+(?:\.\w+)*)=(.*)$/.exec(template) ?? [];
    if (place === undefined) {
        throw new Error(`oracleVm.commands: ${name} has an argument ${template}, which is not like 1=… or 2.field=…`);
    }
    const variable = onHost(value);
    if (variable !== undefined) {
        return quote(`!${place}=${variable}`);
    }
    return quote(
        value.startsWith("@")
            ? `@${place}=${fill(value.slice(1), values, name)}`
            : `${place}=${fill(value, values, name)}`,
    );
}

function shellWords(template: string, values: Readonly<Record<string, string>>, name: string): string {
    const [first = "", ...others] = template.trim().split(/ +/);
    if (first === "soap") {
        const [service = "", operation = "", ...given] = others;
        return [first, quote(service), quote(operation), ...given.map((word) => soapArgument(word, values, name))].join(
            " ",
        );
    }
    return [first, ...others]
        .map((word) => {
            const variable = onHost(word);
            return variable === undefined ? quote(fill(word, values, name)) : `"$${variable}"`;
        })
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

/** The variable SERVICES of a step. Who gives an address knows it. */
export function servicesLine({ services }: OracleVmSpec): string {
    return `${services === SOAP_SERVICES ? "unverified" : "known"} ${services}`;
}
