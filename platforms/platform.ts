import { type ClusterSpec, type GuestSpec, type NodeSpec } from "../config/spec";

/** Values that a script's text refers to by name. */
export type Variables = Readonly<Record<string, string>>;

/** What steps may make secret variables from. */
export interface Secrets {
    /** Made with the pool, the same for its whole life. */
    readonly pool: string;
    /** Of the pool manager's own login; empty where the platform has none. */
    readonly manager: string;
    /** Of the agent on the nodes; empty where the platform has none. */
    readonly agent: string;
    /** Of the administrator of what a guest serves; empty outside of a guest's plan. */
    readonly admin: string;
    /** Of the database of what a guest serves; empty outside of a guest's plan. */
    readonly database: string;
}

/**
 * What must be there before a step can run, beside steps of its own plan: other parts of the cluster as a whole. `node` is
 * the one node the step runs on.
 */
export type Need = "drain" | "repository" | "nodes" | "node" | "pool";

/** One thing that is made true on one host. */
export interface Step {
    /** Unique within its plan. */
    readonly name: string;
    /** Name of the member it runs on. */
    readonly host: string;
    /** Text of the script: what it defines is described in the step files' own heads. */
    readonly script: string;
    readonly variables: Variables;
    /** Further variables, made from secrets. A step that has this is a secret as a whole. */
    readonly secret?: (secrets: Secrets) => Variables;
    /** Seconds after which the host gives up. */
    readonly timeout: number;
    /** Steps of the same plan that come before. */
    readonly after?: readonly string[];
    readonly needs?: readonly Need[];
    /** What makes this step the one it is: another value means take the old one away first, then make a new one. */
    readonly identity?: readonly string[];
}

/** How hosts of one kind are told what to be. Planning is pure: all of it can be done without a host. */
export interface Platform {
    /** Words that, put before a command, end it and what it started after that many seconds. */
    timeLimit(seconds: number): string;
    /**
     * Words that, put before a command, let it wait until nobody else does the step of that name on the host: what a run
     * that was killed has begun goes on there, and the next run must not do the same beside it.
     */
    alone?(step: string): string;
    /** What the repository is identified by; empty where its hosts give it an identity of their own. */
    repositoryUuid(spec: ClusterSpec): string;
    /**
     * The manager: prepared as a member, and exporting the repository. A step named `drain`, if there is one, lets nodes
     * that are no longer in the configuration leave in order; steps that shut such nodes out need it.
     */
    repository(spec: ClusterSpec): Step[];
    /** A node with its hypervisor, its network and the repository mounted. */
    node(spec: ClusterSpec, node: NodeSpec): Step[];
    /** Manager and nodes joined to one pool. */
    pool(spec: ClusterSpec): Step[];
    /** A guest of the pool. */
    guest(spec: ClusterSpec, guest: GuestSpec): Step[];
    /** How to see what the pool and its guests are doing now, where a platform can tell; its script's `probe` prints it. */
    view?(spec: ClusterSpec): Pick<Step, "host" | "script" | "variables" | "timeout">;
}
