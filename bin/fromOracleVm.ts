/** Proposes a guest's configuration from an Oracle VM guest's vm.cfg: `npm run --silent from-oracle-vm -- vm.cfg`. */
import { readFileSync } from "node:fs";
import { renderFaults } from "../config/faults";
import { fromOracleVm, renderProposal } from "../convert/fromOracleVm";

function fail(message: string): void {
    process.stderr.write(`${message}\n`);
    process.exitCode = 1;
}

function main([path, ...more]: readonly string[]): void {
    if (path === undefined || more.length > 0) {
        return fail("say which file: npm run --silent from-oracle-vm -- vm.cfg");
    }
    let text: string;
    try {
        text = readFileSync(path, "utf8");
    } catch (error) {
        return fail(`cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
    const result = fromOracleVm(text);
    if ("faults" in result) {
        return fail(`${path} cannot be carried over as it is:\n${renderFaults(result.faults)}`);
    }
    process.stdout.write(renderProposal(result.proposal));
}

main(process.argv.slice(2));
