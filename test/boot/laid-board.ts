import { readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { laidBoard } from '../../harness/board/machine.ts';
import { type BoardModels, transplant } from '../../harness/board/transplant.ts';
import { setBootargs } from '../../harness/devicetree/chosen.ts';
import { parseFdt } from '../../harness/devicetree/parse.ts';
import { serializeFdt } from '../../harness/devicetree/serialize.ts';
import type { DeviceTree, TreeNode } from '../../harness/devicetree/tree.ts';
import { encodeBoardPlan } from '../../harness/firmware/board-plan.ts';
import { consoleLookup, encodeSnapshotTable } from '../../harness/firmware/gates.ts';
import { encodePlan } from '../../harness/guest/plan.ts';
import { cpuFor, qemuArguments, renameFiles } from '../../harness/qemu/command.ts';
import { SnapshotGuest } from '../../harness/qemu/snapshot.ts';
import { boardTree, GIC_V3, node, SCM_AND_SMMU } from '../board/trees.ts';

/** A board whose addresses are not QEMU's, with the two devices of the thread on it, laid down as a .dtb is. */

export const SHIFT = 4;
export const SMMU = '15000000.iommu';

const withPhandle = (gic: TreeNode): TreeNode => ({
  ...gic,
  properties: new Map([
    ...gic.properties,
    ...node('', { phandle: [1], '#address-cells': [2], '#size-cells': [2], ranges: [] }).properties,
  ]),
});
const GICS = {
  3: {
    ...withPhandle(GIC_V3),
    children: [
      node('its@17a40000', { compatible: 'arm,gic-v3-its', 'msi-controller': [], reg: [0, 0x17a4_0000, 0, 0x2_0000] }),
    ],
  },
  2: withPhandle(
    node('interrupt-controller@17a00000', {
      compatible: 'arm,gic-400',
      'interrupt-controller': [],
      '#interrupt-cells': [3],
      reg: [0, 0x17a0_0000, 0, 0x1000, 0, 0x17a0_2000, 0, 0x2000],
    }),
  ),
} as const;

/** Where the second CPU of the GICv2 board waits; the other board's is started by PSCI. */
const SPIN_TABLE = { address: 0x8000_0000n, size: 0x1000n };
const SPINNING = { 'enable-method': 'spin-table', 'cpu-release-addr': [0, 0x8000_00e0] };

export function treeWith(version: 2 | 3): DeviceTree {
  const tree = boardTree({
    gic: GICS[version],
    cpus: version === 2 ? { 'cpu@100': SPINNING } : {},
    more: [node('psci', { compatible: 'arm,psci-1.0', method: 'smc' }), ...SCM_AND_SMMU],
  });
  const root = {
    ...tree.root,
    properties: new Map([...tree.root.properties, ...node('', { 'interrupt-parent': [1] }).properties]),
  };
  return { ...tree, root, reservations: [SPIN_TABLE] };
}

/** What runs on a board. */
export interface Software {
  readonly firmware: Uint8Array;
  /** Path of the kernel's Image. */
  readonly image: string;
  readonly initramfs: Uint8Array;
}

/** Everything that a boot needs, laid down in files whose names begin with `path`. */
export function layBoard(
  path: string,
  version: 2 | 3,
  { firmware, image, initramfs }: Software,
  { models, cpus = 1 }: { readonly models: BoardModels; readonly cpus?: number },
) {
  const lie = (name: string, bytes: Uint8Array) => {
    writeFileSync(`${path}-${name}`, bytes);
    return `${path}-${name}`;
  };
  const blob = serializeFdt(treeWith(version));
  const { tree, plan, facts } = transplant(parseFdt(blob), blob.length, {
    name: 'the board',
    imageSize: Number(readFileSync(image).readBigUInt64LE(16)),
    initramfsSize: initramfs.length,
    cpus,
    breakerReads: 5,
    models,
  });
  const bootargs = [
    `earlycon=pl011,mmio32,0x${facts.console.toString(16)}`,
    ...['keep_bootcon', 'rdinit=/init', 'printk.devkmsg=on', `maxcpus=${cpus}`, 'nokaslr', 'panic=-1'],
    'ignore_loglevel',
  ];
  return {
    lie,
    console: facts.console,
    machine: { cpus, shift: SHIFT, board: laidBoard(plan), cpu: cpuFor(4) },
    files: {
      firmware: lie('firmware', firmware),
      image,
      deviceTree: lie('dtb', serializeFdt(setBootargs(tree, bootargs))),
      initramfs: lie('initramfs', initramfs),
      plan: lie('plan', encodePlan({ steps: [{ step: 'settle', ms: 500 }], watch: [SMMU] })),
      modules: null,
      gates: null,
      boardPlan: lie('board', encodeBoardPlan(plan)),
      registers: [],
      firmwareLog: `${path}-firmware.log`,
    },
    consoleFile: `${path}-console.log`,
  };
}

/** A guest of a board that was laid, parked at its snapshot. Throws where it takes none. */
export async function snapshotOf(
  { files, machine, consoleFile, lie }: ReturnType<typeof layBoard>,
  stops: Parameters<typeof encodeSnapshotTable>[0],
  symbols: ReadonlyMap<string, bigint>,
): Promise<SnapshotGuest> {
  const table = encodeSnapshotTable(stops, false, consoleLookup(symbols, true));
  if (table === null) throw new Error('no table');
  const gates = lie('gates', table);
  const guest = await SnapshotGuest.start({
    words: (rename) => qemuArguments(renameFiles({ ...files, gates }, rename), machine, { takesSnapshot: true }),
    consoleFile,
    cwd: dirname(consoleFile),
    signal: new AbortController().signal,
    shift: SHIFT,
  });
  if (guest === null) throw new Error('there is no snapshot');
  return guest;
}
