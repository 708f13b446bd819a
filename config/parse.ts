import { createHash } from "node:crypto";
import { connect, type Connections, type Machine, type Surroundings } from "./connections";
import { ConfigError, type Fault } from "./faults";
import { readKeys } from "./fields";
import { schema, secretKeys, type ClusterDraft, type SecretKey } from "./schema";
import {
    type ClusterSpec,
    type Endpoint,
    type GuestSpec,
    type HttpCheck,
    type NodeSpec,
    type OracleVmSpec,
    type RepositorySpec,
    type SshKeySource,
    type SshSpec,
    type WorkloadSpec,
} from "./spec";
import { cautions, rules, toSubject, type Subject, type SubjectGuest, type SubjectNode } from "./validate";
import { CHECK_PATHS, workloadDraft } from "./workloads";

/** The stack's configuration: one entry for each top-level key, as plain JSON. Secrets are not in it. */
export type RawConfig = Readonly<Record<string, unknown>>;

/** Either a spec, with what should be looked at all the same, or everything that is wrong. */
export type Parsed = { spec: ClusterSpec; warnings: Fault[] } | { faults: Fault[] };

/**
 * Takes apart what `pulumi.runtime.allConfig()` gives: keys of this project without their prefix, values that are JSON
 * as such, and of the secrets only that they are set. (Unlike `pulumi.Config`, it shows keys nobody asks for, and so the
 * misspelled ones.)
 */
export function readPulumiConfig(
    all: Readonly<Record<string, string>>,
    project: string,
): { raw: RawConfig; secrets: ReadonlySet<SecretKey> } {
    const raw: [string, unknown][] = [];
    const secrets = new Set<SecretKey>();
    for (const [fullKey, value] of Object.entries(all)) {
        if (!fullKey.startsWith(`${project}:`)) {
            continue;
        }
        const key = fullKey.slice(project.length + 1);
        if (isSecretKey(key)) {
            secrets.add(key);
        } else {
            raw.push([key, isTextKey(key) ? value : decode(value)]);
        }
    }
    return { raw: Object.fromEntries(raw), secrets };
}

function isSecretKey(key: string): key is SecretKey {
    return Object.hasOwn(secretKeys, key);
}

function isTextKey(key: string): boolean {
    return Object.entries(schema).some(([name, { type }]) => name === key && type === "string");
}

function decode(value: string): unknown {
    try {
        return JSON.parse(value);
    } catch {
        return value;
    }
}

/**
 * The files the caller has to read before {@link parseCluster}, as they are named in the configuration (`~` and relative
 * paths are the caller's to resolve). Faults are left for the parser to report.
 */
export function neededFiles(raw: RawConfig): { knownHosts?: string; endpoints?: string; publicKey?: string } {
    const { ssh, endpoints } = readKeys(schema, raw, "", () => undefined);
    const key = ssh?.key === undefined ? undefined : keySource(ssh.key);
    return {
        ...(ssh?.knownHosts === undefined ? {} : { knownHosts: ssh.knownHosts }),
        ...(endpoints === undefined ? {} : { endpoints }),
        ...(key?.from === "file" ? { publicKey: `${key.path}.pub` } : {}),
    };
}

/** Reads and checks the whole configuration. Pure: the files it depends on come in as text. */
export function parseCluster(raw: RawConfig, around: Surroundings): Parsed {
    const faults: Fault[] = [];
    const report = (fault: Fault): void => void faults.push(fault);
    const draft = readKeys(schema, raw, "", report, Object.keys(secretKeys));
    const faultyPaths = faults.map(({ path }) => path);
    const subject = toSubject(draft, around.secrets, (path) =>
        faultyPaths.some((one) => one === path || one.startsWith(`${path}.`)),
    );
    faults.push(...rules.flatMap((rule) => rule(subject)));
    const connections = connect(draft, machinesOf(subject), around, report);
    return faults.length > 0
        ? { faults }
        : { spec: assemble(draft, subject, connections, around), warnings: cautions.flatMap((rule) => rule(subject)) };
}

/** As {@link parseCluster}, for who wants a spec or nothing. */
export function clusterOrThrow(raw: RawConfig, around: Surroundings): { spec: ClusterSpec; warnings: Fault[] } {
    const parsed = parseCluster(raw, around);
    if ("faults" in parsed) {
        throw new ConfigError(parsed.faults);
    }
    return parsed;
}

function machinesOf({ manager, nodes }: Subject): Machine[] {
    return [{ path: "manager", ...manager }, ...nodes].map(({ path, name, address, ssh }) => ({
        path,
        ...(name === undefined ? {} : { name }),
        ...(address === undefined ? {} : { address }),
        ssh: {
            ...(ssh?.host === undefined ? {} : { host: ssh.host }),
            ...(ssh?.port === undefined ? {} : { port: ssh.port }),
        },
    }));
}

/** A value that is there because nothing was reported. */
function present<T>(value: T | undefined): T {
    if (value === undefined) {
        throw new Error("a configuration without faults lacks a value: this is a bug in config/, please report it");
    }
    return value;
}

function assemble(draft: ClusterDraft, subject: Subject, connections: Connections, around: Surroundings): ClusterSpec {
    const network = present(subject.network);
    const gateway = present(subject.gateway);
    const manager = present(draft.manager);
    const pool = present(draft.pool);
    const watchdog = present(pool.watchdog);
    const poolName = present(pool.name);
    return {
        platform: present(draft.platform),
        network: {
            cidr: network.cidr,
            prefix: network.prefix,
            gateway,
            dns: draft.network?.dns?.map(present) ?? [gateway],
        },
        ssh: assembleSsh(present(draft.ssh), connections.bastion, around),
        manager: {
            name: present(manager.name),
            address: present(manager.address),
            ssh: present(connections.of.get("manager")),
        },
        nodes: subject.nodes.map((node) => assembleNode(node, present(connections.of.get(node.path)))),
        repository: assembleRepository(present(draft.repository), poolName),
        pool: {
            name: poolName,
            virtualAddress: present(pool.virtualAddress),
            timing: present(subject.timing),
            watchdog: { module: present(watchdog.module), device: present(watchdog.device) },
        },
        guests: subject.guests.map((guest) => assembleGuest(guest, subject.nodes)),
        oracleVm: assembleOracleVm(present(draft.oracleVm)),
    };
}

function assembleSsh(
    ssh: NonNullable<ClusterDraft["ssh"]>,
    bastion: Endpoint | undefined,
    { publicKey }: Surroundings,
): SshSpec {
    const user = present(ssh.user);
    const line = publicKey?.split("\n")[0]?.trim() ?? "";
    return {
        user,
        key: keySource(present(ssh.key)),
        ...(line === "" ? {} : { publicKey: line }),
        ...(bastion === undefined ? {} : { bastion: { ...bastion, user: ssh.bastion?.user ?? user } }),
    };
}

function keySource(key: string): SshKeySource {
    return key === "agent" || key === "secret" ? { from: key } : { from: "file", path: key };
}

function assembleNode(node: SubjectNode, ssh: Endpoint): NodeSpec {
    return {
        name: present(node.name),
        address: present(node.address),
        ssh,
        roles: present(node.roles).map(present),
        ...(node.memory === undefined ? {} : { memory: node.memory }),
        dom0Memory: present(node.dom0Memory),
        lost: present(node.lost),
        maintenance: present(node.maintenance),
        ...(node.number === undefined ? {} : { number: node.number }),
    };
}

function assembleRepository(repository: NonNullable<ClusterDraft["repository"]>, poolName: string): RepositorySpec {
    const path = present(repository.path);
    return {
        path,
        uuid: repository.uuid?.replaceAll("-", "").toUpperCase() ?? deriveUuid(poolName, path),
        options: present(repository.options).map(present),
        keepData: present(repository.keepData),
    };
}

/**
 * The repository's UUID where none is given. It is derived, not random, so that it is known in a preview, and a pool that is
 * destroyed and built again finds the data it left under the same mount point.
 */
export function deriveUuid(poolName: string, path: string): string {
    return createHash("sha256")
        .update(`ovm-ha-cluster repository ${poolName} ${path}`)
        .digest("hex")
        .slice(0, 32)
        .toUpperCase();
}

function assembleGuest(guest: SubjectGuest, nodes: readonly SubjectNode[]): GuestSpec {
    const wanted = guest.preferredNode?.toLowerCase();
    const preferredNode = nodes.find(({ name }) => name?.toLowerCase() === wanted)?.name;
    const workload = assembleWorkload(guest);
    const httpCheck = assembleCheck(present(guest.httpCheck), CHECK_PATHS[workload.kind]);
    return {
        name: present(guest.name),
        memory: present(guest.memory),
        vcpus: present(guest.vcpus),
        mac: present(guest.mac),
        address: present(guest.address),
        medium: present(guest.medium),
        disk: present(guest.disk),
        ha: present(guest.ha),
        ...(preferredNode === undefined ? {} : { preferredNode }),
        workload,
        ...(httpCheck === undefined ? {} : { httpCheck }),
        keepDisk: present(guest.keepDisk),
    };
}

function assembleOracleVm(oracleVm: NonNullable<ClusterDraft["oracleVm"]>): OracleVmSpec {
    return {
        user: present(oracleVm.user),
        operatingSystem: present(oracleVm.operatingSystem),
        exportMode: present(oracleVm.exportMode),
        removeLocalRepository: present(oracleVm.removeLocalRepository),
        upgrade: present(oracleVm.upgrade),
        startAtBoot: present(oracleVm.startAtBoot).map(present),
        cli: present(oracleVm.cli),
        services: present(oracleVm.services),
        commands: present(oracleVm.commands).map((entry) => {
            const { name, words, answer } = present(entry);
            return { name: present(name), words: present(words), ...(answer === undefined ? {} : { answer }) };
        }),
    };
}

function assembleWorkload(guest: SubjectGuest): WorkloadSpec {
    const draft = workloadDraft(guest.workload);
    const kind = present(draft.kind);
    const site = {
        url: draft.url?.toLowerCase() ?? `http://${present(guest.address)}`,
        title: draft.title ?? present(guest.name),
    };
    switch (kind) {
        case "none":
        case "apache":
            return { kind };
        case "mediawiki":
            return { kind, ...site };
        case "moodle":
            return { kind, ...site, archive: present(draft.archive), sha256: present(draft.sha256).toLowerCase() };
    }
}

/** @param path what is asked for unless the user said something else */
function assembleCheck(check: NonNullable<SubjectGuest["httpCheck"]>, path: string): HttpCheck | undefined {
    return check.enabled === false
        ? undefined
        : { path: check.path ?? path, port: present(check.port), status: present(check.status) };
}
