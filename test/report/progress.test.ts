import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { formatKernelProgress, formatStatus, renderProgress } from '../../harness/report/progress.ts';
import { advance, kernelsLeft, NOTHING_YET, timeLeft } from '../../harness/report/run-state.ts';
import type { LifecycleEvent } from '../../harness/run/lifecycle.ts';
import { aCell } from './builders.ts';

const ESCAPE = '\u001b';

const EVENTS: LifecycleEvent[] = [
  { event: 'run-started', cells: 8, repeat: 1, workers: 2, kernels: 2 },
  ...[1, 2, 3, 4].flatMap((n): LifecycleEvent[] => [
    { event: 'boot-started', id: `c${n}` },
    { event: 'boot-finished', id: `c${n}` },
    { event: 'cell-finished', cell: aCell({ id: `c${n}` }) },
  ]),
  { event: 'boot-started', id: 'c5' },
];

describe('run state', () => {
  it('estimates the rest from what is done', () => {
    const state = EVENTS.reduce((sum, event, index) => advance(sum, event, 100 * (index + 1)), NOTHING_YET);
    expect(state.cellsDone).toBe(4);
    expect(state.running).toEqual(['c5']);
    expect(timeLeft(state, 1000)).toBe(800); // 4 cells in 800 ms, 4 left
    expect(formatStatus(state, 1000)).toEqual(['cells: 4 of 8, 0.8 s left, booting c5']);
  });

  it('tells each row that is decided while kernels are compiled, and a preview, but no row of a run that compiles nothing', () => {
    const compiling = {
      event: 'kernel-progress',
      kernel: '6.1',
      progress: { phase: 'compiling', subject: '6.1', done: 1, total: 9, isRough: false, secondsLeft: null },
    } as const;
    const row: LifecycleEvent = { event: 'cell-finished', cell: aCell({ row: 'T1' }) };
    const preview: LifecycleEvent = { event: 'preview-finished', cell: aCell({ row: 'T8', verdict: 'null-deref' }) };
    const linesOf = (events: readonly LifecycleEvent[]) => {
      const lines: string[] = [];
      const progress = renderProgress({ write: (text: string) => lines.push(text) }, { env: {}, now: () => 0 });
      for (const event of events) progress.listen(event);
      progress.close();
      return lines.join('');
    };
    expect(linesOf([compiling, preview, row])).toMatch(
      /^while kernels are compiled, 6\.1\.192: T8 ✓ null-deref: .*\n6\.1\.192: T1 ✓ bound: .*\n$/,
    );
    expect(linesOf([row])).toBe('');
    expect(linesOf([compiling, { event: 'preview-missed', id: 'T8', why: 'apt-get failed\n' }])).toBe(
      'no answer before the first kernel is compiled: T8: apt-get failed \n',
    );
  });

  it('says nothing a second time without a terminal while it stands still', () => {
    const compiling = (done: number): LifecycleEvent => ({
      event: 'kernel-progress',
      kernel: '6.1',
      progress: { phase: 'compiling', subject: '6.1', done, total: 9, isRough: false, secondsLeft: null },
    });
    const lines: string[] = [];
    let now = 0;
    const progress = renderProgress({ write: (text: string) => lines.push(text) }, { env: {}, now: () => now });
    progress.listen({ event: 'boot-started', id: 'c1' });
    progress.listen({ event: 'boot-finished', id: 'c1' });
    for (const done of [1, 2, 2]) {
      now += 30_000;
      progress.listen(compiling(done));
    }
    progress.close();
    expect(lines).toEqual([
      'kernel: 6.1: compiling, 1 of 9 objects\n',
      'boots: 1\n',
      'kernel: 6.1: compiling, 2 of 9 objects\n',
    ]);
  });

  it('counts boots beside cells where each is booted several times', () => {
    const events: LifecycleEvent[] = [
      { event: 'run-started', cells: 2, repeat: 100, workers: 2, kernels: 1 },
      ...Array.from({ length: 50 }).flatMap((): LifecycleEvent[] => [
        { event: 'boot-started', id: 'c1' },
        { event: 'boot-finished', id: 'c1' },
      ]),
    ];
    const state = events.reduce((sum, event) => advance(sum, event, 0), NOTHING_YET);
    expect(formatStatus(state, 10_000)).toEqual(['cells: 0 of 2, boots: 50 of 200, 30 s left']);
  });

  it('counts the boots of a search, which has no cells', () => {
    const search: LifecycleEvent[] = [
      { event: 'search-started', workers: 2, mostBoots: 64 },
      { event: 'boot-started', id: 'x-1' },
      { event: 'boot-started', id: 'x-2' },
      { event: 'boot-started', id: 'x-2' },
      { event: 'boot-finished', id: 'x-1' },
      { event: 'boot-finished', id: 'x-2' },
    ];
    const state = search.reduce((sum, event) => advance(sum, event, 5), NOTHING_YET);
    expect(formatStatus(state, 10)).toEqual(['boots: 2 of at most 64, booting x-2']);
    const unbounded = advance(state, { event: 'search-started', workers: 2, mostBoots: null }, 10);
    expect(formatStatus(unbounded, 10)).toEqual(['boots: 2, booting x-2']);
  });

  it('says nothing about the end before it knows something', () => {
    const state = EVENTS.slice(0, 3).reduce((sum, event) => advance(sum, event, 5), NOTHING_YET);
    expect(timeLeft(state, 100)).toBeNull();
  });

  it('says nothing about the end while kernels are to be compiled, and does not count their time', () => {
    const progress = {
      phase: 'compiling',
      subject: '6.1',
      done: 1,
      total: 9,
      isRough: true,
      secondsLeft: null,
    } as const;
    const compiled = { event: 'kernel-finished', subject: '6.1', unbuildable: null, built: true, wallMs: 900 } as const;
    const [start, ...boots] = EVENTS;
    const state = (events: readonly (LifecycleEvent | undefined)[], at: number, from = NOTHING_YET) =>
      events.reduce((sum, event) => (event === undefined ? sum : advance(sum, event, at)), from);
    const one = state([start, { event: 'kernel-progress', kernel: '6.1', progress }, compiled, ...boots], 100);
    expect(timeLeft(one, 900)).toBeNull();
    const both = state([compiled], 900, one);
    expect(timeLeft(both, 1000)).toBeNull();
    const [five, six] = [...'56'].map((n): LifecycleEvent => ({ event: 'boot-finished', id: `c${n}` }));
    expect(timeLeft(state([five, six, five, six], 1300, { ...both, boots: 20 }), 1300)).toBe(1200);
  });

  it('names the kernel that is built, the objects and the time left', () => {
    const progress = {
      phase: 'compiling',
      subject: '6.1 builtin',
      done: 812,
      total: 1604,
      isRough: false,
      secondsLeft: 40,
    } as const;
    expect(formatKernelProgress(progress)).toBe('6.1 builtin: compiling, 812 of 1604 objects, 40 s left');
    const first = { ...progress, isRough: true, secondsLeft: null };
    expect(formatKernelProgress(first)).toBe('6.1 builtin: compiling, 812 of about 1604 objects');
    expect(formatKernelProgress({ ...first, total: null })).toBe('6.1 builtin: compiling, 812 objects');
    const started = advance(NOTHING_YET, { event: 'run-started', cells: 8, repeat: 1, workers: 2, kernels: 2 }, 0);
    expect(formatStatus(advance(started, { event: 'kernel-progress', kernel: '6.1', progress }, 0), 0)).toEqual([
      'kernels: 0 of 2 ready: 6.1 builtin: compiling, 812 of 1604 objects, 40 s left',
    ]);
  });
});

describe('kernels that are compiled at once', () => {
  const compiling = (kernel: string, done: number, total: number | null = 1000): LifecycleEvent => ({
    event: 'kernel-progress',
    kernel,
    progress: { phase: 'compiling', subject: kernel, done, total, isRough: true, secondsLeft: null },
  });
  const step = (kernel: string, phase: 'unpacking' | 'configuring' | 'packing'): LifecycleEvent => ({
    event: 'kernel-progress',
    kernel,
    progress: { phase, subject: kernel, done: null, total: null, isRough: false, secondsLeft: null },
  });
  const ready = (subject: string): LifecycleEvent => ({
    ...{ event: 'kernel-finished', subject, built: true, wallMs: 1, unbuildable: null },
  });
  const statusOf = (events: readonly LifecycleEvent[], now: number) => {
    const started: LifecycleEvent = { event: 'run-started', cells: 8, repeat: 1, workers: 2, kernels: 4 };
    return formatStatus(
      [started, ...events].reduce((sum, event) => advance(sum, event, 0), NOTHING_YET),
      now,
    );
  };

  it('have one line, which says about when the last one is there', () => {
    // 500 objects in 5 minutes; of these kernels 1500 are left, and two more, a source's later ones, cost 100 each.
    expect(statusOf([compiling('a', 100), compiling('b', 200), compiling('a', 300)], 300_000)).toEqual([
      'kernels: 0 of 4 ready, about 17 min left: a: compiling, 300 of about 1000 objects; ' +
        'b: compiling, 200 of about 1000 objects',
    ]);
    const later = [compiling('a', 1050, null), step('a', 'packing'), compiling('b', 200), ready('a')];
    expect(statusOf([...later, step('c', 'configuring')], 1_250_000)).toEqual([
      'kernels: 1 of 4 ready, about 17 min left: b: compiling, 200 of about 1000 objects; c: configuring',
    ]);
  });

  it('are compiled as fast as in the last minutes, not as at first', () => {
    const started: LifecycleEvent = { event: 'run-started', cells: 8, repeat: 1, workers: 2, kernels: 2 };
    let state = advance(NOTHING_YET, started, 0);
    const seconds = Array.from({ length: 100 }, (_, n) => 10 * n);
    // Ten objects a second for a minute, then one every two seconds.
    for (const at of seconds)
      state = advance(state, compiling('a', at <= 60 ? 10 * at : 600 + (at - 60) / 2, 2000), at * 1000);
    const left = 2000 - (600 + (990 - 60) / 2) + 100;
    expect(kernelsLeft(state, 990_000)).toBeGreaterThan(0.9 * left * 2000);
    expect(kernelsLeft(state, 990_000)).toBeLessThan(1.1 * left * 2000);
  });

  it('have no end in sight before some objects are made, and while a source is unpacked', () => {
    expect(statusOf([compiling('a', 99)], 300_000)[0]).not.toContain('left');
    expect(statusOf([compiling('a', 500)], 300_000)[0]).toContain('left');
    expect(statusOf([compiling('a', 500), step('b', 'unpacking')], 300_000)[0]).not.toContain('left');
  });
});

describe('progress without a terminal', () => {
  it('prints surprises at once, and a status no more than every thirty seconds, the first after ten', () => {
    let now = 0;
    const lines: string[] = [];
    const progress = renderProgress({ write: (text) => lines.push(text) }, { env: {}, now: () => now });
    for (const event of EVENTS) progress.listen(event);
    expect(lines).toEqual(['8 cells on 2 kernels, 2 workers\n']);
    progress.listen({ event: 'boot-finished', id: 'c5' });
    progress.listen({
      event: 'cell-finished',
      cell: aCell({
        id: 'c5',
        verdict: 'hang',
        asExpected: false,
        expected: { verdicts: ['bound'] },
        reason: 'no output',
      }),
    });
    expect(lines.slice(1)).toEqual(['✗ c5: hang: no output (expected bound)\n']);
    now = 10_001;
    progress.listen({ event: 'boot-started', id: 'c6' });
    progress.listen({ event: 'boot-started', id: 'c7' });
    expect(lines.slice(2)).toEqual(['cells: 5 of 8, 1 unexpected, 6.0 s left, booting c6\n']);
    now = 40_000;
    progress.listen({ event: 'boot-finished', id: 'c6' });
    expect(lines).toHaveLength(3);
    now = 40_002;
    progress.listen({ event: 'boot-finished', id: 'c7' });
    expect(lines).toHaveLength(4);
    progress.close();
  });

  it('lives while nothing happens: what stays as it is comes again after a minute', () => {
    vi.useFakeTimers();
    try {
      const lines: string[] = [];
      const progress = renderProgress({ write: (text) => lines.push(text) }, { env: {}, now: Date.now });
      const unpacking = { phase: 'unpacking', subject: '6.1', done: null, total: null, isRough: false } as const;
      progress.listen({ event: 'kernel-progress', kernel: '6.1', progress: { ...unpacking, secondsLeft: null } });
      vi.advanceTimersByTime(9_000);
      expect(lines).toEqual([]);
      vi.advanceTimersByTime(2_000);
      expect(lines).toEqual(['kernel: 6.1: unpacking\n']);
      vi.advanceTimersByTime(55_000);
      expect(lines).toHaveLength(1);
      vi.advanceTimersByTime(10_000);
      expect(lines).toEqual(['kernel: 6.1: unpacking\n', 'kernel: 6.1: unpacking\n']);
      progress.close();
      vi.advanceTimersByTime(300_000);
      expect(lines).toHaveLength(2);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('progress on a terminal', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('draws over its own lines and leaves none behind', () => {
    const screen = new Screen();
    const progress = renderProgress(
      { isTTY: true, columns: 60, write: (text) => screen.write(text) },
      { env: { NO_COLOR: '1' }, now: () => 0 },
    );
    for (const event of EVENTS) progress.listen(event);
    vi.advanceTimersByTime(1000);
    expect(screen.lines).toHaveLength(2);
    expect(screen.lines[1]).toMatch(/^⠋ cells: 4 of 8/);
    progress.listen({
      event: 'cell-finished',
      cell: aCell({ id: 'c5', verdict: 'infra-error', asExpected: false, reason: 'gone' }),
    });
    vi.advanceTimersByTime(200);
    expect(screen.lines.slice(1)).toEqual(['? c5: infra-error: gone', expect.stringMatching(/^⠋ cells: 5 of 8/)]);
    progress.close();
    vi.advanceTimersByTime(1000);
    expect(screen.lines).toEqual(['8 cells on 2 kernels, 2 workers', '? c5: infra-error: gone']);
  });
});

const CONTROL = new RegExp(`(${ESCAPE}\\[\\d*[FJ])`);

/** As much of a terminal as the status needs: lines, cursor up to a line's start, erase below. */
class Screen {
  lines: string[] = [];
  write(text: string): void {
    for (const part of text.split(CONTROL)) {
      const up = /\[(\d+)F/.exec(part)?.[1];
      if (up !== undefined) this.lines.splice(this.lines.length - Number(up));
      else if (!part.startsWith(ESCAPE)) this.lines.push(...part.split('\n').slice(0, -1));
    }
  }
}
