import { join, relative, resolve } from 'node:path';
import { EXIT } from '../errors.ts';
import { shellQuote } from '../invocation.ts';
import { buildKernel } from '../kernel/build.ts';
import { cacheRoot } from '../kernel/cache.ts';
import { DEFAULT_MATRIX, loadCell } from '../matrix/matrix-file.ts';
import type { Cell } from '../model/cell.ts';
import { PrintableStream } from '../printable.ts';
import { debuggerLine, type GuestWords, QEMU, qemuArguments, renameFiles } from '../qemu/command.ts';
import { attachTerminal } from '../qemu/process.ts';
import { qemuVersion } from '../qemu/version.ts';
import { colours, mark, paintVerdict, wantsColour } from '../report/paint.ts';
import { renderProgress } from '../report/progress.ts';
import { harnessVersion } from '../run/about.ts';
import { openCommonFiles } from '../run/common-files.ts';
import { prepareCell } from '../run/prepare.ts';
import { type CellRecord, exitCodeOf, type RunRecord } from '../run/record.ts';
import { BY_HAND, cellFolder } from '../run/results.ts';
import { runCells } from '../run/run.ts';
import { symbolsOf } from '../run/symbols.ts';
import { print, printJson, tell } from '../terminal/output.ts';
import { requireTools } from '../terminal/install-tools.ts';
import type { CellOptions } from './cell.options.ts';

/** What `qemu -s` uses, and so what people type. */
const DEFAULT_DEBUG_PORT = 1234;

/**
 * `bootrace cell`: boots one cell and shows its console, or boots it several times and compares; returns the exit code.
 */
export async function cell(name: string, options: CellOptions, signal: AbortSignal): Promise<number> {
  const file = options.matrix ?? DEFAULT_MATRIX;
  const chosen = await loadCell(name, file);
  await requireTools();
  if (options.printCommand === true || options.interactive === true || options.gdb !== undefined)
    return byHand(chosen, options, signal);

  const progress = renderProgress(process.stderr);
  const console = new PrintableStream();
  const showsConsole = options.json !== true && options.repeat === 1;
  try {
    const { run, folder } = await runCells({
      cells: [chosen],
      workers: options.repeat === 1 ? 1 : null,
      repeat: options.repeat,
      results: options.results,
      signal,
      listen: (event) => {
        // The console comes next: the status line must not be drawn into it.
        if (event.event === 'boot-started' && showsConsole) progress.close();
        else if (event.event !== 'cell-finished') progress.listen(event);
      },
      knownIssues: [],
      // Whoever asks for one cell wants to see it boot.
      useCache: false,
      useSnapshots: false,
      replay: () => [name, ...(options.matrix === undefined ? [] : ['--matrix', options.matrix])],
      ...(!showsConsole ? {} : { onConsole: (bytes: Uint8Array) => print(console.push(bytes)) }),
      becomesLatest: false,
      about: {
        shard: null,
        harness: await harnessVersion(),
        qemu: await qemuVersion(),
        matrix: { file, hash: '', selection: [`id=${chosen.id}`] },
      },
    });
    const [record] = run.cells;
    if (record === undefined) throw new Error('a run of one cell has no record of it');
    progress.close();
    print(console.end());
    const { repeat, flakes } = run;
    const shown = repeat === 1 ? record : { ...record, repeat, flakes };
    if (options.json === true) printJson(shown);
    else tell(describe(record, run, join(relative(process.cwd(), folder), record.folder ?? '')));
    return exitCodeOf(run);
  } finally {
    progress.close();
  }
}

function describe(record: CellRecord, { repeat, flakes }: RunRecord, folder: string): string {
  const paint = colours(wantsColour(process.stderr.isTTY, process.env));
  const expected = record.asExpected ? 'as expected' : `expected ${record.expected.verdicts.join(' or ')}`;
  const verdict = paintVerdict(record, record.verdict, paint);
  const lines = [
    `${mark(record, paint)} ${record.id}: ${verdict} (${expected}): ${record.reason}`,
    ...record.notes.map((note) => `  ${note}`),
    ...(repeat === 1 || record.consoleHash === null ? [] : [`  ${describeRepetition(repeat, flakes)}`]),
    `  files in ${folder}`,
  ];
  return `\n${lines.join('\n')}\n`;
}

function describeRepetition(repeat: number, flakes: RunRecord['flakes']): string {
  const same = 'the same console, byte for byte,';
  if (flakes.length === 0) return `${repeat} boots: ${same} in all of them`;
  const others = flakes.map(({ repetition, what }) => `boot ${repetition} in its ${what}`);
  return `${repeat} boots: ${flakes.length} of them differ from the first: ${others.join(', ')}`;
}

/** Prepares the cell's files in a folder of their own and leaves the guest to the user. */
async function byHand(chosen: Cell, options: CellOptions, signal: AbortSignal): Promise<number> {
  await qemuVersion();
  const progress = renderProgress(process.stderr);
  const kernel = await buildKernel({
    recipe: chosen.kernel,
    linkage: chosen.linkage,
    board: chosen.board,
    signal,
    onProgress: (event) => progress.listen({ event: 'kernel-progress', progress: event }),
  }).finally(() => progress.close());
  if (kernel.kind === 'unbuildable') {
    tell(`bootrace: cell ${chosen.id} cannot be booted, as its kernel is unbuildable: ${kernel.reason}\n`);
    return EXIT.noVerdict;
  }
  const folder = resolve(options.results, BY_HAND);
  const shared = join(folder, 'shared');
  const cache = cacheRoot();
  const common = await openCommonFiles(shared, cache);
  const symbols = await symbolsOf(chosen, kernel, { common, folder: shared, cache, signal });
  const plan = options.interactive === true ? [...chosen.plan, { step: 'shell' } as const] : chosen.plan;
  const prepared = await prepareCell(
    { ...chosen, plan },
    kernel,
    symbols,
    common,
    join(folder, 'cells', cellFolder(chosen.id)),
  );
  const debugPort = options.gdb === true ? DEFAULT_DEBUG_PORT : (options.gdb ?? null);
  const words: GuestWords = (rename) =>
    qemuArguments(renameFiles({ ...prepared.files, firmwareLog: '/dev/null' }, rename), prepared.machine, {
      console: options.interactive === true ? 'terminal' : 'output',
      debugPort,
    });
  if (options.printCommand === true) {
    print(`${[QEMU, ...words((_role, path) => path)].map(shellQuote).join(' ')}\n`);
    return EXIT.expected;
  }
  if (debugPort !== null) tell(`${debuggerLine(kernel.vmlinux, debugPort)}\n`);
  if (options.interactive === true) tell('bootrace: Ctrl-a x ends the guest\n');
  return attachTerminal(words, prepared.folder);
}
