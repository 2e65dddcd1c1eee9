import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withDir } from 'tmp-promise';
import { expect, test } from 'vitest';
import type { Cell } from '../../harness/model/cell.ts';
import { bootAll } from '../../harness/run/boot-all.ts';
import type { LifecycleEvent } from '../../harness/run/lifecycle.ts';
import { aCell } from '../cells.ts';
import { aCell as aRecord } from '../report/builders.ts';

/** Long after everything that can happen has happened. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('a cell is booted and told when its own kernel is there, and the kernels of most rows are asked for first', async () => {
  const cells = [
    aCell({ id: 'slow', kernel: '6.12' }),
    aCell({ id: 'row-1', row: 'T1', kernel: '6.1' }),
    aCell({ id: 'plain', kernel: '6.1' }),
    aCell({ id: 'row-2', row: 'T2', kernel: '6.1' }),
  ];
  const builds = new Map<string, () => void>();
  const asked: string[] = [];
  const ready = new Map<string, Promise<void>>();
  const told: string[] = [];
  const runner = {
    expect: () => {},
    kernel({ kernel }: Cell) {
      const known = ready.get(kernel) ?? new Promise<void>((resolve) => builds.set(kernel, resolve));
      if (!ready.has(kernel)) asked.push(kernel);
      ready.set(kernel, known);
      return known;
    },
    boot: async ({ id }: Cell) => ({ record: aRecord({ id, consoleHash: null }) }),
  };
  const listen = (event: LifecycleEvent) => {
    if (event.event === 'cell-finished') told.push(event.cell.id);
  };
  const all = bootAll(cells, 1, runner, { cell: (id) => id }, listen);
  await settled();
  expect([asked, told]).toEqual([['6.1', '6.12'], []]);
  builds.get('6.1')?.();
  await settled();
  expect(told).toEqual(['row-1', 'plain', 'row-2']);
  builds.get('6.12')?.();
  expect((await all).records.map(({ id }) => id)).toEqual(['slow', 'row-1', 'plain', 'row-2']);
  expect(told.at(-1)).toBe('slow');
});

test("a repetition that QEMU's clock race has put off is booted once more in its folder, and both consoles are kept", () =>
  withDir(
    async ({ path }) => {
      const stamp = (micros: number) => `[    6.00000${micros}] bootrace: done\n`;
      const consoles = [stamp(3), stamp(8), stamp(3), stamp(3)];
      const runner = {
        expect: () => {},
        kernel: async () => {},
        async boot({ id }: Cell, folder: string) {
          const console = consoles.shift() ?? 'no more boots';
          await mkdir(folder, { recursive: true });
          await writeFile(join(folder, 'console.log'), console);
          return { record: aRecord({ id, consoleHash: createHash('sha256').update(console).digest('hex') }) };
        },
      };
      const told: LifecycleEvent[] = [];
      const cellFolder = { cell: (id: string) => join(path, id) };
      const done = await bootAll([aCell({ id: 'c' })], 3, runner, cellFolder, (event) => told.push(event));
      expect(done).toMatchObject({ flakes: [], clockRaces: [{ id: 'c', repetition: 2, microseconds: 5 }] });
      expect(told).toMatchObject([{ event: 'clock-race', id: 'c', microseconds: 5 }, { event: 'cell-finished' }]);
      expect(consoles).toEqual([]);
      const read = (name: string) => readFile(join(path, 'c', 'repeat-2', name), 'utf8');
      expect([await read('console.raced.log'), await read('console.log')]).toEqual([stamp(8), stamp(3)]);
    },
    { unsafeCleanup: true },
  ));
