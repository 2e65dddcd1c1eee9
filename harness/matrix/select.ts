import { InputError } from '../errors.ts';
import { commandLine } from '../invocation.ts';
import type { Cell } from '../model/cell.ts';
import { matchesGlob } from '../regex.ts';
import { didYouMean } from '../suggest.ts';

/** Keys of `--only` beside the axes. */
const ID = 'id';
const ROW = 'row';

/**
 * The cells that every `AXIS=VALUE[,VALUE...]` agrees with; words for the same axis add up. `row=T8` and `id=...` go by
 * row and id, and `*` in a value stands for any characters.
 *
 * @param only the words given with `--only`; none selects all
 * @throws InputError for a word without `=`, an axis or value that no cell has, and when no cell is left
 */
export function selectCells(cells: readonly Cell[], only: readonly string[]): Cell[] {
  const wanted = new Map<string, string[]>();
  for (const word of only) {
    const equals = word.indexOf('=');
    const axis = word.slice(0, Math.max(equals, 0));
    const values = word.slice(equals + 1).split(',');
    if (axis === '' || values.includes('')) {
      throw new InputError(`--only ${word}: expected AXIS=VALUE or AXIS=VALUE,VALUE`, 'for example --only row=T8');
    }
    const known = knownValues(cells, axis);
    if (known.size === 0) {
      const axes = [...new Set(cells.flatMap((cell) => Object.keys(cell.axes)))];
      throw new InputError(
        `--only ${word}: there is no axis ${axis}${didYouMean(axis, [ROW, ID, ...axes])}`,
        `use one of ${[ROW, ID, ...axes].join(', ')}`,
      );
    }
    for (const value of values) {
      if (![...known].some((other) => matchesGlob(value, other))) {
        throw new InputError(
          `--only ${word}: no cell has ${axis} ${value}${didYouMean(value, known)}`,
          axis === ID
            ? 'list the ids with --list'
            : value.includes('=')
              ? `one axis each: --only ${axis}=... --only ${value}`
              : `use one of ${[...known].sort(byNumber.compare).join(', ')}`,
        );
      }
    }
    wanted.set(axis, [...(wanted.get(axis) ?? []), ...values]);
  }
  const selected = cells.filter((cell) =>
    [...wanted].every(([axis, values]) => {
      const own = axisValue(cell, axis);
      return own !== null && values.some((value) => matchesGlob(value, own));
    }),
  );
  if (selected.length === 0) {
    throw new InputError(`no cell agrees with all of --only ${only.join(' --only ')}`, 'List the cells with --list');
  }
  return selected;
}

/**
 * The cell with this id, or the first cell of a row when `id` is a row's name.
 *
 * @throws InputError when there is none; it names what was probably meant
 */
export function findCell(cells: readonly Cell[], id: string, what = 'cell'): Cell {
  const exact = cells.find((cell) => cell.id === id);
  if (exact !== undefined) return exact;
  const ofRow = cells.find((cell) => cell.row?.toLowerCase() === id.toLowerCase());
  if (ofRow !== undefined) return ofRow;
  throw new InputError(
    `there is no ${what} ${id}${didYouMean(
      id,
      cells.map((cell) => cell.id),
    )}`,
    `list the cells with \`${commandLine(['matrix', '--list'])}\``,
  );
}

/** T2 before T10. */
const byNumber = new Intl.Collator('en', { numeric: true });

/** The text of `--list`: id, row and expected verdicts of each cell, in columns, cells of a row first. */
export function listCells(cells: readonly Cell[]): string {
  const rows = [...cells.filter((cell) => cell.row !== null), ...cells.filter((cell) => cell.row === null)];
  const width = Math.max(0, ...cells.map((cell) => cell.id.length));
  const rowWidth = Math.max(0, ...cells.map((cell) => cell.row?.length ?? 0));
  const lines = rows.map(
    (cell) => `${(cell.row ?? '').padEnd(rowWidth)}  ${cell.id.padEnd(width)}  ${cell.expect.verdicts.join(' or ')}`,
  );
  return `${[...lines, cells.length === 1 ? '1 cell' : `${cells.length} cells`].join('\n')}\n`;
}

function axisValue(cell: Cell, axis: string): string | null {
  if (axis === ID) return cell.id;
  if (axis === ROW) return cell.row;
  return Object.hasOwn(cell.axes, axis) ? (cell.axes[axis] ?? null) : null;
}

function knownValues(cells: readonly Cell[], axis: string): Set<string> {
  return new Set(cells.flatMap((cell) => axisValue(cell, axis) ?? []));
}
