import { type ClusterSpec, type GuestSpec } from "../../config/spec";
import { completeTiming } from "../../config/timing";
import { type Secrets } from "../../platforms/platform";

/** What a step that needs secrets gets in tests: each is told from the others. */
export const SECRETS: Secrets = {
    pool: "material",
    manager: "",
    agent: "",
    admin: "admin-that-nobody-may-see",
    database: "database-that-nobody-may-see",
};

const HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI";

/** A guest as the tests take it. */
export function guestSpec(change: Partial<GuestSpec> = {}): GuestSpec {
    return {
        name: "WebServerHA",
        memory: 1000,
        vcpus: 1,
        mac: "00:16:3e:00:00:6e",
        address: "192.168.1.110",
        medium: "/srv/media/apache",
        disk: 4,
        ha: true,
        workload: { kind: "none" },
        httpCheck: { path: "/", port: 80, status: 200 },
        keepDisk: true,
        ...change,
    };
}

/** A guest with a wiki. */
export function wikiSpec(change: Partial<GuestSpec> = {}): GuestSpec {
    return guestSpec({
        medium: "/srv/media/mediawiki",
        workload: { kind: "mediawiki", url: "http://192.168.1.110", title: "The wiki's" },
        httpCheck: { path: "/ovm-ha-cluster/health", port: 80, status: 200 },
        ...change,
    });
}

/** A guest with Moodle. */
export function moodleSpec(
    release: { archive: string; sha256: string } = { archive: "/srv/moodle.tgz", sha256: "ab".repeat(32) },
): GuestSpec {
    return guestSpec({
        medium: "/srv/media/moodle",
        workload: { kind: "moodle", url: "https://moodle.example.org", title: "Aula", ...release },
        httpCheck: { path: "/ovm-ha-cluster/health", port: 80, status: 200 },
    });
}

/** The thesis's cluster. */
export function clusterSpec(change: Partial<ClusterSpec> = {}): ClusterSpec {
    const member = (name: string, number: number) => ({
        name,
        address: `192.168.1.${number}`,
        ssh: { host: `192.168.1.${number}`, port: 22, hostKey: `${HOST_KEY}${number}` },
    });
    return {
        platform: "debian-xen",
        network: { cidr: "192.168.1.0/24", prefix: 24, gateway: "192.168.1.1", dns: ["192.168.1.3"] },
        ssh: { user: "root", key: { from: "agent" } },
        manager: member("OVMANAGER", 100),
        nodes: [
            { ...member("OVMSERVER01", 101), roles: ["vm"], dom0Memory: 1024, lost: false, maintenance: false },
            { ...member("OVMSERVER02", 102), roles: ["vm"], dom0Memory: 1024, lost: false, maintenance: false },
        ],
        repository: {
            path: "/sharedvol",
            uuid: "0123456789ABCDEF0123456789ABCDEF",
            options: ["rw", "sync", "no_root_squash", "no_subtree_check"],
            keepData: true,
        },
        pool: {
            name: "HAPPOOL",
            virtualAddress: "192.168.1.120",
            timing: completeTiming("fast", {}),
            watchdog: { module: "xen_wdt", device: "/dev/watchdog" },
        },
        guests: [guestSpec()],
        oracleVm: {
            user: "admin",
            operatingSystem: "Other",
            exportMode: "755",
            removeLocalRepository: false,
            upgrade: false,
            startAtBoot: ["nfs", "nfslock"],
            cli: "2.2",
            services: "http://127.0.0.1:8888/OVSWS",
            commands: [],
        },
        ...change,
    };
}
