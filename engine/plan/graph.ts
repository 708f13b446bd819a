import { type ResourceState } from "../state/resource";
import { parseReference } from "../urn";

/** What a resource needs to exist, but for its parent: dependencies of every kind and its provider. */
export function dependenciesOf(resource: ResourceState): Set<string> {
    const urns = new Set([...resource.dependencies, ...resource.replaceWith]);
    Object.values(resource.propertyDependencies).forEach((list) => list.forEach((urn) => urns.add(urn)));
    if (resource.deletedWith !== "") {
        urns.add(resource.deletedWith);
    }
    if (resource.provider !== "") {
        urns.add(parseReference(resource.provider).urn);
    }
    return urns;
}

/**
 * The resources that need `root`, directly or through others, in dependency order. Children do not count by being
 * children. `resources` must stand in dependency order, as they do in a state.
 */
export function dependentsOf(
    resources: readonly ResourceState[],
    root: ResourceState,
    ignore: (urn: string) => boolean = () => false,
): ResourceState[] {
    const reached = new Set([root.urn]);
    const dependents: ResourceState[] = [];
    for (const candidate of resources.slice(resources.indexOf(root) + 1)) {
        if (ignore(candidate.urn)) {
            continue;
        }
        for (const urn of dependenciesOf(candidate)) {
            if (reached.has(urn)) {
                dependents.push(candidate);
                reached.add(candidate.urn);
                break;
            }
        }
    }
    return dependents;
}

/**
 * For every resource that shall go, the others of them that must be gone before: its children, and whatever depends on
 * it or, when it is a component, on the component it belongs to. `resources` must stand in dependency order.
 */
export function deletionOrder(
    resources: readonly ResourceState[],
    condemned: ReadonlySet<ResourceState>,
): Map<ResourceState, ResourceState[]> {
    const before = new Map<ResourceState, ResourceState[]>([...condemned].map((resource) => [resource, []]));
    const earlier = new Map<string, ResourceState[]>();
    const children = new Map<string, ResourceState[]>();
    const descendants = (urn: string): ResourceState[] =>
        (children.get(urn) ?? []).flatMap((child) => [child, ...(child.custom ? [] : descendants(child.urn))]);

    for (const resource of resources) {
        if (condemned.has(resource)) {
            const needed = new Set<ResourceState>();
            for (const urn of dependenciesOf(resource)) {
                for (const dependency of earlier.get(urn) ?? []) {
                    needed.add(dependency);
                    if (!dependency.custom) {
                        // To depend on a component is to depend on all that is in it so far.
                        descendants(urn).forEach((inner) => needed.add(inner));
                    }
                }
            }
            (earlier.get(resource.parent) ?? []).forEach((parent) => needed.add(parent));
            needed.delete(resource);
            needed.forEach((dependency) => before.get(dependency)?.push(resource));
        }
        earlier.set(resource.urn, [...(earlier.get(resource.urn) ?? []), resource]);
        children.set(resource.parent, [...(children.get(resource.parent) ?? []), resource]);
    }
    return before;
}
