import { type Snapshot } from "./resource";

/**
 * Writes snapshots one after the other, each as new as can be: while one is being written, later ones only replace
 * each other, so that a burst of finished operations costs two writes.
 */
export class SnapshotWriter {
    private waiting: { snapshot: () => Snapshot; done: Promise<void> } | undefined;
    private running: Promise<void> = Promise.resolve();

    /** `write` makes one snapshot durable. */
    constructor(private readonly write: (snapshot: Snapshot) => Promise<void>) {}

    /**
     * Resolves when a snapshot at least as new as at the time of the call is durable. `current` is asked for it at
     * the moment of writing. Rejects when that write fails; a later `save` tries again.
     */
    save(current: () => Snapshot): Promise<void> {
        if (this.waiting !== undefined) {
            this.waiting.snapshot = current;
            return this.waiting.done;
        }
        const entry = { snapshot: current, done: Promise.resolve() };
        entry.done = this.running
            .catch(() => undefined)
            .then(() => {
                this.waiting = undefined;
                return this.write(entry.snapshot());
            });
        this.waiting = entry;
        this.running = entry.done;
        return entry.done;
    }

    /** Resolves when nothing is being written any more; does not tell of failures. */
    idle(): Promise<void> {
        return this.running.catch(() => undefined);
    }
}
