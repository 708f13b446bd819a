/**
 * What makes a machine of the common image this one: its name, address and keys, as files. They are handed over as a
 * tar on a small disk, which the machine's initrd unpacks once.
 */
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { run } from "./run";
import { ALL_MACHINES, type MachinePlan, NETWORK } from "./machines";
import { type Lab, type LabFolder } from "./state";

/** One file of a machine. */
export interface IdentityFile {
    /** Path without the leading slash. */
    path: string;
    text: string;
    /** Access rights; 0o644 when left out. */
    mode?: number;
}

/** Keys of a machine and of who may log in. */
export interface Keys {
    hostKey: string;
    hostPublicKey: string;
    clientPublicKey: string;
}

/** Content of networkd's files: the manager has its address on the card, a node on the bridge its guests join. */
function networkFiles(machine: MachinePlan): IdentityFile[] {
    const address = [
        "[Network]",
        `Address=${machine.address}/${NETWORK.prefix}`,
        "LinkLocalAddressing=no",
        "IPv6AcceptRA=no",
        // A pulled cable must not cost the address: there is nobody to give it back.
        "ConfigureWithoutCarrier=yes",
        "IgnoreCarrierLoss=yes",
        "",
    ].join("\n");
    const folder = "etc/systemd/network";
    if (machine.role === "manager") {
        return [{ path: `${folder}/20-eth0.network`, text: `[Match]\nName=eth0\n\n${address}` }];
    }
    const bridge = `[NetDev]\nName=xenbr0\nKind=bridge\nMACAddress=${machine.mac}\n\n[Bridge]\nSTP=no\nForwardDelaySec=0\n`;
    return [
        { path: `${folder}/10-xenbr0.netdev`, text: bridge },
        { path: `${folder}/20-eth0.network`, text: "[Match]\nName=eth0\n\n[Network]\nBridge=xenbr0\n" },
        { path: `${folder}/30-xenbr0.network`, text: `[Match]\nName=xenbr0\n\n${address}` },
    ];
}

/** All files that make a machine this one. Pure. */
export function identityFiles(machine: MachinePlan, keys: Keys): IdentityFile[] {
    const hosts = ALL_MACHINES.map(({ name, address }) => `${address} ${name}\n`).join("");
    const machineId = createHash("sha256").update(`${machine.name} ${keys.hostPublicKey}`).digest("hex").slice(0, 32);
    return [
        { path: "etc/machine-identity", text: `${machine.name}\n` },
        { path: "etc/machine-id", text: `${machineId}\n`, mode: 0o444 },
        { path: "etc/hostname", text: `${machine.name}\n` },
        { path: "etc/hosts", text: `127.0.0.1 localhost\n${hosts}` },
        { path: "etc/ssh/ssh_host_ed25519_key", text: keys.hostKey, mode: 0o600 },
        { path: "etc/ssh/ssh_host_ed25519_key.pub", text: keys.hostPublicKey },
        { path: "root/.ssh/authorized_keys", text: keys.clientPublicKey, mode: 0o600 },
        ...networkFiles(machine),
        ...(machine.role === "manager"
            ? [
                  {
                      path: "etc/fstab",
                      text: "/dev/vda / ext4 rw,noatime 0 0\n/dev/vdc /srv/media ext4 ro,noload,nofail 0 0\n",
                  },
              ]
            : []),
    ];
}

/** Makes a key pair without a passphrase in `file` and `file`.pub, over any that is there. */
export async function makeKey(file: string, comment: string): Promise<void> {
    rmSync(file, { force: true });
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", file]);
}

/** Makes the keys of one machine and its identity disk. */
export async function makeIdentity(folder: LabFolder, machine: MachinePlan): Promise<void> {
    const hostKey = folder.machine(machine.name, "host_key");
    await makeKey(hostKey, machine.name);
    const read = (file: string): string => readFileSync(file, "utf8");
    const keys = {
        hostKey: read(hostKey),
        hostPublicKey: read(`${hostKey}.pub`),
        clientPublicKey: read(folder.at("id_ed25519.pub")),
    };
    rmSync(hostKey);
    const tree = folder.machine(machine.name, "identity");
    const files = identityFiles(machine, keys);
    for (const { path, text, mode = 0o644 } of files) {
        mkdirSync(dirname(join(tree, path)), { recursive: true, mode: 0o755 });
        writeFileSync(join(tree, path), text);
        chmodSync(join(tree, path), mode);
    }
    // Files only: the folders exist on the machine and keep their rights.
    const tar = folder.machine(machine.name, "identity.tar");
    const names = files.map(({ path }) => path);
    await run("tar", ["--owner=0", "--group=0", "--numeric-owner", "-C", tree, "-cf", tar, ...names]);
    chmodSync(tar, 0o600);
    rmSync(tree, { recursive: true });
}

/** The text of known_hosts: each machine's key under its port here, its name and its address. Pure. */
export function knownHosts(lab: Pick<Lab, "machines">, publicKeys: Record<string, string>): string {
    return lab.machines
        .map(({ name, address, sshPort }) => {
            const key = (publicKeys[name] ?? "").trim().split(" ").slice(0, 2).join(" ");
            return `[127.0.0.1]:${sshPort},${name},${address} ${key}\n`;
        })
        .join("");
}
