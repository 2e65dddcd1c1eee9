import { memo } from 'preact/compat';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { NOT_APPLICABLE } from '../../model/cell.ts';
import type { Verdict } from '../../model/verdict.ts';
import { verdictFacts } from '../../model/verdict.ts';
import { head } from './data.ts';
import { type GridKey, type GridLayout, layOut } from './grid-layout.ts';

interface GridProps {
  readonly cells: readonly number[];
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly selected: number | null;
  readonly onOpen: (cell: number) => void;
  /** A box with too many cells to draw was asked for: the values of the axes that it stands for. */
  readonly onNarrow: (values: Readonly<Record<string, string>>) => void;
}

/**
 * In a grid of more cells than this, a box of more than {@link MOST_IN_BOX} shows how many there are of each verdict.
 */
const MOST_CELLS = 1500;
const MOST_IN_BOX = 40;

/** The matrix as a table of boxes; one tab stop, arrows move from cell to cell. */
export function Grid({ cells, rows, columns, selected, onOpen, onNarrow }: GridProps) {
  const layout = useMemo(() => layOut(head, cells, rows, columns), [cells, rows, columns]);
  const root = useRef<HTMLDivElement>(null);
  // Selection changes one button and must not draw ten thousand anew.
  useEffect(() => {
    const table = root.current;
    if (table === null) return;
    for (const old of table.querySelectorAll('[aria-current]')) {
      old.removeAttribute('aria-current');
      old.setAttribute('tabindex', '-1');
    }
    const button =
      (selected === null ? null : table.querySelector(`[data-cell="${selected}"]`)) ??
      table.querySelector('[data-cell]');
    if (button === null) return;
    button.setAttribute('tabindex', '0');
    if (selected === null) return;
    button.setAttribute('aria-current', 'true');
    button.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [selected, layout]);

  const onClick = (event: MouseEvent) => {
    const button = event.target instanceof Element ? event.target.closest('button') : null;
    if (button === null) return;
    if (button.dataset.cell !== undefined) onOpen(Number(button.dataset.cell));
    else if (button.dataset.box !== undefined) onNarrow(valuesOfBox(layout, button.dataset.box));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const from = event.target instanceof HTMLElement ? event.target : null;
    const target = from === null || root.current === null ? null : neighbour(root.current, from, event.key);
    if (target === null) return;
    event.preventDefault();
    target.focus();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the buttons inside are what is clicked, one listener for all
    <div class="grid" ref={root} onClick={onClick} onKeyDown={onKeyDown}>
      <Table layout={layout} counted={cells.length > MOST_CELLS} />
    </div>
  );
}

function valueText(axis: number, value: number): string {
  return value < 0 ? '' : (head.axes[axis]?.values[value] ?? '');
}

/**
 * A row in the words of a cell's id: its first value, and of the others what is not the axis's first one. Rows that
 * this does not tell apart are named in full.
 */
function rowLabels({ rowAxes, rows }: GridLayout): string[] {
  const label = (row: GridKey, isFull: boolean) =>
    rowAxes
      .flatMap((axis, index) => {
        const value = valueText(axis, row.values[index] ?? -1);
        if (index === 0) return [value];
        const isPlain = value === '' || value === NOT_APPLICABLE || row.values[index] === 0;
        return isPlain && !isFull ? [] : [`${head.axes[axis]?.name}=${value}`];
      })
      .join(' ');
  const short = rows.map((row) => label(row, false));
  const seen = new Map<string, number>();
  for (const text of short) seen.set(text, (seen.get(text) ?? 0) + 1);
  return rows.map((row, index) => {
    const text = short[index] ?? '';
    return (seen.get(text) ?? 0) > 1 ? label(row, true) : text;
  });
}

/** A label of words that stay whole in a narrow column; one that is wider is broken behind its equals sign. */
function wordsOf(label: string) {
  return label.split(' ').flatMap((word) => {
    const [name = '', ...value] = word.split('=');
    const whole = value.length === 0 ? name : [`${name}=`, <wbr key="break" />, value.join('=')];
    return [
      <span key={word} class="word">
        {whole}
      </span>,
      ' ',
    ];
  });
}

function keyText(axes: readonly number[], key: GridKey): string {
  return axes.map((axis, index) => valueText(axis, key.values[index] ?? -1)).join(' · ');
}

function valuesOfBox(layout: GridLayout, box: string): Record<string, string> {
  const [rowKey, columnKey] = box.split('|');
  const row = layout.rows.find((one) => one.key === rowKey);
  const column = layout.columns.find((one) => one.key === columnKey);
  const named = (axes: readonly number[], key: GridKey | undefined) =>
    axes.map((axis, index) => [head.axes[axis]?.name ?? '', valueText(axis, key?.values[index] ?? -1)] as const);
  return Object.fromEntries([...named(layout.rowAxes, row), ...named(layout.columnAxes, column)]);
}

const Table = memo(({ layout, counted }: { layout: GridLayout; counted: boolean }) => {
  const labels = rowLabels(layout);
  return (
    <table>
      <thead>
        <tr>
          <th scope="col" class="axis">
            {layout.rowAxes.map((axis) => head.axes[axis]?.name).join(', ') || 'all'}
          </th>
          {layout.columns.map((column) => (
            <th scope="col" class="column" key={column.key}>
              <span>{keyText(layout.columnAxes, column) || 'cells'}</span>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {layout.rows.map((row, index) => (
          <tr key={row.key}>
            <th scope="row">{wordsOf(labels[index] ?? '')}</th>
            {layout.columns.map((column) => (
              <td key={column.key}>
                <Box cells={row.boxes.get(column.key) ?? []} box={`${row.key}|${column.key}`} counted={counted} />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
});

function Box({ cells, box, counted }: { cells: readonly number[]; box: string; counted: boolean }) {
  if (counted && cells.length > MOST_IN_BOX) return <Counts cells={cells} box={box} />;
  return (
    <div class="box">
      {cells.map((index) => {
        const cell = head.cells[index];
        if (cell === undefined) return null;
        const sign = cell.outcome === 'expected' ? '' : ' — not as expected';
        return (
          <button
            type="button"
            key={index}
            data-cell={index}
            tabIndex={-1}
            class={`cell v-${cell.verdict} ${cell.outcome}${cell.flaky ? ' flaky' : ''}`}
            title={`${cell.row === null ? '' : `${cell.row} `}${cell.id}\n${cell.verdict}${sign}\n${cell.what}`}
            aria-label={`${cell.id}: ${cell.verdict}${sign}`}
          >
            {verdictFacts(cell.verdict).letter}
          </button>
        );
      })}
    </div>
  );
}

function Counts({ cells, box }: { cells: readonly number[]; box: string }) {
  const numbers = new Map<Verdict, { all: number; bad: number }>();
  for (const index of cells) {
    const cell = head.cells[index];
    if (cell === undefined) continue;
    const old = numbers.get(cell.verdict) ?? { all: 0, bad: 0 };
    numbers.set(cell.verdict, { all: old.all + 1, bad: old.bad + (cell.outcome === 'expected' ? 0 : 1) });
  }
  return (
    <button type="button" class="counts" data-box={box} title="Show these cells">
      {head.verdicts.map((verdict) => {
        const number = numbers.get(verdict);
        if (number === undefined) return null;
        return (
          <span
            key={verdict}
            class={`count v-${verdict} ${number.bad > 0 ? 'unexpected' : 'expected'}`}
            title={verdict}
          >
            {verdictFacts(verdict).letter} {number.all}
          </span>
        );
      })}
    </button>
  );
}

/** The cell that an arrow key leads to: left and right within a row, up and down by place on the screen. */
function neighbour(root: HTMLElement, from: HTMLElement, key: string): HTMLElement | null {
  const buttons = (within: Element | null | undefined) => [...(within?.querySelectorAll<HTMLElement>('button') ?? [])];
  const row = from.closest('tr');
  const inRow = buttons(row);
  const at = inRow.indexOf(from);
  if (at < 0) return null;
  const place = from.getBoundingClientRect().left;
  const nearest = (candidates: readonly HTMLElement[]) =>
    candidates.reduce<HTMLElement | null>((best, button) => {
      const distance = Math.abs(button.getBoundingClientRect().left - place);
      return best === null || distance < Math.abs(best.getBoundingClientRect().left - place) ? button : best;
    }, null);
  switch (key) {
    case 'ArrowRight':
      return inRow[at + 1] ?? null;
    case 'ArrowLeft':
      return inRow[at - 1] ?? null;
    case 'ArrowDown':
      return nearest(buttons(row?.nextElementSibling));
    case 'ArrowUp':
      return nearest(buttons(row?.previousElementSibling));
    case 'Home':
      return buttons(root)[0] ?? null;
    case 'End':
      return buttons(root).at(-1) ?? null;
    default:
      return null;
  }
}
