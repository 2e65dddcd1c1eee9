import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const ENTRY = fileURLToPath(new URL('../../bootrace.js', import.meta.url));

/** Runs `bootrace WORDS...` as a user would, without a terminal. */
export function bootrace(words: readonly string[], options: { readonly cwd?: string } = {}) {
  return execa('node', [ENTRY, ...words], {
    ...options,
    reject: false,
    stdin: 'ignore',
    env: { NO_COLOR: '1', FORCE_COLOR: undefined },
  });
}
