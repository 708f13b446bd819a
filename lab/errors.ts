/** Something the user can act on: shown as its message alone, without a stack. */
export class LabError extends Error {
    override name = "LabError";
}

/** The text of anything thrown. */
export function messageOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}
