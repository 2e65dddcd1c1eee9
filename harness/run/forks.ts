import { readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { KnownError } from '../errors.ts';
import type { Cell } from '../matrix/cell.ts';
import { qemuArguments } from '../qemu/command.ts';
import { saveTemplate, type Template } from '../qemu/template.ts';
import { RAM_MIB } from '../soc/board.ts';
import { encodeParking, type ParkingPlace, parkingSymbols } from '../soc/gates.ts';
import type { PreparedCell } from './prepare.ts';

interface ForksOptions {
  /** Where the templates' files lie until they are saved. */
  readonly folder: string;
  /** A folder on a tmpfs for what a template's RAM becomes. */
  readonly tmpfs: string;
  readonly signal: AbortSignal;
  /** Told once why there are no forks. */
  readonly onUnavailable: (why: string) => void;
}

/** Where Linux distributions mount a tmpfs for everybody (Filesystem Hierarchy Standard 3.0 leaves it to them; glibc's shm_open(3) needs it). */
export const SHARED_MEMORY = '/dev/shm';

/** linux/magic.h, TMPFS_MAGIC */
const TMPFS_MAGIC = 0x0102_1994;
const RAM_BYTES = RAM_MIB * 1024 * 1024;

/** A template costs about a boot, and a fork spares most of one: the third cell of a kind pays for it. */
const CELLS_FOR_A_TEMPLATE = 3;
/** Templates that are kept, of some 50 MiB each; cells of a kind come one after the other. */
const TEMPLATES_MAX = 4;
/** Cells that a template does not fit, one after the other, until there is another one. */
const MISFITS_MAX = 2;
/** Below this the firmware cannot take its own time out of the guest's clock exactly: an instruction is shorter than a tick of 16 ns. */
const SHIFT_MIN = 4;

/** Addresses of the kernel's symbols. */
type Addresses = (names: ReadonlySet<string>) => Promise<ReadonlyMap<string, bigint>>;

/** Cells that a template can be shared by: equal until the first gate, or their init's plan, makes a difference. */
interface Kind {
  readonly devices: Set<string>;
  readonly forced: Set<string>;
  booted: number;
  misfits: number;
  template: { readonly saved: Template; readonly place: ParkingPlace } | null;
  state: 'none' | 'making' | 'ready' | 'impossible';
}

/**
 * Guests that are booted once and copied. A copy says byte for byte what a boot of its own would have said: it begins at the same instruction, at the same
 * virtual time, and what it is to do is only then looked up. So nothing but the time it takes depends on whether there is a template.
 */
export class Forks {
  readonly #options: ForksOptions;
  readonly #kinds = new Map<string, Kind>();
  readonly #expected = new Map<
    string,
    { cells: number; readonly devices: Set<string>; readonly forced: Set<string> }
  >();
  /** Those that have a template, the one used last behind. */
  readonly #ready: Kind[] = [];
  #unavailable = false;
  #made = 0;

  constructor(options: ForksOptions) {
    this.#options = options;
  }

  /** Says which cells are going to be booted, so that the first of a kind knows that others will come. */
  expect(cells: readonly Cell[]): void {
    for (const cell of cells) {
      const known = this.#expected.get(askedKind(cell)) ?? { cells: 0, devices: new Set(), forced: new Set() };
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
   * A template for a cell that is booted now: one that is there, or a new one where enough cells of its kind are expected or have been seen. Null where
   * the cell is better booted by itself. Use it before anything is awaited; throws the reason when the run was aborted.
   */
  async templateFor(cell: Cell, prepared: PreparedCell, addresses: Addresses): Promise<Template | null> {
    if (this.#unavailable || cell.cpus > 1 || cell.shift < SHIFT_MIN) return null;
    const kind = this.#kind(prepared);
    const expected = this.#expected.get(askedKind(cell));
    kind.booted++;
    addGates(kind, cell);
    const still = Math.max(kind.booted, expected?.cells ?? 0);
    this.spared(cell);
    if (kind.state === 'making' || kind.state === 'impossible') return null;
    if (kind.template !== null) {
      if (fits(cell, kind.template.place)) return this.#use(kind, kind.template.saved);
      kind.misfits++;
      if (kind.misfits < MISFITS_MAX) return null;
    }
    if (still < CELLS_FOR_A_TEMPLATE || !this.#hasRoom()) return null;
    const place = {
      devices: [...new Set([...kind.devices, ...(expected?.devices ?? [])])].sort(),
      forced: [...new Set([...kind.forced, ...(expected?.forced ?? [])])].sort(),
    };
    return this.#make(kind, place, prepared, addresses);
  }

  /** A template of this cell's kind did not come up: the next ones are booted from reset. */
  giveUp(prepared: PreparedCell): void {
    const kind = this.#kind(prepared);
    this.#drop(kind);
    kind.state = 'impossible';
  }

  close(): void {
    for (const kind of [...this.#ready]) this.#drop(kind);
  }

  #kind({ inputs }: PreparedCell): Kind {
    const { plan: _plan, modules: _modules, gates: _gates, ...shared } = inputs;
    const key = JSON.stringify(shared);
    const known = this.#kinds.get(key) ?? {
      devices: new Set(),
      forced: new Set(),
      booted: 0,
      misfits: 0,
      template: null,
      state: 'none',
    };
    this.#kinds.set(key, known);
    return known;
  }

  #use(kind: Kind, saved: Template): Template {
    kind.misfits = 0;
    this.#ready.push(...this.#ready.splice(this.#ready.indexOf(kind), 1));
    return saved;
  }

  async #make(kind: Kind, place: ParkingPlace, prepared: PreparedCell, addresses: Addresses): Promise<Template | null> {
    this.#drop(kind);
    kind.state = 'making';
    const saved = await this.#save(place, prepared, addresses).catch((error: unknown) => {
      if (this.#options.signal.aborted || !(error instanceof KnownError)) throw error;
      return null;
    });
    if (saved === null) {
      // What keeps the guest from getting there shows in the boots of the cells themselves.
      kind.state = 'impossible';
      return null;
    }
    kind.state = 'ready';
    kind.template = { saved, place };
    this.#ready.push(kind);
    while (this.#ready.length > TEMPLATES_MAX && this.#ready[0] !== undefined) this.#drop(this.#ready[0]);
    return this.#use(kind, saved);
  }

  async #save(place: ParkingPlace, prepared: PreparedCell, addresses: Addresses): Promise<Template | null> {
    const symbols = await addresses(parkingSymbols(place));
    const gates = encodeParking(place, (name) => symbols.get(name) ?? null);
    if (gates === null) return null;
    const { tmpfs, signal } = this.#options;
    const number = this.#made++;
    const folder = join(this.#options.folder, `template-${number}`);
    await mkdir(folder, { recursive: true });
    try {
      const own = (name: string) => join(folder, name);
      writeFileSync(own('gates.bin'), gates);
      const files = { ...prepared.files, gates: own('gates.bin'), firmwareLog: own('firmware.log') };
      return await saveTemplate({
        name: join(tmpfs, `bootrace-${process.pid}-${number}`),
        arguments: qemuArguments(files, prepared.machine, { start: 'template' }),
        firmwareLog: own('firmware.log'),
        consoleFile: own('console.log'),
        cwd: folder,
        signal,
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  #drop(kind: Kind): void {
    kind.template?.saved.close();
    kind.template = null;
    if (kind.state === 'ready') kind.state = 'none';
    const place = this.#ready.indexOf(kind);
    if (place !== -1) this.#ready.splice(place, 1);
  }

  /** Whether the tmpfs has room for all of a guest's RAM: a file there that cannot grow would kill QEMU in the middle (SIGBUS). */
  #hasRoom(): boolean {
    const why = roomProblem(this.#options.tmpfs);
    if (why === null) return true;
    this.close();
    if (roomProblem(this.#options.tmpfs) === null) return true;
    this.#unavailable = true;
    this.#options.onUnavailable(why);
    return false;
  }
}

/** Why a guest's RAM cannot be kept there, or null when it can. */
function roomProblem(tmpfs: string): string | null {
  const mib = (bytes: number) => `${Math.floor(bytes / 1024 / 1024)} MiB`;
  try {
    const { type, bavail, bsize } = statfsSync(tmpfs);
    if (type !== TMPFS_MAGIC) return `${tmpfs} is no tmpfs`;
    if (bavail * bsize < RAM_BYTES)
      return `${tmpfs} has ${mib(bavail * bsize)} left, and a guest's RAM has ${RAM_MIB} MiB`;
  } catch {
    return `there is no tmpfs at ${tmpfs}`;
  }
  const free = availableMemory();
  return free < RAM_BYTES ? `the machine has ${mib(free)} of memory left, and a guest's RAM has ${RAM_MIB} MiB` : null;
}

/** Memory that can be had without swapping, in bytes (proc(5), MemAvailable). */
function availableMemory(): number {
  const [, kib] = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8')) ?? [];
  return kib === undefined ? freemem() : Number(kib) * 1024;
}

/** What a cell asks for that is the same for all of its kind. */
function askedKind({ kernel, linkage, board, tree, bootargs, cpus, shift }: Cell): string {
  return JSON.stringify([kernel, linkage, board, tree, bootargs, cpus, shift]);
}

function addGates(to: { readonly devices: Set<string>; readonly forced: Set<string> }, cell: Cell): void {
  for (const gate of cell.gates) {
    if (gate.gate === 'force') to.forced.add(gate.symbol);
    else to.devices.add(gate.device);
    if (gate.gate === 'hold') to.devices.add(gate.until);
  }
}

/** Whether nothing that a cell's gates are about can have happened before the guest was parked. */
function fits(cell: Cell, place: ParkingPlace): boolean {
  const own = { devices: new Set<string>(), forced: new Set<string>() };
  addGates(own, cell);
  return (
    [...own.devices].every((device) => place.devices.includes(device)) &&
    [...own.forced].every((symbol) => place.forced.includes(symbol))
  );
}
