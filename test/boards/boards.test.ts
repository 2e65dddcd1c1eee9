import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withDir } from 'tmp-promise';
import { describe, expect, it } from 'vitest';
import { boardNames, resolveBoard } from '../../harness/boards/boards.ts';
import { InputError } from '../../harness/errors.ts';

const SUBJECT = {
  name: 'sram',
  node: '/soc/sram@5e000000',
  device: '5e000000.sram',
  driver: 'sram',
  module: 'sram',
  option: 'SRAM',
};
const BOARD = { tree: 'mine.dts', 'boot-ms': 1, subjects: [SUBJECT] };

/** A folder with a board.yaml (JSON is YAML), given to `use`; removed afterwards. */
async function withBoard(board: object, use: (folder: string) => void): Promise<void> {
  await withDir(
    async ({ path }) => {
      const folder = join(path, 'mine');
      await mkdir(folder);
      await writeFile(join(folder, 'board.yaml'), JSON.stringify(board));
      await writeFile(join(folder, 'mine.dts'), '/dts-v1/;\n/ {};\n');
      use(folder);
    },
    { unsafeCleanup: true },
  );
}

describe('resolveBoard', () => {
  it('finds the folders of boards/', () => {
    expect(boardNames()).toEqual(expect.arrayContaining(['full', 'small']));
    for (const name of boardNames()) expect(resolveBoard(name)).toMatchObject({ name });
    expect(resolveBoard('small').kind).toBe('standin');
  });

  it('takes anything that ends in .dtb for a compiled device tree', () => {
    expect(resolveBoard('sdm845-db845c.dtb')).toMatchObject({ kind: 'dtb', dtb: 'sdm845-db845c.dtb', subjects: [] });
  });

  it('takes a file that is there for a tree whatever its name is, as /sys/firmware/fdt', async () => {
    await withBoard(BOARD, (folder) => {
      const file = join(folder, 'mine.dts');
      expect(resolveBoard(file)).toMatchObject({ kind: 'dtb', dtb: file });
      expect(resolveBoard(folder)).toMatchObject({ kind: 'standin' });
    });
  });

  it('knows no other name, and says which were meant', () => {
    expect(() => resolveBoard('smal')).toThrow(/^there is no board smal, did you mean small\?$/);
    expect(() => resolveBoard('./nowhere')).toThrow(InputError);
    expect(() => resolveBoard('..')).toThrow(InputError);
    expect(() => resolveBoard('')).toThrow(InputError);
  });

  it('takes the name of a .dtb for the tree of a folder, so that a real board has subjects', async () => {
    await withBoard({ ...BOARD, tree: 'mine.dtb' }, (folder) => {
      expect(resolveBoard(folder)).toMatchObject({ kind: 'dtb', dtb: 'mine.dtb', subjects: [{ name: 'sram' }] });
    });
    const registers = [{ name: 'a', model: 'smmu500', address: 0 }];
    await withBoard({ ...BOARD, tree: 'mine.dtb', registers }, (folder) =>
      expect(() => resolveBoard(folder)).toThrow('register files are for boards with a .dts'),
    );
  });

  it('takes the path of a folder', async () => {
    await withBoard(BOARD, (folder) => {
      expect(resolveBoard(folder)).toMatchObject({ name: folder, source: join(folder, 'mine.dts') });
    });
  });

  it.each(['tree', 'boot-ms', 'subjects'] as const)('names a missing %s', async (part) => {
    const { [part]: _, ...rest } = BOARD;
    await withBoard(rest, (folder) => expect(() => resolveBoard(folder)).toThrow(`: ${part}: expected`));
  });

  it.each(['name', 'node', 'device', 'driver', 'module', 'option'] as const)('names a missing %s', async (part) => {
    const { [part]: _, ...rest } = SUBJECT;
    const board = { ...BOARD, subjects: [rest] };
    await withBoard(board, (folder) => expect(() => resolveBoard(folder)).toThrow(`subjects.0.${part}: expected`));
  });

  it.each([
    [{ ...BOARD, tree: 'other.dts' }, 'there is no device tree source'],
    [{ ...BOARD, tree: '../mine.dts' }, 'expected the name of a .dts'],
    [{ ...BOARD, subjects: [SUBJECT, SUBJECT] }, 'two subjects sram'],
    [{ ...BOARD, subjects: [{ ...SUBJECT, name: 'both' }] }, 'expected another name than'],
    [{ ...BOARD, subjects: [{ ...SUBJECT, 'selected-by': { subject: 'x', otherwise: 'Y' } }] }, 'no subject x'],
    [{ ...BOARD, registers: [{ name: 'a', model: 'smmu-500', address: 0 }] }, 'did you mean smmu500?'],
  ])('refuses a wrong one: %#', async (board, message) => {
    await withBoard(board, (folder) => expect(() => resolveBoard(folder)).toThrow(message));
  });
});
