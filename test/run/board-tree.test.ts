import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withDir } from 'tmp-promise';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../harness/errors.ts';
import type { KernelArtefact } from '../../harness/kernel/artefact.ts';
import { readBoardTree } from '../../harness/run/board-tree.ts';
import { A_KERNEL } from '../kernels.ts';

/** What is said of a tree that is refused. */
const refusal = (name: string, kernel: KernelArtefact | null): Promise<string> =>
  readBoardTree(name, kernel).then(
    () => 'it was read',
    (error: unknown) => {
      if (!(error instanceof InputError)) throw error;
      return error.whole;
    },
  );

describe('a device tree that is not there', () => {
  test('no kernel is spoken of where none was asked for', async () => {
    const said = 'there is no device tree missing.dtb (give the path of a .dtb)';
    expect(await refusal('missing.dtb', null)).toBe(said);
  });

  test('a kernel without device trees is named', async () => {
    expect(await refusal('missing.dtb', A_KERNEL)).toContain('and the kernel 6.1 comes without device trees');
  });
});

test('what cannot be read, is no blob or larger than one is refused in a sentence', () =>
  withDir(
    async ({ path }) => {
      await mkdir(join(path, 'folder'));
      await writeFile(join(path, 'text'), 'no blob');
      await writeFile(join(path, 'large'), new Uint8Array(2 * 1024 * 1024 + 1));
      expect(await refusal(join(path, 'folder'), null)).toContain('is not a regular file');
      expect(await refusal(join(path, 'text'), null)).toContain(join(path, 'text'));
      expect(await refusal(join(path, 'large'), null)).toContain('Linux takes at most');
    },
    { unsafeCleanup: true },
  ));
