import { access, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { NotSupported, UserError } from "../errors";
import { type Json } from "../values/wire";
import { checkDefault, type ConfigDeclaration, readDeclarations } from "./schema";
import { parseYaml, plain } from "./yamlFile";

/** `Pulumi.yaml`, as far as this engine needs it. Source: pulumi/pulumi sdk/go/common/workspace/project.go. */
export interface Project {
    readonly name: string;
    /** The project file and the folder it is in, absolute. */
    readonly file: string;
    readonly folder: string;
    /** Where the program is, absolute: a folder or a file. */
    readonly program: string;
    /** Options of the Node runtime: `typescript`, `nodeargs`. */
    readonly runtimeOptions: Readonly<Record<string, Json>>;
    /** By full key, `namespace:name`, sorted. */
    readonly config: ReadonlyMap<string, ConfigDeclaration>;
    readonly backendUrl?: string;
    /** Where `Pulumi.<stack>.yaml` lies, absolute. */
    readonly stackConfigFolder: string;
}

const FILES = ["Pulumi.yaml", "Pulumi.yml"] as const;
/** Of what the official CLI knows, what would change what a run does. */
const REFUSED = ["packages", "plugins", "requiredPulumiVersion", "options"] as const;
const RUNTIME_OPTIONS = ["typescript", "nodeargs", "packagemanager"];

/** The nearest project file from `folder` upwards, absolute; `undefined` if there is none. */
export async function findProjectFile(folder: string): Promise<string | undefined> {
    for (let at = resolve(folder); ; at = dirname(at)) {
        for (const name of FILES) {
            if (
                await access(join(at, name)).then(
                    () => true,
                    () => false,
                )
            ) {
                return join(at, name);
            }
        }
        if (
            await access(join(at, "Pulumi.json")).then(
                () => true,
                () => false,
            )
        ) {
            throw new NotSupported(`the project file ${join(at, "Pulumi.json")}, which is not YAML,`);
        }
        if (dirname(at) === at) {
            return undefined;
        }
    }
}

/** Reads the project that `folder` belongs to. Throws `UserError` or `NotSupported`. */
export async function loadProject(folder: string): Promise<Project> {
    const file = await findProjectFile(folder);
    if (file === undefined) {
        throw new UserError(
            `no Pulumi.yaml found from ${resolve(folder)} upwards`,
            "run the command in a project's folder, or name it with --cwd",
        );
    }
    return parseProject(await readFile(file, "utf8"), file);
}

/** Reads the text of a project file. */
export function parseProject(text: string, file: string): Project {
    const document = parseYaml(text, file);
    const root = plain(document.contents, document, file);
    if (!isObject(root)) {
        throw new UserError(`${file} is not a map of settings`, 'it needs at least "name" and "runtime"');
    }
    const name = root["name"];
    if (typeof name !== "string" || !/^[A-Za-z0-9_.-]{1,100}$/.test(name)) {
        throw new UserError(`${file} has no valid "name"`, "use letters, digits, hyphens, underscores and periods");
    }
    const refused = REFUSED.find((key) => !isNothing(root[key]));
    if (refused !== undefined) {
        throw new NotSupported(`the setting ${JSON.stringify(refused)} in ${file}`);
    }
    const { config, stackConfigDir } = root;
    if (typeof config === "string" && !isNothing(stackConfigDir)) {
        throw new UserError(`${file} has both "config" and "stackConfigDir" as a folder`, 'keep "stackConfigDir"');
    }
    const configFolder = typeof config === "string" ? config : optionalText(stackConfigDir, "stackConfigDir", file);
    const folder = dirname(file);
    const backend = root["backend"];
    const backendUrl = isObject(backend) ? optionalText(backend["url"], "backend.url", file) : "";
    const declarations = readDeclarations(typeof config === "string" ? {} : (config ?? {}), name, file);
    declarations.forEach((declaration, key) => checkDefault(declaration, key, file));
    return {
        name,
        file,
        folder,
        program: resolve(folder, optionalText(root["main"], "main", file)),
        runtimeOptions: runtimeOptions(root["runtime"], file),
        config: declarations,
        ...(backendUrl === "" ? {} : { backendUrl }),
        stackConfigFolder: resolve(folder, configFolder),
    };
}

/** The config file of a stack. */
export function stackConfigFile(project: Project, stack: string): string {
    return join(project.stackConfigFolder, `Pulumi.${stack}${project.file.endsWith(".yml") ? ".yml" : ".yaml"}`);
}

function runtimeOptions(runtime: Json | undefined, file: string): Record<string, Json> {
    const name = isObject(runtime) ? runtime["name"] : runtime;
    if (name !== "nodejs") {
        throw new NotSupported(`the runtime ${JSON.stringify(name ?? "")} in ${file}`);
    }
    const options = isObject(runtime) ? (runtime["options"] ?? {}) : {};
    if (!isObject(options)) {
        throw new UserError(`"runtime.options" in ${file} is not a map`, "write it as <option>: <value> lines");
    }
    const unknown = Object.keys(options).find((option) => !RUNTIME_OPTIONS.includes(option));
    if (unknown !== undefined) {
        throw new NotSupported(`the runtime option ${JSON.stringify(unknown)} in ${file}`);
    }
    return options;
}

function optionalText(value: Json | undefined, key: string, file: string): string {
    if (value === undefined || value === null) {
        return "";
    }
    if (typeof value !== "string") {
        throw new UserError(`${JSON.stringify(key)} in ${file} is not a text`, "put it in quotes");
    }
    return value;
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNothing(value: Json | undefined): boolean {
    return (
        value === undefined || value === null || value === "" || (isObject(value) && Object.keys(value).length === 0)
    );
}
