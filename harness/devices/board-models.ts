import { cellCounts, entriesOf, isEnabled, registersOf } from '../board/addresses.ts';
import type { BoardModels } from '../board/transplant.ts';
import { type DeviceTree, joinPath, type TreeNode } from '../devicetree/tree.ts';
import { ambaIds } from './amba-ids.ts';
import { aossQmpModel } from './aoss-qmp.ts';
import { bamModel } from './bam.ts';
import { cmdDbModel } from './cmd-db.ts';
import { Answers, BoardDevice, type DeviceModel } from './device.ts';
import { geni } from './geni.ts';
import { i2cImx, i2cRk3x } from './i2c.ts';
import { brcmPcie, dwc3, dwcMmc, ehci, ohci, omapI2c, timerFrame } from './identities.ts';
import { psci } from './psci.ts';
import { scmModel } from './qcom-scm.ts';
import { cpufreqHw, dsi, llcc, mdss, qusb2, sdhci, tsens, ufs } from './qcom-soc.ts';
import { raspberryPiMailbox } from './raspberry-pi.ts';
import { rpmhRscModel } from './rpmh-rsc.ts';
import { smemModel } from './smem.ts';
import { smmuModel } from './smmu500.ts';
import { spmiArbiter } from './spmi-arbiter.ts';
import { sunxiRsb } from './sunxi-rsb.ts';
import { tiSci } from './ti-sci.ts';

/** Every model of a real board's devices; a node may have more than one. A new one is a line here. */
const MODELS: readonly DeviceModel[] = [
  ambaIds,
  aossQmpModel,
  bamModel,
  brcmPcie,
  cmdDbModel,
  cpufreqHw,
  dsi,
  dwc3,
  dwcMmc,
  ehci,
  geni,
  i2cImx,
  i2cRk3x,
  llcc,
  mdss,
  ohci,
  omapI2c,
  psci,
  qusb2,
  raspberryPiMailbox,
  rpmhRscModel,
  scmModel,
  sdhci,
  smemModel,
  smmuModel,
  spmiArbiter,
  sunxiRsb,
  tiSci,
  timerFrame,
  tsens,
  ufs,
];

/** Which nodes a model answers for. */
interface ModelledNode {
  readonly path: string;
  readonly models: readonly DeviceModel[];
}

export interface ModelledBoard {
  readonly models: BoardModels;
  readonly nodes: readonly ModelledNode[];
}

/** What the models of a tree's enabled devices answer. Pure. */
export function modelBoard(tree: DeviceTree): ModelledBoard {
  const answers = new Answers();
  const nodes: ModelledNode[] = [];
  for (const device of devicesOf(tree)) {
    const models = MODELS.filter(({ compatible }) =>
      device.compatible.some((name) =>
        compatible instanceof RegExp ? compatible.test(name) : compatible.includes(name),
      ),
    );
    for (const model of models) model.model(device, answers);
    // An invented temperature shuts the board down: an i.MX8MQ did.
    if (device.node.properties.has('#thermal-sensor-cells'))
      for (const range of device.ranges) answers.neverBreak(range);
    if (models.length > 0) nodes.push({ path: device.path, models });
  }
  return { models: answers.models, nodes };
}

/** The enabled nodes of a tree, with their registers; those of memory that is reserved are there too. */
function devicesOf(tree: DeviceTree): BoardDevice[] {
  const ranges = new Map(registersOf(tree).map((place) => [place.path, place.ranges]));
  const found: BoardDevice[] = [];
  const visit = (node: TreeNode, path: string, parent: TreeNode): void => {
    if (!isEnabled(node)) return;
    const reserved = path.startsWith('/reserved-memory/') ? node.properties.get('reg') : undefined;
    const own = reserved === undefined ? (ranges.get(path) ?? []) : entriesOf(reserved, cellCounts(parent));
    found.push(new BoardDevice(tree, path, node, own));
    for (const child of node.children) visit(child, joinPath(path, child.name), node);
  };
  visit(tree.root, '/', tree.root);
  return found;
}
