import { BUSES, type Bus, busesOf } from '../buses/buses.ts';
import { InputError } from '../errors.ts';
import type { Gate, PlaceGate } from '../model/gate.ts';
import {
  CONSOLE_WRITE,
  EARLY_CONSOLE_WRITE,
  GateTable,
  type ModuleLookup,
  NO_MODULES,
  REGISTERED_WRITE,
  type SymbolLookup,
  symbolsFor,
} from './gate-table.ts';
import { ACTION, GATES_MAX, NAME_SIZE, STOP } from './interface.ts';
import { inFull, moduleOf, placeSpots, probedIn, type SnapshotPlace, spotOf, spotsOf } from './spots.ts';

/** How long a hold waits, in milliseconds of virtual time, before it lets the call in and says so. */
export const HOLD_TIMEOUT_MS = 30_000;

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

/** Modules that gates name: one of whose functions, or whose load, they are about. */
export function namedModules(gates: readonly Gate[]): string[] {
  return gates
    .flatMap(spotsOf)
    .flatMap(({ kind, name }) => (kind === 'call' ? (moduleOf(name) ?? []) : kind === 'load' ? [name] : []));
}

/** Modules of whose functions the gates may need to know: those that they name, and those of the buses. */
export function gateModules(gates: readonly Gate[]): Set<string> {
  const devices = probedIn(gates.flatMap(spotsOf));
  return new Set([
    ...namedModules(gates),
    ...devices.flatMap((device) => busesOf(device)).flatMap(({ modules = [] }) => modules),
  ]);
}

/**
 * Looks symbols up as the gates of a guest ask for them. The console of a real board is earlycon's, or the firmware's
 * own; that of the stand-in is its UART's.
 */
export function consoleLookup(symbols: ReadonlyMap<string, bigint>, isRealBoard: boolean): SymbolLookup {
  if (!isRealBoard) return (name) => (name === REGISTERED_WRITE ? null : (symbols.get(name) ?? null));
  return (name) => symbols.get(name === CONSOLE_WRITE ? EARLY_CONSOLE_WRITE : name) ?? null;
}

/**
 * A table by which the firmware says how many instructions the guest has executed, the firmware's own among them,
 * whenever one of these functions is entered (lines `counted PLACE INSTRUCTIONS` of its log). Throws {@link InputError}
 * for a symbol that the kernel does not have, and for too many.
 */
export function encodeCounting(symbols: readonly string[], lookup: SymbolLookup): Uint8Array | null {
  const table = new GateTable(lookup, NO_MODULES, BUSES);
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
  const table = new GateTable(lookup, modules, buses, stepOf);
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
 * consoleWay}). Null where they are too many for one table. Throws {@link InputError} for a symbol that the kernel
 * does not have.
 */
export function encodeSnapshotTable(
  place: SnapshotPlace,
  hasConsole: boolean,
  lookup: SymbolLookup,
): Uint8Array | null {
  const spots = placeSpots(place);
  if (spots.length > GATES_MAX) return null;
  const table = new GateTable(lookup, NO_MODULES, BUSES);
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
