import { readFile } from "node:fs/promises";
import { type Document, isMap as isYamlMap } from "yaml";
import { messageOf, NotSupported, UserError } from "../errors";
import { atomicRewrite } from "../state/atomicWrite";
import { parsePath, printPath, type Path } from "../values/path";
import { type Json } from "../values/wire";
import { coerced, type ConfigValue, fromJson, isMap, toJson } from "./configValue";
import { parseYaml, plain } from "./yamlFile";

/** `namespace:name`; a key without a namespace is the project's. */
export function fullKey(key: string, project: string): string {
    const [first = "", second, third, ...rest] = key.split(":");
    if (second === undefined) {
        return `${project}:${key}`;
    }
    if (third !== undefined && second === "config" && rest.length === 0) {
        return `${first}:${third}`;
    }
    if (third !== undefined || first === "" || second === "") {
        throw new UserError(`${JSON.stringify(key)} is not a config key`, "write it as <name> or <namespace>:<name>");
    }
    return key;
}

/**
 * The config of one stack, `Pulumi.<stack>.yaml`. Edits keep comments and order of the file; nothing is written
 * before `save`. Source: pulumi/pulumi sdk/go/common/workspace/project.go, type ProjectStack.
 */
export class StackConfig {
    private constructor(
        readonly file: string,
        private readonly project: string,
        private readonly document: Document,
        private readonly exists: boolean,
    ) {}

    /** Reads the file; one that does not exist is empty. Throws `UserError` or `NotSupported`. */
    static async load(file: string, project: string): Promise<StackConfig> {
        let text: string | undefined;
        try {
            text = await readFile(file, "utf8");
        } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
                throw new UserError(`${file} cannot be read (${messageOf(error)})`, "give this user the right to");
            }
        }
        const document = parseYaml(text ?? "", file);
        const config = new StackConfig(file, project, document, text !== undefined);
        config.check();
        return config;
    }

    private check(): void {
        const root = this.document.contents;
        if (root !== null && !isYamlMap(root)) {
            throw new UserError(`${this.file} is not a map of settings`, 'put the values under "config:"');
        }
        const entries = Object.entries(plain(root, this.document, this.file) ?? {}) as [string, Json][];
        for (const [key, value] of entries) {
            const refused =
                ((key === "environment" || key === "encryptedkey") && value !== null) ||
                (key === "secretsprovider" && !["", "default", "passphrase", null].includes(value as string | null)) ||
                !["config", "encryptionsalt", "secretsprovider", "environment", "encryptedkey"].includes(key);
            if (refused) {
                throw new NotSupported(
                    key === "secretsprovider"
                        ? `the secrets provider ${JSON.stringify(value)} in ${this.file}`
                        : `the setting ${JSON.stringify(key)} in ${this.file}`,
                );
            }
        }
        const config = this.document.get("config");
        if (config !== undefined && config !== null && !isYamlMap(config)) {
            throw new UserError(`"config" in ${this.file} is not a map`, "write it as <key>: <value> lines");
        }
        // Malformed keys and scalars are to be told of now, not when they are asked for.
        this.values();
    }

    /** The salt of the passphrase, `encryptionsalt`. */
    get salt(): string | undefined {
        const salt = this.document.get("encryptionsalt");
        return typeof salt === "string" && salt !== "" ? salt : undefined;
    }

    set salt(salt: string) {
        this.document.set("encryptionsalt", salt);
    }

    /** All values by their full keys, sorted by them. */
    values(): Map<string, ConfigValue> {
        const all = Object.entries((plain(this.document.get("config"), this.document, this.file) ?? {}) as object).map(
            ([key, value]) => [fullKey(key, this.project), fromJson(value as Json)] as const,
        );
        return new Map(all.sort(([left], [right]) => (left < right ? -1 : 1)));
    }

    /** The value of a key, or with `path` of a place inside (`nodes[0].host`). */
    get(key: string, path: boolean): ConfigValue | undefined {
        const { name, rest } = this.locate(key, path);
        let value = this.values().get(name);
        for (const step of rest) {
            value =
                Array.isArray(value) && typeof step === "number"
                    ? value[step]
                    : isMap(value)
                      ? own(value, step)
                      : undefined;
        }
        return value;
    }

    /** Sets a key, or with `path` a place inside; missing maps and lists on the way are made. */
    set(key: string, value: ConfigValue, path: boolean): void {
        const { name, rest } = this.locate(key, path);
        const inner = rest.length > 0 && typeof value === "string" ? coerced(value) : value;
        this.put(name, setInside(this.values().get(name), rest, inner, key));
    }

    /** Removes a key, or with `path` a place inside. What does not exist may be removed. */
    remove(key: string, path: boolean): void {
        const { name, rest } = this.locate(key, path);
        const known = this.values().get(name);
        if (rest.length === 0) {
            const config = this.document.get("config");
            if (isYamlMap(config) && config.delete(this.keyInFile(name)) && config.items.length === 0) {
                this.document.delete("config");
            }
        } else if (known !== undefined) {
            this.put(name, removeInside(known, rest));
        }
    }

    /** As the official CLI notes it in a stack's history. */
    toJson(): Json {
        return Object.fromEntries([...this.values()].map(([key, value]) => [key, toJson(value)]));
    }

    /** Writes the file if there is anything to say. */
    async save(): Promise<void> {
        const empty = this.document.contents === null || isEmptyMap(this.document.contents);
        if (!empty || this.exists) {
            await atomicRewrite(this.file, empty ? "" : this.document.toString({ lineWidth: 0 }), 0o644);
        }
    }

    private locate(key: string, path: boolean): { name: string; rest: Path } {
        if (!path) {
            return { name: fullKey(key, this.project), rest: [] };
        }
        // The namespace ends at the first colon, unless that stands inside a quoted name.
        const [, namespace, text = key] = /^([^[".:]+):(.*)$/s.exec(key) ?? [];
        const steps = parsePath(text);
        const [first, ...rest] = steps ?? [];
        if (typeof first !== "string" || first === "") {
            throw new UserError(`${JSON.stringify(key)} is not a path`, 'write it as name.inner[0]["quoted name"]');
        }
        return { name: `${namespace ?? this.project}:${first}`, rest };
    }

    /** Keys of the project may stand in the file without it. */
    private keyInFile(name: string): string {
        const config = this.document.get("config");
        const bare = name.startsWith(`${this.project}:`) ? name.slice(this.project.length + 1) : name;
        return isYamlMap(config) && !config.has(name) && config.has(bare) ? bare : name;
    }

    private put(name: string, value: ConfigValue): void {
        if (!isYamlMap(this.document.get("config"))) {
            this.document.set("config", this.document.createNode({}));
        }
        this.document.setIn(["config", this.keyInFile(name)], this.document.createNode(toJson(value)));
    }
}

function own(map: { [key: string]: ConfigValue }, key: string | number): ConfigValue | undefined {
    return Object.hasOwn(map, key) ? map[key] : undefined;
}

function isEmptyMap(node: unknown): boolean {
    return isYamlMap(node) && node.items.length === 0;
}

function setInside(container: ConfigValue | undefined, path: Path, value: ConfigValue, whole: string): ConfigValue {
    const [step, ...rest] = path;
    if (step === undefined) {
        return value;
    }
    if (typeof step === "number") {
        const list = container ?? [];
        if (!Array.isArray(list) || step > list.length) {
            throw new UserError(
                `${JSON.stringify(whole)} cannot be set: ${Array.isArray(list) ? `the list has only ${list.length} elements` : `[${step}] is not in a list`}`,
                "set the elements before it first, or remove what stands there with `pulumi config rm`",
            );
        }
        const copy = [...list];
        copy[step] = setInside(list[step], rest, value, whole);
        return copy;
    }
    const map = container ?? {};
    if (!isMap(map)) {
        throw new UserError(
            `${JSON.stringify(whole)} cannot be set: ${printPath([step])} is not in a map`,
            "remove what stands there with `pulumi config rm`",
        );
    }
    if (rest.length === 0 && step === "secure" && Object.keys(map).length === 0 && typeof value === "string") {
        throw new UserError('a map with the single key "secure" stands for a secret', "use --secret, or another name");
    }
    return { ...map, [step]: setInside(own(map, step), rest, value, whole) };
}

function removeInside(container: ConfigValue, path: Path): ConfigValue {
    const [step, ...rest] = path;
    if (Array.isArray(container) && typeof step === "number" && step < container.length) {
        return rest.length === 0
            ? container.filter((_, index) => index !== step)
            : container.map((item, index) => (index === step ? removeInside(item, rest) : item));
    }
    if (isMap(container) && typeof step === "string" && Object.hasOwn(container, step)) {
        return Object.fromEntries(
            Object.entries(container).flatMap(([key, value]) =>
                key !== step ? [[key, value]] : rest.length === 0 ? [] : [[key, removeInside(value, rest)]],
            ),
        );
    }
    return container;
}
