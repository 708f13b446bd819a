/** The flags that every verb knows, as commander gives them. */
export interface Globals {
    readonly cwd?: string;
    readonly stack?: string;
    /** The stack's config, instead of `Pulumi.<stack>.yaml`; from `cwd`. */
    readonly configFile?: string;
    /** False after `--non-interactive`. */
    readonly interactive: boolean;
    /** `auto`, `always`, `never` or `raw`, as the official CLI has it. */
    readonly color: string;
}

/** Where a verb reads and writes; replaceable in tests. */
export interface Terminal {
    readonly environment: NodeJS.ProcessEnv;
    out(text: string): void;
    err(text: string): void;
    /** Everything on stdin; `undefined` when that is a terminal. */
    readInput(): Promise<string | undefined>;
    /** Asks the user; absent when nobody can be asked. */
    readonly ask?: (prompt: string, hidden: boolean) => Promise<string>;
}
