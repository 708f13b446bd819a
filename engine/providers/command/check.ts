import { Archive, Asset, isObject, type PropertyMap, Secret, Unknown, type Value } from "../../values/value";
import { type CheckFailure } from "../provider";
import { HOST_DEFAULTS } from "../ssh/settings";

type Shape =
    "string" | "boolean" | "number" | "strings" | "texts" | "list" | "logging" | "connection" | "proxy" | "source";

interface Property {
    readonly shape: Shape;
    readonly required?: true;
    /** Marked as secret whatever the program says. */
    readonly secret?: true;
}

type Schema = Readonly<Record<string, Property>>;

const LIFECYCLE: Schema = {
    create: { shape: "string" },
    update: { shape: "string" },
    delete: { shape: "string" },
    triggers: { shape: "list" },
};

const RUN: Schema = {
    stdin: { shape: "string" },
    logging: { shape: "logging" },
    environment: { shape: "texts" },
    addPreviousOutputInEnv: { shape: "boolean" },
};

const LOCAL_RUN: Schema = {
    ...RUN,
    interpreter: { shape: "strings" },
    dir: { shape: "string" },
    assetPaths: { shape: "strings" },
    archivePaths: { shape: "strings" },
};

const CONNECTION: Property = { shape: "connection", required: true, secret: true };

/** The inputs of each resource type and function, as the schema of provider version 1.2.1 has them. */
const SCHEMAS: Readonly<Record<string, Schema>> = {
    "command:remote:Command": { ...LIFECYCLE, ...RUN, connection: CONNECTION },
    "command:local:Command": { ...LIFECYCLE, ...LOCAL_RUN },
    "command:remote:CopyToRemote": {
        connection: CONNECTION,
        triggers: { shape: "list" },
        source: { shape: "source", required: true },
        remotePath: { shape: "string", required: true },
    },
    "command:local:run": { ...LOCAL_RUN, command: { shape: "string", required: true } },
};

const HOST: Schema = {
    host: { shape: "string", required: true },
    user: { shape: "string" },
    port: { shape: "number" },
    password: { shape: "string", secret: true },
    privateKey: { shape: "string", secret: true },
    privateKeyPassword: { shape: "string", secret: true },
    agentSocketPath: { shape: "string" },
    dialErrorLimit: { shape: "number" },
    perDialTimeout: { shape: "number" },
    hostKey: { shape: "string" },
};

const LOGGING = ["stdout", "stderr", "stdoutAndStderr", "none"];

/**
 * Checks inputs against the provider's schema, puts defaults into connections and marks what the schema calls secret.
 * Unknown values pass. `reason`s never show a value.
 */
export function checkInputs(type: string, news: PropertyMap): { inputs: PropertyMap; failures: CheckFailure[] } {
    const failures: CheckFailure[] = [];
    const inputs = checkObject(SCHEMAS[type] ?? {}, news, "", failures);
    return { inputs, failures };
}

function checkObject(schema: Schema, map: PropertyMap, prefix: string, failures: CheckFailure[]): PropertyMap {
    const checked: PropertyMap = {};
    for (const [name, value] of Object.entries(map)) {
        const property = schema[name];
        if (value === null) {
            continue;
        }
        if (property === undefined) {
            failures.push({ property: prefix + name, reason: "unknown property" });
            continue;
        }
        const result = checkValue(property.shape, value, prefix + name, failures);
        checked[name] = property.secret === true && !(result instanceof Secret) ? new Secret(result) : result;
    }
    for (const [name, property] of Object.entries(schema)) {
        if (property.required === true && !Object.hasOwn(checked, name)) {
            failures.push({ property: prefix + name, reason: "missing required property" });
        }
    }
    return checked;
}

function checkValue(shape: Shape, value: Value, path: string, failures: CheckFailure[]): Value {
    if (value instanceof Secret) {
        const inner = checkValue(shape, value.value, path, failures);
        return inner instanceof Secret ? inner : new Secret(inner);
    }
    if (value instanceof Unknown) {
        return value;
    }
    if ((shape === "connection" || shape === "proxy") && isObject(value)) {
        const schema: Schema = shape === "proxy" ? HOST : { ...HOST, proxy: { shape: "proxy" } };
        return { ...HOST_DEFAULTS, ...checkObject(schema, value, `${path}.`, failures) };
    }
    const expected = mismatch(shape, value);
    if (expected !== undefined) {
        failures.push({ property: path, reason: `expected ${expected}` });
    }
    return value;
}

/** What the shape wants instead of the value; `undefined` if the value will do. */
function mismatch(shape: Shape, value: Value): string | undefined {
    switch (shape) {
        case "string":
        case "boolean":
        case "number":
            return typeof value === shape ? undefined : `a ${shape}`;
        case "list":
            return Array.isArray(value) ? undefined : "a list";
        case "strings":
            return Array.isArray(value) && value.every(isText) ? undefined : "a list of strings";
        case "texts":
            return isObject(value) && Object.values(value).every(isText) ? undefined : "an object of strings";
        case "logging":
            return typeof value === "string" && LOGGING.includes(value) ? undefined : `one of ${LOGGING.join(", ")}`;
        case "source":
            return isSource(value) ? undefined : "a FileAsset, a StringAsset or a FileArchive";
        case "connection":
        case "proxy":
            return "an object";
    }
}

function isText(value: Value): boolean {
    return value instanceof Secret ? isText(value.value) : value instanceof Unknown || typeof value === "string";
}

function isSource(value: Value): boolean {
    return (
        (value instanceof Asset && value.source.uri === undefined) ||
        (value instanceof Archive && value.source.path !== undefined)
    );
}
