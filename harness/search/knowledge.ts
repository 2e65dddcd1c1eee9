import type { Cell } from '../model/cell.ts';
import type { Gate } from '../model/gate.ts';
import type { Outcome } from './boot.ts';
import { causeOf } from './cause.ts';
import { Culprits } from './culprits.ts';
import { contradicts, type PartialOrder, type Precedence, partialOrder } from './precedence.ts';
import { type ProbeLife, probeLives, type Recorded, relaxedFrom, supplierIn, timeline } from './recorded.ts';

/** A device whose probe is put into orders. */
export interface Target {
  readonly device: string;
  /** Names of its device tree node and of the nodes below it, `hwlock@5e040000`: so the driver core calls suppliers. */
  readonly nodes: readonly string[];
  /** Other targets that its device tree node refers to: likely what holds it back, where the log does not say. */
  readonly suppliers: readonly string[];
}

/** A driver that defers: it may begin before what it waits for, but not finish before it. */
export interface DriverWait {
  readonly device: string;
  readonly suppliers: readonly string[];
}

/** Devices of which at least one has to be bound before `device`, lest it is held back or crashes. */
export interface Suspicion {
  readonly key: string;
  readonly device: string;
  readonly suspects: readonly string[];
}

/** What one boot taught. */
interface Lesson {
  /** An order is now known to be impossible or fatal, so that what is planned has to be planned again. */
  readonly constraint: boolean;
  /** Something is to be asked in another way from now on, or to be found out first. */
  readonly other: boolean;
}

const NEVER = Number.POSITIVE_INFINITY;

/** What the boots so far have taught about the devices' dependencies. */
export class Knowledge {
  readonly #targets: readonly Target[];
  readonly #devices: readonly string[];
  readonly #given: readonly Precedence[];
  #constraints: readonly Precedence[];
  #order: PartialOrder;
  readonly #everBound = new Set<string>();
  readonly #everStarted = new Set<string>();
  /** Suppliers that the kernel's log named, as `device supplier`. */
  readonly #named = new Set<string>();
  /** Devices whose driver deferred at least once. */
  readonly #deferrers = new Set<string>();
  /** Whose absence makes a driver defer, by device. */
  readonly #waits = new Culprits();
  /** Whose absence makes the driver core hold a device back, by device. */
  readonly #blocks = new Culprits();
  /** Whose absence makes a device's probe crash, by device and signature. */
  readonly #crashes = new Culprits();
  readonly #crashTitles = new Map<string, { readonly device: string; readonly title: string }>();

  /** @throws InputError when the constraints contradict each other. */
  constructor(targets: readonly Target[], constraints: readonly Precedence[]) {
    this.#targets = targets;
    this.#devices = targets.map(({ device }) => device);
    this.#given = constraints;
    this.#constraints = constraints;
    this.#order = partialOrder(this.#devices, constraints);
  }

  get order(): PartialOrder {
    return this.#order;
  }

  get constraints(): readonly Precedence[] {
    return this.#constraints;
  }

  get waits(): DriverWait[] {
    return [...this.#deferrers].map((device) => ({ device, suppliers: this.#waits.convicted(device) }));
  }

  /** Open questions whose answer would forbid orders. */
  get suspicions(): Suspicion[] {
    const blocked = this.#blocks
      .keys()
      .map((device) => ({ key: `blocked ${device}`, device, suspects: this.#blocks.suspects(device) }));
    const crashing = [...this.#crashTitles].map(([key, { device }]) => ({
      key: `crash ${key}`,
      device,
      suspects: this.#crashes.suspects(key),
    }));
    return [...blocked, ...crashing].filter(({ suspects }) => suspects.length > 1);
  }

  /** Whether `device`, once entered, can be expected to finish while `others` are held back. */
  canFinishBefore(device: string, others: readonly string[]): boolean {
    if (!this.#everBound.has(device)) return false;
    return !this.#deferrers.has(device) || others.every((other) => this.#waits.isCleared(device, other));
  }

  /** Learns from one boot of `cell`. `asked` is the order that it was to have, or null for an ungated one. */
  learn(cell: Cell, asked: readonly string[] | null, outcome: Outcome): Lesson {
    const constraints = JSON.stringify(this.#constraints);
    const deferrers = this.#deferrers.size;
    const questions = JSON.stringify(this.suspicions);
    const recorded = timeline(outcome.events, outcome.gates);
    const lives = probeLives(recorded, this.#devices, cell.gates);
    const relaxed = relaxedFrom(recorded);
    for (const life of lives.values()) this.#learnFrom(life, lives, relaxed);
    if (asked !== null) this.#learnFromVain(blockerOf(cell.gates, asked, recorded, lives), asked);
    if (outcome.signature !== null) this.#learnFromCrash(cell, outcome);
    this.#concludeConstraints();
    return {
      constraint: JSON.stringify(this.#constraints) !== constraints,
      other: this.#deferrers.size > deferrers || JSON.stringify(this.suspicions) !== questions,
    };
  }

  /** Every deferral accuses the devices that were not bound by then; a probe that ran, or was bound, clears them. */
  #learnFrom(life: ProbeLife, lives: ReadonlyMap<string, ProbeLife>, relaxed: number): void {
    const { device } = life;
    for (const deferral of life.deferrals) {
      const absent = absentAt(deferral.at, device, lives);
      if (deferral.by === 'driver') {
        this.#deferrers.add(device);
        this.#waits.accuse(device, absent, true);
        continue;
      }
      const supplier = supplierIn(deferral.reason);
      if (supplier === null) this.#blocks.accuse(device, this.#likely(device, absent), false);
      else
        for (const named of this.#targetsCalled(supplier)) {
          if (!absent.includes(named)) continue;
          this.#named.add(`${device} ${named}`);
          this.#blocks.accuse(device, [named], true);
        }
    }
    if (life.started !== null && life.started < relaxed)
      this.#blocks.acquit(device, absentAt(life.started, device, lives));
    if (life.started !== null) this.#everStarted.add(device);
    if (life.bound !== null) this.#everBound.add(device);
    if (life.bound !== null && life.bound < relaxed) {
      this.#waits.acquit(device, absentAt(life.bound, device, lives));
    }
    // Neither binding nor deferring is crashing.
    const through = life.deferrals.find(({ by }) => by === 'driver')?.at ?? life.bound;
    if (through === null) return;
    for (const [key, crash] of this.#crashTitles) {
      if (crash.device === device) this.#crashes.acquit(key, absentAt(through, device, lives));
    }
  }

  /** The target that the driver core calls `supplier`: by its device, or by its node or one below it. */
  #targetsCalled(supplier: string): string[] {
    const name = supplier.split('/').at(-1) ?? supplier;
    return this.#targets
      .filter(({ device, nodes }) => device === supplier || nodes.includes(name))
      .map(({ device }) => device);
  }

  /**
   * A device that did not begin although nothing held it: those that were held for its sake are accused. Not of one that never
   * begins, which has no driver.
   */
  #learnFromVain(blocker: Blocker | null, asked: readonly string[]): void {
    if (blocker?.state !== 'not-begun' || !this.#everStarted.has(blocker.device)) return;
    const { device, absent } = blocker;
    const listed = this.#likely(device, absent);
    const held = asked.slice(asked.indexOf(device) + 1);
    this.#blocks.accuse(device, listed.length < absent.length ? listed : held, true);
  }

  /** Of devices that were absent, those that the device tree lists as suppliers of `device`; all of them where it lists none. */
  #likely(device: string, absent: readonly string[]): readonly string[] {
    const suppliers = this.#targets.find((target) => target.device === device)?.suppliers ?? [];
    const listed = absent.filter((other) => suppliers.includes(other));
    return listed.length === 0 ? absent : listed;
  }

  #learnFromCrash(cell: Cell, outcome: Outcome): void {
    const cause = causeOf(outcome, this.#devices, cell.gates);
    const device = cause.probing?.device;
    if (outcome.signature === null || device === undefined || !this.#devices.includes(device)) return;
    const key = `${device} ${outcome.signature}`;
    this.#crashTitles.set(key, { device, title: cause.crash?.title ?? outcome.signature });
    this.#crashes.accuse(
      key,
      cause.unfinished.map((state) => state.device),
      true,
    );
  }

  #concludeConstraints(): void {
    this.#constraints = this.#given;
    this.#order = partialOrder(this.#devices, this.#given);
    for (const device of this.#blocks.keys()) {
      for (const supplier of this.#blocks.convicted(device)) {
        const reason = this.#named.has(`${device} ${supplier}`)
          ? `the driver core does not probe ${device} before its supplier ${supplier} is bound`
          : `${device} was not probed while ${supplier} was not bound`;
        this.#constrain({ before: supplier, after: device, reason });
        for (const other of this.#awaitedBy(supplier))
          this.#constrain({ before: other, after: device, reason: `${reason}, which waits for ${other}` });
      }
    }
    for (const [key, { device, title }] of this.#crashTitles) {
      for (const absent of this.#crashes.convicted(key)) {
        this.#constrain({
          before: absent,
          after: device,
          reason: `the kernel crashes when ${device} is probed before ${absent} is bound: ${title}`,
        });
      }
    }
  }

  /** What has to be bound for `device` to be: what its driver waits for, and what that one's does. */
  #awaitedBy(device: string): string[] {
    const found = new Set<string>();
    const add = (waiting: string): void => {
      for (const other of [...this.#waits.convicted(waiting), ...this.#blocks.convicted(waiting)]) {
        if (found.has(other)) continue;
        found.add(other);
        add(other);
      }
    };
    add(device);
    found.delete(device);
    return [...found];
  }

  #constrain(constraint: Precedence): void {
    const before = this.#devices.indexOf(constraint.before);
    const after = this.#devices.indexOf(constraint.after);
    if (before === -1 || after === -1 || contradicts(this.#order, before, after)) return;
    if (this.#order.precedes(before, after)) return;
    this.#constraints = [...this.#constraints, constraint];
    this.#order = partialOrder(this.#devices, this.#constraints);
  }
}

/** Devices that were not bound at place `at`, without `device` itself. */
function absentAt(at: number, device: string, lives: ReadonlyMap<string, ProbeLife>): string[] {
  return [...lives.values()]
    .filter((life) => life.device !== device && (life.bound ?? NEVER) > at)
    .map((life) => life.device);
}

/** The device that a chain of holds got stuck at: it had not begun, or not finished, when the first hold timed out. */
interface Blocker {
  readonly device: string;
  readonly state: 'not-begun' | 'not-finished';
  /** Devices that were not bound by then, without itself. */
  readonly absent: readonly string[];
}

/** Finds the device at which the chain of `asked` got stuck, or null when no hold timed out. */
function blockerOf(
  gates: readonly Gate[],
  asked: readonly string[],
  recorded: readonly Recorded[],
  lives: ReadonlyMap<string, ProbeLife>,
): Blocker | null {
  const stuck = recorded.findIndex(({ from, event }) => from === 'firmware' && event.verb === 'timed-out');
  if (stuck === -1) return null;
  for (const device of asked) {
    const life = lives.get(device);
    if ((life?.started ?? NEVER) >= stuck)
      return { device, state: 'not-begun', absent: absentAt(stuck, device, lives) };
    const awaited = gates.some((gate) => gate.gate === 'hold' && gate.until === device && gate.phase === 'finished');
    if (awaited && (life?.bound ?? NEVER) >= stuck)
      return { device, state: 'not-finished', absent: absentAt(stuck, device, lives) };
  }
  return null;
}
