import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A command as a page or a CI file gives it. */
export interface Command {
  readonly where: string;
  readonly line: string;
}

const PROGRAM = /^(npm|bootrace|node) /;

/** The commands in the indented blocks of the README, of CONTRIBUTING and of every page of docs/. */
export async function documentedCommands(): Promise<Command[]> {
  const pages = (await readdir(`${ROOT}docs`)).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`);
  const commands: Command[] = [];
  for (const where of ['README.md', 'CONTRIBUTING.md', ...pages]) {
    for (const text of (await readFile(ROOT + where, 'utf8')).split('\n')) {
      const line =
        /^ {4}(\S.*)$/
          .exec(text)?.[1]
          ?.replace(/ {2,}#.*$/, '')
          .replace(/ # .*$/, '') ?? '';
      if (PROGRAM.test(line)) commands.push(...simpleCommands(line).map((simple) => ({ where, line: simple })));
    }
  }
  return commands;
}

/** The commands of npm in lines of shell, without what comes behind `||`, `&&`, `;` or `|`. */
export function simpleCommands(shell: string): string[] {
  return shell
    .split(/\n|&&|\|\||[;|]/)
    .map((part) => part.trim().replace(/^(then|else|do) /, ''))
    .filter((part) => PROGRAM.test(part));
}

/** Words of a simple command; quotes as in sh, nothing else. */
export function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? '',
  );
}
