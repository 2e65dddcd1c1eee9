import { DEFAULT_SHIFT } from '../axes/draft.ts';
import { GUEST_BOOT_ARGS } from '../guest/plan.ts';
import type { Cell } from '../model/cell.ts';

/**
 * Kernel command line of every guest. A cell adds its own words behind these.
 * Sources: Documentation/admin-guide/kernel-parameters.txt and dynamic-debug-howto.rst of Linux 6.1.
 */
const EVERY_BOOT: readonly string[] = [
  // Addresses that do not move: a symbol's address is then the one in System.map.
  'nokaslr',
  // Every message on the console, initcalls and probes with them.
  'ignore_loglevel',
  'initcall_debug',
  // The driver core's own account of matching, deferring and binding, and the reasons given to dev_err_probe().
  // In 6.1.192 that one leaves the printing to __dev_probe_failed() (drivers/base/core.c).
  `dyndbg="${[
    'file drivers/base/dd.c +p',
    'func dev_err_probe +p',
    'func __dev_probe_failed +p',
    'func device_links_check_suppliers +p',
  ].join(';')}"`,
  // The self-test of a hash and a folder of sysfs for every slab cache: a fifth of a small kernel's boot, and nothing
  // of it is looked at here.
  'initcall_blacklist=blake2s_mod_init,slab_sysfs_init',
  // Distributions test every cipher at boot: a third of Debian's (crypto/algboss.c; kernels without it say nothing).
  'cryptomgr.notests',
  ...GUEST_BOOT_ARGS,
];

/**
 * The longest RCU stall timeout that kernels come with, and half the soft lockup detector's, in seconds
 * (RCU_CPU_STALL_TIMEOUT; kernel/watchdog.c).
 */
const STALL_SECONDS = 60;
const LOCKUP_SECONDS = 10;
/** rcu_jiffies_till_stall_check() takes no more (kernel/rcu/tree_stall.h, 5.10 to 6.12). */
const MOST_STALL_SECONDS = 300;

/**
 * Where an instruction takes longer than usual, what computes without a break does too: in Debian's 6.12 at shift 8,
 * the test of its jitter entropy runs for 21 s, and is no stall. RCU and the soft lockup detector get at least as many
 * instructions to wait for as at the usual shift. Not so expedited grace periods of 6.1, which no parameter gives more
 * than 21 s, and the hung task detector, whose tasks sleep.
 */
function patience(shift: number): string[] {
  const slower = 2 ** (shift - DEFAULT_SHIFT);
  if (slower <= 1) return [];
  return [
    `rcupdate.rcu_cpu_stall_timeout=${Math.min(MOST_STALL_SECONDS, STALL_SECONDS * slower)}`,
    `watchdog_thresh=${LOCKUP_SECONDS * slower}`,
  ];
}

/** tinyconfig leaves PANIC_ON_OOPS off; panic=-1 asks for a reset at once, and QEMU's -no-reboot ends the guest. */
const PANIC: readonly string[] = ['oops=panic', 'panic=-1'];

/** Whether a cell's guest goes on after an oops, which takes one device with it: one that is to count them all. */
export function survivesOops({ plan }: Pick<Cell, 'plan'>): boolean {
  return plan.some(({ step }) => step === 'census');
}

/** The stand-in has the UART of QEMU's virt machine. */
const STANDIN: readonly string[] = ['console=ttyAMA0'];

/**
 * A real board's UART is register pages and no more. `uart`: where its tree has none, and the firmware QEMU's; the
 * kernel's early console writes there (drivers/tty/serial/amba-pl011.c) and is kept. Null where the firmware registers
 * one of its own instead. A console that is named keeps the one of /chosen stdout-path from taking over.
 */
function ofBoard(uart: number | null, cpus: number): string[] {
  return [
    ...(uart === null ? [] : [`earlycon=pl011,mmio32,0x${uart.toString(16)}`]),
    'keep_bootcon',
    'console=ttynull0',
    // A framebuffer is registered under the console's lock, first modeset and all, and a display that never answers
    // would keep every later line back (drivers/video/fbdev/core/fbcon.c, fbcon_fb_registered()).
    'fb.lockless_register_fb=1',
    // Not `nosmp`, which takes the other CPUs' nodes from drivers as well.
    `maxcpus=${cpus}`,
    // 1.6 s of virtual time for a source of randomness that nothing here uses (crypto/jitterentropy-kcapi.c).
    'initcall_blacklist=jent_mod_init',
    // Idle states of PSCI hand the tick to a timer of the board.
    'cpuidle.off=1',
  ];
}

/**
 * @param board where the early console of a real board writes, if it is the kernel's, and how many CPUs it starts; null
 *   on the stand-in
 */
export function bootargsOf(
  cell: Pick<Cell, 'bootargs' | 'shift' | 'plan'>,
  board: { readonly console: number | null; readonly cpus: number } | null = null,
): string[] {
  const first = board === null ? STANDIN : ofBoard(board.console, board.cpus);
  const [nokaslr = '', ...others] = EVERY_BOOT;
  const panic = survivesOops(cell) ? PANIC.slice(1) : PANIC;
  return [...first, nokaslr, ...panic, ...others, ...patience(cell.shift), ...cell.bootargs];
}
