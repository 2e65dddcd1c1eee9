import { isMissing } from '../model/verdict.ts';
import { type CellRecord, difference, type RunRecord } from './record.ts';

/*
 * Boots of one cell, held against each other. They have to agree in every byte, and QEMU 7.2 has a race in which they
 * do not: its main loop may see a CPU that has just halted before the CPU's thread has counted its last instructions
 * (icount_start_warp_timer() against icount_process_data()). Virtual time then goes on some microseconds ahead, in one
 * of some hundred boots on a host that is busy with something else. A boot that this explains is made once more.
 */

/**
 * Largest difference that the race explains, microseconds of virtual time: twice the largest that was seen, in one of
 * 432 boots. There the stamps were 5 µs ahead after a wait, and 25 µs behind once the guest had waited for its next
 * tick.
 */
const CLOCK_RACE_US = 50;

/** One boot of a cell. */
export interface Boot {
  readonly record: CellRecord;
  /** All that the guest said; most boots differ in nothing, and are not asked. */
  readonly console: () => Buffer;
}

export interface Repetition {
  readonly boot: Boot;
  /** Makes the boot once more. */
  readonly again: () => Promise<Boot>;
}

interface Settled {
  /** The boots that count, in the order in which they were given. */
  readonly records: readonly CellRecord[];
  /** Those that differ from most others. `index` from 0. */
  readonly flakes: readonly { readonly index: number; readonly what: RunRecord['flakes'][number]['what'] }[];
  /** Those that the race had put off by so much, and that agreed when they were made once more. */
  readonly clockRaces: readonly { readonly index: number; readonly microseconds: number }[];
}

/**
 * Holds boots of one cell against each other. One that differs from most by no more than the race explains is made once
 * more, once, and has to agree in every byte then. Of two that differ the first counts as right until there is a third.
 */
async function settle(repetitions: readonly Repetition[]): Promise<Settled> {
  const boots = repetitions.map(({ boot }) => boot);
  if (boots.length === 0) return { records: [], flakes: [], clockRaces: [] };
  const made = [...boots];
  const repeated = new Map<number, number>();
  for (;;) {
    const right = mostCommon(made);
    const [race] = repetitions.flatMap(({ boot, again }, index) => {
      const microseconds = repeated.has(index) ? null : clockDifference(right, boot);
      return microseconds === null ? [] : [{ index, again, microseconds }];
    });
    if (race === undefined) break;
    repeated.set(race.index, race.microseconds);
    const boot = await race.again();
    boots[race.index] = boot;
    made.push(boot);
  }
  const { record: right } = mostCommon(made);
  const differing = ({ record }: Boot, index: number) => {
    const what = difference(right, record);
    return what === null ? [] : [{ index, what }];
  };
  const flakes = boots.flatMap(differing);
  const wrongAtFirst = repetitions.map(({ boot }) => boot).flatMap(differing);
  return {
    records: boots.map(({ record }) => record),
    flakes,
    clockRaces: wrongAtFirst.flatMap(({ index }) => {
      const microseconds = repeated.get(index);
      return microseconds === undefined || flakes.some((flake) => flake.index === index)
        ? []
        : [{ index, microseconds }];
    }),
  };
}

/** What a boot from a snapshot comes to, held against one from reset. */
interface HeldAgainstReset extends Pick<Settled, 'clockRaces'> {
  /** What it says otherwise, for no reason but an error of the harness; null where there is nothing. */
  readonly what: Settled['flakes'][number]['what'] | null;
  /** The race came before the snapshot was taken: whatever is booted from it is off by as much. */
  readonly isSnapshotOff: boolean;
}

/**
 * Holds a boot from a snapshot, of which the first `snapshotAt` bytes come from the snapshot's own boot, against one
 * from reset: they have to agree in every byte. The race may have put off either of the two, or the snapshot's boot.
 */
export async function holdAgainstReset(
  fromSnapshot: Repetition,
  snapshotAt: number,
  fromReset: Repetition,
): Promise<HeldAgainstReset> {
  const { flakes, clockRaces } = await settle([fromSnapshot, fromReset]);
  const what = flakes[0]?.what ?? null;
  if (what === null) return { what, isSnapshotOff: false, clockRaces };
  const before = ({ console }: Boot) => console().subarray(0, snapshotAt);
  const microseconds = clockDifference(fromReset.boot, fromSnapshot.boot);
  return microseconds === null || before(fromReset.boot).equals(before(fromSnapshot.boot))
    ? { what, isSnapshotOff: false, clockRaces }
    : { what: null, isSnapshotOff: true, clockRaces: [{ index: 0, microseconds }] };
}

/** The boot that most others agree with; of two, the one that was made first. */
function mostCommon(boots: readonly Boot[]): Boot {
  const agreeing = ({ record }: Boot) => boots.filter((other) => difference(record, other.record) === null).length;
  return boots.reduce((best, boot) => (agreeing(boot) > agreeing(best) ? boot : best));
}

/**
 * By how many microseconds the times of two boots differ at most, where nothing else does and the race explains it;
 * null otherwise, and for boots that agree.
 */
export function clockDifference(a: Boot, b: Boot): number | null {
  if (difference(a.record, b.record) !== 'console') return null;
  const [one, other] = [timesOf(a), timesOf(b)];
  if (one.rest !== other.rest) return null;
  const most = one.times.reduce((sum, time, n) => Math.max(sum, Math.abs(time - (other.times[n] ?? 0))), 0);
  return most === 0 || most > CLOCK_RACE_US ? null : most;
}

/**
 * What printk() puts before a line (print_time(), kernel/printk/printk.c, 6.1), and durations of initcalls and probes
 * (`returned 0 after 4781 usecs`, `initcall_debug`).
 */
const TIMES = /^\[ *(\d{1,9})\.(\d{6})(?=\])|\b(\d{1,15})(?= usecs\b)/gm;

/** The times of a boot in microseconds, and all else that is compared: the console's text, and what the gates did. */
function timesOf({ console, record }: Boot): { readonly rest: string; readonly times: readonly number[] } {
  const text = console().toString('latin1');
  const times = [...text.matchAll(TIMES)].map(([, seconds, fraction, duration]) =>
    Number(seconds === undefined ? duration : `${seconds}${fraction}`),
  );
  const gates = record.gates.map((gate) => ({ ...gate, time: null }));
  times.push(...record.gates.map((gate) => gate.time ?? 0));
  return { rest: `${text.replaceAll(TIMES, '#')}\n${JSON.stringify(gates)}`, times };
}

/**
 * What the boots of one cell come to: the record of the first, and where others differ. A boot without a verdict says
 * nothing of the others, which are compared all the same; a cell that has one has no verdict itself.
 */
export async function recordOfBoots(
  repetitions: readonly Repetition[],
): Promise<{ readonly record: CellRecord } & Pick<RunRecord, 'flakes' | 'clockRaces'>> {
  const isLost = ({ verdict }: CellRecord) => isMissing(verdict);
  const numbered = repetitions.map((repetition, n) => ({ repetition, number: n + 1 }));
  const told = numbered.filter(({ repetition }) => !isLost(repetition.boot.record));
  const { records, flakes, clockRaces } = await settle(told.map(({ repetition }) => repetition));
  const lost = [...repetitions.map(({ boot }) => boot.record), ...records].find(isLost);
  const record = lost ?? records[0];
  if (record === undefined) throw new Error('a cell has no boots');
  const named = (index: number) => ({ id: record.id, repetition: told[index]?.number ?? 0 });
  return {
    record,
    flakes: flakes.flatMap(({ index, what }) => {
      const boot = records[index];
      return boot === undefined || isLost(boot) ? [] : [{ ...named(index), what }];
    }),
    clockRaces: clockRaces.map(({ index, microseconds }) => ({ ...named(index), microseconds })),
  };
}
