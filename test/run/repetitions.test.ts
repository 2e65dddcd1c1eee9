import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { CellRecord } from '../../harness/run/record.ts';
import { type Boot, holdAgainstReset, type Repetition, recordOfBoots } from '../../harness/run/repetitions.ts';
import { aCell } from '../report/builders.ts';

const CONSOLE = [
  'Booting Linux',
  '[    6.161063] qcom_scm: convention: smc arm 64',
  '[    6.161629] probe of firmware:scm returned 0 after 6016000 usecs',
  '[    9.999999] bootrace: done',
  '',
].join('\n');
/** As in one boot of 432: ahead after the wait, behind after the next tick. */
const AHEAD = CONSOLE.replace('6.161063', '6.161068')
  .replace('6016000', '6016005')
  .replace('   9.999999', '  10.000024');

function aBoot(console: string, parts: Partial<CellRecord> = {}): Boot {
  const consoleHash = createHash('sha256').update(console).digest('hex');
  return { record: aCell({ consoleHash, ...parts }), console: () => Buffer.from(console) };
}

const LOST = aBoot('', { verdict: 'infra-error', asExpected: false, consoleHash: null });

/** Boots with these consoles, and what each says when it is made once more, told in `made`. */
function boots(first: readonly (string | Boot)[], again: Record<number, string | Boot>) {
  const toBoot = (boot: string | Boot) => (typeof boot === 'string' ? aBoot(boot) : boot);
  const made: number[] = [];
  const repetitions = first.map(
    (boot, n): Repetition => ({
      boot: toBoot(boot),
      again: async () => {
        made.push(n + 1);
        const second = again[n + 1];
        if (second === undefined) throw new Error(`boot ${n + 1} was made once more`);
        return toBoot(second);
      },
    }),
  );
  return { repetitions, made };
}

async function told(first: readonly (string | Boot)[], again: Record<number, string | Boot> = {}) {
  const { repetitions, made } = boots(first, again);
  const { record, flakes, clockRaces } = await recordOfBoots(repetitions);
  return { record, flakes: flakes.map(({ what, repetition }) => [repetition, what]), clockRaces, made };
}

test("a boot whose stamps QEMU's clock race has put off is made once more, and that is told", async () => {
  expect(await told([CONSOLE, AHEAD, CONSOLE], { 2: CONSOLE })).toMatchObject({
    flakes: [],
    clockRaces: [{ id: aCell().id, repetition: 2, microseconds: 25 }],
    made: [2],
  });
  // The first one is no better than the others; and of two, a third boot says which one it is.
  for (const first of [
    [AHEAD, CONSOLE, CONSOLE],
    [AHEAD, CONSOLE],
  ]) {
    const { record, flakes, clockRaces } = await told(first, { 1: CONSOLE, 2: CONSOLE });
    expect([flakes, clockRaces.map(({ repetition }) => repetition)]).toEqual([[], [1]]);
    expect(record.consoleHash).toBe(aBoot(CONSOLE).record.consoleHash);
  }
  expect((await told([CONSOLE, AHEAD], { 2: CONSOLE })).clockRaces).toMatchObject([{ repetition: 2 }]);
});

test('a boot that is off again, or in another way, is a flake', async () => {
  const other = CONSOLE.replace('6.161063', '6.161065');
  expect(await told([CONSOLE, CONSOLE, AHEAD], { 3: AHEAD })).toMatchObject({
    flakes: [[3, 'console']],
    clockRaces: [],
  });
  expect(await told([CONSOLE, CONSOLE, AHEAD], { 3: other })).toMatchObject({
    flakes: [[3, 'console']],
    clockRaces: [],
  });
  // Each way comes again, so that neither is an accident.
  expect(await told([CONSOLE, AHEAD], { 1: CONSOLE, 2: AHEAD })).toMatchObject({ flakes: [[2, 'console']] });
});

test.each<[string, string | Boot, string]>([
  ['another text', CONSOLE.replace('smc arm', 'smc legacy'), 'console'],
  ['another number', CONSOLE.replace('arm 64', 'arm 65'), 'console'],
  ['a line less', CONSOLE.replace(/^.*convention.*\n/m, ''), 'console'],
  ['another order of lines', CONSOLE.split('\n').reverse().join('\n'), 'console'],
  ['a difference of 51 µs', CONSOLE.replace('6.161063', '6.161114'), 'console'],
  ['a duration that differs by 51 µs', CONSOLE.replace('6016000', '6016051'), 'console'],
  ['a byte that is no character', CONSOLE.replace('Booting', 'Boot\u0000ng'), 'console'],
  ['another verdict', aBoot(AHEAD, { verdict: 'hang' }), 'verdict'],
  ['another order', aBoot(AHEAD, { order: [{ event: 'bound', device: 'soc' }] }), 'order'],
  [
    'another gate',
    aBoot(AHEAD, { gates: [{ time: 1, verb: 'held', subject: 'firmware:scm', detail: '' }] }),
    'console',
  ],
])('%s is a flake at once', async (_, boot, what) => {
  expect(await told([CONSOLE, boot, CONSOLE])).toMatchObject({ flakes: [[2, what]], clockRaces: [], made: [] });
  expect(await told([CONSOLE, boot])).toMatchObject({ flakes: [[2, what]], clockRaces: [], made: [] });
});

test('the times of gates may be off as well', async () => {
  const held = (time: number) => ({ gates: [{ time, verb: 'released', subject: 'firmware:scm', detail: '6000' }] });
  const right = aBoot(CONSOLE, held(6_269_676));
  const answers = { 2: right };
  expect((await told([right, aBoot(AHEAD, held(6_269_681)), right], answers)).clockRaces).toHaveLength(1);
  expect((await told([right, aBoot(AHEAD, held(6_269_776)), right], answers)).flakes).toEqual([[2, 'console']]);
});

describe('a boot from a snapshot, held against one from reset', () => {
  const SNAPSHOT_AT = CONSOLE.indexOf('[    6.161629]');
  /** AHEAD, where the race came only after the snapshot. */
  const LATER = CONSOLE.replace('   9.999999', '  10.000024');

  async function held(fromSnapshot: readonly string[], fromReset: readonly string[]) {
    const made = { snapshot: 0, reset: 0 };
    const toRepetition = (consoles: readonly string[], which: keyof typeof made): Repetition => {
      const next = async () => aBoot(consoles[made[which]++] ?? 'no more');
      return { boot: aBoot(consoles[made[which]++] ?? ''), again: next };
    };
    const told = await holdAgainstReset(
      toRepetition(fromSnapshot, 'snapshot'),
      SNAPSHOT_AT,
      toRepetition(fromReset, 'reset'),
    );
    return [told.what, told.isSnapshotOff, told.clockRaces.map(({ microseconds }) => microseconds), made];
  }

  test('agrees with it at once, or where the race had put off either', async () => {
    expect(await held([CONSOLE], [CONSOLE])).toEqual([null, false, [], { snapshot: 1, reset: 1 }]);
    expect(await held([CONSOLE], [AHEAD, CONSOLE])).toEqual([null, false, [25], { snapshot: 1, reset: 2 }]);
    expect(await held([LATER, CONSOLE], [CONSOLE, CONSOLE])).toEqual([null, false, [25], { snapshot: 2, reset: 2 }]);
  });

  test('tells a snapshot whose own boot the race had put off', async () => {
    expect(await held([AHEAD, AHEAD], [CONSOLE, CONSOLE])).toEqual([null, true, [25], { snapshot: 2, reset: 2 }]);
  });

  test('differs by an error of the harness where it does so again after the snapshot, or in another way', async () => {
    expect((await held([LATER, LATER], [CONSOLE, CONSOLE])).slice(0, 3)).toEqual(['console', false, []]);
    const other = CONSOLE.replace('smc arm', 'smc legacy');
    expect((await held([other], [CONSOLE])).slice(0, 3)).toEqual(['console', false, []]);
  });
});

test('a boot without a verdict makes no flake of the others, and the cell has no verdict', async () => {
  const other = CONSOLE.replace('smc', 'hvc');
  expect(await told([CONSOLE, CONSOLE])).toMatchObject({ record: aBoot(CONSOLE).record, flakes: [] });
  expect(await told([CONSOLE, CONSOLE, other])).toMatchObject({ flakes: [[3, 'console']] });
  for (const lost of [[CONSOLE, LOST], [LOST, CONSOLE], [LOST]])
    expect(await told(lost)).toMatchObject({ record: LOST.record, flakes: [], made: [] });
  // Two that have one and differ are a flake all the same.
  expect(await told([LOST, CONSOLE, other])).toMatchObject({ record: LOST.record, flakes: [[3, 'console']] });
  expect(await told([CONSOLE, AHEAD], { 2: LOST })).toMatchObject({ record: LOST.record, flakes: [], clockRaces: [] });
});
