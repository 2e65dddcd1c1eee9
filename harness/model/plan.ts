/** Levels of /sys/power/pm_test, kernel/power/main.c. */
export const PM_TESTS = ['freezer', 'devices', 'platform', 'processors', 'core'] as const;

/** One step of what the guest's init does; executed in order. Times are milliseconds of virtual time. */
export type PlanStep =
  /** finit_module() of NAME (as in modinfo, dashes folded to underscores) with a parameter string. */
  | { readonly step: 'load'; readonly module: string; readonly params: string }
  | { readonly step: 'unload'; readonly module: string }
  /** /sys/bus/platform/drivers_autoprobe */
  | { readonly step: 'autoprobe'; readonly on: boolean }
  /** /sys/bus/platform/drivers_probe: bind one device by hand, also where the driver suppresses `bind`. */
  | { readonly step: 'probe'; readonly device: string }
  | { readonly step: 'bind'; readonly driver: string; readonly device: string }
  | { readonly step: 'unbind'; readonly driver: string; readonly device: string }
  | { readonly step: 'write'; readonly path: string; readonly value: string }
  /** Wait until `device` is bound, at most `ms`. */
  | { readonly step: 'wait'; readonly device: string; readonly ms: number }
  /** Wait until no probe is under way and the set of bound and deferred devices has not changed for `ms`. */
  | { readonly step: 'settle'; readonly ms: number }
  /**
   * The next `steps` steps are executed beside what follows them, by `tasks` tasks that each take the next one that
   * none has taken: loader threads, two loads at once, a reader of sysfs beside a probe.
   */
  | { readonly step: 'beside'; readonly steps: number; readonly tasks: number }
  /** Wait until every step that runs beside the plan is done, at most `ms`. */
  | { readonly step: 'join'; readonly ms: number }
  /** Read a file, or every file below a folder, again and again for `ms`. */
  | { readonly step: 'read'; readonly path: string; readonly ms: number }
  /** driver_override of a device: only the driver of this name may bind to it; an empty one takes that back. */
  | { readonly step: 'override'; readonly device: string; readonly driver: string }
  /** /sys/bus/BUS/rescan: PCI looks for devices again. */
  | { readonly step: 'rescan'; readonly bus: string }
  /**
   * Suspend to RAM up to a level of pm_test, and resume: kernel/power/suspend.c, with CONFIG_PM_DEBUG. All levels but
   * the first suspend devices, suppliers after their consumers.
   */
  | { readonly step: 'suspend'; readonly test: (typeof PM_TESTS)[number] }
  /**
   * From here on request_module() loads what it asks for, where the cell has a file of that name: of `module` and of
   * every module that the plan loads. What `module` needs is loaded before.
   */
  | { readonly step: 'answer'; readonly module: string }
  /**
   * The end of a plan: kernel_power_off() or kernel_restart() (kernel/reboot.c), which call the shutdown callbacks of
   * all devices, the last one that was added or bound first (drivers/base/core.c, device_shutdown()). On a real board a
   * plan without one ends before them.
   */
  | { readonly step: 'shutdown' }
  | { readonly step: 'reboot' }
  /** Report which device each tty, MMC host, network interface, I2C adapter, SPI controller and RTC belongs to. */
  | { readonly step: 'names' }
  /** A command loop on the guest's console, for a person; the plan goes on when it ends. */
  | { readonly step: 'shell' }
  /** From here on each module is loaded by a task of its own, which may oops or hang without stopping the plan. */
  | { readonly step: 'apart' }
  /** Report every device of every bus: its driver, node and modalias. */
  | { readonly step: 'census' };
