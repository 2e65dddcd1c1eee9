import { walk } from '../devicetree/tree.ts';
import { cellProperty } from '../devicetree/values.ts';
import type { DeviceModel } from './device.ts';

/** Bits of a power state in the original format (DEN 0022, CPU_SUSPEND): identifier, type, affinity level. */
const ORIGINAL_BITS = 0x0301_ffff;
/** Answer of PSCI_FEATURES for CPU_SUSPEND: OS initiated mode, extended state identifiers. */
const OS_INITIATED = 1 << 0;
const EXTENDED = 1 << 1;

/**
 * How CPUs suspend, so that the idle states of the tree are valid: power domains of CPUs are suppliers of other
 * devices.
 */
export const psci: DeviceModel = {
  compatible: ['arm,psci-1.0', 'arm,psci-0.2'],
  reads: 'drivers/firmware/psci/psci.c, psci_power_state_is_valid(), psci_init_cpu_suspend() (6.12)',
  model({ node, root }, answers) {
    const states = [...walk(root)].flatMap((placed) => cellProperty(placed.node, 'arm,psci-suspend-param') ?? []);
    const isExtended = states.some((state) => (state & ~ORIGINAL_BITS) !== 0);
    const hasDomains = node.children.some((child) => child.properties.has('#power-domain-cells'));
    answers.suspendFeatures((hasDomains ? OS_INITIATED : 0) | (isExtended ? EXTENDED : 0));
  },
};
