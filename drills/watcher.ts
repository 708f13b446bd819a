/** Puts the watcher onto a host, so that it is back before the cluster services are when the host restarts. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { quote } from "../remote/shell";

const PROGRAM = "/usr/local/sbin/ovm-ha-drill";
const NAME = "ovm-ha-drill.service";
const UNIT = `/etc/systemd/system/${NAME}`;
const LINK = `/etc/systemd/system/multi-user.target.wants/${NAME}`;

/** The watcher as a program. */
export const watcher = {
    text: (): string => readFileSync(join(__dirname, "watch.py"), "utf8"),
    /** The command that runs it from what SSH brings, and ends with the connection. */
    overSsh: (guest: string): string => `python3 - ${quote(guest)} connection`,
};

function unitText(guest: string): string {
    return `# Made by a drill, which takes it away again.
[Unit]
Description=Tells the serial console what a drill has to know
DefaultDependencies=no
After=systemd-journald.service
Before=corosync.service pacemaker.service

[Service]
ExecStart=${PROGRAM} ${guest}
Restart=always
Nice=-5
`;
}

/** A shell command, and what it reads. */
export interface Command {
    command: string;
    input: string;
}

/**
 * Installs and starts the watcher.
 *
 * @param guest name of the guest; empty on a host without a hypervisor
 */
export function installWatcher(guest: string): Command {
    const end = "end-of-the-unit";
    return {
        command: [
            `cat >${PROGRAM}`,
            `chmod 755 ${PROGRAM}`,
            `cat >${UNIT} <<'${end}'\n${unitText(guest)}${end}\nln -sf ${UNIT} ${LINK}`,
            "systemctl daemon-reload",
            `systemctl restart ${NAME}`,
            // The machine may lose its power any moment.
            "sync",
        ].join(" && "),
        input: watcher.text(),
    };
}

/** Stops the watcher and leaves nothing of it. */
export function removeWatcher(): string {
    return `systemctl stop ${NAME}; rm -f ${UNIT} ${LINK} ${PROGRAM}; systemctl daemon-reload`;
}
