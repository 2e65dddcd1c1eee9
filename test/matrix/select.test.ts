import { describe, expect, test } from 'vitest';
import { expandMatrix } from '../../harness/matrix/expand.ts';
import { parseMatrix } from '../../harness/matrix/schema.ts';
import { findCell, listCells, selectCells } from '../../harness/matrix/select.ts';

const cells = expandMatrix(
  parseMatrix(
    `axes:
  kernel: [6.1, 6.1-unfixed, 6.12]
  linkage: [builtin, modules]
  load: { values: [scm-smmu, smmu-scm], when: { linkage: modules } }
rows:
  - { row: T1, claim: c, match: { kernel: 6.1, linkage: builtin } }
  - { row: T2, claim: c, match: { linkage: modules, load: smmu-scm } }
expect: [{ match: {}, verdict: [bound, deferred-then-bound] }]`,
    'm.yaml',
  ),
);
const select = (...only: string[]) => selectCells(cells, only).map((cell) => cell.id);

describe('--only', () => {
  test('none selects all', () => {
    expect(select()).toHaveLength(9);
  });

  test('values of an axis add up, axes narrow down', () => {
    expect(select('kernel=6.1,6.12', 'linkage=builtin')).toEqual(['6.1.builtin', '6.12.builtin']);
    expect(select('kernel=6.1', 'kernel=6.12', 'linkage=builtin')).toEqual(['6.1.builtin', '6.12.builtin']);
  });

  test('two axes in one option are told apart', () => {
    expect(() => select('kernel=6.1,row=T2')).toThrow(
      expect.objectContaining({ hint: 'one axis each: --only kernel=... --only row=T2' }),
    );
    expect(() => select('row=T3')).toThrow(expect.objectContaining({ hint: 'use one of T1, T2' }));
  });

  test('rows, ids and asterisks', () => {
    expect(select('row=T1')).toEqual(['6.1.builtin']);
    expect(select('row=T*', 'kernel=*fixed')).toEqual(['6.1-unfixed.modules.load=smmu-scm']);
    expect(select('id=6.1*.load=*')).toEqual([
      '6.1.modules.load=smmu-scm',
      '6.1-unfixed.modules.load=smmu-scm',
      '6.12.modules.load=smmu-scm',
    ]);
    expect(select('id=6.1-*u*i*n')).toEqual(['6.1-unfixed.builtin']);
    expect(() => select('id=6.1.buil*uiltin')).toThrow('no cell has id 6.1.buil*uiltin');
    expect(() => select('id=6.1.b*.builtin')).toThrow('no cell has id 6.1.b*.builtin');
    expect(() => select('id=*s*s*u*s*s*m*s*s*')).toThrow('no cell has id');
  });

  test.each([
    ['linkage', 'expected AXIS=VALUE'],
    ['linkage=', 'expected AXIS=VALUE'],
    ['linkag=modules', 'there is no axis linkag, did you mean linkage?'],
    ['linkage=module', 'no cell has linkage module, did you mean modules?'],
    ['row=T3', 'no cell has row T3, did you mean T'],
    ['constructor=x', 'there is no axis constructor'],
  ])('%s', (word, message) => {
    expect(() => select(word)).toThrow(message);
  });

  test('nothing left', () => {
    expect(() => select('row=T1', 'linkage=modules')).toThrow(
      'no cell agrees with all of --only row=T1 --only linkage=modules',
    );
  });
});

describe('findCell', () => {
  test('by id and by a row of one cell', () => {
    expect(findCell(cells, '6.12.modules').id).toBe('6.12.modules');
    expect(findCell(cells, 't1').id).toBe('6.1.builtin');
  });

  test('takes the first cell of a row', () => {
    expect(findCell(cells, 't2')).toBe(cells.find((cell) => cell.row === 'T2'));
  });

  test('names what was probably meant', () => {
    expect(() => findCell(cells, '6.1.module')).toThrow('there is no cell 6.1.module, did you mean 6.1.modules?');
    expect(() => findCell(cells, 'a.log', 'file or cell')).toThrow('there is no file or cell a.log');
  });
});

test('--list has the rows first, in columns', () => {
  expect(listCells(selectCells(cells, ['kernel=6.1']))).toBe(
    [
      'T1  6.1.builtin                bound or deferred-then-bound',
      'T2  6.1.modules.load=smmu-scm  bound or deferred-then-bound',
      '    6.1.modules                bound or deferred-then-bound',
      '3 cells',
      '',
    ].join('\n'),
  );
});
