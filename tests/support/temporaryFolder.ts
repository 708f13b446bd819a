import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const made: string[] = [];

afterAll(() => made.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** A new empty folder that is removed when the test file is done. */
export function temporaryFolder(): string {
    const folder = mkdtempSync(join(tmpdir(), "ovm-ha-test-"));
    made.push(folder);
    return folder;
}
