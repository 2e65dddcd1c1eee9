import type { Cell } from '../matrix/cell.ts';
import type { Outcome } from './boot.ts';
import { causeOf } from './cause.ts';
import { Culprits } from './culprits.ts';
import { contradicts, type PartialOrder, type Precedence, partialOrder } from './precedence.ts';
import { type ProbeLife, probeLives, timeline } from './recorded.ts';

/** A device whose probe is put into orders. */
export interface Target {
  readonly device: string;
  /** Names of its device tree node and of the nodes below it, `hwlock@5e040000`: so the driver core calls suppliers. */
  readonly nodes: readonly string[];
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
  #constraints: readonly Precedence[];
  #order: PartialOrder;
  readonly #everBound = new Set<string>();
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
    const lives = probeLives(timeline(outcome.events, outcome.gates), this.#devices, cell.gates);
    const constraints = this.#constraints.length;
    const deferrers = this.#deferrers.size;
    const questions = JSON.stringify(this.suspicions);
    for (const life of lives.values()) this.#learnFrom(life, lives);
    if (asked !== null) this.#learnFromVain(asked, lives, outcome);
    if (outcome.signature !== null) this.#learnFromCrash(cell, outcome);
    this.#concludeConstraints();
    return {
      constraint: this.#constraints.length > constraints,
      other: this.#deferrers.size > deferrers || JSON.stringify(this.suspicions) !== questions,
    };
  }

  /** Every deferral accuses the devices that were not bound by then; a probe that ran, or was bound, clears them. */
  #learnFrom(life: ProbeLife, lives: ReadonlyMap<string, ProbeLife>): void {
    const { device } = life;
    for (const deferral of life.deferrals) {
      const absent = absentAt(deferral.at, device, lives);
      if (deferral.by === 'driver') {
        this.#deferrers.add(device);
        this.#waits.accuse(device, absent);
        continue;
      }
      const named = this.#namedIn(deferral.reason ?? '').filter((supplier) => absent.includes(supplier));
      this.#blocks.accuse(device, named.length > 0 ? named : absent);
    }
    if (life.started !== null) this.#blocks.acquit(device, absentAt(life.started, device, lives));
    if (life.bound !== null) {
      this.#everBound.add(device);
      this.#waits.acquit(device, absentAt(life.bound, device, lives));
    }
    // Neither binding nor deferring is crashing.
    const through = life.deferrals.find(({ by }) => by === 'driver')?.at ?? life.bound;
    if (through === null) return;
    for (const [key, crash] of this.#crashTitles) {
      if (crash.device === device) this.#crashes.acquit(key, absentAt(through, device, lives));
    }
  }

  /** The targets that the driver core's reason for a deferral names. */
  #namedIn(reason: string): string[] {
    const words = reason.split(/[\s'"(),/]+/);
    return this.#targets
      .filter(({ device, nodes }) => [device, ...nodes].some((name) => words.includes(name)))
      .map(({ device }) => device);
  }

  /** The first device of the asked order that did not begin although nothing held it: those behind it are accused. */
  #learnFromVain(asked: readonly string[], lives: ReadonlyMap<string, ProbeLife>, outcome: Outcome): void {
    const blocker = blockerOf(asked, outcome);
    if (blocker === null) return;
    const behind = asked.slice(asked.indexOf(blocker) + 1);
    const started = lives.get(blocker)?.started ?? NEVER;
    const free = behind.some((device) => (lives.get(device)?.started ?? NEVER) > started);
    if (!free) this.#blocks.accuse(blocker, behind);
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
    );
  }

  #concludeConstraints(): void {
    for (const device of this.#blocks.keys()) {
      for (const supplier of this.#blocks.convicted(device)) {
        this.#constrain({
          before: supplier,
          after: device,
          reason: `the driver core does not probe ${device} before its supplier ${supplier} is bound`,
        });
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

/** The first device of the asked order for which the next one was held in vain, or null when no hold timed out. */
export function blockerOf(asked: readonly string[], outcome: Outcome): string | null {
  const timedOut = new Set(outcome.gates.flatMap((gate) => (gate.verb === 'timed-out' ? [gate.device] : [])));
  const place = asked.findIndex((device) => timedOut.has(device));
  return place <= 0 ? null : (asked[place - 1] ?? null);
}
