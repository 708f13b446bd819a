/** A request to the guest, made as its users' browsers do: over a connection that is kept from one request to the next. */
import { Agent, type ClientRequest, request } from "node:http";

/** A whole answer. */
export interface Answer {
    status: number;
    text: string;
    /** `name=value` of each cookie that was set. */
    cookies: string[];
}

/** What a request has besides its URL. */
export interface Question {
    method?: "GET" | "POST";
    form?: URLSearchParams;
    /** `name=value` of each cookie. */
    cookies?: string[];
    /** Gives the request up, as if its time had run out. */
    signal?: AbortSignal;
}

/** Connections that one kind of asker keeps. To open one costs an emulated guest six times what a request costs it. */
export function connections(): Agent {
    return new Agent({ keepAlive: true });
}

/**
 * Asks, and waits for the end of the answer: a server may die after its first line.
 *
 * @param url a URL with the scheme http
 * @param agent the connections to use; one on which a request was given up is closed
 * @param patience milliseconds the whole may take
 * @returns undefined: nothing whole came in time
 */
export async function ask(
    url: string,
    agent: Agent,
    patience: number,
    { method = "GET", form, cookies = [], signal }: Question = {},
): Promise<Answer | undefined> {
    const headers = {
        ...(form && { "content-type": "application/x-www-form-urlencoded" }),
        ...(cookies.length > 0 && { cookie: cookies.join("; ") }),
    };
    let current: ClientRequest | undefined;
    const giveUp = (): void => void current?.destroy(new Error("given up"));
    const once = async (): Promise<Answer | "again" | undefined> =>
        new Promise((resolve) => {
            const asked = request(url, { method, agent, headers }, (response) => {
                let text = "";
                const set = (response.headers["set-cookie"] ?? []).map((cookie) => cookie.split(";")[0] ?? "");
                response.setEncoding("utf8").on("data", (data: string) => (text += data));
                response.once("end", () => resolve({ status: response.statusCode ?? 0, text, cookies: set }));
                response.once("error", () => resolve(undefined));
                response.once("close", () => resolve(undefined));
            });
            asked.once("error", ({ code }: NodeJS.ErrnoException) => {
                // A server may close a connection it has kept just when the next request is on its way.
                resolve(asked.reusedSocket && method === "GET" && code === "ECONNRESET" ? "again" : undefined);
            });
            current = asked;
            asked.end(form?.toString());
        });
    // Not AbortSignal.any of a timeout: Node 20 may collect it as garbage before its time, and nothing gives up then.
    const clock = setTimeout(giveUp, patience);
    signal?.addEventListener("abort", giveUp);
    try {
        let answer: Answer | "again" | undefined;
        do {
            answer = signal?.aborted ? undefined : await once();
        } while (answer === "again");
        return answer;
    } finally {
        clearTimeout(clock);
        signal?.removeEventListener("abort", giveUp);
    }
}
