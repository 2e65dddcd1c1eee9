import type { LaidBoard } from '../board/machine.ts';
import { FIRMWARE_ADDRESS, IMAGE_ADDRESS, RAM_MIB } from '../firmware/memory-map.ts';
import { shellQuote } from '../invocation.ts';
import type { RegisterFile } from '../model/board.ts';

/** Files of one guest; absolute paths or, in `command.sh`, relative to the cell's folder. */
export interface GuestFiles {
  /** The EL2 firmware, firmware. */
  readonly firmware: string;
  /** The kernel's arm64 Image. */
  readonly image: string;
  readonly deviceTree: string;
  readonly initramfs: string;
  /** What the guest's init does; it asks for it when the kernel is up. */
  readonly plan: string;
  /** The modules that the plan loads, or null where it loads none. */
  readonly modules: string | null;
  /** The firmware's table (firmware/gates.ts), or null where it would be empty. */
  readonly gates: string | null;
  /** What a real board is (firmware/board-plan.ts), or null for a tree that has QEMU's own addresses. */
  readonly boardPlan: string | null;
  /** RAM that stands in for register files. */
  readonly registers: readonly (Pick<RegisterFile, 'address'> & { readonly path: string })[];
  /** Where the firmware's log goes. */
  readonly firmwareLog: string;
}

/** Gives the name under which QEMU finds a file. */
export type RenameFile = (role: keyof GuestFiles, path: string) => string;

/** QEMU's words, made when it is known under which names it finds its files. */
export type GuestWords = (rename: RenameFile) => string[];

/** The same files under other names. */
export function renameFiles(files: GuestFiles, rename: RenameFile): GuestFiles {
  const present = (role: keyof GuestFiles, path: string | null) => (path === null ? null : rename(role, path));
  return {
    firmware: rename('firmware', files.firmware),
    image: rename('image', files.image),
    deviceTree: rename('deviceTree', files.deviceTree),
    initramfs: rename('initramfs', files.initramfs),
    plan: rename('plan', files.plan),
    modules: present('modules', files.modules),
    gates: present('gates', files.gates),
    boardPlan: present('boardPlan', files.boardPlan),
    registers: files.registers.map(({ path, address }) => ({ path: rename('registers', path), address })),
    firmwareLog: rename('firmwareLog', files.firmwareLog),
  };
}

export interface GuestMachine {
  readonly cpus: number;
  /** `-icount shift=N`: 2^N ns of virtual time an instruction. */
  readonly shift: number;
  /** How a real board is laid down in QEMU's memory; null for a tree that has QEMU's own addresses. */
  readonly board: LaidBoard | null;
  readonly cpu: GuestCpu;
}

/** Models of QEMU (7.2), target/arm/cpu64.c. Both have six breakpoints, and 44 bits of address or more. */
type GuestCpu = 'cortex-a57' | 'neoverse-n1';

/** A CPU that has pages of that size: a Cortex-A57 has none of 16 KiB (ID_AA64MMFR0_EL1.TGran16). */
export function cpuFor(pages: 4 | 16 | 64): GuestCpu {
  return pages === 16 ? 'neoverse-n1' : 'cortex-a57';
}

export const QEMU = 'qemu-system-aarch64';

/** What stands on the other end of the guest's serial port and of QEMU's debug port. */
type GuestConsole =
  | { readonly console: 'output' }
  /** QEMU's own monitor shares the terminal: Ctrl-a c, Ctrl-a x. */
  | { readonly console: 'terminal' };

/** Descriptor of the socket that the firmware of a snapshot logs to, and gets its cells from (qemu/snapshot.ts). */
export const SNAPSHOT_FD = 3;

/** Descriptor of the socket of QEMU's monitor, which is asked where a guest is that never ends (qemu/monitor.ts). */
export const MONITOR_FD = 3;

interface GuestOptions {
  readonly console?: GuestConsole['console'];
  /** QEMU waits for a debugger on this TCP port of the loopback interface before the first instruction. */
  readonly debugPort?: number | null;
  /** The firmware takes a snapshot where the cells begin to differ, and gets these one after the other. */
  readonly takesSnapshot?: boolean;
  /** QEMU's monitor is at {@link MONITOR_FD}. */
  readonly hasMonitor?: boolean;
}

/**
 * Bus of the n-th virtio device, in the order of their addresses (hw/arm/virt.c, create_virtio_devices()), as
 * firmware/output.c looks for them.
 */
const TRANSPORT = { log: 'virtio-mmio-bus.0', console: 'virtio-mmio-bus.1' } as const;

/** The one place where the QEMU command line is made (QEMU 7.2 or later). */
export function qemuArguments(
  files: GuestFiles,
  machine: GuestMachine,
  { console = 'output', debugPort = null, takesSnapshot = false, hasMonitor = false }: GuestOptions = {},
): string[] {
  const load = (path: string, address: number) => [
    '-device',
    // force-raw: an arm64 Image or a register file must not be taken for an ELF or a U-Boot image
    // (docs/system/generic-loader.rst).
    `loader,file=${escapeComma(path)},addr=0x${address.toString(16)},force-raw=on`,
  ];
  const give = (name: string, path: string | null) =>
    path === null ? [] : ['-fw_cfg', `name=opt/bootrace/${name},file=${escapeComma(path)}`];
  const output = (name: keyof typeof TRANSPORT) => [
    '-device',
    `virtio-serial-device,id=${name}-port,bus=${TRANSPORT[name]}`,
    '-device',
    `virtconsole,chardev=${name},bus=${name}-port.0`,
  ];
  return [
    '-nodefaults',
    '-no-user-config',
    '-display',
    'none',
    // virtualization=on starts the firmware at EL2, with PSCI by SMC (hw/arm/virt.c, virt_machine_done).
    '-machine',
    `virt,virtualization=on,gic-version=${machine.board?.gicVersion ?? 2}`,
    '-cpu',
    machine.cpu,
    '-smp',
    String(machine.cpus),
    '-m',
    `${machine.board?.ramMib ?? RAM_MIB}M`,
    // Virtual time counts instructions and skips idle time, so that a boot is a function of its inputs
    // (docs/devel/tcg-icount.rst).
    '-icount',
    // A person types in real time, which idle guests must not run ahead of.
    `shift=${machine.shift},sleep=${console === 'output' ? 'off' : 'on'}`,
    '-rtc',
    'base=2020-10-30,clock=vm',
    '-seed',
    '1',
    // A panic with panic=-1 asks for a reset: QEMU ends instead.
    '-no-reboot',
    '-kernel',
    files.firmware,
    ...(machine.board === null
      ? [...['-dtb', files.deviceTree], ...load(files.image, IMAGE_ADDRESS), ...['-initrd', files.initramfs]]
      : [
          // Not -dtb: QEMU adds its own memory, CPUs and PSCI to that (hw/arm/boot.c, arm_load_dtb()).
          ...load(files.image, machine.board.image),
          ...load(files.deviceTree, machine.board.deviceTree),
          ...load(files.initramfs, machine.board.initramfs),
        ]),
    ...give('board', files.boardPlan),
    ...files.registers.flatMap(({ path, address }) => load(path, address)),
    ...give('plan', files.plan),
    ...give('modules', files.modules),
    ...give('gates', files.gates),
    '-chardev',
    takesSnapshot ? `socket,id=log,fd=${SNAPSHOT_FD}` : `file,id=log,path=${escapeComma(files.firmwareLog)}`,
    ...output('log'),
    // The UART, and the firmware on the kernel's behalf.
    '-chardev',
    `stdio,id=console,mux=on,signal=${console === 'output' ? 'on' : 'off'}`,
    '-serial',
    'chardev:console',
    ...(console === 'output' ? output('console') : ['-mon', 'chardev=console']),
    ...(hasMonitor ? ['-chardev', `socket,id=monitor,fd=${MONITOR_FD}`, '-mon', 'chardev=monitor'] : []),
    ...(debugPort === null ? [] : ['-S', '-gdb', `tcp:127.0.0.1:${debugPort}`]),
  ];
}

/** QEMU's option parser ends a value at a comma; two stand for one (docs, "-drive" and qemu-options). */
function escapeComma(path: string): string {
  return path.replaceAll(',', ',,');
}

/** The line that attaches a debugger to a guest started with `debugPort`. */
export function debuggerLine(vmlinux: string | null, debugPort: number): string {
  const symbols = vmlinux === null ? '' : `${shellQuote(vmlinux)} `;
  const attach = `-ex 'target remote 127.0.0.1:${debugPort}' -ex 'hbreak *0x${IMAGE_ADDRESS.toString(16)}'`;
  return `gdb-multiarch ${symbols}${attach}  # firmware at 0x${FIRMWARE_ADDRESS.toString(16)}`;
}
