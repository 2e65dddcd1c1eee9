import { head } from './data.ts';

interface AnswersProps {
  readonly onOpen: (index: number) => void;
}

interface Indexed {
  readonly cell: (typeof head.cells)[number];
  readonly index: number;
}

const KERNEL = head.axes.findIndex((axis) => axis.name === 'kernel');
/** Problems told in full; the grid has the rest. */
const MOST_PROBLEMS = 12;

function kernelOf({ cell }: Indexed): string {
  return head.axes[KERNEL]?.values[cell.axes[KERNEL] ?? -1] ?? '';
}

function groupBy(cells: readonly Indexed[], keyOf: (one: Indexed) => string): [Indexed, ...Indexed[]][] {
  const groups = new Map<string, [Indexed, ...Indexed[]]>();
  for (const one of cells) {
    const group = groups.get(keyOf(one));
    if (group === undefined) groups.set(keyOf(one), [one]);
    else group.push(one);
  }
  return [...groups.values()];
}

const indexed: readonly Indexed[] = head.cells.map((cell, index) => ({ cell, index }));

/** What is not as expected, before everything else: each problem once, what it is and what it should be. */
export function Problems({ onOpen }: AnswersProps) {
  const bad = indexed.filter(({ cell }) => cell.outcome !== 'expected' || cell.flaky);
  if (bad.length === 0) return null;
  const problems = groupBy(bad, ({ cell }) =>
    [cell.isNew, cell.verdict, cell.expected, cell.flaky, cell.what].join('\n'),
  ).sort(([a], [b]) => Number(b.cell.isNew) - Number(a.cell.isNew));
  return (
    <section class="problems" aria-label="Not as expected">
      {problems.slice(0, MOST_PROBLEMS).map((same) => {
        const [{ cell, index }, ...others] = same;
        const kernels = [...new Set(same.map(kernelOf))];
        return (
          <article key={index}>
            <h2>
              <button type="button" class={`verdict v-${cell.verdict} ${cell.outcome}`} onClick={() => onOpen(index)}>
                {cell.verdict}
              </button>{' '}
              {cell.isNew && (
                <>
                  <b>new</b>,{' '}
                </>
              )}
              {cell.expected === null ? 'differed when repeated' : `expected ${cell.expected}`}
              {cell.expected !== null && cell.flaky && ', and differed when repeated'}
            </h2>
            <p>{cell.what}</p>
            <p class="dim">
              {cell.row !== null && <b>{cell.row} </b>}
              {cell.id}
              {others.length > 0 && ` and ${others.length} more ${others.length === 1 ? 'cell' : 'cells'}`}, kernel{' '}
              {kernels.join(', ')}
            </p>
          </article>
        );
      })}
      {problems.length > MOST_PROBLEMS && (
        <p>{problems.length - MOST_PROBLEMS} more problems: choose “not as expected” below.</p>
      )}
    </section>
  );
}

/** The claims that the matrix is about, a line each, with what every kernel says to it. */
export function Claims({ onOpen, selected }: AnswersProps & { readonly selected: number | null }) {
  const rows = groupBy(
    indexed.filter(({ cell }) => cell.row !== null),
    ({ cell }) => cell.row ?? '',
  ).sort(([a], [b]) => (a.cell.row ?? '').localeCompare(b.cell.row ?? '', 'en', { numeric: true }));
  if (rows.length === 0) return null;
  return (
    <details open={selected === null}>
      <summary>Claims</summary>
      <table class="claims">
        <tbody>
          {rows.map((cells) => (
            <tr key={cells[0].cell.row} class={cells.some(({ index }) => index === selected) ? 'current' : ''}>
              <th scope="row">{cells[0].cell.row}</th>
              <td>{cells[0].cell.claim}</td>
              <td>
                {groupBy(cells, ({ cell }) => `${cell.verdict} ${cell.outcome}`).map((same) => (
                  <span class="answer" key={same[0].index}>
                    <span class={`verdict v-${same[0].cell.verdict} ${same[0].cell.outcome}`}>
                      {same[0].cell.verdict}
                    </span>{' '}
                    {same.map((one) => (
                      <button type="button" class="plain" key={one.index} onClick={() => onOpen(one.index)}>
                        {kernelOf(one)}
                      </button>
                    ))}
                  </span>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
