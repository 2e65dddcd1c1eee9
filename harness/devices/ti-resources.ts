import { wiredSpis } from '../board/clues.ts';
import { type TreeNode, walk } from '../devicetree/tree.ts';
import { cellProperty, cellsOf } from '../devicetree/values.ts';
import { compatibleOf, hasCompatible, INTIDS } from './device.ts';

/**
 * What the system controller of a K3 SoC leaves to Linux of a device's resources: `count` of a kind from `first`. What
 * is not listed has the number that firmware/models/ti-sci.c gives.
 */
export interface K3Resource {
  /** `ti,sci-dev-id` */
  readonly device: number;
  /** `TI_SCI_RESASG_SUBTYPE_*` of linux/soc/ti/ti_sci_protocol.h, or what `ti,sci-rm-range-*` says. */
  readonly kind: number;
  readonly first: number;
  readonly count: number;
}

const ROUTER_OUTPUT = 0;
const VIRTUAL_INTERRUPT = 0x0a;
const EVENT = 0x0d;
const EVENT_COUNT = 1024;
/** First SPI of the GIC: routers count its lines by INTID (ti_sci_intr_alloc_parent_irq() of irq-ti-sci-intr.c). */
const FIRST_SPI = 32;
/** Numbers in the answers of the system controller have 16 bits. */
const MOST = 0xffff;
/** Where a router or an aggregator does not say how many it has. */
const SOME_OUTPUTS = 64;
/** Rings for any use are the last ones: channels have those with their own numbers (k3-udma.c, udma_alloc_*()). */
const FREE_RINGS = 64;
/**
 * Flows: more than the firmware gives of a kind, as many as the capability registers say (ti-k3.ts). AM62's last
 * channels to send begin at 67 (PSIL_ETHERNET() of k3-psil-am62.c); the first flows of a UDMA belong to its channels
 * that receive, and those for any use lie behind them (__udma_alloc_gp_rflow_range() of k3-udma.c).
 */
const SENDS = 'ti,sci-rm-range-tflow';
const RECEIVES = 'ti,sci-rm-range-rflow';
const FLOWS: readonly {
  readonly compatible: RegExp;
  readonly range: string;
  readonly first: number;
  readonly count: number;
}[] = [
  { compatible: /^ti,am64-dmss-pktdma$/, range: SENDS, first: 0, count: 112 },
  { compatible: /^ti,am64-dmss-pktdma$/, range: RECEIVES, first: 0, count: 176 },
  { compatible: /^ti,\w+-navss-main-udmap$/, range: RECEIVES, first: 140, count: 160 },
  { compatible: /^ti,\w+-navss-mcu-udmap$/, range: RECEIVES, first: 48, count: 48 },
];

/** The longest run of outputs in a router's first range of which no other device has the line. */
function freeOutputs(node: TreeNode, wired: ReadonlySet<number>): { first: number; count: number } {
  const [base = 0, parent = 0, said = SOME_OUTPUTS] = cellsOf(node, 'ti,interrupt-ranges');
  const size = Math.min(said, INTIDS);
  let best = { first: base, count: 0 };
  for (let at = 0, first = 0; at <= size; at++)
    if (at === size || wired.has(parent + at)) {
      if (at - first > best.count) best = { first: base + first, count: at - first };
      first = at + 1;
    }
  return best;
}

/** Resources that follow from the tree. Pure. */
export function k3Resources(root: TreeNode): K3Resource[] {
  const wired = new Set(wiredSpis(root).map((spi) => FIRST_SPI + spi));
  const found = [...walk(root)].flatMap(({ node }): K3Resource[] => {
    const device = cellProperty(node, 'ti,sci-dev-id');
    if (device === null) return [];
    if (hasCompatible(node, 'ti,sci-intr')) return [{ device, kind: ROUTER_OUTPUT, ...freeOutputs(node, wired) }];
    // Of kinds that share their numbers the last one has all.
    const kinds = [...node.properties].flatMap(([name]) =>
      name.startsWith('ti,sci-rm-range-') ? cellsOf(node, name).slice(0, -1) : [],
    );
    const without = kinds.map((kind) => ({ device, kind, first: 0, count: 0 }));
    if (hasCompatible(node, 'ti,sci-inta')) {
      const [first = 0, , count = SOME_OUTPUTS] = cellsOf(node, 'ti,interrupt-ranges');
      return [
        { device, kind: VIRTUAL_INTERRUPT, first, count },
        { device, kind: EVENT, first: 0, count: EVENT_COUNT },
      ];
    }
    const flows = FLOWS.flatMap(({ compatible, range, first, count }) => {
      const last = cellsOf(node, range).at(-1);
      const isOne = last !== undefined && compatibleOf(node).some((name) => compatible.test(name));
      return isOne ? [{ device, kind: last, first, count }] : [];
    });
    if (flows.length > 0) return [...without, ...flows];
    const rings = cellProperty(node, 'ti,num-rings');
    const [kind] = cellsOf(node, 'ti,sci-rm-range-gp-rings');
    if (rings === null || kind === undefined) return without;
    const count = Math.min(FREE_RINGS, rings);
    return [...without, { device, kind, first: rings - count, count }];
  });
  return found.filter(({ first, count }) => first + count <= MOST);
}
