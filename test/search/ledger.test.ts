import { expect, it } from 'vitest';
import { OrderLedger } from '../../harness/search/ledger.ts';
import type { Outcome } from '../../harness/search/outcome.ts';
import { partialOrder } from '../../harness/search/precedence.ts';

const DEVICES = ['a', 'b'];
const OUTCOME: Outcome = { verdict: 'bound', reason: '', signature: null, events: [], gates: [] };
const FREE = partialOrder(DEVICES, []);

function ask(ledger: OrderLedger, times: number): void {
  for (let time = 0; time < times; time++) ledger.noteAsked('cell', ['b', 'a'], ['a', 'b'], OUTCOME, false);
}

const givenUp = (ledger: OrderLedger) => ledger.measure(FREE).pairs.impossible.map(({ order }) => order.join(' '));

it('an order that was asked for three times and not seen is given up, with what came instead', () => {
  const ledger = new OrderLedger(DEVICES, 2);
  ask(ledger, 2);
  expect(givenUp(ledger)).toEqual([]);
  ask(ledger, 1);
  expect(ledger.measure(FREE).pairs.impossible).toEqual([
    { order: ['b', 'a'], reason: 'asked for in 3 boots and not seen: a was probed before b' },
  ]);
});

it('when orders are asked for in another way they have all their turns again', () => {
  const ledger = new OrderLedger(DEVICES, 2);
  ask(ledger, 3);
  ledger.reopen();
  ask(ledger, 2);
  expect(givenUp(ledger)).toEqual([]);
  ask(ledger, 1);
  expect(givenUp(ledger)).toEqual(['b a']);
});

it('an order that another boot shows later is none that was never observed', () => {
  const ledger = new OrderLedger(DEVICES, 2);
  ask(ledger, 2);
  expect(ledger.unrealised.map(({ why }) => why)).toEqual(Array(2).fill('a was probed before b'));
  for (const { table } of ledger.levels) table.add(['b', 'a']);
  expect(ledger.unrealised, 'the order of bindings is open').toHaveLength(2);
  ledger.bindings.table.add(['b', 'a']);
  expect(ledger.unrealised).toEqual([]);
});
