/** An error that is the user's to mend: shown as one line, without a stack trace. `remedy` says what to do. */
export class UserError extends Error {
    constructor(
        problem: string,
        readonly remedy = "",
        options?: ErrorOptions,
    ) {
        super(remedy === "" ? problem : `${problem}: ${remedy}`, options);
    }
}

/** Something that the official engine can do and this one cannot, named. */
export class NotSupported extends UserError {
    constructor(what: string) {
        super(`${what} is not supported by the embedded engine`, "the official pulumi CLI is needed for it");
    }
}

/** What to print for anything that was thrown. */
export function messageOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}
