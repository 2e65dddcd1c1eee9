import { describe, expect, it } from 'vitest';
import { boardNames, resolveBoard } from '../../harness/boards/boards.ts';
import { RESET_IMAGES } from '../../harness/devices/reset-images.ts';
import { SMMU500_SIZE } from '../../harness/devices/smmu500.ts';
import { devicesOf } from '../../harness/devicetree/devices.ts';
import { parseFdt } from '../../harness/devicetree/parse.ts';
import { type DeviceTree, nodeAt, type PlacedNode, walk } from '../../harness/devicetree/tree.ts';
import { IMAGE_ADDRESS, RAM_BASE, RAM_MIB } from '../../harness/firmware/memory-map.ts';
import { compileDeviceTree } from '../../harness/kernel/dtc.ts';

interface Range {
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

const RAM_END = RAM_BASE + RAM_MIB * 2 ** 20;

/** `reg` with two address and two size cells, as everywhere in the boards but below nodes that map RAM of their own. */
function ranges({ path, node }: PlacedNode): Range[] {
  const reg = node.properties.get('reg');
  if (reg === undefined || reg.length % 16 !== 0) return [];
  const view = new DataView(reg.buffer, reg.byteOffset, reg.length);
  return Array.from({ length: reg.length / 16 }, (_, index) => {
    const start = Number(view.getBigUint64(index * 16));
    return { path, start, end: start + Number(view.getBigUint64(index * 16 + 8)) };
  });
}

function rangesOf(tree: DeviceTree): { reserved: Range[]; devices: Range[] } {
  const reserved: Range[] = [];
  const devices: Range[] = [];
  for (const placed of walk(tree.root)) {
    if (placed.path.startsWith('/reserved-memory/')) {
      expect(placed.node.properties.has('no-map'), placed.path).toBe(true);
      reserved.push(...ranges(placed));
    } else if (placed.path.startsWith('/soc/')) {
      devices.push(...ranges(placed));
    }
  }
  return { reserved, devices };
}

function overlaps(all: readonly Range[]): string[] {
  const sorted = [...all].sort((a, b) => a.start - b.start);
  return sorted.flatMap((range, index) => {
    const next = sorted[index + 1];
    return next !== undefined && next.start < range.end ? [`${range.path} and ${next.path}`] : [];
  });
}

const STANDINS = boardNames().filter((name) => resolveBoard(name).kind === 'standin');

describe.each(STANDINS)('the %s board', async (name) => {
  const board = resolveBoard(name);
  if (board.kind !== 'standin') throw new Error(`${name} is no stand-in`);
  const tree = parseFdt(await compileDeviceTree(board.source), board.source);
  const { reserved, devices } = rangesOf(tree);
  const within = ({ start, end }: { start: number; end: number }, outer: readonly Range[]) =>
    outer.find((range) => range.start <= start && end <= range.end);

  it('has a node for each of its subjects, and of the name that Linux makes of it', () => {
    const known = devicesOf(tree);
    for (const { node, device } of board.subjects) expect(known.get(device)).toBe(node);
    if (board.moves !== null) expect(nodeAt(tree.root, board.moves)).toBeDefined();
  });

  it('has no two devices and no two reserved ranges at one address', () => {
    expect(overlaps(devices)).toEqual([]);
    expect(overlaps(reserved)).toEqual([]);
  });

  it('keeps the kernel from all RAM that stands in for something', () => {
    expect(devices.filter((range) => within(range, reserved) === undefined)).toEqual([]);
    expect(reserved.filter(({ end }) => end > RAM_END)).toEqual([]);
  });

  it('gives every SMMU the register space that its own identification announces', () => {
    const smmus = devices.filter(({ path }) => path.includes('/iommu@'));
    expect(smmus.map(({ start, end }) => end - start)).toEqual(smmus.map(() => SMMU500_SIZE));
    if (name === 'small') expect(smmus).toHaveLength(1);
  });

  it('preloads nothing but register files and memory that the device tree has', () => {
    const known = [...devices, ...reserved.filter(({ start }) => start >= IMAGE_ADDRESS)];
    for (const { name: image, model, address } of board.registers) {
      const bytes = RESET_IMAGES.get(model)?.() ?? new Uint8Array();
      const home = known.find(({ start }) => start === address);
      expect(home, image).toBeDefined();
      expect(address + bytes.length, image).toBeLessThanOrEqual(home?.end ?? 0);
    }
    expect(new Set(board.registers.map((file) => file.name)).size).toBe(board.registers.length);
  });
});
