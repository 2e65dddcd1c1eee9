import { type TreeNode, walk } from '../devicetree/tree.ts';
import { cellProperty, cellsOf, stringsOf } from '../devicetree/values.ts';
import { type Answers, type DeviceModel, hasCompatible } from './device.ts';

/** Calls of the platform management firmware: `PM_SIP_SVC` and `enum pm_api_id` of linux/firmware/xlnx-zynqmp.h. */
const SIP = 0xc200_0000;
const API_VERSION = 1;
const CHIP_ID = 24;
const QUERY = 35;
const FEATURE_CHECK = 63;
const TRUSTZONE_VERSION = 0xa03;
const LAST_API = 64;
const VERSION_1_1 = 0x1_0001;
const VERSION_1_0 = 0x1_0000;
/** ZU9EG: the part of the ZCU102. */
const IDCODE = 0x0473_8093;
const NO_FEATURE = 19;

/** Calls of the mailbox, `SMC_IPI_MAILBOX_OPEN` to `SMC_IPI_MAILBOX_DISABLE_IRQ` of zynqmp-ipi-mailbox.c. */
const IPI = 0x8200_1000;
const IPI_CALLS = 7;

/** `enum pm_query_id`. */
const QUERIES = {
  clockName: 1,
  topology: 2,
  parents: 4,
  attributes: 5,
  pins: 6,
  functions: 7,
  functionGroups: 8,
  functionName: 9,
  groupsOfFunction: 10,
  groupsOfPin: 11,
  clocks: 12,
} as const;

/** Of drivers/clk/zynqmp/clkc.c: a clock is valid, comes from outside; it is a gate behind one from outside. */
const VALID = 1;
const EXTERNAL = 4;
const GATE = 6;
const EXTERNAL_PARENT = 5 << 16;
const NONE = 0xffff_ffff;
const REFERENCE = 'pss_ref_clk';

/** MIO pins, and how many groups an answer has (drivers/pinctrl/pinctrl-zynqmp.c). */
const PINS = 78;
const GROUPS_EACH = 6;
const NO_GROUP = 0xffff;

/** A name as 32-bit words, of which an answer has so many. */
function wordsOf(name: string, count: number): number[] {
  const bytes = new Uint8Array(4 * count);
  bytes.set(new TextEncoder().encode(name).subarray(0, bytes.length - 1));
  const view = new DataView(bytes.buffer);
  return Array.from({ length: count }, (_, n) => view.getUint32(4 * n, true));
}

/** One more than the highest clock that the tree asks for. */
function clockCount(root: TreeNode, clocks: TreeNode | undefined): number {
  const phandle = clocks === undefined ? null : cellProperty(clocks, 'phandle');
  if (phandle === null) return 0;
  const numbers = [...walk(root)].flatMap(({ node }) =>
    ['clocks', 'assigned-clocks'].flatMap((name) => {
      const cells = cellsOf(node, name);
      return cells.flatMap((cell, at) => (cell === phandle ? [cells[at + 1] ?? 0] : []));
    }),
  );
  return Math.min(CLOCKS_MAX, 1 + Math.max(-1, ...numbers));
}
const CLOCKS_MAX = 256;
const GROUPS_MAX = 128;

/** Functions of the pins, and how many groups of each the tree speaks of: "uart0_18_grp" is the nineteenth. */
function functionsOf(pins: TreeNode | undefined): Map<string, number> {
  const found = new Map<string, number>();
  for (const { node } of pins === undefined ? [] : walk(pins))
    for (const group of stringsOf(node, 'groups')) {
      const [, name = '', number = ''] = /^(.*)_(\d+)_grp$/.exec(group) ?? [];
      if (name !== '' && Number(number) < GROUPS_MAX)
        found.set(name, Math.max(found.get(name) ?? 0, Number(number) + 1));
    }
  return found;
}

const queryOf = (answers: Answers) => (asked: readonly (number | null)[], words: readonly number[]) =>
  answers.callAsked(SIP + QUERY, asked, words);

function answerClocks(count: number, answers: Answers): void {
  const query = queryOf(answers);
  query([QUERIES.clocks], [0, count === 0 ? 0 : count + 1]);
  // Boards have fixed clocks called clk26 and the like. The one behind those of the tree is what all come from.
  for (let clock = 0; clock < count; clock++) query([QUERIES.clockName, clock], wordsOf(`pm-clk${clock}`, 4));
  query([QUERIES.clockName, count], wordsOf(REFERENCE, 4));
  query([QUERIES.attributes, count], [0, VALID | EXTERNAL]);
  query([QUERIES.attributes], [0, VALID]);
  query([QUERIES.topology], [0, GATE, 0, 0]);
  query([QUERIES.parents], [0, EXTERNAL_PARENT | count, NONE, NONE]);
}

function answerPins(functions: ReadonlyMap<string, number>, answers: Answers): void {
  const query = queryOf(answers);
  query([QUERIES.pins], [0, PINS]);
  query([QUERIES.groupsOfPin], [0, NONE, NONE, NONE]);
  query([QUERIES.functions], [0, functions.size]);
  let first = 0;
  [...functions].forEach(([name, count], number) => {
    query([QUERIES.functionName, number], wordsOf(name, 4));
    query([QUERIES.functionGroups, number], [0, count]);
    for (let at = 0; at < count; at += GROUPS_EACH) {
      const group = (n: number) => (at + n < count ? first + at + n : NO_GROUP);
      const pair = (n: number) => (group(n) + group(n + 1) * 2 ** 16) >>> 0;
      query([QUERIES.groupsOfFunction, number, at], [0, pair(0), pair(2), pair(4)]);
    }
    first += count;
  });
}

/** The management firmware: it grants what is requested; its clocks are gates behind the reference, its pins free. */
export const zynqmpFirmware: DeviceModel = {
  compatible: ['xlnx,zynqmp-firmware'],
  reads:
    'drivers/firmware/xilinx/zynqmp.c, zynqmp_firmware_probe(), zynqmp_pm_query_data(); ' +
    'drivers/clk/zynqmp/clkc.c, zynqmp_get_clock_info(); drivers/pinctrl/pinctrl-zynqmp.c; ' +
    'drivers/mailbox/zynqmp-ipi-mailbox.c, zynqmp_ipi_startup() (6.12)',
  model({ root, node }, answers) {
    const children = [...walk(node)].map((placed) => placed.node);
    const of = (name: string) => children.find((child) => hasCompatible(child, name));
    answers.callAsked(SIP + API_VERSION, [], [0, VERSION_1_1]);
    answers.callAsked(SIP + CHIP_ID, [], [0, IDCODE]);
    answers.callAsked(SIP + FEATURE_CHECK, [], [0, 1]);
    answers.callAsked(SIP + TRUSTZONE_VERSION, [], [0, VERSION_1_0]);
    answerClocks(clockCount(root, of('xlnx,zynqmp-clk')), answers);
    answerPins(functionsOf(of('xlnx,zynqmp-pinctrl')), answers);
    answers.callAsked(SIP + QUERY, [], [NO_FEATURE]);
    for (let api = 2; api < LAST_API; api++) answers.callAsked(SIP + api, [], []);
    // No message is ever pending.
    for (let call = 0; call < IPI_CALLS; call++) answers.callAsked(IPI + call, [], [0]);
  },
};
