import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DynamicProvider } from "../../../engine/providers/dynamic/provider";
import { PartialFailure } from "../../../engine/providers/provider";
import { type PropertyMap, revealedMap, Secret } from "../../../engine/values/value";
import { contextFor } from "./context";

const TYPE = "pulumi-nodejs:dynamic/test:Thing";
jest.setTimeout(120_000);

/** A provider as the SDK puts it into `__provider`: a module whose handler answers with the provider. */
const CODE = `
let settings;
exports.handler = () => ({
    async configure({ config }) { settings = config; },
    async check(olds, news) {
        return { inputs: { ...news, size: news.size ?? 1 }, failures: news.bad ? [{ property: "bad", reason: "is bad" }] : [] };
    },
    async diff(id, olds, news) {
        return { changes: olds.size !== news.size, replaces: olds.size < 0 ? ["size"] : [], deleteBeforeReplace: olds.size < 0 };
    },
    async create(inputs) {
        if (inputs.slow) await new Promise((resolve) => setTimeout(resolve, 500));
        console.log("creating " + inputs.size);
        if (inputs.fail === "none") throw new Error("not made");
        if (inputs.fail === "half") {
            throw Object.assign(new Error("half made"), { id: "half", properties: { ...inputs, seen: 0 }, reasons: ["no power"] });
        }
        return { id: "thing", outs: { ...inputs, pid: process.pid, region: settings.get("region") ?? null, token: settings.get("token") ?? null } };
    },
    async update(id, olds, news) {
        if (news.fail === "half") throw Object.assign(new Error("half changed"), { id, properties: { ...olds }, reasons: ["no power"] });
        return { outs: { ...news, was: olds.size } };
    },
    async read(id, props) {
        if (props.gone) return {};
        return { id, props: { ...props, size: 99 }, inputs: { size: 99, password: props.password } };
    },
    async delete(id, props) { require("fs").writeFileSync(props.file, "deleted " + id + " " + props.password); },
});`;
const BARE = `exports.handler = () => ({ async create(inputs) { return { id: "bare", outs: inputs }; } });`;

describe("dynamic resources", () => {
    let folder: string;
    let provider: DynamicProvider;

    const start = (config: PropertyMap = {}): DynamicProvider =>
        new DynamicProvider({
            programDirectory: resolve(__dirname, "../../.."),
            engineAddress: "127.0.0.1:1",
            project: "project",
            config,
        });

    beforeAll(() => {
        folder = mkdtempSync(join(tmpdir(), "dynamic-"));
        provider = start({ "project:region": "north", "project:token": new Secret("t0ken") });
    });
    afterAll(async () => {
        await provider.close();
        rmSync(folder, { recursive: true });
    });

    const __provider = new Secret(CODE);
    const context = () => contextFor(TYPE, "it");
    const old = (properties: PropertyMap) => ({
        id: "thing",
        inputs: { __provider, ...properties },
        outputs: { __provider, ...properties },
    });

    it("creates, with the code kept and the configuration known", async () => {
        const { id, outputs } = await provider.create(context(), { __provider, size: 2 });
        expect(id).toBe("thing");
        expect(outputs).toEqual({
            __provider,
            size: 2,
            pid: expect.any(Number) as number,
            region: "north",
            token: "t0ken",
        });
    });

    it("shows what the code prints, at the latest when it is closed", async () => {
        const other = start();
        const told = context();
        try {
            await other.create(told, { __provider, size: 7 });
        } finally {
            await other.close();
        }
        expect(told.lines).toContain("info: creating 7");
    });

    it("shows what the code prints for an operation that goes on while another one ends", async () => {
        const other = start();
        const slow = context();
        try {
            const running = other.create(slow, { __provider, size: 8, slow: true });
            await other.create(context(), { __provider, size: 9 });
            await running;
        } finally {
            await other.close();
        }
        expect(slow.lines).toContain("info: creating 8");
    });

    it("puts secrets back where they were, at any depth", async () => {
        const given = { plain: "a", password: new Secret("p"), nested: { key: new Secret("k"), open: "o" } };
        const { outputs } = await provider.create(context(), {
            __provider,
            size: 1,
            ...given,
            list: ["a", new Secret("b")],
        });
        expect(outputs).toMatchObject({ ...given, list: new Secret(["a", "b"]) });
    });

    it("checks, with defaults and reasons", async () => {
        const good = await provider.check(context(), undefined, { __provider, password: new Secret("p") });
        expect(good).toEqual({ inputs: { __provider, password: new Secret("p"), size: 1 }, failures: [] });
        const { failures } = await provider.check(context(), good.inputs, { __provider, bad: true });
        expect(failures).toEqual([{ property: "bad", reason: "is bad" }]);
    });

    it("has a difference where the code says so, not where it does not", async () => {
        const diff = (olds: PropertyMap, news: PropertyMap) =>
            provider.diff(context(), old(olds), { __provider, ...news });
        await expect(diff({ size: 1 }, { size: 2 })).resolves.toMatchObject({ changes: true, replaceKeys: [] });
        await expect(diff({ size: 1 }, { size: 1, note: "x" })).resolves.toMatchObject({ changes: false });
        await expect(diff({ size: -1 }, { size: 2 })).resolves.toMatchObject({
            changes: true,
            replaceKeys: ["size"],
            deleteBeforeReplace: true,
            detailed: { size: "update-replace" },
        });
    });

    it("has a difference where inputs differ when the code has no diff", async () => {
        const bare = { __provider: new Secret(BARE) };
        const before = { id: "bare", inputs: { ...bare, a: 1 }, outputs: { ...bare, a: 1 } };
        await expect(provider.diff(context(), before, { ...bare, a: 2 })).resolves.toMatchObject({
            changes: true,
            changedKeys: ["a"],
        });
        await expect(provider.diff(context(), before, { ...bare, a: 1 })).resolves.toMatchObject({ changes: false });
        await expect(provider.read(context(), before)).resolves.toMatchObject({ id: "bare", outputs: before.outputs });
        await expect(provider.delete(context(), before)).resolves.toBeUndefined();
    });

    it("updates with the old properties at hand", async () => {
        const news = { __provider, size: 2, password: new Secret("p") };
        await expect(provider.update(context(), old({ size: 1 }), news)).resolves.toEqual({
            id: "thing",
            outputs: { ...news, was: 1 },
        });
    });

    it("reads outputs and inputs anew, secrets put back", async () => {
        const password = new Secret("p");
        await expect(provider.read(context(), old({ size: 1, password }))).resolves.toEqual({
            id: "thing",
            outputs: { __provider, size: 99, password },
            inputs: { __provider, size: 99, password },
        });
    });

    it("tells that a thing is gone", async () => {
        await expect(provider.read(context(), old({ gone: true }))).resolves.toBeUndefined();
    });

    it("deletes", async () => {
        const file = join(folder, "deleted");
        await provider.delete(context(), old({ file, password: new Secret("p") }));
        expect(readFileSync(file, "utf8")).toBe("deleted thing p");
    });

    it("fails with the code's words", async () => {
        const failed = provider.create(context(), { __provider, fail: "none" });
        await expect(failed).rejects.toThrow(/^not made$/);
        await expect(failed).rejects.not.toBeInstanceOf(PartialFailure);
    });

    it.each(["create", "update"] as const)("keeps what a failed %s left behind", async (verb) => {
        const inputs = { __provider, fail: "half", password: new Secret("p"), size: 3 };
        const failed = await (
            verb === "create" ? provider.create(context(), inputs) : provider.update(context(), old(inputs), inputs)
        ).catch((error: unknown) => error);
        expect(failed).toBeInstanceOf(PartialFailure);
        expect(failed).toMatchObject({
            message: verb === "create" ? "half made" : "half changed",
            id: verb === "create" ? "half" : "thing",
            reasons: ["no power"],
            outputs: { password: new Secret("p"), size: 3 },
        });
    });

    it("stops waiting when it is aborted", async () => {
        const endless = new Secret("exports.handler = () => ({ create: () => new Promise(() => {}) });");
        const abort = new AbortController();
        const running = provider.create(contextFor(TYPE, "it", abort.signal), { __provider: endless });
        const seen = expect(running).rejects.toThrow("enough");
        setTimeout(() => abort.abort(new Error("enough")), 50);
        await seen;
    });

    it("knows its types", () => {
        expect(provider.supports("pulumi-nodejs:dynamic:Resource")).toBe(true);
        expect(provider.supports(TYPE)).toBe(true);
        expect(provider.supports("pulumi-nodejs:other:Resource")).toBe(false);
    });

    it("has one process for all, which ends with close", async () => {
        const other = start();
        try {
            const pids = await Promise.all(
                [1, 2, 3].map(async (size) =>
                    Number(revealedMap((await other.create(context(), { __provider, size })).outputs)["pid"]),
                ),
            );
            expect(new Set(pids).size).toBe(1);
            const process = `/proc/${pids[0]}`;
            expect(readFileSync(`${process}/cmdline`, "utf8")).toContain("dynamic-provider");
            await other.close();
            expect(existsSync(process)).toBe(false);
        } finally {
            await other.close();
        }
    });

    it("starts no process before it is needed", async () => {
        const nowhere = new DynamicProvider({ programDirectory: "/", engineAddress: "127.0.0.1:1", config: {} });
        await nowhere.close();
        await expect(nowhere.create(context(), { __provider })).rejects.toThrow(
            "@pulumi/pulumi is not installed for /",
        );
        await nowhere.close();
    });
});
