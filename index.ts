import { all, Config, getProject, interpolate, log, RunError, secret } from "@pulumi/pulumi";
import { allConfig } from "@pulumi/pulumi/runtime";
import { viewOf } from "./components/clusterView";
import { HaGuest } from "./components/haGuest";
import { NfsRepository } from "./components/nfsRepository";
import { OvmServerNode } from "./components/ovmServerNode";
import { ServerPool } from "./components/serverPool";
import { type Site } from "./components/site";
import { ConfigError, renderFaults } from "./config/faults";
import { clusterOrThrow, neededFiles, readPulumiConfig } from "./config/parse";
import { type ClusterSpec, type Platform as PlatformName, type SshSpec } from "./config/spec";
import { debianXen } from "./platforms/debian-xen";
import { oracleVm22 } from "./platforms/ovm-2.2";
import { type Platform } from "./platforms/platform";
import { type Credentials } from "./remote/connection";
import { readIfThere, readKey } from "./remote/files";

const config = new Config();

function credentialsOf({ user, key, bastion }: SshSpec): Credentials {
    const through = bastion === undefined ? {} : { bastion };
    switch (key.from) {
        case "agent":
            return { user, ...through };
        case "secret":
            return { user, ...through, privateKey: config.requireSecret("sshKey") };
        case "file":
            return { user, ...through, privateKey: secret(readKey(key.path)) };
    }
}

const platforms: Readonly<Record<PlatformName, Platform>> = { "debian-xen": debianXen, "ovm-2.2": oracleVm22 };

function passwordsOf(name: PlatformName): Pick<Site, "passwords"> {
    return name === "ovm-2.2"
        ? {
              passwords: {
                  manager: config.requireSecret("managerPassword"),
                  agent: config.requireSecret("agentPassword"),
              },
          }
        : {};
}

function readCluster(): ClusterSpec {
    try {
        const { raw, secrets } = readPulumiConfig(allConfig(), getProject());
        const files = neededFiles(raw);
        const { spec, warnings } = clusterOrThrow(raw, {
            knownHosts: readIfThere(files.knownHosts),
            endpoints: readIfThere(files.endpoints),
            publicKey: readIfThere(files.publicKey),
            secrets,
        });
        warnings.forEach((warning) => void log.warn(renderFaults([warning])));
        return spec;
    } catch (error) {
        // Engines show a RunError without a stack trace, which would tell nobody what to mend in a configuration.
        throw error instanceof ConfigError ? new RunError(error.message) : error;
    }
}

const spec = readCluster();
const site: Site = {
    spec,
    platform: platforms[spec.platform],
    credentials: credentialsOf(spec.ssh),
    ...passwordsOf(spec.platform),
};

const repository = new NfsRepository("repository", site);
const nodes = spec.nodes.map((node) => new OvmServerNode(node.name, site, { node, repository }));
const pool = new ServerPool(spec.pool.name, site, { repository, nodes });
const guests = spec.guests.map((guest) => new HaGuest(guest.name, site, { guest, repository, nodes, pool }));
const now = viewOf(site, pool, guests);
const passwords = guests.flatMap(({ guest, adminPassword }) =>
    adminPassword === undefined ? [] : [[guest, adminPassword] as const],
);

// One object, because what there is nothing of is left out: an export that is undefined is a warning in every run.
export = {
    /** Where the repository is mounted from, and the identity it is mounted under. */
    repositorySource: repository.source,
    repositoryUuid: repository.uuid,
    poolAddress: pool.virtualAddress,
    poolState: pool.state,
    /** Who is master, how servers are and where guests run, as the last refresh found it; where the platform can tell. */
    ...(now === undefined ? {} : { now }),
    /** URL of each guest that is asked by HTTP. */
    urls: Object.fromEntries(guests.map(({ guest, url }) => [guest, url])),
    /** Secret password of each site's administrator. */
    ...(passwords.length === 0 ? {} : { adminPasswords: Object.fromEntries(passwords) }),
    readme: interpolate`# Pool ${spec.pool.name}

${pool.state}

${all(guests.map(({ state }) => state)).apply((states) => states.map((state) => `- ${state}`).join("\n"))}
`,
};
