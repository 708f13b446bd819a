import { containsSecret, isObject, mapProperties, type PropertyMap, Secret, type Value } from "../../values/value";

/**
 * What came back from a provider that takes secrets in clear, with the marks put back: a property is secret where the
 * one of the same name that was sent is; a list with a secret in it is secret as a whole.
 */
export function withSecretsOf(sent: PropertyMap, received: PropertyMap): PropertyMap {
    return mapProperties(received, (value, name) => marked(sent[name], value));
}

function marked(sent: Value | undefined, received: Value): Value {
    if (sent === undefined || received instanceof Secret) {
        return received;
    }
    if (sent instanceof Secret || (Array.isArray(sent) && containsSecret(sent))) {
        return new Secret(received);
    }
    return isObject(sent) && isObject(received) ? withSecretsOf(sent, received) : received;
}
