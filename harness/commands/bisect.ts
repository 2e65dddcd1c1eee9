import { relative } from 'node:path';
import { EXIT, InputError } from '../errors.ts';
import { loadCell } from '../matrix/matrix-file.ts';
import type { Cell } from '../model/cell.ts';
import { describeExplanation } from '../report/explanation.ts';
import { withProgress } from '../report/progress.ts';
import { count } from '../report/text.ts';
import { bisectAxes } from '../search/axes.ts';
import { explainOrder } from '../search/explain.ts';
import { runSearch } from '../session/search.ts';
import { requireTools } from '../terminal/install-tools.ts';
import { print, printJson } from '../terminal/output.ts';
import type { BisectAxesOptions, BisectOrderOptions } from './bisect.options.ts';

/** What a cell is without any condition. */
const USUAL = { cpus: 1, shift: 4, loadOrder: null } as const;

/** `bisect order CELL`: the conditions that a failing cell needs, and the sentence that says so. */
export async function bisectOrder(name: string, options: BisectOrderOptions, signal: AbortSignal): Promise<number> {
  const chosen = await loadCell(name, options.matrix);
  return search(options, signal, 'bisect-order', [chosen], async (boot, keepCell, note) => {
    const explanation = await explainOrder({
      cell: chosen,
      usual: USUAL,
      boot,
      failure: options.failure ?? null,
      onProgress: (what, boots) => note(`${what} (${count(boots, 'boot')} so far)`),
    });
    const file = await keepCell('minimal.yaml', explanation.minimal);
    return { json: { ...explanation, file }, text: describeExplanation(explanation, file) };
  });
}

/** `bisect axes`: the differences between two cells that turn the good one's outcome into the bad one's. */
export async function bisectAxesOf(options: BisectAxesOptions, signal: AbortSignal): Promise<number> {
  if (options.good === undefined || options.bad === undefined)
    throw new InputError('two cells are needed', 'give --good CELL and --bad CELL');
  const good = await loadCell(options.good, options.matrix);
  const bad = await loadCell(options.bad, options.matrix);
  return search(options, signal, 'bisect-axes', [good, bad], async (boot, keepCell) => {
    const found = await bisectAxes(good, bad, boot);
    const file = await keepCell('minimal.yaml', { ...found.cell, expect: { verdicts: [found.bad.verdict] } });
    const line = ({ axis, subject, good: from, bad: to }: (typeof found.needed)[number]) =>
      `  ${axis}${subject === axis ? '' : ` ${subject}`}: ${from || 'nothing'} -> ${to || 'nothing'}`;
    const text = [
      `${good.id} is ${found.good.verdict}, ${bad.id} is ${found.bad.verdict}. What carries the change:`,
      ...found.needed.map(line),
      ...(found.irrelevant.length === 0 ? [] : ['What does not matter:', ...found.irrelevant.map(line)]),
      `${count(found.boots, 'boot')}; minimal cell ${file}`,
      '',
    ].join('\n');
    return { json: { needed: found.needed, irrelevant: found.irrelevant, boots: found.boots, file }, text };
  });
}

async function search(
  options: Pick<BisectOrderOptions, 'workers' | 'results' | 'json'>,
  signal: AbortSignal,
  verb: string,
  cells: readonly Cell[],
  work: (
    boot: Parameters<typeof bisectAxes>[2],
    keepCell: (name: string, cell: Cell) => Promise<string>,
    note: (line: string) => void,
  ) => Promise<{ json: unknown; text: string }>,
): Promise<number> {
  await requireTools();
  const { json, text } = await withProgress((progress) =>
    runSearch(
      verb,
      { signal, listen: progress.listen, results: options.results, workers: options.workers ?? null },
      async ({ runner, boot, keepCell }) => {
        for (const cell of cells) await runner.checkWithKernel(cell);
        return work(boot, async (name, cell) => relative(process.cwd(), await keepCell(name, cell)), progress.note);
      },
    ),
  );
  if (options.json === true) printJson(json);
  else print(text);
  return EXIT.expected;
}
