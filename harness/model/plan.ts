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
  /** Report the addresses of these kernel symbols, for a kernel without its System.map. */
  | { readonly step: 'symbols'; readonly names: readonly string[] }
  /** A command loop on the guest's console, for a person; the plan goes on when it ends. */
  | { readonly step: 'shell' }
  /** From here on each module is loaded by a task of its own, which may oops or hang without stopping the plan. */
  | { readonly step: 'apart' }
  /** Report every device of every bus: its driver, node and modalias. */
  | { readonly step: 'census' };
