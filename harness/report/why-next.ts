import type { Words } from '../dmesg/complaints.ts';
import { OF_PIN_CONTROLLER, OF_PINS } from '../dmesg/pins.ts';
import { NO_IRQ } from '../dmesg/spoken.ts';
import { errnoOf } from '../model/errno.ts';
import { printable } from '../printable.ts';
import { oneOf } from '../regex.ts';
import { PINS_OF_GPIOS } from '../verdict/why-kinds.ts';
import type { Root } from '../verdict/why-roots.ts';
import { wantOf } from '../verdict/why-wants.ts';
import { listed } from './listed.ts';

/** What a person would do next about a root. */

/** A node's name, as the driver core prints it up to 6.2; a device's has the address first. */
const NODE = /^[A-Za-z][\w,-]*(?:@[\w,]+)?$/;
/** dt_to_map_one_config(), drivers/pinctrl/devicetree.c, looks for the controller among the nodes above a state's. */
const STATE_OF_PINS = /could not find pctldev for node (\/\S+)\/[^\s/@,]+,? deferring/;

/** Whether the state of pins that is asked for has no pin controller above it, by the nodes' names. */
export function isMisplaced(evidence: string | null): boolean {
  const above = STATE_OF_PINS.exec(evidence ?? '')?.[1];
  // Controllers have addresses, whatever they are called.
  return above !== undefined && !OF_PINS.test(above) && !above.includes('@');
}

/** Names that may stand in a command which somebody pastes. */
const PLAIN = /^[\w.,:@/+-]{1,256}$/;
const ENABLE = 'enable its driver in the kernel, or load its module';
const STATUS = '`status` there: whether it is on';
const NO_SUCH_FILE = 'without the file its node is disabled, or what makes the device is missing';
export const PERMISSIVE = 'boot with `fw_devlink=permissive`, with which the driver core holds nothing back for it';
/** driver_deferred_probe_check_state(), drivers/base/dd.c, 4.19 to 5.6 (25b4e70dcce9), and since (c8c43cee29f6). */
const BUILT_IN =
  'build the driver of what it waits for into the kernel: a module comes too late (before 5.7), or there are none ' +
  '(CONFIG_MODULES off)';
const DEVICES_DEFERRED = '`cat /sys/kernel/debug/devices_deferred` on the board';
/** really_probe() and device_links_check_suppliers() print them with pr_debug() and dev_dbg(). */
export const ASK_THE_DRIVER_CORE =
  'boot with `dyndbg="file drivers/base/dd.c +p; file drivers/base/core.c +p" ignore_loglevel`: the driver core then ' +
  'prints every attempt, and what the driver says before it';
/** dev_err_probe() keeps the reason since 5.9 (d090b70ede02); the log has it since 6.8. */
const [KEPT, PRINTED] = [5.09, 6.08];
const VERSION = /^(\d{1,2})\.(\d{1,2})/;
const HUNDREDTH = 100;

/**
 * Where the reasons are that drivers gave and the log does not have.
 * @param kernel its release; null where the log does not have it
 * @param stuck the board has no root file system, and no shell but that of its initramfs
 */
export function askTheKernel(kernel: string | null, stuck: { readonly shell: boolean } | null): string {
  if (stuck?.shell === false) return `${ASK_THE_DRIVER_CORE}; a kernel from 6.8 on prints the reasons without it`;
  const where = stuck === null ? 'on the board' : 'in the shell of the initramfs';
  const file = `${where}, \`cat /sys/kernel/debug/devices_deferred\` has the reasons that drivers gave`;
  const [, major, minor] = VERSION.exec(kernel ?? '') ?? [];
  if (major === undefined) return `${file} (from 5.9 on); a kernel before 6.8 does not print them`;
  const version = Number(major) + Number(minor) / HUNDREDTH;
  if (version < KEPT) return ASK_THE_DRIVER_CORE;
  return version < PRINTED ? `${file}, which ${major}.${minor} does not print` : file;
}

const ASK_FOR_REASON = `${DEVICES_DEFERRED}: the reason of its driver; where it has none, ${ASK_THE_DRIVER_CORE}`;

/** A file that a driver asks the firmware loader for (drivers/base/firmware_loader), by its name. */
const FIRMWARE = /(?:^|[\s'"])([\w./,-]{1,120}\.(?:bin|fw|mbn|mdt|elf|tplg|acdb|hex|hcd|img))(?=$|[\s'",;:)])/;
const NO_FIRMWARE = /firmware|\.(?:bin|fw|mbn|mdt|elf|tplg|acdb)\b/i;
/** Regulators of the root of the tree, as a rule `regulator-fixed`. */
const IS_FIXED = /^(?:\.{3}\/)?(?:regulator[-_]|reg[-_]|v(?:cc|dd|bus|sys)[\w-]*$)/;
/** So many suspects are named. */
const FEW = 4;
const TAKEN = /already requested by ([^\s;]{1,128})/;

const OF_PIN_GIVER =
  'see what its driver lacks: a supply of the pins (`*-supply` in its node), its clock or its GPIO chip';
const WHO_HAS_PINS =
  '`grep . /sys/kernel/debug/pinctrl/*/pinmux-pins` on the board: who has the pin; it may also be reserved';
const IS_PIN = /could not request pin|pin-\d/;

/** include/uapi/asm-generic/errno-base.h and errno.h; dev_err_probe() prints the names. */
const NAME = /-(E[A-Z]{2,12})\b/;
export const EPERM = 1;
const [ENOENT, EIO, ENXIO, ENOMEM, EACCES, EBUSY, EEXIST] = [2, 5, 6, 12, 13, 16, 17];
const [ENODEV, EINVAL, ECOMM, ENOTCONN, ETIMEDOUT, EREMOTEIO] = [19, 22, 70, 107, 110, 121];
const NOT_ALLOWED = 'the firmware of the system does not let Linux have it, or the hardware is locked';
const NO_ANSWER = 'nothing answers there: see its power supply, its reset and the address in its node';
/** platform_get_irq() returns -ENXIO for an interrupt that is not in the node, or that its controller refuses. */
const OF_IRQ = '`interrupts` in its node has to name one that its interrupt controller takes';
const LOOKED_FOR =
  'what its driver looks for is not there, in its node (see the binding) or in the hardware: see the lines before';
/** What drivers mean by the errors of their probes (include/uapi/asm-generic/errno.h). */
const MEANING: ReadonlyMap<number, string> = new Map([
  [ENOENT, LOOKED_FOR],
  [EPERM, `many a driver says -1 for any error: see the lines before in the log; else ${NOT_ALLOWED}`],
  [EACCES, NOT_ALLOWED],
  [EEXIST, 'what it registers is there already, under the same name'],
  [EIO, 'a transfer failed: see the lines before, its power supply, its reset and the address in its node'],
  [ENXIO, NO_ANSWER],
  [ENOMEM, 'see what the kernel says before of memory (CMA, reserved-memory)'],
  [EBUSY, 'something else has what it needs: an address, a GPIO or a pin'],
  [ENODEV, 'the driver does not find its hardware, or a part that it needs: see its power supply and its node'],
  [EINVAL, 'its driver does not accept what its node says, or lacks a property there: compare it with the binding'],
  [ETIMEDOUT, 'the hardware does not answer in time: see its clocks, its power supply and its reset'],
  [EREMOTEIO, NO_ANSWER],
  // Of I2C controllers of Qualcomm and of Allwinner in their vendors' kernels, where nobody acknowledges.
  [ENOTCONN, NO_ANSWER],
  [ECOMM, NO_ANSWER],
]);

/** What is looked up in files of the running kernel. */
const ON_THE_BOARD = /`[^`]{0,300}\/(?:sys|proc)\//;

/**
 * What tells more about roots that are told together, or helps; null where the log says all that there is to it.
 * @param said what drivers report of what the roots may wait for
 * @param stuck the board has no shell, or only that of its initramfs
 */
export function nextStep(
  roots: readonly Root[],
  said: readonly Words[],
  { stuck }: { readonly stuck: { readonly shell: boolean } | null },
): string | null {
  const step = stepOf(roots, said);
  if (step === null || stuck === null || !ON_THE_BOARD.test(step)) return step;
  const where = stuck.shell ? 'in the shell of the initramfs' : 'in a shell, which needs an initramfs that has one';
  return `${where}: ${step.replaceAll(' on the board', '')}`;
}

function stepOf(roots: readonly Root[], said: readonly Words[]): string | null {
  const [first] = roots;
  if (first === undefined) return null;
  const { name, cause, evidence } = first;
  const suspects = suspectsOf(roots);
  if (
    roots.length === 1 &&
    cause.cause === 'own-deferral' &&
    cause.mutual.length === suspects.length &&
    suspects.length > 0
  )
    return 'see whether one of the two drivers can register what it provides before it looks for the other';
  if (suspects.length > 0) return `find out first why ${listOf(suspects)} not bound`;
  if (said.length > 0)
    return `see first to what is said of ${listed(
      said.map(({ device }) => device),
      FEW,
    )}`;
  if (cause.cause === 'own-deferral' && cause.circle.length > 0) return PERMISSIVE;
  switch (cause.cause) {
    case 'never-probed':
      if (isMisplaced(evidence)) return 'see where the tree has the other pin states: below their pin controller';
      return whichDriver(name, evidence, cause.alike === null);
    case 'no-bus': {
      const driver = whichDriver(name, evidence, true);
      const bus = PLAIN.test(cause.bus)
        ? `\`ls -l /sys/bus/*/devices/${cause.bus}/driver\`: whether its bus is bound; then `
        : '';
      return driver === null ? null : `${bus}${driver}`;
    }
    case 'timed-out':
      if (cause.assumedNone) return BUILT_IN;
      return (
        'where a module that loads late provides it, load that earlier, build it in, or boot with ' +
        '`deferred_probe_timeout=60`; otherwise the kernel lacks its driver'
      );
    case 'own-deferral':
      if (cause.call === null && cause.whom !== 'it') return OF_PIN_GIVER;
      return aboutDeferral(name, cause.call ?? '');
    case 'failed':
      return aboutFailure(cause.positive ? null : cause.error, evidence, HAS_NO_NODE.test(name));
    case 'bind-failed':
      return aboutFailure(cause.error, evidence, HAS_NO_NODE.test(name));
    case 'no-pins':
      return WHO_HAS_PINS;
    case 'silent':
      if (evidence !== null) return aboutWords(evidence) ?? aboutFirmware(evidence);
      // What is said at the end is for what nobody waits for, too.
      return first.waiting.length === 0 ? null : ASK_FOR_REASON;
    case 'no-driver':
      return 'enable the driver that has this compatible in the kernel, or add one';
    case 'node-disabled':
      return 'set its `status` to "okay", where the board has it';
    case 'no-device':
      return 'see to what makes it, or correct the name in the watch list';
    case 'half-merged-tree':
      return 'mend the device tree, or the overlay that was to add it';
    case 'no-part':
      return `${ENABLE} (CONFIG_SND_SOC_...), or correct the name of the ${cause.kind} in the card's node or driver`;
    case 'spoken-of':
      return (
        aboutWords(evidence ?? '') ??
        (PLAIN.test(name) ? `\`ls -l /sys/bus/*/devices/${name}/driver\`: whether it is bound` : null)
      );
    case 'part-of':
      if (cause.part === 'pins') return `see whether the pin controller's driver is in the kernel; ${PERMISSIVE}`;
      if (cause.perhaps.length > 0) return `see why that is not bound; ${PERMISSIVE}`;
      return `see whether the driver of that device is in the kernel, or load its module${
        cause.part === 'NVMEM cell' ? ' (nvmem_...)' : ''
      }; ${PERMISSIVE}`;
    case 'own-parent':
      return PERMISSIVE;
    case 'cycle':
      return cause.relaxed ? null : PERMISSIVE;
    case 'unnamed-supplier':
      return `${DEVICES_DEFERRED}: the supplier's name`;
    case 'retry-loop':
      return 'its driver has to get all that it needs before it adds devices of its own';
    case 'not-returned':
      return '`echo w > /proc/sysrq-trigger` on the board: where the probe waits';
    case 'module-not-loaded':
      return null;
  }
}

/** What a driver returns for what its node says or lacks; ENOTCONN is that of an endpoint without its other end. */
export const OF_NODES: ReadonlySet<number> = new Set([ENOENT, EINVAL, ENODEV, ENOTCONN]);
const ENDPOINT = '`remote-endpoint`';

/** Cards, disks, and functions of USB and PCI: what a bus finds by itself has no node as a rule. */
const HAS_NO_NODE =
  /^mmc\d{1,3}:[0-9a-f]{4}$|^\d{1,3}-[\d.]{1,16}:\d{1,3}\.\d{1,3}$|^(?:\d{1,3}:){3}\d{1,3}$|^[0-9a-f]{4}:[0-9a-f]{2}:/;
const NOT_ACCEPTED = 'its driver does not accept what the hardware says of itself: see the lines before in the log';
/** irqchip_init() and timer_probe() (drivers/irqchip, drivers/clocksource) set them up before there are devices. */
const SET_UP_EARLY = /^(?:interrupt-controller|intc|gic|timer)(?:@|$)/;

/** By its node: which driver it needs. */
function whichDriver(name: string, evidence: string | null, mayLackDriver: boolean): string | null {
  if (!PLAIN.test(name)) return null;
  if (SET_UP_EARLY.test(name.slice(name.lastIndexOf('/') + 1)))
    return `it may be set up early, without a device that could ever be bound: ${PERMISSIVE}`;
  const path = name.startsWith('/') ? name : pathIn(evidence, name);
  if (!mayLackDriver && path !== null && PLAIN.test(path))
    return `\`cat /sys/firmware/devicetree/base${path}/status\`: whether it is on; then ${DEVICES_DEFERRED}`;
  const fixed = IS_FIXED.test(name) ? ' (of most such regulators it is CONFIG_REGULATOR_FIXED_VOLTAGE)' : '';
  const then = `which driver it needs: ${ENABLE}${fixed}; ${STATUS}`;
  if (path !== null && PLAIN.test(path)) return `\`cat /sys/firmware/devicetree/base${path}/compatible\`: ${then}`;
  const node = name.replace(/^\.\.\.\//, '');
  if (NODE.test(node))
    return `\`find /sys/firmware/devicetree/base -name '${node}'\`: its node, whose compatible says ${then}`;
  return `\`cat /sys/bus/*/devices/${name}/uevent\`: its compatible: ${ENABLE}; ${NO_SUCH_FILE}`;
}

/** The path in the log's words of the node that a device has its name from; null where they have none. */
function pathIn(evidence: string | null, device: string): string | null {
  const [name = '', ...below] = device.split('.').slice(1).join('.').split(':');
  const path = /\s(\/\S+?)[,;]?(?:\s|$)/.exec(evidence ?? '')?.[1]?.split('/') ?? [];
  const at = path.findIndex((node) => name !== '' && node.startsWith(`${name}@`));
  const isWhole = below.every((node, index) => path[at + 1 + index] === node);
  return at === -1 || !isWhole ? null : path.slice(0, at + 1 + below.length).join('/');
}

/** What is not bound and may be what the roots lack. */
export function suspectsOf(roots: readonly Root[]): string[] {
  const guessed = roots.flatMap(({ cause }) =>
    cause.cause === 'own-deferral' ||
    cause.cause === 'timed-out' ||
    cause.cause === 'silent' ||
    cause.cause === 'no-part'
      ? cause.perhaps
      : [],
  );
  return [...new Set(guessed)];
}

function listOf(names: readonly string[]): string {
  return `${listed(names, FEW)} ${names.length === 1 ? 'is' : 'are'}`;
}

function aboutDeferral(name: string, call: string): string | null {
  const words = aboutFirmware(call) ?? aboutWords(call);
  if (words !== null) return words;
  return PLAIN.test(name) ? `\`ls -d /sys/bus/*/devices/${name}/supplier:*\`: what it needs by its node` : null;
}

/** Where the node of a device says what is lacking by these words; null where they do not tell the kind. */
function aboutWords(words: string): string | null {
  const want = wantOf(words);
  if (want === null) return null;
  const where = want.named === null ? '' : `${want.named} in its node says which: `;
  return `${where}${want.help ?? `see whether that is bound; else ${ENABLE}`}`;
}

function aboutFirmware(words: string): string | null {
  if (!NO_FIRMWARE.test(words) || !/-2\b|-ENOENT|not found|missing|fail/i.test(words)) return null;
  const file = FIRMWARE.exec(words)?.[1] ?? 'the file';
  const where = 'into /lib/firmware, and into the initramfs where the driver is loaded before the root file system';
  return `put ${printable(file)} ${where}`;
}

/** Words of a driver about what its node says or lacks, and of hardware that it looks for. */
const OF_A_NODE = new RegExp(
  oneOf(
    /\b(?:dt|of|node|property|binding|device[- ]tree|phandle|endpoint|compatible)\b/,
    /\b(?:pars\w+|invalid|missing|names?|specified)\b/,
  ),
  'i',
);
const OF_HARDWARE = /found|detect|chip|\bids?\b|respon|answer|hardware|present|\bread|\bcommunicat/i;
/** Words of what firmware or locked hardware lets nobody have. */
const OF_THE_LOCKED = /clo?c?k|domain|power|access|permi|denied|secure|lock|firmware|\bs[cm]c|\bscm/i;
const OF_MEMORY = /memor|alloc|\bcma\b|buffer|\bmap(?:ping|ped)?\b/i;
/** Errors that drivers return for much else: a printed reason has to agree with the meaning. */
const AGREES: ReadonlyMap<number, RegExp> = new Map([
  [EPERM, OF_THE_LOCKED],
  [EACCES, OF_THE_LOCKED],
  [EINVAL, OF_A_NODE],
  [ENOMEM, OF_MEMORY],
  [ENODEV, OF_HARDWARE],
]);

/** What is set up or switched on is there, whatever came of that. */
const HAS_IT = /\b(?:init|power[ _-]?on|enable) fail|\bfail\w* to (?:init\w*|enable|power[ _-]?on|turn on)\b/i;

/** An error number in a driver's words: `(-6)`, `err=-6`, `failed: -6`. */
const INNER = /(?:[(=:]|\bret|\berr(?:or)?)\s?-(\d{1,3})(?![\w.])/i;

/** Of the first and the last words of a probe, the last where they have an error of their own: that ended it. */
function lastCause(words: string, error: number): string {
  const last = words.slice(words.lastIndexOf('; ') + 1);
  const own = INNER.exec(last)?.[1];
  return own === undefined || Number(own) === error ? words : last;
}

function aboutFailure(said: number | null, evidence: string | null, isFound: boolean): string | null {
  const words = evidence ?? '';
  const error = said ?? errnoOf(NAME.exec(words)?.[1] ?? '');
  const [, owner] = TAKEN.exec(words) ?? [];
  if (owner !== undefined) return `\`pinctrl-0\` of this node or of ${printable(owner)} has to be another one`;
  if (words.startsWith(OF_PIN_CONTROLLER))
    return IS_PIN.test(words) ? WHO_HAS_PINS : 'the pin controller has to be whole first: its gpio-ranges, its pins';
  if (words.startsWith('its node '))
    return 'mend the node: as many cells as the provider asks for, and no missing node';
  const firmware = aboutFirmware(words);
  if (firmware !== null || error === null) return firmware;
  if (words.split('; ').some((one) => NO_IRQ.test(one))) return OF_IRQ;
  const cause = lastCause(words, error);
  const want = OF_NODES.has(error) && !HAS_IT.test(cause) ? wantOf(cause) : null;
  if (want?.failed !== undefined && error === ENOENT) return want.failed;
  const isOfNode = error !== ENOTCONN || want?.named === ENDPOINT;
  if (want?.named != null && want !== PINS_OF_GPIOS && isOfNode)
    return `${want.named} in its node has to name ${want.noun}, and the right one`;
  if (isFound && error === EINVAL) return NOT_ACCEPTED;
  // What a driver was told says more than what it makes of it.
  const inner = Number(INNER.exec(cause)?.[1] ?? error);
  const told = MEANING.has(inner) ? inner : error;
  const agrees = AGREES.get(told);
  if (words !== '' && agrees?.test(words) === false) return null;
  return MEANING.get(told) ?? null;
}
