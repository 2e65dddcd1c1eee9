import type { Crash } from '../dmesg/events.ts';
import { summaryOf } from '../dmesg/summary.ts';
import type { Expectation } from '../model/cell.ts';
import type { Gate } from '../model/gate.ts';
import type { Outcome } from './outcome.ts';
import { type ProbeLife, probeLives, type Recorded, timeline } from './recorded.ts';

/** A device that was not bound at some moment, and whether its probe had begun by then. */
export interface ProbeState {
  readonly device: string;
  readonly driver: string | null;
  readonly state: 'not-begun' | 'in-flight';
}

/** Who called the probe that crashed. The title of the crash, and so its signature, is the same whoever did. */
export type ProbeCaller = 'async' | 'deferred' | 'module-load' | 'initcall' | 'by-hand';

/**
 * The functions that tell callers apart; the first that stands in a trace decides, as module loads call
 * do_one_initcall() too.
 */
const CALLERS: readonly (readonly [ProbeCaller, RegExp])[] = [
  // kernel/async.c
  ['async', /^async_run_entry_fn$/],
  // drivers/base/dd.c
  ['deferred', /^deferred_probe_work_func$/],
  // drivers/base/bus.c
  ['by-hand', /^(?:drivers_probe|bind)_store$/],
  // kernel/module/main.c, kernel/module.c before 5.19
  ['module-load', /^do_init_module$/],
  // init/main.c
  ['initcall', /^do_one_initcall$/],
];

/** Who called the probe in which `outcome` crashed; null where nothing ended it, or the trace does not tell. */
export function probeCaller(outcome: Outcome): ProbeCaller | null {
  const crash = crashOf(outcome);
  const functions = crash?.fatal === true ? crash.trace.map((frame) => frame.function) : [];
  return CALLERS.find(([, pattern]) => functions.some((name) => pattern.test(name)))?.[0] ?? null;
}

export function crashOf({ events, signature }: Outcome): Crash | undefined {
  return events.find((event): event is Crash => event.event === 'crash' && event.signature === signature);
}

/** What a cell that came to `outcome` has to come to when it is booted again: the same crash, not any of its kind. */
export function expectationOf(outcome: Outcome): Expectation {
  const crash = crashOf(outcome);
  return {
    verdicts: [outcome.verdict],
    ...(crash === undefined || crash.function === null ? {} : { function: crash.function }),
    ...(crash === undefined || crash.address === null ? {} : { address: crash.address }),
  };
}

/** Who crashed while doing what, and whose probe had not finished by then. */
export interface Cause {
  readonly crash: Crash | null;
  /** The device whose probe was in flight at the crash, where the log shows it. */
  readonly probing: { readonly device: string; readonly driver: string | null } | null;
  /** Devices that were not bound at the crash, without the crashing one. */
  readonly unfinished: readonly ProbeState[];
}

/** Reads the cause of `outcome` from what was recorded up to its crash, or up to the end where it has none. */
export function causeOf(outcome: Outcome, devices: readonly string[], gates: readonly Gate[]): Cause {
  const recorded = timeline(outcome.events, outcome.gates);
  const crash = crashOf(outcome);
  const at = recorded.findIndex(({ event }) => event === crash);
  const before = at === -1 ? recorded : recorded.slice(0, at);
  const lives = probeLives(before, devices, gates);
  const probing = crash?.probing ?? lastInFlight(before, lives);
  return {
    crash: crash ?? null,
    probing: probing === null ? null : { device: probing.device, driver: probing.driver },
    unfinished: [...lives.values()]
      .filter((life) => life.bound === null && life.device !== probing?.device)
      .map((life) => ({
        device: life.device,
        driver: life.driver,
        state: life.started === null ? 'not-begun' : 'in-flight',
      })),
  };
}

/** The device that a failed boot is laid to: whose probe crashed, or is tried without end; null where none is known. */
export function deviceAtFault(outcome: Outcome, devices: readonly string[], gates: readonly Gate[]): string | null {
  if (outcome.verdict === 'retry-loop') return summaryOf(outcome.events).retryLoop?.device ?? null;
  return outcome.signature === null ? null : (causeOf(outcome, devices, gates).probing?.device ?? null);
}

/** The device whose probe began last and has not ended: neither bound, nor failed, nor deferred since. */
function lastInFlight(
  recorded: readonly Recorded[],
  lives: ReadonlyMap<string, ProbeLife>,
): { device: string; driver: string | null } | null {
  const inFlight = new Map<string, string | null>();
  for (const { from, event } of recorded) {
    if (from === 'firmware') {
      // The kernel announces a probe before the gate: what is held has not begun, what is released begins now.
      const driver = lives.get(event.device)?.driver ?? null;
      if (event.verb === 'held' || event.verb === 'delayed') inFlight.delete(event.device);
      if (event.verb === 'released' || event.verb === 'timed-out') inFlight.set(event.device, driver);
    } else if (event.event === 'probe-entered') {
      inFlight.delete(event.device);
      inFlight.set(event.device, event.driver);
    } else if (
      event.event === 'bound' ||
      event.event === 'deferred' ||
      event.event === 'probe-failed' ||
      event.event === 'probe-returned'
    ) {
      inFlight.delete(event.device);
    }
  }
  const last = [...inFlight].at(-1);
  return last === undefined ? null : { device: last[0], driver: last[1] };
}
