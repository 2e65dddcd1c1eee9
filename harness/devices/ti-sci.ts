import { type TreeNode, walk } from '../devicetree/tree.ts';
import { cellProperty, cellsOf, stringsOf } from '../devicetree/values.ts';
import { type Answers, type DeviceModel, hasCompatible } from './device.ts';
import { k3Resources } from './ti-resources.ts';

/**
 * drivers/mailbox/ti-msgmgr.c (6.12), secure proxy: a thread has 4 KiB of each range; data, status and configuration.
 */
const THREAD = 0x1000;
const STATUS_COUNT = 1;
const CONFIG_CREDIT = 5;
/** SPROXY_THREAD_CTRL_DIR_MASK, of a thread that receives; the first of these registers is one thread on. */
const CONFIG_RECEIVES = 2 ** 31;

/** Threads of TI-SCI by the name of the mailbox in the tree: `mboxes = <&secure_proxy rx>, <&secure_proxy tx>`. */
function threadsOf(nodes: readonly { readonly names: readonly string[]; readonly mboxes: readonly number[] }[]) {
  const [node] = nodes;
  if (node === undefined) return null;
  const thread = (name: string) => node.mboxes[2 * node.names.indexOf(name) + 1];
  const [rx, tx] = [thread('rx'), thread('tx')];
  return rx === undefined || tx === undefined ? null : { rx, tx };
}

/** The list of clocks in firmware/models/ti-sci.c: their number, and 32 bytes of each from there. */
const CLOCK_SIZE = 0x20;
/** Crystal of AM62 and AM64 boards (HFOSC0), and the watchdogs' clock. */
const REFERENCE_HERTZ = 25_000_000;
const WATCHDOG_HERTZ = 32_768;
/** References of a lane wrapper, of which its PHYs know few (drivers/phy/ti/phy-j721e-wiz.c, phy-cadence-torrent.c). */
const LANE_REFERENCE = /^(?:core|ext)\d?_ref\d?_clk$/;
const LANE_HERTZ = 100_000_000;
/** Of a clock that the tree says nothing else of. */
const OTHER_HERTZ = 200_000_000;

/** The driver takes one parent for none. */
const PARENTS_MIN = 2;

interface Clock {
  readonly device: number;
  readonly clock: number;
  parents: number;
  hertz: number;
}

/** Pairs of device and clock in a list of `<&k3_clks device clock>`; what belongs to other providers is passed over. */
function pairsOf(cells: readonly number[], provider: number): (readonly [number, number, number])[] {
  return cells.flatMap((cell, at) => {
    const [device, clock] = [cells[at + 1], cells[at + 2]];
    return cell === provider && device !== undefined && clock !== undefined ? [[at, device, clock] as const] : [];
  });
}

/** Clocks that the tree speaks of: how far their parents go, and the rates that their users cannot do without. */
function clocksOf(root: TreeNode): Clock[] {
  const found = new Map<string, Clock>();
  const nodes = [...walk(root)].map(({ node }) => node);
  const provider = nodes.find((node) => hasCompatible(node, 'ti,k2g-sci-clk'));
  const phandle = provider === undefined ? null : cellProperty(provider, 'phandle');
  if (phandle === null) return [];
  const clockAt = (device: number, clock: number): Clock => {
    const key = `${device}:${clock}`;
    const known = found.get(key) ?? { device, clock, parents: 1, hertz: OTHER_HERTZ };
    found.set(key, known);
    return known;
  };
  for (const node of nodes) {
    const cells = (name: string) => cellsOf(node, name);
    const names = stringsOf(node, 'clock-names');
    const isWatchdog = hasCompatible(node, 'ti,j7-rti-wdt');
    pairsOf(cells('clocks'), phandle).forEach(([, device, clock], n) => {
      const used = clockAt(device, clock);
      if (isWatchdog) used.hertz = WATCHDOG_HERTZ;
      else if (LANE_REFERENCE.test(names[n] ?? '')) used.hertz = LANE_HERTZ;
      else if (/^(?:ref|.*refclk)$/.test(names[n] ?? '')) used.hertz = REFERENCE_HERTZ;
    });
    const parents = pairsOf(cells('assigned-clock-parents'), phandle);
    pairsOf(cells('assigned-clocks'), phandle).forEach(([, device, clock], n) => {
      const parent = parents[n];
      if (parent === undefined || parent[1] !== device) return;
      const assigned = clockAt(device, clock);
      assigned.parents = Math.max(assigned.parents, parent[2] - clock, PARENTS_MIN);
    });
  }
  return [...found.values()];
}

/** Where the firmware's list of resources is, behind the clocks: their number, and so many words of each. */
const RESOURCES = 0x8000;
const RESOURCE_WORDS = 3;

function clockList(root: TreeNode, answers: Answers): number {
  const store = answers.store();
  const resources = k3Resources(root);
  answers.word(store + RESOURCES, resources.length);
  resources.forEach(({ device, kind, first, count }, n) => {
    const at = store + RESOURCES + 4 * (1 + RESOURCE_WORDS * n);
    [device * 2 ** 16 + kind, first, count].forEach((value, word) => {
      answers.word(at + 4 * word, value);
    });
  });
  const clocks = clocksOf(root);
  answers.word(store, clocks.length);
  clocks.forEach(({ device, clock, parents, hertz }, n) => {
    const at = store + CLOCK_SIZE * (n + 1);
    [device, clock, parents, clock + 1, hertz].forEach((value, word) => {
      answers.word(at + 4 * word, value);
    });
  });
  return store;
}

export const tiSci: DeviceModel = {
  compatible: ['ti,am654-secure-proxy'],
  reads: 'drivers/mailbox/ti-msgmgr.c, ti_msgmgr_send_data(); drivers/firmware/ti_sci.c, ti_sci_probe() (6.12)',
  model(device, answers) {
    const clients = device.clients('mboxes').map((node) => ({
      names: stringsOf(node, 'mbox-names'),
      mboxes: cellsOf(node, 'mboxes'),
    }));
    const threads = threadsOf(clients.filter(({ names }) => names.includes('rx') && names.includes('tx')));
    const data = device.range('target_data');
    const status = device.range('rt');
    const config = device.range('scfg');
    if (threads === null || data === null || status === null || config === null) return;
    const { rx, tx } = threads;
    const interruptNames = stringsOf(device.node, 'interrupt-names');
    const interrupt = device.interrupt(Math.max(0, interruptNames.indexOf(`rx_${String(rx).padStart(3, '0')}`)));
    answers.word(config.address + THREAD * (rx + 1), CONFIG_RECEIVES);
    answers.word(status.address + THREAD * tx, CONFIG_CREDIT);
    answers.behaviour({
      behaviour: 'ti-sci',
      address: data.address + THREAD * tx,
      size: 0x40,
      interrupts: [interrupt],
      parameters: [data.address + THREAD * rx, status.address + THREAD * rx, clockList(device.root, answers)],
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
