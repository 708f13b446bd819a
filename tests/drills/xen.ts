/** A stand-in for the library by which the watcher asks the hypervisor. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Writes the library's two modules into a folder.
 *
 * @param domains Python: an expression for the domains, as tuples of number, name and the flags that are set; it may fail
 * @returns the folder for PYTHONPATH
 */
export function standInForXen(folder: string, domains: string): string {
    const modules = join(folder, "xen", "lowlevel");
    mkdirSync(modules, { recursive: true });
    writeFileSync(
        join(modules, "xc.py"),
        `import os
FLAGS = ("running", "blocked", "paused", "shutdown", "dying")
def domains():
    return [(0, "Domain-0", ("running",))] + ${domains}
class xc:
    def domain_getinfo(self):
        return [
            {"domid": number, "shutdown_reason": 3 if "crashed" in flags else 0, **{flag: int(flag in flags) for flag in FLAGS}}
            for number, _, flags in domains()
        ]
`,
    );
    writeFileSync(
        join(modules, "xs.py"),
        `from .xc import domains
class xs:
    def read(self, transaction, path):
        names = {"/local/domain/%d/name" % number: name for number, name, _ in domains()}
        name = names.get(path)
        return None if name is None else name.encode()
`,
    );
    return folder;
}
