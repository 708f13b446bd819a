import { createInterface } from "node:readline";
import { type OperationKind } from "../run/events";
import { type Colours } from "./colour";

/** Where the question is asked, and what it is about. */
export interface Question {
    readonly operation: OperationKind;
    /** What "details" shows; without it, as after no preview, there are no details to ask for. */
    readonly details?: () => string;
    readonly colours: Colours;
    readonly input: NodeJS.ReadableStream;
    readonly output: NodeJS.WritableStream;
    /** Aborted by Ctrl-C. */
    readonly signal: AbortSignal;
}

/** Asks whether to go on, until the answer is yes or no. Ctrl-C is a no, and so is the end of the input. */
export async function confirm({ operation, details, colours, input, output, signal }: Question): Promise<boolean> {
    const choices = details === undefined ? "yes / no" : "yes / no / details";
    const warning = details === undefined ? " without a preview" : "";
    const prompt = `${colours.strong(`Do you want to perform this ${operation}${warning}?`)} ${choices}: `;
    if (operation === "refresh") {
        output.write("No resources will be modified as part of this refresh; just your stack's state will be.\n");
    }
    // Answers to questions not asked yet are kept: input may come all at once.
    const lines = createInterface({ input, output, terminal: false, signal });
    try {
        output.write(prompt);
        for await (const line of lines) {
            const answer = line.trim().toLowerCase();
            if (answer === "yes" || answer === "y") {
                return true;
            }
            if (answer === "no" || answer === "n" || answer === "") {
                return false;
            }
            if (details !== undefined && answer !== "" && "details".startsWith(answer)) {
                output.write(`${details()}\n\n`);
            } else {
                output.write(`Please answer ${choices}.\n`);
            }
            output.write(prompt);
        }
        output.write("\n");
        return false;
    } finally {
        lines.close();
    }
}
