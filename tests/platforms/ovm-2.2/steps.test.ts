import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ORACLE_VM_COMMANDS } from "../../../config/spec";
import { oracleVm22 } from "../../../platforms/ovm-2.2";
import { commandLines, COMMANDS } from "../../../platforms/ovm-2.2/commands";
import { clusterConf, exportsLine, o2cbTimeouts, vmConfig } from "../../../platforms/ovm-2.2/texts";
import { assemble } from "../../../remote/shell";
import { guestSpec, SECRETS } from "../spec";
import { completeTiming } from "../../../config/timing";
import { allSteps, thesisSpec } from "./plan";

const folder = join(__dirname, "../../../platforms/ovm-2.2");
const files = [...readdirSync(folder).filter((name) => name.endsWith(".sh")), "../lib.sh"];
const spec = thesisSpec({ guests: [...thesisSpec().guests, guestSpec({ name: "Image", address: "192.168.1.111" })] });
const steps = allSteps(spec);

/** What came after 2007, or is not a POSIX shell's. */
const TOO_NEW =
    /\[\[ |^\s*local |\bsystemctl\b|\btimeout\b [0-9-]|\bjournalctl\b|\bss -|\bip addr\b|readlink -f|realpath|python3|<<<|\bfunction \w|\bnproc\b|\btruncate\b|sed -E|mktemp -/m;

describe("step files for EL5", () => {
    it.each(files)("%s is shell that a checker finds nothing in", (file) => {
        const text = readFileSync(join(folder, file), "utf8").replace(/^\s*#.*$/gm, "");
        expect(TOO_NEW.exec(text)).toBeNull();
        expect(() => execFileSync("sh", ["-n", join(folder, file)])).not.toThrow();
        if (spawnSync("shellcheck", ["--version"]).status === 0) {
            expect(spawnSync("shellcheck", [join(folder, file)], { encoding: "utf8" }).stdout).toBe("");
        }
    });
});

describe("planned steps", () => {
    const variables = (step: (typeof steps)[number]): Record<string, string> => ({
        ...step.variables,
        ...step.secret?.({ ...SECRETS, pool: "p", manager: "m", agent: "a" }),
    });

    it.each(steps.map((step) => [`${step.name}@${step.host}`, step] as const))(
        "%s gets exactly the variables its file names, and defines the three deeds",
        (_, step) => {
            const required = [...step.script.matchAll(/\$\{([A-Z][A-Z0-9_]*):?\?\}/g)].map(([, name]) => name);
            expect(Object.keys(variables(step)).sort()).toEqual([...new Set(required)].sort());
            for (const deed of ["apply", "remove", "probe"]) {
                expect(step.script).toMatch(new RegExp(`^${deed}\\(\\) \\{`, "m"));
            }
            expect(spawnSync("sh", ["-n"], { input: assemble("t", step.script, variables(step)) }).status).toBe(0);
        },
    );

    it("carry passwords in one step of their own", () => {
        expect(steps.filter(({ secret }) => secret !== undefined).map(({ name }) => name)).toEqual(["credentials"]);
    });

    it("add servers one after the other, beginning with the one that is to be the first master", () => {
        const [one, two] = spec.nodes;
        const turned = { ...spec, nodes: [one, { ...two, roles: ["master", "vm"] }] as typeof spec.nodes };
        const pool = oracleVm22.pool(turned);
        expect(pool.map(({ name, after }) => `${after?.join() ?? ""} > ${name}`)).toEqual([
            " > credentials",
            "credentials > create",
            "create > join-OVMSERVER02",
            "join-OVMSERVER02 > join-OVMSERVER01",
            "join-OVMSERVER01 > ha",
        ]);
    });
});

describe("a time limit without timeout(1)", () => {
    const limited = (seconds: number, command: string) => {
        const started = Date.now();
        const { status, stdout } = spawnSync("bash", ["-c", `${oracleVm22.timeLimit(seconds)} ${command}`], {
            encoding: "utf8",
            input: "the input",
        });
        return { status, stdout, seconds: (Date.now() - started) / 1000 };
    };

    it("passes input, output and the exit status on", () => {
        expect(limited(60, "sh -c 'cat; exit 7'")).toMatchObject({ status: 7, stdout: "the input" });
    });

    it("ends a command and what it started", () => {
        const { status, seconds } = limited(1, "sh -c 'sleep 31 & sleep 32'");
        expect(status).toBe(143);
        expect(seconds).toBeLessThan(8);
    });
});

describe("the Manager's commands", () => {
    const line = (changes: Partial<typeof spec.oracleVm>, name: (typeof ORACLE_VM_COMMANDS)[number]) =>
        commandLines({ ...spec.oracleVm, ...changes }, [name], {
            pool: "my pool",
            vm: "it's",
            node: "n",
            address: "a",
        });

    it("are in a table that has each of them, with its source or marked as unverified", () => {
        expect(Object.keys(COMMANDS["2.2"]).sort()).toEqual([...ORACLE_VM_COMMANDS].sort());
        const unverified = ORACLE_VM_COMMANDS.filter((name) => COMMANDS["2.2"][name].source === undefined);
        expect(unverified).toEqual([
            "poolCreate",
            "poolEnableHa",
            "serverAdd",
            "serverRemove",
            "isoRegister",
            "isoState",
            "guestCreate",
        ]);
    });

    it("are words that a shell takes as they are, with passwords only by their variables' names", () => {
        expect(line({}, "guestPowerOn")).toBe("guestPowerOn\tknown\t\t'vm' 'poweron' '-n' 'it'\\''s' '-s' 'my pool'");
        const commands = [{ name: "serverAdd" as const, words: "svr add -n {node} -w {agentPassword}" }];
        expect(line({ commands }, "serverAdd")).toContain("\t\t'svr' 'add' '-n' 'n' '-w' \"$AGENT_PASSWORD\"");
    });

    it("or calls of a service, whose arguments the template alone tells apart", () => {
        expect(line({}, "serverAdd")).toBe(
            "serverAdd\tunverified\t\tsoap 'ServerPoolService' 'addMembers' '@1=getAllServerPools()[my pool]' " +
                "'2.serverName=n' '2.ip=a' '!2.agentPassword=AGENT_PASSWORD'",
        );
        const commands = [{ name: "serverAdd" as const, words: "soap S o 1={node}" }];
        const values = { node: "@getAllServerPools()[x]" };
        expect(commandLines({ ...spec.oracleVm, commands }, ["serverAdd"], values)).toContain(
            "soap 'S' 'o' '1=@getAllServerPools()[x]'",
        );
    });

    it("refuse an argument of a service that is none", () => {
        const commands = [{ name: "serverAdd" as const, words: "soap ServerPoolService addMembers {node}" }];
        expect(() => line({ commands }, "serverAdd")).toThrow(
            "oracleVm.commands: serverAdd has an argument {node}, which is not like 1=… or 2.field=…",
        );
    });

    it("can be other ones, which then count as known", () => {
        const commands = [{ name: "serverAdd" as const, words: "svr new {node}", answer: "Added {node}." }];
        expect(line({ commands }, "serverAdd")).toBe("serverAdd\tknown\tAdded n.\t'svr' 'new' 'n'");
    });

    it("refuse a value that there is not", () => {
        const commands = [{ name: "serverAdd" as const, words: "svr new {host}" }];
        expect(() => line({ commands }, "serverAdd")).toThrow(
            "oracleVm.commands: serverAdd has no value for {host}; use {pool}, {vm}",
        );
    });
});

describe("texts", () => {
    it("are the thesis's", () => {
        expect(exportsLine("/sharedvol", ["rw", "sync"], spec.nodes)).toBe(
            "/sharedvol 192.168.1.101(rw,sync) 192.168.1.102(rw,sync)",
        );
        expect(clusterConf(spec.nodes.slice(1))).toBe(
            "node:\n\tip_port = 7777\n\tip_address = 192.168.1.102\n\tnumber = 1\n\tname = OVMSERVER02\n\tcluster = ocfs2\n\n" +
                "cluster:\n\tnode_count = 1\n\tname = ocfs2",
        );
        expect(vmConfig(guestSpec())).toContain("disk = ['file:/OVS/running_pool/WebServerHA/System.img,hda,w']");
    });

    it("have O2CB's default of 60 s, or 120 s", () => {
        expect(o2cbTimeouts(spec)).toContain("O2CB_HEARTBEAT_THRESHOLD=31\n");
        const relaxed = { ...spec, pool: { ...spec.pool, timing: completeTiming("relaxed", {}) } };
        expect(o2cbTimeouts(relaxed)).toContain("O2CB_HEARTBEAT_THRESHOLD=61\n");
    });
});
