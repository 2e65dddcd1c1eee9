/** Order put on a boot without a change to the kernel; executed by the EL2 firmware (`firmware`). */
export type Gate =
  /** The probe of `device` sleeps `ms` of virtual time in msleep() at every attempt, before its driver's probe runs. */
  | { readonly gate: 'delay'; readonly device: string; readonly ms: number }
  /** The probe of `device` is held at its entry until the first probe of `until` was entered or has returned success. */
  | { readonly gate: 'hold'; readonly device: string; readonly until: string; readonly phase: 'entered' | 'finished' }
  /** Function `symbol` returns `value` at once. The symbol must be global or static but not inlined. */
  | { readonly gate: 'force'; readonly symbol: string; readonly value: number };
