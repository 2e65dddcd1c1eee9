import { useEffect, useState } from 'preact/hooks';
import type { PageHead } from '../page-data.ts';

/** What is shown: all of it stands in the address, so that a view can be sent to somebody and the back button works. */
export interface View {
  readonly rows: readonly string[] | null;
  readonly columns: readonly string[] | null;
  readonly verdicts: readonly string[];
  readonly outcome: string;
  readonly axes: Readonly<Record<string, readonly string[]>>;
  readonly text: string;
  readonly cell: string | null;
  readonly line: number | null;
}

const AXIS = 'axis.';

function list(value: string | null): string[] {
  return value === null || value === '' ? [] : value.split(',');
}

function parseView(hash: string): View {
  const words = new URLSearchParams(hash.replace(/^#/, ''));
  const line = Number(words.get('line'));
  return {
    rows: words.has('rows') ? list(words.get('rows')) : null,
    columns: words.has('columns') ? list(words.get('columns')) : null,
    verdicts: list(words.get('verdict')),
    outcome: words.get('outcome') ?? '',
    axes: Object.fromEntries(
      [...words].filter(([key]) => key.startsWith(AXIS)).map(([key, value]) => [key.slice(AXIS.length), list(value)]),
    ),
    text: words.get('text') ?? '',
    cell: words.get('cell'),
    line: Number.isInteger(line) && line > 0 ? line : null,
  };
}

/** The address of a view, `#` included. */
export function addressOf(view: View): string {
  const words = new URLSearchParams();
  if (view.rows !== null) words.set('rows', view.rows.join(','));
  if (view.columns !== null) words.set('columns', view.columns.join(','));
  if (view.verdicts.length > 0) words.set('verdict', view.verdicts.join(','));
  if (view.outcome !== '') words.set('outcome', view.outcome);
  for (const [axis, values] of Object.entries(view.axes)) {
    if (values.length > 0) words.set(`${AXIS}${axis}`, values.join(','));
  }
  if (view.text !== '') words.set('text', view.text);
  if (view.cell !== null) words.set('cell', view.cell);
  if (view.line !== null) words.set('line', String(view.line));
  return `#${words}`;
}

/** The view that the address names, and a way to change it; a new cell is a step that the back button undoes. */
export function useView(): [View, (change: Partial<View>) => void] {
  const [view, setView] = useState(() => parseView(location.hash));
  useEffect(() => {
    const follow = () => setView(parseView(location.hash));
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  const change = (part: Partial<View>) => {
    const next = { ...parseView(location.hash), ...part };
    const step = 'cell' in part && part.cell !== view.cell;
    if (step) history.pushState(null, '', addressOf(next));
    else history.replaceState(null, '', addressOf(next));
    setView(next);
  };
  return [view, change];
}

/** Indexes of the cells that the filters let through. */
export function filterCells(head: PageHead, view: View): number[] {
  const words = view.text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const wanted = head.axes.map((axis) => {
    const values = view.axes[axis.name] ?? [];
    return values.length === 0 ? null : new Set(values.map((value) => axis.values.indexOf(value)));
  });
  return head.cells.flatMap((cell, index) => {
    if (view.verdicts.length > 0 && !view.verdicts.includes(cell.verdict)) return [];
    if (view.outcome === 'flaky' ? !cell.flaky : view.outcome !== '' && cell.outcome !== view.outcome) return [];
    if (!wanted.every((values, axis) => values === null || values.has(cell.axes[axis] ?? -1))) return [];
    const text = `${cell.row ?? ''} ${cell.id} ${cell.what}`.toLowerCase();
    return words.every((word) => text.includes(word)) ? [index] : [];
  });
}
