/**
 * The machines of the lab: names, addresses and sizes. Pure data, and the one place where they are written down.
 */

/** What a machine is there for: the manager keeps the repository, a node hosts guests under Xen. */
export type Role = "manager" | "node";

/** One machine as planned, before any of it exists. */
export interface MachinePlan {
    /** Host name, as in the thesis. */
    readonly name: string;
    readonly role: Role;
    /** Static IPv4 address in {@link NETWORK}. */
    readonly address: string;
    /** Hardware address of its one network interface. */
    readonly mac: string;
    /** Memory of the machine, in MiB. */
    readonly memory: number;
    /** Memory of its dom0, in MiB; nodes only. The rest is for guests. */
    readonly dom0Memory?: number;
    readonly cpus: number;
    /** Port on 127.0.0.1 that leads to its SSH, unless something else has it. */
    readonly usualPort: number;
}

/** The lab's network. It has a router, which only forwards ports of this computer inwards; nothing leads out. */
export const NETWORK = { cidr: "192.168.1.0/24", prefix: 24, gateway: "192.168.1.1", dns: "192.168.1.3" } as const;

/** The guest that clients ask for: its address is set by who starts it, the lab only forwards ports to it. */
export const GUEST = {
    name: "WebServerHA",
    address: "192.168.1.110",
    usualHttpPort: 8110,
    usualSshPort: 2210,
} as const;

/** The pool's virtual address. */
export const POOL = { address: "192.168.1.120", usualHttpPort: 8120 } as const;

/** Nodes a lab has at least, and at most. */
export const NODES = { least: 2, most: 3 } as const;

const MANAGER: MachinePlan = {
    name: "OVMANAGER",
    role: "manager",
    address: "192.168.1.100",
    mac: "52:54:00:00:01:00",
    memory: 1024,
    cpus: 1,
    usualPort: 2200,
};

/** Node number `number`, counted from 1. */
function node(number: number): MachinePlan {
    return {
        name: `OVMSERVER0${number}`,
        role: "node",
        address: `192.168.1.10${number}`,
        mac: `52:54:00:00:01:0${number}`,
        memory: 2560,
        dom0Memory: 1024,
        // One. With two, guests died of triple faults in live migrations and after a state was restored. QEMU's helper_vmrun
        // leaves exception_index set after it has injected an interrupt, so that whatever interrupts the emulation from
        // outside may have it delivered twice; a second processor does that all the time.
        cpus: 1,
        usualPort: 2200 + number,
    };
}

/**
 * The machines of a lab, the manager first.
 *
 * @param nodes how many nodes, 2 or 3
 * @throws RangeError for another number
 */
export function planMachines(nodes: number): MachinePlan[] {
    if (!Number.isInteger(nodes) || nodes < NODES.least || nodes > NODES.most) {
        throw new RangeError(`a lab has ${NODES.least} or ${NODES.most} nodes, not ${nodes}`);
    }
    return [MANAGER, ...Array.from({ length: nodes }, (_, index) => node(index + 1))];
}

/** Every machine a lab can have: their names are known on each, and their ports are set aside, from the start. */
export const ALL_MACHINES: readonly MachinePlan[] = planMachines(NODES.most);

/**
 * The machine somebody means: its name in any case, or `manager`, `node1`, `node2`, …
 *
 * @throws Error that lists the names, when there is none
 */
export function findMachine<T extends { name: string }>(machines: readonly T[], name: string): T {
    const wanted = name.toLowerCase();
    const alias = wanted === "manager" ? "ovmanager" : wanted.replace(/^node0?(\d)$/, "ovmserver0$1");
    const found = machines.find((machine) => machine.name.toLowerCase() === alias);
    if (!found) {
        throw new Error(`the lab has no machine "${name}"; it has ${machines.map(({ name }) => name).join(", ")}`);
    }
    return found;
}
