import { type types } from "@pulumi/command";
import { secret, type Input } from "@pulumi/pulumi";

/** Where SSH answers, and the one key it must answer with. */
export interface Endpoint {
    readonly host: string;
    readonly port: number;
    readonly hostKey: string;
}

/** How to log in, the same for all hosts. */
export interface Credentials {
    readonly user: string;
    /** Text of the private key; without it the agent is asked. */
    readonly privateKey?: Input<string>;
    /** The host through which all others are reached. */
    readonly bastion?: Endpoint & { readonly user: string };
}

/** Over a minute for a host that refuses, three and a half for one that is silent: it may be starting. */
const DIAL = { dialErrorLimit: 15, perDialTimeout: 10 };

/** The connection to a host. As a whole it is a secret, so that a key is never recorded in clear. */
export function connectionTo(
    endpoint: Endpoint,
    { user, privateKey, bastion }: Credentials,
): Input<types.input.remote.ConnectionArgs> {
    const key = privateKey === undefined ? {} : { privateKey };
    if (endpoint.hostKey.trim() === "") {
        throw new Error(`${endpoint.host} has no host key to be recognised by`);
    }
    return secret({
        host: endpoint.host,
        port: endpoint.port,
        hostKey: endpoint.hostKey,
        user,
        ...key,
        ...DIAL,
        ...(bastion === undefined
            ? {}
            : {
                  proxy: {
                      host: bastion.host,
                      port: bastion.port,
                      hostKey: bastion.hostKey,
                      user: bastion.user,
                      ...key,
                      ...DIAL,
                  },
              }),
    });
}
