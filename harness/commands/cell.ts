import { join, relative } from 'node:path';
import { EXIT, InputError } from '../errors.ts';
import { shellQuote } from '../invocation.ts';
import { DEFAULT_MATRIX, loadCell } from '../matrix/matrix-file.ts';
import type { Cell } from '../model/cell.ts';
import { PrintableStream } from '../printable.ts';
import { debuggerLine, QEMU } from '../qemu/command.ts';
import { attachTerminal } from '../qemu/process.ts';
import { qemuVersion } from '../qemu/version.ts';
import { formatCell } from '../report/cell.ts';
import { colours, wantsColour } from '../report/paint.ts';
import { renderProgress, withProgress } from '../report/progress.ts';
import { harnessVersion } from '../run/about.ts';
import { prepareByHand } from '../run/by-hand.ts';
import { exitCodeOf } from '../run/record.ts';
import { runCells } from '../run/run.ts';
import { requireTools } from '../terminal/install-tools.ts';
import { print, printJson, tell } from '../terminal/output.ts';
import type { CellOptions } from './cell.options.ts';

/** What `qemu -s` uses, and so what people type. */
const DEFAULT_DEBUG_PORT = 1234;

/**
 * `bootrace cell`: boots one cell and shows its console, or boots it several times and compares; returns the exit code.
 */
export async function cell(name: string, options: CellOptions, signal: AbortSignal): Promise<number> {
  const file = options.matrix ?? DEFAULT_MATRIX;
  const chosen = await loadCell(name, file);
  if (options.interactive === true && !process.stdin.isTTY)
    throw new InputError(
      '--interactive needs a terminal, and standard input is none',
      'run it in one; what a script does in the guest goes into a plan (docs/cells.md)',
    );
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
    const { repeat, flakes, clockRaces } = run;
    const shown = repeat === 1 ? record : { ...record, repeat, flakes, clockRaces };
    if (options.json === true) printJson(shown);
    else {
      const paint = colours(wantsColour(process.stderr.isTTY, process.env));
      tell(formatCell(record, run, join(relative(process.cwd(), folder), record.folder ?? ''), paint));
    }
    return exitCodeOf(run);
  } finally {
    progress.close();
  }
}

/** Prepares the cell's files in a folder of their own and leaves the guest to the user. */
async function byHand(chosen: Cell, options: CellOptions, signal: AbortSignal): Promise<number> {
  const { interactive: isInteractive = false, printCommand = false, gdb, results } = options;
  const debugPort = gdb === true ? DEFAULT_DEBUG_PORT : (gdb ?? null);
  const guest = await withProgress((progress) =>
    prepareByHand(chosen, {
      results,
      isInteractive,
      debugPort,
      signal,
      onProgress: (event) => progress.listen({ event: 'kernel-progress', kernel: chosen.kernel, progress: event }),
    }),
  );
  if (!('words' in guest)) {
    tell(`bootrace: cell ${chosen.id} cannot be booted, as its kernel is unbuildable: ${guest.kernel.reason}\n`);
    return EXIT.noVerdict;
  }
  if (printCommand) {
    print(`${[QEMU, ...guest.words((_role, path) => path)].map(shellQuote).join(' ')}\n`);
    return EXIT.expected;
  }
  if (debugPort !== null) tell(`${debuggerLine(guest.kernel.vmlinux, debugPort)}\n`);
  if (isInteractive) tell('bootrace: Ctrl-a x ends the guest\n');
  // What QEMU could not do it has said: its own 1 is no answer of ours.
  return (await attachTerminal(guest.words, guest.folder)) === 0 ? EXIT.expected : EXIT.noVerdict;
}
