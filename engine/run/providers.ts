import { NotSupported } from "../errors";
import { type Provider } from "../providers/provider";
import { isProviderType, providerPackage } from "../urn";
import { type PropertyMap } from "../values/value";

/** The package of a resource type: what stands before its first colon. */
export function packageOf(type: string): string {
    return type.slice(0, type.indexOf(":"));
}

/** The packages that this engine carries out itself, by name. */
export class Providers {
    constructor(private readonly byPackage: ReadonlyMap<string, Provider>) {}

    /** Throws `NotSupported` for custom resources that nobody here manages and for providers of packages unknown here. */
    refuseUnknown(type: string): void {
        if (!isProviderType(type)) {
            this.forType(type);
        } else if (!this.byPackage.has(providerPackage(type))) {
            throw new NotSupported(`provider ${type}`);
        }
    }

    /** Who manages resources of the type. Throws `NotSupported` for a type that nobody here does. */
    forType(type: string): Provider {
        const provider = this.byPackage.get(packageOf(type));
        if (isProviderType(type) || provider === undefined || !provider.supports(type)) {
            throw new NotSupported(`resource type ${type}`);
        }
        return provider;
    }

    /** Who answers a function call. Throws `NotSupported` for functions that nobody here has. */
    async invoke(token: string, args: PropertyMap): ReturnType<NonNullable<Provider["invoke"]>> {
        const provider = this.byPackage.get(packageOf(token));
        if (provider?.invoke === undefined) {
            throw new NotSupported(`function ${token}`);
        }
        return provider.invoke(token, args);
    }

    async close(): Promise<void> {
        await Promise.all([...this.byPackage.values()].map((provider) => provider.close()));
    }
}

/**
 * The inputs that the official engine and plugin record for a default provider, so that a stack changes hands without
 * a difference. Learned from recorded states of `@pulumi/command` 1.2.1 and `@pulumi/random` 4.21.1.
 *
 * @param config the program's configuration, which only dynamic providers are given
 */
export function defaultProviderInputs(pkg: string, version: string, config: PropertyMap): PropertyMap {
    switch (pkg) {
        case "command":
            return { __internal: {}, "__pulumi-go-provider-version": "1.2.0", version };
        case "pulumi-nodejs":
            return config;
        default:
            return { __internal: {}, version };
    }
}
