import { createInterface } from 'node:readline/promises';
import { ensureTools } from '../kernel/tools.ts';
import { tell } from './output.ts';

/**
 * What every verb that boots does first: installs missing tools as root on Debian, after a question where there is a
 * terminal, and prints the install command elsewhere.
 */
export async function requireTools(): Promise<void> {
  await installTools({ tests: false, yes: false });
}

/** The same for `doctor --install`. */
export async function installTools({ tests, yes }: { readonly tests: boolean; readonly yes: boolean }): Promise<void> {
  const isAsked = !yes && process.stdin.isTTY && process.stderr.isTTY;
  const say = (line: string) => tell(`${line}\n`);
  await ensureTools({ install: true, tests, say, ...(isAsked ? { confirm } : {}) });
}

async function confirm(command: string): Promise<boolean> {
  tell(`bootrace needs tools that are missing, and would run as root:\n  ${command}\n`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // The end of the input (Ctrl-D) is no answer.
  const ended = new Promise<string>((resolve) => terminal.once('close', () => resolve('no')));
  try {
    const answer = await Promise.race([terminal.question('Run it? [y/N] '), ended]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}
