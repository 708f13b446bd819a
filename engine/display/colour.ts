import pc from "picocolors";
import { type Op } from "../plan/step";

/** What `--color` says. */
export type ColourChoice = "auto" | "always" | "never";

/** Whether to colour: what was asked for, else only at a terminal. `NO_COLOR` overrules everything. */
export function wantsColour(
    choice: ColourChoice,
    isTerminal: boolean,
    env: Readonly<Record<string, string | undefined>>,
): boolean {
    if (choice === "never" || set(env["NO_COLOR"])) {
        return false;
    }
    if (choice === "always" || (set(env["FORCE_COLOR"]) && env["FORCE_COLOR"] !== "0")) {
        return true;
    }
    return isTerminal && env["TERM"] !== "dumb";
}

function set(value: string | undefined): boolean {
    return value !== undefined && value !== "";
}

type Paint = (text: string) => string;

/** How to colour what; every function gives the text unchanged when there is no colour. */
export interface Colours {
    readonly enabled: boolean;
    readonly headline: Paint;
    readonly strong: Paint;
    readonly error: Paint;
    readonly warning: Paint;
    readonly info: Paint;
    /** The colour of an operation, as the official CLI's. */
    op(op: Op): Paint;
}

/** The colours, or none. */
export function colours(enabled: boolean): Colours {
    const paint = pc.createColors(enabled);
    return {
        enabled,
        headline: (text) => paint.bold(paint.magentaBright(text)),
        strong: paint.bold,
        error: paint.red,
        warning: paint.yellow,
        info: paint.magenta,
        op: (op) => {
            switch (op) {
                case "same":
                    return plain;
                case "create":
                    return paint.green;
                case "update":
                case "refresh":
                    return paint.yellow;
                case "delete":
                case "discard":
                case "discard-replaced":
                    return paint.red;
                case "replace":
                    return paint.magentaBright;
                case "create-replacement":
                    return paint.greenBright;
                case "delete-replaced":
                    return paint.redBright;
            }
        },
    };
}

function plain(text: string): string {
    return text;
}
