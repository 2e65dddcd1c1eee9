import { type Bus, busesOf, DRIVER_PREFIX } from '../buses/buses.ts';
import { InputError } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import {
  ACTION,
  BREAKPOINTS,
  GATE_LAYOUT,
  GATES_MAX,
  MATCH,
  MOMENT_LAYOUT,
  MOMENTS_MAX,
  SIDE,
  STOP,
  STOP_LAYOUT,
  STOPS_MAX,
  TABLE_LAYOUT,
  TABLE_MAGIC,
  WAY,
} from './interface.ts';
import { encode, type ValuesOf } from './layout.ts';
import { moduleOf, probedIn, type Spot, spotOf } from './spots.ts';

/** Milliseconds of virtual time between two looks at a hold's condition: the shortest msleep(), about one jiffy. */
const POLL_MS = 1;

/**
 * The `write` of the UART driver's console, drivers/tty/serial/amba-pl011.c of Linux 5.10 to 6.12. The driver spends
 * about 150 instructions on a character; the firmware hands the whole text to QEMU at once.
 */
export const CONSOLE_WRITE = 'pl011_console_write';
/** The same of earlycon, which a board's console is: it needs no UART of the board. */
export const EARLY_CONSOLE_WRITE = 'pl011_early_write';
/**
 * Where the kernel has neither, the firmware calls register_console() (kernel/printk/printk.c) at the entry of
 * parse_early_param() (init/main.c), which is where earlycon is registered. Its write() is an address that EL1 never
 * executes: the vectors that the kernel would leave at EL2 (arch/arm64/kernel/hyp-stub.S). 5.10 to 7.2 have the three.
 */
const REGISTER_CONSOLE = 'register_console';
const REGISTER_AT = 'parse_early_param';
export const REGISTERED_WRITE = '__hyp_stub_vectors';
/**
 * What a call that waits is sent into: where it may sleep (kernel/time/timer.c), and where not
 * (arch/arm64/lib/delay.c).
 */
const MSLEEP = 'msleep';
const UDELAY = '__udelay';
/** Reads the CPU's preempt count first of all (kernel/softirq.c, in_interrupt()). */
const PREEMPT = 'do_softirq';
/** The task of start_kernel() (init/init_task.c). */
const IDLE = 'init_task';
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
export const NO_MODULES: ModuleLookup = () => null;

function busSymbols(devices: readonly string[]): string[] {
  return devices.flatMap((device) => busesOf(device)).flatMap(({ probes }) => probes);
}

/**
 * Names of the kernel symbols that a table of these spots needs an address for; some are alternatives of each other,
 * and some only good to have.
 */
export function symbolsFor(spots: readonly Spot[]): Set<string> {
  const own = spots.filter(({ kind, name }) => kind === 'call' && moduleOf(name) === null);
  const devices = probedIn(spots);
  return new Set([
    CONSOLE_WRITE,
    EARLY_CONSOLE_WRITE,
    REGISTER_CONSOLE,
    REGISTER_AT,
    REGISTERED_WRITE,
    ...own.map(({ name }) => name),
    ...busSymbols(devices),
    ...(spots.length > 0 ? [MSLEEP, UDELAY, PREEMPT, IDLE, READY, LOAD, MODULE_LOOKUP] : []),
  ]);
}

type StopValues = ValuesOf<typeof STOP_LAYOUT>;
type PlaceValues = ValuesOf<typeof GATE_LAYOUT>['at'];

/**
 * Who prints the kernel's messages. `uart`: the UART's driver, a character at a time. `driver`: the firmware, in place
 * of the driver's write(). `firmware`: the firmware, as a console of its own.
 */
export type ConsoleWay = 'uart' | 'driver' | 'firmware';

/** The way that the symbols of a kernel allow. */
export function consoleWay(lookup: SymbolLookup): ConsoleWay {
  if (lookup(CONSOLE_WRITE) !== null) return 'driver';
  const needed = [REGISTER_CONSOLE, REGISTER_AT, REGISTERED_WRITE];
  return needed.every((name) => lookup(name) !== null) ? 'firmware' : 'uart';
}

/** The firmware's table while it is put together. */
export class GateTable {
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
    const way = consoleWay(this.#lookup);
    if (way === 'driver')
      this.stop({ kind: STOP.console, address: this.required(CONSOLE_WRITE), value: 0n, name: CONSOLE_WRITE });
    if (way !== 'firmware') return;
    const write = this.required(REGISTERED_WRITE);
    const [address, value] = [this.required(REGISTER_AT), this.required(REGISTER_CONSOLE)];
    this.stop({ kind: STOP.own_console, address: write, value: 0n, name: REGISTERED_WRITE });
    this.stop({ kind: STOP.register_console, address, value, name: REGISTER_AT });
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
   * one of the bus's modules.
   */
  #probes(device: string): void {
    let found = 0;
    const buses = busesOf(device, this.#buses);
    for (const { probes, modules = [] } of buses) {
      for (const name of probes) {
        const address = this.#lookup(name);
        const module = modules.find((one) => this.#modules(one)?.get(name) === 1);
        if (address !== null) this.stop({ kind: STOP.probe, address, value: 0n, name });
        else if (module !== undefined) this.#function(`${module}:${name}`, STOP.probe);
        else continue;
        found++;
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
        idle: lookup(IDLE),
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
    const isConsole = ({ kind }: Omit<StopValues, 'way'>) =>
      kind === STOP.console || kind === STOP.own_console || kind === STOP.register_console;
    const console = wanted.filter(isConsole);
    const others = wanted.filter((stop) => !isConsole(stop));
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
