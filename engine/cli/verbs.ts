import { type Command } from "commander";
import { NotSupported } from "../errors";
import type * as ConfigVerbs from "./configVerbs";
import { type CliContext } from "./context";
import type * as StackVerbs from "./stackVerbs";

/** Adds `stack …` and `cancel`. What they do is loaded when one of them runs. */
export function addStackVerbs(program: Command, context: CliContext): void {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- so that other verbs need not load it
    const load = (): typeof StackVerbs => require("./stackVerbs") as typeof StackVerbs;
    const stack = program.command("stack").description("work with stacks");
    refuseUnknown(stack);
    stack
        .command("init [name]")
        .alias("new")
        .description("make an empty stack and select it")
        .option("--no-select", "do not select it")
        .action(async (name: string | undefined, options: { select: boolean }) =>
            load().initStack(context.globals(), context.terminal(), name, options),
        );
    stack
        .command("ls")
        .alias("list")
        .description("list stacks")
        .option("-j, --json", "as JSON", false)
        .option("-a, --all", "of all projects", false)
        .option("-p, --project <name>", "of another project")
        .action(async (options: { json: boolean; all: boolean; project?: string }) =>
            load().listStacks(context.globals(), context.terminal(), options),
        );
    stack
        .command("select [name]")
        .description("select the stack that the other verbs work on")
        .action(async (name: string | undefined) => load().selectStack(context.globals(), context.terminal(), name));
    stack
        .command("output [property]")
        .description("show the stack's outputs")
        .option("-j, --json", "as JSON", false)
        .option("--show-secrets", "secrets in clear", false)
        .action(async (property: string | undefined, options: { json: boolean; showSecrets: boolean }) =>
            load().showOutputs(context.globals(), context.terminal(), property, options),
        );
    stack
        .command("export")
        .description("print the stack's state as JSON")
        .option("--file <file>", "write it to a file")
        .option("--show-secrets", "secrets in clear", false)
        .action(async (options: { file?: string; showSecrets: boolean }) =>
            load().exportStack(context.globals(), context.terminal(), options),
        );
    stack
        .command("import")
        .description("replace the stack's state by an exported one")
        .option("--file <file>", "read it from a file instead of stdin")
        .option("-f, --force", "import it even if it is not consistent", false)
        .action(async (options: { file?: string; force: boolean }) =>
            load().importStack(context.globals(), context.terminal(), options),
        );
    stack
        .command("rm [name]")
        .alias("remove")
        .description("remove a stack")
        .option("-f, --force", "even if it still has resources, which are forgotten", false)
        .option("-y, --yes", "do not ask", false)
        .option("--preserve-config", "keep the stack's config file", false)
        .option("--remove-backups", "remove the backups as well", false)
        .action(
            async (
                name: string | undefined,
                options: { force: boolean; yes: boolean; preserveConfig: boolean; removeBackups: boolean },
            ) => load().removeStack(context.globals(), context.terminal(), name, options),
        );
    program
        .command("cancel [name]")
        .description("take away the lock of a stack whose run is dead")
        .option("-y, --yes", "do not ask", false)
        .action(async (name: string | undefined, options: { yes: boolean }) =>
            load().cancelStack(context.globals(), context.terminal(), name, options),
        );
}

/** Adds `config` and `config get|set|rm`. */
export function addConfigVerbs(program: Command, context: CliContext): void {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- so that other verbs need not load it
    const load = (): typeof ConfigVerbs => require("./configVerbs") as typeof ConfigVerbs;
    const config = program
        .command("config")
        .description("show the stack's config")
        .option("-j, --json", "as JSON", false)
        .option("--show-secrets", "secrets in clear", false)
        .argument("[verb]")
        .action(async (verb: string | undefined, options: { json: boolean; showSecrets: boolean }) => {
            if (verb !== undefined) {
                throw new NotSupported(`the verb \`pulumi config ${verb}\``);
            }
            await load().listConfig(context.globals(), context.terminal(), options);
        });
    const path = ["--path", "the key is a path into a map or list", false] as const;
    config
        .command("get <key>")
        .description("print one value")
        .option(...path)
        // `--json` of `config` itself takes precedence wherever it stands.
        .action(async (key: string, options: { path: boolean }) =>
            load().getConfig(context.globals(), context.terminal(), key, {
                ...options,
                json: config.opts<{ json: boolean }>().json,
            }),
        );
    config
        .command("set <key> [value]")
        .description("set one value, from stdin if it is not given")
        .option("--secret", "encrypt it", false)
        .option("--plaintext", "do not encrypt it", false)
        .option(...path)
        .action(
            async (
                key: string,
                value: string | undefined,
                options: { secret: boolean; plaintext: boolean; path: boolean },
            ) => load().setConfig(context.globals(), context.terminal(), key, value, options),
        );
    config
        .command("rm <key>")
        .alias("remove")
        .description("remove one value")
        .option(...path)
        .action(async (key: string, options: { path: boolean }) =>
            load().removeConfig(context.globals(), context.terminal(), key, options),
        );
}

/** A group that is nothing without one of its verbs. */
function refuseUnknown(group: Command): void {
    group.argument("[verb]").action((verb: string | undefined) => {
        throw new NotSupported(`the verb \`pulumi ${group.name()}${verb === undefined ? "" : ` ${verb}`}\``);
    });
}
