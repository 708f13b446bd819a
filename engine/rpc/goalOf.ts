import { type RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";
import { type Alias as WireAlias } from "@pulumi/pulumi/proto/alias_pb";
import { type SourcePosition } from "@pulumi/pulumi/proto/source_pb";
import { NotSupported, UserError } from "../errors";
import { type Alias, type Goal } from "../run/goal";
import { type CustomTimeouts } from "../state/resource";
import { fromStruct, fromWire } from "../values/wire";

/**
 * Decodes a registration.
 *
 * @param root the program's folder, which source positions are told relative to
 * @throws NotSupported for options that this engine cannot honour, so that none is silently ignored
 */
export function goalOf(request: RegisterResourceRequest, root: string): Goal {
    refuseUnsupported(request);
    return {
        type: request.getType(),
        name: request.getName(),
        custom: request.getCustom(),
        parent: request.getParent(),
        inputs: fromStruct(request.getObject()),
        dependencies: request.getDependenciesList(),
        propertyDependencies: propertyDependenciesOf(request),
        provider: request.getProvider(),
        version: request.getVersion(),
        aliases: [
            ...request.getAliasurnsList().map((urn) => ({ urn })),
            ...request.getAliasesList().map((alias) => aliasOf(alias)),
        ],
        protect: request.hasProtect() ? request.getProtect() : undefined,
        retainOnDelete: request.hasRetainondelete() ? request.getRetainondelete() : undefined,
        deletedWith: request.getDeletedwith(),
        replaceWith: request.getReplaceWithList(),
        deleteBeforeReplace:
            request.getDeletebeforereplacedefined() || request.getDeletebeforereplace()
                ? request.getDeletebeforereplace()
                : undefined,
        ignoreChanges: request.getIgnorechangesList(),
        replaceOnChanges: request.getReplaceonchangesList(),
        additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
        hideDiff: request.getHidediffsList(),
        replacementTrigger: fromWire(request.getReplacementTrigger()?.toJavaScript() ?? null),
        customTimeouts: timeoutsOf(request),
        sourcePosition: position(request.getSourceposition(), root),
        stackTrace: (request.getStacktrace()?.getFramesList() ?? []).map((frame) => {
            const sourcePosition = position(frame.getPc(), root);
            return sourcePosition === "" ? {} : { sourcePosition };
        }),
    };
}

function refuseUnsupported(request: RegisterResourceRequest): void {
    const refusals: readonly (readonly [boolean, string])[] = [
        [request.getRemote(), `the remote component ${request.getType()}`],
        [request.getImportid() !== "", "the resource option `import`"],
        [request.getTransformsList().length > 0, "the resource option `transforms`"],
        [request.hasHooks() && hasHooks(request), "the resource option `hooks`"],
        [request.getPackageref() !== "", "a parameterized package"],
        [request.getEnvvarmappingsMap().getLength() > 0, "the provider option `envVarMappings`"],
        [request.getPlugindownloadurl() !== "", "the resource option `pluginDownloadURL`"],
    ];
    const refused = refusals.find(([used]) => used);
    if (refused !== undefined) {
        throw new NotSupported(refused[1]);
    }
}

function hasHooks(request: RegisterResourceRequest): boolean {
    const hooks = request.getHooks()?.toObject() ?? {};
    return Object.values(hooks).some((names) => Array.isArray(names) && names.length > 0);
}

function propertyDependenciesOf(request: RegisterResourceRequest): Record<string, string[]> {
    const entries = request.getPropertydependenciesMap().entries() as Iterable<[string, { getUrnsList(): string[] }]>;
    return Object.fromEntries([...entries].map(([key, urns]) => [key, urns.getUrnsList()]));
}

function aliasOf(alias: WireAlias): Alias {
    const spec = alias.getSpec();
    return spec === undefined
        ? { urn: alias.getUrn() }
        : {
              name: spec.getName(),
              type: spec.getType(),
              stack: spec.getStack(),
              project: spec.getProject(),
              parent: spec.getParenturn(),
              noParent: spec.getNoparent(),
          };
}

function timeoutsOf(request: RegisterResourceRequest): CustomTimeouts {
    const given = request.getCustomtimeouts();
    const texts = {
        create: given?.getCreate() ?? "",
        update: given?.getUpdate() ?? "",
        delete: given?.getDelete() ?? "",
        read: given?.getRead() ?? "",
    };
    return Object.fromEntries(
        Object.entries(texts)
            .filter(([, text]) => text !== "")
            .map(([operation, text]) => [operation, secondsOf(text)]),
    );
}

const SECONDS: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 1e-3, us: 1e-6, µs: 1e-6, ns: 1e-9 };

/** Seconds of a duration such as `1h30m` or `0.5s`. */
export function secondsOf(duration: string): number {
    const parts = [...duration.matchAll(/(\d+(?:\.\d+)?)(h|ms|us|µs|ns|m|s)/g)];
    if (parts.length === 0 || parts.map(([text]) => text).join("") !== duration) {
        throw new UserError(`customTimeouts: "${duration}" is not a duration`, 'write it like "40m" or "1h30m"');
    }
    return parts.reduce((sum, [, number, unit]) => sum + Number(number) * (SECONDS[unit ?? ""] ?? 0), 0);
}

/**
 * `project:///path#line,column`, as states have it; "" outside the project.
 *
 * Source: pulumi/pulumi pkg/resource/deploy/source_eval.go, sourcePositions.
 */
function position(at: SourcePosition | undefined, root: string): string {
    const prefix = `file://${root}/`;
    if (at === undefined || !at.getUri().startsWith(prefix)) {
        return "";
    }
    const column = at.getColumn() === 0 ? "" : `,${at.getColumn()}`;
    return `project:///${at.getUri().slice(prefix.length)}#${at.getLine()}${column}`;
}
