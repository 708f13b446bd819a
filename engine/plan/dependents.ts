import { type DiffResult } from "../providers/provider";
import { type ResourceState } from "../state/resource";
import { isProviderType, parseReference } from "../urn";
import { mapProperties, type PropertyMap, UNKNOWN } from "../values/value";
import { dependentsOf } from "./graph";
import { type DependentReplacement, withReplaceOnChanges } from "./register";

/**
 * What must be deleted before `root` can be, because it would be replaced once `root` is gone, in dependency order: of
 * all that depends on `root`, those whose provider or `deletedWith` resource goes, or of which an input that may change
 * needs a replacement. Inputs that may change are those that depend on something that goes; `diff` is asked about them
 * as unknown.
 *
 * Resources that were registered already cannot depend on `root` any more and are left out.
 *
 * Source: pulumi/pulumi pkg/resource/deploy/step_generator.go, calculateDependentReplacements.
 */
export async function dependentReplacements(
    resources: readonly ResourceState[],
    root: ResourceState,
    registered: (urn: string) => boolean,
    diff: (old: ResourceState, news: PropertyMap) => Promise<DiffResult>,
): Promise<DependentReplacement[]> {
    const going = new Set([root.urn]);
    const found: DependentReplacement[] = [];
    for (const resource of dependentsOf(resources, root, registered)) {
        const keys = await replaceKeysWithout(resource, going, diff);
        if (keys !== undefined) {
            going.add(resource.urn);
            found.push({ resource, keys });
        }
    }
    const cascading = resources.filter(
        (resource) =>
            !going.has(resource.urn) &&
            !registered(resource.urn) &&
            (resource.replaceWith.includes(root.urn) || resource.deletedWith === root.urn),
    );
    return [...found, ...cascading.map((resource) => ({ resource, keys: [] }))];
}

async function replaceKeysWithout(
    resource: ResourceState,
    going: ReadonlySet<string>,
    diff: (old: ResourceState, news: PropertyMap) => Promise<DiffResult>,
): Promise<readonly string[] | undefined> {
    if (!resource.custom || resource.external || isProviderType(resource.type)) {
        return undefined;
    }
    if (resource.provider !== "" && going.has(parseReference(resource.provider).urn)) {
        return [];
    }
    if (going.has(resource.deletedWith)) {
        return [];
    }
    let affected = false;
    const news = mapProperties(resource.inputs, (value, key) => {
        const goes = (resource.propertyDependencies[key] ?? []).some((urn) => going.has(urn));
        affected ||= goes;
        return goes ? UNKNOWN : value;
    });
    if (!affected) {
        return undefined;
    }
    const { replaceKeys } = withReplaceOnChanges(await diff(resource, news), resource.replaceOnChanges, false);
    return replaceKeys.length > 0 ? replaceKeys : undefined;
}
