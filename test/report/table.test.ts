import { describe, expect, it } from 'vitest';
import { formatCell } from '../../harness/report/cell.ts';
import { colours } from '../../harness/report/paint.ts';
import { renderProgress } from '../../harness/report/progress.ts';
import { formatTable } from '../../harness/report/table.ts';
import { aCell, aCrash, aRun, T8_FUNCTION, threadRun, withCells } from './builders.ts';

const PLAIN = { width: 110, colour: false };

describe('console table', () => {
  it('puts the claims first, in the order of their numbers, with where a crash was', () => {
    const text = formatTable(threadRun(), PLAIN);
    const rows = [...text.matchAll(/^ {2}(T\d+)/gm)].map((match) => match[1]);
    expect(rows).toEqual(['T1', 'T4', 'T7', 'T8', 'T10']);
    expect(text.split('\n')[0]).toBe('Claims');
    expect(text).toMatch(/T8 {3}✓ null-deref {2,}the same, all built in/);
    expect(text).toContain(`in ${T8_FUNCTION} at 0x0, arm-smmu probing 5f000000.iommu`);
    expect(text).toContain('Kconfig gave y');
  });

  it('answers a claim that several kernels answer alike in one line', () => {
    const lines = formatTable(threadRun(), PLAIN).split('\n');
    const answer = lines.find((line) => line.startsWith('  T1 '));
    expect(answer).toContain('6.1-unfixed 6.12-unfixed');
    expect(answer).toContain('1.7 s');
  });

  it('says how long the boots took, or how long they went on after the last kernel was compiled', () => {
    const run = threadRun();
    expect(formatTable(run, PLAIN)).toContain('in 48 s, boots 47 s, ');
    const kernels = [{ recipe: '6.1', linkage: 'builtin', built: true, wallMs: 46_800, log: null, unbuildable: null }];
    const wallMs = { kernels: 46_800, boots: 1_400, total: 48_200 };
    expect(formatTable({ ...run, kernels, wallMs }, PLAIN)).toContain(
      'built in 47 s, the last boot 1.4 s after them, ',
    );
  });

  it('sets kernels side by side for each set of conditions', () => {
    const lines = formatTable(threadRun(), PLAIN).split('\n');
    const heading = lines.indexOf('built in');
    expect(lines[heading + 1]?.trim().split(/\s+/)).toEqual([
      'node',
      'async',
      'delay',
      '6.1',
      '6.1-unfixed',
      '6.12',
      '6.12-unfixed',
      '5.10-unfixed',
    ]);
    expect(lines[heading + 9]?.trim().split(/\s+/)).toEqual([
      'last',
      'both',
      '6000',
      'deferred-then-bound',
      'null-deref',
      'deferred-then-bound',
      'null-deref',
      'null-deref',
    ]);
    expect(lines).toContain('modules  load=scm-smmu');
    expect(lines).not.toContain('SCM a module, SMMU built in');
  });

  it('keeps within the width, but never cuts a replay command', () => {
    const bad = withCells(threadRun(), (cell) => (cell.id.startsWith('6.12.') ? { asExpected: false } : null));
    for (const width of [80, 100, 120]) {
      for (const line of formatTable(bad, { width, colour: false }).split('\n')) {
        if (!/replay|console|cells?:|unexpected|also| {12}6/.test(line)) expect(line.length).toBeLessThanOrEqual(width);
      }
    }
    expect(formatTable(bad, { width: 72, colour: false })).toContain(
      'npm run -s bootrace -- cell 6.12.builtin.node-first',
    );
  });

  it('counts verdicts, says which are expected, and how long it took', () => {
    expect(formatTable(threadRun(), PLAIN)).toMatch(
      /^121 cells: 110 bound, 4 deferred-then-bound, 6 null-deref \(expected\), 1 unbuildable \(expected\)\nall as expected {2}in 48 s/m,
    );
  });

  it('shows the crash, the log at its line and the replay command of an unexpected cell', () => {
    const run = aRun([
      aCell(),
      aCell({
        id: 'x.bad',
        verdict: 'null-deref',
        asExpected: false,
        expected: { verdicts: ['deferred-then-bound'], reason: 'the guard defers' },
        crash: aCrash({ line: 212 }),
      }),
    ]);
    const text = formatTable(run, PLAIN);
    expect(text).toContain('Not as expected: 1 cell');
    expect(text).toContain('deferred-then-bound (the guard defers)');
    expect(text).toContain('| Unable to handle kernel NULL pointer dereference at virtual address 0000000000000000');
    expect(text).toContain(`| pc : ${T8_FUNCTION}+0x18/0x50`);
    expect(text).not.toContain('x29:');
    expect(text).toContain(`results/${run.run}/cells/x.bad/console.log:212`);
    expect(text).toContain('npm run -s bootrace -- cell x.bad');
    expect(text).toContain('1 unexpected');
  });

  it('tells the same crash of many cells once', () => {
    const same = Array.from({ length: 500 }, (_, n) =>
      aCell({ id: `cell-${n}`, axes: { kernel: '6.1', n: `${n}` }, verdict: 'null-deref', asExpected: false }),
    );
    const text = formatTable(aRun(same), PLAIN);
    expect(text.match(/\| pc :/g)).toHaveLength(1);
    expect(text).toContain('499 cells with the same problem');
  });

  it('names only the lines with surprises when the grid is too long to read', () => {
    const many = Array.from({ length: 500 }, (_, n) => aCell({ id: `cell-${n}`, axes: { kernel: '6.1', n: `${n}` } }));
    many[77] = aCell({ id: 'cell-77', axes: { kernel: '6.1', n: '77' }, verdict: 'hang', asExpected: false });
    const lines = formatTable(aRun(many), PLAIN).split('\n');
    expect(lines.length).toBeLessThan(30);
    expect(lines.some((line) => /^ {2}77 +hang !/.test(line))).toBe(true);
  });

  it('lists cells that their axes do not tell apart by name', () => {
    const text = formatTable(aRun([aCell({ id: 'one' }), aCell({ id: 'two', verdict: 'hang' })]), PLAIN);
    expect(text).toMatch(/^ {2}two +hang$/m);
  });

  it('reports cells without a verdict and flakes apart from the kernel defects', () => {
    const run = aRun([aCell({ verdict: 'infra-error', asExpected: false })], {
      flakes: [{ id: '6.1.builtin.node-first', what: 'order', repetition: 2 }],
    });
    const text = formatTable(run, PLAIN);
    expect(text).toContain('No verdict: 1 cell');
    expect(text).not.toContain('Not as expected:');
    expect(text).toContain('6.1.builtin.node-first: order in repetition 2');
    expect(text).toContain('1 differed when repeated, 1 without a verdict');
  });

  it("tells a boot that QEMU's clock race has put off, in the table, for one cell and as it happens", () => {
    const clockRaces = [5, 25].map((microseconds) => ({ id: aCell().id, repetition: 2, microseconds }));
    const said = "2 boots made once more: QEMU's clock had been off by up to 25 µs";
    const run = aRun([aCell()], { repeat: 3, clockRaces });
    const text = formatTable(run, PLAIN);
    expect(text).toContain(
      `all as expected  in 48 s, boots 47 s, 2 workers, each booted 3 times, byte for byte the same, ${said}`,
    );
    expect(formatCell(aCell(), run, '.', colours(false))).toContain(
      `3 boots: the same console, byte for byte, in all of them; ${said}`,
    );
    const lines: string[] = [];
    const progress = renderProgress({ write: (line: string) => lines.push(line) }, { env: {}, now: () => 0 });
    progress.listen({ event: 'clock-race', id: 'c1', microseconds: 5 });
    progress.close();
    expect(lines).toEqual(["c1: booted once more, and the same: QEMU's clock had been off by 5 µs\n"]);
  });

  it('lets no log drive the terminal', () => {
    const evil = '\u001b]0;owned\u0007\u001b[2J\u009b31m\u202e\r\nX';
    const run = aRun(
      [
        aCell({
          id: `id${evil}`,
          row: `T1${evil}`,
          claim: evil,
          axes: { kernel: `6.1${evil}`, [evil]: evil },
          replay: evil,
          folder: `cells/${evil}`,
          verdict: 'null-deref',
          asExpected: false,
          expected: { verdicts: ['bound'], function: evil, reason: evil },
          crash: aCrash({ title: evil, text: [evil, `${evil} pc`], trace: [evil], device: evil, address: evil }),
        }),
        aCell({
          id: `2${evil}`,
          axes: { kernel: '6.1', [evil]: 'other' },
          verdict: 'infra-error',
          asExpected: false,
          reason: evil,
        }),
      ],
      { run: evil, flakes: [{ id: evil, what: 'order', repetition: 1 }] },
    );
    expect(formatTable(run, PLAIN).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it('uses colours only when asked to', () => {
    expect(formatTable(threadRun(), { width: 110, colour: true })).toContain('\u001b[');
    expect(formatTable(threadRun(), PLAIN)).not.toContain('\u001b[');
  });

  it('works for an empty run', () => {
    expect(formatTable(aRun([]), PLAIN)).toContain('0 cells');
  });
});
