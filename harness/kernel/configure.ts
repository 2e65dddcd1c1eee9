import { readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { readIfPresent, writeAtomic } from './cache.ts';
import { parseConfig, type UnmetOption, unmetOptions } from './kconfig.ts';
import { type MakeContext, make, mergeConfig } from './make.ts';
import { askedOptions, type TextFile } from './recipe.ts';
import { explainDifference, type KconfigEntry, parseKconfig } from './refusal.ts';
import { exists } from './source/source-tree.ts';

/**
 * Where the result of `make tinyconfig` is kept: it takes a quarter of a small rebuild, and is the same for every
 * linkage.
 */
export interface TinyConfig {
  readonly file: string;
  /** Of the source, its patches and the toolchain: what tinyconfig depends on. */
  readonly key: string;
}

/**
 * Resolves the fragments on `config`, or where that is null on tinyconfig, and returns what Kconfig made otherwise of
 * the fragments.
 */
export async function configure(
  context: MakeContext,
  config: TextFile | null,
  fragments: readonly TextFile[],
  tiny: TinyConfig,
): Promise<UnmetOption[]> {
  const asked = askedOptions(fragments);
  if (config === null) await startFromTiny(context, tiny);
  else await writeFile(join(context.output, '.config'), config.text);
  const files = await Promise.all(
    fragments.map(async ({ text }, index) => {
      const file = join(context.output, `fragment-${index}.config`);
      await writeFile(file, text);
      return file;
    }),
  );
  await mergeConfig(context, files);
  await make(context, ['olddefconfig'], () => {});
  return unmetOptions(asked, parseConfig(await readFile(join(context.output, '.config'), 'utf8')));
}

async function startFromTiny(context: MakeContext, { file, key }: TinyConfig): Promise<void> {
  const config = join(context.output, '.config');
  const heading = `# bootrace: tinyconfig of ${key}\n`;
  const kept = await readIfPresent(file);
  if (kept?.startsWith(heading)) {
    await writeFile(config, kept);
    return;
  }
  const autoConf = join(context.output, 'include', 'config', 'auto.conf');
  const isNew = !(await exists(autoConf));
  await make(context, ['tinyconfig'], () => {});
  await writeAtomic(file, heading + (await readFile(config, 'utf8')));
  // Kconfig writes auto.conf where there is none (scripts/kconfig/confdata.c, conf_write_autoconf). Without
  // tinyconfig's, olddefconfig writes the one that make needs, and make need not run Kconfig for it: more than a second
  // less in which one core works.
  if (isNew) await rm(autoConf, { force: true });
}

interface Refusal {
  /** Options that the source does not have at all. */
  readonly unknown: readonly string[];
  /** Why Kconfig made the others otherwise, or null when there are none. */
  readonly reason: string | null;
}

/**
 * Says for each difference why Kconfig made it, from the Kconfig files of the source. `mayLack`: an option that the
 * source does not have is no refusal.
 */
export async function explainRefusal(
  refused: readonly UnmetOption[],
  context: Pick<MakeContext, 'source' | 'output'>,
  mayLack: boolean,
): Promise<Refusal> {
  if (refused.length === 0) return { unknown: [], reason: null };
  const entries = await readKconfig(context.source);
  const resolved = parseConfig(await readFile(join(context.output, '.config'), 'utf8'));
  const names = new Set(entries.map(({ name }) => name));
  const isUnknown = ({ asked }: UnmetOption) => mayLack && !names.has(asked.name.slice('CONFIG_'.length));
  const reasons = refused
    .filter((difference) => !isUnknown(difference))
    .map((difference) => {
      const { fragment, line } = difference.asked;
      return `${explainDifference(difference, entries, resolved)} (asked in ${basename(fragment)}:${line})`;
    });
  return {
    unknown: refused.filter(isUnknown).map(({ asked }) => asked.name),
    reason: reasons.length === 0 ? null : reasons.join('; '),
  };
}

async function readKconfig(source: string): Promise<KconfigEntry[]> {
  // Options of other architectures select things too, and are not part of this configuration.
  const foreign = ['-path', join(source, 'arch', '*', '*'), '-not', '-path', join(source, 'arch', 'arm64', '*')];
  const { stdout } = await execa('find', [
    source,
    ...foreign,
    '-prune',
    '-o',
    '-type',
    'f',
    '-name',
    'Kconfig*',
    '-print',
  ]);
  const texts = await Promise.all(stdout.split('\n').map((path) => readFile(path, 'utf8')));
  return texts.flatMap(parseKconfig);
}
