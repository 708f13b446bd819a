/** Progress on the standard error, so that the standard output is left to results. */
import pc from "picocolors";

/** One step that ended. */
export interface Timing {
    step: string;
    seconds: number;
}

/** Tells what goes on, with elapsed time for whatever lasts, and remembers how long each step took. */
export class Report {
    readonly timings: Timing[] = [];

    constructor(private readonly stream: NodeJS.WriteStream = process.stderr) {}

    /** Runs a step; its time is shown while it runs, from the second second on, and at its end. */
    async step<T>(name: string, run: () => Promise<T>): Promise<T> {
        const start = Date.now();
        const seconds = (): number => (Date.now() - start) / 1000;
        const shown = { any: false };
        const timer = setInterval(() => {
            if (this.stream.isTTY) {
                this.stream.write(`\r${pc.dim("…")} ${name} ${pc.dim(`${seconds().toFixed(0)} s`)}`);
                shown.any = true;
            } else if (!shown.any || Math.round(seconds()) % 30 === 0) {
                this.stream.write(`… ${name}${shown.any ? ` ${seconds().toFixed(0)} s` : ""}\n`);
                shown.any = true;
            }
        }, 1000);
        timer.unref();
        const end = (mark: string): void => {
            clearInterval(timer);
            const clear = this.stream.isTTY && shown.any ? "\r\x1b[K" : "";
            this.stream.write(`${clear}${mark} ${name} ${pc.dim(`${seconds().toFixed(1)} s`)}\n`);
        };
        try {
            const result = await run();
            end(pc.green("✓"));
            this.timings.push({ step: name, seconds: seconds() });
            return result;
        } catch (error) {
            end(pc.red("✗"));
            throw error;
        }
    }

    note(text: string): void {
        this.stream.write(`${text}\n`);
    }

    warn(text: string): void {
        this.stream.write(`${pc.yellow("!")} ${text}\n`);
    }
}
