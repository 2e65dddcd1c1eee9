import type { Crash } from '../dmesg/events.ts';

/**
 * A module that a boot is counted without, because the kernel, or its retries of deferred probes, do not survive what
 * it does on this board.
 */
export interface LeftOut {
  readonly module: string;
  /** The crash that ended the boot which had loaded it, or the retries in it. */
  readonly why: string;
}

/** The worker that probes deferred devices again (drivers/base/dd.c). An oops ends it, and none is retried then. */
const RETRIES = 'deferred_probe_work_func';

/** The module that the task which retries deferred probes died of: one of `modulesFor` the device that it probed. */
function deathOfRetries(
  crashes: readonly Crash[],
  chosen: ReadonlySet<string>,
  modulesFor: (device: string) => readonly string[],
): LeftOut | null {
  const crash = crashes.find(({ fatal, trace }) => fatal && trace.some((frame) => frame.function === RETRIES));
  if (crash === undefined || crash.probing === null) return null;
  const module = modulesFor(crash.probing.device).find((name) => chosen.has(name));
  return module === undefined ? null : { module, why: `${crash.title}, in the retries of deferred probes` };
}

/**
 * The module to leave out after a boot that a crash ended before it could be counted: of those that were chosen for the
 * board's devices (`chosen`), the one whose function stands innermost in the trace. A library that such a module needs
 * is not one of them. In a boot that was counted, the one whose probe ended the retries of deferred ones (`modulesFor`:
 * the modules that have a driver for a device). Null where there is no such module. Pure.
 */
export function moduleToLeaveOut(
  { complete, crashes }: { readonly complete: boolean; readonly crashes: readonly Crash[] },
  chosen: ReadonlySet<string>,
  modulesFor: (device: string) => readonly string[],
): LeftOut | null {
  if (complete) return deathOfRetries(crashes, chosen, modulesFor);
  const last = crashes.findLast(({ fatal }) => fatal);
  const module = [last?.pc, ...(last?.trace ?? [])]
    .flatMap((frame) => frame?.module ?? [])
    .find((name) => chosen.has(name));
  return last === undefined || module === undefined ? null : { module, why: last.title };
}

/** A sentence for each module that a board is booted without. */
export function tellLeftOut(leftOut: readonly LeftOut[]): string[] {
  return leftOut.map(({ module, why }) => `booted without ${module}: a boot that loaded it came to ${why}`);
}
