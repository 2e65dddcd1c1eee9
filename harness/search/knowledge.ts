import type { Cell } from '../model/cell.ts';
import { type Gate, isShort } from '../model/gate.ts';
import { causeOf } from './cause.ts';
import { Culprits } from './culprits.ts';
import type { Outcome } from './outcome.ts';
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
  /** Held back alone in some boot, each kept the device deferred for as long. */
  readonly suppliers: readonly string[];
  /**
   * Absent whenever the device was deferred, and not held back by themselves: something that nobody asks about may be
   * the cause.
   */
  readonly guesses: readonly string[];
}

/** Devices to hold back until `device` is bound, to see whether it waits for one of them. */
export interface WaitQuestion {
  readonly device: string;
  readonly held: readonly string[];
}

/**
 * Devices of which at least one has to be bound before `device`, lest it is held back or crashes. A single one is what
 * a crash leaves by elimination: whether it alone is enough is to be seen.
 */
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
  readonly #everDeferred = new Set<string>();
  /** Suppliers that the kernel's log named, as `device supplier`. */
  readonly #named = new Set<string>();
  /** Devices whose driver deferred at least once. */
  readonly #deferrers = new Set<string>();
  /** Whose absence makes a driver defer, by device. */
  readonly #waits = new Culprits();
  /**
   * `device supplier`, where a boot showed that a device is deferred for as long as nothing but that supplier is held
   * back.
   */
  readonly #proven = new Set<string>();
  /** Whose absence makes the driver core hold a device back, by device. */
  readonly #blocks = new Culprits();
  /** Whose absence makes a device's probe crash, by device and signature. */
  readonly #crashes = new Culprits();
  readonly #crashTitles = new Map<string, { readonly device: string; readonly title: string }>();
  /** `crash supplier`, where nothing but that one was missing in a boot that crashed: otherwise it may take two. */
  readonly #fatal = new Set<string>();

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
    return [...this.#deferrers].map((device) => {
      const likely = this.#waits.known(device);
      return {
        device,
        suppliers: this.#provenFor(device),
        guesses: likely.filter((other) => !this.#proven.has(`${device} ${other}`)),
      };
    });
  }

  /**
   * What holding devices back would show of the waits that are not proven: one device each where elimination has left
   * it alone, and with `all` half of those that may be it. Nothing is asked that is known to crash.
   */
  waitQuestions(all: boolean): WaitQuestion[] {
    return [...this.#deferrers]
      .filter((device) => this.#everBound.has(device))
      .flatMap((device) => {
        const alone = this.#waits.known(device).filter((other) => !this.#proven.has(`${device} ${other}`));
        const single = alone.map((other) => ({ device, held: [other] }));
        const suspects = all ? this.#waits.suspects(device) : [];
        const listed = this.#listed(device, suspects);
        const half = listed.length > 0 ? listed.slice(0, 1) : suspects.slice(0, Math.ceil(suspects.length / 2));
        return half.length === 0 ? single : [...single, { device, held: half }];
      })
      .filter(({ device, held }) => !held.some((other) => this.#crashesWithout(device).includes(other)));
  }

  /** Devices that crash the kernel when they are probed while one of `absent` is not bound, each with that one. */
  crashingWithout(absent: readonly string[]): Map<string, string> {
    const found = new Map<string, string>();
    for (const device of this.#devices) {
      const needed = this.#crashesWithout(device).find((other) => absent.includes(other));
      if (needed !== undefined && !absent.includes(device)) found.set(device, needed);
    }
    return found;
  }

  #crashesWithout(device: string): string[] {
    return [...this.#crashTitles].flatMap(([key, crash]) => (crash.device === device ? this.#crashes.known(key) : []));
  }

  #provenFor(device: string): string[] {
    return this.#devices.filter((other) => this.#proven.has(`${device} ${other}`));
  }

  /** Open questions whose answer would forbid orders. */
  get suspicions(): Suspicion[] {
    const blocked = this.#blocks
      .keys()
      .map((device) => ({ key: `blocked ${device}`, device, suspects: this.#blocks.suspects(device) }));
    const crashing = [...this.#crashTitles].map(([key, { device }]) => {
      const unshown = this.#crashes.known(key).filter((absent) => !this.#fatal.has(`${key} ${absent}`));
      const suspects = unshown.length > 0 ? unshown.slice(0, 1) : this.#crashes.suspects(key);
      return { key: `crash ${key}`, device, suspects };
    });
    return [...blocked.filter(({ suspects }) => suspects.length > 1), ...crashing].filter(
      ({ suspects }) => suspects.length > 0,
    );
  }

  /** Whether a driver was called for `device`, or the driver core deferred it. */
  isSeen(device: string): boolean {
    return this.#everStarted.has(device) || this.#everDeferred.has(device);
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
    const proven = this.#proven.size;
    const recorded = timeline(outcome.events, outcome.gates);
    const lives = probeLives(recorded, this.#devices, cell.gates);
    const relaxed = relaxedFrom(recorded);
    for (const life of lives.values()) this.#learnFrom(life, lives, relaxed);
    this.#learnFromHolds(recorded, lives);
    this.#learnFromTimeouts(recorded, lives);
    if (asked !== null) this.#learnFromVain(blockerOf(cell.gates, asked, recorded, lives), asked);
    if (outcome.signature !== null) this.#learnFromCrash(cell, outcome);
    this.#concludeConstraints();
    return {
      constraint: JSON.stringify(this.#constraints) !== constraints,
      other:
        this.#deferrers.size > deferrers || this.#proven.size > proven || JSON.stringify(this.suspicions) !== questions,
    };
  }

  /**
   * Every deferral makes suspects of the devices that were not bound by then; a probe that ran, or was bound, clears
   * them.
   */
  #learnFrom(life: ProbeLife, lives: ReadonlyMap<string, ProbeLife>, relaxed: number): void {
    const { device } = life;
    if (life.deferrals.length > 0) this.#everDeferred.add(device);
    for (const deferral of life.deferrals) {
      const absent = absentAt(deferral.at, device, lives);
      if (deferral.by === 'driver') {
        this.#deferrers.add(device);
        this.#waits.suspect(device, absent, true);
        continue;
      }
      const supplier = supplierIn(deferral.reason);
      if (supplier === null) this.#blocks.suspect(device, this.#likely(device, absent), false);
      else
        for (const named of this.#targetsCalled(supplier)) {
          if (!absent.includes(named)) continue;
          this.#named.add(`${device} ${named}`);
          this.#blocks.suspect(device, [named], true);
        }
    }
    if (life.started !== null && life.started < relaxed)
      this.#blocks.clear(device, absentAt(life.started, device, lives));
    if (life.started !== null) this.#everStarted.add(device);
    if (life.bound !== null) this.#everBound.add(device);
    if (life.bound !== null && life.bound < relaxed) {
      this.#waits.clear(device, absentAt(life.bound, device, lives));
    }
    // Neither binding nor deferring is crashing.
    const through = life.deferrals.find(({ by }) => by === 'driver')?.at ?? life.bound;
    if (through === null) return;
    for (const [key, crash] of this.#crashTitles) {
      if (crash.device === device) this.#crashes.clear(key, absentAt(through, device, lives));
    }
  }

  /**
   * A hold that ended in vain because the device that it waited for stayed deferred: that one waits for something that
   * is held. Where but one device is, it is that one. Not where a device is held that was deferred before: it is held
   * in the one work item that retries all deferred devices (drivers/base/dd.c, deferred_probe_work_func()), and so
   * holds up every retry.
   */
  #learnFromHolds(recorded: readonly Recorded[], lives: ReadonlyMap<string, ProbeLife>): void {
    const held = new Set<string>();
    for (const [at, { from, event }] of recorded.entries()) {
      if (from !== 'firmware') continue;
      if (event.verb === 'held') {
        if (lives.get(event.device)?.deferrals.some((deferral) => deferral.at < at)) return;
        held.add(event.device);
      }
      if (event.verb === 'released') held.delete(event.device);
      if (event.verb !== 'timed-out') continue;
      const [phase, until = ''] = event.detail.split(' ');
      const life = lives.get(until);
      const deferred = life?.deferrals.some((deferral) => deferral.by === 'driver' && deferral.at < at) ?? false;
      if (phase === 'finished' && deferred && (life?.bound ?? NEVER) > at) {
        const suspects = [...held].filter((other) => !this.#waits.isCleared(until, other));
        this.#waits.suspect(until, suspects, true);
        if (suspects.length === 1) this.#proven.add(`${until} ${suspects[0]}`);
      }
      // The other holds of this boot end at about this time too.
      return;
    }
  }

  /**
   * Where the kernel probes a device without a supplier that it has waited for in vain
   * (driver_deferred_probe_check_state(), drivers/base/dd.c), the driver core held it back until then: for one of those
   * that its node refers to and that were not bound.
   */
  #learnFromTimeouts(recorded: readonly Recorded[], lives: ReadonlyMap<string, ProbeLife>): void {
    for (const [at, { from, event }] of recorded.entries()) {
      if (from !== 'kernel' || event.event !== 'deferral-timeout') continue;
      const listed = this.#listed(event.device, absentAt(at, event.device, lives));
      if (listed.length > 0) this.#blocks.suspect(event.device, listed, true);
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
   * A device that did not begin although nothing held it: those that were held for its sake are suspected. Not of one
   * that never begins, which has no driver.
   */
  #learnFromVain(blocker: Blocker | null, asked: readonly string[]): void {
    if (blocker?.state !== 'not-begun' || !this.#everStarted.has(blocker.device)) return;
    const { device, absent } = blocker;
    const listed = this.#likely(device, absent);
    const held = asked.slice(asked.indexOf(device) + 1);
    this.#blocks.suspect(device, listed.length < absent.length ? listed : held, true);
  }

  /**
   * Of devices that were absent, those that the device tree lists as suppliers of `device`; all of them where it lists
   * none.
   */
  #likely(device: string, absent: readonly string[]): readonly string[] {
    const listed = this.#listed(device, absent);
    return listed.length === 0 ? absent : listed;
  }

  #listed(device: string, others: readonly string[]): readonly string[] {
    const suppliers = this.#targets.find((target) => target.device === device)?.suppliers ?? [];
    return others.filter((other) => suppliers.includes(other));
  }

  #learnFromCrash(cell: Cell, outcome: Outcome): void {
    const cause = causeOf(outcome, this.#devices, cell.gates);
    const device = cause.probing?.device;
    if (outcome.signature === null || device === undefined || !this.#devices.includes(device)) return;
    const key = `${device} ${outcome.signature}`;
    this.#crashTitles.set(key, { device, title: cause.crash?.title ?? outcome.signature });
    const unfinished = cause.unfinished.map((state) => state.device);
    this.#crashes.suspect(key, unfinished, true);
    for (const absent of unfinished)
      if (unfinished.every((other) => other === absent || this.#isExcused(other, absent)))
        this.#fatal.add(`${key} ${absent}`);
  }

  /**
   * Whether `other` is of no account beside what is missing as well: it never binds, waits for that one, or may crash
   * itself, so that it is asked for last.
   */
  #isExcused(other: string, missing: string): boolean {
    const isFragile = [...this.#crashTitles.values()].some(({ device }) => device === other);
    const waits = [...this.#provenFor(other), ...this.#blocks.known(other)].includes(missing);
    return isFragile || waits || !this.#everBound.has(other);
  }

  #concludeConstraints(): void {
    this.#constraints = this.#given;
    this.#order = partialOrder(this.#devices, this.#given);
    for (const device of this.#blocks.keys()) {
      for (const supplier of this.#blocks.known(device)) {
        const reason = this.#named.has(`${device} ${supplier}`)
          ? `the driver core does not probe ${device} before its supplier ${supplier} is bound`
          : `${device} was not probed while ${supplier} was not bound`;
        this.#constrain({ before: supplier, after: device, reason });
        for (const other of this.#awaitedBy(supplier))
          this.#constrain({ before: other, after: device, reason: `${reason}, which waits for ${other}` });
      }
    }
    for (const [key, { device, title }] of this.#crashTitles) {
      for (const absent of this.#crashes.known(key)) {
        if (!this.#fatal.has(`${key} ${absent}`)) continue;
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
      for (const other of [...this.#provenFor(waiting), ...this.#blocks.known(waiting)]) {
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
    const awaited = gates.some((gate) => isShort(gate, 'hold') && gate.until === device && gate.phase === 'finished');
    if (awaited && (life?.bound ?? NEVER) >= stuck)
      return { device, state: 'not-finished', absent: absentAt(stuck, device, lives) };
  }
  return null;
}
