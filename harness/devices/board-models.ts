import type { BoardModels } from '../board/transplant.ts';
import { type AddressRange, cellCounts, entriesOf, isEnabled, registersOf } from '../devicetree/addresses.ts';
import { type DeviceTree, joinPath, parentPath, type TreeNode } from '../devicetree/tree.ts';
import { ambaIds } from './amba-ids.ts';
import { mesonSecureMonitor, mesonUsb3Phy } from './amlogic.ts';
import { aossQmpModel } from './aoss-qmp.ts';
import { bamModel } from './bam.ts';
import { cmdDbModel } from './cmd-db.ts';
import { Answers, BoardDevice, type DeviceModel } from './device.ts';
import { dividers } from './dividers.ts';
import { dwHdmi, dwHdmiGx } from './dw-hdmi.ts';
import { dwmac, sun8iEmac } from './dwmac.ts';
import { exynosCmu } from './exynos-cmu.ts';
import { exynosMct } from './exynos-mct.ts';
import { fslMc } from './fsl-mc.ts';
import { amlogicThermal, exynosChipId, exynosTrng, hi655x, mtkLvts } from './fused.ts';
import { geni } from './geni.ts';
import { hi3660Mailbox } from './hi3660-mailbox.ts';
import {
  i2cBcm2835,
  i2cDesignware,
  i2cImx,
  i2cMeson,
  i2cMt65xx,
  i2cMv64xxx,
  i2cOmap,
  i2cRk3x,
  i2cTegra,
  i2cVf610,
} from './i2c.ts';
import { brcmPcie, caamJobRing, dwc2, dwcMmc, imx8mpPlls, imxDdrc, imxGpc, timerFrame } from './identities.ts';
import { maliMidgard, maliUtgard, rockchipIommu } from './mali.ts';
import { a3700Utmi, armadaThermal, cp110Comphy, cp110Icu, orionMdio, rwtmMailbox, safexcel } from './marvell.ts';
import { mtkPwrap } from './mtk-pwrap.ts';
import { mtkScpsys } from './mtk-scpsys.ts';
import { optee } from './optee.ts';
import { pciEcam } from './pci.ts';
import { psci } from './psci.ts';
import { soundwire, vaMacro } from './qcom-audio.ts';
import { qcomRpm } from './qcom-rpm.ts';
import { scmModel } from './qcom-scm.ts';
import { cpufreqHw, dsi, llcc, mdss, qce, qup, qusb2, sdhci, tsens, ufs } from './qcom-soc.ts';
import { qoriqClockgen } from './qoriq-clockgen.ts';
import { raspberryPiClocks, raspberryPiMailbox, raspberryPiPower, v3d } from './raspberry-pi.ts';
import { rockchipHighMask } from './rockchip.ts';
import { rpmhRscModel } from './rpmh-rsc.ts';
import { scmiMailbox, scmiSmc } from './scmi.ts';
import { scpi } from './scpi.ts';
import { sdhciHost } from './sdhci.ts';
import { smemModel } from './smem.ts';
import { smmuV3 } from './smmu-v3.ts';
import { smmuModel } from './smmu500.ts';
import {
  cadenceQuadspi,
  fslDspi,
  fslQuadspi,
  nxpFspi,
  qcomQspi,
  rockchipSfc,
  spiMt65xx,
  spiRockchip,
  spiSun6i,
} from './spi.ts';
import { spmiArbiter } from './spmi-arbiter.ts';
import { sunxiCcu, sunxiMmc } from './sunxi.ts';
import { sunxiRsb } from './sunxi-rsb.ts';
import { sdhciTegra, tegraCar, tegraGpio, tegraMisc, tegraPmc } from './tegra.ts';
import { k3ChipId, k3Cpsw, k3Dma, k3Dss, k3Udma } from './ti-k3.ts';
import { tiSci } from './ti-sci.ts';
import { dwc3, ehci, mtkUsb, ohci, xhci } from './usb-hosts.ts';
import { vexpressSysreg } from './vexpress.ts';
import { xgeneMemory } from './xgene.ts';
import { zynqmpFirmware } from './zynqmp.ts';

/** Every model of a real board's devices; a node may have more than one. A new one is a line here. */
const MODELS: readonly DeviceModel[] = [
  a3700Utmi,
  ambaIds,
  amlogicThermal,
  aossQmpModel,
  armadaThermal,
  bamModel,
  brcmPcie,
  caamJobRing,
  cadenceQuadspi,
  cmdDbModel,
  cp110Comphy,
  cp110Icu,
  cpufreqHw,
  dsi,
  dwHdmi,
  dwHdmiGx,
  dwmac,
  dwc2,
  ...dividers,
  dwc3,
  dwcMmc,
  ehci,
  exynosChipId,
  exynosCmu,
  exynosMct,
  exynosTrng,
  fslDspi,
  fslMc,
  fslQuadspi,
  geni,
  hi3660Mailbox,
  hi655x,
  i2cBcm2835,
  i2cDesignware,
  i2cImx,
  i2cMeson,
  i2cMt65xx,
  i2cMv64xxx,
  i2cOmap,
  i2cRk3x,
  imx8mpPlls,
  imxDdrc,
  imxGpc,
  k3ChipId,
  k3Cpsw,
  k3Dma,
  k3Dss,
  k3Udma,
  i2cTegra,
  i2cVf610,
  llcc,
  maliMidgard,
  maliUtgard,
  mdss,
  mesonSecureMonitor,
  mesonUsb3Phy,
  mtkLvts,
  mtkPwrap,
  mtkScpsys,
  mtkUsb,
  nxpFspi,
  ohci,
  optee,
  orionMdio,
  pciEcam,
  psci,
  qce,
  qoriqClockgen,
  qcomQspi,
  qcomRpm,
  qup,
  qusb2,
  raspberryPiClocks,
  raspberryPiMailbox,
  raspberryPiPower,
  rockchipHighMask,
  rockchipIommu,
  rockchipSfc,
  rpmhRscModel,
  rwtmMailbox,
  safexcel,
  scmModel,
  scmiMailbox,
  scmiSmc,
  scpi,
  sdhci,
  sdhciHost,
  sdhciTegra,
  smemModel,
  smmuModel,
  smmuV3,
  soundwire,
  spiMt65xx,
  spiRockchip,
  spiSun6i,
  spmiArbiter,
  sun8iEmac,
  sunxiCcu,
  sunxiMmc,
  sunxiRsb,
  tegraCar,
  tegraGpio,
  tegraMisc,
  tegraPmc,
  tiSci,
  timerFrame,
  tsens,
  ufs,
  v3d,
  vaMacro,
  vexpressSysreg,
  xgeneMemory,
  xhci,
  zynqmpFirmware,
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

/** A bank has nothing to wait for: gpiolib asks it for the direction of each line, with one instruction. */
function isGpioBank(node: TreeNode): boolean {
  const nodes = node.name.startsWith('pinctrl@') ? [node, ...node.children] : [node];
  return nodes.some(({ properties }) => properties.has('gpio-controller'));
}

/** An invented temperature shuts the board down: an i.MX8MQ did, and an MT8195 by an ADC behind its zone. */
function isThermometer(device: BoardDevice): boolean {
  return (
    device.node.properties.has('#thermal-sensor-cells') ||
    device.others('generic-adc-thermal').some((zone) => zone.supplier('io-channels')?.path === device.path)
  );
}

/** What the models of a tree's enabled devices answer. Pure. */
export function modelBoard(tree: DeviceTree): ModelledBoard {
  const answers = new Answers();
  const nodes: ModelledNode[] = [];
  for (const device of devicesOf(tree).values()) {
    const models = MODELS.filter(({ compatible }) =>
      device.compatible.some((name) =>
        compatible instanceof RegExp ? compatible.test(name) : compatible.includes(name),
      ),
    );
    for (const model of models) model.model(device, answers);
    if (isThermometer(device) || isGpioBank(device.node)) for (const range of device.ranges) answers.neverBreak(range);
    if (models.length > 0) nodes.push({ path: device.path, models });
  }
  return { models: answers.models, nodes };
}

/** The enabled nodes of a tree, with their registers; those of memory that is reserved are there too. */
function devicesOf(tree: DeviceTree): ReadonlyMap<string, BoardDevice> {
  const ranges = new Map(registersOf(tree).map((place) => [place.path, place.ranges]));
  const found = new Map<string, BoardDevice>();
  const visit = (node: TreeNode, path: string, parent: TreeNode): void => {
    if (!isEnabled(node)) return;
    const reserved = path.startsWith('/reserved-memory/') ? node.properties.get('reg') : undefined;
    const own =
      reserved === undefined
        ? (ranges.get(path) ?? partOf(node, parent, ranges.get(parentPath(path))))
        : entriesOf(reserved, cellCounts(parent));
    found.set(path, new BoardDevice(tree, path, node, own, found));
    for (const child of node.children) visit(child, joinPath(path, child.name), node);
  };
  visit(tree.root, '/', tree.root);
  return found;
}

/** Registers of a part of a syscon, whose `reg` counts from that of its parent, which has no `ranges`. */
function partOf(node: TreeNode, parent: TreeNode, whole: readonly AddressRange[] | undefined): AddressRange[] {
  const counts = cellCounts(parent);
  const [first] = whole ?? [];
  const reg = node.properties.get('reg');
  if (first === undefined || reg === undefined || counts.size === 0) return [];
  return entriesOf(reg, counts)
    .filter(({ address, size }) => address + size <= first.size)
    .map(({ address, size }) => ({ address: first.address + address, size }));
}
