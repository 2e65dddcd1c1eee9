import { createReadStream, existsSync } from 'node:fs';
import { basename } from 'node:path';
import { editTree } from '../devicetree/edit.ts';
import { DmesgParser } from '../dmesg/parser.ts';
import { BootSummaries } from '../dmesg/summary.ts';
import { EXIT, InputError } from '../errors.ts';
import type { KernelArtefact } from '../kernel/artefact.ts';
import { cacheRoot } from '../kernel/cache.ts';
import { driversOf } from '../kernel/matches.ts';
import { ModuleMatcher, moduleIndex } from '../kernel/modalias.ts';
import { loadCell } from '../matrix/matrix-file.ts';
import { withProgress } from '../report/progress.ts';
import { formatWhy } from '../report/why.ts';
import { type BoardBlob, readBoardTree } from '../run/board-tree.ts';
import { readTreeOfMachine } from '../run/machine-tree.ts';
import { type LeastTimeout, leastTimeout, type NoTimeout } from '../search/timeout.ts';
import { runSearch } from '../session/search.ts';
import { whyBooted } from '../session/why.ts';
import { type BesideLog, whyBeside } from '../session/why-log.ts';
import { requireTools } from '../terminal/install-tools.ts';
import { kernelNamed } from '../terminal/kernel.ts';
import { print, printJson } from '../terminal/output.ts';
import { whyOfBoots } from '../verdict/why-boots.ts';
import type { Tried } from '../verdict/why-cell.ts';
import { leftOpen, type Why } from '../verdict/why-roots.ts';
import type { TreeGuesses } from '../verdict/why-tree.ts';
import type { WhyOptions } from './why.options.ts';

const NEEDS_TREE = 'give the path of a .dtb, or a kernel whose package has the tree: `--kernel debian-stock:6.12`';

/**
 * `bootrace why CELL|LOG`: exit code 0 where everything is bound, 1 where something is not or says that it did not come
 * up, 3 where the input is no kernel's log.
 * @throws InputError for what is neither a readable file nor a cell
 */
export async function why(what: string | undefined, options: WhyOptions, signal: AbortSignal): Promise<number> {
  const isLog = what === undefined || what === '-' || (existsSync(what) && !/\.ya?ml$/.test(what));
  const answer = isLog ? await whyLog(what ?? '-', options, signal) : await whyCell(what, options, signal);
  const { found, ...more } = answer;
  if (options.json === true) printJson({ ...found, ...more, beside: more.beside && asJson(more.beside) });
  else print(formatWhy(found, more));
  const isAllBound =
    leftOpen(found) + found.unread.length + found.silent.length === 0 &&
    found.rootDevice === null &&
    found.crash === null &&
    more.ended === null;
  return isAllBound ? EXIT.expected : EXIT.unexpected;
}

interface Answer {
  readonly found: Why;
  /** The log's machine, where no tree was asked for and Debian may have one; null for a cell. */
  readonly unasked: string | null;
  /** What a tree and a kernel add to a log; null where none was asked for. */
  readonly beside: BesideLog | null;
  /** Null without a tree to guess by. */
  readonly byTree: TreeGuesses | null;
  /** Null where no module is missing that could be tried. */
  readonly tried: Tried | null;
  /** How a cell's boot ends, where that is no matter of what is bound; null for a log. */
  readonly ended: string | null;
  readonly timeout: LeastTimeout | NoTimeout | null;
}

async function whyLog(file: string, options: WhyOptions, signal: AbortSignal): Promise<Answer> {
  if (options.timeout === true)
    throw new InputError('a log has no time-out to look for', 'name a cell, or leave --timeout out');
  const parser = new DmesgParser(null, 'complaints');
  const boots = new BootSummaries();
  const input = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 1 << 18 });
  try {
    for await (const chunk of input)
      for (const event of parser.push(Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk)))) boots.add(event);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw new InputError(`${file} cannot be read (${String(error.code)})`, 'name a file with a kernel log', {
      cause: error,
    });
  }
  for (const event of parser.end()) boots.add(event);
  const { found, summary: said } = whyOfBoots(boots.finish(parser));
  const isSilent = found.unbound === 0 && found.complaints.length === 0 && found.rejected.length === 0;
  if (!said.kernel && said.devices.size === 0 && isSilent) {
    const [unread] = found.unread;
    const spoken =
      unread === undefined ? '' : `, a message a line: line ${unread.line} speaks of deferral all the same`;
    throw new InputError(`${file} holds no line of a kernel`, `name a file with a kernel log${spoken}`);
  }
  const { machine } = said;
  const unasked = machine?.mayBeArm64 === true ? machine.model : null;
  const log = { found, unasked, byTree: null, beside: null, tried: null, ended: null, timeout: null };
  const kernel = options.kernel === undefined ? null : await kernelNamed(options.kernel, null, signal);
  const blob = await treeFor(machine?.model ?? null, options.tree, kernel);
  if (blob === null) return log;
  const drivers = kernel && { recipe: kernel.recipe, drivers: await driversOf(cacheRoot(), kernel) };
  return {
    ...log,
    unasked: null,
    ...whyBeside(found, said, { name: basename(blob.path), tree: blob.tree, kernel: drivers }),
  };
}

/** The device tree that is asked for, or that of the log's machine in the kernel's package; null where neither is. */
async function treeFor(
  machine: string | null,
  asked: string | undefined,
  kernel: KernelArtefact | null,
): Promise<BoardBlob | null> {
  if (asked !== undefined) return readBoardTree(asked, kernel, NEEDS_TREE);
  return kernel === null ? null : readTreeOfMachine(machine, kernel);
}

function asJson(beside: BesideLog) {
  return { ...beside, facts: Object.fromEntries(beside.facts) };
}

async function whyCell(name: string, options: WhyOptions, signal: AbortSignal): Promise<Answer> {
  if (options.tree !== undefined)
    throw new InputError('a cell has its own device tree', 'leave --tree out, or name a log');
  if (options.kernel !== undefined)
    throw new InputError('a cell has its own kernel', 'leave --kernel out, or name a log');
  const cell = await loadCell(name, options.matrix, 'file or cell');
  await requireTools();
  return withProgress((progress) =>
    runSearch(
      'why',
      { signal, listen: progress.listen, results: options.results, workers: null },
      async ({ runner, boot }) => {
        const kernel = await runner.checkWithKernel(cell);
        const tree = editTree(await runner.board(cell), cell.tree);
        const drivers = await driversOf(cacheRoot(), kernel);
        const matcher = new ModuleMatcher(await moduleIndex(cacheRoot(), kernel));
        const { found, tried, ended } = await whyBooted(cell, { boot, tree, drivers, matcher });
        const timeout = options.timeout === true ? await leastTimeout(cell, boot) : null;
        return { found, unasked: null, byTree: null, beside: null, tried, ended, timeout };
      },
    ),
  );
}
