import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { countEnds, linkedToNoDriver } from '../board/census.ts';
import { compareWithLog, isKernelLog, type ReadLog } from '../board/hardware-log.ts';
import { suppliersOf } from '../board/suppliers.ts';
import { lackingFor } from '../board/waits.ts';
import { EXIT, InfraError, InputError } from '../errors.ts';
import { readNamed } from '../files.ts';
import { cacheRoot } from '../kernel/cache.ts';
import { driversOf } from '../kernel/matches.ts';
import { ModuleMatcher } from '../kernel/modalias.ts';
import { formatCellFile } from '../matrix/cell-file.ts';
import { qemuVersion } from '../qemu/version.ts';
import { formatCensus } from '../report/census.ts';
import { formatComparison } from '../report/hardware-log.ts';
import { withProgress } from '../report/progress.ts';
import { count } from '../report/text.ts';
import { harnessVersion } from '../run/about.ts';
import { readConsole } from '../run/boot.ts';
import {
  type CountedBoard,
  type CountingCell,
  type CountRequest,
  countingCell,
  forcedOn,
  openBoard,
  readCensus,
  readModulesLoad,
} from '../run/count.ts';
import { exitCodeOf } from '../run/record.ts';
import { runCells } from '../run/run.ts';
import { requireTools } from '../terminal/install-tools.ts';
import { print } from '../terminal/output.ts';
import type { BoardOptions } from './board.options.ts';
import { withoutBoot } from './board-tree.ts';

/** `bootrace board`: boots a real board's device tree and counts what became of its devices; returns the exit code. */
export async function board(name: string, options: BoardOptions, signal: AbortSignal): Promise<number> {
  if (!options.boot) return withoutBoot(name, options, signal);
  if (options.kernel === undefined)
    throw new InputError('board needs --kernel to boot', 'or --no-boot, which looks at the tree alone');
  await requireTools();
  const request: CountRequest = {
    board: name,
    kernel: options.kernel,
    append: options.append,
    modules: options.modulesLoad === undefined ? null : await readModulesLoad(options.modulesLoad),
    cpus: options.cpus,
  };
  const log = options.log === undefined ? null : await readLog(options.log);
  const opened: { board: CountedBoard | null; counting: CountingCell | null; cellFile: string } = {
    board: null,
    counting: null,
    cellFile: '',
  };
  const { run, folder } = await withProgress(async (progress) =>
    runCells({
      cells: async (runner, folder) => {
        opened.board = await openBoard(runner, request);
        const counting = await countingCell(runner, request, folder.shared);
        opened.counting = counting;
        opened.cellFile = relative(process.cwd(), join(folder.final, CELL_FILE));
        await writeFile(join(folder.path, CELL_FILE), formatCellFile(counting.cell));
        return [counting.cell];
      },
      replay: () => [opened.cellFile],
      workers: null,
      repeat: 1,
      results: options.results,
      signal,
      listen: progress.listen,
      knownIssues: [],
      useCache: options.cache,
      useSnapshots: false,
      becomesLatest: true,
      about: {
        shard: null,
        harness: await harnessVersion(),
        qemu: await qemuVersion(),
        matrix: { file: name, hash: '', selection: [] },
      },
    }),
  );
  const [record] = run.cells;
  const counted = opened.board;
  if (record === undefined || counted === null || record.folder === null)
    throw new InfraError(`${name} could not be booted: ${record?.reason ?? 'there is no record of it'}`);
  const { tree, index, kernel, console } = counted;
  const cellFolder = join(folder, record.folder);
  const census = readCensus(cellFolder, tree, new ModuleMatcher(index), opened.counting?.leftOut);
  await writeFile(join(cellFolder, 'census.json'), `${JSON.stringify(census, null, 1)}\n`);
  if (census.complete && !census.devices.some(({ matched }) => matched))
    throw new InputError(
      `the kernel ${options.kernel} has no driver for any device of ${name}`,
      `give one that is built for the board; the boot's files are in ${relative(process.cwd(), cellFolder)}`,
    );
  const drivers = await driversOf(cacheRoot(), kernel);
  const hasDriver = (compatible: string) => drivers.find([compatible]).kind !== 'none';
  const linked = linkedToNoDriver(census.devices, lackingFor(tree, suppliersOf(tree), hasDriver));
  const comparison =
    log === null ? null : compareWithLog(log, await readLog(join(cellFolder, 'console.log')), census, tree);
  const shown = {
    board: name,
    release: kernel.release,
    verdict: record.verdict,
    ...countEnds(census.devices),
    ...census,
    needsDriver: linked.waiting,
    withoutDriver: linked.suppliers,
    boundWithoutDriver: linked.bound,
    ...(comparison === null ? {} : { comparison }),
  };
  print(
    options.json === true
      ? `${JSON.stringify(shown, null, 1)}\n`
      : formatCensus(census, {
          board: name,
          release: kernel.release,
          linked,
          notes: [
            `${count(census.modules.loaded, 'module')} loaded; console by ${CONSOLES[console]}`,
            `verdict ${record.verdict}: ${record.reason}`,
            ...forcedOn(counted).map((symbol) => `${symbol}() returns 0: QEMU's CPU lacks the registers that it uses`),
            `files in ${relative(process.cwd(), cellFolder)}; the cell, for gates of your own, is ${opened.cellFile}`,
          ],
        }),
  );
  if (comparison !== null && options.json !== true) print(formatComparison(comparison, options.log ?? ''));
  return census.complete ? exitCodeOf(run) : EXIT.unexpected;
}

/** In the run's folder: the cell that was counted, which no matrix has. */
const CELL_FILE = 'cell.yaml';

const CONSOLES: Readonly<Record<CountedBoard['console'], string>> = {
  uart: 'earlycon=pl011',
  driver: 'earlycon=pl011',
  firmware: 'the firmware',
};

/** More than any boot prints; the whole log is held in memory. */
const MAX_LOG_BYTES = 64 * 1024 * 1024;

async function readLog(path: string): Promise<ReadLog> {
  const bytes = await readNamed(path, 'log', { bytesMax: MAX_LOG_BYTES });
  const log = { text: bytes.toString('utf8'), ...readConsole(bytes) };
  if (!isKernelLog(log))
    throw new InputError(
      `${path} is not a kernel log: no line has a time stamp or level, or is known to be a kernel's`,
    );
  return log;
}
