import { randomBytes } from "node:crypto";

/** An id as the official providers make them: the prefix and 8 random hex digits. */
export function uniqueId(prefix: string): string {
    return prefix + randomBytes(4).toString("hex");
}
