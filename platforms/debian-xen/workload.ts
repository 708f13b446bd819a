import { createHash } from "node:crypto";
import { type GuestSpec, type WorkloadSpec } from "../../config/spec";
import { quote } from "../../remote/shell";
import { type Secrets, type Variables } from "../platform";
import { inGuest, startProgram } from "./scripts";

/** A workload that is set up in the guest; the others are what the medium brings. */
export type SiteWorkload = Extract<WorkloadSpec, { url: string }>;

/** What has to be set up in a guest, if anything. */
export function siteOf({ workload }: GuestSpec): SiteWorkload | undefined {
    switch (workload.kind) {
        case "none":
        case "apache":
            return undefined;
        case "mediawiki":
        case "moodle":
            return workload;
    }
}

/** Name, on the repository, of the disk that a guest is set up from. */
export const WORKLOAD_DISK = "workload.tar";

/** Lines of shell that set variables. */
function assignments(variables: Variables): string {
    return Object.entries(variables)
        .map(([name, value]) => `${name}=${quote(value)}`)
        .join("\n");
}

/** What a site's program is told, but for its passwords. */
function settings(site: SiteWorkload): Variables {
    const common = { URL: site.url, TITLE: site.title };
    switch (site.kind) {
        case "mediawiki":
            return common;
        case "moodle":
            return { ...common, SHA256: site.sha256 };
    }
}

/** Variables of the step that writes the disk. */
export function workloadVariables(site: SiteWorkload): Variables {
    const { archive, sha256 } = site.kind === "moodle" ? site : { archive: "", sha256: "" };
    return {
        KIND: site.kind,
        SETTINGS: assignments(settings(site)),
        SETUP: inGuest(site.kind),
        ARCHIVE: archive,
        SHA256: sha256,
    };
}

/** The variables of that step that nobody may see. */
export function workloadSecrets({ admin, database }: Secrets): Variables {
    return { PASSWORDS: assignments({ ADMIN_PASSWORD: admin, DATABASE_PASSWORD: database }) };
}

/** What in vm.cfg tells that a guest has to be started anew, because something is to be set up. Passwords are no part of it. */
export function workloadMark(site: SiteWorkload): string {
    const digest = createHash("sha256")
        .update(assignments(settings(site)))
        .digest("hex");
    return `${site.kind} ${digest.slice(0, 16)}`;
}

/** The program that an image gets to run at each start, and its unit; both empty where nothing is to be set up. */
export function starter(site: SiteWorkload | undefined): Readonly<Record<"WORKLOAD" | "STARTER" | "UNIT", string>> {
    return site === undefined
        ? { WORKLOAD: "", STARTER: "", UNIT: "" }
        : { WORKLOAD: site.kind, STARTER: startProgram(), UNIT };
}

const UNIT = `# Made by ovm-ha-cluster.
[Unit]
Description=Set-up of what this guest serves
Wants=mariadb.service
After=mariadb.service
Before=apache2.service cron.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/ovm-ha-workload
TimeoutStartSec=infinity
Restart=on-failure
RestartSec=30
StandardOutput=journal+console
StandardError=journal+console

[Install]
WantedBy=multi-user.target`;
