import { spawn } from "node:child_process";
import { join } from "node:path";
import { type ClusterSpec } from "../../../config/spec";
import { oracleVm22 } from "../../../platforms/ovm-2.2";
import { type Step } from "../../../platforms/platform";
import { assemble, launcher } from "../../../remote/shell";
import { clusterSpec, guestSpec, SECRETS } from "../spec";
import { AGENT_PASSWORD, MANAGER_PASSWORD, type StandInCluster } from "../../standins/ovm-2.2/cluster";

/** The thesis's cluster on Oracle VM 2.2, whose Manager has its services where a stand-in's are. */
export function thesisSpec(change: Partial<ClusterSpec> = {}, services?: string): ClusterSpec {
    const spec = clusterSpec();
    const { httpCheck: _, ...guest } = guestSpec({ medium: "/srv/media/linux.iso" });
    return {
        ...spec,
        platform: "ovm-2.2",
        nodes: spec.nodes.map((node, number) => ({ ...node, number })),
        repository: { ...spec.repository, options: ["rw", "insecure", "sync", "no_root_squash"], keepData: false },
        guests: [{ ...guest, keepDisk: false }],
        oracleVm: { ...spec.oracleVm, ...(services === undefined ? {} : { services }) },
        ...change,
    };
}

/** All steps in an order in which they can run. */
export function allSteps(spec: ClusterSpec): Step[] {
    return [
        ...oracleVm22.repository(spec),
        ...spec.nodes.flatMap((node) => oracleVm22.node(spec, node)),
        ...oracleVm22.pool(spec),
        ...spec.guests.flatMap((guest) => oracleVm22.guest(spec, guest)),
    ];
}

/** How a step ended. */
export interface Done {
    readonly step: string;
    readonly status: number;
    readonly stdout: string;
    readonly stderr: string;
}

/** Runs a step as the SSH server would, without one. */
export async function runStep(cluster: StandInCluster, step: Step, deed: "apply" | "remove" | "probe"): Promise<Done> {
    const secrets = { ...SECRETS, pool: "the pool's own", manager: MANAGER_PASSWORD, agent: AGENT_PASSWORD };
    const text = assemble(step.name, step.script, { ...step.variables, ...step.secret?.(secrets) });
    const enter = join(__dirname, "../../standins/ovm-2.2/enter.sh");
    const child = spawn("sh", [enter, cluster.folder, step.host], {
        env: {
            ...process.env,
            SSH_ORIGINAL_COMMAND: launcher(deed, oracleVm22.timeLimit(step.timeout), "root"),
        },
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
    child.stdin.on("error", () => undefined);
    child.stdin.end(text);
    const status = await new Promise<number>((resolve) => child.once("close", (code) => resolve(code ?? -1)));
    return { step: `${step.name}@${step.host}`, status, stdout, stderr };
}

/** Runs steps until one fails; answers with that one, or with the last. */
export async function runAll(cluster: StandInCluster, steps: readonly Step[], deed: "apply" | "remove"): Promise<Done> {
    let last: Done = { step: "none", status: 0, stdout: "", stderr: "" };
    for (const step of steps) {
        last = await runStep(cluster, step, deed);
        if (last.status !== 0) {
            return last;
        }
    }
    return last;
}
