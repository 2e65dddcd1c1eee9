import { EXIT } from '../errors.ts';
import { readNamed } from '../files.ts';
import { loadCell } from '../matrix/matrix-file.ts';
import { formatConfigs } from '../report/bisection.ts';
import { withProgress } from '../report/progress.ts';
import { bisectConfigFiles as bisectFiles, configsOf, type NamedConfig } from '../session/bisect-configs.ts';
import { requireTools } from '../terminal/install-tools.ts';
import { print, printJson } from '../terminal/output.ts';
import type { BisectConfigsOptions } from './bisect-configs.options.ts';

/** `bisect configs`: the options that carry the change; returns the exit code. */
export async function bisectConfigFiles(options: BisectConfigsOptions, signal: AbortSignal): Promise<number> {
  const cell = await loadCell(options.cell, options.matrix);
  const [good, bad] = await Promise.all([readConfig(options.good), readConfig(options.bad)]);
  const configs = await configsOf(cell, good, bad);
  await requireTools();
  const found = await withProgress(({ listen, note }) =>
    bisectFiles({ ...configs, results: options.results, signal, listen, note }),
  );
  if (options.json === true) printJson(found);
  else print(formatConfigs(configs, found));
  return EXIT.expected;
}

async function readConfig(name: string): Promise<NamedConfig> {
  return { name, text: String(await readNamed(name, 'configuration', { hint: 'name the .config of a kernel' })) };
}
