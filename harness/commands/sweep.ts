import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EXIT, InputError } from '../errors.ts';
import { writeAtomic } from '../kernel/cache.ts';
import { parseShard } from '../matrix/shard.ts';
import { withProgress } from '../report/progress.ts';
import { formatSweep, type KnownFunctions } from '../report/sweep.ts';
import { SWEEPS, type Sweep } from '../search/sweep.ts';
import { runSearch } from '../session/search.ts';
import { sweepBoards } from '../session/sweep.ts';
import { didYouMean } from '../suggest.ts';
import { requireTools } from '../terminal/install-tools.ts';
import { print, printJson } from '../terminal/output.ts';
import { readEntries, ZOO } from '../zoo/folder.ts';
import { readKnownFixes } from '../zoo/known-fixes.ts';
import type { SweepOptions } from './sweep.options.ts';

/**
 * `bootrace sweep`: exit code 1 when something depends on order, 3 when a board gave no answer. Boots are kept in the
 * cache as they come, so that a sweep that was stopped goes on where it was.
 */
export async function sweep(boards: readonly string[], options: SweepOptions, signal: AbortSignal): Promise<number> {
  const { kernel: kernels, most, reduce, seed, results, workers = null } = options;
  const sweeps = (options.sweeps ?? SWEEPS).map(sweepOf);
  const shard = options.shard === undefined ? { index: 1, of: 1 } : parseShard(options.shard);
  if (options.report !== undefined) await requireFolderOf(options.report);
  await requireTools();
  const swept = await withProgress((progress) =>
    runSearch('sweep', { signal, listen: progress.listen, results, workers }, (session) =>
      sweepBoards(session, { boards, kernels, sweeps, most, reduce, seed, shard, note: progress.note }),
    ),
  );
  const text = formatSweep(swept, await knownFunctions());
  if (options.json === true) printJson(swept);
  else print(text);
  if (options.report !== undefined) await writeAtomic(options.report, text);
  if (swept.some(({ problem }) => problem !== null)) return EXIT.noVerdict;
  return swept.some(({ findings }) => findings.length > 0) ? EXIT.unexpected : EXIT.expected;
}

/** What takes a night is not lost at its end. */
async function requireFolderOf(file: string): Promise<void> {
  await access(dirname(file), constants.W_OK).catch((cause: unknown) => {
    throw new InputError(`the report ${file} cannot be written`, 'name a file in a folder that you may write to', {
      cause,
    });
  });
}

function sweepOf(name: string): Sweep {
  const found = SWEEPS.find((known) => known === name);
  if (found === undefined)
    throw new InputError(`there is no sweep ${name}${didYouMean(name, SWEEPS)}`, `they are ${SWEEPS.join(', ')}`);
  return found;
}

/** What the zoo and the list of known fixes know, by the function where it shows. */
async function knownFunctions(): Promise<KnownFunctions> {
  const [fixes, entries] = await Promise.all([readKnownFixes(), readEntries(ZOO, [])]);
  return new Map([
    ...fixes,
    ...entries.flatMap(({ symptom, commit, subject }) =>
      symptom.function === null ? [] : [[symptom.function, `${commit ?? ''} ${subject}`.trim()] as const],
    ),
  ]);
}
