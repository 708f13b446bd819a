/** What a drill writes down while it runs. Everything else is derived from it, so a report can be made again. */

/** Milliseconds since 1970, by the clock of the computer that runs the drill. */
export type Instant = number;

/** One request to the guest's address. */
export interface HttpSample {
    sentAt: Instant;
    /** When it was answered or given up. */
    endedAt: Instant;
    /** Absent: no answer in time. */
    status?: number;
}

/** One row written to the application. */
export interface WriteSample {
    row: number;
    sentAt: Instant;
    endedAt: Instant;
    /** The application said that it has it: from then on it must not get lost. */
    acknowledged: boolean;
}

/** A line of a machine's serial console. */
export interface ConsoleLine {
    host: string;
    /** When it was read here: never before the line was written. */
    at: Instant;
    text: string;
}

/** Something that the drill did, or saw from outside. */
export interface Mark {
    at: Instant;
    /** `fault`: done to the cluster. `repair`: taken back. `off`: from now on the machine has no power. */
    kind: "fault" | "repair" | "off" | "note";
    text: string;
    host?: string;
}

/** What Pacemaker's own scheduler said beforehand, of the live configuration. */
export interface Prediction {
    /** Options given to crm_simulate. */
    options: string[];
    /** Where it would put the guest; null: nowhere. */
    node: string | null;
}

/** One run of one drill. */
export interface DrillRecord {
    drill: string;
    startedAt: Instant;
    endedAt: Instant;
    guest: string;
    manager: string;
    nodes: string[];
    /** Node that ran the guest before the fault. */
    home: string;
    http: HttpSample[];
    console: ConsoleLine[];
    marks: Mark[];
    /** What rows are written to. */
    application?: string;
    /** Absent: the workload cannot be written to. */
    writes?: { samples: WriteSample[]; found: number[] };
    prediction?: Prediction;
    /** Why the run could not be carried through; absent: it could. */
    error?: string;
}
