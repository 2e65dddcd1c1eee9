import { InputError } from '../errors.ts';
import { readText } from '../files.ts';
import { type KnownIssue, parseKnownIssues } from '../verdict/knownissues.ts';

const MOST_BYTES = 16 * 1024 * 1024;

/**
 * The issues of a `--known-issues` file; none where there is no such option. @throws InputError when it cannot be read
 * or is wrong
 */
export async function readKnownIssues(file: string | undefined): Promise<KnownIssue[]> {
  if (file === undefined) return [];
  const text = await readText(file, MOST_BYTES).catch((cause: unknown) => {
    if (cause instanceof InputError) throw cause;
    throw new InputError(`cannot read ${file}`, 'name a YAML file that you may read', { cause });
  });
  return parseKnownIssues(text, file);
}
