import { InputError } from '../errors.ts';
import type { Gate } from '../matrix/cell.ts';

/** Layout of the table that `firmware/gates.c` reads: `struct table`, then one `struct gate` each. */
const MAGIC = 0x5345_5441_474d_5242n;
const HEADER_SIZE = 8 + 4 + 4 + 8 + 2 * 8 + 4 * 8 + 4 * 8;
const NAME_SIZE = 64;
const GATE_SIZE = 4 + 4 + 2 * NAME_SIZE;
const PROBES_MAX = 2;
const FORCES_MAX = 4;
/** Bits of `struct flight.passed`. */
const GATES_MAX = 64;
const KIND = { delay: 1, entered: 2, finished: 3 } as const;

/** Milliseconds of virtual time between two looks at a hold's condition: the shortest msleep(), about one jiffy. */
const POLL_MS = 1;

/**
 * The functions that a bus calls to probe a device, first argument `struct device *`: `platform_probe` since Linux 5.12
 * (drivers/base/platform.c), `platform_drv_probe` before, `amba_probe` for PrimeCells.
 */
const PLATFORM_PROBES = ['platform_probe', 'platform_drv_probe'];
const AMBA_PROBE = 'amba_probe';

/** Virtual address of a kernel symbol, or null where the kernel has none of that name. */
export type SymbolLookup = (name: string) => bigint | null;

/** Names of the kernel symbols that these gates need an address for; some are alternatives of each other. */
export function gateSymbols(gates: readonly Gate[]): Set<string> {
  const forced = gates.flatMap((gate) => (gate.gate === 'force' ? [gate.symbol] : []));
  return new Set(forced.length === gates.length ? forced : [...forced, 'msleep', AMBA_PROBE, ...PLATFORM_PROBES]);
}

/** How long a hold waits, in milliseconds of virtual time, before it lets the probe in and says so. */
export const HOLD_TIMEOUT_MS = 30_000;

/**
 * The gate table as the firmware reads it, or null when the cell has no gates and nothing is to be loaded.
 * Throws {@link InputError} for a symbol that the kernel does not have, too many gates, and holds that wait for each other.
 */
export function encodeGates(
  gates: readonly Gate[],
  lookup: SymbolLookup,
  holdTimeoutMs = HOLD_TIMEOUT_MS,
): Uint8Array | null {
  if (gates.length === 0) return null;
  refuseCycles(gates);
  const forces = gates.filter((gate) => gate.gate === 'force');
  const probes = gates.filter((gate) => gate.gate !== 'force');
  if (forces.length > FORCES_MAX)
    throw new InputError(`${forces.length} functions are forced, and the CPU has breakpoints for ${FORCES_MAX}`);
  if (probes.length > GATES_MAX) throw new InputError(`${probes.length} gates are asked for; at most ${GATES_MAX} fit`);

  const symbols = forces.map(({ symbol }) => symbol);
  const twice = symbols.find((symbol, n) => symbols.indexOf(symbol) !== n);
  if (twice !== undefined) throw new InputError(`${twice} is forced twice`, 'give it one value');
  const taken =
    probes.length > 0 ? symbols.find((symbol) => [AMBA_PROBE, ...PLATFORM_PROBES].includes(symbol)) : undefined;
  if (taken !== undefined)
    throw new InputError(`${taken} cannot be forced in a cell with gates, which stand there`, 'force another function');

  const view = new DataView(new ArrayBuffer(HEADER_SIZE + probes.length * GATE_SIZE));
  const required = (names: readonly string[], purpose: string): bigint => {
    for (const name of names) {
      const address = lookup(name);
      if (address !== null) return address;
    }
    throw new InputError(
      `the kernel has no symbol ${names.join(' or ')}, which ${purpose} needs`,
      'it may be inlined or the kernel stripped; see /proc/kallsyms of the running kernel',
    );
  };
  let at = 0;
  const u32 = (value: number) => {
    view.setUint32(at, value, true);
    at += 4;
  };
  const u64 = (value: bigint) => {
    view.setBigUint64(at, value, true);
    at += 8;
  };
  const name = (text: string) => {
    const bytes = new TextEncoder().encode(text);
    if (bytes.length >= NAME_SIZE) throw new InputError(`device name ${text} is longer than ${NAME_SIZE - 1} bytes`);
    new Uint8Array(view.buffer).set(bytes, at);
    at += NAME_SIZE;
  };

  u64(MAGIC);
  u32(probes.length);
  u32(POLL_MS);
  u64(probes.length > 0 ? required(['msleep'], 'a gate') : 0n);
  const probeFunctions: bigint[] =
    probes.length > 0 ? [required(PLATFORM_PROBES, 'a gate'), lookup(AMBA_PROBE) ?? 0n] : [];
  for (let n = 0; n < PROBES_MAX; n++) u64(probeFunctions[n] ?? 0n);
  for (let n = 0; n < FORCES_MAX; n++) {
    const force = forces[n];
    u64(force === undefined ? 0n : required([force.symbol], `the gate that forces ${force.symbol}`));
  }
  for (let n = 0; n < FORCES_MAX; n++) u64(BigInt.asUintN(64, BigInt(forces[n]?.value ?? 0)));
  for (const gate of probes) {
    u32(gate.gate === 'delay' ? KIND.delay : KIND[gate.phase]);
    u32(gate.gate === 'delay' ? gate.ms : holdTimeoutMs);
    name(gate.device);
    name(gate.gate === 'delay' ? '' : gate.until);
  }
  return new Uint8Array(view.buffer);
}

/** Throws {@link InputError} that names the devices when holds wait for each other, so that none could ever open. */
function refuseCycles(gates: readonly Gate[]): void {
  const waitsFor = new Map<string, string[]>();
  for (const gate of gates) {
    if (gate.gate === 'hold') waitsFor.set(gate.device, [...(waitsFor.get(gate.device) ?? []), gate.until]);
  }
  const state = new Map<string, 'open' | 'done'>();
  const visit = (device: string, path: readonly string[]): void => {
    if (state.get(device) === 'done') return;
    if (state.get(device) === 'open') {
      const cycle = [...path.slice(path.indexOf(device)), device];
      throw new InputError(`the gates can never open: ${cycle.join(' waits for ')}`, 'remove one of these holds');
    }
    state.set(device, 'open');
    for (const next of waitsFor.get(device) ?? []) visit(next, [...path, device]);
    state.set(device, 'done');
  };
  for (const device of waitsFor.keys()) visit(device, []);
}

/** One line of the firmware's log. `time` is microseconds of virtual time since the machine was started. */
export type GateEvent =
  | {
      readonly verb: (typeof DEVICE_VERBS)[number];
      readonly time: number;
      readonly device: string;
      /** What it waits for, as the firmware says it: `finished firmware:scm`, or milliseconds. */
      readonly detail: string;
    }
  | { readonly verb: 'forced'; readonly symbol: string }
  | { readonly verb: 'firmware-exception'; readonly detail: string };

const DEVICE_VERBS = ['delayed', 'held', 'open', 'released', 'timed-out', 'entered', 'finished', 'refused'] as const;
const GATE_LINE = /^(\d+) (\S+) (\S+) ?(.*)$/;
const FORCED_LINE = /^(\d) forced$/;

/** Reads the firmware's log; lines that are not the firmware's are ignored. */
export function parseGateLog(log: string, gates: readonly Gate[]): GateEvent[] {
  const forces = gates.filter((gate) => gate.gate === 'force');
  const events: GateEvent[] = [];
  // The guest may have been ended in the middle of the last line.
  for (const line of log.split('\n').slice(0, -1)) {
    const [, time, word, device, detail] = GATE_LINE.exec(line) ?? [];
    const verb = DEVICE_VERBS.find((known) => known === word);
    if (verb !== undefined && device !== undefined) {
      events.push({ verb, time: Number(time), device, detail: detail ?? '' });
      continue;
    }
    const [, index] = FORCED_LINE.exec(line) ?? [];
    const force = index === undefined ? undefined : forces[Number(index)];
    if (force !== undefined) events.push({ verb: 'forced', symbol: force.symbol });
    if (line.startsWith('firmware-exception ')) events.push({ verb: 'firmware-exception', detail: line });
  }
  return events;
}
