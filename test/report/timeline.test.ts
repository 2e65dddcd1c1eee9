import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VERDICTS } from '../../harness/model/verdict.ts';
import { defaultAxes, layOut } from '../../harness/report/page/grid-layout.ts';
import { chooseTicks, makeScale } from '../../harness/report/page/scale.ts';
import { formatTimeStamp, type PageHead } from '../../harness/report/page-data.ts';
import { makeTimeline, readEvents } from '../../harness/report/timeline.ts';
import { aCell, aRun } from './builders.ts';

const SCM = 'firmware:scm';
const SMMU = '5f000000.iommu';

function events(...list: (readonly [number, string, (string | undefined)?, object?])[]) {
  return readEvents(
    list
      .map(
        ([time, event, device, more], index) =>
          `${JSON.stringify({ event, line: index + 1, time, device, ...more })}\n`,
      )
      .join(''),
  );
}

describe('timeline', () => {
  it('makes bars of probe attempts and marks of deferrals, retries and bindings', () => {
    const { lanes } = makeTimeline(
      aCell(),
      events(
        [100, 'probe-entered', SCM, { driver: 'qcom_scm' }],
        [120, 'probe-entered', SMMU, { driver: 'arm-smmu' }],
        [150, 'deferred', SMMU, { by: 'driver', reason: 'scm not ready' }],
        [900, 'bound', SCM],
        [910, 'retried', SMMU],
        [920, 'probe-entered', SMMU],
        [950, 'bound', SMMU],
      ),
    );
    const smmu = lanes.find((lane) => lane.device === SMMU);
    expect(smmu?.driver).toBe('arm-smmu');
    expect(smmu?.notable).toBe(true);
    expect(smmu?.attempts).toEqual([
      { from: 120, to: 150, outcome: 'deferred', line: 2 },
      { from: 920, to: 950, outcome: 'bound', line: 6 },
    ]);
    expect(smmu?.marks.map((mark) => mark.text)).toEqual([
      'deferred: scm not ready',
      'retried from the deferred list',
      'bound to arm-smmu',
    ]);
    expect(lanes[0]?.device).toBe(SMMU); // what the verdict is about stands first
  });

  it('ends the probe that crashed at the crash, and leaves the others unfinished', () => {
    const cell = aCell({ verdict: 'null-deref' });
    const { lanes, crash } = makeTimeline(
      cell,
      events(
        [100, 'probe-entered', SCM],
        [120, 'probe-entered', SMMU],
        [130, 'crash', undefined, { title: 'NULL' }],
        [180, 'shutdown'],
      ),
    );
    expect(crash).toEqual({ time: 130, line: 3, title: 'NULL' });
    expect(lanes.map((lane) => [lane.device, lane.attempts[0]?.outcome, lane.attempts[0]?.to])).toEqual([
      [SMMU, 'crash', 130],
      [SCM, 'unfinished', 180],
    ]);
  });

  it('brings the clock of the gates together with that of printk', () => {
    const cell = aCell({
      gates: [
        { time: 1_000_105, verb: 'delayed', subject: SCM, detail: '6000' },
        { time: 7_000_105, verb: 'released', subject: SCM, detail: '6000' },
      ],
    });
    const { lanes } = makeTimeline(cell, events([100, 'probe-entered', SCM], [6_000_200, 'bound', SCM]));
    expect(lanes[0]?.gates).toEqual([{ from: 100, to: 6_000_100, text: 'gate: delayed 6000' }]);
  });

  it('takes a returned error for the end of the attempt', () => {
    const outcome = (value: number) =>
      makeTimeline(aCell(), events([1, 'probe-entered', SMMU], [5, 'probe-returned', SMMU, { value, usecs: 4 }]))
        .lanes[0]?.attempts[0];
    expect(outcome(-517)).toMatchObject({ to: 5, outcome: 'deferred' });
    expect(outcome(-22)).toMatchObject({ to: 5, outcome: 'failed' });
  });

  it('survives events that are cut, foreign or have no time', () => {
    const read = readEvents('{"event":"bound","line":1,"time":5,"device":"x"}\n{"event":7}\n{"event":"bo');
    expect(read).toHaveLength(1);
    expect(
      makeTimeline(
        aCell(),
        events([1, 'bound', SCM]).map((event) => ({ ...event, time: null })),
      ),
    ).toMatchObject({ lanes: [] });
  });
});

describe('scale', () => {
  const times = fc.array(fc.nat(10_000_000), { minLength: 1, maxLength: 40 });

  it('keeps the order of times and stays within the axis', () => {
    fc.assert(
      fc.property(times, fc.boolean(), (list, linear) => {
        const scale = makeScale(list, 700, linear);
        const places = [...list].sort((a, b) => a - b).map(scale.place);
        return places.every(
          (place, index) => place >= 0 && place <= 700.001 && place >= (places[index - 1] ?? 0) - 1e-6,
        );
      }),
    );
  });

  it('writes no label over another', () => {
    fc.assert(
      fc.property(times, (list) => {
        const scale = makeScale(list, 700, false);
        const places = chooseTicks(list, scale, 50).map(scale.place);
        return places.every((place, index) => index === 0 || place - (places[index - 1] ?? 0) >= 50);
      }),
    );
  });

  it('shows microseconds beside seconds', () => {
    const scale = makeScale([0, 100, 6_000_000, 6_000_100], 1000, false);
    expect(scale.place(100)).toBeGreaterThan(10);
    expect(makeScale([0, 100, 6_000_000, 6_000_100], 1000, true).place(100)).toBeLessThan(1);
  });
});

describe('time stamps', () => {
  it('are those of printk', () => {
    expect(formatTimeStamp(6_412_345)).toBe('[    6.412345] ');
    expect(formatTimeStamp(123_456_000_001)).toBe('[123456.000001] ');
  });
});

function headOf(cells: readonly Record<string, string>[]): PageHead {
  const names = [...new Set(cells.flatMap((cell) => Object.keys(cell)))];
  const axes = names.map((name) => ({ name, values: [...new Set(cells.flatMap((cell) => cell[name] ?? []))] }));
  const { cells: _, ...run } = aRun([]);
  return {
    run,
    outcome: '',
    news: null,
    summary: '',
    verdicts: VERDICTS,
    axes,
    blockCells: 1,
    cells: cells.map((cell, index) => ({
      id: `c${index}`,
      row: null,
      claim: null,
      verdict: 'bound',
      outcome: 'expected',
      flaky: false,
      isNew: false,
      expected: null,
      axes: axes.map((axis) => axis.values.indexOf(cell[axis.name] ?? '')),
      what: '',
    })),
  };
}

describe('grid', () => {
  const cells = ['6.1', '6.12'].flatMap((kernel) =>
    ['builtin', 'modules'].flatMap((linkage) =>
      Array.from({ length: 50 }, (_, shift) => ({ kernel, cpus: '1', shift: String(shift), linkage })),
    ),
  );
  const head = headOf(cells);
  const all = head.cells.map((_, index) => index);

  it('puts kernels across and down as many axes as can be seen at a glance', () => {
    expect(defaultAxes(head, all)).toEqual({ rows: ['linkage'], columns: ['kernel'] });
    const few = all.filter((index) => cells[index]?.linkage === 'modules' && cells[index]?.kernel === '6.1');
    expect(defaultAxes(head, few)).toEqual({ rows: ['shift'], columns: [] });
  });

  it('puts each cell into exactly one box, whatever the axes', () => {
    fc.assert(
      fc.property(
        fc.subarray(['kernel', 'linkage', 'shift', 'cpus', 'unknown']),
        fc.subarray(['kernel', 'shift']),
        (rows, columns) => {
          const layout = layOut(head, all, rows, columns);
          const found = layout.rows.flatMap((row) => [...row.boxes.values()].flat());
          expect(found.sort((a, b) => a - b)).toEqual(all);
        },
      ),
    );
  });
});
