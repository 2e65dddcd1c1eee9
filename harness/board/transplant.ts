import {
  type AddressRange,
  type CellCounts,
  cellCounts,
  endOf,
  isMemory,
  type NodeRegisters,
  overlaps,
  registersOf,
} from '../devicetree/addresses.ts';
import {
  type DeviceTree,
  emptyNode,
  nodeAt,
  type TreeNode,
  updateNode,
  walk,
  withoutProperty,
  withProperty,
} from '../devicetree/tree.ts';
import { encodeCells, encodeStrings, readString } from '../devicetree/values.ts';
import { InputError } from '../errors.ts';
import { ADDRESS_BITS, BOARD_RAM_PHYSICAL, type BoardPlan, type MappedRange } from './board-plan.ts';
import { isTooSlow, timerRateOf } from './clues.ts';
import { compatiblesOf, cpusOf, interruptControllerOf, startedCpusOf, type TreeCpu, timerOf } from './interrupts.ts';
import { type BoardMemory, freePage, layMemory, placeFiles, reservedIn } from './memory.ts';

/**
 * A real board's device tree made ready for a guest: what the tree must say otherwise, and what the firmware is told.
 * Pure.
 */

/** What a model of the board's hardware adds to the plan (harness/devices/). */
export type BoardModels = Pick<BoardPlan, 'images' | 'rules' | 'behaviours' | 'monitor'> & {
  readonly never: readonly AddressRange[];
};

export const NO_MODELS: BoardModels = {
  images: [],
  rules: [],
  behaviours: [],
  never: [],
  monitor: { convention: 'plain', suspendFeatures: 0, answers: [] },
};

export interface TransplantOptions {
  /** As messages name the tree. */
  readonly name: string;
  /** Bytes in memory: the Image with .bss, and the initramfs. */
  readonly imageSize: number;
  readonly initramfsSize: number;
  /** CPUs that are started. */
  readonly cpus: number;
  /** Reads in a row after which a poll is broken; 0 for never. */
  readonly breakerReads: number;
  readonly models: BoardModels;
}

/** For what a tree becomes whatever the kernel: only the places of the kernel's files are not those of a boot. */
export const WITHOUT_KERNEL: Omit<TransplantOptions, 'name'> = {
  imageSize: 0,
  initramfsSize: 0,
  cpus: 1,
  breakerReads: 0,
  models: NO_MODELS,
};

/** Something that was changed in the tree, and why. */
interface TreeChange {
  readonly path: string;
  readonly why: string;
}

export interface Transplant {
  /** With the final memory and initramfs; the command line is the cell's and comes later (devicetree/chosen.ts). */
  readonly tree: DeviceTree;
  readonly plan: BoardPlan;
  readonly changes: readonly TreeChange[];
  readonly facts: BoardFacts;
}

/** What a tree says of its board, independent of any kernel. */
interface BoardFacts {
  readonly model: string;
  readonly registers: readonly NodeRegisters[];
  readonly cpus: readonly TreeCpu[];
  readonly memory: BoardMemory;
  /** Board address of the UART that earlycon writes to. */
  readonly console: number;
}

/** hw/arm/virt.c, base_memmap[VIRT_UART]: a PL011. */
const VIRT_UART = 0x0900_0000;
const UART_SIZE = 0x1000;
/** The blob is written with the initramfs in it before its size is known: two properties and a node name more. */
const BLOB_ROOM = 64 * 1024;

/**
 * Lays a board down on QEMU's virt machine.
 * Throws {@link InputError}, one sentence, for a tree that cannot be: another architecture, no GIC, no timer, no room.
 */
export function transplant(tree: DeviceTree, blobSize: number, options: TransplantOptions): Transplant {
  const { name } = options;
  const cpus = cpusOf(tree, name);
  const started = startedCpusOf(tree, cpus, options.cpus, name);
  const registers = registersOf(tree);
  const { path, controller } = interruptControllerOf(tree, registers, name);
  const timer = timerOf(tree, path, name);
  const memory = layMemory(tree, registers, name);
  const waiting = started.find(
    ({ release }) => release !== null && !memory.blocks.some((block) => holds(block, release)),
  );
  if (waiting !== undefined)
    throw new InputError(
      `${name} has a CPU wait at 0x${waiting.release?.toString(16)}, which is not in its RAM`,
      'boot it with one CPU',
    );
  const highest = [...memory.blocks, ...registers.filter(({ enabled }) => enabled).flatMap(({ ranges }) => ranges)];
  const above = highest.find((range) => endOf(range) > 2 ** ADDRESS_BITS);
  if (above !== undefined && memory.blocks.includes(above))
    throw new InputError(
      `${name} has RAM at 0x${above.address.toString(16)}, above the ${ADDRESS_BITS} address bits of QEMU's CPU`,
    );
  const gic = [controller.distributor, ...controller.redistributors, controller.cpuInterface ?? []].flat();
  const unreachable = gic.find((range) => endOf(range) > 2 ** ADDRESS_BITS);
  if (unreachable !== undefined)
    throw new InputError(
      `${name} has the interrupt controller ${path} at 0x${unreachable.address.toString(16)}, ` +
        `above the ${ADDRESS_BITS} address bits of QEMU's CPU`,
    );
  const inRam = gic.find((range) => memory.blocks.some((block) => overlaps(block, range)));
  if (inRam !== undefined)
    throw new InputError(
      `${name} has the interrupt controller ${path} at 0x${inRam.address.toString(16)}, within its RAM`,
      'give the tree of a real board: /memory and reg of the controller overlap',
    );
  const reserved = reservedIn(tree);
  const files = { image: options.imageSize, deviceTree: blobSize + BLOB_ROOM, initramfs: options.initramfsSize };
  const placement = placeFiles(memory, [...reserved, controller.distributor], files, name);
  const console = freePage([...highest, ...reserved], CONSOLE_ADDRESS_BITS, name);
  const changes: TreeChange[] = [];
  const withMemory = memory.why === null ? tree : setMemory(tree, memory, changes);
  const withTimers = disableTimers(withMemory, registers, changes);
  const withRate = withoutSlowRates(withTimers, changes);
  const withCounter = withoutErratum(withRate, changes);
  const edited = setChosen(withCounter, placement.initramfs, options.initramfsSize, changes);
  return {
    tree: edited,
    changes,
    facts: {
      model: modelOf(tree),
      registers,
      cpus,
      memory,
      console,
    },
    plan: {
      entry: placement.entry,
      deviceTree: placement.deviceTree,
      initramfs: placement.initramfs,
      cpus: started,
      ram: mapped(memory.blocks),
      passThrough: [{ address: console, size: UART_SIZE, physical: VIRT_UART }],
      interruptController: controller,
      timer: { ...timer.interrupts, frequency: timerRateOf(tree) },
      images: options.models.images,
      rules: options.models.rules,
      behaviours: options.models.behaviours,
      monitor: options.models.monitor,
      breaker: { reads: options.breakerReads, never: options.models.never },
    },
  };
}

function holds(range: AddressRange, address: number): boolean {
  return address >= range.address && address < endOf(range);
}

/**
 * The UART lies within 40 bits: earlycon's option is read as a 64-bit number, and PA_BITS of a kernel may be no more
 * than 48.
 */
const CONSOLE_ADDRESS_BITS = 40;

function mapped(blocks: readonly AddressRange[]): MappedRange[] {
  let physical = BOARD_RAM_PHYSICAL;
  return blocks.map((block) => {
    const range = { ...block, physical };
    physical += block.size;
    return range;
  });
}

/** `model` of the root node, or its first compatible. */
function modelOf(tree: DeviceTree): string {
  const value = tree.root.properties.get('model');
  return (value === undefined ? null : readString(value)) ?? 'a board without a model name';
}

function cellsFor(value: number, count: number): number[] {
  const high = Math.floor(value / 2 ** 32);
  if (count === 0) return [];
  return count === 1 ? [value] : [...Array<number>(count - 2).fill(0), high, value >>> 0];
}

function encodeRanges(ranges: readonly AddressRange[], counts: CellCounts): Uint8Array {
  return encodeCells(
    ranges.flatMap(({ address, size }) => [...cellsFor(address, counts.address), ...cellsFor(size, counts.size)]),
    'reg of /memory',
  );
}

/**
 * One memory node in the place of the tree's; the first keeps its name and place where it begins at the same address.
 */
function setMemory(tree: DeviceTree, memory: BoardMemory, changes: TreeChange[]): DeviceTree {
  const counts = cellCounts(tree.root);
  const old = tree.root.children.filter((node) => isMemory(`/${node.name}`, node));
  const [first] = old;
  const start = memory.ranges[0]?.address ?? 0;
  const name = first?.name ?? `memory@${start.toString(16)}`;
  const node: TreeNode = withProperty(
    withProperty(
      withoutProperty(first ?? emptyNode(name), 'linux,usable-memory'),
      'device_type',
      encodeStrings(['memory']),
    ),
    'reg',
    encodeRanges(memory.ranges, counts),
  );
  const rest = tree.root.children.filter((child) => !old.includes(child));
  const at = first === undefined ? 0 : tree.root.children.indexOf(first);
  for (const removed of old.slice(1)) changes.push({ path: `/${removed.name}`, why: 'one node holds all of the RAM' });
  changes.push({ path: `/${name}`, why: memory.why ?? '' });
  return { ...tree, root: { ...tree.root, children: [...rest.slice(0, at), node, ...rest.slice(at)] } };
}

/**
 * Timers that the kernel takes instead of the CPU's own where it finds them (drivers/clocksource/timer-tegra.c,
 * tegra210_timer_init(), 6.12: a rating of 460): nothing plays them, and without a tick the guest sleeps for ever.
 */
const PREFERRED_TIMERS: readonly string[] = ['nvidia,tegra210-timer'];

/** The rate of a slow counter is left to the firmware, which tells QEMU's: clues.ts, timerRateOf(). */
function withoutSlowRates(tree: DeviceTree, changes: TreeChange[]): DeviceTree {
  const paths = [...walk(tree.root)].filter(({ node }) => isTooSlow(node)).map(({ path }) => path);
  let { root } = tree;
  for (const path of paths) {
    changes.push({ path, why: 'with so slow a counter the guest would be too slow a machine' });
    root = updateNode(root, path, (node) => withoutProperty(node, 'clock-frequency'));
  }
  return { ...tree, root };
}

/**
 * A counter that must be read until two reads say the same (drivers/clocksource/arm_arch_timer.c,
 * __fsl_a008585_read_reg(), 6.12): QEMU's moves on with every instruction, so that each look at it took 200 tries.
 */
const COUNTER_ERRATUM = 'fsl,erratum-a008585';

function withoutErratum(tree: DeviceTree, changes: TreeChange[]): DeviceTree {
  const paths = [...walk(tree.root)].filter(({ node }) => node.properties.has(COUNTER_ERRATUM)).map(({ path }) => path);
  let { root } = tree;
  for (const path of paths) {
    changes.push({ path, why: `QEMU's counter does not have ${COUNTER_ERRATUM}, and its workaround would take hours` });
    root = updateNode(root, path, (node) => withoutProperty(node, COUNTER_ERRATUM));
  }
  return { ...tree, root };
}

function disableTimers(tree: DeviceTree, registers: readonly NodeRegisters[], changes: TreeChange[]): DeviceTree {
  const paths = registers
    .filter(({ enabled }) => enabled)
    .map(({ path }) => path)
    .filter((path) => {
      const node = nodeAt(tree.root, path);
      return node !== undefined && compatiblesOf({ node }).some((name) => PREFERRED_TIMERS.includes(name));
    });
  for (const path of paths)
    changes.push({ path, why: 'the kernel would take this timer, and its interrupts never come' });
  const disabled = encodeStrings(['disabled']);
  let { root } = tree;
  for (const path of paths) root = updateNode(root, path, (node) => withProperty(node, 'status', disabled));
  return { ...tree, root };
}

/**
 * What a boot loader leaves in /chosen and no two boots have in common (Documentation/devicetree/bindings/chosen.txt).
 */
const RANDOM: readonly string[] = ['kaslr-seed', 'rng-seed'];

function setChosen(tree: DeviceTree, start: number, size: number, changes: TreeChange[]): DeviceTree {
  const root =
    nodeAt(tree.root, '/chosen') === undefined
      ? { ...tree.root, children: [...tree.root.children, emptyNode('chosen')] }
      : tree.root;
  changes.push({ path: '/chosen', why: 'the initramfs and the kernel command line of the guest' });
  return {
    ...tree,
    root: updateNode(root, '/chosen', (chosen) => {
      const kept = RANDOM.reduce(withoutProperty, chosen);
      const withStart = withProperty(kept, 'linux,initrd-start', encodeCells(cellsFor(start, 2)));
      return withProperty(withStart, 'linux,initrd-end', encodeCells(cellsFor(start + size, 2)));
    }),
  };
}
