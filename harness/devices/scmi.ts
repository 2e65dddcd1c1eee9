import type { AddressRange } from '../devicetree/addresses.ts';
import { type TreeNode, walk } from '../devicetree/tree.ts';
import { cellProperty, cellsOf } from '../devicetree/values.ts';
import type { Answers, BoardDevice, DeviceModel } from './device.ts';
import { answerMessages } from './mhu.ts';

/** Protocols of SCMI (DEN 0056) that firmware/models/scmi.c knows; others of the tree are not offered. */
const FIRST_PROTOCOL = 0x10;
const POWER = 0x11;
const CLOCK = 0x14;
const RESET = 0x16;
const KNOWN = [FIRST_PROTOCOL, POWER, CLOCK, RESET];
const CHANNEL_STATUS = 0x04;
const CHANNEL_FREE = 1;

/** One more than the highest number with which a node of the tree asks a provider for something, or none. */
function countOf(root: TreeNode, provider: TreeNode | undefined, properties: readonly string[]): number {
  const phandle = provider === undefined ? null : cellProperty(provider, 'phandle');
  if (phandle === null) return 0;
  const numbers = [...walk(root)].flatMap(({ node }) =>
    properties.flatMap((name) => {
      const cells = cellsOf(node, name);
      return cells.flatMap((cell, at) => (cell === phandle ? [(cells[at + 1] ?? 0) + 1] : []));
    }),
  );
  return Math.min(NUMBERS_MAX, Math.max(0, ...numbers));
}
/** Three digits of a name. */
const NUMBERS_MAX = 999;

/** Parameters of firmware/models/scmi.c behind the first, up to the shared memory's address. */
function parametersOf(device: BoardDevice, answers: Answers, shared: AddressRange): number[] {
  const protocols = new Map(device.slaves.map(({ node, reg }) => [reg[0] ?? 0, node]));
  const { root } = device;
  answers.word(shared.address + CHANNEL_STATUS, CHANNEL_FREE);
  return [
    answers.store(),
    countOf(root, protocols.get(CLOCK), ['clocks', 'assigned-clocks', 'assigned-clock-parents']),
    countOf(root, protocols.get(RESET), ['resets']),
    countOf(root, protocols.get(POWER), ['power-domains']),
    KNOWN.reduce((bits, protocol) => bits + (protocols.has(protocol) ? 2 ** (protocol - FIRST_PROTOCOL) : 0), 0),
    shared.address,
  ];
}

export const scmiSmc: DeviceModel = {
  compatible: ['arm,scmi-smc'],
  reads: 'drivers/firmware/arm_scmi/smc.c, smc_send_message(); shmem.c, base.c, clock.c, reset.c, power.c (6.12)',
  model(device, answers) {
    const call = cellProperty(device.node, 'arm,smc-id');
    const shared = device.registersOf('shmem');
    if (call === null || shared === null) return;
    answers.behaviour({
      behaviour: 'scmi',
      ...shared,
      interrupts: [],
      parameters: [call, ...parametersOf(device, answers, shared)],
    });
  },
};

export const scmiMailbox: DeviceModel = {
  compatible: ['arm,scmi'],
  reads: 'drivers/firmware/arm_scmi/mailbox.c, mailbox_send_message(), rx_callback(); as by calls (6.12)',
  model(device, answers) {
    answerMessages(device, answers, 'scmi-doorbell', (shared, arrived) => [
      0,
      ...parametersOf(device, answers, shared),
      arrived,
    ]);
  },
};
