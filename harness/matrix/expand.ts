import { applyAxes, type ExtraParts } from '../axes/apply.ts';
import { InputError } from '../errors.ts';
import { type Cell, NOT_APPLICABLE } from '../model/cell.ts';
import { LONGEST_ID } from './parts.ts';
import { type Axis, type Include, type Match, type Matrix, NAME } from './schema.ts';

/** A cell on its way: axis values, and what entries of `include` added. */
interface Draft {
  readonly axes: ReadonlyMap<string, string>;
  readonly extras: readonly ExtraParts[];
  /** Place of the `include` entry that made it, or null for one of the product. */
  readonly at: string | null;
}

/**
 * The cells of a matrix, in a fixed order: the product of the axes without what `exclude` matches, then the cells that
 * `include` adds. An `include` entry without a name that agrees with cells of the product adds its conditions to them,
 * any other makes a cell of its own for each combination of its values; axes it does not name take their first value.
 * Of the `expect` rules that match a cell, the last one counts.
 *
 * @throws InputError naming the line of an entry that matches nothing, or the cell that has no expectation, two rows,
 * another cell's id, or a value that has no meaning for it
 */
export function expandMatrix(matrix: Matrix): Cell[] {
  let drafts: readonly Draft[] = product(matrix.axes).map((axes) => ({ axes, extras: [], at: null }));
  for (const { match, at } of matrix.exclude) {
    const kept = drafts.filter((draft) => !matches(match, draft.axes));
    if (kept.length === drafts.length) throw useless(at, 'exclude entry');
    drafts = kept;
  }
  drafts = withIncludes(matrix, drafts);
  const cells = drafts.map((draft) => cellOf(matrix, draft));

  for (const { match, at, row } of matrix.rows) {
    if (!drafts.some((draft) => matches(match, draft.axes))) throw useless(at, `row ${row}`);
  }
  for (const { match, at } of matrix.expect) {
    if (!drafts.some((draft) => matches(match, draft.axes))) throw useless(at, 'expect rule');
  }
  const places = new Map<string, string | null>();
  for (const [index, cell] of cells.entries()) {
    const at = drafts[index]?.at ?? null;
    const other = places.get(cell.id);
    if (other !== undefined) {
      throw new InputError(`${at ?? other ?? matrix.file}: there are two cells ${cell.id}`, 'give the entry a `name:`');
    }
    places.set(cell.id, at);
  }
  return cells;
}

function useless(at: string, what: string): InputError {
  return new InputError(`${at}: this ${what} matches no cell`, 'correct it or take it out');
}

/** True where every axis of `match` has one of the values listed for it. */
function matches(match: Match, axes: ReadonlyMap<string, string>): boolean {
  for (const [axis, values] of match) {
    if (!values.includes(axes.get(axis) ?? NOT_APPLICABLE)) return false;
  }
  return true;
}

function product(axes: readonly Axis[]): ReadonlyMap<string, string>[] {
  let partial: ReadonlyMap<string, string>[] = [new Map()];
  for (const { name, values, when } of axes) {
    partial = partial.flatMap((axesSoFar) =>
      (matches(when, axesSoFar) ? values : [NOT_APPLICABLE]).map((value) => new Map([...axesSoFar, [name, value]])),
    );
  }
  return partial;
}

function withIncludes(matrix: Matrix, drafts: readonly Draft[]): Draft[] {
  const extended = [...drafts];
  const added: Draft[] = [];
  for (const include of matrix.include) {
    for (const named of combinations(include.match)) {
      const exact: Match = new Map([...named].map(([axis, value]) => [axis, [value]]));
      // Only cells of the product can be added to, so that the order of the entries does not matter.
      const hits = include.name === null ? extended.flatMap((d, i) => (matches(exact, d.axes) ? [i] : [])) : [];
      for (const index of hits) {
        const draft = extended[index];
        if (draft !== undefined) extended[index] = { ...draft, extras: [...draft.extras, include.extra] };
      }
      if (hits.length === 0) added.push(draftOf(matrix.axes, include, named));
    }
  }
  return [...extended, ...added];
}

function combinations(match: Match): ReadonlyMap<string, string>[] {
  let partial: ReadonlyMap<string, string>[] = [new Map()];
  for (const [axis, values] of match) {
    partial = partial.flatMap((named) => values.map((value) => new Map([...named, [axis, value]])));
  }
  return partial;
}

function draftOf(axes: readonly Axis[], include: Include, named: ReadonlyMap<string, string>): Draft {
  const values = new Map<string, string>();
  for (const { name, values: known, when } of axes) {
    const asked = named.get(name);
    const applies = matches(when, values);
    if (asked !== undefined && asked !== NOT_APPLICABLE && !applies) {
      throw new InputError(`${include.at}: ${name}: ${asked} has no meaning here: the axis's \`when\` does not match`);
    }
    values.set(name, asked ?? (applies ? (known[0] ?? NOT_APPLICABLE) : NOT_APPLICABLE));
  }
  if (include.name !== null) values.set(NAME, include.name);
  return { axes: values, extras: [include.extra], at: include.at };
}

function cellOf(matrix: Matrix, { axes, extras, at }: Draft): Cell {
  const id = idOf(matrix.axes, axes);
  if (id.length > LONGEST_ID)
    throw new InputError(`${at ?? matrix.file}: the cell id ${id} is longer than ${LONGEST_ID}`);
  const rows = matrix.rows.filter(({ match }) => matches(match, axes));
  const [row, second] = rows;
  if (row !== undefined && second !== undefined && second.row !== row.row) {
    throw new InputError(`${second.at}: cell ${id} is in row ${row.row} already`);
  }
  const rule = matrix.expect.findLast(({ match }) => matches(match, axes));
  if (rule === undefined) {
    throw new InputError(`${matrix.file}: cell ${id} has no expectation`, 'add an `expect` rule that matches it');
  }
  const meanings = matrix.axes.flatMap(({ name, means }) => means.get(axes.get(name) ?? NOT_APPLICABLE) ?? []);
  return {
    id,
    row: row?.row ?? null,
    claim: row?.claim ?? null,
    axes: Object.fromEntries(axes),
    ...applyAxes(id, axes, [...meanings, ...extras], matrix.known),
    expect: rule.expectation,
  };
}

/**
 * Kernel and linkage, then `axis=value` for each axis that differs from its default, then the name if there is one:
 * a new axis or a new value changes no id, and the words are those of `--only`.
 */
function idOf(axes: readonly Axis[], values: ReadonlyMap<string, string>): string {
  const parts: string[] = [];
  for (const { name, values: known } of axes) {
    const value = values.get(name) ?? NOT_APPLICABLE;
    if (name === 'kernel' || name === 'linkage') parts.push(value);
    else if (value !== NOT_APPLICABLE && value !== known[0]) parts.push(`${name}=${value}`);
  }
  const name = values.get(NAME);
  if (name !== undefined) parts.push(name);
  return parts
    .join('.')
    .toLowerCase()
    .replace(/[^a-z0-9._+=-]/g, '-');
}
