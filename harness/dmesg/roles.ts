import type { CrashKind } from '../model/crash.ts';
import { namesOf } from '../model/names.ts';
import { oneOf, oneOfWords } from '../regex.ts';
import { plainName, type TraceFrame } from './frame.ts';
import { ROLES, type Role, type RoleFacts } from './role-names.ts';
import { rustName } from './rust.ts';

/* Which frames may be to blame: those that do nothing of what role-names.ts lists. */

interface Matcher {
  readonly role: Role;
  readonly names: RegExp;
  readonly files: RegExp | undefined;
  readonly modules: RegExp | undefined;
}

function matcher(role: Role): Matcher {
  const facts: RoleFacts = ROLES[role];
  const words = facts.names.split(/\s+/).filter((word) => word !== '');
  return {
    role,
    names: new RegExp(`^(?:${words.map((word) => word.replaceAll('*', '\\w*')).join('|')})$`),
    files: facts.files,
    modules: facts.modules,
  };
}

const MATCHERS: readonly Matcher[] = namesOf<Role>(ROLES).map(matcher);

/** Kinds in which only some roles excuse a function: what waits is the very thing that a hung task's report names. */
const ONLY: Readonly<Partial<Record<CrashKind, ReadonlySet<Role>>>> = {
  memleak: new Set(['reporting', 'instrumentation', 'memory', 'text', 'container', 'allocation', 'packet']),
  'hung-task': new Set(['reporting', 'instrumentation', 'atomic', 'lock', 'scheduling', 'usb']),
};
/** Kinds whose trace begins in the interrupt that found them. */
const INTERRUPTED: ReadonlySet<CrashKind> = new Set(['rcu-stall', 'soft-lockup', 'hard-lockup', 'workqueue-lockup']);

/** Inline functions of arch/arm64/include/asm/io.h, of which each module may have a copy. */
const EMITTED = /^(?:__raw_)?(?:read|write)[bwlq](?:_relaxed)?$/;

/** Rust's own libraries: the panic machinery and what checks arithmetic, indices and options. */
const RUST_RUNTIME = /^<?(?:core|alloc|std|__rustc|compiler_builtins)::/;

/** Where a driver's file begins: the kernel's tree may be given from any folder on (`../`, `/usr/src/kernel/`). */
const DRIVERS = /^(?:.*?\/)??(?=(?:drivers|samples|(?<!include\/(?:uapi\/)?)sound)\/)/;
const UP = /^(?:\.{1,2}\/)+/;

/** Sources next to the drivers that are a subsystem's own, where helpers live; whole names, of kernels 3.x to 6.19. */
const CORE = new RegExp(
  `^${oneOf(
    /drivers\/(?:base|usb\/core)\/.*/,
    /drivers\/(?:tty\/tty_\w+|gpio\/(?:gpiolib[\w-]*|devres)|i2c\/i2c-core[\w-]*|spi\/spi|pci\/access)\.[ch]/,
    /drivers\/(?:clk\/(?:clk(?:-bulk|-conf|-devres)?|clkdev)|phy\/phy-core|iommu\/iommu|mailbox\/mailbox)\.c/,
    /drivers\/(?:interconnect|nvmem|pinctrl|pwm|regulator|reset)\/core\.c/,
    /drivers\/net\/phy\/(?:mdio_(?:bus|bus_provider|device|devres)|phy|phy_device|phy-c45|phy-core)\.c/,
    /drivers\/(?:power\/(?:supply\/)?power_supply_core|extcon\/extcon(?:[_-]class)?|hwspinlock\/hwspinlock_core)\.c/,
    /drivers\/(?:of\/(?!unittest)\w+|pmdomain\/core|dma\/dmaengine|char\/hw_random\/core)\.c/,
    /drivers\/gpu\/drm\/drm_modeset_lock\.c/,
    // Where interrupts come in, and what ticks.
    /drivers\/(?:irqchip\/irq-(?:gic|gic-v3|riscv-intc)|clocksource\/(?:arm_arch_timer|timer-riscv))\.c/,
    /drivers\/perf\/arm_pmuv3\.c/,
    /sound\/(?:soc\/soc-[\w-]+|core\/\w+)\.c/,
  )}$`,
);

/** A source file's path from the kernel's tree on, as far as that can be told. */
function inTree(file: string): string {
  return file.replace(DRIVERS, '').replace(UP, '');
}

/** Whether helpers may live in a source file, which may be given from any folder on: in all but a driver's. */
export function isCore(file: string): boolean {
  const own = inTree(file);
  return !/^(?:drivers|samples|sound)\//.test(own) || CORE.test(own);
}

/** Answers that are kept: a flood of reports names the same functions over and over. */
const MOST_KEPT = 4096;
const kept = new Map<string, Role | null>();

/** What this frame only is, where that excuses it in a report of this kind; null when it may be to blame. */
export function roleOf(frame: TraceFrame, kind: CrashKind): Role | null {
  const key = `${kind}|${frame.module ?? ''}|${frame.home ?? ''}|${frame.function}`;
  const known = kept.get(key);
  if (known !== undefined) return known;
  if (kept.size === MOST_KEPT) kept.clear();
  const role = findRole(frame, kind);
  kept.set(key, role);
  return role;
}

function findRole(frame: TraceFrame, kind: CrashKind): Role | null {
  const rust = rustName(frame.function);
  if (RUST_RUNTIME.test(rust)) return 'assertion';
  const name = plainName(frame.function).replace(/^_+/, '');
  const file = frame.home === null ? null : inTree(frame.home);
  const only = ONLY[kind];
  for (const { role, names, files, modules } of MATCHERS) {
    if (only !== undefined && !only.has(role)) continue;
    if (role === 'interrupt' && !INTERRUPTED.has(kind)) continue;
    // It may hold the very lock that the report is about.
    if (role === 'handle' && kind === 'lockdep') continue;
    if (frame.module !== null && modules?.test(frame.module) !== true && !EMITTED.test(frame.function)) continue;
    if (file !== null && files?.test(file)) return role;
    if (file !== null && !isCore(file)) continue;
    if (names.test(name)) return role;
  }
  return null;
}

/**
 * Functions that call what others registered: below them somebody else's code begins, so that nothing above them in the
 * trace can be to blame for what happens there. really_probe() and the buses' probes, work items, timers, initcalls,
 * system calls, threads.
 */
const DISPATCHERS = new RegExp(
  `^${oneOfWords(String.raw`
    process_one_work process_scheduled_works worker_thread task_work_run
    kthread kthread_worker_fn ret_from_(?:fork|kernel_thread)\w* smpboot_thread_fn
    do_one_initcall do_initcall\w* do_basic_setup kernel_init\w* start_kernel do_init_module load_module
    (?:un)?bind_store drv_attr_(?:store|show)
    really_probe\w* call_driver_probe driver_probe_device platform_(?:drv_)?(?:probe|remove|shutdown) amba_probe
    (?:i2c|spi|pci|usb|virtio|mmc_bus|sdio_bus|serio|hid|scmi_dev|mdio|phy|rpmsg_dev)_(?:device_)?probe
    (?:local_pci|pci_call|virtio_dev|mipi_dsi_drv|spmi_drv|serdev_drv|auxiliary_bus|sdw_drv|sdw_bus|ulpi)_probe
    (?:apr|slim|ffa|tee_client|i3c|sunxi_rsb)_device_probe (?:hda_codec|mhi)_driver_probe (?:faux|typec)_probe
    usb_probe_(?:interface|device)
    call_timer_fn expire_timers run_timer\w* run_hrtimer\w* hrtimer_run_queues hrtimer_interrupt
    smp_apic_timer_interrupt apic_timer_interrupt sysvec_\w+ asm_sysvec_\w+
    do_softirq\w* handle_softirqs softirq_handle\w* tasklet_action\w* rcu_do_batch handle_irq_event\w* irq_thread\w*
    invoke_syscall do_syscall_\w+ do_fast_syscall\w* do_int80\w* el0_svc\w* entry_SYSCALL\w* ret_fast_syscall
    system_call\w* do_idle cpu_startup_entry secondary_start\w*
  `)}$`,
);

/** Whether what stands further out in the trace only called what was registered. */
export function isDispatcher(name: string): boolean {
  return DISPATCHERS.test(plainName(name).replace(/^_+/, ''));
}

/**
 * Roles that never are the mistake itself; a report all of whose functions are helpers is titled by one of the others.
 */
export function isBystander(role: Role): boolean {
  return role === 'reporting' || role === 'instrumentation' || role === 'interrupt';
}
