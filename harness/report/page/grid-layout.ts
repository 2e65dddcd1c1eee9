import type { PageHead } from '../page-data.ts';

/** A grid as it is drawn: boxes of cells that share the values of the chosen axes. */
export interface GridLayout {
  readonly rowAxes: readonly number[];
  readonly columnAxes: readonly number[];
  readonly columns: readonly GridKey[];
  readonly rows: readonly GridRow[];
}

export interface GridKey {
  readonly key: string;
  /** Index of the value for each axis; -1 for none. */
  readonly values: readonly number[];
}

interface GridRow extends GridKey {
  /** Cells by the key of their column. */
  readonly boxes: ReadonlyMap<string, readonly number[]>;
}

/** More rows than this are not seen at a glance. */
const MOST_ROWS = 64;
const COLUMN_AXIS = 'kernel';
const FIRST_AXIS = 'linkage';

function keyOf(head: PageHead, cell: number, axes: readonly number[]): GridKey {
  const values = axes.map((axis) => head.cells[cell]?.axes[axis] ?? -1);
  return { key: values.join(','), values };
}

function byValues(a: GridKey, b: GridKey): number {
  for (const [index, value] of a.values.entries()) {
    const other = b.values[index] ?? -1;
    if (value !== other) return value - other;
  }
  return 0;
}

/**
 * Axes that tell `cells` apart, kernels across and as many of the others down as give a grid that can be seen at a
 * glance.
 */
export function defaultAxes(head: PageHead, cells: readonly number[]): { rows: string[]; columns: string[] } {
  const varying = head.axes
    .filter((_, axis) => new Set(cells.map((cell) => head.cells[cell]?.axes[axis])).size > 1)
    .map((axis) => axis.name);
  const columns = varying.filter((name) => name === COLUMN_AXIS);
  const others = varying.filter((name) => name !== COLUMN_AXIS);
  const ordered = [...others.filter((name) => name === FIRST_AXIS), ...others.filter((name) => name !== FIRST_AXIS)];
  const rows: string[] = [];
  for (const name of ordered) {
    const axes = indexesOf(head, [...rows, name]);
    if (new Set(cells.map((cell) => keyOf(head, cell, axes).key)).size > MOST_ROWS) break;
    rows.push(name);
  }
  return { rows, columns };
}

function indexesOf(head: PageHead, names: readonly string[]): number[] {
  return names.map((name) => head.axes.findIndex((axis) => axis.name === name)).filter((index) => index >= 0);
}

/** Puts cells into the boxes of a grid. */
export function layOut(
  head: PageHead,
  cells: readonly number[],
  rows: readonly string[],
  columns: readonly string[],
): GridLayout {
  const rowAxes = indexesOf(head, rows);
  const columnAxes = indexesOf(head, columns);
  const columnKeys = new Map<string, GridKey>();
  const rowKeys = new Map<string, GridKey & { boxes: Map<string, number[]> }>();
  for (const cell of cells) {
    const column = keyOf(head, cell, columnAxes);
    columnKeys.set(column.key, column);
    const key = keyOf(head, cell, rowAxes);
    const row = rowKeys.get(key.key) ?? { ...key, boxes: new Map<string, number[]>() };
    rowKeys.set(key.key, row);
    const box = row.boxes.get(column.key);
    if (box === undefined) row.boxes.set(column.key, [cell]);
    else box.push(cell);
  }
  return {
    rowAxes,
    columnAxes,
    columns: [...columnKeys.values()].sort(byValues),
    rows: [...rowKeys.values()].sort(byValues),
  };
}
