/** An IPv4 network; the numbers are unsigned 32-bit values. */
export interface Network {
    /** As written: `192.168.1.0/24`. */
    cidr: string;
    /** First address, the name of the network. */
    base: number;
    /** Last address, to which broadcasts go. */
    broadcast: number;
    /** Bits of the network part, 8 to 30. */
    prefix: number;
}

/** Reads `a.b.c.d` (decimal, no leading zeros) as an unsigned 32-bit number; anything else is `undefined`. */
export function parseAddress(text: string): number | undefined {
    if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) {
        return undefined;
    }
    let value = 0;
    for (const part of text.split(".")) {
        const octet = Number(part);
        if (octet > 255 || String(octet) !== part) {
            return undefined;
        }
        value = value * 256 + octet;
    }
    return value;
}

/** The dotted form of an unsigned 32-bit number. */
export function formatAddress(address: number): string {
    return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

/**
 * Reads `a.b.c.d/prefix` as a network. Prefixes from 8 to 30 are taken: a shorter one is a slip, a longer one has no
 * room for two hosts. Bits to the right of the prefix must be zero.
 */
export function parseNetwork(text: string): Network | undefined {
    const match = /^([\d.]+)\/(\d{1,2})$/.exec(text);
    const base = parseAddress(match?.[1] ?? "");
    const prefix = Number(match?.[2]);
    if (base === undefined || !(prefix >= 8 && prefix <= 30)) {
        return undefined;
    }
    const size = 2 ** (32 - prefix);
    return base % size === 0 ? { cidr: text, base, broadcast: base + size - 1, prefix } : undefined;
}

/** The network with this prefix that the address lies in. */
export function networkAround(address: number, prefix: number): Network {
    const size = 2 ** (32 - prefix);
    const base = address - (address % size);
    return { cidr: `${formatAddress(base)}/${prefix}`, base, broadcast: base + size - 1, prefix };
}

/** Whether the address belongs to the network, its first and last address included. */
export function contains(network: Network, address: number): boolean {
    return address >= network.base && address <= network.broadcast;
}

/** First and last address a host may have: `192.168.1.1 to 192.168.1.254`. */
export function hostRange(network: Network): string {
    return `${formatAddress(network.base + 1)} to ${formatAddress(network.broadcast - 1)}`;
}

/**
 * The MAC address of a guest: Xen's OUI 00:16:3e and the last three octets of the guest's IPv4 address. Addresses are
 * unique in a network of prefix 8 or longer, so these are, too, also among several pools on one wire; a hash of the
 * name would collide once in a hundred pools of 500 guests.
 */
export function deriveMac(address: number): string {
    const octets = [16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256);
    return ["00", "16", "3e", ...octets.map((octet) => octet.toString(16).padStart(2, "0"))].join(":");
}
