import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withDir } from 'tmp-promise';
import { expect, test } from 'vitest';
import { serializeFdt } from '../../harness/devicetree/serialize.ts';
import { InputError } from '../../harness/errors.ts';
import { readTreeOfMachine } from '../../harness/run/machine-tree.ts';
import { node } from '../board/trees.ts';
import { A_KERNEL } from '../kernels.ts';

/** Trees of a kernel's package by their paths in it: the model, and what the root is compatible with. */
const TREES: readonly (readonly [file: string, model: string, compatible?: string])[] = [
  ['acme/widget.dtb', 'Acme Widget'],
  ['acme/widget-plus.dtb', 'Acme Widget+'],
  ['acme/gadget.dtb', 'Acme Gadget (v2)', 'acme,gadget'],
  ['acme/gadget-camera.dtb', 'Acme Gadget (v2)'],
  ['acme/press-a.dtb', 'Acme Press'],
  ['acme/press-b.dtb', 'Acme Press'],
  ['other/press.dtb', 'Other Thing'],
];

/** The name of the tree that is found for a machine, or what is said where none is. */
const found = (machine: string | null): Promise<string> =>
  withDir(
    async ({ path }) => {
      for (const [file, model, compatible = 'acme,board'] of TREES) {
        await mkdir(join(path, file, '..'), { recursive: true });
        const root = node('', { model, compatible: [compatible, 'acme,soc'] });
        await writeFile(join(path, file), serializeFdt({ bootCpu: 0, reservations: [], root }));
      }
      return readTreeOfMachine(machine, { ...A_KERNEL, deviceTrees: path }).then(
        ({ path: tree }) => tree.slice(path.length + 1),
        refused,
      );
    },
    { unsafeCleanup: true },
  );

function refused(error: unknown): string {
  if (!(error instanceof InputError)) throw error;
  return error.whole;
}

test('the tree of a machine is the one that has its model', async () => {
  expect(await found('Acme Widget')).toBe('acme/widget.dtb');
  expect(await found('Acme Widget+')).toBe('acme/widget-plus.dtb');
});

test('what firmware adds to a model does not matter', async () => {
  expect(await found('Acme Widget Rev 1.3')).toBe('acme/widget.dtb');
  expect(await found('Acme Widget Plus Rev 1.3')).toBe('acme/widget-plus.dtb');
});

test('a vendor that a later kernel names before the model does not matter', async () => {
  expect(await found('Widget')).toBe('acme/widget.dtb');
  expect(await found('idget')).toContain('none of the 7 device trees');
});

test('a machine without a model has the name of what it is compatible with', async () => {
  expect(await found('acme,gadget')).toBe('acme/gadget.dtb');
});

test('a tree with an overlay of the same model is passed over', async () => {
  expect(await found('Acme Gadget (v2)')).toBe('acme/gadget.dtb');
});

test('where several are of one model they are named', async () => {
  expect(await found('Acme Press')).toBe(
    `2 device trees of 6.1 are of the log's machine "Acme Press" (name one: \`--tree NAME.dtb\`, ` +
      'of press-a.dtb ("Acme Press"), press-b.dtb ("Acme Press"))',
  );
});

test('where none is, the nearest are named', async () => {
  expect(await found('Acme Gadget (v3)')).toBe(
    `none of the 7 device trees of 6.1 is of the log's machine "Acme Gadget (v3)" (name the tree: ` +
      '`--tree NAME.dtb`; the nearest: gadget.dtb ("Acme Gadget (v2)"))',
  );
  expect(await found('Nothing like it')).toContain('name the tree: `--tree NAME.dtb`; they lie in ');
});

test('a log that names no machine, and a kernel without trees, are told so', async () => {
  expect(await found(null)).toContain('the log does not say which machine it is of');
  expect(await readTreeOfMachine('Acme Widget', A_KERNEL).then(() => '', refused)).toContain(
    'the kernel 6.1 comes without device trees',
  );
});
