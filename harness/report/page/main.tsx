import { render } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { verdictFacts } from '../../model/verdict.ts';
import { count } from '../text.ts';
import { filterCells, useView, type View } from './address.ts';
import { Claims, Problems } from './answers.tsx';
import { head } from './data.ts';
import { Detail } from './detail.tsx';
import { Grid } from './grid.tsx';
import { defaultAxes } from './grid-layout.ts';

const DEFAULTS = defaultAxes(
  head,
  head.cells.map((_, index) => index),
);

function App() {
  const [view, change] = useView();
  const filter = JSON.stringify([view.verdicts, view.outcome, view.axes, view.text]);
  // `filter` is all of the view that filters.
  const cells = useMemo(() => filterCells(head, view), [filter]);
  const rows = view.rows ?? DEFAULTS.rows;
  const columns = view.columns ?? DEFAULTS.columns;
  const [stableRows, stableColumns] = [useStable(rows), useStable(columns)];
  const found = view.cell === null ? -1 : head.cells.findIndex((cell) => cell.id === view.cell);
  const selected = found < 0 ? null : found;
  const search = useRef<HTMLInputElement>(null);
  const opener = useRef<Element | null>(null);
  const open = (index: number) => {
    if (selected === null) opener.current = document.activeElement;
    change({ cell: head.cells[index]?.id ?? null, line: null });
  };
  const close = () => {
    change({ cell: null, line: null });
    const from = opener.current;
    const isThere = from instanceof HTMLElement && from !== document.body && from.isConnected;
    (isThere ? from : document.querySelector<HTMLElement>('.grid [tabindex="0"]'))?.focus();
  };
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
      if (event.key === 'Escape' && selected !== null) close();
      else if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
      else if (event.key === '/') {
        event.preventDefault();
        search.current?.focus();
      } else if (event.key === 'n' || event.key === 'p') {
        const next = nextSurprise(cells, selected, event.key === 'n' ? 1 : -1);
        if (next !== null) open(next);
      }
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  });
  return (
    <div class={selected === null ? 'page' : 'page split'}>
      <main>
        <Summary />
        <Problems onOpen={open} />
        <Claims onOpen={open} selected={selected} />
        <Legend />
        <Filters view={view} change={change} rows={rows} columns={columns} search={search} shown={cells.length} />
        {cells.length === 0 ? (
          <p class="none">No cell passes these filters.</p>
        ) : (
          <Grid
            cells={cells}
            rows={stableRows}
            columns={stableColumns}
            selected={selected}
            onOpen={open}
            onNarrow={(values) => {
              const narrowed = Object.entries(values).map(([axis, value]) => [axis, [value]] as const);
              const axes = { ...view.axes, ...Object.fromEntries(narrowed) };
              // What the boxes held together is told apart by axes that were not used so far.
              change({ axes, ...defaultAxes(head, filterCells(head, { ...view, axes })) });
            }}
          />
        )}
      </main>
      {selected !== null && <Detail index={selected} view={view} onLine={(line) => change({ line })} onClose={close} />}
    </div>
  );
}

/** The same array as long as its words are the same. */
function useStable(words: readonly string[]): readonly string[] {
  return useMemo(() => words, [words.join(',')]);
}

function nextSurprise(cells: readonly number[], selected: number | null, step: 1 | -1): number | null {
  const surprises = cells.filter(
    (index) => head.cells[index]?.outcome !== 'expected' || head.cells[index]?.flaky === true,
  );
  const ordered = step === 1 ? surprises : [...surprises].reverse();
  const from = selected ?? (step === 1 ? -1 : Number.POSITIVE_INFINITY);
  return ordered.find((index) => (step === 1 ? index > from : index < from)) ?? ordered[0] ?? null;
}

function Summary() {
  const { run } = head;
  const good = head.outcome === 'all as expected';
  const seconds = Math.round(run.wallMs.total / 1000);
  return (
    <header class="summary">
      <h1>
        bootrace <span class={good ? 'good' : 'bad'}>{head.outcome}</span>
      </h1>
      <p>{head.summary}</p>
      {head.news !== null && <p>{head.news}</p>}
      <p class="dim">
        {run.run}, {seconds} s on {count(run.workers, 'worker')}, {run.matrix.file}
        {run.matrix.selection.length > 0 && ` (${run.matrix.selection.join(' ')})`}, bootrace {run.harness.version}
        {run.harness.commit !== null && ` ${run.harness.commit.slice(0, 12)}`}, {run.qemu}
      </p>
    </header>
  );
}

interface FiltersProps {
  readonly view: View;
  readonly change: (change: Partial<View>) => void;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly search: { current: HTMLInputElement | null };
  readonly shown: number;
}

function toggle(list: readonly string[], word: string): string[] {
  return list.includes(word) ? list.filter((one) => one !== word) : [...list, word];
}

function Filters({ view, change, rows, columns, search, shown }: FiltersProps) {
  const counts = new Map(
    head.verdicts.map((verdict) => [verdict, head.cells.filter((cell) => cell.verdict === verdict).length]),
  );
  const varying = head.axes.filter((axis) => axis.values.length > 1);
  const place = (axis: string, where: 'rows' | 'columns' | '') => {
    const without = { rows: rows.filter((name) => name !== axis), columns: columns.filter((name) => name !== axis) };
    change(where === '' ? without : { ...without, [where]: [...without[where], axis] });
  };
  const filtered =
    view.verdicts.length > 0 || view.outcome !== '' || view.text !== '' || Object.values(view.axes).flat().length > 0;
  return (
    <form class="filters" onSubmit={(event) => event.preventDefault()}>
      <div class="controls-line">
        {head.verdicts
          .filter((verdict) => (counts.get(verdict) ?? 0) > 0)
          .map((verdict) => (
            <button
              type="button"
              key={verdict}
              class={`chip v-${verdict}`}
              aria-pressed={view.verdicts.includes(verdict)}
              onClick={() => change({ verdicts: toggle(view.verdicts, verdict) })}
            >
              <b>{verdictFacts(verdict).letter}</b> {verdict} <span class="number">{counts.get(verdict)}</span>
            </button>
          ))}
        <select
          aria-label="Outcome"
          value={view.outcome}
          onChange={(event) => change({ outcome: event.currentTarget.value })}
        >
          <option value="">any outcome</option>
          <option value="unexpected">not as expected</option>
          <option value="no-verdict">no verdict</option>
          <option value="expected">as expected</option>
          <option value="flaky">differed when repeated</option>
        </select>
        <input
          ref={search}
          type="search"
          placeholder="id, function, reason  ( / )"
          aria-label="Search"
          value={view.text}
          onInput={(event) => change({ text: event.currentTarget.value })}
        />
        {filtered && (
          <button
            type="button"
            onClick={() => change({ verdicts: [], outcome: '', text: '', axes: {}, rows: null, columns: null })}
          >
            show all
          </button>
        )}
        <span class="dim">
          {shown} of {head.cells.length} cells
        </span>
      </div>
      <details>
        <summary>
          Axes: {rows.join(', ') || 'none'} down, {columns.join(', ') || 'none'} across
        </summary>
        <div class="axes">
          {varying.map((axis) => (
            <fieldset key={axis.name}>
              <legend>{axis.name}</legend>
              <select
                aria-label={`Place of ${axis.name}`}
                value={rows.includes(axis.name) ? 'rows' : columns.includes(axis.name) ? 'columns' : ''}
                onChange={(event) => {
                  const where = event.currentTarget.value;
                  place(axis.name, where === 'rows' || where === 'columns' ? where : '');
                }}
              >
                <option value="rows">down</option>
                <option value="columns">across</option>
                <option value="">together</option>
              </select>
              {axis.values.map((value) => (
                <label key={value}>
                  <input
                    type="checkbox"
                    checked={view.axes[axis.name]?.includes(value) ?? false}
                    onChange={() =>
                      change({ axes: { ...view.axes, [axis.name]: toggle(view.axes[axis.name] ?? [], value) } })
                    }
                  />{' '}
                  {value}
                </label>
              ))}
            </fieldset>
          ))}
        </div>
      </details>
    </form>
  );
}

function Legend() {
  return (
    <p class="dim keys">
      A filled, framed cell is not as expected, a dashed one differed when repeated.{' '}
      <span class="screen">
        Arrows move between cells, Enter opens one, Esc closes it; n and p go to the next and previous unexpected
        result, / searches.
      </span>
    </p>
  );
}

const app = document.getElementById('app');
if (app !== null) {
  app.replaceChildren();
  render(<App />, app);
}
