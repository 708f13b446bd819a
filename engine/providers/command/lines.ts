import { StringDecoder } from "node:string_decoder";

/** Cuts a stream into lines for the live log. Characters and lines may be spread over several chunks. */
export class LineCutter {
    private readonly decoder = new StringDecoder("utf8");
    private rest = "";

    constructor(private readonly onLine: (line: string) => void) {}

    write(chunk: Buffer): void {
        const lines = (this.rest + this.decoder.write(chunk)).split("\n");
        this.rest = lines.pop() ?? "";
        lines.forEach((line) => this.onLine(line.replace(/\r$/, "")));
    }

    /** Gives out what stands after the last line end. */
    end(): void {
        const last = this.rest + this.decoder.end();
        this.rest = "";
        if (last !== "") {
            this.onLine(last.replace(/\r$/, ""));
        }
    }
}
