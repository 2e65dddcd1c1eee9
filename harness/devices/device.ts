import type { BoardPlan, PlacedBehaviour, RegisterRule, ResetImage } from '../board/board-plan.ts';
import type { BoardModels } from '../board/transplant.ts';
import { type AddressRange, cellCounts, entriesOf, registersOf } from '../devicetree/addresses.ts';
import { phandlesOf } from '../devicetree/lookup.ts';
import { type DeviceTree, nodeAt, parentPath, type TreeNode, walk } from '../devicetree/tree.ts';
import { cellProperty, cellsOf, stringsOf } from '../devicetree/values.ts';

/**
 * A device model of a real board: what a driver finds behind the nodes of a `compatible`. A file for each, or for a few
 * of a kind, and a line in board-models.ts; docs/device-models.md says how one is written.
 */
export interface DeviceModel {
  /** It is for the nodes that have one of these anywhere in their `compatible`. */
  readonly compatible: readonly string[] | RegExp;
  /** The driver and the function that reads what is answered, with the kernel version that was looked at. */
  readonly reads: string;
  /** Adds what this device answers. */
  model(device: BoardDevice, answers: Answers): void;
}

/**
 * Interrupts of a GIC (Documentation/devicetree/bindings/interrupt-controller/arm,gic.yaml): first cell, first INTID.
 */
const TYPE_SPI = 0;
const FIRST_SPI = 32;
const FIRST_PPI = 16;
/** INTIDs of a GIC (IHI 0069, 2.2): the cells of a tree may say anything. */
export const INTIDS = 1020;
const GIC = /^arm,(?:gic|cortex-a\d+-gic)|^qcom,msm-qgic2$/;
/**
 * Controllers that hand an interrupt on to the GIC under its own number: irq-imx-gpcv2.c, irq-mtk-sysirq.c,
 * irq-tegra.c, irq-sun6i-r.c (drivers/irqchip, 6.12).
 */
const PASSING = /^fsl,imx\w+-gpc$|^mediatek,.*sysirq$|^nvidia,tegra\d+-ictlr$|^allwinner,sun\d+i-.*r-intc$/;
/** drivers/irqchip/qcom-pdc.c: `qcom,pdc-ranges` has triples of a pin, the SPI that it becomes, and how many. */
const PDC = 'qcom,pdc';

/**
 * Marvell's ICU (drivers/irqchip/irq-mvebu-icu.c, 6.12): which SPI an interrupt becomes is only known when the driver
 * has said so. Until then it is a number that the firmware looks up (firmware/models/marvell.c): the how manyth ICU in
 * the order of their models, and the interrupt's place in it.
 */
const ICU = 'marvell,cp110-icu';
const BEHIND_ICU = 0x8000;
const ICU_INTERRUPTS = 0x100;
const ICUS = BEHIND_ICU / ICU_INTERRUPTS;
/** Cells of an older tree: a group comes first. */
const ICU_OLD_CELLS = 3;

const RESERVED = '/reserved-memory/';

const phandles = new WeakMap<TreeNode, ReadonlyMap<number, string>>();

export function compatibleOf(node: TreeNode): readonly string[] {
  return stringsOf(node, 'compatible');
}

export function hasCompatible(node: TreeNode, name: string): boolean {
  return compatibleOf(node).includes(name);
}

/** INTID of an interrupt of `controller` by its first two cells, or 0 where it does not end at the GIC. */
function intid(controller: TreeNode, first: number, second: number): number {
  const names = compatibleOf(controller);
  if (names.some((name) => GIC.test(name) || PASSING.test(name)))
    return second + (first === TYPE_SPI ? FIRST_SPI : FIRST_PPI);
  if (!names.includes(PDC)) return 0;
  const ranges = cellsOf(controller, 'qcom,pdc-ranges');
  for (let at = 0; at + 2 < ranges.length; at += 3) {
    const [pin = 0, spi = 0, count = 0] = ranges.slice(at, at + 3);
    if (first >= pin && first < pin + count) return FIRST_SPI + spi + (first - pin);
  }
  return 0;
}

/** A node of the tree as a model looks at it. */
export class BoardDevice {
  readonly path: string;
  readonly node: TreeNode;
  /** `reg` in the CPU's address space; empty where it has none. */
  readonly ranges: readonly AddressRange[];
  readonly #tree: DeviceTree;
  readonly #board: ReadonlyMap<string, BoardDevice>;

  /** `board`: the enabled nodes of the tree by path, this one among them. */
  constructor(
    tree: DeviceTree,
    path: string,
    node: TreeNode,
    ranges: readonly AddressRange[],
    board: ReadonlyMap<string, BoardDevice> = new Map(),
  ) {
    this.#tree = tree;
    this.#board = board;
    this.path = path;
    this.node = node;
    this.ranges = ranges;
  }

  get root(): TreeNode {
    return this.#tree.root;
  }

  /** Every node of the tree. */
  get nodes(): readonly TreeNode[] {
    return [...walk(this.#tree.root)].map(({ node }) => node);
  }

  get compatible(): readonly string[] {
    return compatibleOf(this.node);
  }

  /** The node above; null above the root. */
  get parent(): BoardDevice | null {
    return this.path === '/' ? null : (this.#board.get(parentPath(this.path)) ?? null);
  }

  /** Enabled nodes of the tree that have one of these compatibles. */
  others(compatible: string): readonly BoardDevice[] {
    return [...this.#board.values()].filter((device) => device.compatible.includes(compatible));
  }

  /** The enabled node that a cell of `property` points to, the first where no other is meant. */
  supplier(property: string, cell = 0): BoardDevice | null {
    const path = this.#pathBehind(this.cells(property)[cell]);
    return path === undefined ? null : (this.#board.get(path) ?? null);
  }

  /** Address of the first range. */
  get base(): number {
    return this.ranges[0]?.address ?? 0;
  }

  /** Bytes of the first range. */
  get size(): number {
    return this.ranges[0]?.size ?? 0;
  }

  /** The range that `reg-names` calls so. */
  range(name: string): AddressRange | null {
    return this.ranges[this.strings('reg-names').indexOf(name)] ?? null;
  }

  strings(property: string): readonly string[] {
    return stringsOf(this.node, property);
  }

  cells(property: string): readonly number[] {
    return cellsOf(this.node, property);
  }

  /** Children of a bus such as I2C, with the cells of their `reg`. */
  get slaves(): readonly { readonly node: TreeNode; readonly reg: readonly number[] }[] {
    return this.node.children.map((node) => ({
      node,
      reg: cellsOf(node, 'reg'),
    }));
  }

  /** Enabled nodes below it that are its own. */
  get parts(): readonly BoardDevice[] {
    return [...this.#board.values()].filter(({ path }) => path !== '/' && parentPath(path) === this.path);
  }

  /** The node that the first cell of `property` points to. */
  referenced(property: string): TreeNode | null {
    return this.#behind(this.cells(property)[0]);
  }

  /** The registers, or the reserved memory, of the node that a cell of `property` points to. */
  registersOf(property: string, cell = 0): AddressRange | null {
    const path = this.#pathBehind(this.cells(property)[cell]);
    if (path === undefined) return null;
    const reserved = path.startsWith(RESERVED) ? nodeAt(this.#tree.root, path)?.properties.get('reg') : undefined;
    const parent = nodeAt(this.#tree.root, parentPath(path));
    if (reserved !== undefined && parent !== undefined) return entriesOf(reserved, cellCounts(parent))[0] ?? null;
    return registersOf(this.#tree).find((place) => place.path === path)?.ranges[0] ?? null;
  }

  /** Nodes whose `property` begins with a phandle of this one. */
  clients(property: string): readonly TreeNode[] {
    const own = cellProperty(this.node, 'phandle');
    if (own === null) return [];
    return [...walk(this.#tree.root)].map(({ node }) => node).filter((node) => cellsOf(node, property)[0] === own);
  }

  /**
   * INTIDs at the GIC, in the tree's order, or what the firmware takes for one (see {@link ICU}); 0 for an interrupt of
   * another controller, which the firmware does not play.
   */
  get interrupts(): readonly number[] {
    const isExtended = this.node.properties.has('interrupts-extended');
    const cells = this.cells(isExtended ? 'interrupts-extended' : 'interrupts');
    const icus = this.others(ICU).slice(0, ICUS);
    const found: number[] = [];
    for (let at = 0; at < cells.length; ) {
      const controller = isExtended ? this.#behind(cells[at++]) : this.#interruptParent();
      const width = controller === null ? null : cellProperty(controller, '#interrupt-cells');
      if (controller === null || width === null || width === 0) return found;
      const [type = 0, number = 0] = cells.slice(at, at + width);
      at += width;
      const icu = icus.findIndex(({ node }) => node === controller || node.children.includes(controller));
      const place = width === ICU_OLD_CELLS ? number : type;
      const [first, own, count] =
        icu === -1
          ? [0, intid(controller, type, number), INTIDS]
          : [BEHIND_ICU + icu * ICU_INTERRUPTS, place, ICU_INTERRUPTS];
      found.push(own < count ? first + own : 0);
    }
    return found;
  }

  interrupt(index = 0): number {
    return this.interrupts[index] ?? 0;
  }

  #pathBehind(phandle: number | undefined): string | undefined {
    const { root } = this.#tree;
    const known = phandles.get(root) ?? phandlesOf(root);
    phandles.set(root, known);
    return phandle === undefined ? undefined : known.get(phandle);
  }

  #behind(phandle: number | undefined): TreeNode | null {
    const path = this.#pathBehind(phandle);
    return path === undefined ? null : (nodeAt(this.#tree.root, path) ?? null);
  }

  /** Of the nearest node above that says so (Devicetree Specification v0.4, section 2.4). */
  #interruptParent(): TreeNode | null {
    for (let path = this.path; ; path = parentPath(path)) {
      const phandle = cellProperty(nodeAt(this.#tree.root, path) ?? this.node, 'interrupt-parent');
      if (phandle !== null) return this.#behind(phandle);
      if (path === '/') return null;
    }
  }
}

/**
 * Addresses that no CPU of QEMU has (board/board-plan.ts, ADDRESS_BITS): where register files behind a bus lie, 1 MiB
 * each.
 */
const STORE = 2 ** 45;
const STORE_SIZE = 0x10_0000;

type Spanned<Rule> = Rule extends RegisterRule
  ? Omit<Rule, 'count' | 'stride' | 'toStride'> & Partial<Pick<Rule, 'count' | 'stride' | 'toStride'>>
  : never;

/** Collects what the models of a board answer. */
export class Answers {
  readonly #images: ResetImage[] = [];
  readonly #rules: RegisterRule[] = [];
  readonly #behaviours: PlacedBehaviour[] = [];
  readonly #never: AddressRange[] = [];
  readonly #calls: BoardPlan['monitor']['answers'][number][] = [];
  #convention: BoardPlan['monitor']['convention'] = 'plain';
  #suspendFeatures = 0;
  #stores = 0;

  get models(): BoardModels {
    return {
      images: this.#images,
      rules: this.#rules,
      behaviours: this.#behaviours,
      never: this.#never,
      monitor: { convention: this.#convention, suspendFeatures: this.#suspendFeatures, answers: this.#calls },
    };
  }

  /** A 32-bit register that holds `value` at reset. */
  word(address: number, value: number): void {
    const bytes = new Uint8Array(Uint32Array.BYTES_PER_ELEMENT);
    new DataView(bytes.buffer).setUint32(0, value, true);
    this.image(address, bytes);
  }

  /** Bytes that registers or memory hold at reset. */
  image(address: number, bytes: Uint8Array): void {
    this.#images.push({ address, bytes });
  }

  /** How a register answers, or `count` of them. */
  rule(rule: Spanned<RegisterRule>): void {
    this.#rules.push({ count: 1, stride: Uint32Array.BYTES_PER_ELEMENT, toStride: 0, ...rule });
  }

  /** What C code of the firmware answers (firmware/models/). */
  behaviour(behaviour: PlacedBehaviour): void {
    this.#behaviours.push(behaviour);
  }

  /** Polls of these addresses are never broken. */
  neverBreak(range: AddressRange): void {
    this.#never.push(range);
  }

  /** A Qualcomm secure monitor; calls that are not added are unknown to it. */
  qualcommMonitor(): void {
    this.#convention = 'qualcomm';
  }

  /** A call of the secure monitor that is answered with these values of x0 to x3. */
  call(call: number, x0: number, x1 = 0, x2 = 0, x3 = 0): void {
    this.callAsked(call, [], [x0, 0, x1, 0, x2, 0, x3, 0]);
  }

  /**
   * A call of the secure monitor whose x1 and x2 hold the words `asked` (null: any), and what x0 to x3 hold then; in
   * 32-bit words, the lower one first. The first that is added counts.
   */
  callAsked(call: number, asked: readonly (number | null)[], words: readonly number[]): void {
    this.#calls.push({ call, asked, words });
  }

  /** What PSCI_FEATURES says of CPU_SUSPEND. */
  suspendFeatures(features: number): void {
    this.#suspendFeatures = features;
  }

  /** A place of 1 MiB for a register file that lies behind a bus. */
  store(): number {
    return STORE + STORE_SIZE * this.#stores++;
  }
}
