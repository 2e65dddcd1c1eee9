import { type DeviceTree, emptyNode, type TreeNode } from '../../harness/devicetree/tree.ts';
import { encodeCells, encodeStrings } from '../../harness/devicetree/values.ts';

/** Device trees for tests, written as objects. */

type Value = string | readonly string[] | readonly number[];

export function node(name: string, properties: Readonly<Record<string, Value>>, ...children: TreeNode[]): TreeNode {
  const encoded = Object.entries(properties).map(([key, value]): [string, Uint8Array] => {
    if (typeof value === 'string') return [key, encodeStrings([value])];
    return [key, isStrings(value) ? encodeStrings(value) : encodeCells(value)];
  });
  return { ...emptyNode(name), properties: new Map(encoded), children };
}

function isStrings(value: readonly string[] | readonly number[]): value is readonly string[] {
  return typeof value[0] === 'string';
}

/** Nodes below the root, with registers where their names have them, unless they have others. */
export function placed(nodes: readonly TreeNode[]): TreeNode[] {
  return nodes.map((one) => {
    const address = Number.parseInt(one.name.split('@')[1] ?? '', 16);
    if (Number.isNaN(address) || one.properties.has('reg')) return one;
    return { ...one, properties: new Map([...one.properties, ['reg', encodeCells([0, address, 0, 0x10])]]) };
  });
}

/** A clock controller, without cells where `more` names none. */
export function clock(name: string, phandle: number, more: Readonly<Record<string, Value>> = {}): TreeNode {
  return node(name, { compatible: 'acme,clock', phandle: [phandle], '#clock-cells': [0], ...more });
}

export interface BoardParts {
  readonly memory?: readonly TreeNode[];
  readonly cpu?: string;
  /** What the nodes of the CPUs say beside that, or instead. */
  readonly cpus?: Readonly<Partial<Record<'cpu@0' | 'cpu@100', Readonly<Record<string, Value>>>>>;
  readonly gic?: TreeNode | null;
  readonly timer?: TreeNode | null;
  readonly more?: readonly TreeNode[];
}

const CELLS = { '#address-cells': [2], '#size-cells': [2] };

export const GIC_V3 = node('interrupt-controller@17a00000', {
  compatible: 'arm,gic-v3',
  'interrupt-controller': [],
  '#interrupt-cells': [3],
  reg: [0, 0x17a0_0000, 0, 0x1_0000, 0, 0x17a6_0000, 0, 0x10_0000],
});

export const TIMER = node('timer', {
  compatible: 'arm,armv8-timer',
  interrupts: [1, 1, 8, 1, 2, 8, 1, 3, 8, 1, 0, 8],
});

/** The SCM and the SMMU where SDM845 has them. */
export const SCM_AND_SMMU: readonly TreeNode[] = [
  node('firmware', {}, node('scm', { compatible: ['qcom,scm-sdm845', 'qcom,scm'] })),
  node('iommu@15000000', {
    compatible: ['qcom,sdm845-smmu-500', 'arm,mmu-500'],
    reg: [0, 0x1500_0000, 0, 0x8_0000],
    '#iommu-cells': [2],
    '#global-interrupts': [1],
    interrupts: [0, 65, 4, 0, 96, 4, 0, 97, 4],
  }),
];

/** A board with the parts that a kernel cannot do without. */
export function boardTree(parts: BoardParts = {}): DeviceTree {
  const { cpu = 'arm,cortex-a53', cpus = {}, gic = GIC_V3, timer = TIMER, more = [] } = parts;
  const memory = parts.memory ?? [node('memory@80000000', { device_type: 'memory', reg: [0, 0x8000_0000, 0, 0] })];
  const root = node(
    '',
    { ...CELLS, model: 'Board of a test', compatible: ['acme,board', 'acme,soc'] },
    ...memory,
    node(
      'cpus',
      { '#address-cells': [1], '#size-cells': [0] },
      node('cpu@0', { device_type: 'cpu', compatible: cpu, reg: [0], 'enable-method': 'psci', ...cpus['cpu@0'] }),
      node('cpu@100', {
        ...{ device_type: 'cpu', compatible: cpu, reg: [0x100], 'enable-method': 'psci' },
        ...cpus['cpu@100'],
      }),
    ),
    ...(gic === null ? [] : [gic]),
    ...(timer === null ? [] : [timer]),
    ...more,
  );
  return { bootCpu: 0, reservations: [], root };
}
