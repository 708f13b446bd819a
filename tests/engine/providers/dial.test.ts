import { setTimeout as sleep } from "node:timers/promises";
import { withRetry } from "../../../engine/providers/ssh/dial";

test("a host that accepts connections and says nothing is given up when the time for all attempts is over", async () => {
    let attempts = 0;
    const silent = async (): Promise<never> => {
        attempts++;
        await sleep(300);
        throw new Error("Timed out while waiting for handshake");
    };
    const settings = { dialErrorLimit: 9, perDialTimeout: 0.05 };
    await expect(withRetry("Dial", settings, new AbortController().signal, () => undefined, silent)).rejects.toThrow(
        "after 2 failed attempts: Timed out while waiting for handshake",
    );
    expect(attempts).toBe(2);
});
