import { type Coverage, CoverageTable } from './coverage.ts';
import type { Unrealised } from './exploration.ts';
import { titleOf } from './findings.ts';
import type { Outcome } from './outcome.ts';
import type { PartialOrder } from './precedence.ts';
import { type ProbeLife, recordedOrder } from './recorded.ts';
import { type TupleSpace, tupleSpace } from './tuples.ts';

/** Times an order is asked for before it is given up. */
const ASKS_BEFORE_GIVING_UP = 3;

/** Orders of so many probes. */
interface Level {
  readonly space: TupleSpace;
  readonly table: CoverageTable;
  /** How often each order was asked for and not seen, and why it was given up, by its index. */
  readonly asks: Map<number, number>;
  readonly givenUp: Map<number, string>;
}

/** Which orders were seen, and which were asked for and not. */
export class OrderLedger {
  readonly levels: readonly [Level, ...Level[]];
  /** Orders of bindings, of the highest strength. */
  readonly bindings: { readonly space: TupleSpace; readonly table: CoverageTable };
  readonly #unrealised: Unrealised[] = [];

  /** @throws InputError when there are too many devices for the strength */
  constructor(devices: readonly string[], strength: number) {
    const level = (of: number): Level => {
      const space = tupleSpace(devices.length, of);
      return { space, table: new CoverageTable(space, devices), asks: new Map(), givenUp: new Map() };
    };
    const highest = Math.min(strength, devices.length);
    this.levels = highest > 2 ? [level(2), level(highest)] : [level(2)];
    const space = tupleSpace(devices.length, highest);
    this.bindings = { space, table: new CoverageTable(space, devices) };
  }

  /** Adds what a boot showed before place `end` of its timeline; returns the order in which probes began. */
  see(lives: ReadonlyMap<string, ProbeLife>, end: number): string[] {
    const recorded = recordedOrder(lives, 'started', end);
    for (const { table } of this.levels) table.add(recorded);
    this.bindings.table.add(recordedOrder(lives, 'bound', end));
    return recorded;
  }

  /** What was given up is to be asked for again, in another way. */
  reopen(): void {
    for (const { asks, givenUp } of this.levels) {
      asks.clear();
      givenUp.clear();
    }
  }

  /**
   * Counts what was asked for and not seen, and gives an order up when it was asked for often enough: not where the
   * boot `taught` how to ask.
   */
  noteAsked(
    cell: string,
    asked: readonly string[],
    recorded: readonly string[],
    outcome: Outcome,
    taught: boolean,
  ): void {
    if (recorded.join() === asked.join()) return;
    const why = whyNot(asked, recorded, outcome);
    this.#unrealised.push({ cell, asked, recorded, why });
    if (taught) return;
    for (const { table, asks, givenUp } of this.levels) {
      for (const index of table.unseen(asked)) {
        const times = (asks.get(index) ?? 0) + 1;
        asks.set(index, times);
        if (times >= ASKS_BEFORE_GIVING_UP) givenUp.set(index, `asked for in ${times} boots and not seen: ${why}`);
      }
    }
  }

  /** Boots whose order was not the one that they were asked for, and that no other boot has shown since. */
  get unrealised(): Unrealised[] {
    const tables = [...this.levels, this.bindings].map(({ table }) => table);
    return this.#unrealised.filter(({ asked }) => tables.some((table) => table.unseen(asked).length > 0));
  }

  /** Coverage of the orders of two probes, and of the highest strength; of bindings, of which none is given up. */
  measure(order: PartialOrder): { pairs: Coverage; coverage: Coverage; bound: Coverage } {
    const [pairs, ...more] = this.levels.map(({ table, givenUp }) => table.measure(order, givenUp));
    if (pairs === undefined) throw new Error('there is always a level');
    return { pairs, coverage: more.at(-1) ?? pairs, bound: this.bindings.table.measure(order, new Map()) };
  }
}

function whyNot(asked: readonly string[], recorded: readonly string[], outcome: Outcome): string {
  const missing = asked.filter((device) => !recorded.includes(device));
  if (outcome.signature !== null) return `the boot crashed first (${titleOf(outcome) ?? outcome.signature})`;
  const timeouts = outcome.gates.flatMap((gate) =>
    gate.verb === 'timed-out' ? [`${gate.device} until ${gate.detail}`] : [],
  );
  if (timeouts.length > 0) return `hold timed out: ${timeouts.join(', ')}`;
  if (missing.length > 0) return `never probed: ${missing.join(', ')}`;
  const place = asked.findIndex((device, at) => recorded[at] !== device);
  return `${recorded[place]} was probed before ${asked[place]}`;
}
