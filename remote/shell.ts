/** Makes a text one word of a POSIX shell, whatever is in it. */
export function quote(text: string): string {
    if (text.includes("\0")) {
        throw new Error("a value for a shell script must not contain a NUL");
    }
    return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Names that a script may be given; what a shell or this program's scripts use themselves is not among them. */
const NAME = /^[A-Z][A-Z0-9_]*$/;

/**
 * The text that a host's shell reads: variables, the script, and a last line that runs the function that the shell was
 * asked for. The functions read nothing, because what they would read is the rest of the script.
 */
export function assemble(title: string, script: string, variables: Readonly<Record<string, string>>): string {
    const header = Object.entries(variables).map(([name, value]) => {
        if (!NAME.test(name) || name === "PATH" || name === "IFS") {
            throw new Error(`"${name}" is no name for a variable of a step`);
        }
        return `${name}=${quote(value)}`;
    });
    return [
        `# ${title.replaceAll("\n", " ")}`,
        ...header,
        script,
        "case ${1-} in",
        'apply | remove | probe) "$1" </dev/null ;;',
        '*) echo "usage: apply | remove | probe" >&2 && exit 2 ;;',
        "esac",
        "",
    ].join("\n");
}

/**
 * What is run for each deed. `before` are words of the host's kind that are put before it, such as a time limit:
 * nobody else would end it.
 */
export function launcher(deed: "apply" | "remove" | "probe", before: string, user: string): string {
    return `${user === "root" ? "" : "sudo -n "}${before} sh -s ${deed}`;
}
