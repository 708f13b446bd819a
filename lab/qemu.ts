/**
 * Command lines of QEMU and the switch. Pure: from what a machine is to the words that start it.
 */
import { type MachinePlan, NETWORK } from "./machines";

/** How instructions are executed: by the processor (kvm) or in software (tcg). */
export type Accelerator = "kvm" | "tcg";

/** Files and sockets of one machine; all paths absolute. */
export interface MachineFiles {
    /** Its own disk, qcow2 over the common image. */
    readonly disk: string;
    /** The tar with name, address and keys. */
    readonly identity: string;
    /** Further raw disks, read only. */
    readonly media: readonly string[];
    /** Log of its serial console. */
    readonly consoleLog: string;
    /** Socket of its serial console. */
    readonly console: string;
    /** Socket of its monitor. */
    readonly monitor: string;
    /** Folder that is the switch's socket. */
    readonly network: string;
}

/** One forwarded port: from 127.0.0.1 of this computer to an address of the lab. */
export interface Forward {
    readonly port: number;
    readonly address: string;
    readonly to: number;
}

/** A value within one of QEMU's comma separated options. */
export function escapeValue(value: string): string {
    return value.replaceAll(",", ",,");
}

/** Options of the kernel of each machine. */
function kernelOptions(machine: MachinePlan, accelerator: Accelerator): string {
    return [
        "root=/dev/vda rw identity=/dev/vdb",
        `console=${machine.role === "node" ? "hvc0" : "ttyS0"}`,
        // The processor's flaws are not the emulation's; guarding against them costs time only.
        "net.ifnames=0 quiet panic=10 nokaslr mitigations=off audit=0",
        ...(accelerator === "tcg" ? ["no_timer_check"] : []),
    ].join(" ");
}

/** Loader options: a node boots Xen, with the kernel and the initrd as its modules; the manager boots the kernel. */
function bootArguments(machine: MachinePlan, accelerator: Accelerator): string[] {
    const kernel = kernelOptions(machine, accelerator);
    if (machine.role === "manager") {
        return ["-kernel", "vmlinuz", "-initrd", "initrd.img", "-append", kernel];
    }
    const dom0 = `dom0_mem=${machine.dom0Memory}M,max:${machine.dom0Memory}M`;
    return [
        ...["-kernel", "xen", "-append", `${dom0} console=com1 com1=115200,8n1 bootscrub=0 spec-ctrl=no xpti=no`],
        ...["-initrd", `vmlinuz ${escapeValue(kernel)},initrd.img`],
    ];
}

/**
 * The processor. Xen needs one with virtualisation for its guests, who else have no source of random numbers and wait for
 * one at boot; `max` would crash its dom0 under emulation. With erms and fsrm a kernel copies byte by byte, at a fifth of
 * the speed under emulation (59 and 295 MB/s in the middle of three runs).
 */
function cpu(machine: MachinePlan, accelerator: Accelerator): string {
    if (accelerator === "kvm") {
        return "host";
    }
    return machine.role === "node" ? "qemu64,+svm,+npt,+rdrand" : "max,-erms,-fsrm";
}

/**
 * The words after `qemu-system-x86_64` that run one machine. The folder of the host image must be the working folder:
 * kernel, initrd and Xen are named without a path, because QEMU would split one with a space.
 *
 * @param state name of a saved machine state to go on from, paused; without it the machine boots
 */
export function machineArguments(
    machine: MachinePlan,
    files: MachineFiles,
    accelerator: Accelerator,
    state?: string,
): string[] {
    const disk = (id: string, file: string, options: string): string[] => [
        ...["-drive", `id=${id},if=none,file=${escapeValue(file)},${options}`],
        ...["-device", `virtio-blk-pci,drive=${id}`],
    ];
    return [
        ...["-name", machine.name, "-nodefaults", "-no-user-config", "-display", "none", "-vga", "none"],
        ...["-machine", "pc", "-accel", accelerator === "tcg" ? "tcg,thread=multi" : "kvm"],
        ...["-cpu", cpu(machine, accelerator), "-smp", `${machine.cpus}`, "-m", `${machine.memory}`],
        ...bootArguments(machine, accelerator),
        // What a machine writes need not survive a crash of this computer, only its own.
        ...disk("root", files.disk, "format=qcow2,cache=unsafe,discard=unmap"),
        ...disk("identity", files.identity, "format=raw,readonly=on"),
        ...files.media.flatMap((file, index) => disk(`media${index}`, file, "format=raw,readonly=on")),
        ...["-netdev", `vde,id=n0,sock=${escapeValue(files.network)}`],
        ...["-device", `virtio-net-pci,netdev=n0,mac=${machine.mac},romfile=`],
        ...["-object", "rng-random,id=random,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=random"],
        // On a node Xen's own watchdog is the hardware: a second one would take /dev/watchdog before it.
        ...(machine.role === "manager" ? ["-device", "i6300esb"] : []),
        // Not -no-reboot: a machine that its watchdog resets boots again, in the same process.
        ...["-action", "watchdog=reset", "-rtc", "base=utc"],
        "-chardev",
        `socket,id=console,server=on,wait=off,path=${escapeValue(files.console)},` +
            `logfile=${escapeValue(files.consoleLog)},logappend=on`,
        ...["-serial", "chardev:console"],
        ...["-qmp", `unix:${escapeValue(files.monitor)},server=on,wait=off`],
        ...(state === undefined ? [] : ["-S", "-loadvm", state]),
    ];
}

/**
 * The words after `qemu-system-x86_64` that run the router: a QEMU without a machine, between the switch and QEMU's
 * user network. `restrict` lets nothing out; only the forwarded ports lead in.
 */
export function routerArguments(network: string, forwards: readonly Forward[]): string[] {
    const rules = forwards.map(({ port, address, to }) => `hostfwd=tcp:127.0.0.1:${port}-${address}:${to}`);
    const user = `user,id=nat,restrict=on,net=${NETWORK.cidr},host=${NETWORK.gateway},dns=${NETWORK.dns}`;
    return [
        ...["-name", "router", "-machine", "none", "-nodefaults", "-no-user-config", "-display", "none"],
        ...["-netdev", [`${user},dhcpstart=192.168.1.200`, ...rules].join(",")],
        ...["-netdev", "hubport,id=h0,hubid=0,netdev=nat"],
        ...["-netdev", `vde,id=v0,sock=${escapeValue(network)}`],
        ...["-netdev", "hubport,id=h1,hubid=0,netdev=v0"],
    ];
}

/** The words after `vde_switch` that run the lab's switch; it writes its pid to `pidFile`. */
export function switchArguments(network: string, pidFile: string): string[] {
    return ["--sock", network, "--mode", "600", "--daemon", "--pidfile", pidFile];
}
