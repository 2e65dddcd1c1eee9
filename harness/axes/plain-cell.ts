import { resolveBoard } from '../boards/boards.ts';
import { InputError } from '../errors.ts';
import { DEFAULT_BOARD } from '../model/board.ts';
import type { Cell } from '../model/cell.ts';
import { isPass, VERDICTS } from '../model/verdict.ts';
import { complaint } from './axis.ts';
import { bootOfDraft, emptyDraft } from './draft.ts';
import { LINKAGE } from './linkage.ts';

/**
 * A cell that asks for nothing but its kernel: modules in the board's order, no gates, the subjects watched. What a
 * search varies, and what a boot for another purpose than its order starts from.
 * @throws InputError for an unknown board, or a linkage that the board does not have
 */
export function plainCell(
  id: string,
  kernel: string,
  { linkage, board = DEFAULT_BOARD }: { readonly linkage: string; readonly board?: string },
): Cell {
  const found = resolveBoard(board);
  const range = LINKAGE.values(found);
  if (!range.accepts(linkage)) throw new InputError(`board ${board}: linkage: ${complaint(range, linkage)}`);
  return {
    id,
    row: null,
    claim: null,
    axes: {},
    ...bootOfDraft(LINKAGE.apply({ ...emptyDraft(found), kernel }, linkage)),
    expect: { verdicts: VERDICTS.filter(isPass) },
  };
}
