import { createHash } from "node:crypto";
import { isObject, type PropertyMap, type Value } from "../../values/value";

/** How to reach one SSH host: the `connection` (or its `proxy`) of a resource of @pulumi/command, defaults applied. */
export interface HostSettings {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password?: string;
    readonly privateKey?: string;
    readonly privateKeyPassword?: string;
    /** Socket of an SSH agent; absent: `$SSH_AUTH_SOCK`. */
    readonly agentSocketPath?: string;
    /** Failed dials to bear with; -1: any number. */
    readonly dialErrorLimit: number;
    /** Seconds for one dial; 0: no limit. */
    readonly perDialTimeout: number;
    /** The one accepted host key, as a line of authorized_keys; absent: any key is accepted. */
    readonly hostKey?: string;
}

export interface ConnectionSettings extends HostSettings {
    readonly proxy?: HostSettings;
}

/** What the provider's schema puts in the place of absent properties, of a connection and of a proxy. */
export const HOST_DEFAULTS = { user: "root", port: 22, dialErrorLimit: 10, perDialTimeout: 15 } as const;

/** Reads a revealed `connection` property. It must have passed the provider's `check`. */
export function connectionFrom(value: Value | undefined): ConnectionSettings {
    const map = isObject(value) ? value : {};
    return isObject(map["proxy"]) ? { ...hostFrom(map), proxy: hostFrom(map["proxy"]) } : hostFrom(map);
}

function hostFrom(map: PropertyMap): HostSettings {
    const text = (key: string): string | undefined => (typeof map[key] === "string" ? map[key] : undefined);
    const count = (key: keyof typeof HOST_DEFAULTS): number =>
        typeof map[key] === "number" ? Math.trunc(map[key]) : Number(HOST_DEFAULTS[key]);
    return {
        host: text("host") ?? "",
        port: count("port"),
        user: text("user") ?? HOST_DEFAULTS.user,
        password: text("password"),
        privateKey: text("privateKey"),
        privateKeyPassword: text("privateKeyPassword"),
        agentSocketPath: text("agentSocketPath"),
        dialErrorLimit: count("dialErrorLimit"),
        perDialTimeout: count("perDialTimeout"),
        hostKey: text("hostKey"),
    };
}

/** `host:port`, with brackets around an IPv6 address. */
export function endpointOf(settings: HostSettings): string {
    return `${settings.host.includes(":") ? `[${settings.host}]` : settings.host}:${settings.port}`;
}

/**
 * The same for settings that lead to the same login on the same host by the same way, whatever their patience. A
 * digest, because it stands for credentials.
 */
export function identityOf(settings: ConnectionSettings): string {
    const part = (host: HostSettings | undefined): unknown =>
        host && [
            host.host,
            host.port,
            host.user,
            host.password,
            host.privateKey,
            host.privateKeyPassword,
            host.agentSocketPath,
            host.hostKey,
        ];
    return createHash("sha256")
        .update(JSON.stringify([part(settings), part(settings.proxy)]))
        .digest("hex");
}
