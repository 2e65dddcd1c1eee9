import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { KnownError } from '../errors.ts';
import { consoleLookup, encodeSnapshotTable, snapshotSymbols } from '../firmware/gates.ts';
import { encodeNextCell, MODULES_BYTES_MAX } from '../firmware/next-cell.ts';
import { gatedBy, type SnapshotPlace } from '../firmware/spots.ts';
import type { Cell } from '../model/cell.ts';
import { qemuArguments, renameFiles } from '../qemu/command.ts';
import { type SnapshotBoot, SnapshotGuest } from '../qemu/snapshot.ts';
import type { PreparedCell } from './prepare.ts';

interface SnapshotsOptions {
  /** Where the guests' files lie while they run. */
  readonly folder: string;
  /** Snapshots that are held at most; each is a running QEMU. */
  readonly guests: number;
  readonly signal: AbortSignal;
}

/** Addresses of the kernel's symbols. */
type Addresses = (names: ReadonlySet<string>) => Promise<ReadonlyMap<string, bigint>>;

/** A snapshot costs about a boot, and each cell that is booted from it spares most of one: the second pays for it. */
const CELLS_FOR_A_SNAPSHOT = 2;
/**
 * Below this the firmware cannot take its own time out of the guest's clock exactly: an instruction is shorter than a
 * tick of 16 ns.
 */
const SHIFT_MIN = 4;

interface Gated {
  readonly devices: Set<string>;
  readonly functions: Set<string>;
}

interface Snapshot {
  readonly guest: SnapshotGuest;
  readonly place: SnapshotPlace;
  readonly group: Group;
}

/** Cells that are equal until the first gate, or their init's plan, makes a difference. */
interface Group extends Gated {
  seen: number;
  snapshots: number;
  isImpossible: boolean;
}

/**
 * Snapshots of guests where the cells of a group begin to differ, from which the cells are booted one after the other.
 * The log of such a cell is byte-identical to that of a separate boot: it begins at the same instruction, at the same
 * virtual time, and what it is to do is looked up only then. So nothing but the time it takes depends on snapshots.
 */
export class Snapshots {
  readonly #options: SnapshotsOptions;
  readonly #groups = new Map<string, Group>();
  readonly #expected = new Map<string, Gated & { cells: number }>();
  /** Snapshots that wait for a cell, the one that was used last behind. */
  readonly #idle: Snapshot[] = [];
  readonly #all = new Set<Snapshot>();
  #made = 0;
  #starting = 0;

  constructor(options: SnapshotsOptions) {
    this.#options = options;
  }

  /** Says which cells are going to be booted, so that the first of a group knows that others will come. */
  expect(cells: readonly Cell[]): void {
    for (const cell of cells) {
      const known = this.#expected.get(groupKey(cell)) ?? { cells: 0, devices: new Set(), functions: new Set() };
      known.cells++;
      addGates(known, cell);
      this.#expected.set(groupKey(cell), known);
    }
  }

  /** Says that an expected cell needs no boot. */
  spared(cell: Cell): void {
    const expected = this.#expected.get(groupKey(cell));
    if (expected !== undefined) expected.cells--;
  }

  /**
   * Boots a cell from a snapshot, where there is one for it or it is worth taking one. Null where the cell is to be
   * booted from reset. Throws {@link InfraError} when QEMU cannot be started, and the reason when the run was
   * aborted.
   */
  async boot(
    cell: Cell,
    prepared: PreparedCell,
    addresses: Addresses,
    onConsole: (bytes: Uint8Array) => boolean,
  ): Promise<SnapshotBoot | null> {
    if (cell.cpus > 1 || cell.shift < SHIFT_MIN) return null;
    if (prepared.files.modules !== null && statSync(prepared.files.modules).size > MODULES_BYTES_MAX) return null;
    const snapshot = await this.#snapshotFor(cell, prepared, addresses);
    if (snapshot === null) return null;
    const { guest, group } = snapshot;
    let booted: SnapshotBoot | null;
    try {
      booted = await guest.boot(this.#handOver(guest, prepared), onConsole);
    } catch (error) {
      this.#forget(snapshot);
      await guest.close();
      throw error;
    }
    if (guest.isGone) this.#forget(snapshot);
    else this.#idle.push(snapshot);
    // It ended where no cell ends: the next ones of its group are booted one by one, and show why.
    if (booted === null) group.isImpossible = true;
    return booted;
  }

  /** A snapshot of this cell's group has led to what a boot from reset does not: there are no more of them. */
  distrust(prepared: PreparedCell): void {
    this.#group(prepared).isImpossible = true;
  }

  async close(): Promise<void> {
    this.#idle.length = 0;
    await Promise.all([...this.#all].map(({ guest }) => guest.close()));
  }

  #group({ inputs, hasConsole }: PreparedCell): Group {
    const { plan: _plan, modules: _modules, gates: _gates, ...shared } = inputs;
    const key = JSON.stringify([shared, hasConsole]);
    const known = this.#groups.get(key) ?? {
      devices: new Set(),
      functions: new Set(),
      seen: 0,
      snapshots: 0,
      isImpossible: false,
    };
    this.#groups.set(key, known);
    return known;
  }

  async #snapshotFor(cell: Cell, prepared: PreparedCell, addresses: Addresses): Promise<Snapshot | null> {
    const group = this.#group(prepared);
    const expected = this.#expected.get(groupKey(cell));
    group.seen++;
    addGates(group, cell);
    const cells = Math.max(group.seen, expected?.cells ?? 0);
    this.spared(cell);
    if (group.isImpossible) return null;
    for (const dead of this.#idle.filter(({ guest }) => guest.isGone)) {
      this.#idle.splice(this.#idle.indexOf(dead), 1);
      this.#forget(dead);
    }
    const place = this.#idle.findLastIndex((one) => one.group === group && fits(cell, one.place));
    const [idle] = place === -1 ? [] : this.#idle.splice(place, 1);
    if (idle !== undefined) return idle;
    if (cells < CELLS_FOR_A_SNAPSHOT * (group.snapshots + 1)) return null;
    const wanted = {
      devices: [...group.devices, ...(expected?.devices ?? [])],
      functions: [...group.functions, ...(expected?.functions ?? [])],
    };
    return this.#take(
      group,
      { devices: sorted(wanted.devices), functions: sorted(wanted.functions) },
      prepared,
      addresses,
    );
  }

  async #take(
    group: Group,
    asked: SnapshotPlace,
    prepared: PreparedCell,
    addresses: Addresses,
  ): Promise<Snapshot | null> {
    group.snapshots++;
    while (this.#all.size + this.#starting >= this.#options.guests && this.#idle[0] !== undefined) {
      const oldest = this.#idle.splice(0, 1)[0];
      if (oldest === undefined) break;
      this.#forget(oldest);
      await oldest.guest.close();
    }
    this.#starting++;
    try {
      const symbols = await addresses(snapshotSymbols(asked));
      // A cell with a gate at what its kernel does not have is refused; the others need not wait there.
      const place = { ...asked, functions: asked.functions.filter((symbol) => symbols.has(symbol)) };
      const guest = await this.#start(place, prepared, symbols);
      if (guest !== null) {
        const snapshot = { guest, place, group };
        this.#all.add(snapshot);
        return snapshot;
      }
    } catch (error) {
      if (this.#options.signal.aborted || !(error instanceof KnownError)) throw error;
    } finally {
      this.#starting--;
    }
    // What keeps a guest from getting there shows in the boots of the cells themselves.
    group.isImpossible = true;
    group.snapshots--;
    return null;
  }

  async #start(
    place: SnapshotPlace,
    prepared: PreparedCell,
    symbols: ReadonlyMap<string, bigint>,
  ): Promise<SnapshotGuest | null> {
    const table = encodeSnapshotTable(
      place,
      prepared.hasConsole,
      consoleLookup(symbols, prepared.machine.board !== null),
    );
    if (table === null) return null;
    const folder = join(this.#options.folder, `guest-${this.#made++}`);
    await mkdir(folder, { recursive: true });
    try {
      const gates = join(folder, 'gates.bin');
      writeFileSync(gates, table);
      const files = { ...prepared.files, modules: null, gates };
      // QEMU has read every file, and opened its console, by the time that the firmware says anything.
      return await SnapshotGuest.start({
        words: (rename) => qemuArguments(renameFiles(files, rename), prepared.machine, { takesSnapshot: true }),
        consoleFile: join(folder, 'console.log'),
        cwd: folder,
        signal: this.#options.signal,
        shift: prepared.machine.shift,
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  #handOver(guest: SnapshotGuest, { files }: PreparedCell): Uint8Array {
    const isThere = files.modules !== null && files.modules === guest.modules;
    const modules = files.modules === null || isThere ? null : readFileSync(files.modules);
    guest.modules = files.modules;
    return encodeNextCell({
      table: files.gates === null ? null : readFileSync(files.gates),
      plan: readFileSync(files.plan),
      modules: isThere ? 'as before' : modules,
    });
  }

  #forget(snapshot: Snapshot): void {
    this.#all.delete(snapshot);
    snapshot.group.snapshots--;
  }
}

/** What a cell asks for that is the same for all of its group. */
function groupKey({ kernel, linkage, board, tree, bootargs, cpus, shift }: Cell): string {
  return JSON.stringify([kernel, linkage, board, tree, bootargs, cpus, shift]);
}

function addGates(to: Gated, cell: Cell): void {
  const { devices, functions } = gatedBy(cell.gates);
  for (const device of devices) to.devices.add(device);
  for (const name of functions) to.functions.add(name);
}

/** Whether nothing that a cell's gates are about can have happened before the snapshot was taken. */
function fits(cell: Cell, place: SnapshotPlace): boolean {
  const { devices, functions } = gatedBy(cell.gates);
  return (
    devices.every((device) => place.devices.includes(device)) &&
    functions.every((name) => place.functions.includes(name))
  );
}

function sorted(words: readonly string[]): string[] {
  return [...new Set(words)].sort();
}
