import { readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { stringify } from 'yaml';
import { EXIT, InputError } from '../errors.ts';
import { formatSource, loadRecipe } from '../kernel/recipe.ts';
import { loadCell } from '../matrix/matrix-file.ts';
import { renderProgress } from '../report/progress.ts';
import { claimOfEnds, judgeCommit, type Sighting } from '../search/commits.ts';
import { bisectConfigs, type ConfigDifference, diffConfigs, mixConfig } from '../search/configs.ts';
import { observeCell } from '../session/observe.ts';
import { runSearch } from '../session/search.ts';
import { print, printJson } from '../terminal/output.ts';
import { requireTools } from '../terminal/install-tools.ts';
import type { BisectConfigsOptions } from './bisect-configs.options.ts';

const RESULTS = { good: 'pass', bad: 'fail', unsure: 'unresolved' } as const;

/**
 * `bisect configs`: the options that carry the change. Each mixture is built from the source and with the patches of
 * the cell's recipe, and with the cell's linkage, which neither file decides.
 */
export async function bisectConfigFiles(options: BisectConfigsOptions, signal: AbortSignal): Promise<number> {
  const { good: goodConfig, bad: badConfig, cell: name } = options;
  const cell = await loadCell(name, options.matrix);
  const recipe = await loadRecipe(cell.kernel);
  if (recipe.source.from === 'debian-stock' || recipe.source.from === 'image')
    throw new InputError(`kernel ${cell.kernel} of cell ${cell.id} is prebuilt`, 'name a cell whose kernel is built');
  const source = formatSource(recipe.source);
  const [good, bad] = await Promise.all([readConfig(goodConfig), readConfig(badConfig)]);
  const differences = diffConfigs(good, bad);
  if (differences.length === 0) throw new InputError(`${goodConfig} and ${badConfig} set the same options`);
  await requireTools();
  const progress = renderProgress(process.stderr);
  try {
    const found = await runSearch(
      'bisect-configs',
      { signal, listen: progress.listen, results: options.results, workers: 1 },
      async ({ runner, folder, keepCell }) => {
        let made = 0;
        const keepRecipe = async (kernel: string, config: string) => {
          const patches = recipe.patches.map(({ path }) => path);
          await writeFile(join(folder.path, `${kernel}.config`), config);
          await writeFile(
            join(folder.path, `${kernel}.yaml`),
            stringify({ source, config: `${kernel}.config`, patches }),
          );
          return `${kernel}.yaml`;
        };
        const observe = async (config: string): Promise<Sighting[]> => {
          made++;
          const kernel = await keepRecipe(`config-${made}`, config);
          return observeCell(runner, { ...cell, id: `${cell.id}-${made}`, kernel: join(folder.path, kernel) }, 1, null);
        };
        const seen = { bad: await observe(bad), good: await observe(good) };
        const ends = { good: { name: goodConfig, commit: '' }, bad: { name: badConfig, commit: '' } };
        const claim = claimOfEnds(ends, seen, []);
        progress.note(`${differences.length} options differ; looking for ${claim.bad.join(' or ')}`);
        const minimised = await bisectConfigs(good, bad, async (config, taken) => {
          if (taken.length === 0) return 'pass';
          if (taken.length === differences.length) return 'fail';
          const { answer, shown } = judgeCommit(await observe(config), claim);
          progress.note(`with ${taken.length} of ${differences.length} options: ${shown}`);
          return RESULTS[answer];
        });
        const kernel = await keepRecipe('minimal-kernel', mixConfig(good, minimised.minimal));
        const minimal = {
          ...cell,
          id: `${cell.id}.minimal`,
          kernel: relative(process.cwd(), join(folder.final, kernel)),
        };
        const file = relative(process.cwd(), await keepCell('minimal.yaml', minimal));
        return {
          needed: minimised.minimal,
          irrelevant: minimised.irrelevant.length,
          shown: claim.bad,
          kernels: made,
          file,
        };
      },
    );
    progress.close();
    const line = ({ option, good: from, bad: to }: ConfigDifference) => `  ${option}: ${from} -> ${to}`;
    const text = [
      `With ${badConfig} cell ${cell.id} shows ${found.shown.join(' or ')}. What carries the change:`,
      ...found.needed.map(line),
      `${found.irrelevant} other options do not matter; ${found.kernels} kernels; minimal cell ${found.file}`,
      '',
    ].join('\n');
    if (options.json === true) printJson(found);
    else print(text);
    return EXIT.expected;
  } finally {
    progress.close();
  }
}

async function readConfig(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new InputError(`cannot read ${file}`, 'name the .config of a kernel', { cause: error });
  });
}
