import { execa } from 'execa';
import { InputError } from '../errors.ts';
import { QEMU } from './command.ts';

/** Oldest QEMU whose virt machine, generic loader and semihosting to a chardev behave as the stand-in needs: Debian 12's. */
const OLDEST = [7, 2] as const;

/**
 * First line of `qemu-system-aarch64 --version`.
 * Throws {@link InputError} when QEMU is missing or older than 7.2.
 */
export async function qemuVersion(): Promise<string> {
  const { stdout, failed } = await execa(QEMU, ['--version'], { reject: false });
  const line = stdout?.split('\n')[0] ?? '';
  const [, major, minor] = /version (\d+)\.(\d+)/.exec(line) ?? [];
  const hint = 'run `npm run -s bootrace -- doctor`';
  if (failed || major === undefined || minor === undefined) throw new InputError(`${QEMU} cannot be run`, hint);
  if (Number(major) < OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) < OLDEST[1]))
    throw new InputError(`QEMU ${major}.${minor} is too old: bootrace needs ${OLDEST.join('.')} or later`, hint);
  return line;
}
