import { type CustomTimeouts, type StackFrame } from "../state/resource";
import { makeUrn, nameOf, parseUrn, ROOT_STACK_TYPE } from "../urn";
import { type PropertyMap, type Value } from "../values/value";

/** Another name that a resource may have had: a whole URN, or the parts of it that differ from today's. */
export type Alias =
    | { readonly urn: string }
    | {
          readonly name: string;
          readonly type: string;
          readonly stack: string;
          readonly project: string;
          readonly parent: string;
          readonly noParent: boolean;
      };

/** What the program asks for when it registers a resource, decoded. */
export interface Goal {
    readonly type: string;
    readonly name: string;
    readonly custom: boolean;
    readonly parent: string;
    readonly inputs: PropertyMap;
    readonly dependencies: readonly string[];
    readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
    /** Reference `URN::ID`, "" for the package's default provider. */
    readonly provider: string;
    /** The version of the package's SDK, "" if it has none. */
    readonly version: string;
    readonly aliases: readonly Alias[];
    /** Absent: inherited from the parent. */
    readonly protect?: boolean;
    readonly retainOnDelete?: boolean;
    readonly deletedWith: string;
    readonly replaceWith: readonly string[];
    readonly deleteBeforeReplace?: boolean;
    readonly ignoreChanges: readonly string[];
    readonly replaceOnChanges: readonly string[];
    readonly additionalSecretOutputs: readonly string[];
    readonly hideDiff: readonly string[];
    readonly replacementTrigger: Value;
    readonly customTimeouts: CustomTimeouts;
    readonly sourcePosition: string;
    readonly stackTrace: readonly StackFrame[];
}

/**
 * The URNs under which the resource may be found in an older state, most wanted first: its aliases, then what it was
 * called when its parent still had its former name.
 *
 * Source: pulumi/pulumi pkg/resource/deploy/step_generator.go, generateAliases.
 *
 * @param formerly the alias under which an already registered resource was found
 */
export function formerUrns(
    goal: Pick<Goal, "name" | "type" | "parent" | "aliases">,
    stack: string,
    project: string,
    formerly: (urn: string) => string | undefined,
): string[] {
    const direct = goal.aliases.map((alias) => aliasUrn(alias, goal, stack, project, formerly));
    const parentAlias = goal.parent === "" ? undefined : formerly(goal.parent);
    if (parentAlias === undefined) {
        return [...new Set(direct)];
    }
    const parentName = nameOf(goal.parent);
    const inherited = [{ type: goal.type, name: goal.name }, ...direct.map((urn) => parseUrn(urn))].map(
        ({ type, name }) => {
            // Children are by convention called `<parent>-something`, so their name changes with the parent's.
            const childName = name.startsWith(parentName) ? nameOf(parentAlias) + name.slice(parentName.length) : name;
            return makeUrn(stack, project, parentAlias, type, childName);
        },
    );
    return [...new Set([...direct, ...inherited])];
}

function aliasUrn(
    alias: Alias,
    goal: Pick<Goal, "name" | "type" | "parent">,
    stack: string,
    project: string,
    formerly: (urn: string) => string | undefined,
): string {
    if ("urn" in alias) {
        return alias.urn;
    }
    const named = alias.parent === "" ? goal.parent : (formerly(alias.parent) ?? alias.parent);
    const atRoot = alias.noParent || (named !== "" && parseUrn(named).qualifiedType === ROOT_STACK_TYPE);
    return makeUrn(
        alias.stack || stack,
        alias.project || project,
        atRoot ? "" : named,
        alias.type || goal.type,
        alias.name || goal.name,
    );
}

/** Options that a child has from its parent unless it says otherwise. */
export function inherited(goal: Goal, parent: Goal | undefined): Goal {
    if (parent === undefined) {
        return goal;
    }
    return {
        ...goal,
        deletedWith: goal.deletedWith || parent.deletedWith,
        protect: goal.protect ?? parent.protect,
        retainOnDelete: goal.retainOnDelete ?? parent.retainOnDelete,
    };
}
