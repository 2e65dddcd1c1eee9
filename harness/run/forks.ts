import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { KnownError } from '../errors.ts';
import { consoleLookup, encodeParking, gatedBy, type ParkingPlace, parkingSymbols } from '../firmware/gates.ts';
import { encodeServedCell, MODULES_BYTES_MAX } from '../firmware/served.ts';
import type { Cell } from '../model/cell.ts';
import { qemuArguments, renameFiles } from '../qemu/command.ts';
import { GuestServer, type Served } from '../qemu/server.ts';
import type { PreparedCell } from './prepare.ts';

interface ForksOptions {
  /** Where the guests' files lie while they run. */
  readonly folder: string;
  /** Guests that are kept at most. */
  readonly guests: number;
  readonly signal: AbortSignal;
}

/** Addresses of the kernel's symbols. */
type Addresses = (names: ReadonlySet<string>) => Promise<ReadonlyMap<string, bigint>>;

/** A guest costs about a boot to make, and each cell that it serves spares most of one: the second pays for it. */
const CELLS_FOR_A_GUEST = 2;
/**
 * Below this the firmware cannot take its own time out of the guest's clock exactly: an instruction is shorter than a
 * tick of 16 ns.
 */
const SHIFT_MIN = 4;

interface Gated {
  readonly devices: Set<string>;
  readonly functions: Set<string>;
}

interface Guest {
  readonly server: GuestServer;
  readonly place: ParkingPlace;
  readonly kind: Kind;
}

/** Cells that are equal until the first gate, or their init's plan, makes a difference. */
interface Kind extends Gated {
  seen: number;
  guests: number;
  isImpossible: boolean;
}

/**
 * Guests that are booted once to where cells of a kind begin to differ, and serve one after the other. Such a cell says
 * byte for byte what a boot of its own would have said: it begins at the same instruction, at the same virtual time,
 * and what it is to do is only then looked up. So nothing but the time it takes depends on whether there is a guest.
 */
export class Forks {
  readonly #options: ForksOptions;
  readonly #kinds = new Map<string, Kind>();
  readonly #expected = new Map<string, Gated & { cells: number }>();
  /** Guests that wait for a cell, the one that served last behind. */
  readonly #idle: Guest[] = [];
  readonly #all = new Set<Guest>();
  #made = 0;
  #starting = 0;

  constructor(options: ForksOptions) {
    this.#options = options;
  }

  /** Says which cells are going to be booted, so that the first of a kind knows that others will come. */
  expect(cells: readonly Cell[]): void {
    for (const cell of cells) {
      const known = this.#expected.get(askedKind(cell)) ?? { cells: 0, devices: new Set(), functions: new Set() };
      known.cells++;
      addGates(known, cell);
      this.#expected.set(askedKind(cell), known);
    }
  }

  /** Says that an expected cell needs no boot. */
  spared(cell: Cell): void {
    const expected = this.#expected.get(askedKind(cell));
    if (expected !== undefined) expected.cells--;
  }

  /**
   * What a cell says in a guest that is kept, where there is one for it or one is worth its while. Null where the cell
   * is to be booted from reset. Throws {@link InfraError} when QEMU cannot be started, and the reason when the run was
   * aborted.
   */
  async serve(
    cell: Cell,
    prepared: PreparedCell,
    addresses: Addresses,
    onConsole: (bytes: Uint8Array) => boolean,
  ): Promise<Served | null> {
    if (cell.cpus > 1 || cell.shift < SHIFT_MIN) return null;
    if (prepared.files.modules !== null && statSync(prepared.files.modules).size > MODULES_BYTES_MAX) return null;
    const guest = await this.#guestFor(cell, prepared, addresses);
    if (guest === null) return null;
    let served: Served | null;
    try {
      served = await guest.server.serve(this.#handOver(guest.server, prepared), onConsole);
    } catch (error) {
      this.#forget(guest);
      await guest.server.close();
      throw error;
    }
    if (guest.server.isGone) this.#forget(guest);
    else this.#idle.push(guest);
    // It ended where no cell ends: the next ones of its kind are booted one by one, and show why.
    if (served === null) guest.kind.isImpossible = true;
    return served;
  }

  /** A guest of this cell's kind has said what a boot from reset does not: there are no more of them. */
  distrust(prepared: PreparedCell): void {
    this.#kind(prepared).isImpossible = true;
  }

  async close(): Promise<void> {
    this.#idle.length = 0;
    await Promise.all([...this.#all].map(({ server }) => server.close()));
  }

  #kind({ inputs, hasConsole }: PreparedCell): Kind {
    const { plan: _plan, modules: _modules, gates: _gates, ...shared } = inputs;
    const key = JSON.stringify([shared, hasConsole]);
    const known = this.#kinds.get(key) ?? {
      devices: new Set(),
      functions: new Set(),
      seen: 0,
      guests: 0,
      isImpossible: false,
    };
    this.#kinds.set(key, known);
    return known;
  }

  async #guestFor(cell: Cell, prepared: PreparedCell, addresses: Addresses): Promise<Guest | null> {
    const kind = this.#kind(prepared);
    const expected = this.#expected.get(askedKind(cell));
    kind.seen++;
    addGates(kind, cell);
    const cells = Math.max(kind.seen, expected?.cells ?? 0);
    this.spared(cell);
    if (kind.isImpossible) return null;
    for (const dead of this.#idle.filter(({ server }) => server.isGone)) {
      this.#idle.splice(this.#idle.indexOf(dead), 1);
      this.#forget(dead);
    }
    const place = this.#idle.findLastIndex((guest) => guest.kind === kind && fits(cell, guest.place));
    const [idle] = place === -1 ? [] : this.#idle.splice(place, 1);
    if (idle !== undefined) return idle;
    if (cells < CELLS_FOR_A_GUEST * (kind.guests + 1)) return null;
    const wanted = {
      devices: [...kind.devices, ...(expected?.devices ?? [])],
      functions: [...kind.functions, ...(expected?.functions ?? [])],
    };
    return this.#make(
      kind,
      { devices: sorted(wanted.devices), functions: sorted(wanted.functions) },
      prepared,
      addresses,
    );
  }

  async #make(kind: Kind, asked: ParkingPlace, prepared: PreparedCell, addresses: Addresses): Promise<Guest | null> {
    kind.guests++;
    while (this.#all.size + this.#starting >= this.#options.guests && this.#idle[0] !== undefined) {
      const oldest = this.#idle.splice(0, 1)[0];
      if (oldest === undefined) break;
      this.#forget(oldest);
      await oldest.server.close();
    }
    this.#starting++;
    try {
      const symbols = await addresses(parkingSymbols(asked));
      // A cell with a gate at what its kernel does not have is refused; the others need not wait there.
      const place = { ...asked, functions: asked.functions.filter((symbol) => symbols.has(symbol)) };
      const server = await this.#start(place, prepared, symbols);
      if (server !== null) {
        const guest = { server, place, kind };
        this.#all.add(guest);
        return guest;
      }
    } catch (error) {
      if (this.#options.signal.aborted || !(error instanceof KnownError)) throw error;
    } finally {
      this.#starting--;
    }
    // What keeps a guest from getting there shows in the boots of the cells themselves.
    kind.isImpossible = true;
    kind.guests--;
    return null;
  }

  async #start(
    place: ParkingPlace,
    prepared: PreparedCell,
    symbols: ReadonlyMap<string, bigint>,
  ): Promise<GuestServer | null> {
    const table = encodeParking(place, prepared.hasConsole, consoleLookup(symbols, prepared.machine.board !== null));
    if (table === null) return null;
    const folder = join(this.#options.folder, `guest-${this.#made++}`);
    await mkdir(folder, { recursive: true });
    try {
      const gates = join(folder, 'gates.bin');
      writeFileSync(gates, table);
      const files = { ...prepared.files, modules: null, gates };
      // QEMU has read every file, and opened its console, by the time that the firmware says anything.
      return await GuestServer.start({
        words: (rename) => qemuArguments(renameFiles(files, rename), prepared.machine, { serves: true }),
        consoleFile: join(folder, 'console.log'),
        cwd: folder,
        signal: this.#options.signal,
        shift: prepared.machine.shift,
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  #handOver(server: GuestServer, { files }: PreparedCell): Uint8Array {
    const isThere = files.modules !== null && files.modules === server.modules;
    const modules = files.modules === null || isThere ? null : readFileSync(files.modules);
    server.modules = files.modules;
    return encodeServedCell({
      table: files.gates === null ? null : readFileSync(files.gates),
      plan: readFileSync(files.plan),
      modules: isThere ? 'as before' : modules,
    });
  }

  #forget(guest: Guest): void {
    this.#all.delete(guest);
    guest.kind.guests--;
  }
}

/** What a cell asks for that is the same for all of its kind. */
function askedKind({ kernel, linkage, board, tree, bootargs, cpus, shift }: Cell): string {
  return JSON.stringify([kernel, linkage, board, tree, bootargs, cpus, shift]);
}

function addGates(to: Gated, cell: Cell): void {
  const { devices, functions } = gatedBy(cell.gates);
  for (const device of devices) to.devices.add(device);
  for (const name of functions) to.functions.add(name);
}

/** Whether nothing that a cell's gates are about can have happened before the guest was parked. */
function fits(cell: Cell, place: ParkingPlace): boolean {
  const { devices, functions } = gatedBy(cell.gates);
  return (
    devices.every((device) => place.devices.includes(device)) &&
    functions.every((name) => place.functions.includes(name))
  );
}

function sorted(words: readonly string[]): string[] {
  return [...new Set(words)].sort();
}
