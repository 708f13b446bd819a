import { type Surroundings } from "../../config/connections";
import { renderFaults, type Fault } from "../../config/faults";
import { parseCluster, type RawConfig } from "../../config/parse";
import { type ClusterSpec } from "../../config/spec";

/** A configuration without faults, made anew for each caller to spoil. */
export function sample() {
    return {
        manager: { address: "192.168.1.100" } as Record<string, unknown>,
        nodes: [
            { name: "OVMSERVER01", address: "192.168.1.101", memory: 4096 },
            { name: "OVMSERVER02", address: "192.168.1.102", memory: 4096 },
        ] as unknown[],
        pool: { virtualAddress: "192.168.1.120" } as Record<string, unknown>,
        guests: [{ name: "WebServerHA", address: "192.168.1.110", medium: "/srv/media/web.img" }] as unknown[],
    };
}

/** Surroundings in which every host a test can think of has a key. */
export function around(changes: Partial<Surroundings> = {}): Surroundings {
    return { knownHosts: "* ssh-ed25519 AAAAC3Nz\n", secrets: new Set(), ...changes };
}

/** The faults of a configuration; none when it is accepted. */
export function faultsOf(raw: RawConfig, surroundings: Surroundings = around()): readonly Fault[] {
    const parsed = parseCluster(raw, surroundings);
    return "faults" in parsed ? parsed.faults : [];
}

/** The faults as `path: problem`, short enough for a table. */
export function problemsOf(raw: RawConfig, surroundings: Surroundings = around()): string[] {
    return faultsOf(raw, surroundings).map(({ path, problem }) => `${path}: ${problem}`);
}

/** The spec of a configuration that must be accepted. */
export function specOf(raw: RawConfig, surroundings: Surroundings = around()): ClusterSpec {
    const parsed = parseCluster(raw, surroundings);
    if ("faults" in parsed) {
        throw new Error(renderFaults(parsed.faults));
    }
    return parsed.spec;
}
