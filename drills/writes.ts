/** Rows written to the application in the guest, one a second. */
import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "../lab/errors";
import { type Answer, ask, connections } from "./ask";
import { type WriteSample } from "./record";

/** Milliseconds between two rows. */
const EVERY = 1000;

/** How often an application is asked whether it takes rows: under emulation a wiki's first answer takes 40 s. */
const TRIES = 3;

/** What takes rows and keeps them. */
export interface Application {
    readonly name: string;
    /** Rows that may wait for their acknowledgement at once: a slow application is not drowned. */
    readonly atOnce: number;
    /** Whether the guest has it, and it lets itself be written to; undefined: it is there, but cannot say. */
    offered(): Promise<boolean | undefined>;
    /** Writes a row; true: the application said that it has it. */
    write(row: number): Promise<boolean>;
    /** All rows it has, those of others too; undefined: no whole answer. */
    rows(): Promise<number[] | undefined>;
}

/** Whether what was asked for is there; a server that is in trouble may have it. */
function isThere(answer: Answer | undefined): boolean | undefined {
    return answer === undefined || answer.status >= 500 ? undefined : answer.status === 200;
}

/**
 * The rows of the lab's medium "apache": `POST ?ROW` answers 200 when the row is on the disk, `GET` lists all of them.
 *
 * @param url of the program in the guest
 * @param patience milliseconds an answer may take
 */
export function apacheRows(url: string, patience: number): Application {
    const agent = connections();
    return {
        name: "rows",
        // Seen: of ten at once under emulation most were written, and none acknowledged in time.
        atOnce: 2,
        offered: async () => isThere(await ask(url, agent, patience)),
        write: async (row) => (await ask(`${url}?${row}`, agent, patience, { method: "POST" }))?.status === 200,
        rows: async () => {
            const answer = await ask(url, agent, patience);
            return answer?.status === 200
                ? answer.text
                      .split("\n")
                      .filter((line) => /^\d+$/.test(line))
                      .map(Number)
                : undefined;
        },
    };
}

/** Every row is a page of its own; that it is there says that it was written. */
const TITLE = "DrillRow ";

/** The parts of MediaWiki's answers that are looked at. */
interface WikiAnswer {
    edit?: { result?: string };
    error?: { code?: string };
    query?: { tokens?: { csrftoken?: string }; allpages?: { title: string }[] };
    continue?: Record<string, string>;
}

/**
 * Pages of a MediaWiki (1.39) that lets everybody edit, and as often as that: `$wgRateLimits` knows 8 edits a minute
 * otherwise. An edit is acknowledged after the database's commit.
 *
 * @param url of api.php
 * @param patience milliseconds an answer may take
 */
export function mediaWikiRows(url: string, patience: number): Application {
    const agent = connections();
    let token: string | undefined;
    let cookies: string[] = [];
    const talk = async (
        parameters: Record<string, string>,
        method: "GET" | "POST",
    ): Promise<WikiAnswer | undefined> => {
        const words = new URLSearchParams({ format: "json", formatversion: "2", ...parameters });
        const answer = await (method === "GET"
            ? ask(`${url}?${words}`, agent, patience, { cookies })
            : ask(url, agent, patience, { method, form: words, cookies }));
        if (answer?.status !== 200) {
            return undefined;
        }
        cookies = answer.cookies.length > 0 ? answer.cookies : cookies;
        try {
            return JSON.parse(answer.text) as WikiAnswer;
        } catch {
            return undefined;
        }
    };
    const edit = async (row: number): Promise<WikiAnswer | undefined> => {
        token ??= (await talk({ action: "query", meta: "tokens" }, "GET"))?.query?.tokens?.csrftoken;
        if (token === undefined) {
            return undefined;
        }
        const answer = await talk(
            { action: "edit", title: `${TITLE}${row}`, text: String(row), createonly: "1", token },
            "POST",
        );
        if (answer?.error?.code === "badtoken") {
            token = undefined;
        }
        return answer;
    };
    const isTaken = (answer: WikiAnswer | undefined): boolean => answer?.edit?.result === "Success";
    return {
        name: "MediaWiki",
        // An edit is a second's work for an emulated processor.
        atOnce: 1,
        offered: async () => {
            const found = isThere(await ask(`${url}?action=query&meta=siteinfo&format=json`, agent, patience));
            if (!found) {
                return found;
            }
            const answer = await edit(Date.now());
            return isTaken(answer) || (answer?.error === undefined ? undefined : false);
        },
        write: async (row) => isTaken(await edit(row)),
        rows: async () => {
            const rows: number[] = [];
            let more: Record<string, string> | undefined = {};
            while (more) {
                const query = { action: "query", list: "allpages", apprefix: TITLE, aplimit: "500", ...more };
                const answer: WikiAnswer | undefined = await talk(query, "GET");
                if (answer?.query?.allpages === undefined) {
                    return undefined;
                }
                rows.push(...answer.query.allpages.map(({ title }) => Number(title.slice(TITLE.length))));
                more = answer.continue;
            }
            return rows;
        },
    };
}

/** Where applications that rows can be written to may be, the lab's default first. */
const PLACES: readonly ((url: string, patience: number) => Application)[] = [
    (url, patience) => apacheRows(`${url}rows`, patience),
    (url, patience) => mediaWikiRows(`${url}mediawiki/api.php`, patience),
    (url, patience) => mediaWikiRows(`${url}api.php`, patience),
];

/**
 * What the guest has that rows can be written to; undefined: nothing.
 *
 * @throws LabError when it has something that does not answer: a drill would prove nothing about its rows
 * @param url of the guest's web server, with a slash at its end
 * @param patience milliseconds an answer may take
 */
export async function findApplication(url: string, patience: number): Promise<Application | undefined> {
    for (const place of PLACES) {
        const application = place(url, patience);
        let offered: boolean | undefined;
        for (let tries = 0; tries < TRIES && offered === undefined; tries++) {
            offered = await application.offered();
        }
        if (offered === undefined) {
            throw new LabError(`${application.name} in the guest does not answer: nothing can be written to it`);
        }
        if (offered) {
            return application;
        }
    }
    return undefined;
}

/** Writes a row a second into an application and remembers which ones it acknowledged. */
export class Rows {
    private readonly samples: WriteSample[] = [];
    private readonly open = new Set<Promise<void>>();
    private clock?: NodeJS.Timeout;

    constructor(private readonly application: Application) {}

    start(): void {
        this.clock = setInterval(() => {
            if (this.open.size < this.application.atOnce) {
                const writing = this.write().finally(() => this.open.delete(writing));
                this.open.add(writing);
            }
        }, EVERY);
    }

    private async write(): Promise<void> {
        const sentAt = Date.now();
        const acknowledged = await this.application.write(sentAt);
        this.samples.push({ row: sentAt, sentAt, endedAt: Date.now(), acknowledged });
    }

    /** How many rows the application has said to have. */
    get acknowledged(): number {
        return this.samples.filter(({ acknowledged }) => acknowledged).length;
    }

    /** Writes no more, and compares with what the guest has. A guest that cannot be read has lost everything. */
    async finish(): Promise<{ samples: WriteSample[]; found: number[] }> {
        this.stop();
        await Promise.all(this.open);
        const sent = new Set(this.samples.map(({ row }) => row));
        for (let tries = 0; tries < 5; tries++) {
            const rows = await this.application.rows();
            if (rows) {
                return { samples: this.samples, found: rows.filter((row) => sent.has(row)) };
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
