import { type DeviceTree, type TreeNode, walk } from '../devicetree/tree.ts';
import { cellProperty, cellsOf, readStrings } from '../devicetree/values.ts';

/**
 * What a compiled tree does not state of a board's interrupt controller and timer: known of some SoCs, else read off
 * the rest of the tree. A guess, but of the right size.
 */

/** 1020 INTIDs less the 32 of SGIs and PPIs: what a GIC can have (IHI 0069, section 2.2). */
const MOST_SPIS = 988;
/** GICD_TYPER.ITLinesNumber counts interrupts by 32 (IHI 0069, section 12.9.38). */
const LINES = 32;

/** `SPIs implemented` of irq-gic-v3.c in kernel logs of boards with these SoCs, where the tree uses fewer. */
const KNOWN_SPIS: ReadonlyMap<string, number> = new Map([
  ['qcom,sdm845', 768],
  ['rockchip,rk3399', 256],
]);

/**
 * Interrupts that drivers take from ranges: the cell of the first one, and that of their number, in entries of `width`.
 */
const RANGES: readonly {
  readonly property: string;
  readonly width: number;
  readonly first: number;
  readonly count: number | null;
}[] = [
  // Documentation/devicetree/bindings/interrupt-controller of Linux 6.12: qcom,pdc, ti,sci-intr,
  // amlogic,meson-gpio-intc.
  { property: 'qcom,pdc-ranges', width: 3, first: 1, count: 2 },
  { property: 'ti,interrupt-ranges', width: 3, first: 1, count: 2 },
  { property: 'amlogic,channel-interrupts', width: 1, first: 0, count: null },
  // arm,gic-v3 and marvell,gicp, marvell,odmi-controller: numbers that may count from 0 or from 32.
  { property: 'mbi-ranges', width: 2, first: 0, count: 1 },
  { property: 'marvell,spi-ranges', width: 2, first: 0, count: 1 },
  { property: 'marvell,spi-base', width: 1, first: 0, count: null },
  // GICv2m: drivers/irqchip/irq-gic-v2m.c
  { property: 'arm,msi-base-spi', width: 1, first: 0, count: null },
];
const TYPE_SPI = 0;

/**
 * SPIs of the board's GIC: of its SoC, or as many as the tree has a use for. Disabled nodes count: they are wired up.
 */
export function spisOf(tree: DeviceTree): number {
  const known = compatiblesOf(tree.root).flatMap((name) => KNOWN_SPIS.get(name) ?? [])[0];
  if (known !== undefined) return known;
  const ranges = [...walk(tree.root)].flatMap(({ node }) =>
    RANGES.flatMap(({ property, width: entry, first, count }) => {
      const values = cellsOf(node, property);
      return Array.from({ length: Math.floor(values.length / entry) }, (_, n) => {
        const at = n * entry;
        return (values[at + first] ?? 0) + (count === null ? 0 : Math.max(0, (values[at + count] ?? 1) - 1));
      });
    }),
  );
  const found = [...wiredSpis(tree.root), ...ranges.filter((spi) => spi < MOST_SPIS)];
  if (found.length === 0) return MOST_SPIS;
  const last = found.reduce((most, spi) => Math.max(most, spi));
  return Math.min(MOST_SPIS, Math.ceil((last + 1) / LINES) * LINES);
}

/** SPIs of the board's GIC that devices are wired to, a number for each of their interrupts. */
export function wiredSpis(root: TreeNode): number[] {
  const cellsBehind = new Map<number, { interrupt: number; address: number }>();
  for (const { node } of walk(root)) {
    const phandle = cellProperty(node, 'phandle');
    const interrupt = cellProperty(node, '#interrupt-cells');
    if (phandle !== null && interrupt !== null)
      cellsBehind.set(phandle, { interrupt, address: cellProperty(node, '#address-cells') ?? 0 });
  }
  const found: number[] = [];
  const take = (number: number | undefined) => {
    if (number !== undefined && number < MOST_SPIS) found.push(number);
  };
  const visit: { node: TreeNode; parent: number | null }[] = [{ node: root, parent: null }];
  for (let next = visit.pop(); next !== undefined; next = visit.pop()) {
    const { node } = next;
    const parent = cellProperty(node, 'interrupt-parent') ?? next.parent;
    const width = parent === null ? 0 : (cellsBehind.get(parent)?.interrupt ?? 0);
    const plain = cellsOf(node, 'interrupts');
    for (let at = 0; width >= GIC_CELLS && at + width <= plain.length; at += width)
      if (plain[at] === TYPE_SPI) take(plain[at + 1]);
    for (const property of ['interrupts-extended', 'interrupt-map'])
      for (const number of behindPhandles(cellsOf(node, property), cellsBehind, property === 'interrupt-map'))
        take(number);
    for (const child of node.children) visit.push({ node: child, parent });
  }
  return found;
}

/** #interrupt-cells of every GIC (arm,gic.yaml, arm,gic-v3.yaml): type, number, flags. */
const GIC_CELLS = 3;

/** Numbers of SPIs behind a controller's phandle, wherever in the cells that stands. */
function behindPhandles(
  cells: readonly number[],
  controllers: ReadonlyMap<number, { readonly interrupt: number; readonly address: number }>,
  isMap: boolean,
): number[] {
  return cells.flatMap((cell, at) => {
    const controller = controllers.get(cell);
    if (controller === undefined || controller.interrupt < GIC_CELLS) return [];
    const start = at + 1 + (isMap ? controller.address : 0);
    const number = cells[start + 1];
    return cells[start] === TYPE_SPI && number !== undefined && start + controller.interrupt <= cells.length
      ? [number]
      : [];
  });
}

/**
 * Hertz of the architected timer (CNTFRQ_EL0) by SoC: what `arch_timer: cp15 timer(s) running at` says in kernel logs,
 * and reference manuals. Boot firmware sets it, so that hardly any tree has it.
 */
const TIMER_RATES: readonly (readonly [RegExp, number])[] = [
  [/^qcom,/, 19_200_000],
  [/^(?:rockchip|allwinner|amlogic),/, 24_000_000],
  [/^brcm,bcm271[12]$/, 54_000_000],
  [/^brcm,bcm283/, 19_200_000],
  [/^nvidia,tegra210$/, 19_200_000],
  [/^nvidia,tegra(?:186|194|234)$/, 31_250_000],
  [/^samsung,exynos(?:5433|7)$/, 24_000_000],
  [/^samsung,exynos(?:7885|850|9810|990|autov9)$/, 26_000_000],
  [/^marvell,armada-(?:ap80[67]|70\d0|80\d0)/, 25_000_000],
  [/^fsl,(?:ls1|lx2)/, 25_000_000],
];
/**
 * QEMU's counter ticks once an instruction, whatever rate the guest believes in, so that a guest with a slow counter is
 * a slow machine: below this its ticks and time-outs would leave drivers too few instructions. Above, it computes more
 * for each second than the boot is worth.
 */
const LEAST_RATE = 19_000_000;
/** What a tree states itself is kept down to this: with 1.92 MHz a kernel finds itself locked up. */
const LEAST_STATED_RATE = 4_000_000;
const MOST_RATE = 100_000_000;

/** Of the virt machine's CPU, and of its counter: hw/arm/virt.c and target/arm/helper.c, GTIMER_SCALE of 16 ns. */
const QEMU_RATE = 62_500_000;

/**
 * Hertz that the guest is told of its counter (CNTFRQ_EL0): what the tree says in place of the firmware, else what is
 * known of the SoC, else QEMU's own, also where the guest would be too slow with what is known.
 */
export function timerRateOf(tree: Pick<DeviceTree, 'root'>): number {
  for (const { node } of walk(tree.root)) {
    const stated = statedRateOf(node);
    if (stated !== null && stated >= LEAST_STATED_RATE) return stated;
  }
  const names = compatiblesOf(tree.root);
  const [, rate] = TIMER_RATES.find(([pattern]) => names.some((name) => pattern.test(name))) ?? [];
  return rate === undefined || rate < LEAST_RATE || rate > MOST_RATE ? QEMU_RATE : rate;
}

/** Hertz that the node of the architected timer states in place of the firmware; null where it is none or does not. */
function statedRateOf(node: TreeNode): number | null {
  const stated = cellProperty(node, 'clock-frequency');
  const isTimer = compatiblesOf(node).some((name) => /^arm,armv[78]-timer$/.test(name));
  return isTimer && stated !== null && stated > 0 ? stated : null;
}

/** Whether a node states a rate of the architected timer that the guest is better not told. */
export function isTooSlow(node: TreeNode): boolean {
  return (statedRateOf(node) ?? LEAST_STATED_RATE) < LEAST_STATED_RATE;
}

function compatiblesOf(node: TreeNode): readonly string[] {
  const value = node.properties.get('compatible');
  return value === undefined ? [] : (readStrings(value) ?? []);
}
