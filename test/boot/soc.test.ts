import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dir } from 'tmp-promise';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatCellFile } from '../../harness/matrix/cell-file.ts';
import type { Cell } from '../../harness/model/cell.ts';
import { type CellRecord, cellRecordSchema } from '../../harness/run/record.ts';
import { bootrace } from './cli.ts';

let folder: Awaited<ReturnType<typeof dir>>;
let cells = 0;

beforeAll(async () => {
  folder = await dir({ unsafeCleanup: true });
});

afterAll(() => folder.cleanup());

async function boot(parts: Pick<Cell, 'kernel'> & Partial<Cell>): Promise<CellRecord> {
  const cell: Cell = {
    id: `soc-${cells++}`,
    row: null,
    claim: null,
    axes: {},
    linkage: 'builtin',
    board: 'full',
    tree: [],
    bootargs: [],
    cpus: 1,
    shift: 4,
    gates: [],
    plan: [{ step: 'settle', ms: 500 }],
    watch: ['firmware:scm', '5f000000.iommu'],
    expect: { verdicts: ['bound'] },
    ...parts,
  };
  const file = join(folder.path, `${cell.id}.yaml`);
  await writeFile(file, formatCellFile(cell));
  return bootFile(file);
}

async function bootFile(file: string): Promise<CellRecord> {
  const { stdout, stderr } = await bootrace(['cell', file, '--json', '--results', join(folder.path, 'results')]);
  expect(stderr).not.toContain('bootrace: ');
  return cellRecordSchema.parse(JSON.parse(stdout));
}

/** Device and driver of every row of the table in docs/soc.md that has a check mark for this series. */
async function documented(series: string): Promise<{ device: string; driver: string }[]> {
  const lines = (await readFile(new URL('../../docs/soc.md', import.meta.url), 'utf8')).split('\n');
  const rows = lines.filter((line) => line.startsWith('|')).map((line) => line.split('|').map((cell) => cell.trim()));
  const column = rows[0]?.indexOf(series) ?? -1;
  expect(column).toBeGreaterThan(0);
  return rows
    .filter((row) => row[column] === '✓')
    .map(([, device = '', driver = '']) => ({ device: device.replaceAll('`', ''), driver }));
}

const cellFile = (name: string) => fileURLToPath(new URL(`../../docs/${name}`, import.meta.url));

describe('the full board', () => {
  test.each([[[]], [['fw_devlink=off']]])('binds every driver of the table on Linux 6.1 with %j', async (bootargs) => {
    const expected = await documented('6.1');
    expect(expected.length).toBeGreaterThan(20);
    const { bound, deferred, crash, warnings } = await boot({ kernel: '6.1-full', bootargs });
    expect(bound).toEqual(expect.arrayContaining(expected));
    expect({ deferred, crash, warnings }).toEqual({ deferred: [], crash: null, warnings: 0 });
  });

  test('defers what the table says, when only the drivers themselves look', async () => {
    const { order } = await boot({ kernel: '6.1-full', bootargs: ['fw_devlink=off'] });
    const deferred = new Set(
      order.flatMap((one) => (typeof one === 'object' && one.event === 'deferred' ? [one.device] : [])),
    );
    expect([...deferred].sort()).toEqual([
      '5e000000.sram',
      '5e072000.phy',
      '5e100000.dma-controller',
      '5e130000.geniqup',
      '5e400000.pinctrl',
      '5f400000.usb',
      'extcon-usb',
      'remoteproc-adsp',
      'smem',
      'smp2p-adsp',
    ]);
  });

  test("binds every driver of the table on Debian's own 6.12 kernel", async () => {
    const { bound, deferred, crash } = await bootFile(cellFile('full-board-6.12.yaml'));
    expect(bound).toEqual(expect.arrayContaining(await documented('6.12')));
    expect({ deferred, crash }).toEqual({ deferred: [], crash: null });
  });
});

describe('a device that waits for its SMMU and is removed', () => {
  // fw_devlink would not let the parent probe before its extcon; the scm sleeps, so that the SMMU is not there yet.
  const removal: Partial<Cell> = {
    bootargs: ['fw_devlink=permissive', 'driver_async_probe=qcom_scm'],
    gates: [{ gate: 'delay', device: 'firmware:scm', ms: 1000 }],
  };

  test('crashes Linux 6.1 as it is', async () => {
    const { verdict, crash } = await boot({ kernel: '6.1-full', ...removal });
    expect(verdict).toBe('null-deref');
    expect(crash).toMatchObject({ function: 'iommu_release_device', address: '0x10' });
  });

  test("crashes Debian's own 6.1 kernel, when its parent is unbound by hand", async () => {
    const { verdict, crash } = await bootFile(cellFile('iommu-release-6.1.yaml'));
    expect(verdict).toBe('null-deref');
    expect(crash).toMatchObject({ function: 'iommu_release_device', address: '0x10' });
  });

  test('does no harm where the kernel looks whether the SMMU has probed', async () => {
    const { verdict, order } = await boot({ kernel: '6.1-release-check', ...removal });
    expect(verdict).toBe('deferred-then-bound');
    expect(order).toContainEqual({ event: 'deferred', device: '5f400000.usb' });
  });
});
