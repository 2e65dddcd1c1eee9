import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { BuiltInAxis } from '../../harness/axes/axis.ts';
import type { Draft } from '../../harness/axes/draft.ts';
import { linkageFragment } from '../../harness/axes/linkage.ts';
import { AXES } from '../../harness/axes/registry.ts';
import { resolveBoard } from '../../harness/boards/boards.ts';
import { editTree } from '../../harness/devicetree/edit.ts';
import { parseFdt } from '../../harness/devicetree/parse.ts';
import { compileDeviceTree } from '../../harness/kernel/dtc.ts';
import { parseCellFile } from '../../harness/matrix/cell-file.ts';
import { expandMatrix } from '../../harness/matrix/expand.ts';
import { parseMatrix } from '../../harness/matrix/schema.ts';
import type { Cell } from '../../harness/model/cell.ts';
import { AFTER } from './fixtures/after.ts';

const THREE = fileURLToPath(new URL('fixtures/three', import.meta.url));

/** The one cell in which each axis has the given value, on the board of the test. */
function cellOf(values: string, axes: readonly BuiltInAxis[] = AXES): Cell {
  const text = `axes: { board: ['${THREE}'], kernel: [k], ${values} }\nexpect: [{ match: {}, verdict: bound }]`;
  const [cell, ...others] = expandMatrix(parseMatrix(text, 'm.yaml', axes));
  if (cell === undefined || others.length > 0) throw new Error(`${others.length + 1} cells`);
  return cell;
}

describe('a board that is one folder', () => {
  it('gives the axes their values', () => {
    const cell = cellOf(
      'linkage: [modules], async: [lock+smem], async-by: [param], delay: [smem-20], load: [smem-smp2p-lock]',
    );
    expect(cell).toMatchObject({
      board: THREE,
      bootargs: [],
      gates: [{ gate: 'delay', device: 'smem', ms: 20 }],
      watch: ['5e040000.hwlock', 'smem', 'smp2p-adsp'],
    });
    expect(cell.plan).toMatchObject([
      { step: 'load', module: 'smem', params: 'async_probe=1' },
      { step: 'load', module: 'smp2p', params: '' },
      { step: 'load', module: 'qcom_hwspinlock', params: 'async_probe=1' },
      { step: 'wait', device: 'smem' },
      { step: 'settle' },
    ]);
  });

  it('is built, loaded and bound by its own names', () => {
    const cell = cellOf('linkage: [lock+smp2p-module], async: [all], node: [first], delay: [5]');
    expect(cell.plan.filter(({ step }) => step === 'load')).toMatchObject([
      { module: 'qcom_hwspinlock' },
      { module: 'smp2p' },
    ]);
    expect(cell.bootargs).toEqual(['driver_async_probe=qcom_hwspinlock,qcom-smem,qcom_smp2p']);
    expect(cell.tree).toEqual([{ edit: 'move', node: '/smem', to: 'first' }]);
    // The first subject is the one that the others depend on.
    expect(cell.gates).toEqual([{ gate: 'delay', device: '5e040000.hwlock', ms: 5 }]);
    expect(linkageFragment(resolveBoard(THREE), cell.linkage)).toBe(
      'CONFIG_HWSPINLOCK_QCOM=m\nCONFIG_QCOM_SMEM=y\nCONFIG_QCOM_SMP2P=m\n',
    );
    const bound = cellOf("linkage: [modules], autoprobe: ['off'], bind: [smp2p-lock-smp2p]");
    expect(bound.plan.filter(({ step }) => step === 'probe')).toMatchObject([
      { device: 'smp2p-adsp' },
      { device: '5e040000.hwlock' },
      { device: 'smp2p-adsp' },
    ]);
  });

  it('has a tree on which its cells can be made', async () => {
    const board = resolveBoard(THREE);
    if (board.kind !== 'standin') throw new Error('not a stand-in');
    const tree = parseFdt(await compileDeviceTree(board.source), board.source);
    const { tree: edits } = cellOf('linkage: [builtin], node: [last]');
    expect([...editTree(tree, edits).root.children].at(-1)?.name).toBe('smem');
  });

  it.each([
    [
      'linkage: [smmu-module]',
      'axis linkage: expected builtin, modules, or NAME-module with names joined by + (lock, smem, smp2p)',
    ],
    ['linkage: [smem-modul]', 'did you mean smem-module?'],
    ['linkage: [builtin], async: [both]', 'axis async: expected none, all, or names joined by + (lock, smem, smp2p)'],
    ['linkage: [modules], load: [lock-lock-smem]', 'axis load: expected names joined by - in the order of loading'],
    ['linkage: [modules], load: [lock-smem]', 'load: lock-smem has no meaning unless the drivers that it names'],
    ['linkage: [builtin], delay: [scm-5]', 'axis delay: expected milliseconds from 0 to 3600000, or NAME-MILLISECONDS'],
  ])('knows no value of another board: %s', (values, message) => {
    expect(() => cellOf(values)).toThrow(message);
  });

  it('is one for cell files, too', () => {
    const text = `id: x\nkernel: k\nboard: ${THREE}\nlinkage: smem-module\nexpect: { verdict: bound }`;
    expect(parseCellFile(text, 'c.yaml').watch).toEqual(['5e040000.hwlock', 'smem', 'smp2p-adsp']);
    expect(() => parseCellFile(text.replace('smem-module', 'scm-module'), 'c.yaml')).toThrow(
      'c.yaml:4:10: linkage: expected builtin, modules',
    );
  });

  it('does not mix with another one in a cell', () => {
    const text = `axes:
  kernel: [k]
  linkage: [smem-module]
  board: ['${THREE}', small]
expect: [{ match: {}, verdict: bound }]`;
    // Both boards' linkages may stand in the file, but each cell has its own board's.
    expect(() => expandMatrix(parseMatrix(text, 'm.yaml'))).toThrow(
      /^cell k\.smem-module\.board=small on board small: linkage: expected .*\(scm, smmu\).*found smem-module$/,
    );
  });
});

describe('an axis that is one file', () => {
  it('is taken by matrix files', () => {
    expect(cellOf('linkage: [builtin], after: [smem-lock]', [...AXES, AFTER]).gates).toEqual([
      { gate: 'hold', device: 'smem', until: '5e040000.hwlock', phase: 'finished' },
    ]);
    expect(() => cellOf('linkage: [builtin], after: [smem]', [...AXES, AFTER])).toThrow(
      'axis after: expected two names joined by - (lock, smem, smp2p), found smem',
    );
  });

  it('is unknown where it is not registered', () => {
    expect(() => cellOf('linkage: [builtin], after: [smem-lock]')).toThrow('unknown axis after');
  });

  it('does not compile without one of its parts', () => {
    const { name, values, meaningless, apply } = AFTER;
    const incomplete: BuiltInAxis[] = [
      // @ts-expect-error: no name
      { values, meaningless, apply },
      // @ts-expect-error: no values
      { name, meaningless, apply },
      // @ts-expect-error: does not say when it has no meaning
      { name, values, apply },
      // @ts-expect-error: does nothing to a cell
      { name, values, meaningless },
    ];
    expect(incomplete).toHaveLength(4);
  });

  it('decides nothing that a draft has no field for', () => {
    const stray = { ...AFTER, apply: (draft: Draft) => ({ ...draft, afterwards: 'smem' }) };
    expect(() => cellOf("linkage: [builtin], after: ['smem-lock']", [...AXES, stray])).toThrow(
      'axis after: Draft (axes/draft.ts) has no field afterwards',
    );
  });

  it('stands in the registry if it stands in the folder', async () => {
    const folder = new URL('../../harness/axes/', import.meta.url);
    const registered = new Set<unknown>(AXES);
    const forgotten: string[] = [];
    for (const file of await readdir(folder)) {
      const module: object = await import(new URL(file, folder).href);
      for (const [name, part] of Object.entries(module)) {
        if (part !== null && typeof part === 'object' && 'meaningless' in part && !registered.has(part)) {
          forgotten.push(`${file}: ${name}`);
        }
      }
    }
    expect(forgotten, 'axes that harness/axes/registry.ts does not list').toEqual([]);
    expect(new Set(AXES.map(({ name }) => name)).size).toBe(AXES.length);
  });
});
