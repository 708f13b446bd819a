import fc from "fast-check";
import { type Crypter } from "../../../engine/secrets/crypter";
import { encodeRevealed, ValueCodec } from "../../../engine/values/serialize";
import { SECRET_SIGNATURE, SIGNATURE_KEY } from "../../../engine/values/signatures";
import { Archive, Asset, ResourceReference, Secret, UNKNOWN, type Value } from "../../../engine/values/value";
import { type Json } from "../../../engine/values/wire";

/** Reversible, different each time, and without the plaintext in it. */
function counting(): Crypter & { encrypted: number } {
    const crypter = {
        encrypted: 0,
        encrypt: (plaintext: string): string => `${crypter.encrypted++}:${Buffer.from(plaintext).toString("base64")}`,
        decrypt: (ciphertext: string): string => Buffer.from(ciphertext.split(":")[1] ?? "", "base64").toString("utf8"),
    };
    return crypter;
}

const text = fc.string({ unit: "grapheme" });
const key = text.filter((name) => name !== SIGNATURE_KEY && name !== "__proto__");
const { value } = fc.letrec<{ value: Value }>((tie) => ({
    value: fc.oneof(
        { depthSize: "small" },
        fc.constant(null),
        fc.boolean(),
        fc.double().map((number) => (number === 0 ? 0 : number)),
        text,
        fc.constant(UNKNOWN),
        text.map((content) => new Asset({ text: content }, "abc")),
        fc.constant(new Archive({ assets: { a: new Asset({ path: "p" }), b: new Archive({ uri: "u" }) } })),
        fc.constantFrom(new ResourceReference("urn", "id", "1.0.0"), new ResourceReference("urn")),
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
        tie("value").map((inner) => new Secret(inner)),
    ),
}));

describe("values in a state file", () => {
    it("come back as they were, through JSON text", () => {
        fc.assert(
            fc.property(value, (original) => {
                const codec = new ValueCodec(counting());
                const json = JSON.parse(JSON.stringify(codec.encode(original, "urn"))) as Json;
                expect(codec.decode(json, "urn")).toStrictEqual(original);
                // Reading and writing again changes nothing, ciphertexts included.
                const again = new ValueCodec(counting());
                expect(again.encode(again.decode(json, "urn"), "urn")).toStrictEqual(json);
            }),
        );
    });

    it("never hold a secret in clear", () => {
        const json = new ValueCodec(counting()).encode({ a: [new Secret({ b: "hunter2" })] }, "urn");
        expect(JSON.stringify(json)).not.toContain("hunter2");
        expect(encodeRevealed(new Secret("x"))).toEqual({ [SIGNATURE_KEY]: SECRET_SIGNATURE, plaintext: '"x"' });
    });

    it("keep the ciphertext of an equal secret within a resource, but not in another", () => {
        const crypter = counting();
        const codec = new ValueCodec(crypter);
        const first = codec.encode(new Secret("x"), "one");
        expect(codec.encode(new Secret("x"), "one")).toEqual(first);
        expect(codec.encode(new Secret("x"), "two")).not.toEqual(first);
        expect(crypter.encrypted).toBe(2);
    });

    it.each([
        [{ [SIGNATURE_KEY]: SECRET_SIGNATURE }, "exactly one of ciphertext and plaintext"],
        [{ [SIGNATURE_KEY]: SECRET_SIGNATURE, plaintext: "{" }, "not JSON"],
        [{ [SIGNATURE_KEY]: "something new" }, "official pulumi CLI is needed"],
        [{ [SIGNATURE_KEY]: "8ad145fe-0d11-4827-bfd7-1abcbf086f5c", value: "x" }, "malformed"],
        [{ [SIGNATURE_KEY]: "5cf8f73096256a8f31e491e813e4eb8e" }, "malformed"],
    ])("are refused as %j", (json, message) => {
        expect(() => new ValueCodec(counting()).decode(json as Json, "urn")).toThrow(message);
    });
});
