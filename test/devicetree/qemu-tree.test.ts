import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { withDir } from 'tmp-promise';
import { expect, it } from 'vitest';
import { diffTrees, formatDifference } from '../../harness/devicetree/diff.ts';
import { parseFdt } from '../../harness/devicetree/parse.ts';
import { serializeFdt } from '../../harness/devicetree/serialize.ts';
import { decompile } from './dtc.ts';

/** The tree of QEMU's virt machine, in a blob that libfdt and not dtc has laid out. */
function dump(): Promise<Uint8Array> {
  return withDir(
    async ({ path }) => {
      const file = join(path, 'virt.dtb');
      await execa('qemu-system-aarch64', ['-machine', `virt,dumpdtb=${file}`, '-nic', 'none', '-display', 'none']);
      return readFile(file);
    },
    { unsafeCleanup: true },
  );
}

it("reads and writes QEMU's own tree, which differs from dump to dump by its seeds alone", async () => {
  const [one, two] = [await dump(), await dump()];
  const [a, b] = [parseFdt(one), parseFdt(two)];
  expect(await decompile(serializeFdt(a))).toBe(await decompile(one));
  expect(diffTrees(a, b).map(formatDifference).join('\n')).toMatch(/^\/chosen: (rng|kaslr)-seed /);
});
