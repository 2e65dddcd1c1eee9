import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { stringify } from 'yaml';
import { InputError } from '../errors.ts';
import { formatSource, loadRecipe, type Recipe } from '../kernel/recipe.ts';
import type { Cell } from '../model/cell.ts';
import type { LifecycleListener } from '../run/lifecycle.ts';
import { type Claim, claimOfEnds, judgeCommit, type Sighting } from '../search/commits.ts';
import { bisectConfigs, type ConfigDifference, diffConfigs, mixConfig } from '../search/configs.ts';
import { observeCell } from './observe.ts';
import { runSearch, type SearchSession } from './search.ts';

const RESULTS = { good: 'pass', bad: 'fail', unsure: 'unresolved' } as const;

/** A .config and the name that the user gave it. */
export interface NamedConfig {
  readonly name: string;
  readonly text: string;
}

export interface ConfigRequest {
  readonly cell: Cell;
  readonly recipe: Recipe;
  readonly good: NamedConfig;
  readonly bad: NamedConfig;
  readonly differences: readonly ConfigDifference[];
  readonly results: string;
  readonly signal: AbortSignal;
  readonly listen: LifecycleListener;
  readonly note: (line: string) => void;
}

export interface BisectedConfigs {
  readonly needed: readonly ConfigDifference[];
  /** Options that do not matter. */
  readonly irrelevant: number;
  /** Signatures or verdicts that the bad .config shows. */
  readonly shown: Claim['bad'];
  /** Kernels that were asked for. */
  readonly kernels: number;
  /** Path of the cell with the least difference. */
  readonly file: string;
}

/** What two .config files of a cell's kernel differ in. @throws InputError where there is nothing to bisect */
export async function configsOf(
  cell: Cell,
  good: NamedConfig,
  bad: NamedConfig,
): Promise<Pick<ConfigRequest, 'cell' | 'recipe' | 'good' | 'bad' | 'differences'>> {
  const recipe = await loadRecipe(cell.kernel);
  if (recipe.source.from === 'debian-stock' || recipe.source.from === 'image')
    throw new InputError(`kernel ${cell.kernel} of cell ${cell.id} is prebuilt`, 'name a cell whose kernel is built');
  const differences = diffConfigs(good.text, bad.text);
  if (differences.length === 0) throw new InputError(`${good.name} and ${bad.name} set the same options`);
  return { cell, recipe, good, bad, differences };
}

/**
 * The options that carry the change from the good .config to the bad one. Each mixture is built from the source and
 * with the patches of the cell's recipe, and with the cell's linkage, which neither file decides.
 */
export function bisectConfigFiles(request: ConfigRequest): Promise<BisectedConfigs> {
  const { results, signal, listen } = request;
  return runSearch('bisect-configs', { signal, listen, results, workers: 1 }, (session) => search(request, session));
}

async function search(
  { cell, recipe, good, bad, differences, note }: ConfigRequest,
  { runner, folder, keepCell }: SearchSession,
): Promise<BisectedConfigs> {
  let made = 0;
  const keepRecipe = async (kernel: string, config: string) => {
    const source = formatSource(recipe.source);
    const patches = recipe.patches.map(({ path }) => path);
    await writeFile(join(folder.path, `${kernel}.config`), config);
    await writeFile(join(folder.path, `${kernel}.yaml`), stringify({ source, config: `${kernel}.config`, patches }));
    return `${kernel}.yaml`;
  };
  const observe = async (config: string): Promise<Sighting[]> => {
    made++;
    const kernel = await keepRecipe(`config-${made}`, config);
    return observeCell(runner, { ...cell, id: `${cell.id}-${made}`, kernel: join(folder.path, kernel) }, 1, null);
  };
  const seen = { bad: await observe(bad.text), good: await observe(good.text) };
  const ends = { good: { name: good.name, commit: '' }, bad: { name: bad.name, commit: '' } };
  const claim = claimOfEnds(ends, seen, []);
  note(`${differences.length} options differ; looking for ${claim.bad.join(' or ')}`);
  const minimised = await bisectConfigs(good.text, bad.text, async (config, taken) => {
    if (taken.length === 0) return 'pass';
    if (taken.length === differences.length) return 'fail';
    const { answer, shown } = judgeCommit(await observe(config), claim);
    note(`with ${taken.length} of ${differences.length} options: ${shown}`);
    return RESULTS[answer];
  });
  const kernel = await keepRecipe('minimal-kernel', mixConfig(good.text, minimised.minimal));
  const path = relative(process.cwd(), join(folder.final, kernel));
  const file = relative(
    process.cwd(),
    await keepCell('minimal.yaml', { ...cell, id: `${cell.id}.minimal`, kernel: path }),
  );
  return {
    needed: minimised.minimal,
    irrelevant: minimised.irrelevant.length,
    shown: claim.bad,
    kernels: made,
    file,
  };
}
