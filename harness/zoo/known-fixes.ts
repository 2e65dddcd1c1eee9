import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { parseYaml } from '../yaml.ts';

const FILE = fileURLToPath(new URL('../../docs/findings/known-fixes.yaml', import.meta.url));

const fixesSchema = z.array(
  z.strictObject({
    commit: z.string().regex(/^[0-9a-f]{12}$/),
    subject: z.string().min(1),
    /** Releases that have it, mainline's first. */
    'fixed-in': z.array(z.string()),
    functions: z.array(z.string()).min(1),
  }),
);

/**
 * Fixes of bugs that depend on order, as text, by the functions where the bugs show.
 * @throws InputError for a file that is none
 */
export async function readKnownFixes(): Promise<Map<string, string>> {
  const { value } = parseYaml(await readFile(FILE, 'utf8'), FILE, fixesSchema);
  return new Map(
    value.flatMap(({ commit, subject, functions, 'fixed-in': releases }) => {
      const since = releases.length === 0 ? '' : ` (fixed in ${releases.join(', ')})`;
      return functions.map((name) => [name, `${commit} ${subject}${since}`] as const);
    }),
  );
}
