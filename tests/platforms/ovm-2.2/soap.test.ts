import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PROGRAM = join(__dirname, "../../../platforms/ovm-2.2/soap.py");
const NAMESPACES =
    'xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/" ' +
    'xmlns:x="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:types" xmlns:m="urn:messages"';

jest.setTimeout(60_000);

/** A service in the other form than the stand-in's: rpc, parameters by parts, fields without a namespace, a type that inherits. */
const wsdl = (use = "literal"): string => `<definitions targetNamespace="urn:messages" ${NAMESPACES}><types>
<x:schema targetNamespace="urn:types">
<x:complexType name="Base"><x:sequence><x:element name="name" type="x:string"/></x:sequence></x:complexType>
<x:complexType name="Config"><x:complexContent><x:extension base="t:Base"><x:sequence>
<x:element name="memory" type="x:int"/><x:element name="vif" type="t:Card" maxOccurs="unbounded"/>
</x:sequence></x:extension></x:complexContent></x:complexType>
<x:complexType name="Card"><x:sequence><x:element name="mac" type="x:string"/></x:sequence></x:complexType>
</x:schema></types>
<message name="make"><part name="arg0" type="t:Config"/><part name="arg1" type="x:boolean"/></message>
<message name="list"/>
<portType name="Port"><operation name="make"><input message="m:make"/></operation>
<operation name="list"><input message="m:list"/></operation></portType>
<binding name="B" type="m:Port"><s:binding style="rpc" transport="http"/>
${["make", "list"]
    .map(
        (name) =>
            `<operation name="${name}"><s:operation soapAction="do-${name}"/><input><s:body use="${use}" namespace="urn:calls"/></input></operation>`,
    )
    .join("")}
</binding></definitions>`;

const envelope = (body: string): string =>
    `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>${body}</e:Body></e:Envelope>`;

/** What the server answers with, and what it was sent. */
interface Talk {
    description: string;
    status: number;
    answer: (body: string) => string;
    posted: { body: string; action: string | undefined; login: string | undefined }[];
}

describe("a call of a SOAP service", () => {
    const folder = mkdtempSync(join(tmpdir(), "soap-"));
    const credentials = join(folder, "credentials");
    let server: Server;
    let url: string;
    let talk: Talk;

    beforeAll(async () => {
        writeFileSync(credentials, "admin\npass & wörd\nagents <own>\nconsoles\n");
        server = createServer((request, response) => {
            let body = "";
            request.setEncoding("utf8").on("data", (text: string) => (body += text));
            request.on("end", () => {
                if (request.method === "GET") {
                    response.end(talk.description);
                    return;
                }
                const { soapaction: action, authorization: login } = request.headers;
                talk.posted.push({ body, action: action as string | undefined, login });
                response.writeHead(talk.status).end(talk.answer(body));
            });
        });
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/services`;
    });
    beforeEach(() => {
        talk = { description: wsdl(), status: 200, answer: () => envelope("<r/>"), posted: [] };
    });
    afterAll(async () => {
        await new Promise((resolve) => server.close(resolve));
        rmSync(folder, { recursive: true });
    });

    const call = async (words: readonly string[], at = url) => {
        const child = spawn("/usr/bin/python3", [PROGRAM, at, credentials, ...words], {
            // A proxy is for others than the Manager on its own machine.
            env: { PATH: process.env["PATH"], LC_ALL: "C", http_proxy: "http://127.0.0.1:1" },
        });
        let stdout = "";
        let stderr = "";
        child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
        child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
        const status = await new Promise((resolve) => child.once("close", resolve));
        return { status, stdout, stderr };
    };
    const failure = (reason: string) => ({ status: 1, stdout: `Error: ${reason}\n`, stderr: "" });

    it("is written as the service's own description says, in its order, with passwords from the file", async () => {
        const words = ["Service", "make", "1.vif.mac=00:16", "!1.name=AGENT_PASSWORD", "1.memory=1000", "2=false"];
        talk.answer = () => envelope("<r><vm><id>7</id><name>a\tb</name></vm><empty/></r>");
        expect(await call(words)).toEqual({ status: 0, stdout: "id\t7\nname\ta\tb\nempty\t\n", stderr: "" });
        expect(talk.posted).toHaveLength(1);
        const [{ body, action, login } = { body: "", action: "", login: "" }] = talk.posted;
        expect(body).toContain(
            '<s:Body><make xmlns="urn:calls"><arg0 xmlns=""><name xmlns="">agents &lt;own&gt;</name>' +
                '<memory xmlns="">1000</memory><vif xmlns=""><mac xmlns="">00:16</mac></vif></arg0>' +
                '<arg1 xmlns="">false</arg1></make></s:Body>',
        );
        expect(action).toBe('"do-make"');
        expect(login).toBe(`Basic ${Buffer.from("admin:pass & wörd").toString("base64")}`);
    });

    it("sends back an object as it came, and takes a field of one by the end of its name", async () => {
        talk.answer = (body) =>
            envelope(
                body.includes("<list")
                    ? '<r><a><serverPoolId>6</serverPoolId><name>other</name></a><a><serverPoolId>7</serverPoolId><name>my</name><q:deep xmlns:q="urn:q"><q:x>1 &amp; 2</q:x></q:deep></a></r>'
                    : "<r/>",
            );
        expect(await call(["Service", "make", "@1=list()[my]", "@2=list()[my].id"])).toMatchObject({ status: 0 });
        expect(talk.posted.at(-1)?.body).toContain(
            '<arg0 xmlns=""><serverPoolId xmlns="">7</serverPoolId><name xmlns="">my</name>' +
                '<deep xmlns="urn:q"><x xmlns="urn:q">1 &amp; 2</x></deep></arg0><arg1 xmlns="">7</arg1>',
        );
        expect(await call(["Service", "make", "@1=list()[nobody]"])).toEqual(failure("Service.list knows no nobody"));
        talk.answer = () => envelope("<r><a><poolId>6</poolId><siteId>5</siteId><name>my</name></a></r>");
        expect(await call(["Service", "make", "@2=list()[my].id"])).toEqual(
            failure("Service.list does not tell which field is the id: it has poolId, siteId, name"),
        );
    });

    it.each<[string, readonly string[], string, Partial<Talk>]>([
        [
            "a field that the service does not have",
            ["Service", "make", "1.vmName=x"],
            "Service.make(arg0) has no field vmName; it has name, memory, vif",
            {},
        ],
        ["a field of what has none", ["Service", "make", "2.x=y"], "Service.make(arg1) has no fields", {}],
        ["too many parameters", ["Service", "make", "3=y"], "Service.make has 2 parameters, not 3", {}],
        ["an unknown operation", ["Service", "burn"], "Service's WSDL has no operation burn", {}],
        [
            "the encoded form",
            ["Service", "make"],
            "Service speaks SOAP's encoded form, which this program does not",
            { description: wsdl("encoded") },
        ],
        [
            "types that are elsewhere",
            ["Service", "make"],
            "Service's WSDL leaves the type Config to another document, or it is none with fields",
            { description: wsdl().replace(/<types>[^]*<\/types>/, "") },
        ],
    ])("refuses %s before anything is sent", async (_, words, reason, change) => {
        Object.assign(talk, change);
        expect(await call(words)).toEqual(failure(reason));
        expect(talk.posted).toEqual([]);
    });

    it("tells a fault's text, and what else can fail", async () => {
        const fault = "<e:Fault><faultcode>e:Server</faultcode><faultstring>not able</faultstring></e:Fault>";
        Object.assign(talk, { status: 500, answer: () => envelope(fault) });
        expect(await call(["Service", "list"])).toEqual(failure("not able"));
        talk.answer = () => "<html>";
        expect(await call(["Service", "list"])).toEqual(failure(`${url}/Service does not answer in XML`));
        talk.status = 404;
        expect(await call(["Service", "list"])).toEqual(failure(`${url}/Service answers with HTTP status 404`));
        talk.status = 401;
        expect(await call(["Service", "list"])).toEqual(
            failure(`the services at ${url} refuse this user name or password`),
        );
        const nobody = await call(["Service", "list"], "http://127.0.0.1:1/services");
        expect(nobody.stdout).toMatch(/^Error: http:\/\/127\.0\.0\.1:1\/services\/Service\?WSDL cannot be reached: /);
    });
});
