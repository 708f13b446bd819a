import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { assemble, launcher, quote } from "../../remote/shell";

const text = fc.string({ unit: "grapheme", maxLength: 60 }).filter((one) => !one.includes("\0"));

describe("quote", () => {
    it("makes any text one word that a shell reads back", () => {
        fc.assert(
            fc.property(fc.array(text, { minLength: 1, maxLength: 5 }), (values) => {
                const script = `printf '%s\\0' ${values.map(quote).join(" ")}`;
                expect(execFileSync("sh", ["-s"], { input: script }).toString()).toBe(`${values.join("\0")}\0`);
            }),
            { numRuns: 60 },
        );
    });

    it("refuses a NUL, which no shell can hold", () => {
        expect(() => quote("a\0b")).toThrow("NUL");
    });
});

describe("assemble", () => {
    const script = 'apply() { echo "applied $NAME"; cat; }\nremove() { echo removed; }\nprobe() { echo seen; }';
    const run = (deed: string, variables: Record<string, string>): string =>
        execFileSync("sh", ["-s", deed], { input: assemble("a title", script, variables) }).toString();

    it("runs the deed that the shell is asked for, and nothing of the text after it", () => {
        expect(run("apply", { NAME: "it's $HOME `id`" })).toBe("applied it's $HOME `id`\n");
        expect(run("remove", {})).toBe("removed\n");
        expect(run("probe", {})).toBe("seen\n");
    });

    it("refuses another deed", () => {
        expect(() =>
            execFileSync("sh", ["-s", "other"], { input: assemble("t", script, {}), stdio: "pipe" }),
        ).toThrow();
    });

    it("keeps a title from becoming a command", () => {
        expect(assemble("one\nrm -rf x", "", {}).split("\n")[0]).toBe("# one rm -rf x");
    });

    it.each(["lower", "1ST", "A-B", "PATH", "IFS", "A=B", ""])("refuses %j as a variable's name", (name) => {
        expect(() => assemble("t", "", { [name]: "x" })).toThrow("no name for a variable");
    });
});

describe("launcher", () => {
    it("holds no value but the time limit, and becomes root where it is not", () => {
        expect(launcher("apply", "timeout -k 10 60", "root")).toBe("timeout -k 10 60 sh -s apply");
        expect(launcher("remove", "timeout -k 10 5", "admin")).toBe("sudo -n timeout -k 10 5 sh -s remove");
    });
});
