import { readCells, readStrings } from '../devicetree/values.ts';
import type { DeviceModel } from './device.ts';

/**
 * drivers/mailbox/ti-msgmgr.c (6.12), secure proxy: a thread has 4 KiB of each range; data, status and configuration.
 */
const THREAD = 0x1000;
const STATUS_COUNT = 1;
const CONFIG_CREDIT = 5;
const CONFIG_IS_SEND = 2 ** 31;

/** Threads of TI-SCI by the name of the mailbox in the tree: `mboxes = <&secure_proxy rx>, <&secure_proxy tx>`. */
function threadsOf(nodes: readonly { readonly names: readonly string[]; readonly mboxes: readonly number[] }[]) {
  const [node] = nodes;
  if (node === undefined) return null;
  const thread = (name: string) => node.mboxes[2 * node.names.indexOf(name) + 1];
  const [rx, tx] = [thread('rx'), thread('tx')];
  return rx === undefined || tx === undefined ? null : { rx, tx };
}

export const tiSci: DeviceModel = {
  compatible: ['ti,am654-secure-proxy'],
  reads: 'drivers/mailbox/ti-msgmgr.c, ti_msgmgr_send_data(); drivers/firmware/ti_sci.c, ti_sci_probe() (6.12)',
  model(device, answers) {
    const clients = device.clients('mboxes').map((node) => ({
      names: readStrings(node.properties.get('mbox-names') ?? new Uint8Array()) ?? [],
      mboxes: readCells(node.properties.get('mboxes') ?? new Uint8Array()) ?? [],
    }));
    const threads = threadsOf(clients.filter(({ names }) => names.includes('rx') && names.includes('tx')));
    const data = device.range('target_data');
    const status = device.range('rt');
    const config = device.range('scfg');
    if (threads === null || data === null || status === null || config === null) return;
    const { rx, tx } = threads;
    const interruptNames = readStrings(device.node.properties.get('interrupt-names') ?? new Uint8Array()) ?? [];
    const interrupt = device.interrupt(Math.max(0, interruptNames.indexOf(`rx_${String(rx).padStart(3, '0')}`)));
    answers.word(config.address + THREAD * tx, CONFIG_IS_SEND);
    answers.word(status.address + THREAD * tx, CONFIG_CREDIT);
    answers.behaviour({
      behaviour: 'ti-sci',
      address: data.address + THREAD * tx,
      size: 0x40,
      interrupts: [interrupt],
      parameters: [data.address + THREAD * rx, status.address + THREAD * rx],
    });
    // The last word that is read takes the message out.
    answers.rule({
      rule: 'on-read',
      at: data.address + THREAD * rx + 0x3c,
      to: status.address + THREAD * rx,
      set: 0,
      clear: STATUS_COUNT,
    });
  },
};
