import { type GuestSpec } from "./spec";

/** Where the guest is asked whether it serves; empty when it is not. */
export function guestUrl({ address, httpCheck }: Pick<GuestSpec, "address" | "httpCheck">): string {
    if (httpCheck === undefined) {
        return "";
    }
    return `http://${address}${httpCheck.port === 80 ? "" : `:${httpCheck.port}`}${httpCheck.path}`;
}
