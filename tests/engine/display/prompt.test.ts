import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { colours } from "../../../engine/display/colour";
import { confirm } from "../../../engine/display/prompt";

async function ask(
    input: string | Readable,
    details?: () => string,
    signal = new AbortController().signal,
): Promise<{ answer: boolean; said: string }> {
    const output = new PassThrough();
    const said = text(output);
    const answer = await confirm({
        operation: "update",
        ...(details === undefined ? {} : { details }),
        colours: colours(false),
        input: typeof input === "string" ? Readable.from([input]) : input,
        output,
        signal,
    });
    output.end();
    return { answer, said: await said };
}

describe("the question before an update", () => {
    test.each([
        ["yes\n", true],
        [" YES \n", true],
        ["y\n", true],
        ["no\n", false],
        ["\n", false],
        ["", false],
        ["what?\nyes\n", true],
        ["details\nyes\n", true],
        ["d\nno\n", false],
    ])("answered with %j", async (input, expected) => {
        expect((await ask(input, () => "the diff")).answer).toBe(expected);
    });

    test("is answered with no by an interruption", async () => {
        const interruption = new AbortController();
        setTimeout(() => interruption.abort(), 50);
        const { answer, said } = await ask(new PassThrough(), () => "the diff", interruption.signal);
        expect(answer).toBe(false);
        expect(said).toBe("Do you want to perform this update? yes / no / details: \n");
    });

    test("shows the details and asks again", async () => {
        const { said } = await ask("details\nyes\n", () => "the diff");
        const question = "Do you want to perform this update? yes / no / details: ";
        expect(said).toBe(`${question}the diff\n\n${question}`);
    });

    test("offers no details when there was no preview", async () => {
        const { said } = await ask("details\nno\n");
        expect(said).toMatch(/^Do you want to perform this update without a preview\? yes \/ no: Please answer/);
    });
});
