import { type PropertyMap, Secret, type Value, isArray, isObject, revealed } from "../../values/value";

const MASK = "[secret]";
/** Shorter ones would blacken words that have nothing to do with the secret. */
const MIN_LENGTH = 4;
const MIN_LINE_LENGTH = 8;
const CREDENTIALS = ["password", "privateKey", "privateKeyPassword"];

/**
 * A function that replaces every secret input by `[secret]` in a text, whole or line by line: the provider's error texts
 * hold the command and all that it printed. Of a `connection`, which is secret as a whole, only the credentials count.
 */
export function maskerFor(inputs: PropertyMap): (text: string) => string {
    const found = new Set<string>();
    for (const [name, value] of Object.entries(inputs)) {
        if (name === "connection") {
            collectCredentials(value, found);
        } else {
            collectSecrets(value, false, found);
        }
    }
    const secrets = [...found].sort((left, right) => right.length - left.length);
    return (text) => secrets.reduce((masked, secret) => masked.replaceAll(secret, MASK), text);
}

function collectSecrets(value: Value, secret: boolean, found: Set<string>): void {
    if (value instanceof Secret) {
        collectSecrets(value.value, true, found);
    } else if (typeof value === "string") {
        if (secret) {
            add(value, found);
        }
    } else if (isArray(value)) {
        value.forEach((item) => collectSecrets(item, secret, found));
    } else if (isObject(value)) {
        Object.values(value).forEach((item) => collectSecrets(item, secret, found));
    }
}

function collectCredentials(connection: Value, found: Set<string>): void {
    const plain = revealed(connection);
    const hosts = isObject(plain) ? [plain, plain["proxy"]] : [];
    for (const host of hosts) {
        for (const name of CREDENTIALS) {
            const value = isObject(host) ? host[name] : undefined;
            if (typeof value === "string") {
                add(value, found);
            }
        }
    }
}

function add(secret: string, found: Set<string>): void {
    const whole = secret.trim();
    if (whole.length >= MIN_LENGTH) {
        found.add(whole);
    }
    if (whole.includes("\n")) {
        whole
            .split("\n")
            .map((line) => line.trim())
            .filter((line) => line.length >= MIN_LINE_LENGTH)
            .forEach((line) => found.add(line));
    }
}
