import { UserError } from "../errors";

const NAME = /^[A-Za-z0-9_.-]{1,100}$/;

/** A stack of a project; the file backend has but one organization, called `organization`. */
export interface StackReference {
    readonly project: string;
    readonly name: string;
}

/** `organization/<project>/<stack>`. */
export function fullName({ project, name }: StackReference): string {
    return `organization/${project}/${name}`;
}

/**
 * Reads `<stack>`, `organization/<stack>` or `organization/<project>/<stack>`; the project is `currentProject` where
 * it is not named. Throws a `UserError` for names that the official CLI refuses.
 *
 * Source: pulumi/pulumi pkg/backend/diy/store.go, sdk/go/common/tokens.
 */
export function parseReference(text: string, currentProject: string | undefined): StackReference {
    const parts = text.split("/");
    const name = parts[parts.length - 1] ?? "";
    if (parts.length > 3) {
        throw new UserError(`${JSON.stringify(text)} is not a stack name`, "write it as organization/project/stack");
    }
    if (parts.length > 1 && parts[0] !== "organization" && parts[0] !== "") {
        throw new UserError(
            `the organization of a stack on a file backend is called "organization", not ${JSON.stringify(parts[0])}`,
            "leave it out",
        );
    }
    const project = (parts.length === 3 && parts[1]) || currentProject;
    if (project === undefined) {
        throw new UserError(
            `no Pulumi.yaml found, so the project of stack ${JSON.stringify(text)} is unknown`,
            "run the command in a project's folder, or write organization/project/stack",
        );
    }
    for (const [what, value] of [["stack", name] as const, ["project", project] as const]) {
        // Both become file names.
        if (!NAME.test(value) || value === "." || value === "..") {
            throw new UserError(
                `${JSON.stringify(value)} is not a ${what} name`,
                "use 1 to 100 letters, digits, hyphens, underscores and periods",
            );
        }
    }
    return { project, name };
}
