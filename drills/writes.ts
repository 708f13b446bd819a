/** Rows written to the application in the guest, one a second. */
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type WriteSample } from "./record";

/** Milliseconds between two rows. */
const EVERY = 1000;

interface Answer {
    status: number;
    text: string;
}

/** What was answered; undefined: nothing whole, in time. */
async function ask(url: string, method: "GET" | "POST", patience: number): Promise<Answer | undefined> {
    return new Promise((resolve) => {
        const asked = request(url, { method, agent: false, headers: { connection: "close" } }, (response) => {
            let text = "";
            response.setEncoding("utf8").on("data", (data: string) => (text += data));
            response.once("end", () => end({ status: response.statusCode ?? 0, text }));
            response.once("error", () => end());
            response.once("close", () => end());
        });
        const timer = setTimeout(() => end(), patience);
        const end = (answer?: Answer): void => {
            clearTimeout(timer);
            resolve(answer);
            asked.destroy();
        };
        asked.on("error", () => end());
        asked.end();
    });
}

/**
 * The rows of the lab's medium "apache": `POST ?ROW` answers 200 when the row is on the disk, `GET` lists all of them.
 *
 * @param url of the program in the guest
 * @param patience milliseconds an answer may take
 */
export class Rows {
    private readonly samples: WriteSample[] = [];
    private readonly open = new Set<Promise<void>>();
    private clock?: NodeJS.Timeout;

    constructor(
        private readonly url: string,
        private readonly patience: number,
    ) {}

    /** Whether the guest takes rows at all. */
    async offered(): Promise<boolean> {
        for (let tries = 0; tries < 3; tries++) {
            const answer = await ask(this.url, "GET", this.patience);
            if (answer) {
                return answer.status === 200;
            }
        }
        return false;
    }

    start(): void {
        this.clock = setInterval(() => {
            const writing = this.write().finally(() => this.open.delete(writing));
            this.open.add(writing);
        }, EVERY);
    }

    private async write(): Promise<void> {
        const sentAt = Date.now();
        const answer = await ask(`${this.url}?${sentAt}`, "POST", this.patience);
        this.samples.push({ row: sentAt, sentAt, endedAt: Date.now(), acknowledged: answer?.status === 200 });
    }

    /** Writes no more, and compares with what the guest has. A guest that cannot be read has lost everything. */
    async finish(): Promise<{ samples: WriteSample[]; found: number[] }> {
        this.stop();
        await Promise.all(this.open);
        for (let tries = 0; tries < 5; tries++) {
            const answer = await ask(this.url, "GET", 4 * this.patience);
            if (answer?.status === 200) {
                const rows = answer.text.split("\n").filter((line) => /^\d+$/.test(line));
                const sent = new Set(this.samples.map(({ row }) => row));
                return { samples: this.samples, found: rows.map(Number).filter((row) => sent.has(row)) };
            }
            await sleep(1000);
        }
        return { samples: this.samples, found: [] };
    }

    /** Writes no more. */
    stop(): void {
        clearInterval(this.clock);
    }
}
