import type { Crash, DmesgEvent, Frame, ProbeEvent } from '../../harness/dmesg/events.ts';
import type { GateEvent } from '../../harness/firmware/gate-log.ts';
import { HOLD_TIMEOUT_MS } from '../../harness/firmware/gates.ts';
import type { Cell } from '../../harness/model/cell.ts';
import type { Gate } from '../../harness/model/gate.ts';
import type { Outcome } from '../../harness/search/outcome.ts';
import { aCell } from '../cells.ts';
import { crashEvent } from '../crashes.ts';

/** A device of the simulated machine; in the order in which their drivers' initcalls come. */
export interface SimulatedDevice {
  readonly device: string;
  readonly driver: string;
  /** Milliseconds that its probe sleeps. */
  readonly takes?: number;
  /** Its driver returns -EPROBE_DEFER until these are bound. */
  readonly waitsFor?: readonly string[];
  /** The driver core does not probe it until these are bound. */
  readonly suppliers?: readonly string[];
  /** Its probe crashes when one of these is not bound. */
  readonly crashesWithout?: readonly string[];
  /** Its probe crashes when none of these is bound. */
  readonly crashesWithoutAll?: readonly string[];
  /** It crashes at the end of its probe and not at once. */
  readonly crashesLate?: true;
}

const MS = 1000;
/** The firmware's clock is ahead of printk's by the time the kernel takes to have one. */
const CLOCK_DISTANCE = 41_234;
/** Microseconds that a step of a simulated task takes; the shift of a cell changes it a little. */
const STEP = 50;

/** Microseconds from one initcall to the next. */
const INITCALL = 20 * MS;

type Wait = { readonly until: () => boolean; readonly deadline: number };
type Task = Generator<Wait, void, void>;

/** A driver core in miniature: initcalls, asynchronous probes, deferral, suppliers, gates and a crash. */
export function bootSimulated(devices: readonly SimulatedDevice[], cell: Cell): Outcome {
  const asynchronous = new Set(
    cell.bootargs.flatMap((word) => (word.startsWith('driver_async_probe=') ? word.slice(19).split(',') : [])),
  );
  const events: DmesgEvent[] = [];
  const gateLog: GateEvent[] = [];
  const tasks: { readonly task: Task; wait: Wait }[] = [];
  const entered = new Set<string>();
  const bound = new Set<string>();
  const deferred = new Set<SimulatedDevice>();
  let everDeferred = false;
  let now = 0;
  let crash: Crash | null = null;

  const at = (): { line: number; time: number } => ({ line: events.length + 1, time: Math.floor(now) });
  const say = (device: SimulatedDevice, what: SayableEvent): void => {
    events.push({ ...at(), device: device.device, driver: device.driver, ...what } as ProbeEvent);
  };
  const sayGate = (verb: Extract<GateEvent, { device: string }>['verb'], device: string, detail = ''): void => {
    gateLog.push({ verb, time: Math.floor(now) + CLOCK_DISTANCE, device, detail });
  };
  const sleep = (us: number): Wait => ({ until: () => false, deadline: now + us });
  const spawn = (task: Task): void => {
    tasks.push({ task, wait: sleep(STEP) });
  };

  function* pass(device: SimulatedDevice, gate: Gate): Task {
    if (!('device' in gate) || gate.device !== device.device) return;
    if (gate.gate === 'delay') {
      if (gate.ms === 0) return;
      sayGate('delayed', device.device, String(gate.ms));
      yield sleep(gate.ms * MS);
      sayGate('released', device.device, String(gate.ms));
      return;
    }
    const open = (): boolean => (gate.phase === 'entered' ? entered : bound).has(gate.until);
    if (open()) return;
    const detail = `${gate.phase} ${gate.until}`;
    sayGate('held', device.device, detail);
    yield { until: open, deadline: now + HOLD_TIMEOUT_MS * MS };
    sayGate(open() ? 'released' : 'timed-out', device.device, detail);
  }

  function* probe(device: SimulatedDevice, caller: string): Task {
    if (bound.has(device.device)) return;
    const supplier = device.suppliers?.find((name) => !bound.has(name));
    if (supplier !== undefined) {
      say(device, { event: 'deferred', by: 'supplier', reason: `supplier ${supplier} not ready` });
      deferred.add(device);
      return;
    }
    say(device, { event: 'probe-entered' });
    now += STEP / 10;
    for (const gate of cell.gates) yield* pass(device, gate);
    const watched = cell.gates.some((gate) => gate.gate === 'hold' && gate.until === device.device);
    if (watched) sayGate('entered', device.device);
    entered.add(device.device);
    if (device.crashesLate) yield sleep((device.takes ?? 0) * MS);
    const isBare = device.crashesWithoutAll?.every((name) => !bound.has(name)) ?? false;
    if (isBare || device.crashesWithout?.some((name) => !bound.has(name))) {
      crash = simulatedCrash(device, caller, at());
      events.push(crash);
      return;
    }
    if (device.waitsFor?.some((name) => !bound.has(name))) {
      if (watched) sayGate('refused', device.device);
      say(device, { event: 'deferred', by: 'driver', reason: null });
      everDeferred = true;
      deferred.add(device);
      return;
    }
    yield sleep((device.takes ?? 0) * MS + STEP + cell.shift);
    if (watched) sayGate('finished', device.device);
    say(device, { event: 'bound' });
    bound.add(device.device);
    const retried = [...deferred];
    deferred.clear();
    for (const other of retried) spawn(probe(other, 'deferred_probe_work_func'));
  }

  function* initcalls(): Task {
    for (const device of devices) {
      if (asynchronous.has('*') || asynchronous.has(device.driver)) spawn(probe(device, 'async_run_entry_fn'));
      else yield* probe(device, 'do_one_initcall');
      yield sleep(INITCALL);
    }
  }

  spawn(initcalls());
  while (tasks.length > 0 && crash === null) {
    const ready = tasks.find(({ wait }) => wait.until());
    const next = ready ?? tasks.reduce((first, task) => (task.wait.deadline < first.wait.deadline ? task : first));
    now = ready === undefined ? Math.max(now, next.wait.deadline) : now + 1;
    const result = next.task.next();
    if (result.done) tasks.splice(tasks.indexOf(next), 1);
    else next.wait = result.value;
  }
  if (crash !== null) {
    const { signature } = crash as Crash;
    return { verdict: 'null-deref', reason: 'a crash', signature, events, gates: gateLog };
  }
  const verdict = deferred.size > 0 ? 'stuck-deferred' : everDeferred ? 'deferred-then-bound' : 'bound';
  return { verdict, reason: verdict, signature: null, events, gates: gateLog };
}

type SayableEvent =
  | { readonly event: 'probe-entered' }
  | { readonly event: 'bound' }
  | { readonly event: 'deferred'; readonly by: 'driver' | 'supplier'; readonly reason: string | null };

function simulatedCrash(device: SimulatedDevice, caller: string, at: { line: number; time: number }): Crash {
  const name = `${device.driver.replaceAll('-', '_')}_reset`;
  return crashEvent({
    ...at,
    kind: 'null-deref',
    title: `unable to handle kernel NULL pointer dereference in ${name}`,
    trackerTitle: `unable to handle kernel NULL pointer dereference in ${name}`,
    signature: `null-deref ${name}`,
    function: name,
    address: '0x0',
    trace: [name, 'platform_probe', 'really_probe', caller].map(frameOf),
    lastLine: at.line,
    probing: { driver: device.driver, device: device.device },
  });
}

export function frameOf(name: string): Frame {
  return { function: name, offset: null, size: null, module: null, source: null };
}

export function simulatedCell(parts: Partial<Cell> = {}): Cell {
  return aCell({ id: 'simulated', kernel: 'simulated', ...parts });
}

/** The two drivers of the mailing list thread; without the guard the SMMU's probe crashes while scm is not bound. */
export const UNFIXED: readonly SimulatedDevice[] = [
  { device: 'firmware:scm', driver: 'qcom_scm', takes: 5 },
  { device: '5f000000.iommu', driver: 'arm-smmu', takes: 1, crashesWithout: ['firmware:scm'] },
];
