import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CustomResource, type CustomResourceOptions, type Input, mergeOptions, type Output } from "@pulumi/pulumi";
import { connectionTo, type Credentials, type Endpoint } from "./connection";
import { assemble, launcher } from "./shell";

/** What a {@link View} looks at, and where. */
export interface ViewArgs {
    /** Said on top of the script, and in errors. */
    readonly title: string;
    /** Text that defines the function probe. */
    readonly script: string;
    readonly variables: Readonly<Record<string, string>>;
    /** Words that, put before a command, end it after its time. */
    readonly before: string;
    /** Seconds that the host gives the probe. */
    readonly seconds: number;
    readonly endpoint: Endpoint;
    readonly credentials: Credentials;
    /** Another value is a reason to look again. */
    readonly after: readonly Input<string>[];
}

/**
 * What is true on a host now: read when the resource is made or changed, and by every `refresh`, which shows what has
 * become another since. Commands cannot be read again; this is a dynamic resource, whose code is viewProvider.cjs.
 *
 * The code is given to the resource as it stands: Pulumi would otherwise take the provider apart and write it anew in every
 * run, for which it loads a compiler.
 */
export class View extends CustomResource {
    /** What the probe printed. */
    declare readonly state: Output<string>;

    constructor(name: string, args: ViewArgs, options: CustomResourceOptions) {
        const { title, script, variables, before, seconds, endpoint, credentials, after } = args;
        super(
            "pulumi-nodejs:dynamic/ha:View",
            name,
            {
                title,
                connection: connectionTo(endpoint, credentials),
                command: launcher("probe", before, credentials.user),
                script: assemble(title, script, variables),
                seconds,
                after,
                state: undefined,
                __provider: readFileSync(join(__dirname, "viewProvider.cjs"), "utf8"),
            },
            mergeOptions(options, { additionalSecretOutputs: ["connection"] }),
        );
    }
}
