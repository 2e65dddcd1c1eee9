import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import PQueue from 'p-queue';
import { beforeAll, describe, expect, it } from 'vitest';
import { toDts } from '../../harness/devicetree/dts.ts';
import { parseFdt } from '../../harness/devicetree/parse.ts';
import { serializeFdt } from '../../harness/devicetree/serialize.ts';
import { cacheRoot } from '../../harness/kernel/cache.ts';
import { debianSource } from '../../harness/kernel/source/debian.ts';
import { sourceFolder } from '../../harness/kernel/source/source-tree.ts';
import { compile, decompile } from './dtc.ts';

const MINUTES = 60_000;
const WORKERS = 2;
/** Linux 6.1.192 has 176 of them. */
const FEWEST = 100;

/** The folder of an unpacked kernel source: the one the matrix builds from, or another in BOOTRACE_KERNEL_SOURCE. */
async function kernelSource(): Promise<string> {
  const given = process.env.BOOTRACE_KERNEL_SOURCE;
  if (given !== undefined) return given;
  const tree = await debianSource(cacheRoot(), '6.1', () => {});
  await tree.prepare();
  return sourceFolder(tree);
}

/** As the kernel's own rule does it: the C preprocessor, then dtc (cmd_dtc in scripts/Makefile.lib, Linux 6.1). */
async function compileSource(kernel: string, path: string): Promise<Uint8Array> {
  const folders = [join(kernel, 'scripts/dtc/include-prefixes'), join(path, '..')];
  const includes = folders.flatMap((folder) => ['-I', folder]);
  const { stdout } = await execa(
    'gcc',
    ['-E', '-nostdinc', ...includes, '-undef', '-D__DTS__', '-x', 'assembler-with-cpp', path],
    { stripFinalNewline: false },
  );
  return compile(stdout, '-@');
}

describe('device trees of the kernel source', () => {
  let kernel: string;
  beforeAll(async () => {
    kernel = await kernelSource();
  }, 20 * MINUTES);

  it(
    'every arm64 one of Qualcomm and Arm is written back byte for byte, and dtc decompiles it to the same text',
    async () => {
      const folders = ['qcom', 'arm'].map((vendor) => join(kernel, 'arch/arm64/boot/dts', vendor));
      const sources = (
        await Promise.all(
          folders.map(async (folder) =>
            (await readdir(folder)).filter((name) => name.endsWith('.dts')).map((name) => join(folder, name)),
          ),
        )
      ).flat();
      expect(sources.length).toBeGreaterThan(FEWEST);
      const queue = new PQueue({ concurrency: WORKERS });
      await queue.addAll(
        sources.map((path) => async () => {
          const theirs = await compileSource(kernel, path);
          const tree = parseFdt(theirs, path);
          const ours = serializeFdt(tree);
          const board = basename(path);
          expect(Buffer.compare(ours, theirs), `${board}: the bytes`).toBe(0);
          expect((await decompile(ours)) === (await decompile(theirs)), `${board}: the text`).toBe(true);
          const again = await compile(toDts(tree), '-b', `${tree.bootCpu}`);
          expect(Buffer.compare(again, theirs), `${board}: our source, compiled`).toBe(0);
        }),
      );
    },
    5 * MINUTES,
  );
});
