import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { type ConfigDifference, differences, parseConfig } from './kconfig.ts';
import { type MakeContext, make, mergeConfig } from './make.ts';
import { askedOptions, type TextFile } from './recipe.ts';
import { explainDifference, type KconfigEntry, parseKconfig } from './refusal.ts';

/** Resolves the fragments on tinyconfig and returns what Kconfig made otherwise. */
export async function configure(context: MakeContext, fragments: readonly TextFile[]): Promise<ConfigDifference[]> {
  const asked = askedOptions(fragments);
  await make(context, ['tinyconfig'], () => {});
  const files = await Promise.all(
    fragments.map(async ({ text }, index) => {
      const file = join(context.output, `fragment-${index}.config`);
      await writeFile(file, text);
      return file;
    }),
  );
  await mergeConfig(context, files);
  await make(context, ['olddefconfig'], () => {});
  return differences(asked, parseConfig(await readFile(join(context.output, '.config'), 'utf8')));
}

/** Says for each difference why Kconfig made it, from the Kconfig files of the source. */
export async function explainRefusal(refused: readonly ConfigDifference[], context: MakeContext): Promise<string> {
  const entries = await readKconfig(context.source);
  const resolved = parseConfig(await readFile(join(context.output, '.config'), 'utf8'));
  return refused
    .map((difference) => {
      const { fragment, line } = difference.asked;
      return `${explainDifference(difference, entries, resolved)} (asked in ${basename(fragment)}:${line})`;
    })
    .join('; ');
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
