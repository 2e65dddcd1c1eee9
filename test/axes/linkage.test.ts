import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withDir } from 'tmp-promise';
import { describe, expect, it } from 'vitest';
import { linkageFragment, linkageName, modulesOf } from '../../harness/axes/linkage.ts';
import { boardNames, resolveBoard } from '../../harness/boards/boards.ts';

const small = resolveBoard('small');
const SELECTED =
  '# QCOM_SCM has no prompt: a built-in driver has to select it. This is the smallest that does.\nCONFIG_QCOM_RMTFS_MEM=y\n';

describe('the fragment of a linkage', () => {
  // Byte for byte: another text is another key, and every kernel would be built again.
  it.each([
    ['builtin', 'CONFIG_ARM_SMMU=y\nCONFIG_QCOM_SCM=y\n'],
    ['modules', 'CONFIG_ARM_SMMU=m\nCONFIG_QCOM_SCM=m\n'],
    ['scm-module', 'CONFIG_ARM_SMMU=y\nCONFIG_QCOM_SCM=m\n'],
    ['smmu-module', `CONFIG_ARM_SMMU=m\nCONFIG_QCOM_SCM=y\n${SELECTED}`],
  ])('%s is the text that kernels were built with', (linkage, text) => {
    for (const name of ['small', 'full']) expect(linkageFragment(resolveBoard(name), linkage)).toBe(text);
  });

  it('is the same for the board of docs/kernels.md, so that its command builds nothing', async () => {
    const docs = await readFile(new URL('../../docs/kernels.md', import.meta.url), 'utf8');
    const [, example = ''] = /```yaml\n(# myboard.*?)```/s.exec(docs) ?? [];
    await withDir(
      async ({ path }) => {
        await writeFile(join(path, 'board.yaml'), example);
        await writeFile(join(path, 'myboard.dts'), '/dts-v1/;\n/ {};\n');
        expect(linkageFragment(resolveBoard(path), 'builtin')).toBe(linkageFragment(small, 'builtin'));
      },
      { unsafeCleanup: true },
    );
  });

  it('is empty on a board without subjects, and null where there is no such linkage', () => {
    expect(linkageFragment({ subjects: [] }, 'builtin')).toBe('');
    expect(linkageFragment(small, 'usb-module')).toBeNull();
    expect(linkageFragment(small, 'smmu+smmu-module')).toBeNull();
    expect(linkageFragment(small, '-module')).toBeNull();
  });
});

it('the name of a linkage gives its modules back', () => {
  for (const board of boardNames().map(resolveBoard)) {
    const count = 2 ** board.subjects.length;
    const sets = Array.from({ length: count }, (_, bits) => board.subjects.filter((_, n) => (bits >> n) % 2 === 1));
    for (const modules of sets) expect(modulesOf(board, linkageName(board, modules))).toEqual(modules);
  }
});
