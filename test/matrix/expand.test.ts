import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expandMatrix } from '../../harness/matrix/expand.ts';
import { parseMatrix } from '../../harness/matrix/schema.ts';
import type { Cell } from '../../harness/model/cell.ts';

const REST = 'expect: [{ match: {}, verdict: bound }]';
const expand = (text: string) => expandMatrix(parseMatrix(text, 'm.yaml'));
const ids = (text: string) => expand(text).map((cell) => cell.id);
const only = (cells: Cell[]): Cell => {
  const [cell] = cells;
  if (cell === undefined || cells.length > 1) throw new Error(`${cells.length} cells`);
  return cell;
};

describe('axes', () => {
  test('are crossed, and a version is not a number', () => {
    expect(ids(`axes: { kernel: [6.1, 5.10], linkage: [builtin, modules] }\n${REST}`)).toEqual([
      '6.1.builtin',
      '6.1.modules',
      '5.10.builtin',
      '5.10.modules',
    ]);
  });

  test('collapse where their `when` does not match', () => {
    const cells = expand(`
axes:
  kernel: [k]
  linkage: [builtin, modules]
  load: { values: [scm-smmu, smmu-scm], when: { linkage: modules } }
${REST}`);
    expect(cells.map((cell) => [cell.id, cell.axes.load])).toEqual([
      ['k.builtin', '-'],
      ['k.modules', 'scm-smmu'],
      ['k.modules.load=smmu-scm', 'smmu-scm'],
    ]);
  });

  test('of the file itself do what `means` says', () => {
    const cells = expand(`
axes:
  kernel: [k]
  linkage: [builtin]
  devlink: { values: ['on', 'off'], means: { 'off': { cmdline: [fw_devlink=off] } } }
${REST}`);
    expect(cells.map((cell) => [cell.id, cell.bootargs])).toEqual([
      ['k.builtin', []],
      ['k.builtin.devlink=off', ['fw_devlink=off']],
    ]);
  });

  test('may lead to one id twice, which is an error', () => {
    expect(() => expand(`axes: { kernel: [a/b, a:b], linkage: [builtin] }\n${REST}`)).toThrow('two cells a-b.builtin');
  });
});

describe('exclude and include', () => {
  const axes = 'axes: { kernel: [k], linkage: [builtin], delay: [0, 10], cpus: { values: [1], also: [2] } }';

  test('exclude takes out what every key of an entry matches', () => {
    expect(ids(`${axes}\nexclude: [{ linkage: builtin, delay: 0 }]\n${REST}`)).toEqual(['k.builtin.delay=10']);
  });

  test('an entry that agrees with cells adds to them', () => {
    const cells = expand(`${axes}\ninclude: [{ delay: 10, cmdline: [debug] }, { cmdline: [quiet] }]\n${REST}`);
    expect(cells.map((cell) => [cell.id, cell.bootargs])).toEqual([
      ['k.builtin', ['quiet']],
      ['k.builtin.delay=10', ['debug', 'quiet']],
    ]);
  });

  test('an entry that agrees with none is a cell for each combination, with defaults for the other axes', () => {
    expect(ids(`${axes}\ninclude: [{ delay: [0, 10], cpus: 2 }]\n${REST}`)).toEqual([
      'k.builtin',
      'k.builtin.delay=10',
      'k.builtin.cpus=2',
      'k.builtin.delay=10.cpus=2',
    ]);
  });

  test('an entry adds nothing to the cells of another entry', () => {
    const cells = expand(`${axes}\ninclude: [{ cpus: 2 }, { cmdline: [quiet] }]\n${REST}`);
    expect(cells.map((cell) => [cell.id, cell.bootargs])).toEqual([
      ['k.builtin', ['quiet']],
      ['k.builtin.delay=10', ['quiet']],
      ['k.builtin.cpus=2', []],
    ]);
  });

  test('a named entry is always a cell of its own, and can be matched by its name', () => {
    const cells = expand(`${axes}
include: [{ name: forced, delay: 10, gates: [{ gate: force, symbol: f, value: 1 }] }]
rows: [{ row: T9, claim: it crashes, match: { name: forced } }]
expect: [{ match: {}, verdict: bound }, { match: { name: forced }, verdict: [oops, null-deref], address: 0x10 }]`);
    expect(cells).toHaveLength(3);
    expect(cells[2]).toMatchObject({
      id: 'k.builtin.delay=10.forced',
      row: 'T9',
      claim: 'it crashes',
      gates: [
        { gate: 'delay', device: 'firmware:scm', ms: 10 },
        { gate: 'force', symbol: 'f', value: 1 },
      ],
      expect: { verdicts: ['oops', 'null-deref'], address: '0x10' },
    });
    expect(cells[1]?.row).toBeNull();
  });

  test('an entry cannot give an axis a value where it has none', () => {
    const text = `
axes: { kernel: [k], linkage: { values: [builtin], also: [modules] }, load: { values: [scm-smmu], when: { linkage: modules } } }
include: [{ linkage: builtin, load: scm-smmu }]
${REST}`;
    expect(() => expand(text)).toThrow('m.yaml:3:11: load: scm-smmu has no meaning here');
  });
});

describe('expect', () => {
  const axes = 'axes: { kernel: [k], linkage: [builtin], delay: [0, 10] }';

  test('the last rule that matches counts', () => {
    const cells = expand(`${axes}
expect:
  - { match: { delay: 10 }, verdict: hang }
  - { match: {}, verdict: bound }
  - { match: { delay: [10] }, verdict: oops, function: f, reason: why }`);
    expect(cells.map((cell) => cell.expect)).toEqual([
      { verdicts: ['bound'] },
      { verdicts: ['oops'], function: 'f', reason: 'why' },
    ]);
  });

  test('a cell without a rule is an error', () => {
    expect(() => expand(`${axes}\nexpect: [{ match: { delay: 10 }, verdict: bound }]`)).toThrow(
      'cell k.builtin has no expectation',
    );
  });

  test.each([
    [`exclude: [{ delay: 10 }, { delay: 10 }]\n${REST}`, 'm.yaml:2:26: this exclude entry matches no cell'],
    [
      `exclude: [{ delay: 10 }]\nrows: [{ row: T1, claim: c, match: { delay: 10 } }]\n${REST}`,
      'm.yaml:3:8: this row T1 matches no cell',
    ],
    [
      'exclude: [{ delay: 10 }]\nexpect: [{ match: {}, verdict: bound }, { match: { delay: 10 }, verdict: hang }]',
      'm.yaml:3:41: this expect rule matches no cell',
    ],
    [
      `rows: [{ row: T1, claim: c, match: {} }, { row: T2, claim: c, match: { delay: 0 } }]\n${REST}`,
      'm.yaml:2:42: cell k.builtin is in row T1 already',
    ],
  ])('an entry that does nothing is an error: %j', (rest, message) => {
    expect(() => expand(`${axes}\n${rest}`)).toThrow(message);
  });
});

describe('conditions', () => {
  const cell = (values: string) =>
    only(
      expand(
        `axes: { ${values
          .split(' ')
          .map((v) => v.replace('=', ': [').concat(']'))
          .join(', ')} }\n${REST}`,
      ),
    );

  test('builtin, both asynchronous, node last, delayed', () => {
    expect(cell('kernel=k linkage=builtin node=last async=both delay=6000 cpus=2 shift=6')).toMatchObject({
      kernel: 'k',
      linkage: 'builtin',
      tree: [{ edit: 'move', node: '/firmware', to: 'last' }],
      bootargs: ['driver_async_probe=qcom_scm,arm-smmu'],
      cpus: 2,
      shift: 6,
      gates: [{ gate: 'delay', device: 'firmware:scm', ms: 6000 }],
      plan: [{ step: 'settle' }],
      watch: ['firmware:scm', '5f000000.iommu'],
    });
  });

  test('modules with parameters wait longer than the delay', () => {
    const { plan, bootargs } = cell('kernel=k linkage=modules async=scm async-by=param delay=6000');
    expect(bootargs).toEqual([]);
    expect(plan).toMatchObject([
      { step: 'load', module: 'qcom_scm', params: 'async_probe=1' },
      { step: 'load', module: 'arm_smmu', params: '' },
      { step: 'wait', device: 'firmware:scm' },
      { step: 'settle' },
    ]);
    const wait = plan.find((step) => step.step === 'wait');
    expect(wait?.ms).toBeGreaterThan(6000);
  });

  test('autoprobe off probes by hand in the order of `bind`', () => {
    expect(cell('kernel=k linkage=modules autoprobe=off bind=smmu-scm-smmu').plan).toMatchObject([
      { step: 'autoprobe', on: false },
      { step: 'load', module: 'qcom_scm' },
      { step: 'load', module: 'arm_smmu' },
      { step: 'probe', device: '5f000000.iommu' },
      { step: 'probe', device: 'firmware:scm' },
      { step: 'probe', device: '5f000000.iommu' },
      { step: 'settle' },
    ]);
  });

  test('modules are loaded in the order of `load`, one module alone', () => {
    expect(cell('kernel=k linkage=modules load=smmu-scm').plan).toMatchObject([
      { module: 'arm_smmu' },
      { module: 'qcom_scm' },
      {},
    ]);
    expect(cell('kernel=k linkage=smmu-module').plan).toMatchObject([{ module: 'arm_smmu' }, {}]);
  });

  test.each([
    [
      'linkage=builtin load=scm-smmu',
      'load: scm-smmu has no meaning unless the drivers that it names, and no others, are modules',
    ],
    ['linkage=smmu-module autoprobe=off', 'autoprobe: off has no meaning'],
    ['linkage=modules bind=smmu-scm', 'bind: smmu-scm has no meaning where the drivers probe by themselves'],
    ['linkage=smmu-module async=both async-by=param', 'async-by: param has no meaning for a driver that is built in'],
    ['linkage=modules async=none async-by=param', 'async-by: param has no meaning where no probe is asynchronous'],
  ])('%s only repeats another boot', (values, message) => {
    expect(() => cell(`kernel=k ${values}`)).toThrow(message);
  });
});

test('a new value or a new axis changes no id and no cell', () => {
  const value = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  const axis = fc.uniqueArray(value, { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(fc.array(axis, { minLength: 1, maxLength: 3 }), axis, fc.nat(2), (axes, extra, which) => {
      const file = (lists: readonly (readonly string[])[]) =>
        `axes:\n  kernel: [k]\n  linkage: [builtin]\n${lists
          .map((values, i) => `  x${i}: { values: [${values.join(', ')}], means: { ${values[0]}: {} } }\n`)
          .join('')}${REST}`;
      const before = ids(file(axes));
      expect(new Set(before).size).toBe(before.length);
      expect(before.length).toBe(axes.reduce((product, values) => product * values.length, 1));
      const grown = axes.map((values, i) => (i === which ? [...new Set([...values, ...extra])] : values));
      expect(ids(file(grown))).toEqual(expect.arrayContaining(before));
      expect(ids(file([...axes, extra]))).toEqual(expect.arrayContaining(before));
    }),
    { numRuns: 50 },
  );
});
