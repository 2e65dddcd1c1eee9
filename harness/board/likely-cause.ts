import { type DeviceTree, nodeAt } from '../devicetree/tree.ts';
import { stringsOf } from '../devicetree/values.ts';
import type { CensusDevice, DeviceEnd } from './census.ts';

/** ENOENT, or what _request_firmware() says of a file that nobody has (drivers/base/firmware_loader/main.c). */
const IS_MISSING = /^error -2\b|firmware: failed to load|Direct firmware load/;

/** Why a device came to another end here than `there`, on hardware. What the boot does not state is called a guess. */
export function causeOf(there: DeviceEnd, device: CensusDevice): string {
  const { end, missing, reason, answeredBy, answers } = device;
  if (end === 'no-driver')
    return missing.length > 0
      ? `no driver loaded here: ${missing.join(', ')}`
      : (reason ?? 'this kernel has no driver');
  if (end === 'deferred' && reason !== null) return `waits here: ${reason}`;
  if (end === 'bound')
    return there === 'deferred'
      ? 'a guess: its supplier came there after the log or not at all'
      : `a guess: the hardware answers otherwise, or the kernels differ${by(answeredBy, answers?.broken)}`;
  const said = reason === null ? '' : ` (${reason})`;
  if (reason !== null && IS_MISSING.test(reason))
    return `a guess: a firmware file or a clock, reset or the like of that name is missing${said}`;
  switch (answeredBy) {
    case 'broken polls':
      return `a guess: ${answers?.broken ?? 0} of its polls were broken${said}`;
    case 'plain memory':
      return `a guess: its registers are plain memory, a model is missing${said}`;
    case 'models':
      return `a guess: its model does not do enough, or a peer behind it is missing${said}`;
    case 'none':
      return `a guess: nothing answers behind its bus or firmware${said}`;
  }
}

/** SMMU_IDR2.PTFSv8_16kB as arm-smmu.c prints it, among the page sizes. */
const PAGES_OF_16K = 0x4000;

/** What setup_machine_fdt() prints (arch/arm64/kernel/setup.c): `model` of the tree. */
export const MACHINE = 'machine';

/** Boot loaders append a revision (`Raspberry Pi 4 Model B Rev 1.2`). */
export function isSameMachine(there: string, here: string): boolean {
  return there.startsWith(here) || here.startsWith(there);
}

/** Why hardware says of itself what it does not say here; null where it says the same. */
export function causeOfIdentity(
  { what, there, here }: { readonly what: string; readonly there: string | null; readonly here: string | null },
  device: CensusDevice | null,
  tree: DeviceTree,
): string | null {
  if (there === here) return null;
  if (there === null || here === null) {
    const whose = there === null ? 'the log' : 'the boot';
    return `a guess: the kernel of ${whose} does not print it, or its log is not whole`;
  }
  if (what === MACHINE)
    return isSameMachine(there, here) ? 'the boot loader fills in the rest' : 'another board or another revision of it';
  if (what === 'SPIs') return 'a guess: what the tree has a use for, where nothing else is known of the SoC';
  if (what === 'timer rate') return 'nothing is known of the SoC, or a guest with that rate would be too slow';
  const node = device === null ? undefined : nodeAt(tree.root, device.node);
  const compatible = stringsOf(node, 'compatible');
  if (what === 'page sizes' && compatible.includes('qcom,adreno-smmu') && (Number(there) & PAGES_OF_16K) !== 0)
    return 'the kernels differ: since 6.12 the driver leaves 16 KiB out here (qcom_adreno_smmuv2_cfg_probe())';
  switch (device?.answeredBy) {
    case 'models':
      return 'a guess: its model does not hold this value, or the kernels differ';
    case 'plain memory':
    case 'broken polls':
      return 'a guess: its registers are plain memory, which a model of it would fill';
    default:
      return 'a guess: nothing behind its bus holds this value, or the kernels differ';
  }
}

function by(answeredBy: CensusDevice['answeredBy'], broken: number | undefined): string {
  if (answeredBy === 'broken polls') return `; bound here on ${broken ?? 0} broken polls`;
  return answeredBy === 'plain memory' ? '; bound here on plain memory' : '';
}
