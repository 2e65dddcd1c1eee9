import { type DeviceTree, joinPath, type TreeNode } from './tree.ts';
import { cellProperty, readCells, stringProperty } from './values.ts';

/**
 * Addresses as the CPU sees them (Devicetree Specification v0.4, sections 2.3.6 and 2.3.8; drivers/of/address.c, Linux
 * 6.12).
 */

/** A range of addresses, in bytes. */
export interface AddressRange {
  readonly address: number;
  readonly size: number;
}

/** First byte behind a range. */
export function endOf({ address, size }: AddressRange): number {
  return address + size;
}

export function overlaps(a: AddressRange, b: AddressRange): boolean {
  return a.address < endOf(b) && b.address < endOf(a);
}

/** What is left of `ranges` without `holes`, ascending, touching pieces joined; overlapping ranges count once. */
export function subtract(ranges: readonly AddressRange[], holes: readonly AddressRange[]): AddressRange[] {
  return holes.reduce<AddressRange[]>(
    (left, hole) =>
      left.flatMap((range) =>
        overlaps(range, hole)
          ? [
              { address: range.address, size: hole.address - range.address },
              { address: endOf(hole), size: endOf(range) - endOf(hole) },
            ].filter(({ size }) => size > 0)
          : [range],
      ),
    join(ranges),
  );
}

/** The same bytes as `ranges`, ascending, with overlapping and touching ranges joined. */
export function join(ranges: readonly AddressRange[]): AddressRange[] {
  const joined: AddressRange[] = [];
  for (const range of [...ranges].filter(({ size }) => size > 0).sort((a, b) => a.address - b.address)) {
    const last = joined.at(-1);
    if (last !== undefined && range.address <= endOf(last))
      joined[joined.length - 1] = {
        address: last.address,
        size: Math.max(endOf(last), endOf(range)) - last.address,
      };
    else joined.push(range);
  }
  return joined;
}

/** The part of `ranges` whose ends are multiples of `unit`. */
export function aligned(ranges: readonly AddressRange[], unit: number): AddressRange[] {
  return ranges.flatMap((range) => {
    const address = Math.ceil(range.address / unit) * unit;
    const size = Math.floor(endOf(range) / unit) * unit - address;
    return size > 0 ? [{ address, size }] : [];
  });
}

/**
 * Devicetree Specification v0.4, section 2.3.5; of_bus_n_addr_cells() of Linux looks further up, and every real tree
 * has them.
 */
const DEFAULT_CELLS = { address: 2, size: 1 } as const;
const MAX_CELLS = 4;
const CELL_RANGE = 2 ** 32;

/** Cells as one number, or null for what no CPU can address. */
export function numberOf(cells: readonly number[]): number | null {
  const value = cells.reduce((high, cell) => high * CELL_RANGE + cell, 0);
  return Number.isSafeInteger(value) ? value : null;
}

export interface CellCounts {
  readonly address: number;
  readonly size: number;
}

export function cellCounts(node: TreeNode): CellCounts {
  return {
    address: Math.min(MAX_CELLS, cellProperty(node, '#address-cells') ?? DEFAULT_CELLS.address),
    size: Math.min(MAX_CELLS, cellProperty(node, '#size-cells') ?? DEFAULT_CELLS.size),
  };
}

/**
 * The entries of a `reg`-like value in the parent's own address space; an entry that no CPU can address is left out.
 */
export function entriesOf(value: Uint8Array, counts: CellCounts): AddressRange[] {
  const cells = readCells(value) ?? [];
  const width = counts.address + counts.size;
  if (width === 0 || counts.address === 0) return [];
  const found: AddressRange[] = [];
  for (let at = 0; at + width <= cells.length; at += width) {
    const address = numberOf(cells.slice(at, at + counts.address));
    const size = numberOf(cells.slice(at + counts.address, at + width));
    if (address !== null && size !== null && Number.isSafeInteger(address + size)) found.push({ address, size });
  }
  return found;
}

/** One entry of `ranges`: `size` bytes at `child` of the bus are at `parent` of the bus above. */
interface Window {
  readonly child: number;
  readonly parent: number;
  readonly size: number;
}

/** How a bus maps the addresses of its children; null where it does not, as for I2C and SPI. */
type Translation = readonly Window[] | 'identity' | null;

function translationOf(node: TreeNode, above: CellCounts): Translation {
  const value = node.properties.get('ranges');
  if (value === undefined) return null;
  const own = cellCounts(node);
  const cells = readCells(value) ?? [];
  if (cells.length === 0) return 'identity';
  const width = own.address + above.address + own.size;
  const windows: Window[] = [];
  for (let at = 0; at + width <= cells.length; at += width) {
    // The first of the three cells of a PCI address is no part of the address (IEEE 1275 PCI binding, section 2.2.1.1).
    const child = numberOf(cells.slice(at + Math.max(0, own.address - 2), at + own.address));
    const parent = numberOf(cells.slice(at + own.address, at + own.address + above.address));
    const size = numberOf(cells.slice(at + own.address + above.address, at + width));
    if (child !== null && parent !== null && size !== null && Number.isSafeInteger(parent + size))
      windows.push({ child, parent, size });
  }
  return windows;
}

function translate(range: AddressRange, translation: Translation): AddressRange | null {
  if (translation === null) return null;
  if (translation === 'identity') return range;
  const window = translation.find(({ child, size }) => range.address >= child && range.address < child + size);
  return window === undefined ? null : { address: range.address - window.child + window.parent, size: range.size };
}

export interface NodeRegisters {
  readonly path: string;
  readonly node: TreeNode;
  /** In the order of `reg`; of memory-mapped devices alone, and without entries that no bus above maps. */
  readonly ranges: readonly AddressRange[];
  /** Where the CPU sees the address space of a PCI bus that the node is the host of. */
  readonly windows: readonly AddressRange[];
  /** Whether the node and all above it are enabled. */
  readonly enabled: boolean;
}

/** Linux, of_device_is_available(): a node without status is enabled. */
export function isEnabled(node: TreeNode): boolean {
  if (!node.properties.has('status')) return true;
  const status = stringProperty(node, 'status');
  return status === 'okay' || status === 'ok';
}

/**
 * Every node that has registers in the CPU's address space, parents first, in the blob's order. Not /memory nor what
 * lies below /reserved-memory.
 */
export function registersOf(tree: DeviceTree): NodeRegisters[] {
  return addressesOf(tree).filter(({ path, node }) => !isMemory(path, node));
}

/** Every node whose `reg` has an address of the CPU's, memory among them, parents first, in the blob's order. */
export function addressesOf(tree: DeviceTree): NodeRegisters[] {
  const found: NodeRegisters[] = [];
  interface Place {
    readonly node: TreeNode;
    readonly path: string;
    /** Cell counts of the parent. */
    readonly counts: CellCounts;
    /** From the parent's address space up to the CPU's. */
    readonly above: readonly Translation[];
    readonly enabled: boolean;
  }
  const waiting: Place[] = [{ node: tree.root, path: '/', counts: cellCounts(tree.root), above: [], enabled: true }];
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    const { node, path, counts, above } = place;
    const enabled = place.enabled && isEnabled(node);
    const reg = node.properties.get('reg');
    const seen = (range: AddressRange): AddressRange[] => {
      const at = above.reduce<AddressRange | null>((one, step) => (one === null ? null : translate(one, step)), range);
      return at === null || at.size === 0 ? [] : [at];
    };
    const translation = translationOf(node, counts);
    const isPciHost = stringProperty(node, 'device_type') === 'pci';
    if (reg !== undefined && counts.size > 0) {
      const ranges = entriesOf(reg, counts).flatMap(seen);
      const windows = isPciHost && Array.isArray(translation) ? translation : [];
      if (ranges.length > 0)
        found.push({
          path,
          node,
          ranges,
          windows: windows.flatMap(({ parent, size }) => seen({ address: parent, size })),
          enabled,
        });
    }
    const own = cellCounts(node);
    const next = path === '/' ? [] : [translation, ...above];
    for (const child of node.children.toReversed())
      waiting.push({ node: child, path: joinPath(path, child.name), counts: own, above: next, enabled });
  }
  return found;
}

/** early_init_dt_scan_memory() of drivers/of/fdt.c looks at device_type; the name tells too in older trees. */
export function isMemory(path: string, node: TreeNode): boolean {
  if (path.startsWith('/reserved-memory/')) return true;
  return stringProperty(node, 'device_type') === 'memory' || /^\/memory(?:@[^/]*)?$/.test(path);
}
