import { CommandProvider, type CommandOptions } from "./command/provider";
import { DynamicProvider, type DynamicOptions } from "./dynamic/provider";
import { type Provider } from "./provider";
import { RandomProvider } from "./random/provider";

export interface ProvidersOptions extends DynamicOptions {
    /** How SSH connections are shared and watched; for tests. */
    readonly pool?: CommandOptions["pool"];
}

/**
 * A new set of the providers that this engine has, by package. They start nothing and connect to nothing before the
 * first operation; all must be closed at the end of a deployment.
 */
export function createProviders(options: ProvidersOptions): Map<string, Provider> {
    const providers: Provider[] = [
        new CommandProvider({ pool: options.pool, directory: options.programDirectory }),
        new RandomProvider(),
        new DynamicProvider(options),
    ];
    return new Map(providers.map((provider) => [provider.pkg, provider]));
}
