import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import { type Entry, parseEntry } from './entry.ts';

/** The entries that come with bootrace, a file each. */
export const ZOO = fileURLToPath(new URL('../../zoo/', import.meta.url));
const ENDING = '.yaml';

/**
 * The entries of a folder by name, or all of them in the order of the alphabet.
 * @throws InputError for a name that is none, and for a file that is no entry
 */
export async function readEntries(folder: string, names: readonly string[]): Promise<Entry[]> {
  const known = (await readdir(folder))
    .filter((file) => file.endsWith(ENDING))
    .map((file) => basename(file, ENDING))
    .sort();
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new InputError(
      `there is no entry ${unknown} in ${folder}${didYouMean(unknown, known)}`,
      known.length === 0 ? 'name a folder with entries' : `its entries are ${known.join(', ')}`,
    );
  const wanted = names.length === 0 ? known : known.filter((name) => names.includes(name));
  return Promise.all(
    wanted.map(async (name) => {
      const path = join(folder, name + ENDING);
      return parseEntry(await readFile(path, 'utf8'), path, name);
    }),
  );
}
