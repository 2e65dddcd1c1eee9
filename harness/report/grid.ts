import { NOT_APPLICABLE } from '../model/cell.ts';
import { verdictFacts } from '../model/verdict.ts';
import { printable } from '../printable.ts';
import type { CellRecord } from '../run/record.ts';
import { type Colours, paintVerdict } from './paint.ts';
import { kernelOf, standingOf, summariseVerdicts } from './standing.ts';
import { groupBy, truncate } from './text.ts';

/** Above this many lines a grid is no longer read; only lines with something unexpected are printed then. */
const MOST_LINES = 80;
const LONGEST_VALUE = 24;
/** What is unusual of a line may be several axes. */
const LONGEST_LABEL = 44;
/** Axes that make the columns and the headings. */
const COLUMN_AXIS = 'kernel';
const HEADING_AXIS = 'linkage';
const GAP = 2;

/** `smmu-module` as "smmu a module, the rest built in" (axes/linkage.ts). */
function headingOf(linkage: string): string {
  if (linkage === 'builtin') return 'built in';
  const [, names] = /^(.+)-module$/.exec(linkage) ?? [];
  if (names === undefined) return linkage;
  const parts = names.split('+');
  return `${parts.join(' and ')} ${parts.length === 1 ? 'a module' : 'modules'}, the rest built in`;
}

interface Line {
  /** A value for each axis that has a column, and last what is unusual of the others: `cpus=2 shift=3`. */
  readonly labels: readonly string[];
  readonly cells: ReadonlyMap<string, CellRecord>;
}

interface Section {
  readonly heading: string;
  /** Headings of the labels. */
  readonly columns: readonly string[];
  readonly lines: readonly Line[];
  /** Cells that share all their axis values with another one, so that only their id tells them apart. */
  readonly named: readonly CellRecord[];
  readonly all: readonly CellRecord[];
}

/**
 * All cells as grids, one for each linkage: conditions down, kernels across, so that one line shows what a change of
 * kernel does to the same order. A linkage whose every cell already stands among the claims is left out.
 */
export function formatGrids(cells: readonly CellRecord[], width: number, paint: Colours): string[] {
  const sections = [...groupBy(cells, (cell) => cell.kernel.linkage)]
    .filter(([, all]) => all.some((cell) => cell.row === null))
    .sort(([, a], [, b]) => linkageRank(a) - linkageRank(b))
    .map(([, all]) => makeSection(all));
  const total = sections.reduce((sum, section) => sum + section.lines.length + section.named.length, 0);
  return sections.flatMap((section) => ['', ...formatSection(section, width, paint, total > MOST_LINES)]);
}

function linkageRank(cells: readonly CellRecord[]): number {
  const rank = ['builtin', 'modules'].indexOf(cells[0]?.kernel.linkage ?? '');
  return rank === -1 ? Number.MAX_SAFE_INTEGER : rank;
}

/**
 * An axis whose commonest value this share of lines has, is not worth a column: the others say so where they differ.
 */
const USUAL_SHARE = 0.75;
const LINES_FOR_USUAL = 4;

function makeSection(all: readonly CellRecord[]): Section {
  const names = [...new Set(all.flatMap((cell) => Object.keys(cell.axes)))].filter(
    (name) => name !== COLUMN_AXIS && name !== HEADING_AXIS,
  );
  const axisValue = (cell: CellRecord, name: string) => cell.axes[name] ?? NOT_APPLICABLE;
  const conditions = (cell: CellRecord) => names.map((name) => axisValue(cell, name)).join('\n');
  const kinds = [...groupBy(all, conditions).values()].flatMap((cells) => cells.slice(0, 1));
  const usual = new Map(names.map((name) => [name, usualValue(kinds.map((cell) => axisValue(cell, name)))]));
  const columns = names.filter((name) => usual.get(name) === null);
  const unusual = (cell: CellRecord) =>
    names
      .filter((name) => usual.get(name) !== null && usual.get(name) !== axisValue(cell, name))
      .map((name) => `${name}=${axisValue(cell, name)}`)
      .join(' ');
  const anyUnusual = kinds.some((cell) => unusual(cell) !== '');

  const lines = new Map<string, { labels: string[]; first: CellRecord; cells: Map<string, CellRecord> }>();
  const named: CellRecord[] = [];
  for (const cell of all) {
    const labels = columns.map((name) => printable(axisValue(cell, name)));
    if (anyUnusual) labels.push(printable(unusual(cell)));
    const line = lines.get(conditions(cell)) ?? { labels, first: cell, cells: new Map<string, CellRecord>() };
    lines.set(conditions(cell), line);
    if (line.cells.has(kernelOf(cell))) named.push(cell);
    else line.cells.set(kernelOf(cell), cell);
  }
  const order = new Map(names.map((name) => [name, [...new Set(all.map((cell) => axisValue(cell, name)))]]));
  const rank = (cell: CellRecord) => names.map((name) => order.get(name)?.indexOf(axisValue(cell, name)) ?? 0);
  const shared = names.flatMap((name) => {
    const value = usual.get(name);
    return value === null || value === undefined || value === NOT_APPLICABLE ? [] : [`${name}=${value}`];
  });
  const linkage = all[0]?.kernel.linkage ?? 'builtin';
  const unless = anyUnusual && shared.length > 0 ? '  (except where noted)' : '';
  return {
    heading: printable([headingOf(linkage), ...shared].join('  ')) + unless,
    columns: anyUnusual ? [...columns, ''] : columns,
    lines: [...lines.values()].sort((a, b) => compareRanks(rank(a.first), rank(b.first))),
    named,
    all,
  };
}

/** The value that nearly all have, or null when none has such a share. */
function usualValue(values: readonly string[]): string | null {
  const counts = [...groupBy(values, (value) => value)].map(([value, same]) => ({
    value,
    share: same.length / values.length,
  }));
  const [most] = counts.sort((a, b) => b.share - a.share);
  if (most === undefined) return null;
  return most.share === 1 || (most.share >= USUAL_SHARE && values.length >= LINES_FOR_USUAL) ? most.value : null;
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (const [index, rank] of a.entries()) {
    const other = b[index] ?? 0;
    if (rank !== other) return rank - other;
  }
  return 0;
}

function label(cell: CellRecord, short: boolean): string {
  const verdict = short ? verdictFacts(cell.verdict).short : cell.verdict;
  return standingOf(cell) === 'expected' ? verdict : `${verdict} !`;
}

function columnWidth(section: Section, kernel: string, short: boolean): number {
  const labels = section.lines.flatMap((line) => {
    const cell = line.cells.get(kernel);
    return cell === undefined ? [] : [label(cell, short).length];
  });
  return Math.max(Math.min(kernel.length, LONGEST_VALUE), ...labels) + GAP;
}

/** Kernels in blocks that fit side by side. */
function blocks(kernels: readonly string[], widthOf: (kernel: string) => number, room: number): string[][] {
  const result: string[][] = [];
  let used = Number.POSITIVE_INFINITY;
  for (const kernel of kernels) {
    const columns = widthOf(kernel);
    if (used + columns > room) {
      result.push([]);
      used = 0;
    }
    result.at(-1)?.push(kernel);
    used += columns;
  }
  return result;
}

function formatSection(section: Section, width: number, paint: Colours, onlyUnexpected: boolean): string[] {
  const shown = section.lines.filter(
    (line) => !onlyUnexpected || [...line.cells.values()].some((cell) => standingOf(cell) !== 'expected'),
  );
  const named = section.named.filter((cell) => !onlyUnexpected || standingOf(cell) !== 'expected');
  const sum = onlyUnexpected ? `  ${paint.dim(summariseVerdicts(section.all))}` : '';
  const heading = `${paint.bold(section.heading)}${sum}`;
  if (shown.length === 0 && named.length === 0) return [heading];

  const kernels = [...new Set(section.all.map(kernelOf))];
  const labelWidths = section.columns.map(
    (name, index) =>
      Math.min(LONGEST_LABEL, Math.max(name.length, ...shown.map((line) => line.labels[index]?.length ?? 0))) + GAP,
  );
  const room = width - GAP - labelWidths.reduce((sum, columns) => sum + columns, 0);
  const fits = (short: boolean) =>
    kernels.reduce((sum, kernel) => sum + columnWidth(section, kernel, short), 0) <= room;
  const short = !fits(false);
  const widthOf = (kernel: string) => columnWidth(section, kernel, short);
  const lines = [heading];
  for (const block of blocks(kernels, widthOf, room)) {
    const head = [
      ...section.columns.map((name, index) => truncate(printable(name), LONGEST_LABEL).padEnd(labelWidths[index] ?? 0)),
      ...block.map((kernel) => truncate(printable(kernel), LONGEST_VALUE).padEnd(widthOf(kernel))),
    ];
    lines.push(paint.dim(`${' '.repeat(GAP)}${head.join('')}`.trimEnd()));
    let above: readonly string[] = [];
    for (const line of shown) {
      if (!block.some((kernel) => line.cells.has(kernel))) continue;
      const labels = line.labels.map((value, index) => {
        const text = truncate(value, LONGEST_LABEL).padEnd(labelWidths[index] ?? 0);
        const repeated = line.labels.slice(0, index + 1).every((part, before) => part === above[before]);
        return repeated || value === NOT_APPLICABLE ? paint.dim(text) : text;
      });
      const verdicts = block.map((kernel) => {
        const cell = line.cells.get(kernel);
        if (cell === undefined) return ' '.repeat(widthOf(kernel));
        const text = label(cell, short);
        return paintVerdict(cell, text, paint) + ' '.repeat(Math.max(0, widthOf(kernel) - text.length));
      });
      lines.push(`${' '.repeat(GAP)}${labels.join('')}${verdicts.join('')}`.trimEnd());
      above = line.labels;
    }
  }
  const idWidth = Math.max(0, ...named.map((cell) => cell.id.length));
  for (const cell of named) {
    lines.push(
      `${' '.repeat(GAP)}${printable(cell.id).padEnd(idWidth + GAP)}${paintVerdict(cell, label(cell, false), paint)}`,
    );
  }
  return lines;
}
