import { basename, dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of this copy of bootrace: a checkout, or a package in some node_modules/. */
const HOME = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/** Where a command is typed, and which copy of bootrace it has to reach. */
interface Place {
  readonly home: string;
  readonly cwd: string;
}

/** One word as the shell reads it back, whatever it holds. */
export function shellQuote(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A line that runs bootrace with `words` where the user is: what every hint and report prints. */
export function commandLine(words: readonly string[], place: Place = { home: HOME, cwd: process.cwd() }): string {
  return [program(place), ...words.map(shellQuote)].join(' ');
}

function program({ home, cwd }: Place): string {
  // npx looks for the program in the node_modules/ of the current folder and those above it, then among global ones
  // (npm-exec(1)).
  if (basename(dirname(home)) === 'node_modules') return 'npx bootrace';
  // npm runs a script from the folder of its package.json (npm-run-script(1)): in a folder below, relative paths among
  // the words would be others.
  return relative(home, cwd) === '' ? 'npm run -s bootrace --' : entryLine(home);
}

/**
 * A line that runs bootrace with `words` from any folder, for scripts and `git bisect run`. Words that are paths must
 * be absolute.
 */
export function commandLineAnywhere(words: readonly string[], home = HOME): string {
  return [entryLine(home), ...words.map(shellQuote)].join(' ');
}

function entryLine(home: string): string {
  return `node ${shellQuote(`${home}/bootrace.js`)}`;
}
