import { availableParallelism } from 'node:os';
import { relative } from 'node:path';
import PQueue from 'p-queue';
import { EXIT, InputError } from '../errors.ts';
import { readNamed } from '../files.ts';
import { writeAtomic } from '../kernel/cache.ts';
import { withProgress } from '../report/progress.ts';
import { formatEntry, formatZooSummary, withZooTable } from '../report/zoo.ts';
import { runSearch } from '../session/search.ts';
import { runEntry } from '../session/zoo.ts';
import { requireTools } from '../terminal/install-tools.ts';
import { print, printJson } from '../terminal/output.ts';
import { readEntries, ZOO } from '../zoo/folder.ts';
import { type EntryResult, judgeEntry } from '../zoo/result.ts';
import type { ZooOptions } from './zoo.options.ts';

/**
 * `bootrace zoo`: hunts each known bug on the kernel that has it and on the one that has not. Exit code 1 when one is
 * not found, or found where it should not be; 3 when there is an entry without an answer.
 */
export async function zoo(names: readonly string[], options: ZooOptions, signal: AbortSignal): Promise<number> {
  const { budget, seed, explain, results, docs } = options;
  const { clean = null, random = false, workers = availableParallelism() } = options;
  if (docs !== undefined && names.length > 0)
    throw new InputError('--docs writes the table of all entries', 'leave out the names of entries');
  if (docs !== undefined) await requirePlace(docs);
  const entries = await readEntries(options.folder ?? ZOO, names);
  await requireTools();
  const { found, folder } = await withProgress((progress) =>
    runSearch('zoo', { signal, listen: progress.listen, results, workers }, async (session) => {
      // A search boots one cell at a time, so there are as many searches as guests.
      const queue = new PQueue({ concurrency: workers });
      let done = 0;
      const found = await queue.addAll(
        entries.map((entry) => async () => {
          const result = await runEntry(entry, session, { budget, clean, seed, random, explain, note: progress.note });
          for (const line of formatEntry(result).trimEnd().split('\n')) progress.note(line);
          done++;
          if (entries.length > 1) progress.note(`entries: ${done} of ${entries.length}`);
          return result;
        }),
      );
      return { found, folder: relative(process.cwd(), session.folder.final) };
    }),
  );
  if (options.json === true) printJson(found);
  else print(found.map(formatEntry).join('\n') + formatZooSummary(found, folder));
  if (docs !== undefined) {
    const text = withZooTable(String(await readNamed(docs, 'document', { isRegular: true })), found);
    if (text !== null) await writeAtomic(docs, text);
  }
  return exitCodeOf(found);
}

async function requirePlace(file: string): Promise<void> {
  if (withZooTable(String(await readNamed(file, 'document', { isRegular: true })), []) === null)
    throw new InputError(`${file} has no marks between which the table belongs`, 'name docs/zoo.md');
}

function exitCodeOf(results: readonly EntryResult[]): number {
  const judgements = results.map(judgeEntry);
  if (judgements.includes('unexpected')) return EXIT.unexpected;
  return judgements.includes('missing') ? EXIT.noVerdict : EXIT.expected;
}
