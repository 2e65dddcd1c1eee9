import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { withDir } from 'tmp-promise';
import { expect, test } from 'vitest';
import { bootrace } from '../boot/cli.ts';
import { guestCell } from '../boot/guest-cell.ts';

/** Guests that are given up by their CPU time alone, which takes minutes (qemu/process.ts). */

const PATIENCE_MS = 3_600_000;

test.each(['TALKS', 'LINE'])(
  'a guest that %s for ever is ended, has a verdict and fills no disk',
  { timeout: PATIENCE_MS },
  (way) =>
    withDir(
      async ({ path }) => {
        const cell = await guestCell(path, 'never-ends', { [way]: 1 }, 'hang');
        const { exitCode, stderr } = await bootrace(['cell', cell, '--json'], { cwd: path });
        expect(exitCode, stderr).toBe(0);
        const [run = ''] = await readdir(join(path, 'results'));
        const folder = join(path, 'results', run, 'cells', `never-ends-${way.toLowerCase()}`);
        expect((await stat(join(folder, 'console.log'))).size).toBeLessThanOrEqual(64 * 1024 * 1024);
      },
      { unsafeCleanup: true },
    ),
);
