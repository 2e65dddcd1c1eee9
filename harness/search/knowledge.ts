import type { Outcome } from './boot.ts';
import { causeOf } from './cause.ts';
import { contradicts, type PartialOrder, type Precedence, partialOrder } from './precedence.ts';
import { type ProbeLife, probeLives, recordedOrder, timeline } from './recorded.ts';

/** A device whose probe is put into orders. */
export interface Target {
  readonly device: string;
  /** Path of its device tree node, by which the driver core names suppliers; null where it has none. */
  readonly node: string | null;
}

/** A driver that asked for its own deferral: it may begin before what it waits for, but not finish before it. */
export interface DriverWait {
  readonly device: string;
  /** Devices that were bound whenever this one was: what it waits for is among them, or is not a target. */
  readonly suppliers: readonly string[];
}

/** What one boot taught. */
interface Lesson {
  /** An order is now known to be impossible or fatal, so that what is planned has to be planned again. */
  readonly constraint: boolean;
  /** A driver deferred for the first time, so that it is asked in another way from now on. */
  readonly deferrer: boolean;
}

/** A crash and the devices that may be to blame for not being bound when it came. */
export interface Suspicion {
  readonly signature: string;
  readonly title: string;
  /** The device whose probe crashed. */
  readonly device: string;
  readonly suspects: readonly string[];
}

/** Times an order of two probes is asked for in boots that did not crash before it is called impossible. */
const ASKS_BEFORE_IMPOSSIBLE = 3;

/** What the boots so far have taught about the devices' dependencies. */
export class Knowledge {
  readonly #targets: readonly Target[];
  readonly #devices: readonly string[];
  #constraints: readonly Precedence[];
  #order: PartialOrder;
  /** Devices whose driver deferred at least once. */
  readonly #deferrers = new Set<string>();
  /** Pairs "a b": a was bound while b was not, so a does not wait for b. */
  readonly #boundWithout = new Set<string>();
  readonly #everBound = new Set<string>();
  readonly #survived = new Set<string>();
  readonly #suspicions = new Map<string, Suspicion>();
  readonly #refusals = new Map<string, number>();
  readonly #everBefore = new Set<string>();

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
    return [...this.#deferrers].map((device) => ({
      device,
      suppliers: this.#devices.filter((other) => other !== device && !this.#boundWithout.has(pair(device, other))),
    }));
  }

  /** Crashes that more than one order of probes may explain. */
  get suspicions(): Suspicion[] {
    return [...this.#suspicions.values()].filter(({ suspects }) => suspects.length > 1);
  }

  /** Whether `device`, once entered, can be expected to finish while `others` are held back. */
  canFinishBefore(device: string, others: readonly string[]): boolean {
    if (!this.#everBound.has(device)) return false;
    return !this.#deferrers.has(device) || others.every((other) => this.#boundWithout.has(pair(device, other)));
  }

  /** Learns from one boot. `asked` is the order that it was to have, or null for an ungated one. */
  learn(asked: readonly string[] | null, outcome: Outcome): Lesson {
    const lives = probeLives(timeline(outcome.events, outcome.gates), this.#devices);
    const constraints = this.#constraints.length;
    const deferrers = this.#deferrers.size;
    for (const life of lives.values()) {
      this.#learnSuppliers(life, lives);
      this.#learnWaits(life, lives);
    }
    this.#noteSurvivors(lives);
    if (outcome.signature !== null) this.#suspect(outcome);
    this.#settleSuspicions();
    this.#noteOrders(lives, asked, outcome);
    return { constraint: this.#constraints.length > constraints, deferrer: this.#deferrers.size > deferrers };
  }

  #constrain(constraint: Precedence): void {
    const before = this.#devices.indexOf(constraint.before);
    const after = this.#devices.indexOf(constraint.after);
    if (before === -1 || after === -1 || contradicts(this.#order, before, after)) return;
    if (this.#order.precedes(before, after) || this.#everBefore.has(pair(constraint.after, constraint.before))) return;
    this.#constraints = [...this.#constraints, constraint];
    this.#order = partialOrder(this.#devices, this.#constraints);
  }

  /** The driver core names the supplier that it waits for (6.1, device_links_check_suppliers()). */
  #learnSuppliers(life: ProbeLife, lives: ReadonlyMap<string, ProbeLife>): void {
    for (const deferral of life.deferrals) {
      if (deferral.by !== 'supplier' || deferral.reason === null) continue;
      if (life.started !== null && life.started < deferral.at) continue;
      const words = deferral.reason.split(/[\s'"(),]+/);
      for (const supplier of this.#targets) {
        const named = words.includes(supplier.device) || (supplier.node !== null && words.includes(supplier.node));
        const bound = lives.get(supplier.device)?.bound ?? Number.POSITIVE_INFINITY;
        if (!named || supplier.device === life.device || bound < deferral.at) continue;
        this.#constrain({
          before: supplier.device,
          after: life.device,
          reason: `the driver core does not probe ${life.device} before its supplier ${supplier.device} is bound`,
        });
      }
    }
  }

  #learnWaits(life: ProbeLife, lives: ReadonlyMap<string, ProbeLife>): void {
    if (life.deferrals.some(({ by }) => by !== 'supplier')) this.#deferrers.add(life.device);
    const { bound } = life;
    if (bound === null) return;
    this.#everBound.add(life.device);
    for (const other of lives.values()) {
      if ((other.bound ?? Number.POSITIVE_INFINITY) > bound) this.#boundWithout.add(pair(life.device, other.device));
    }
  }

  /** A device that was bound, or deferred itself, while another was not bound does not crash for want of that one. */
  #noteSurvivors(lives: ReadonlyMap<string, ProbeLife>): void {
    for (const life of lives.values()) {
      const through = life.deferrals.find(({ by }) => by !== 'supplier')?.at ?? life.bound;
      if (life.started === null || through === null || through === undefined) continue;
      for (const other of lives.values()) {
        if (other.device !== life.device && (other.bound ?? Number.POSITIVE_INFINITY) > through) {
          this.#survived.add(pair(life.device, other.device));
        }
      }
    }
  }

  #suspect(outcome: Outcome): void {
    const cause = causeOf(outcome, this.#devices);
    const device = cause.probing?.device;
    if (outcome.signature === null || device === undefined || !this.#devices.includes(device)) return;
    const key = `${outcome.signature} ${device}`;
    const unfinished = cause.unfinished.map((state) => state.device);
    const known = this.#suspicions.get(key);
    this.#suspicions.set(key, {
      signature: outcome.signature,
      title: cause.crash?.title ?? outcome.signature,
      device,
      suspects: known === undefined ? unfinished : known.suspects.filter((suspect) => unfinished.includes(suspect)),
    });
  }

  #settleSuspicions(): void {
    for (const [key, suspicion] of this.#suspicions) {
      const suspects = suspicion.suspects.filter((suspect) => !this.#survived.has(pair(suspicion.device, suspect)));
      this.#suspicions.set(key, { ...suspicion, suspects });
      const [only] = suspects;
      if (only === undefined || suspects.length > 1) continue;
      this.#constrain({
        before: only,
        after: suspicion.device,
        reason: `the kernel crashes when ${suspicion.device} is probed before ${only} is bound: ${suspicion.title}`,
      });
    }
  }

  /** An order of two probes that is asked for again and again without a crash and never seen is not possible. */
  #noteOrders(lives: ReadonlyMap<string, ProbeLife>, asked: readonly string[] | null, outcome: Outcome): void {
    const seen = recordedOrder(lives, 'started');
    for (const [place, first] of seen.entries()) {
      for (const second of seen.slice(place + 1)) this.#everBefore.add(pair(first, second));
    }
    if (asked === null || outcome.signature !== null) return;
    const blocker = firstInVain(asked, outcome);
    for (const [place, first] of asked.entries()) {
      // Once one hold has timed out, those behind it do so too and their orders were never enforced.
      if (blocker !== null && first !== blocker) continue;
      for (const second of asked.slice(place + 1)) {
        const refused = seen.includes(first) && seen.includes(second) && seen.indexOf(second) < seen.indexOf(first);
        if (!refused) continue;
        const key = pair(first, second);
        const times = (this.#refusals.get(key) ?? 0) + 1;
        this.#refusals.set(key, times);
        if (times < ASKS_BEFORE_IMPOSSIBLE || this.#everBefore.has(key)) continue;
        this.#constrain({
          before: second,
          after: first,
          reason: `${first} was asked to be probed before ${second} in ${times} boots and never was`,
        });
      }
    }
  }
}

/** The first device of the asked order for which the next one was held in vain, or null when no hold timed out. */
function firstInVain(asked: readonly string[], outcome: Outcome): string | null {
  const timedOut = new Set(outcome.gates.flatMap((gate) => (gate.verb === 'timed-out' ? [gate.device] : [])));
  const place = asked.findIndex((device) => timedOut.has(device));
  return place <= 0 ? null : (asked[place - 1] ?? null);
}

/** Device names hold no blanks, so this is unambiguous. */
function pair(first: string, second: string): string {
  return `${first} ${second}`;
}
