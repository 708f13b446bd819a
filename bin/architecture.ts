import { type ClusterSpec, type GuestSpec, type NodeSpec } from "../config/spec";

/** Measures of the picture in pixels. */
const NODE_WIDTH = 392;
const GAP = 104;
const EDGE = 44;
const NODE_TOP = 148;
const GUEST_HEIGHT = 60;
const ROW = 40;
const MANAGER_HEIGHT = 190;

const INK = "#1c2733";
const FAINT = "#52606f";
const GUEST = { fill: "#d9f2e1", stroke: "#2e8b57" };
const MEMBER = { fill: "#e7e1f7", stroke: "#6b4fbb" };
const DISK = { fill: "#dcebfb", stroke: "#2467a8" };
const HOST = { fill: "#ffffff", stroke: "#52606f" };
const RESET = { fill: "#fde3dc", stroke: "#b8432a" };

interface Paint {
    readonly fill: string;
    readonly stroke: string;
}

interface Box {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
}

function escape(text: string): string {
    return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

type Anchor = "start" | "middle" | "end";

function text(
    x: number,
    y: number,
    words: string,
    { anchor = "start", size = 14, bold = false, fill = INK }: Partial<TextStyle> = {},
): string {
    const weight = bold ? ' font-weight="600"' : "";
    return `<text x="${x}" y="${y}" text-anchor="${anchor}" font-size="${size}" fill="${fill}"${weight}>${escape(words)}</text>`;
}

interface TextStyle {
    readonly anchor: Anchor;
    readonly size: number;
    readonly bold: boolean;
    readonly fill: string;
}

function box({ x, y, width, height }: Box, { fill, stroke }: Paint, dashed = false): string {
    const dash = dashed ? ' stroke-dasharray="6 4"' : "";
    return (
        `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="8" fill="${fill}" stroke="${stroke}" ` +
        `stroke-width="1.5"${dash}/>`
    );
}

/** A box with one line of text in its middle. */
function pill(area: Box, paint: Paint, words: string): string {
    const { x, y, width, height } = area;
    return box(area, paint) + text(x + width / 2, y + height / 2 + 5, words, { anchor: "middle" });
}

function line(points: readonly (readonly [number, number])[], stroke: string, more = ""): string {
    const path = points.map(([x, y]) => `${x},${y}`).join(" ");
    return `<polyline points="${path}" fill="none" stroke="${stroke}" stroke-width="2"${more}/>`;
}

/** What every member runs: three boxes side by side. */
function memberServices({ x, y, width }: Omit<Box, "height">): string {
    const narrow = (width - 16) * 0.29;
    const wide = width - 16 - 2 * narrow;
    return [
        pill({ x, y, width: narrow, height: 30 }, MEMBER, "Pacemaker"),
        pill({ x: x + narrow + 8, y, width: narrow, height: 30 }, MEMBER, "Corosync"),
        pill({ x: x + 2 * (narrow + 8), y, width: wide, height: 30 }, RESET, "sbd + watchdog"),
    ].join("\n");
}

function heading({ x, y, width }: Omit<Box, "height">, { name, address }: { name: string; address: string }): string {
    return text(x, y, name, { size: 16, bold: true }) + text(x + width, y, address, { anchor: "end", fill: FAINT });
}

function guestBox(area: Box, guest: GuestSpec, runs: boolean): string {
    const { x, y, width } = area;
    if (!runs) {
        const words = "after a failure, or a live migration";
        return (
            box(area, { fill: "none", stroke: GUEST.stroke }, true) +
            text(x + 12, y + 24, guest.name, { bold: true, fill: FAINT }) +
            text(x + 12, y + 45, words, { size: 13, fill: FAINT })
        );
    }
    const role = guest.ha ? "HA guest" : "guest";
    return (
        box(area, GUEST) +
        heading({ x: x + 12, y: y + 24, width: width - 24 }, guest) +
        text(x + 12, y + 45, `${role}, ${guest.memory} MiB, its disk on the repository`, { size: 13 })
    );
}

function nodeBox(area: Box, spec: ClusterSpec, node: NodeSpec, index: number): string {
    const inner = { x: area.x + 16, width: area.width - 32 };
    const guests = spec.guests.flatMap((guest, row) => {
        const home = guestHome(spec, guest, row) === index;
        const place = { ...inner, y: area.y + 44 + row * (GUEST_HEIGHT + 10), height: GUEST_HEIGHT };
        return home || guest.ha ? [guestBox(place, guest, home)] : [];
    });
    const below = area.y + area.height - 2 * ROW - 8;
    return [
        box(area, HOST),
        heading({ ...inner, y: area.y + 28 }, node),
        ...guests,
        pill({ ...inner, y: below, height: 30 }, HOST, "Xen, dom0 Debian 12, bridge xenbr0"),
        memberServices({ ...inner, y: below + ROW }),
    ].join("\n");
}

/** Index of the node that the picture shows a guest on. */
function guestHome(spec: ClusterSpec, guest: GuestSpec, row: number): number {
    const preferred = spec.nodes.findIndex(({ name }) => name === guest.preferredNode);
    return preferred >= 0 ? preferred : row % spec.nodes.length;
}

function managerBox(area: Box, spec: ClusterSpec): string {
    const { x, y, width } = area;
    const inner = { x: x + 16, width: width - 32 };
    const example = spec.guests[0]?.name ?? "GUEST";
    const top = y + 106;
    const side = inner.x + inner.width;
    const cylinder =
        `<path d="M${inner.x},${top + 8} v54 a${inner.width / 2},9 0 0 0 ${inner.width},0 v-54" ` +
        `fill="${DISK.fill}" stroke="${DISK.stroke}" stroke-width="1.5"/>` +
        `<ellipse cx="${(inner.x + side) / 2}" cy="${top + 8}" rx="${inner.width / 2}" ry="9" fill="${DISK.fill}" ` +
        `stroke="${DISK.stroke}" stroke-width="1.5"/>`;
    return [
        box(area, HOST),
        heading({ ...inner, y: y + 28 }, spec.manager),
        text(inner.x, y + 48, "manager: exports the repository, votes, hosts no guest", { size: 13, fill: FAINT }),
        memberServices({ ...inner, y: y + 60 }),
        cylinder,
        text(x + width / 2, top + 38, `repository ${spec.repository.path}`, { anchor: "middle", bold: true }),
        text(x + width / 2, top + 57, `running_pool/${example}/System.img`, { anchor: "middle", size: 13 }),
    ].join("\n");
}

/** A line from every node to the manager, with its name on it. */
function bus(
    nodes: readonly Box[],
    manager: Box,
    { y, from, to, stroke, words }: { y: number; from: number; to: number; stroke: string; words: string },
): string {
    const drops = nodes.map((node) =>
        line(
            [
                [node.x + from, node.y + node.height],
                [node.x + from, y],
                [manager.x + to, y],
                [manager.x + to, manager.y],
            ],
            stroke,
            ' stroke-linejoin="round"',
        ),
    );
    const width = words.length * 7.2 + 20;
    const middle = manager.x + manager.width / 2;
    return [
        ...drops,
        `<rect x="${middle - width / 2}" y="${y - 11}" width="${width}" height="22" rx="11" fill="#ffffff" ` +
            `stroke="${stroke}" stroke-width="1.5"/>`,
        text(middle, y + 5, words, { anchor: "middle", size: 13, fill: stroke }),
    ].join("\n");
}

function migration(from: Box, to: Box, y: number): string {
    const arrow = ' marker-start="url(#head)" marker-end="url(#head)"';
    const left = from.x + from.width - 8;
    const right = to.x + 8;
    const middle = (left + right) / 2;
    return [
        line(
            [
                [left, y],
                [right, y],
            ],
            GUEST.stroke,
            arrow,
        ),
        text(middle, y - 22, "live", { anchor: "middle", size: 13, fill: GUEST.stroke }),
        text(middle, y - 8, "migration", { anchor: "middle", size: 13, fill: GUEST.stroke }),
    ].join("\n");
}

/**
 * A picture of a cluster as SVG: who runs what, where the guests' disks lie and which address is asked. It brings its
 * own light ground, so that it can be read on a dark page as well.
 */
export function architecture(spec: ClusterSpec): string {
    const nodeHeight = 44 + spec.guests.length * (GUEST_HEIGHT + 10) + 2 * ROW + 16;
    const nodes = spec.nodes.map((_, index): Box => ({
        x: EDGE + index * (NODE_WIDTH + GAP),
        y: NODE_TOP,
        width: NODE_WIDTH,
        height: nodeHeight,
    }));
    const width = 2 * EDGE + spec.nodes.length * (NODE_WIDTH + GAP) - GAP;
    const manager: Box = {
        x: (width - NODE_WIDTH) / 2,
        y: NODE_TOP + nodeHeight + 96,
        width: NODE_WIDTH,
        height: MANAGER_HEIGHT,
    };
    const height = manager.y + manager.height + 40;
    const asked = spec.guests[0];
    const home = asked === undefined ? undefined : nodes[guestHome(spec, asked, 0)];
    const first = NODE_TOP + 44 + GUEST_HEIGHT / 2;
    const clients: Box = { x: (home?.x ?? EDGE) + 158, y: 22, width: 110, height: 34 };
    const onWay = clients.x + clients.width / 2;
    const parts = [
        box({ x: 1, y: 1, width: width - 2, height: height - 2 }, { fill: "#fbfcfd", stroke: "#c3ccd5" }),
        box({ x: 20, y: 92, width: width - 40, height: height - 112 }, { fill: "#f0f4f8", stroke: "#7b8ea1" }, true),
        text(width - EDGE, 122, `pool ${spec.pool.name}, address ${spec.pool.virtualAddress} on a member that is up`, {
            anchor: "end",
            bold: true,
        }),
        ...spec.nodes.map((node, index) => {
            const area = nodes[index];
            return area === undefined ? "" : nodeBox(area, spec, node, index);
        }),
        managerBox(manager, spec),
        bus(nodes, manager, {
            y: NODE_TOP + nodeHeight + 30,
            from: 240,
            to: 40,
            stroke: MEMBER.stroke,
            words: "Corosync, encrypted",
        }),
        bus(nodes, manager, {
            y: NODE_TOP + nodeHeight + 64,
            from: 120,
            to: NODE_WIDTH - 40,
            stroke: DISK.stroke,
            words: "NFS 4.2, direct I/O",
        }),
        ...(asked?.ha === true
            ? nodes.slice(1).map((node, index) => migration(nodes[index] ?? node, node, first))
            : []),
        ...(asked === undefined
            ? []
            : [
                  pill(clients, HOST, "clients"),
                  line(
                      [
                          [onWay, clients.y + clients.height],
                          [onWay, NODE_TOP + 40],
                      ],
                      GUEST.stroke,
                      ' marker-end="url(#head)"',
                  ),
                  text(onWay + 10, 80, `ask ${asked.address}, wherever ${asked.name} runs`, {
                      size: 13,
                      fill: GUEST.stroke,
                  }),
              ]),
    ];
    return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif">
<title>The cluster: ${escape([spec.manager, ...spec.nodes].map(({ name }) => name).join(", "))} and its guests</title>
<!-- Made by "npm run docs" from Pulumi.lab.yaml. -->
<defs>
<marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto-start-reverse"><path d="M0,0 L10,5 L0,10 z" fill="${GUEST.stroke}"/></marker>
</defs>
${parts.join("\n")}
</svg>
`;
}
