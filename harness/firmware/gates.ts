import { BUSES, type Bus, busesOf, DRIVER_PREFIX } from '../buses/buses.ts';
import { InputError } from '../errors.ts';
import type { Gate, GatePlace, Moment, PlaceGate } from '../model/gate.ts';
import { didYouMean } from '../suggest.ts';
import {
  ACTION,
  BREAKPOINTS,
  GATE_LAYOUT,
  GATES_MAX,
  MATCH,
  MOMENT_LAYOUT,
  MOMENTS_MAX,
  NAME_SIZE,
  SIDE,
  STOP,
  STOP_LAYOUT,
  STOPS_MAX,
  TABLE_LAYOUT,
  TABLE_MAGIC,
  WAY,
} from './interface.ts';
import { encode, type ValuesOf } from './layout.ts';

/** Milliseconds of virtual time between two looks at a hold's condition: the shortest msleep(), about one jiffy. */
const POLL_MS = 1;

/** How long a hold waits, in milliseconds of virtual time, before it lets the call in and says so. */
export const HOLD_TIMEOUT_MS = 30_000;

/**
 * The `write` of the UART driver's console, drivers/tty/serial/amba-pl011.c of Linux 5.10 to 6.12. The driver spends
 * about 150 instructions on a character; the firmware hands the whole text to QEMU at once.
 */
const CONSOLE_WRITE = 'pl011_console_write';
/** The same of earlycon, which a board's console is: it needs no UART of the board. */
const EARLY_CONSOLE_WRITE = 'pl011_early_write';
/**
 * What a call that waits is sent into: where it may sleep (kernel/time/timer.c), and where not
 * (arch/arm64/lib/delay.c).
 */
const MSLEEP = 'msleep';
const UDELAY = '__udelay';
/** Reads the CPU's preempt count first of all (kernel/softirq.c, in_interrupt()). */
const PREEMPT = 'do_softirq';
/**
 * Called when the kernel has patched its own text (arch/arm64/kernel/alternative.c, apply_alternatives_all();
 * ftrace_init()), before any driver is registered.
 */
const READY = 'driver_init';
/**
 * kernel/module.c, since 6.0 kernel/module/main.c: a module is about to run its init; and the name of one of its
 * functions.
 */
const LOAD = 'do_init_module';
const MODULE_LOOKUP = 'module_kallsyms_lookup_name';

/** Virtual address of a kernel symbol, or null where the kernel image has none of that name, or several. */
export type SymbolLookup = (name: string) => bigint | null;

/** How often each function's name stands in a module's symbol table, or null where the kernel has no such module. */
export type ModuleLookup = (module: string) => ReadonlyMap<string, number> | null;

/** Why a kernel may not name its functions. */
const STRIPPED = 'or the kernel is stripped: see its System.map or /proc/kallsyms';
const NO_MODULES: ModuleLookup = () => null;

/** Where cells that differ in nothing else share a snapshot: before the first of these happens to one of them. */
export interface SnapshotPlace {
  /** Devices whose probe some cell's gates hold or watch. */
  readonly devices: readonly string[];
  /** Functions of the image at which some cell has a gate, or which it watches. */
  readonly functions: readonly string[];
}

/** The long form of a gate. */
function inFull(gate: Gate): PlaceGate {
  if ('at' in gate) return gate;
  switch (gate.gate) {
    case 'delay':
      return { gate: 'delay', at: { probe: gate.device }, ms: gate.ms };
    case 'hold': {
      const { device, until, phase } = gate;
      return {
        gate: 'hold',
        at: { probe: device },
        until: phase === 'entered' ? { entered: until } : { finished: until },
      };
    }
    case 'force':
      return { gate: 'force', at: { entry: gate.symbol }, value: gate.value };
  }
}

/** What a place is of: the kind of its stop, the name, and whether the entry or the return is meant. */
interface Spot {
  readonly kind: 'probe' | 'call' | 'load' | 'step';
  readonly name: string;
  readonly side: 'entry' | 'return';
  readonly nth: number;
  readonly of: string | null;
  /** The device whose probe the call is made in. */
  readonly during: string | null;
}

function spotOf(place: GatePlace | Moment): Spot {
  const all = { nth: 0, of: null, during: null, side: 'entry' } as const;
  if ('entry' in place || 'return' in place) {
    const [name, side] = 'entry' in place ? ([place.entry, 'entry'] as const) : ([place.return, 'return'] as const);
    const { nth = 0, of = null, during = null } = place;
    if (of !== null && during !== null)
      throw new InputError(`a gate at ${name}() is about calls of ${of} and during ${during}`, 'give one of them');
    return { kind: 'call', name, side, nth, of, during };
  }
  if ('probe' in place) return { ...all, kind: 'probe', name: place.probe };
  if ('entered' in place) return { ...all, kind: 'probe', name: place.entered };
  if ('finished' in place) return { ...all, kind: 'probe', name: place.finished, side: 'return' };
  if ('load' in place) return { ...all, kind: 'load', name: place.load };
  if ('loaded' in place) return { ...all, kind: 'load', name: place.loaded, side: 'return' };
  return { ...all, kind: 'step', name: '', nth: place.step };
}

function spotsOf(gate: Gate): Spot[] {
  const full = inFull(gate);
  return [spotOf(full.at), ...(full.gate === 'hold' ? [spotOf(full.until)] : [])];
}

/**
 * Devices whose probes gates hold or watch, and functions of the image that they stand at: what a snapshot for
 * several cells must not be behind.
 */
export function gatedBy(gates: readonly Gate[]): SnapshotPlace {
  const spots = gates.flatMap(spotsOf);
  const names = (kind: Spot['kind']) => spots.filter((spot) => spot.kind === kind).map(({ name }) => name);
  const during = spots.flatMap((spot) => spot.during ?? []);
  const functions = names('call').filter((name) => moduleOf(name) === null);
  return { devices: [...names('probe'), ...during], functions };
}

/** `module` of `module:function`, or null for a function of the image. */
function moduleOf(name: string): string | null {
  const end = name.indexOf(':');
  return end === -1 ? null : name.slice(0, end);
}

function busSymbols(devices: readonly string[]): string[] {
  return devices.flatMap((device) => busesOf(device)).flatMap(({ probes }) => probes);
}

/**
 * Names of the kernel symbols that a cell with these gates needs an address for; some are alternatives of each other,
 * and some only good to have.
 */
export function gateSymbols(gates: readonly Gate[]): Set<string> {
  return symbolsFor(gates.flatMap(spotsOf));
}

/** Names of the kernel symbols that {@link encodeSnapshotTable} looks up. */
export function snapshotSymbols(place: SnapshotPlace): Set<string> {
  return symbolsFor(placeSpots(place));
}

function placeSpots({ devices, functions }: SnapshotPlace): Spot[] {
  return [...functions.map((name) => spotOf({ entry: name })), ...devices.map((device) => spotOf({ probe: device }))];
}

/** Modules of whose functions the gates may need to know: those that they name, and those of the buses. */
export function gateModules(gates: readonly Gate[]): Set<string> {
  const spots = gates.flatMap(spotsOf);
  const named = spots.flatMap(({ kind, name }) =>
    kind === 'call' ? (moduleOf(name) ?? []) : kind === 'load' ? [name] : [],
  );
  const devices = probedIn(spots);
  return new Set([...named, ...devices.flatMap((device) => busesOf(device)).flatMap(({ module }) => module ?? [])]);
}

/** Devices whose probes are stopped at, or looked at. */
function probedIn(spots: readonly Spot[]): string[] {
  return spots.flatMap(({ kind, name, during }) => (kind === 'probe' ? [name] : (during ?? [])));
}

function symbolsFor(spots: readonly Spot[]): Set<string> {
  const own = spots.filter(({ kind, name }) => kind === 'call' && moduleOf(name) === null);
  const devices = probedIn(spots);
  return new Set([
    CONSOLE_WRITE,
    EARLY_CONSOLE_WRITE,
    ...own.map(({ name }) => name),
    ...busSymbols(devices),
    ...(spots.length > 0 ? [MSLEEP, UDELAY, PREEMPT, READY, LOAD, MODULE_LOOKUP] : []),
  ]);
}

/** Looks symbols up as the gates of a guest ask for them: the console of a real board is earlycon's. */
export function consoleLookup(symbols: ReadonlyMap<string, bigint>, isRealBoard: boolean): SymbolLookup {
  return (name) => symbols.get(isRealBoard && name === CONSOLE_WRITE ? EARLY_CONSOLE_WRITE : name) ?? null;
}

/** Whether the firmware takes the console over: the kernel has the function. */
export function takesConsole(lookup: SymbolLookup): boolean {
  return lookup(CONSOLE_WRITE) !== null;
}

/**
 * A table by which the firmware says how many instructions the guest has executed, the firmware's own among them,
 * whenever one of these functions is entered (lines `counted PLACE INSTRUCTIONS` of its log). Throws {@link InputError}
 * for a symbol that the kernel does not have, and for too many.
 */
export function encodeCounting(symbols: readonly string[], lookup: SymbolLookup): Uint8Array | null {
  const table = new Table(lookup, NO_MODULES, BUSES);
  table.console();
  symbols.forEach((symbol, value) => {
    table.stop({ kind: STOP.counted, address: table.required(symbol), value: BigInt(value), name: symbol });
  });
  return table.encode(false);
}

interface GateOptions {
  readonly holdTimeoutMs?: number;
  readonly buses?: readonly Bus[];
  /**
   * Which step of the init a line of the cell's plan is: modules that it loads bring others along. Null for a line that
   * the plan does not have.
   */
  readonly stepOf?: (line: number) => number | null;
}

/**
 * The table of a cell as the firmware reads it, or null where it would be empty. Throws {@link InputError} for a symbol
 * that the kernel does not have, too many gates, and holds that wait for each other.
 */
export function encodeGates(
  gates: readonly Gate[],
  lookup: SymbolLookup,
  modules: ModuleLookup = NO_MODULES,
  { holdTimeoutMs = HOLD_TIMEOUT_MS, buses = BUSES, stepOf = (line) => line }: GateOptions = {},
): Uint8Array | null {
  refuseCycles(gates);
  refuseTwice(gates);
  const table = new Table(lookup, modules, buses, stepOf);
  const full = gates.map(inFull);
  for (const gate of full) {
    const at = table.place(spotOf(gate.at));
    const moment = gate.gate === 'hold' ? table.moment(spotOf(gate.until)) : 0;
    table.gates.push({
      at,
      action: ACTION[gate.gate],
      ms: gate.gate === 'delay' ? gate.ms : gate.gate === 'hold' ? holdTimeoutMs : 0,
      moment,
      reserved: 0,
      value: gate.gate === 'force' ? BigInt(gate.value) : 0n,
      detail: detailOf(gate),
    });
  }
  table.console();
  return table.encode(false);
}

/**
 * The table that takes a snapshot at the first moment at which a device or a function of `place` matters, at the latest
 * before the guest's init reads the plan. Until then its console goes the way that it goes in its cells ({@link
 * takesConsole}). Null where they are too many for one table. Throws {@link InputError} for a symbol that the kernel
 * does not have.
 */
export function encodeSnapshotTable(
  place: SnapshotPlace,
  hasConsole: boolean,
  lookup: SymbolLookup,
): Uint8Array | null {
  const spots = placeSpots(place);
  if (spots.length > GATES_MAX) return null;
  const table = new Table(lookup, NO_MODULES, BUSES);
  for (const spot of spots)
    table.gates.push({
      at: table.place(spot),
      action: ACTION.snapshot,
      ms: 0,
      moment: 0,
      reserved: 0,
      value: 0n,
      detail: '',
    });
  if (hasConsole) table.console();
  return table.encode(true);
}

function detailOf(gate: PlaceGate): string {
  if (gate.gate === 'delay') return `${gate.ms}`;
  if (gate.gate === 'force') return '';
  const { kind, name, side, nth } = spotOf(gate.until);
  const subject = kind === 'step' ? `step:${nth}` : kind === 'call' ? `${name}()` : name;
  return `${side === 'entry' ? 'entered' : 'finished'} ${subject}`.slice(0, NAME_SIZE - 1);
}

type StopValues = ValuesOf<typeof STOP_LAYOUT>;
type PlaceValues = ValuesOf<typeof GATE_LAYOUT>['at'];

/** The firmware's table while it is put together. */
class Table {
  readonly gates: ValuesOf<typeof GATE_LAYOUT>[] = [];
  readonly #moments: PlaceValues[] = [];
  readonly #stops: Omit<StopValues, 'way'>[] = [];
  readonly #lookup: SymbolLookup;
  readonly #modules: ModuleLookup;
  readonly #buses: readonly Bus[];
  readonly #stepOf: (line: number) => number | null;

  constructor(
    lookup: SymbolLookup,
    modules: ModuleLookup,
    buses: readonly Bus[],
    stepOf: (line: number) => number | null = () => null,
  ) {
    this.#stepOf = stepOf;
    this.#lookup = lookup;
    this.#modules = modules;
    this.#buses = buses;
  }

  required(name: string): bigint {
    const address = this.#lookup(name);
    if (address !== null) return address;
    throw new InputError(
      `${name}, which a gate needs, is not the name of one place in the kernel image`,
      `it may be inlined, stand there more than once, or be in a module (then it is MODULE:FUNCTION); ${STRIPPED}`,
    );
  }

  stop(stop: Omit<StopValues, 'way'>): number {
    const known = this.#stops.findIndex(({ kind, name }) => kind === stop.kind && name === stop.name);
    return known === -1 ? this.#stops.push(stop) - 1 : known;
  }

  console(): void {
    const address = this.#lookup(CONSOLE_WRITE);
    if (address !== null) this.stop({ kind: STOP.console, address, value: 0n, name: CONSOLE_WRITE });
  }

  moment(spot: Spot): number {
    return this.#moments.push(this.place(spot)) - 1;
  }

  /** A spot as the firmware knows it; the stops that it needs are set. */
  place({ kind, name, side, nth, of, during }: Spot): PlaceValues {
    const common = { side: SIDE[side], nth, reserved: 0 };
    switch (kind) {
      case 'step': {
        const index = this.#stepOf(nth);
        if (index === null) throw new InputError(`a gate waits for step ${nth}, and the plan has fewer`);
        return { ...common, kind: 0, index, nth: 0, match: MATCH.any, name: '' };
      }
      case 'load':
        if (this.#modules(name) === null)
          throw new InputError(`a gate is about module ${name}, and the kernel has none of that name`);
        this.#load();
        return { ...common, kind: STOP.load, index: 0, match: MATCH.name, name };
      case 'call':
        return {
          ...common,
          kind: STOP.call,
          index: this.#function(name, STOP.call),
          ...this.#callMatch(of, during),
        };
      case 'probe':
        this.#probes(name);
        return { ...common, kind: STOP.probe, index: 0, ...matchOf(name) };
    }
  }

  #callMatch(of: string | null, during: string | null): Pick<PlaceValues, 'match' | 'name'> {
    if (during === null) return { match: of === null ? MATCH.any : MATCH.name, name: of ?? '' };
    // The firmware keeps an eye on a probe where its end is a moment.
    if (!this.#moments.some(({ kind, name, side }) => kind === STOP.probe && name === during && side === SIDE.return))
      this.moment(spotOf({ finished: during }));
    return { match: MATCH.during, name: during };
  }

  #load(): void {
    this.stop({ kind: STOP.load, address: this.required(LOAD), value: 0n, name: LOAD });
  }

  /** A stop at a function of the image or of a module. */
  #function(name: string, kind: number): number {
    const module = moduleOf(name);
    if (module === null) return this.stop({ kind, address: this.required(name), value: 0n, name });
    const functions = this.#modules(module);
    const symbol = name.slice(module.length + 1);
    if (functions === null)
      throw new InputError(
        `the kernel has no module ${module}, whose ${symbol}() a gate needs`,
        `where the driver is built in, name the function without it: ${symbol}`,
      );
    const count = functions.get(symbol) ?? 0;
    if (count !== 1)
      throw new InputError(
        count === 0
          ? `module ${module} has no function ${symbol}`
          : `module ${module} has ${count} functions ${symbol}`,
        count === 0 ? `it may have been inlined${didYouMean(symbol, functions.keys())}` : 'name one that calls it',
      );
    this.#load();
    return this.stop({ kind, address: 0n, value: 0n, name });
  }

  /**
   * Stops at the probe functions of all buses that the device may be on: those that the kernel has, in its image or in
   * the bus's module.
   */
  #probes(device: string): void {
    let found = 0;
    const buses = busesOf(device, this.#buses);
    for (const { probes, module } of buses) {
      for (const name of probes) {
        const address = this.#lookup(name);
        const isInModule = address === null && module !== undefined && this.#modules(module)?.get(name) === 1;
        if (address === null && !isInModule) continue;
        found++;
        if (address !== null) this.stop({ kind: STOP.probe, address, value: 0n, name });
        else this.#function(`${module}:${name}`, STOP.probe);
      }
    }
    if (found === 0)
      throw new InputError(
        `${device} would be probed by ${buses.flatMap(({ probes }) => probes).join(', ')}: the kernel has none of them`,
        `its bus may not be built; ${STRIPPED}`,
      );
  }

  encode(takesSnapshot: boolean): Uint8Array | null {
    if (this.gates.length > GATES_MAX)
      throw new InputError(`${this.gates.length} gates are asked for; at most ${GATES_MAX} fit`);
    if (this.#moments.length > MOMENTS_MAX) throw new InputError(`at most ${MOMENTS_MAX} holds fit`);
    const stops = this.#ways(takesSnapshot);
    if (stops.length > STOPS_MAX)
      throw new InputError(`the gates need ${stops.length} stops; at most ${STOPS_MAX} fit`);
    if (stops.length === 0 && !takesSnapshot) return null;
    refuseShared(stops);
    const needs = this.gates.length > 0;
    const lookup = (name: string) => (needs ? (this.#lookup(name) ?? 0n) : 0n);
    const sleeps = this.gates.some(({ action }) => action === ACTION.delay || action === ACTION.hold);
    return Buffer.concat([
      encode(TABLE_LAYOUT, {
        magic: TABLE_MAGIC,
        takes_snapshot: takesSnapshot ? 1 : 0,
        stops: stops.length,
        moments: this.#moments.length,
        gates: this.gates.length,
        poll_ms: POLL_MS,
        reserved: 0,
        msleep: sleeps ? this.required(MSLEEP) : 0n,
        udelay: lookup(UDELAY),
        lookup: lookup(MODULE_LOOKUP),
        preempt: lookup(PREEMPT),
      }),
      ...stops.map((stop) => encode(STOP_LAYOUT, stop)),
      ...this.#moments.map((at) => encode(MOMENT_LAYOUT, { at })),
      ...this.gates.map((gate) => encode(GATE_LAYOUT, gate)),
    ]);
  }

  /**
   * Which stops get one of the CPU's breakpoints: functions that a gate names first, since they may be called early,
   * then what is left. Where they do not suffice, the rest is written over the kernel's text once it has patched
   * itself, and one breakpoint tells when.
   */
  #ways(takesSnapshot: boolean): StopValues[] {
    const isEarly = ({ kind }: Omit<StopValues, 'way'>) => kind !== STOP.probe && kind !== STOP.load;
    const isPlaced = ({ address }: Omit<StopValues, 'way'>) => address !== 0n;
    const wanted = [...this.#stops.filter(isEarly), ...this.#stops.filter((stop) => !isEarly(stop))].filter(isPlaced);
    const ready = this.#lookup(READY);
    const isTight =
      wanted.length > BREAKPOINTS || (takesSnapshot && this.#stops.some(({ kind }) => kind === STOP.call));
    const console = wanted.filter(({ kind }) => kind === STOP.console);
    const others = wanted.filter(({ kind }) => kind !== STOP.console);
    const hardware = new Set(isTight ? [...console, ...others].slice(0, BREAKPOINTS - 1) : wanted);
    if (isTight && ready === null && wanted.length > BREAKPOINTS)
      throw new InputError(
        `the gates need ${wanted.length} stops, and the CPU has ${BREAKPOINTS} breakpoints: more need ${READY}()`,
        'use fewer gates, or a kernel with its System.map',
      );
    const stops = this.#stops.map((stop) => ({ ...stop, way: hardware.has(stop) ? WAY.hardware : WAY.patch }));
    if (isTight && ready !== null)
      stops.push({ kind: STOP.ready, address: ready, value: 0n, name: READY, way: WAY.hardware });
    return stops;
  }
}

/** A function can be stopped at for one reason only. */
function refuseShared(stops: readonly StopValues[]): void {
  for (const { address, kind, name } of stops) {
    const other = stops.find((stop) => stop.address === address && stop.kind !== kind);
    if (address === 0n || other === undefined || kind !== STOP.call) continue;
    throw new InputError(
      `a gate at ${name}() cannot be in this cell: the firmware stands there itself`,
      other.kind === STOP.probe
        ? 'give the gate a device instead (device: NAME, or at: {probe: NAME})'
        : 'use another function',
    );
  }
}

function matchOf(device: string): Pick<PlaceValues, 'match' | 'name'> {
  if (device.startsWith('/')) return { match: MATCH.node, name: device };
  if (device.startsWith(DRIVER_PREFIX)) return { match: MATCH.driver, name: device.slice(DRIVER_PREFIX.length) };
  return { match: MATCH.name, name: device };
}

function refuseTwice(gates: readonly Gate[]): void {
  const forced = gates.flatMap((gate) => {
    const full = inFull(gate);
    if (full.gate !== 'force') return [];
    const { name, side, nth, of, during } = spotOf(full.at);
    return [{ name, key: JSON.stringify([name, side, nth, of, during]) }];
  });
  const twice = forced.find(({ key }, n) => forced.findIndex((other) => other.key === key) !== n);
  if (twice !== undefined) throw new InputError(`${twice.name} is forced twice`, 'give it one value');
}

/** Throws {@link InputError} that names the devices when holds wait for each other, so that none could ever open. */
function refuseCycles(gates: readonly Gate[]): void {
  const waitsFor = new Map<string, string[]>();
  for (const gate of gates.map(inFull)) {
    if (gate.gate !== 'hold') continue;
    const [held, until] = [spotOf(gate.at), spotOf(gate.until)];
    // Of a function there may be other calls: those that matter cannot be told from here.
    if (held.kind !== 'probe' || until.kind !== 'probe') continue;
    waitsFor.set(held.name, [...(waitsFor.get(held.name) ?? []), until.name]);
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
