import { readFile } from 'node:fs/promises';
import { InputError } from '../errors.ts';
import { type KnownIssue, parseKnownIssues } from '../verdict/knownissues.ts';

/** The issues of a `--known-issues` file; none where there is no such option. @throws InputError when it cannot be read or is wrong */
export async function readKnownIssues(file: string | undefined): Promise<KnownIssue[]> {
  if (file === undefined) return [];
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new InputError(`cannot read ${file}`, 'name a YAML file that you may read', { cause });
  });
  return parseKnownIssues(text, file);
}
