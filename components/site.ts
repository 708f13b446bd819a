import { type Input, type Output, type Resource } from "@pulumi/pulumi";
import { type ClusterSpec } from "../config/spec";
import { type Need, type Platform, type Secrets, type Step } from "../platforms/platform";
import { type Credentials, type Endpoint } from "../remote/connection";
import { RemoteStep } from "../remote/step";
import { type OvmServerNode } from "./ovmServerNode";

/** What every component needs to know: what is wanted, what kind of hosts there are, and how to log in to them. */
export interface Site {
    readonly spec: ClusterSpec;
    readonly platform: Platform;
    readonly credentials: Credentials;
    /** Passwords that the platform's own tools ask for. */
    readonly passwords?: Readonly<Record<"manager" | "agent", Input<string>>>;
}

/** Secrets of nothing, to be filled in by who has some. */
export const NO_SECRETS: Secrets = { pool: "", manager: "", agent: "", admin: "", database: "" };

/** Where the member of that name is logged in to. */
export function endpointOf(spec: ClusterSpec, host: string): Endpoint {
    const member = [spec.manager, ...spec.nodes].find(({ name }) => name === host);
    if (member === undefined) {
        throw new Error(`the plan has a step for ${host}, which is no member`);
    }
    return member.ssh;
}

/** What the steps of a plan hang on. */
export interface CarryOutOptions {
    readonly parent: Resource;
    /** The parts of the cluster that steps say they need. */
    readonly needs?: Partial<Record<Exclude<Need, "node">, readonly Resource[]>>;
    /** The nodes that steps may be on: what is on a lost one goes with it, without asking it. */
    readonly nodes?: readonly OvmServerNode[];
    /** For steps that carry keys or passwords. */
    readonly secrets?: Output<Secrets>;
}

/**
 * Makes a plan's steps, each named `<name>-<step>` and after exactly those it says.
 *
 * @returns the steps by their names in the plan
 */
export function carryOut(
    site: Site,
    name: string,
    steps: readonly Step[],
    { parent, needs = {}, nodes = [], secrets }: CarryOutOptions,
): Map<string, RemoteStep> {
    const made = new Map<string, RemoteStep>();
    const needed = (step: Step, need: Need): readonly Resource[] =>
        need === "node"
            ? nodes.filter(({ host }) => host === step.host).flatMap(({ done }) => done)
            : (needs[need] ?? []);
    const make = (step: Step, above: readonly string[]): RemoteStep => {
        const known = made.get(step.name);
        if (known !== undefined) {
            return known;
        }
        if (above.includes(step.name)) {
            throw new Error(`the steps ${[...above, step.name].join(" → ")} wait for each other`);
        }
        const before = (step.after ?? []).map((other) => {
            const found = steps.find((one) => one.name === other);
            if (found === undefined) {
                throw new Error(`the step ${step.name} comes after ${other}, which its plan does not have`);
            }
            return make(found, [...above, step.name]);
        });
        const { secret } = step;
        if (secret !== undefined && secrets === undefined) {
            throw new Error(`the step ${step.name} needs secrets, but none were given`);
        }
        const gone = nodes.find(({ lost, host }) => lost && host === step.host);
        const resource = new RemoteStep(
            `${name}-${step.name}`,
            {
                title: `${name}: ${step.name} on ${step.host}`,
                script: step.script,
                variables: step.variables,
                ...(secret === undefined ? {} : { secretVariables: secrets?.apply(secret) }),
                before: [
                    site.platform.timeLimit(step.timeout),
                    ...(site.platform.alone ? [site.platform.alone(`${name}-${step.name}`)] : []),
                ].join(" "),
                endpoint: endpointOf(site.spec, step.host),
                credentials: site.credentials,
                ...(step.identity === undefined ? {} : { identity: step.identity }),
            },
            {
                parent,
                dependsOn: [...before, ...(step.needs ?? []).flatMap((need) => needed(step, need))],
                ...(gone === undefined ? {} : { deletedWith: gone }),
            },
        );
        made.set(step.name, resource);
        return resource;
    };
    steps.forEach((step) => make(step, []));
    return made;
}

/**
 * The steps that no other one of the plan comes after: when they are done, all are. To depend on them costs one entry
 * each, where a component in their place would be taken for every resource in it, once per dependent.
 */
export function lastOf(plan: readonly Step[], made: ReadonlyMap<string, RemoteStep>): RemoteStep[] {
    const followed = new Set(plan.flatMap(({ after = [] }) => after));
    return [...made].filter(([name]) => !followed.has(name)).map(([, step]) => step);
}
