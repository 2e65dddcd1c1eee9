import { InputError } from '../errors.ts';
import type { Gate } from '../model/gate.ts';

/** Layout of the table that `firmware/gates.c` reads: `struct table`, with as many `struct gate` as it has. */
const MAGIC = 0x5345_5441_474d_5242n;
const BREAKPOINT_SIZE = 3 * 8;
const NAME_SIZE = 64;
const GATE_SIZE = 4 + 4 + 2 * NAME_SIZE;
/** Bits of `struct flight.passed`. */
const GATES_MAX = 64;
/** Breakpoints of a Cortex-A57 (ID_AA64DFR0_EL1.BRPs); two of them stand on the buses' probe functions where there are gates. */
const BREAKPOINTS = 6;
const HEADER_SIZE = 8 + 4 * 4 + 8 + BREAKPOINTS * BREAKPOINT_SIZE;
const FORCES_MAX = 4;
const KIND = { delay: 1, entered: 2, finished: 3, park: 4 } as const;
const ON = { probe: 1, forced: 2, console: 3, counted: 4 } as const;

/** Milliseconds of virtual time between two looks at a hold's condition: the shortest msleep(), about one jiffy. */
const POLL_MS = 1;

/**
 * The functions that a bus calls to probe a device, first argument `struct device *`: `platform_probe` since Linux 5.12
 * (drivers/base/platform.c), `platform_drv_probe` before, `amba_probe` for PrimeCells.
 */
const PLATFORM_PROBES = ['platform_probe', 'platform_drv_probe'];
const AMBA_PROBE = 'amba_probe';

/**
 * The `write` of the UART driver's console, drivers/tty/serial/amba-pl011.c of Linux 5.10 to 6.12. The driver spends about 150 instructions on a character;
 * the firmware hands the whole text to QEMU at once.
 */
const CONSOLE_WRITE = 'pl011_console_write';

/** Virtual address of a kernel symbol, or null where the kernel has none of that name. */
export type SymbolLookup = (name: string) => bigint | null;

/** Names of the kernel symbols that a cell with these gates needs an address for; some are alternatives of each other, and the console's is only good to have. */
export function gateSymbols(gates: readonly Gate[]): Set<string> {
  const forced = gates.flatMap((gate) => (gate.gate === 'force' ? [gate.symbol] : []));
  return symbolsOf(forced, forced.length < gates.length);
}

function symbolsOf(forced: readonly string[], hasProbes: boolean): Set<string> {
  return new Set([CONSOLE_WRITE, ...forced, ...(hasProbes ? ['msleep', AMBA_PROBE, ...PLATFORM_PROBES] : [])]);
}

/** How long a hold waits, in milliseconds of virtual time, before it lets the probe in and says so. */
export const HOLD_TIMEOUT_MS = 30_000;

/** Where guests that differ in nothing else are parked: before the first of these happens to one of them. */
export interface ParkingPlace {
  /** Devices whose probe some cell's gates hold or watch. */
  readonly devices: readonly string[];
  /** Functions whose answer some cell forces. */
  readonly forced: readonly string[];
}

/**
 * A table by which the firmware says how many instructions the guest has executed, the firmware's own among them, whenever one of these functions is entered
 * (lines `counted PLACE INSTRUCTIONS` of its log). Throws {@link InputError} for a symbol that the kernel does not have, and for too many.
 */
export function encodeCounting(symbols: readonly string[], lookup: SymbolLookup): Uint8Array | null {
  return encodeTable({ parks: false, forces: [], entries: [], counted: symbols }, lookup);
}

/** Names of the kernel symbols that {@link encodeParking} looks up. */
export function parkingSymbols({ devices, forced }: ParkingPlace): Set<string> {
  return symbolsOf(forced, devices.length > 0);
}

interface TableParts {
  readonly parks: boolean;
  /** Functions at whose entry the firmware says how many instructions there have been. */
  readonly counted?: readonly string[];
  readonly forces: readonly { readonly symbol: string; readonly value: number }[];
  readonly entries: readonly {
    readonly kind: number;
    readonly ms: number;
    readonly device: string;
    readonly until: string;
  }[];
}

/** Whether the firmware takes the console over in a cell with these gates: the kernel has the function, and there is a breakpoint left. */
export function takesConsole(gates: readonly Gate[], lookup: SymbolLookup): boolean {
  const forces = gates.filter(({ gate }) => gate === 'force').length;
  const probes = forces === gates.length ? 0 : lookup(AMBA_PROBE) === null ? 1 : 2;
  return lookup(CONSOLE_WRITE) !== null && forces + probes < BREAKPOINTS;
}

/**
 * The table of a cell as the firmware reads it, or null where it would be empty.
 * Throws {@link InputError} for a symbol that the kernel does not have, too many gates, and holds that wait for each other.
 */
export function encodeGates(
  gates: readonly Gate[],
  lookup: SymbolLookup,
  holdTimeoutMs = HOLD_TIMEOUT_MS,
): Uint8Array | null {
  refuseCycles(gates);
  const forces = gates.filter((gate) => gate.gate === 'force');
  const probes = gates.filter((gate) => gate.gate !== 'force');
  const symbols = forces.map(({ symbol }) => symbol);
  const twice = symbols.find((symbol, n) => symbols.indexOf(symbol) !== n);
  if (twice !== undefined) throw new InputError(`${twice} is forced twice`, 'give it one value');
  const taken =
    probes.length > 0 ? symbols.find((symbol) => [AMBA_PROBE, ...PLATFORM_PROBES].includes(symbol)) : undefined;
  if (taken !== undefined)
    throw new InputError(`${taken} cannot be forced in a cell with gates, which stand there`, 'force another function');
  const entries = probes.map((gate) => ({
    kind: gate.gate === 'delay' ? KIND.delay : KIND[gate.phase],
    ms: gate.gate === 'delay' ? gate.ms : holdTimeoutMs,
    device: gate.device,
    until: gate.gate === 'delay' ? '' : gate.until,
  }));
  return encodeTable({ parks: false, forces, entries }, lookup);
}

/**
 * The table that parks a guest at the first moment at which a device or a function of `place` matters, at the latest before its init reads the plan. Until
 * then its console goes the way that it goes in its cells ({@link takesConsole}). Null where they are too many for one table. Throws {@link InputError} for a symbol that the kernel does not have.
 */
export function encodeParking(place: ParkingPlace, hasConsole: boolean, lookup: SymbolLookup): Uint8Array | null {
  if (place.devices.length > GATES_MAX || place.forced.length > FORCES_MAX) return null;
  const gates: Gate[] = [
    ...place.forced.map((symbol) => ({ gate: 'force', symbol, value: 0 }) as const),
    ...place.devices.map((device) => ({ gate: 'delay', device, ms: 0 }) as const),
  ];
  if (hasConsole && !takesConsole(gates, lookup)) return null;
  return encodeTable(
    {
      parks: true,
      forces: place.forced.map((symbol) => ({ symbol, value: 0 })),
      entries: place.devices.map((device) => ({ kind: KIND.park, ms: 0, device, until: '' })),
    },
    (name) => (name === CONSOLE_WRITE && !hasConsole ? null : lookup(name)),
  );
}

function encodeTable({ parks, forces, entries, counted = [] }: TableParts, lookup: SymbolLookup): Uint8Array | null {
  if (forces.length > FORCES_MAX)
    throw new InputError(`${forces.length} functions are forced, and the CPU has breakpoints for ${FORCES_MAX}`);
  if (entries.length > GATES_MAX)
    throw new InputError(`${entries.length} gates are asked for; at most ${GATES_MAX} fit`);
  const required = (names: readonly string[], purpose: string): bigint => {
    for (const name of names) {
      const address = lookup(name);
      if (address !== null) return address;
    }
    throw new InputError(
      `${names.join(' or ')}, which ${purpose} needs, is not the name of one place in the kernel image`,
      'it may be inlined, stand there more than once, or be in a module, whose functions cannot be forced; or the kernel is stripped: see its System.map or /proc/kallsyms',
    );
  };
  // The firmware's log names a forced function by its place, so these come first.
  const breakpoints = forces.map(({ symbol, value }) => ({
    address: required([symbol], `the gate that forces ${symbol}`),
    on: ON.forced as number,
    value,
  }));
  const stop = (address: bigint | null, on: number) => {
    if (address !== null && breakpoints.length < BREAKPOINTS) breakpoints.push({ address, on, value: 0 });
  };
  if (entries.length > 0) {
    stop(required(PLATFORM_PROBES, 'a gate'), ON.probe);
    stop(lookup(AMBA_PROBE), ON.probe);
  }
  stop(lookup(CONSOLE_WRITE), ON.console);
  counted.forEach((symbol, place) => {
    breakpoints.push({ address: required([symbol], 'counting'), on: ON.counted, value: place });
  });
  if (breakpoints.length > BREAKPOINTS) throw new InputError(`at most ${BREAKPOINTS} functions can be watched at once`);
  if (breakpoints.length === 0 && !parks) return null;

  const view = new DataView(new ArrayBuffer(HEADER_SIZE + entries.length * GATE_SIZE));
  let at = 0;
  const u32 = (value: number) => {
    view.setUint32(at, value, true);
    at += 4;
  };
  const u64 = (value: bigint) => {
    view.setBigUint64(at, BigInt.asUintN(64, value), true);
    at += 8;
  };
  const name = (text: string) => {
    const bytes = new TextEncoder().encode(text);
    if (bytes.length >= NAME_SIZE) throw new InputError(`device name ${text} is longer than ${NAME_SIZE - 1} bytes`);
    new Uint8Array(view.buffer).set(bytes, at);
    at += NAME_SIZE;
  };
  u64(MAGIC);
  u32(parks ? 1 : 0);
  u32(entries.length);
  u32(POLL_MS);
  u32(0);
  u64(entries.length > 0 ? required(['msleep'], 'a gate') : 0n);
  for (let n = 0; n < BREAKPOINTS; n++) {
    const { address, on, value } = breakpoints[n] ?? { address: 0n, on: 0, value: 0 };
    u64(address);
    u64(BigInt(on));
    u64(BigInt(value));
  }
  for (const { kind, ms, device, until } of entries) {
    u32(kind);
    u32(ms);
    name(device);
    name(until);
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
