/**
 * The resources that an operation is limited to. No patterns: all of them. A pattern is a URN in which `*` stands for
 * anything but colons and `**` for anything, as with the official `--target`.
 */
export class Targets {
    private readonly patterns: readonly RegExp[];

    /** Those of the patterns that name one resource and no other. */
    readonly literals: readonly string[];

    constructor(patterns: readonly string[]) {
        this.patterns = patterns.map(toRegExp);
        this.literals = patterns.filter((pattern) => !pattern.includes("*"));
    }

    get limited(): boolean {
        return this.patterns.length > 0;
    }

    /** True if the resource is named, or none is. */
    includes(urn: string): boolean {
        return !this.limited || this.names(urn);
    }

    /** True if the resource is named. */
    names(urn: string): boolean {
        return this.patterns.some((pattern) => pattern.test(urn));
    }
}

function toRegExp(pattern: string): RegExp {
    const parts = pattern.split(/(\*\*|\*)/).map((part) => {
        if (part === "**") {
            return ".*";
        }
        return part === "*" ? "[^:]*" : part.replace(/[.+?^${}()|[\]\\]/g, "\\$&");
    });
    return new RegExp(`^${parts.join("")}$`);
}
