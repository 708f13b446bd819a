import { Command, CommanderError, Option } from "commander";
import { type CliContext } from "./cli/context";
import { type Globals } from "./cli/globals";
import { addOperationVerbs } from "./cli/operation";
import { processTerminal } from "./cli/terminal";
import { addConfigVerbs, addStackVerbs } from "./cli/verbs";
import { messageOf, NotSupported, UserError } from "./errors";

/** An error that is the user's to mend; the same code as the official CLI's for an unclassified one. */
const EXIT_USER_ERROR = 1;
/** An error of this engine itself. */
const EXIT_INTERNAL_ERROR = 255;

/** The command line. Flags that stand here are known to every verb, before and after its name. */
export function createProgram(): Command {
    const program = new Command("pulumi")
        .description("Runs Pulumi programs without the official CLI (embedded engine)")
        .option("-C, --cwd <folder>", "run as if started in another folder")
        .option("-s, --stack <name>", "the stack to work on, instead of the selected one")
        .option("--config-file <file>", "the stack's config, instead of Pulumi.<stack>.yaml")
        .option("--non-interactive", "never ask")
        .addOption(
            new Option("--color <when>", "colour the output")
                .choices(["always", "never", "raw", "auto"])
                .default("auto"),
        )
        .helpCommand(false)
        .exitOverride()
        .configureOutput({ writeErr: () => undefined });
    const context: CliContext = {
        globals: (): Globals => {
            const { cwd, stack, configFile, nonInteractive, color } = program.opts<{
                cwd?: string;
                stack?: string;
                configFile?: string;
                nonInteractive?: boolean;
                color: string;
            }>();
            return {
                ...(cwd === undefined ? {} : { cwd }),
                ...(stack === undefined ? {} : { stack }),
                ...(configFile === undefined ? {} : { configFile }),
                interactive: nonInteractive !== true,
                color,
            };
        },
        terminal: () => processTerminal(context.globals().interactive),
    };
    addOperationVerbs(program, context);
    addStackVerbs(program, context);
    addConfigVerbs(program, context);
    return program;
}

/** Runs one command line, without `node` and the script's name; answers with the exit code. */
export async function main(args: readonly string[]): Promise<number> {
    // Who reads the output may have enough of it, as `head` does.
    process.stdout.on("error", ignoreBrokenPipe);
    try {
        await createProgram().parseAsync(args.length === 0 ? ["--help"] : [...args], { from: "user" });
        return typeof process.exitCode === "number" ? process.exitCode : 0;
    } catch (error) {
        if (error instanceof CommanderError && error.exitCode === 0) {
            return 0;
        }
        const shown = error instanceof CommanderError ? refusal(error, args) : error;
        const isUserError = shown instanceof UserError;
        const message = isUserError || !(shown instanceof Error) ? messageOf(shown) : (shown.stack ?? shown.message);
        process.stderr.write(`error: ${isUserError ? message.replace(/\s*\n\s*/g, " ") : message}\n`);
        return isUserError ? EXIT_USER_ERROR : EXIT_INTERNAL_ERROR;
    }
}

/** What commander could not parse, in this engine's words: what is unknown here the official CLI may well know. */
function refusal(error: CommanderError, args: readonly string[]): UserError {
    const named = /'([^']+)'/.exec(error.message)?.[1] ?? args.join(" ");
    switch (error.code) {
        case "commander.unknownOption":
            return new NotSupported(`the flag ${named} of \`pulumi ${verbOf(args)}\``);
        case "commander.excessArguments":
            return new NotSupported(`a further argument of \`pulumi ${verbOf(args)}\``);
        case "commander.unknownCommand":
        case "commander.help":
            return new NotSupported(`the command \`pulumi ${verbOf(args)}\``);
        default:
            return new UserError(
                error.message.replace(/^error: /, "").replace(/\.$/, ""),
                `see \`pulumi ${verbOf(args)} --help\``,
            );
    }
}

function ignoreBrokenPipe(error: NodeJS.ErrnoException): void {
    if (error.code !== "EPIPE") {
        throw error;
    }
}

/** The words of a command line up to the first flag. */
function verbOf(args: readonly string[]): string {
    const end = args.findIndex((arg) => arg.startsWith("-"));
    return args.slice(0, end < 0 ? 3 : Math.min(end, 3)).join(" ");
}
