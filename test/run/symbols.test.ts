import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withDir } from 'tmp-promise';
import { expect, test } from 'vitest';
import { placeIn, refuseMisspelt, symbolsOf } from '../../harness/run/symbols.ts';
import { A_KERNEL } from '../kernels.ts';

const MAP = `ffff800080000000 T _text
ffff800080010000 t first
ffff800080010100 D data
ffff800080010200 T second
ffff800080010300 B _end
`;

test('an address in the image is a function and an offset, any other is a number', async () => {
  await withDir(
    async ({ path }) => {
      const systemMap = join(path, 'System.map');
      writeFileSync(systemMap, MAP);
      const place = (address: bigint) => placeIn({ systemMap, image: '', imageHash: '' }, address);
      expect(await place(0xffff_8000_8001_0000n)).toBe('first+0x0');
      // Data is no function.
      expect(await place(0xffff_8000_8001_0180n)).toBe('first+0x180');
      expect(await place(0xffff_8000_8001_0208n)).toBe('second+0x8');
      expect(await place(0xffff_8000_8001_0300n)).toBe('0xffff800080010300');
      expect(await place(0xffff_7fff_c000_0000n)).toBe('0xffff7fffc0000000');
    },
    { unsafeCleanup: true },
  );
});

test('a module that a gate misspells is refused with the name that is meant, and one that is built in is not', () => {
  const kernel = { modules: new Map([['gadget_driver', null]]) };
  const refused = (module: string) => () =>
    refuseMisspelt(
      {
        gates: [
          { gate: 'hold', at: { load: 'gadget_driver' }, until: { loaded: module } },
          { gate: 'delay', at: { entry: `${module}:probe` }, ms: 1 },
        ],
      },
      kernel,
    );
  expect(refused('gadget_drivr')).toThrow(/module gadget_drivr, and .*, did you mean gadget_driver\?/);
  expect(refused('gadget_driver')).not.toThrow();
  expect(refused('other')).not.toThrow();
});

test('a gate at data is refused, with the nearest function', async () => {
  await withDir(
    async ({ path }) => {
      const systemMap = join(path, 'System.map');
      writeFileSync(systemMap, MAP);
      const kernel = { ...A_KERNEL, systemMap };
      const asked = (entry: string) => symbolsOf({ gates: [{ gate: 'delay', at: { entry }, ms: 1 }] }, kernel);
      expect((await asked('second')).get('second')).toBe(0xffff_8000_8001_0200n);
      await expect(asked('data')).rejects.toThrow(
        'a gate cannot stand at data(): the kernel image has no such function',
      );
    },
    { unsafeCleanup: true },
  );
});
