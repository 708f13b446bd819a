import { type ClusterDraft } from "./schema";
import { type WorkloadKind } from "./spec";

/**
 * What a guest is asked for by default: where there is a database, something that is not answered without it, nor before the
 * site is set up (MediaWiki's own pages and API say 200 then).
 */
export const CHECK_PATHS: Readonly<Record<WorkloadKind, string>> = {
    none: "/",
    apache: "/",
    mediawiki: "/ovm-ha-cluster/health",
    moodle: "/ovm-ha-cluster/health",
};

/** What a guest needs at least for a workload: memory in MiB, disk in GiB. */
export const LEAST: Readonly<Partial<Record<WorkloadKind, { memory: number; disk: number }>>> = {
    mediawiki: { memory: 384, disk: 2 },
    moodle: { memory: 768, disk: 4 },
};

/** Workloads that are set up in the guest, and so have an address and a title. */
export const SITES: readonly WorkloadKind[] = ["mediawiki", "moodle"];

type Draft = NonNullable<NonNullable<ClusterDraft["guests"]>[number]>["workload"];

/** A workload's keys, whether it was given as a word or as a group. */
export function workloadDraft(workload: Draft): Exclude<NonNullable<Draft>, string> {
    const none = { archive: undefined, sha256: undefined, url: undefined, title: undefined };
    return typeof workload === "object" ? workload : { kind: workload, ...none };
}
