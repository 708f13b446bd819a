/** Drills as a test, on a lab in which a cluster runs already: whoever has built one can go on with them. */
import { findDrills } from "../../drills/catalogue";
import { conduct } from "../../drills/conduct";
import { LabGround } from "../../drills/lab";
import { summary } from "../../drills/report";
import { type Context } from "../../lab/lab";

/** What the continuous integration can afford: the two losses of a node, and a move while the guest runs. */
const NAMES = ["node-power", "node-cut", "move"] as const;

/** Carries drills out in a lab, once each, and expects every rule of each to be kept. */
export async function expectDrillsPass(context: Context, names: readonly string[] = NAMES): Promise<void> {
    const drills = names.flatMap(findDrills);
    const runs = await conduct(new LabGround(context), drills, 1, context.folder.at("drills"));
    process.stdout.write(`${summary(runs)}\n`);
    const broken = runs.flatMap(({ facts, verdict }) =>
        verdict.rulings
            .filter(({ kept }) => !kept)
            .map(({ rule, because }) => `${facts.record.drill}: ${rule} (${because})`),
    );
    expect(broken).toEqual([]);
    expect(runs.map(({ facts }) => facts.record.drill)).toEqual(drills.map(({ name }) => name));
}
