import {
  type AddressRange,
  aligned,
  cellCounts,
  endOf,
  entriesOf,
  isMemory,
  join,
  type NodeRegisters,
  subtract,
} from '../devicetree/addresses.ts';
import { type DeviceTree, isWithin, nodeAt } from '../devicetree/tree.ts';
import { InputError } from '../errors.ts';
import { BLOCK_SIZE } from './board-plan.ts';
import { compatiblesOf } from './interrupts.ts';

/** Where a board's RAM is, and where in it the kernel, the device tree and the initramfs go. */

const MIB = 1024 * 1024;
/** The most RAM that a guest gets: what it does not touch costs the host nothing, but the kernel sets up all of it. */
const MOST_RAM = 2048 * MIB;
/** The kernel, its modules and the initramfs need this much. */
const LEAST_RAM = 192 * MIB;
/** So much is enough not to look for a better place. */
const ENOUGH_RAM = 512 * MIB;
/** Where RAM is looked for when the tree leaves it to the boot loader: the bases of arm64 SoCs, most common first. */
const BASES: readonly number[] = [0x8000_0000, 0x4000_0000, 0, 0x1_0000_0000, 0x8_0000_0000];

export interface BoardMemory {
  /** What /memory says for the guest; exact, so not always whole blocks. */
  readonly ranges: readonly AddressRange[];
  /** Why that differs from the tree, or null where it does not. */
  readonly why: string | null;
  /** What stage 2 maps: whole blocks that hold `ranges`. */
  readonly blocks: readonly AddressRange[];
}

/** The ranges of the tree's memory nodes, those of size zero among them: a boot loader fills them in. */
function memoryInTree(tree: DeviceTree): AddressRange[] {
  const counts = cellCounts(tree.root);
  return tree.root.children
    .filter((node) => isMemory(`/${node.name}`, node))
    .flatMap((node) => entriesOf(node.properties.get('reg') ?? new Uint8Array(), counts));
}

/** Static ranges of /reserved-memory and of the blob's header: nothing may be put there. */
export function reservedIn(tree: DeviceTree): AddressRange[] {
  const parent = nodeAt(tree.root, '/reserved-memory');
  const fromNodes = (parent?.children ?? []).flatMap((node) =>
    entriesOf(node.properties.get('reg') ?? new Uint8Array(), cellCounts(parent ?? node)),
  );
  const fromHeader = tree.reservations.map(({ address, size }) => ({ address: Number(address), size: Number(size) }));
  return [...fromNodes, ...fromHeader].filter((range) => Number.isSafeInteger(endOf(range)) && range.size > 0);
}

/** As much of `ranges`, from the first byte on, as `most` allows. */
function clip(ranges: readonly AddressRange[], most: number): AddressRange[] {
  let left = most;
  return ranges.flatMap(({ address, size }) => {
    const taken = Math.min(size, left);
    left -= taken;
    return taken > 0 ? [{ address, size: taken }] : [];
  });
}

/**
 * The RAM of the guest. What the tree says is kept; ranges that overlap count once, and there is at most {@link
 * MOST_RAM} of it. Where the tree leaves the size to the boot loader, it begins where the tree says, or at the first
 * usual place, and ends before the first register or window of a PCI bus. Throws {@link InputError} for a tree that
 * leaves no room for RAM.
 */
export function layMemory(tree: DeviceTree, registers: readonly NodeRegisters[], name: string): BoardMemory {
  const said = memoryInTree(tree);
  const given = join(said);
  if (total(given) >= LEAST_RAM) {
    const ranges = clip(given, MOST_RAM);
    const cut = total(given) - total(ranges);
    const why = cut > 0 ? `${cut / MIB} MiB less: the guest gets at most ${MOST_RAM / MIB} MiB` : OVERLAP;
    return { ranges, why: sameRanges(ranges, said) ? null : why, blocks: blocksOf(ranges) };
  }
  const inTheWay = registers.filter(isHardware).flatMap(({ ranges, windows }) => [...ranges, ...windows]);
  const bases = said.length > 0 ? said.map(({ address }) => address) : BASES;
  const pieces = bases.flatMap((base) => {
    const address = Math.ceil(base / BLOCK_SIZE) * BLOCK_SIZE;
    const [first] = aligned(subtract([{ address, size: MOST_RAM }], inTheWay), BLOCK_SIZE);
    return first !== undefined && first.address === address && first.size >= LEAST_RAM ? [first] : [];
  });
  const found = pieces.find(({ size }) => size >= ENOUGH_RAM) ?? pieces[0];
  if (found === undefined)
    throw new InputError(`${name} leaves no room for RAM: there are registers where it could be`);
  return { ranges: [found], why: whyGrown(said), blocks: [found] };
}

const OVERLAP = 'ranges that overlap are joined';

function whyGrown(said: readonly AddressRange[]): string {
  if (said.length === 0) return 'the tree leaves RAM to the boot loader';
  const size = total(join(said));
  return size === 0
    ? 'the boot loader fills in the size'
    : `${size / MIB} MiB are too few for a kernel and its modules`;
}

/** Frame buffers and crash logs have `reg` too, and lie in RAM. */
function isHardware({ path, node, enabled }: NodeRegisters): boolean {
  const [compatible] = compatiblesOf({ node });
  return enabled && !isWithin(path, '/chosen') && compatible !== 'simple-framebuffer' && compatible !== 'ramoops';
}

function total(ranges: readonly AddressRange[]): number {
  return ranges.reduce((sum, { size }) => sum + size, 0);
}

function sameRanges(a: readonly AddressRange[], b: readonly AddressRange[]): boolean {
  return a.length === b.length && a.every((range, n) => range.address === b[n]?.address && range.size === b[n]?.size);
}

/** Whole blocks around the ranges, as stage 2 maps them. */
function blocksOf(ranges: readonly AddressRange[]): AddressRange[] {
  return join(
    ranges.map((range) => {
      const address = Math.floor(range.address / BLOCK_SIZE) * BLOCK_SIZE;
      return { address, size: Math.ceil(endOf(range) / BLOCK_SIZE) * BLOCK_SIZE - address };
    }),
  );
}

export interface BootFiles {
  /** Bytes of memory that the Image needs, .bss included (`image_size` of its header). */
  readonly image: number;
  readonly deviceTree: number;
  readonly initramfs: number;
}

export interface Placement {
  readonly entry: number;
  readonly deviceTree: number;
  readonly initramfs: number;
}

/**
 * booting.rst, Linux 6.12: the Image at a multiple of 2 MiB, the blob within 2 MiB, the initramfs within 32 GiB of the
 * Image.
 */
const PLACE_UNIT = BLOCK_SIZE;
/** The first blocks of RAM are left alone: secure firmware lives there on many boards without the tree saying so. */
const LEFT_ALONE = 16 * PLACE_UNIT;

/**
 * Finds a place for each file in RAM, clear of what the tree reserves. Throws {@link InputError} where there is none.
 */
export function placeFiles(
  memory: BoardMemory,
  reserved: readonly AddressRange[],
  files: BootFiles,
  name: string,
): Placement {
  const [first] = memory.ranges;
  const start = first === undefined ? 0 : first.address;
  let taken: AddressRange[] = [...reserved];
  const place = (size: number, what: string): number => {
    const wanted = Math.ceil(Math.max(size, 1) / PLACE_UNIT) * PLACE_UNIT;
    const holes = (skip: number) =>
      aligned(subtract(memory.ranges, [...taken, { address: start, size: skip }]), PLACE_UNIT);
    const hole = [...holes(LEFT_ALONE), ...holes(0)].find((candidate) => candidate.size >= wanted);
    if (hole === undefined)
      throw new InputError(`${name} has no ${Math.ceil(wanted / MIB)} MiB of free memory in one piece for ${what}`);
    taken = [...taken, { address: hole.address, size: wanted }];
    return hole.address;
  };
  return {
    entry: place(files.image, 'the kernel'),
    deviceTree: place(files.deviceTree, 'the device tree'),
    initramfs: place(files.initramfs, 'the initramfs'),
  };
}

/**
 * The highest free page of the address space, for the UART that the board does not have. Throws {@link InputError} for
 * a tree whose ranges leave none.
 */
export function freePage(used: readonly AddressRange[], addressBits: number, name: string): number {
  // Not page by page: there are millions of them, and a tree may take them all.
  const free = aligned(subtract([{ address: PAGE, size: 2 ** addressBits - PAGE }], used), PAGE).at(-1);
  if (free === undefined)
    throw new InputError(
      `${name} leaves no free page for a console: its registers and RAM take all ${addressBits} bits`,
    );
  return endOf(free) - PAGE;
}

/** Of 64 KiB, so that a kernel of any page size maps it alone. */
const PAGE = 0x1_0000;
