import { type OperationContext } from "../provider";
import { LineCutter } from "./lines";

type Stream = "stdout" | "stderr";

/** Keeps what a command prints, and shows the streams that `logging` names line by line while it runs. */
export class Capture {
    private readonly chunks: Record<Stream | "both", Buffer[]> = { stdout: [], stderr: [], both: [] };
    private readonly cutters: Partial<Record<Stream, LineCutter>> = {};

    /** @param logging the property of that name; absent: both streams */
    constructor(logging: string | undefined, show: OperationContext["log"]) {
        for (const stream of ["stdout", "stderr"] as const) {
            if (logging === undefined || logging === stream || logging === "stdoutAndStderr") {
                this.cutters[stream] = new LineCutter((line) => show(line, "info"));
            }
        }
    }

    write(chunk: Buffer, stream: Stream): void {
        this.chunks[stream].push(chunk);
        this.chunks.both.push(chunk);
        this.cutters[stream]?.write(chunk);
    }

    /** Shows what is left of the last lines. */
    end(): void {
        this.cutters.stdout?.end();
        this.cutters.stderr?.end();
    }

    /** What the stream held, without one line end at its end. */
    output(stream: Stream): string {
        return this.text(stream).replace(/\n$/, "");
    }

    /** Everything in the order of its arrival, as error texts show it. */
    everything(): string {
        return this.text("both");
    }

    private text(stream: Stream | "both"): string {
        return Buffer.concat(this.chunks[stream]).toString("utf8");
    }
}
