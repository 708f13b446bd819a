import { UserError } from "../errors";
import { type ResourceState, type Snapshot } from "./resource";

/**
 * Checks what the official engine checks of a snapshot: providers, parents and dependencies stand before those who
 * need them, and a URN stands twice only if all but one are waiting for deletion. Throws a one-line `UserError`.
 *
 * Source: pulumi/pulumi pkg/resource/stack/snapshot/integrity.go.
 */
export function verifyIntegrity(snapshot: Snapshot, file: string): void {
    const reason = findFault(snapshot.resources);
    if (reason !== undefined) {
        throw new UserError(
            `the state in ${file} is not consistent: ${reason}`,
            `put back its last good copy, ${file}.bak or one from the folder backups`,
        );
    }
}

/** The first fault in words, or `undefined`. */
export function findFault(resources: readonly ResourceState[]): string | undefined {
    const position = new Map<string, number>();
    resources.forEach((resource, index) => position.set(resource.urn, index));
    const seen = new Set<string>();
    const providers = new Set<string>();
    for (const resource of resources) {
        if (resource.type.startsWith("pulumi:providers:")) {
            providers.add(`${resource.urn}::${resource.id}`);
        }
        if (resource.provider !== "" && !providers.has(resource.provider) && !resource.pendingReplacement) {
            return `resource ${resource.urn} refers to the unknown provider ${resource.provider}`;
        }
        for (const [role, urn] of needs(resource)) {
            if (!seen.has(urn)) {
                return position.has(urn)
                    ? `resource ${resource.urn} stands before its ${role} ${urn}`
                    : `resource ${resource.urn} has the ${role} ${urn}, which does not exist`;
            }
        }
        seen.add(resource.urn);
    }
    return duplicate(resources);
}

function* needs(resource: ResourceState): Generator<readonly [role: string, urn: string]> {
    if (resource.parent !== "") {
        yield ["parent", resource.parent];
    }
    for (const urn of resource.dependencies) {
        yield ["dependency", urn];
    }
    for (const urn of Object.values(resource.propertyDependencies).flat()) {
        yield ["property dependency", urn];
    }
    if (resource.deletedWith !== "") {
        yield ["deletedWith", resource.deletedWith];
    }
}

function duplicate(resources: readonly ResourceState[]): string | undefined {
    const living = new Set<string>();
    for (const resource of resources.filter((item) => !item.delete)) {
        if (living.has(resource.urn)) {
            return `resource ${resource.urn} stands twice`;
        }
        living.add(resource.urn);
    }
    return undefined;
}
