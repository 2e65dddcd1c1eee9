import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { dir } from 'tmp-promise';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KernelArtefact } from '../../harness/kernel/artefact.ts';
import { buildKernel } from '../../harness/kernel/build.ts';
import { readElf, symbolLines, withFile } from '../../harness/kernel/elf.ts';
import type { Cell } from '../../harness/model/cell.ts';
import type { LifecycleEvent } from '../../harness/run/lifecycle.ts';
import { Preview } from '../../harness/run/preview.ts';
import { openRunFolder } from '../../harness/run/results.ts';
import { aCell } from '../cells.ts';
import { bootrace } from './cli.ts';

let folder: Awaited<ReturnType<typeof dir>>;
let kernel: KernelArtefact & { readonly vmlinux: string; readonly systemMap: string };

beforeAll(async () => {
  folder = await dir({ unsafeCleanup: true });
  const built = await buildKernel({ recipe: '6.1', linkage: 'builtin', onProgress: () => {} });
  if (built.kind !== 'ready' || built.vmlinux === null || built.systemMap === null)
    throw new Error('6.1 has no vmlinux');
  kernel = { ...built, vmlinux: built.vmlinux, systemMap: built.systemMap };
});

afterAll(() => folder.cleanup());

/** Address and name of each symbol but those that the linker makes or the kernel leaves out (scripts/mksysmap). */
const places = (map: string) => new Set(map.split('\n').map((line) => line.replace(/^(\S+) . /, '$1 ')));

test('the symbols of a vmlinux are those of its System.map', async () => {
  const read = await withFile(kernel.vmlinux, async (at) => {
    const elf = await readElf(at);
    return elf === null ? null : symbolLines(at, elf);
  });
  const found = places(read ?? '');
  const missing = [...places(await readFile(kernel.systemMap, 'utf8'))].filter((place) => !found.has(place));
  expect(missing).toEqual([]);
});

async function cellWith(map: string) {
  const file = join(folder.path, 'cell.yaml');
  const force = '{ gate: force, symbol: qcom_scm_is_available, value: 1 }';
  const hold = "{ gate: hold, device: 'firmware:scm', until: 5f000000.iommu, phase: finished }";
  await writeFile(
    file,
    [
      'id: given',
      `kernel: 'image:${kernel.image},map=${map}'`,
      'bootargs: [driver_async_probe=*]',
      `gates: [${force}, ${hold}]`,
      'plan: [{ step: settle, ms: 500 }]',
      'expect: { verdict: null-deref, function: qcom_scm_qsmmu500_wait_safe_toggle }',
    ].join('\n'),
  );
  return bootrace(['cell', file], { cwd: folder.path });
}

test('gates of a given image find their places by its vmlinux', async () => {
  const { exitCode, stderr } = await cellWith(kernel.vmlinux);
  expect(stderr).toContain('null-deref (as expected)');
  expect(exitCode).toBe(0);
});

test.each([
  ['stripped', 'is stripped of its symbols'],
  ['of this machine', 'is a vmlinux of another architecture than arm64'],
  ['missing', 'there is no System.map'],
])('a vmlinux that is %s is refused', async (what, why) => {
  const file = join(folder.path, `${what.replaceAll(' ', '-')}.elf`);
  if (what === 'stripped') {
    await copyFile(kernel.vmlinux, file);
    await execa('aarch64-linux-gnu-strip', [file]);
  } else if (what === 'of this machine') await copyFile(process.execPath, file);
  const { exitCode, stderr } = await cellWith(file);
  expect(stderr).toContain(`${file}`);
  expect(stderr).toContain(why);
  expect(exitCode).toBe(2);
});

test('the System.map of another kernel is refused', async () => {
  const map = await readFile(kernel.systemMap, 'utf8');
  const file = join(folder.path, 'other.map');
  await writeFile(file, map.replace(/^[0-9a-f]{16}( \w linux_banner)$/m, 'ffffffc008123456$1'));
  const { exitCode, stderr } = await cellWith(file);
  expect(stderr).toContain(`${file} is of another kernel`);
  expect(exitCode).toBe(2);
});

test('an image that spins without a word is a hang, and waits for no clock but that of its CPU', async () => {
  const image = join(folder.path, 'Image');
  // `b .` is the first instruction (Arm Architecture Reference Manual, B); the header's magic and sizes stay.
  const bytes = await readFile(kernel.image);
  bytes.writeUInt32LE(0x14000000, 0);
  bytes.writeUInt32LE(0x14000000, 4);
  await writeFile(image, bytes);
  const file = join(folder.path, 'spin.yaml');
  await writeFile(
    file,
    `id: spin\nkernel: 'image:${image}'\nplan: [{ step: settle, ms: 500 }]\nexpect: { verdict: hang }\n`,
  );
  const { exitCode, stderr } = await bootrace(['cell', file, '--json'], { cwd: folder.path });
  expect(exitCode, stderr).toBe(0);
});

/** What is told of a preview, from the first sign that a kernel is compiled. */
async function toldOfPreview(parts: Partial<Cell>): Promise<LifecycleEvent> {
  const told: LifecycleEvent[] = [];
  const { signal } = new AbortController();
  const options = { signal, listen: (event: LifecycleEvent) => told.push(event), knownIssues: [] };
  const run = await openRunFolder(join(folder.path, 'previews'), new Date());
  const cell = aCell({ id: 'asked', plan: [{ step: 'settle', ms: 500 }], ...parts });
  const preview = new Preview(cell, { ...options, useCache: false, useSnapshots: false }, run);
  preview.listen({ event: 'boot-started', id: 'another' });
  expect(told).toEqual([]);
  const progress = {
    phase: 'compiling',
    subject: '6.1',
    done: 1,
    total: 9,
    isRough: false,
    secondsLeft: null,
  } as const;
  for (const _ of ['once', 'again']) preview.listen({ event: 'kernel-progress', kernel: '6.1', progress });
  await expect.poll(() => told.length, { timeout: 60_000 }).toBeGreaterThan(0);
  await preview.close();
  await run.discard();
  const [event, ...others] = told;
  expect(others).toEqual([]);
  if (event === undefined) throw new Error('nothing was told');
  return event;
}

test('a preview answers, or says that it was not looked at', async () => {
  const given = { kernel: `image:${kernel.image}` };
  const answer = await toldOfPreview({ ...given, expect: { verdicts: ['bound'] } });
  expect(answer).toMatchObject({ event: 'preview-finished', cell: { id: 'asked', verdict: 'bound' } });
  const other = await toldOfPreview({ ...given, expect: { verdicts: ['null-deref'] } });
  expect(other).toMatchObject({ event: 'preview-missed', id: 'asked' });
  const none = await toldOfPreview({ kernel: `image:${join(folder.path, 'nonesuch')}` });
  expect(none).toMatchObject({ event: 'preview-missed', why: expect.stringContaining('nonesuch') });
});
