import { access, constants, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { InputError } from '../errors.ts';
import { commandLine } from '../invocation.ts';
import { QEMU } from './command.ts';

/**
 * Oldest QEMU whose virt machine, generic loader, fw_cfg and virtio consoles are known to behave as the stand-in needs:
 * Debian 12's.
 */
const OLDEST = [7, 2] as const;

let asked: Promise<string> | undefined;

/**
 * First line of `qemu-system-aarch64 --version`, asked once a run.
 * Throws {@link InputError} when QEMU is missing or older than 7.2.
 */
export function qemuVersion(): Promise<string> {
  asked ??= askVersion();
  return asked;
}

async function askVersion(): Promise<string> {
  const { stdout, failed } = await execa(QEMU, ['--version'], { reject: false });
  const line = stdout?.split('\n')[0] ?? '';
  const [, major, minor] = /version (\d+)\.(\d+)/.exec(line) ?? [];
  const hint = `run \`${commandLine(['doctor'])}\``;
  if (failed || major === undefined || minor === undefined) throw new InputError(`${QEMU} cannot be run`, hint);
  if (Number(major) < OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) < OLDEST[1]))
    throw new InputError(`QEMU ${major}.${minor} is too old: bootrace needs ${OLDEST.join('.')} or later`, hint);
  return line;
}

/**
 * What tells one QEMU from another: its version, and size and time stamp of the program, as one that was built by hand
 * keeps its version. Throws as {@link qemuVersion}.
 */
export async function qemuIdentity(): Promise<string> {
  const [version, program] = await Promise.all([qemuVersion(), findQemu()]);
  return `${version} ${program}`;
}

async function findQemu(): Promise<string> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, QEMU);
    try {
      await access(path, constants.X_OK);
      const { size, mtimeMs } = await stat(path);
      return `${size} ${mtimeMs}`;
    } catch {
      // Not in this folder.
    }
  }
  return '';
}
