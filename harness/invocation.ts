import { basename, dirname, isAbsolute, relative, sep } from 'node:path';
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
  // npm goes up to the nearest package.json and runs the script from there (npm-run-script(1)).
  const below = relative(home, cwd);
  const isInside = below !== '..' && !below.startsWith(`..${sep}`) && !isAbsolute(below);
  return isInside ? 'npm run -s bootrace --' : entryLine(home);
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
