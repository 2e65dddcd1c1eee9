import { stringify } from 'yaml';
import { z } from 'zod';
import { complaint } from '../axes/axis.ts';
import { DEFAULT_SHIFT } from '../axes/draft.ts';
import { LINKAGE } from '../axes/linkage.ts';
import { LARGEST_SHIFT } from '../axes/shift.ts';
import { CPUS_MAX } from '../board/board-plan.ts';
import { resolveBoard } from '../boards/boards.ts';
import { InputError } from '../errors.ts';
import { DEFAULT_BOARD } from '../model/board.ts';
import type { Cell } from '../model/cell.ts';
import { parseYaml, strictMap } from '../yaml.ts';
import {
  boardSchema,
  bootargsSchema,
  expectationShape,
  gatesSchema,
  idSchema,
  planSchema,
  textSchema,
  toExpectation,
  treeSchema,
  watchSchema,
} from './parts.ts';

const fileSchema = strictMap({
  id: idSchema,
  row: textSchema.nullable().default(null),
  claim: textSchema.nullable().default(null),
  axes: z.record(z.string().min(1), textSchema).default({}),
  kernel: textSchema.refine((kernel) => kernel.trim() !== '', { error: 'expected a kernel' }),
  linkage: textSchema.default('builtin'),
  board: boardSchema.default(DEFAULT_BOARD),
  tree: treeSchema.default([]),
  bootargs: bootargsSchema.default([]),
  cpus: z.int().min(1).max(CPUS_MAX).default(1),
  shift: z.int().min(0).max(LARGEST_SHIFT).default(DEFAULT_SHIFT),
  gates: gatesSchema.default([]),
  plan: planSchema.default([]),
  watch: watchSchema.optional(),
  expect: strictMap(expectationShape),
});

/**
 * Reads one cell from YAML, with the keys of `Cell` and `expect` as in the matrix file. Left out: `linkage` is builtin,
 * the small board, one vCPU, the default icount shift, an empty plan, and the board's subjects are watched.
 *
 * @param file name of the file as messages show it
 * @throws InputError naming file, line and column, what was expected and what was found
 */
export function parseCellFile(text: string, file: string): Cell {
  const { value, at } = parseYaml(text, file, fileSchema);
  const { expect, watch, ...cell } = value;
  const board = resolveBoard(cell.board);
  const range = LINKAGE.values(board);
  if (!range.accepts(cell.linkage))
    throw new InputError(`${at(['linkage'])}: linkage: ${complaint(range, cell.linkage)}`);
  return {
    ...cell,
    watch: watch ?? board.subjects.map(({ device }) => device),
    expect: toExpectation(expect),
  };
}

/**
 * A cell as YAML, complete, so that what the defaults are does not matter to whoever boots it. parseCellFile() reads
 * the same cell back.
 */
export function formatCellFile(cell: Cell): string {
  const { verdicts, ...details } = cell.expect;
  const { expect: _, ...rest } = cell;
  // Folding long strings would make them hard to search for; anchors for shared parts, hard to read.
  return stringify(
    { ...rest, expect: { verdict: verdicts, ...details } },
    { lineWidth: 0, aliasDuplicateObjects: false },
  );
}
