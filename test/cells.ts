import type { Cell } from '../harness/model/cell.ts';

/** A cell of the small board in which nothing is put into an order, with the parts that a test is about. */
export function aCell(parts: Partial<Cell> = {}): Cell {
  return {
    id: 'cell',
    row: null,
    claim: null,
    axes: {},
    kernel: '6.1',
    linkage: 'builtin',
    board: 'small',
    tree: [],
    bootargs: [],
    cpus: 1,
    shift: 4,
    gates: [],
    plan: [],
    watch: [],
    expect: { verdicts: ['bound'] },
    ...parts,
  };
}
