/** Ports of this computer that lead into the lab. */
import { createServer } from "node:net";
import { ALL_MACHINES, GUEST, POOL } from "./machines";
import { type Forward } from "./qemu";

/** The ports of a lab, all on 127.0.0.1. */
export interface Ports {
    /** SSH of each machine there can be, by name. */
    ssh: Record<string, number>;
    guestHttp: number;
    guestSsh: number;
    poolHttp: number;
}

/** The ports a lab takes when nobody else has them. */
export function usualPorts(): Ports {
    return {
        ssh: Object.fromEntries(ALL_MACHINES.map(({ name, usualPort }) => [name, usualPort])),
        guestHttp: GUEST.usualHttpPort,
        guestSsh: GUEST.usualSshPort,
        poolHttp: POOL.usualHttpPort,
    };
}

/** The forwarding rules that make those ports lead where they should. */
export function forwardsOf(ports: Ports): Forward[] {
    return [
        ...ALL_MACHINES.map(({ name, address }) => ({ port: ports.ssh[name] ?? 0, address, to: 22 })),
        { port: ports.guestHttp, address: GUEST.address, to: 80 },
        { port: ports.guestSsh, address: GUEST.address, to: 22 },
        { port: ports.poolHttp, address: POOL.address, to: 80 },
    ];
}

/**
 * The wanted ports, each one that is not free replaced by one that is.
 *
 * @param isFree tells whether a port can be had; asked at most once for each
 * @param another proposes some other port
 */
export async function choosePorts(
    wanted: Ports,
    isFree: (port: number) => Promise<boolean> = canListen,
    another: () => Promise<number> = anyPort,
): Promise<Ports> {
    const taken = new Set<number>();
    const choose = async (port: number): Promise<number> => {
        let choice = port;
        while (taken.has(choice) || (choice === port && !(await isFree(choice)))) {
            taken.add(choice);
            choice = await another();
        }
        taken.add(choice);
        return choice;
    };
    const ssh: Record<string, number> = {};
    for (const [name, port] of Object.entries(wanted.ssh)) {
        ssh[name] = await choose(port);
    }
    return {
        ssh,
        guestHttp: await choose(wanted.guestHttp),
        guestSsh: await choose(wanted.guestSsh),
        poolHttp: await choose(wanted.poolHttp),
    };
}

/** Listens on a port of 127.0.0.1 for a moment (0: any that is free); the port, or undefined when it is taken. */
async function listen(port: number): Promise<number | undefined> {
    const server = createServer();
    return new Promise((resolve) => {
        server.once("error", () => resolve(undefined));
        server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
            const address = server.address();
            server.close(() => resolve(typeof address === "object" && address ? address.port : undefined));
        });
    });
}

async function canListen(port: number): Promise<boolean> {
    return (await listen(port)) !== undefined;
}

async function anyPort(): Promise<number> {
    const port = await listen(0);
    if (port === undefined) {
        throw new Error("this computer has no free port on 127.0.0.1");
    }
    return port;
}
