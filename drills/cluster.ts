/** The cluster as Pacemaker 2.1 shows it in XML: crm_mon's answer, and the end of crm_simulate's. */

/** What a drill looks at. */
export interface ClusterView {
    quorum: boolean;
    /** The elected coordinator; absent: none. */
    coordinator?: string;
    /** All members that the cluster knows. */
    members: string[];
    /** Members that are online, neither on standby nor on their way. */
    online: string[];
    /** Where each resource runs. */
    runsOn: Record<string, string[]>;
}

function attributes(tag: string): Record<string, string> {
    return Object.fromEntries(
        [...tag.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name = "", value = ""]) => [name, value]),
    );
}

/** Reads `crm_mon -1 --output-as=xml`, or what `crm_simulate --output-as=xml` expects at the end. */
export function readView(xml: string): ClusterView {
    const revised = xml.indexOf("<revised_cluster_status>");
    const text = revised < 0 ? xml : xml.slice(revised);
    const dc = attributes(/<current_dc [^>]*>/.exec(text)?.[0] ?? "");
    const nodes = text.slice(text.indexOf("<nodes>"), text.indexOf("</nodes>"));
    const members = [...nodes.matchAll(/<node [^>]*>/g)].map(([tag]) => attributes(tag));
    const online = members
        .filter((node) => node["online"] === "true" && node["standby"] === "false" && node["pending"] === "false")
        .map((node) => node["name"] ?? "");
    const resources = text.slice(text.indexOf("<resources>"), text.indexOf("</resources>"));
    const runsOn = [...resources.matchAll(/<resource ([^>]*[^/])>(.*?)<\/resource>/gs)].map(
        ([, head = "", body = ""]): [string, string[]] => [
            attributes(head)["id"] ?? "",
            [...body.matchAll(/<node [^>]*>/g)].map(([tag]) => attributes(tag)["name"] ?? ""),
        ],
    );
    return {
        quorum: dc["with_quorum"] === "true",
        ...(dc["name"] !== undefined && dc["present"] !== "false" && { coordinator: dc["name"] }),
        members: members.map((node) => node["name"] ?? ""),
        online,
        runsOn: Object.fromEntries(runsOn),
    };
}
