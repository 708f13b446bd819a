import { parseAddress, parseNetwork } from "./addresses";
import { type Complaint } from "./fields";
import { nearest } from "./nearest";

/** Checks of single texts, for the schema: each answers with what is wrong, or with `undefined`. */
export type TextCheck = (value: string) => Complaint | undefined;

/** A host name after RFC 1123, one label: what Xen, Pacemaker and /etc/hosts all take as a name. */
export const hostName: TextCheck = (value) =>
    /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(value) && !/^\d+$/.test(value)
        ? undefined
        : {
              problem: "is no legal host name",
              remedy: "use 1 to 63 letters, digits and hyphens, not only digits, no hyphen at either end (RFC 1123)",
          };

/** An IPv4 address. */
export const address: TextCheck = (value) =>
    parseAddress(value) === undefined
        ? {
              problem: "is no IPv4 address",
              remedy: "write four decimal numbers from 0 to 255 without leading zeros, such as 192.168.1.101",
          }
        : undefined;

/** An IPv4 network in CIDR form. */
export const network: TextCheck = (value) =>
    parseNetwork(value) === undefined
        ? {
              problem: "is no IPv4 network",
              remedy: "write its first address and a prefix from 8 to 30, such as 192.168.1.0/24",
          }
        : undefined;

/** Whatever SSH can connect to: a host name, with dots or without, or an address. */
export const endpointHost: TextCheck = (value) =>
    value.length <= 253 && /^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$/.test(value)
        ? undefined
        : { problem: "is neither a host name nor an address", remedy: "write what `ssh` would be given" };

/** A login name, as useradd takes it. */
export const userName: TextCheck = (value) =>
    /^[a-z_][a-z0-9_-]{0,31}$/.test(value)
        ? undefined
        : { problem: "is no login name", remedy: "write a name of lower-case letters, digits, - and _, such as root" };

/** Names of files that can stand in /etc/exports, fstab and a shell script without anyone having to think of quotes. */
const PLAIN_PATH = /^\/[A-Za-z0-9._+@/-]*$/;

function absolute(value: string): Complaint | undefined {
    if (!value.startsWith("/")) {
        return { problem: "is not an absolute path", remedy: "begin it with /" };
    }
    if (!PLAIN_PATH.test(value)) {
        return {
            problem: "has characters that NFS exports and mount tables cannot carry plainly",
            remedy: "use letters, digits and . _ + @ - between the slashes",
        };
    }
    if (value.split("/").some((part) => part === "." || part === "..")) {
        return { problem: "has . or .. in it", remedy: "write the path without them" };
    }
    return undefined;
}

/** Folders that belong to the system: exporting or emptying one of them breaks the machine. */
const SYSTEM_FOLDERS = [
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib64",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/sys",
    "/tmp",
    "/usr",
];

/** Folders with other things in them: a folder of its own below is fine, they themselves are not. */
const SHARED_FOLDERS = ["/", "/home", "/media", "/mnt", "/opt", "/srv", "/var", "/var/lib", "/var/ovs"];

/** A folder on a host that may be handed out as the repository. */
export const folder: TextCheck = (value) => {
    const trimmed = value.replace(/\/+/g, "/").replace(/(?<=.)\/$/, "");
    if (absolute(value) !== undefined) {
        return absolute(value);
    }
    if (SYSTEM_FOLDERS.some((system) => trimmed === system || trimmed.startsWith(`${system}/`))) {
        return {
            problem: "belongs to the system",
            remedy: "give the repository a folder of its own, such as /sharedvol",
        };
    }
    return SHARED_FOLDERS.includes(trimmed)
        ? {
              problem: "holds other things as well",
              remedy: `give it a folder of its own, such as ${trimmed === "/" ? "" : trimmed}/sharedvol`,
          }
        : undefined;
};

/** A file or folder on a host. */
export const hostPath: TextCheck = absolute;

/** A device of a host. */
export const device: TextCheck = (value) =>
    /^\/dev\/[A-Za-z0-9/_-]+$/.test(value)
        ? undefined
        : { problem: "is no device", remedy: "write a path below /dev, such as /dev/watchdog" };

/** A file on the machine this runs on: absolute, below `~`, or relative to the project's folder. */
export const localFile: TextCheck = (value) =>
    value === "" || value.includes("\0") || value.includes("\n")
        ? { problem: "is no file name", remedy: "write a path, such as ~/.ssh/known_hosts or .lab/known_hosts" }
        : undefined;

/** `agent`, `secret`, or a file with a private key: never the key itself. */
export const sshKey: TextCheck = (value) => {
    if (value.includes("PRIVATE KEY")) {
        return {
            problem: "is the key itself, in clear",
            remedy: "take it out, write `key: secret`, and store it: pulumi config set --secret sshKey < FILE",
        };
    }
    if (value === "agent" || value === "secret" || /[/.]/.test(value)) {
        return localFile(value);
    }
    const meant = nearest(value, ["agent", "secret"]);
    return {
        problem: "is neither agent nor secret nor a path",
        remedy:
            meant === undefined ? "write agent, secret, or a path such as ~/.ssh/id_ed25519" : `did you mean ${meant}?`,
    };
};

/** 32 hex digits, in upper or lower case, with or without the hyphens of a UUID. */
export const uuid: TextCheck = (value) =>
    /^[0-9a-f]{32}$/i.test(value.replaceAll("-", ""))
        ? undefined
        : {
              problem: "is not 32 hex digits",
              remedy: "write what `uuidgen` prints, or leave it out to have one derived",
          };

/** A MAC address for one interface. */
export const mac: TextCheck = (value) => {
    if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(value)) {
        return {
            problem: "is no MAC address",
            remedy: "write six pairs of hex digits with colons, such as 00:16:3e:a8:01:6e, or leave it out to have one derived",
        };
    }
    return Number.parseInt(value.slice(0, 2), 16) % 2 === 1
        ? { problem: "is a group address", remedy: "make the first pair even; Xen's own range begins with 00:16:3e" }
        : undefined;
};

/** The path of a URL. */
export const urlPath: TextCheck = (value) =>
    /^\/[\w.~!$&'()*+,;=:@%/?-]*$/.test(value)
        ? undefined
        : {
              problem: "is no path of a URL",
              remedy: "begin it with / and percent-encode what is not plain, such as /login",
          };

const ARCHIVE_ENDING = /\.(tgz|tar\.gz)$/;

/** A compressed tar: a file on a host, or a URL without anything secret in it. */
export const archive: TextCheck = (value) => {
    const isUrl = /^[a-z]+:\/\//i.test(value);
    if (isUrl && /^[a-z]+:\/\/[^/]*@/i.test(value)) {
        return {
            problem: "has a login in it, which would stand in the stack's files in clear",
            remedy: "put the archive on the manager and write its path",
        };
    }
    if (isUrl && !/^https?:\/\/[A-Za-z0-9.-]+(:\d{1,5})?\/[\w.~%+/-]*$/.test(value)) {
        return {
            problem: "is no plain URL",
            remedy: "write http:// or https://, a host and a path, percent-encoded, with nothing after the path",
        };
    }
    const complaint = isUrl ? undefined : absolute(value);
    if (complaint !== undefined) {
        return { ...complaint, remedy: `${complaint.remedy}; or write a URL` };
    }
    return ARCHIVE_ENDING.test(value)
        ? undefined
        : { problem: "ends neither in .tgz nor in .tar.gz", remedy: "take the release as .tgz, not as .zip" };
};

/** A SHA-256 in hexadecimal. */
export const sha256: TextCheck = (value) =>
    /^[0-9a-f]{64}$/i.test(value)
        ? undefined
        : { problem: "is no SHA-256: that has 64 hex digits", remedy: "write what `sha256sum FILE` prints first" };

/** The root of a web site, as clients write it. */
export const siteUrl: TextCheck = (value) => {
    const port = Number(/^https?:\/\/[^/:]+:(\d+)$/i.exec(value)?.[1] ?? 80);
    return /^https?:\/\/[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?$/i.test(value) && port >= 1 && port <= 65535
        ? undefined
        : {
              problem: "is not the root of a web site",
              remedy: "write http:// and a name or address, with nothing behind it, such as http://moodle.example.org",
          };
};

/** What a site calls itself: one line without what shells, PHP and SQL would have to be told about. */
export const siteTitle: TextCheck = (value) =>
    /^[\p{L}\p{N}][\p{L}\p{N} ._,:()+-]{0,79}$/u.test(value) && value === value.trim()
        ? undefined
        : {
              problem: "is no title that can be carried",
              remedy: "use 1 to 80 letters, digits, spaces and . _ , : ( ) + -, beginning with a letter or digit",
          };

/** The name of a pool or cluster: Corosync's and Oracle VM's common ground. */
export const poolName: TextCheck = (value) =>
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/.test(value)
        ? undefined
        : { problem: "is no name for a pool", remedy: "use 1 to 32 letters, digits, _ and -, such as HAPPOOL" };

const EXPORT_OPTIONS = [
    "rw",
    "sync",
    "no_root_squash",
    "no_subtree_check",
    "subtree_check",
    "wdelay",
    "no_wdelay",
    "secure",
    "insecure",
    "sec=sys",
    "crossmnt",
];

const HARMFUL_OPTIONS: Record<string, string> = {
    ro: "guests could not write to their disks",
    async: "writes would be acknowledged before they are on the disk, and lost with the manager",
    root_squash: "the nodes' root could not open the guests' disks",
    all_squash: "the nodes' root could not open the guests' disks",
};

/** One option of the export, from the list that has been thought about. */
export const exportOption: TextCheck = (value) => {
    const harm = Object.hasOwn(HARMFUL_OPTIONS, value) ? HARMFUL_OPTIONS[value] : undefined;
    if (harm !== undefined) {
        return { problem: `is not allowed: ${harm}`, remedy: "use its opposite: rw, sync, no_root_squash" };
    }
    if (EXPORT_OPTIONS.includes(value)) {
        return undefined;
    }
    const meant = nearest(value, EXPORT_OPTIONS);
    return {
        problem: "is no export option this program allows",
        remedy: meant === undefined ? `use only ${EXPORT_OPTIONS.join(", ")}` : `did you mean ${meant}?`,
    };
};

/** Words that can stand within quotes anywhere. */
export const plainWords: TextCheck = (value) =>
    /^[A-Za-z0-9 ._:,"'()/+-]+$/.test(value)
        ? undefined
        : {
              problem: "has characters that cannot be carried",
              remedy: "use letters, digits, spaces and . _ : , ( ) / + -",
          };

/** A service, as `chkconfig` and `service` take it. */
export const serviceName: TextCheck = (value) =>
    /^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(value)
        ? undefined
        : { problem: "is no name of a service", remedy: "write what `chkconfig --list` shows, such as nfs" };

/** Where a service answers: nothing after the path, and no user name in it. */
export const webAddress: TextCheck = (value) =>
    /^https?:\/\/[A-Za-z0-9.-]+(:\d{1,5})?(\/[A-Za-z0-9._-]+)*$/.test(value)
        ? undefined
        : { problem: "is no address of a service", remedy: "write it like http://127.0.0.1:8888/OVSWS" };

/** Words of a command, parted by spaces: nothing in them is left to a shell. */
export const commandWords: TextCheck = (value) =>
    /^[A-Za-z0-9{}._:=,/+@()[\] -]+$/.test(value) && value.trim() !== ""
        ? undefined
        : {
              problem: "has characters that a command's words cannot have",
              remedy: "use letters, digits and . _ : = , / + - @ ( ) [ ] and {…} for values, without quotes",
          };
