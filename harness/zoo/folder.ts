import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError } from '../errors.ts';
import { isWrongName, readNamed } from '../files.ts';
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
  const files = await readdir(folder).catch((cause: unknown) => {
    if (!isWrongName(cause)) throw cause;
    throw new InputError(`the folder ${folder} cannot be read (${cause.code})`, 'name a folder with entries', {
      cause,
    });
  });
  const known = files
    .filter((file) => file.endsWith(ENDING))
    .map((file) => basename(file, ENDING))
    .sort();
  if (known.length === 0) throw new InputError(`there are no entries in ${folder}`, 'name a folder with entries');
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new InputError(
      `there is no entry ${unknown} in ${folder}${didYouMean(unknown, known)}`,
      `its entries are ${known.join(', ')}`,
    );
  const wanted = names.length === 0 ? known : known.filter((name) => names.includes(name));
  return Promise.all(
    wanted.map(async (name) => {
      const path = join(folder, name + ENDING);
      return parseEntry(String(await readNamed(path, 'entry', { isRegular: true })), path, name);
    }),
  );
}
