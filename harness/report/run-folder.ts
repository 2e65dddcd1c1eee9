import { closeSync, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { z } from 'zod';
import { InputError } from '../errors.ts';
import { readRegularFile } from '../files.ts';
import { type CellRecord, type RunRecord, runRecordSchema } from '../run/record.ts';

const RECORD = 'run.json';
/** What a report may show of a cell (run/record.ts); the boards' trees are in the folder that all cells share. */
export type CellFile =
  | 'console.log'
  | 'events.jsonl'
  | 'firmware.log'
  | 'variant.dts'
  | 'variant.dtb'
  | `board-${string}.dtb`
  | 'command.sh'
  | 'census.json'
  | 'cell.json';

/** Reads a file of a cell; null where the cell has none. A file beyond {@link LARGEST_FILE} bytes is cut there. */
export type ReadCellFile = (cell: Pick<CellRecord, 'folder'>, name: CellFile) => Uint8Array | null;

/** A finished run with its files. */
export interface LoadedRun {
  readonly run: RunRecord;
  /** Absolute path of the folder that holds run.json. */
  readonly folder: string;
}

/** A guest can print without end; no report shows more than this of a console. */
const LARGEST_FILE = 4 * 1024 * 1024;

/** Thousands of times the default matrix's; no longer text fits into a string of V8. */
const LARGEST_RECORD = 500_000_000;

/**
 * Loads the record of a run from its folder or from its run.json.
 * @throws InputError when there is none, it is not a record, or it is of another version
 */
export async function loadRun(path: string): Promise<LoadedRun> {
  const found = await stat(path).catch(() => null);
  const folder = resolve(found?.isFile() === true ? join(path, '..') : path);
  const file = found?.isFile() === true ? path : join(path, RECORD);
  const text = await readRegularFile(file, LARGEST_RECORD).then(String, (cause: unknown) => {
    if (cause instanceof InputError) throw cause;
    throw new InputError(
      `there is no run in ${path}`,
      `give a folder that has a ${RECORD}: matrix and board leave theirs in results/latest`,
      {
        cause,
      },
    );
  });
  return { run: parseRun(text, file), folder };
}

/** @throws InputError naming the file and the first thing that is wrong with it */
function parseRun(text: string, file: string): RunRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new InputError(`${file} is not JSON`, 'it may have been cut off; run the matrix again', { cause });
  }
  const parsed = runRecordSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const version = z.looseObject({ schema: z.number() }).safeParse(value);
  const read = runRecordSchema.shape.schema.value;
  if (version.success && version.data.schema !== read) {
    throw new InputError(
      `${file} is a record of version ${version.data.schema}, and this bootrace reads version ${read}`,
      'use the bootrace that wrote it',
    );
  }
  const issue = parsed.error.issues[0];
  const where = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.map(String).join('.')}`;
  throw new InputError(`${file} is not the record of a run: ${issue?.message ?? 'wrong shape'}${where}`);
}

/**
 * Reads files of cells below `folder`. A record may come from elsewhere (a downloaded shard), so a cell's folder that
 * leads out of the run's, by `..`, an absolute path or a symbolic link, has no files.
 */
export function cellFiles(folder: string): ReadCellFile {
  const root = realpathSync(folder);
  return (cell, name) => {
    if (cell.folder === null) return null;
    try {
      const path = realpathSync(resolve(root, cell.folder, name));
      return path.startsWith(`${root}${sep}`) ? readStart(path) : null;
    } catch (error) {
      if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
        return null;
      throw error;
    }
  };
}

function readStart(path: string): Uint8Array | null {
  // Opening a FIFO would wait for its writer.
  const found = statSync(path);
  if (!found.isFile()) return null;
  const buffer = new Uint8Array(Math.min(found.size, LARGEST_FILE));
  const file = openSync(path, 'r');
  try {
    let length = 0;
    while (length < buffer.length) {
      const read = readSync(file, buffer, length, buffer.length - length, null);
      if (read === 0) break;
      length += read;
    }
    return buffer.subarray(0, length);
  } finally {
    closeSync(file);
  }
}
