import { existsSync, writeFileSync } from 'node:fs';
import { cp, mkdir, readdir, rename, rm, rmdir, symlink } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { InputError } from '../errors.ts';
import { replaceFile } from '../files.ts';
import { errorCode, makeFolder } from '../kernel/cache.ts';
import { isAbandoned, ownerToken } from '../owner.ts';
import { type CellRecord, type RunRecord, runRecordSchema } from './record.ts';

const RECORD = 'run.json';
const LATEST = 'latest';
/** Folder of the cells that a person boots by hand. */
export const BY_HAND = 'by-hand';
/** A run in the making; renamed when its record is complete, so that a run without a record is never `latest`. */
const UNFINISHED = '.unfinished';

export interface RunFolder {
  readonly name: string;
  /** Absolute; changes its name when the run is finished. */
  readonly path: string;
  /** Absolute; the name that it is going to have. */
  readonly final: string;
  readonly shared: string;
  cell(id: string): string;
  /** Writes run.json, gives the folder its final name and, if wanted, points `latest` to it. Returns the final path. */
  finish(run: RunRecord, becomesLatest: boolean): Promise<string>;
  /** Gives a folder without a run record, that of a search, its final name. */
  keep(): Promise<void>;
  /** Removes the folder: the run was interrupted. */
  discard(): Promise<void>;
}

/** ISO 8601 time as a folder name: `2020-10-30T12-00-00Z`. */
function folderName(time: Date): string {
  return `${time.toISOString().slice(0, 19).replaceAll(':', '-')}Z`;
}

/**
 * Opens a folder for a new run under `results`. Throws {@link InputError} when it cannot be written.
 */
export async function openRunFolder(results: string, now: Date, prefix = ''): Promise<RunFolder> {
  const root = resolve(results);
  const isNew = !existsSync(root);
  try {
    await makeFolder(root);
  } catch (error) {
    throw new InputError(`the results folder ${root} cannot be made`, 'give another one with --results DIR', {
      cause: error,
    });
  }
  await removeAbandoned(root);
  const { name, path } = await claim(root, `${prefix}${folderName(now)}`);
  const final = join(root, name);
  const shared = join(path, 'shared');
  await mkdir(shared);
  return {
    name,
    path,
    final,
    shared,
    cell: (id) => join(path, 'cells', cellFolder(id)),
    async finish(run, becomesLatest) {
      await writeRecord(path, run);
      await rename(path, final);
      if (becomesLatest) await pointLatest(root, name);
      return final;
    },
    async keep() {
      await rename(path, final);
    },
    async discard() {
      await rm(path, { recursive: true, force: true });
      // Nothing came of what was asked for. Where another run is in it by now, it stays.
      if (isNew) await rmdir(root).catch(() => {});
    },
  };
}

/** Cell ids are `[a-z0-9._+=-]+` (matrix/expand.ts); anything else, from a cell file, must not become a path. */
export function cellFolder(id: string): string {
  const safe = id.replaceAll(/[^A-Za-z0-9._+=-]/g, '_');
  return /^\.+$/.test(safe) ? `_${safe}` : safe;
}

async function claim(root: string, wanted: string): Promise<{ name: string; path: string }> {
  const taken = new Set(
    (await readdir(root)).map((entry) => entry.replace(UNFINISHED, '').replace(/\.pid[\w-]+$/, '')),
  );
  const token = await ownerToken();
  for (let attempt = 1; ; attempt++) {
    const name = attempt === 1 ? wanted : `${wanted}-${attempt}`;
    if (taken.has(name)) continue;
    const path = join(root, `${name}${UNFINISHED}.pid${token}`);
    // With its parents: a run that came to nothing may have removed what it had made.
    await mkdir(path, { recursive: true });
    return { name, path };
  }
}

/** What bootrace itself puts into a folder of runs: runs, searches, `latest` and what `cell --interactive` prepares. */
export function isOfRuns(entry: string): boolean {
  return entry === LATEST || entry === BY_HAND || /^(?:[a-z-]+-)?\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ/.test(entry);
}

/** Folders of runs that were killed: their process is gone. */
async function removeAbandoned(root: string): Promise<void> {
  for (const entry of await readdir(root)) {
    const token = /\.unfinished\.pid([\w-]+)$/.exec(entry)?.[1];
    if (token === undefined || !(await isAbandoned(token, join(root, entry)))) continue;
    await rm(join(root, entry), { recursive: true, force: true });
  }
}

async function writeRecord(folder: string, run: RunRecord): Promise<void> {
  await replaceFile(join(folder, RECORD), `${JSON.stringify(runRecordSchema.parse(run), null, 1)}\n`, true);
}

async function pointLatest(root: string, name: string): Promise<void> {
  const temporary = join(root, `.${LATEST}${UNFINISHED}.pid${await ownerToken()}`);
  await symlink(name, temporary);
  await rename(temporary, join(root, LATEST));
}

/** Writes what belongs to one cell beside its console. */
export function writeCell(folder: string, cell: CellRecord, events: readonly object[]): void {
  writeFileSync(join(folder, 'cell.json'), `${JSON.stringify(cell, null, 1)}\n`);
  writeFileSync(join(folder, 'events.jsonl'), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
}

/**
 * Copies the files of a run's cells, and what its cells share, into the folder of another run. A run may have been
 * brought here without them: its record alone can be merged. Throws {@link InputError} for a cell outside of `from`.
 */
export async function copyCellFiles(run: Pick<RunRecord, 'cells'>, from: string, to: string): Promise<void> {
  const folders = run.cells.flatMap((cell) => (cell.folder === null ? [] : [cell.folder]));
  for (const folder of ['shared', ...folders]) {
    const source = resolve(from, folder);
    if (!source.startsWith(`${from}${sep}`))
      throw new InputError(`${from} has a cell in ${folder}, outside of the run`);
    await cp(source, join(to, folder), { recursive: true }).catch((error: unknown) => {
      if (errorCode(error) !== 'ENOENT') throw error;
    });
  }
}
