import { debianXen } from "../../platforms/debian-xen";
import { type Step } from "../../platforms/platform";
import { canScratch, onScratchHost, type Run, withApply } from "./scratch";
import { clusterSpec, wikiSpec } from "./spec";

const spec = clusterSpec({ repository: { ...clusterSpec().repository, path: "/srv/volume", keepData: false } });

/** Runs are killed at every third command; at each of them with SCRATCH_EVERY=1, which takes two minutes. */
const EVERY = Number(process.env["SCRATCH_EVERY"] ?? 3);

function find(steps: readonly Step[], name: string): Step {
    const step = steps.find((one) => one.name === name);
    if (step === undefined) {
        throw new Error(`no step ${name}`);
    }
    return step;
}

const steps: [string, Step][] = [
    ["prepare", find(debianXen.repository(spec), "prepare")],
    ["export", find(debianXen.repository(spec), "export")],
    ["keys", find(debianXen.pool(spec), "keys-OVMSERVER01")],
    ["workload", find(debianXen.guest(spec, wikiSpec({ name: "OVMTEST" })), "workload")],
    ["keys of the manager", find(debianXen.pool(spec), "keys-OVMANAGER")],
];

function runs(step: Step, ...words: string[]): Run[] {
    const [start, ...done] = onScratchHost(step, words);
    if (start === undefined) {
        throw new Error("the scratch host did not start");
    }
    return [start, ...done];
}

if (!canScratch) {
    process.stderr.write("this machine allows no root of one's own (unshare): steps are not run\n");
}

(canScratch ? describe : describe.skip)("run on a scratch host", () => {
    describe.each(steps)("the step %s", (_, step) => {
        const [start, first, second, removed, again] = runs(step, "apply", "apply", "remove", "remove");

        it("says in one line what is true", () => {
            expect(first).toMatchObject({ status: 0, said: expect.stringContaining("OVMTEST: ") as string });
        });

        it("changes nothing the second time", () => {
            expect(second).toMatchObject({ status: 0, said: first?.said, tree: first?.tree });
        });

        it("leaves the host as it was, and tolerates that it is gone already", () => {
            expect(removed).toMatchObject({ status: 0, tree: start?.tree });
            expect(again).toMatchObject({ status: 0, tree: start?.tree });
        });

        it("converges from wherever it was killed, and takes that away, too", () => {
            const commands = first?.commands ?? 0;
            expect(commands).toBeGreaterThan(2);
            for (let at = 1; at <= commands; at += EVERY) {
                const [, killed, finished, gone] = runs(step, `kill:${at}`, "apply", "apply", "remove");
                expect({ at, status: killed?.status }).toEqual({ at, status: 137 });
                expect({ at, said: finished?.said, tree: finished?.tree }).toEqual({
                    at,
                    said: first?.said,
                    tree: first?.tree,
                });
                expect({ at, tree: gone?.tree }).toEqual({ at, tree: start?.tree });
            }
        }, 300_000);

        it("is removed as a whole, even after a removal that was killed", () => {
            const commands = removed?.commands ?? 0;
            for (let at = 1; at <= commands; at += EVERY) {
                const [, , , gone] = runs(step, "apply", `kill:${at}`, "remove", "remove");
                expect({ at, tree: gone?.tree }).toEqual({ at, tree: start?.tree });
            }
        }, 300_000);
    });

    describe("the step ring, when the members have changed and Corosync runs", () => {
        const step = withApply(
            find(debianXen.pool(spec), "ring-OVMSERVER01"),
            `mkdir -p /var/lib/pacemaker /var/lib/corosync
if [ -e /etc/corosync/corosync.conf ]; then
    COROSYNC="$COROSYNC # with one member more"
    : >/state/running/corosync.service
fi
apply_it`,
        );
        // Busy the first time, as when several members reload at once.
        const reload = `if [ ! -e /state/tried ]; then
    : >/state/tried
    echo "Could not reload configuration. Error CS_ERR_TRY_AGAIN" >&2
    exit 1
fi
cp /etc/corosync/corosync.conf /state/taken`;
        const on = (...words: string[]): Run[] => onScratchHost(step, words, {}, { "corosync-cfgtool": reload });
        const sum = (run: Run | undefined, file: string): string | undefined =>
            new RegExp(`^${file} \\d+ (\\w+)$`, "m").exec(run?.tree ?? "")?.[1];
        const [, first, second] = on("apply", "apply");

        it("has it reloaded, and waits for its turn", () => {
            const said = expect.stringContaining("knows the members of the ring") as string;
            expect(first).toMatchObject({ status: 0, said });
            expect(sum(first, "state/taken")).toBeUndefined();
            expect(second).toMatchObject({ status: 0, said });
            expect(sum(second, "state/taken")).toBe(sum(second, "etc/corosync/corosync.conf"));
            expect(sum(second, "etc/corosync/corosync.conf")).not.toBe(sum(first, "etc/corosync/corosync.conf"));
        });

        it("has it reloaded also when the run that changed it was killed", () => {
            const commands = second?.commands ?? 0;
            expect(commands).toBeGreaterThan(2);
            for (let at = 1; at <= commands; at += EVERY) {
                const last = on("apply", `kill:${at}`, "apply", "apply").at(-1);
                expect({ at, taken: sum(last, "state/taken") }).toEqual({
                    at,
                    taken: sum(last, "etc/corosync/corosync.conf"),
                });
            }
        }, 120_000);
    });
});
