/**
 * Names of resources: `urn:pulumi:STACK::PROJECT::PARENT_TYPE$TYPE::NAME`.
 *
 * Source: pulumi/pulumi sdk/go/common/resource/urn.
 */

export const ROOT_STACK_TYPE = "pulumi:pulumi:Stack";

const PREFIX = "urn:pulumi:";
const PROVIDER_PREFIX = "pulumi:providers:";

export interface UrnParts {
    readonly stack: string;
    readonly project: string;
    /** Types of the parents and the resource itself, joined by `$`. */
    readonly qualifiedType: string;
    readonly type: string;
    readonly name: string;
}

/** Splits a URN. Throws for a text that is none. */
export function parseUrn(urn: string): UrnParts {
    const [stack, project, qualifiedType, ...name] = urn.slice(PREFIX.length).split("::");
    if (!urn.startsWith(PREFIX) || stack === undefined || project === undefined || qualifiedType === undefined) {
        throw new Error(`not a resource name: ${urn}`);
    }
    const type = qualifiedType.slice(qualifiedType.lastIndexOf("$") + 1);
    return { stack, project, qualifiedType, type, name: name.join("::") };
}

/** The URN of a resource. The root stack does not count as a parent, nor does "". */
export function makeUrn(stack: string, project: string, parent: string, type: string, name: string): string {
    const parentType = parent === "" ? "" : parseUrn(parent).qualifiedType;
    const qualifiedType = parentType === "" || parentType === ROOT_STACK_TYPE ? type : `${parentType}$${type}`;
    return `${PREFIX}${stack}::${project}::${qualifiedType}::${name}`;
}

/** A resource's name, for people. */
export const nameOf = (urn: string): string => parseUrn(urn).name;

export const isProviderType = (type: string): boolean => type.startsWith(PROVIDER_PREFIX);

/** The type of a package's provider resources. */
export const providerType = (pkg: string): string => PROVIDER_PREFIX + pkg;

/** The package that a provider type belongs to. */
export const providerPackage = (type: string): string => type.slice(PROVIDER_PREFIX.length);

/** Providers that the engine registers by itself; users are not shown them. */
export function isDefaultProvider(urn: string): boolean {
    const { type, name } = parseUrn(urn);
    return isProviderType(type) && (name === "default" || name.startsWith("default_"));
}

/** The two halves of a provider reference `URN::ID`. */
export function parseReference(reference: string): { urn: string; id: string } {
    const split = reference.lastIndexOf("::");
    return { urn: reference.slice(0, split), id: reference.slice(split + 2) };
}
