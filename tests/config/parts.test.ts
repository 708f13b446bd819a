import fc from "fast-check";
import { createHmac } from "node:crypto";
import { deriveMac, formatAddress, networkAround, parseAddress, parseNetwork } from "../../config/addresses";
import { parseEndpoints } from "../../config/connections";
import { showValue } from "../../config/faults";
import { hostKeyLookup, keyToPin } from "../../config/hostkeys";
import { editDistance, nearest } from "../../config/nearest";
import { completeTiming, safeTimeout, takeoverAfter } from "../../config/timing";
import { around, faultsOf, sample, specOf } from "./sample";

describe("addresses", () => {
    const anyAddress = fc.integer({ min: 0, max: 2 ** 32 - 1 });

    test("come back as they went in", () => {
        fc.assert(fc.property(anyAddress, (address) => parseAddress(formatAddress(address)) === address));
    });

    test("lie in the network around them, which can be read back", () => {
        fc.assert(
            fc.property(anyAddress, fc.integer({ min: 8, max: 30 }), (address, prefix) => {
                const network = networkAround(address, prefix);
                expect(parseNetwork(network.cidr)).toEqual(network);
                expect(address).toBeGreaterThanOrEqual(network.base);
                expect(address).toBeLessThanOrEqual(network.broadcast);
            }),
        );
    });

    test("give MAC addresses of Xen's range", () => {
        expect(deriveMac(parseAddress("192.168.1.110") ?? 0)).toBe("00:16:3e:a8:01:6e");
    });
});

describe("the nearest word", () => {
    test.each([
        ["nodse", ["nodes", "notes"], "nodes"],
        ["GUESTS", ["guests"], "guests"],
        ["x", ["platform"], undefined],
        ["p".repeat(1000), ["pool"], undefined],
    ])("to %s", (word, known, expected) => {
        expect(nearest(word, known)).toBe(expected);
    });

    test("is measured alike from both sides", () => {
        fc.assert(fc.property(fc.string(), fc.string(), (a, b) => editDistance(a, b) === editDistance(b, a)));
    });
});

describe("timing", () => {
    test.each([
        ["fast", 8, 9.76],
        ["relaxed", 44, 55],
    ] as const)("%s", (profile, timeout, takeover) => {
        const timing = completeTiming(profile, {});
        expect(timing.stonithWatchdogTimeout).toBe(timeout);
        expect(takeoverAfter(timing)).toBe(takeover);
    });

    test("by hand: consensus follows token, the timeout is the least that is safe", () => {
        expect(completeTiming("relaxed", { token: 2, margin: 2 })).toMatchObject({
            profile: "relaxed",
            byHand: true,
            token: 2,
            consensus: 2.4,
            stonithWatchdogTimeout: 35,
        });
    });

    test("is safe whatever numbers are given", () => {
        const part = fc.integer({ min: 1, max: 300 }).map((tenths) => tenths / 10);
        fc.assert(
            fc.property(part, part, fc.integer({ min: 2, max: 60 }), (election, margin, watchdog) => {
                const timing = completeTiming("fast", { election, margin, watchdog });
                expect(timing.stonithWatchdogTimeout).toBeGreaterThanOrEqual(safeTimeout(timing));
                expect(timing.stonithWatchdogTimeout).toBeGreaterThan(watchdog + election + margin);
            }),
        );
    });
});

describe("host keys", () => {
    const hashed = (name: string): string => {
        const salt = Buffer.from("01234567890123456789");
        return `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")}`;
    };
    const lookup = hostKeyLookup(
        [
            "# a comment",
            "plain,192.168.1.100 ssh-rsa RSA",
            "plain ssh-ed25519 ED",
            "[127.0.0.1]:2201 ecdsa-sha2-nistp256 EC",
            `${hashed("[hidden]:2222")} ssh-ed25519 HID`,
            "*.example,!bad.example ssh-ed25519 WILD",
            "@revoked stolen ssh-ed25519 GONE",
            "stolen ssh-ed25519 GONE",
            "@cert-authority * ssh-ed25519 CA",
            "half",
        ].join("\n"),
    );

    test.each([
        ["plain", 22, ["RSA", "ED"]],
        ["PLAIN", 22, ["RSA", "ED"]],
        ["192.168.1.100", 22, ["RSA"]],
        ["192.168.1.100", 2201, []],
        ["127.0.0.1", 2201, ["EC"]],
        ["hidden", 2222, ["HID"]],
        ["hidden", 22, []],
        ["good.example", 22, ["WILD"]],
        ["bad.example", 22, []],
        ["stolen", 22, []],
        ["other", 22, []],
    ])("of %s on %d", (host, port, keys) => {
        expect(lookup(host, port).map(({ key }) => key)).toEqual(keys);
    });

    test("the best is pinned, RSA only where it must be", () => {
        expect(keyToPin(lookup("plain", 22), false)?.key).toBe("ED");
        expect(keyToPin(lookup("192.168.1.100", 22), false)).toBeUndefined();
        expect(keyToPin(lookup("192.168.1.100", 22), true)?.key).toBe("RSA");
    });

    test("that are missing come with the command that gets them", () => {
        const nodes = [{ address: "192.168.1.101", ssh: { host: "127.0.0.1", port: 2201 } }, sample().nodes[1]];
        const knownHosts = "192.168.1.100,192.168.1.102 ssh-ed25519 AA";
        expect(faultsOf({ ...sample(), nodes }, around({ knownHosts }))).toEqual([
            {
                path: "nodes[0]",
                value: "127.0.0.1:2201",
                problem: "has no host key in ~/.ssh/known_hosts",
                remedy:
                    "run `ssh-keyscan -t ed25519 -p 2201 127.0.0.1 >> ~/.ssh/known_hosts`, then compare " +
                    "`ssh-keygen -l -F '[127.0.0.1]:2201' -f ~/.ssh/known_hosts` with " +
                    "`ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub` on the host's own console",
            },
        ]);
    });

    test("are asked for the bastion, too", () => {
        const spec = specOf({ ...sample(), ssh: { bastion: { host: "gate" } } });
        expect(spec.ssh.bastion).toEqual({ host: "gate", port: 22, user: "root", hostKey: "ssh-ed25519 AAAAC3Nz" });
    });
});

describe("the endpoints file", () => {
    test.each(["", "[]", "{}", '{"machines":{}}', '{"machines":[1]}', '{"machines":[{"name":"A","sshPort":0}]}'])(
        "%s is not one",
        (content) => {
            expect(parseEndpoints(content)).toBeUndefined();
        },
    );

    test("that lacks a machine says so", () => {
        const machines = ["OVMANAGER", "OVMSERVER01"].map((name, n) => ({ name, sshPort: 2200 + n }));
        const endpoints = JSON.stringify({ machines });
        expect(faultsOf({ ...sample(), endpoints: ".lab/lab.json" }, around({ endpoints }))).toMatchObject([
            { path: "nodes[1].name", value: "OVMSERVER02", problem: "is no machine that .lab/lab.json lists" },
        ]);
    });
});

test("a value in a message is short, and a private key is not in it", () => {
    expect(showValue("x".repeat(100))).toHaveLength(60);
    expect(showValue({ key: "-----BEGIN PRIVATE KEY-----" })).toBe("(a private key, not shown)");
});
