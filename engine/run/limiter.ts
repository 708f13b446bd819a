/** Lets at most `limit` tasks run at a time; the others wait in the order in which they came. */
export class Limiter {
    private running = 0;
    private readonly waiting: (() => void)[] = [];

    constructor(private readonly limit: number) {}

    async run<T>(task: () => Promise<T>): Promise<T> {
        if (this.running >= this.limit) {
            await new Promise<void>((resolve) => this.waiting.push(resolve));
        } else {
            this.running++;
        }
        try {
            return await task();
        } finally {
            // The place goes to the next in line, so that nobody can slip in between.
            const next = this.waiting.shift();
            if (next === undefined) {
                this.running--;
            } else {
                next();
            }
        }
    }
}
