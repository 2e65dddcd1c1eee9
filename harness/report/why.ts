import { printable } from '../printable.ts';
import type { LeastTimeout, NoTimeout } from '../search/timeout.ts';
import type { Tried } from '../verdict/why-cell.ts';
import { isProvider } from '../verdict/why-guesses.ts';
import type { Root, RootCause, Waiting, Why } from '../verdict/why-roots.ts';
import type { TreeGuesses } from '../verdict/why-tree.ts';
import { count, groupBy } from './text.ts';

/** Devices that are listed below a root; the rest is counted. */
const LISTED = 20;

/** Likely roots that are named, and errors that are quoted. */
const LIKELY = 5;

/** deferred_devs_show(), drivers/base/dd.c; the log has them since 6.8 (deferred_probe_timeout_work_func()). */
const ASK_THE_KERNEL =
  'on the board, `cat /sys/kernel/debug/devices_deferred` has the reasons that drivers gave; a kernel before 6.8 ' +
  'does not print them';
/** really_probe() and device_links_check_suppliers() print them with pr_debug() and dev_dbg(). */
const ASK_THE_DRIVER_CORE =
  'boot with `dyndbg="file drivers/base/dd.c +p; file drivers/base/core.c +p" ignore_loglevel`: the driver core then ' +
  'prints every attempt, and what the driver says before it';
/**
 * __genpd_dev_pm_attach(), iommu_fwspec_init(), dt_to_map_one_config() and fwnode_mdiobus_phy_device_register(): nobody
 * else calls driver_deferred_probe_check_state().
 */
const TIMED_OUT =
  'the deferred probe timeout ended the wait for a power domain, an IOMMU or a pin controller, or that of a PHY on ' +
  'an MDIO bus for its interrupt (no others end so), which the log does not name';
const WENT_ON = 'went on without a supplier and may be bound';
const IOMMU = /iommu|smmu/;
/** A driver's name before its words (dev_err_probe()). */
const DRIVER = /^[\w.,-]+: /;
/** A node's path in a driver's words. */
const PATH = /(?:^|\s)\/[\w.,@-]+\/[\w.,@/-]+/;
/** A node's name, as the driver core prints it up to 6.2; a device's has the address first. */
const NODE = /^[A-Za-z][\w,-]*(?:@[\w,]+)?$/;
/** A driver that defers without a word leaves no trace in the log of a kernel before 6.8. */
const NOT_PROBED = 'no driver has probed it, as far as the log tells';
const STATUS = '`status` there: whether it is on';
const NO_SUCH_FILE = 'without the file its node is disabled, or what makes the device is missing';
/** Names that may stand in a command which somebody pastes. */
const PLAIN = /^[\w.,:@/+-]{1,256}$/;

/** A node's name alone, without an address, and not that of what has a driver of its own. */
const BARE = /^(?:\.{3}\/)?(?!.*(?:regulator|supply|vcc|vdd|clk|clock|power|domain|firmware|bus))[A-Za-z][\w,-]*$/;
const OF_A_PART =
  '  a node without an address is often a part of another (pins, ports), of which no device is made: then nothing ' +
  'ever binds it';

/** What is known besides the log. */
interface MoreOfWhy {
  readonly byTree: TreeGuesses | null;
  readonly tried: Tried | null;
  readonly ended: string | null;
  readonly timeout: LeastTimeout | NoTimeout | null;
}
const NO_MORE: MoreOfWhy = { byTree: null, tried: null, ended: null, timeout: null };

/** What `why` found, for the console: the roots first, each with who waits for it, then what the tree lets guess. */
export function formatWhy(found: Why, { byTree, tried, ended, timeout }: MoreOfWhy = NO_MORE): string {
  const lines: string[] = ended === null ? [] : [`The cell's boot ends in ${printable(ended)}`, ''];
  const shared = [...groupBy(found.roots, sharedCause).values()];
  lines.push(firstLine(found, shared, ended !== null));
  for (const roots of shared) lines.push('', ...rootLines(roots));
  if (found.unexplained.length > 0) {
    lines.push('', `Not bound, and the log does not say why: ${listed(found.unexplained)}`);
    const likely = found.likely.slice(0, LIKELY);
    // Of what is all that is left open, nothing is said by that.
    if (likely.length > 0 && found.unexplained.some((device) => !likely.includes(device)))
      lines.push(`  by their names others may wait for these, which is a guess: ${likely.map(printable).join(', ')}`);
  }
  if (
    found.unexplained.length > 0 ||
    found.roots.some(({ cause, evidence }) => cause.cause === 'silent' && evidence === null)
  )
    lines.push(...openLines(found));
  if (found.complaints.length > 0) lines.push(...complaintLines(found.complaints));
  if (found.settled.length > 0)
    lines.push(
      '',
      `Deferred earlier and no more in later lines, so bound or failed since: ${listed(found.settled)}`,
      '  a guess: lines may be missing, and a driver that speaks again may be deferred again without a word',
    );
  if (found.rootDevice !== null) lines.push('', ...rootDeviceLines(found.rootDevice));
  if (tried !== null) lines.push('', ...triedLines(tried));
  if (byTree !== null && byTree.open > 0) lines.push('', ...guessLines(byTree));
  if (timeout !== null) lines.push('', timeoutLine(timeout));
  return `${lines.join('\n')}\n`;
}

function timeoutLine(timeout: LeastTimeout | NoTimeout): string {
  if (timeout.seconds === null) {
    const why =
      timeout.ends === null
        ? 'the cell works with 1 already'
        : `a longer one does not help: with ${timeout.longest} too, ${printable(timeout.ends)}`;
    return `No least deferred_probe_timeout: ${why}`;
  }
  const late = timeout.late === null ? '' : `; late is ${printable(timeout.late)}`;
  return (
    `Least deferred_probe_timeout: ${timeout.seconds} (${timeout.ms.toLocaleString('en')} ms of virtual time ` +
    `are needed, ${timeout.tooShort} s are too short)${late}`
  );
}

/** How many devices are not bound, and of how many of them the reason is known. */
function firstLine(found: Why, shared: readonly (readonly Root[])[], hasEnded: boolean): string {
  const {
    unbound,
    open: { length: open },
    goneOn,
    unexplained,
    settled,
  } = found;
  const reasons = shared.filter((roots) => roots.some((root) => !goesOn(root) || root.waiting.length > 0)).length;
  const andGone = goneOn === 0 ? '' : `; of ${goneOn} more the log does not tell whether they are`;
  if (unbound === 0 && goneOn > 0)
    return `No device is said to be deferred or failed; ${count(goneOn, 'device')} ${WENT_ON}.`;
  if (unbound === 0 && unexplained.length > 0)
    return 'No device is said to be deferred or failed, but suppliers wait in sync_state() for some.';
  if (unbound === 0 && (settled.length > 0 || hasEnded))
    return 'Nothing is said to be deferred or failed at the end of the log.';
  if (unbound === 0) return 'Nothing is deferred or failed.';
  if (reasons === 0) return `${devicesNotBound(unbound)}, and the log gives no reason${andGone}.`;
  if (open === 0) return `${devicesNotBound(unbound)}, for ${count(reasons, 'reason')}${andGone}:`;
  return (
    `${devicesNotBound(unbound)}: ${unbound - open} for ${count(reasons, 'reason')}, ` +
    `and ${open} of which the log does not say why${andGone}:`
  );
}

/** What a driver defers for; pin_request(), drivers/pinctrl/pinmux.c, speaks for the pin controller, not for it. */
function inWords(call: string): string {
  const isPin = call.includes('; cannot claim for ');
  return isPin ? `, as the pin controller refuses it a pin: ${call}` : `: ${call}`;
}

function goesOn({ cause }: Root): boolean {
  return cause.cause === 'timed-out' && cause.goesOn;
}

function devicesNotBound(number: number): string {
  return number === 1 ? '1 device is not bound' : `${number} devices are not bound`;
}

/**
 * Roots that are told together: what nobody waits for and of which the same is known, what is deferred in the same
 * words, what lacks the same module, and what may lack the same as its wait timed out.
 */
function sharedCause({ name, cause, evidence, waiting }: Root): string {
  if (cause.cause === 'timed-out') return `${causeText(cause)}\n${evidence ?? ''}`;
  if (cause.cause === 'silent') return `${cause.cause}\n${evidence ?? ''}`;
  if (cause.cause === 'own-deferral' && cause.call !== null) return `${cause.cause}\n${cause.call}`;
  if (cause.cause === 'module-not-loaded') return causeText(cause);
  return waiting.length === 0 ? `${causeText(cause)}\n${evidence ?? ''}` : name;
}

function rootLines(roots: readonly Root[]): string[] {
  const [first] = roots;
  if (first === undefined) return [];
  const { cause, evidence, line } = first;
  const names = new Set(roots.map(({ name }) => name));
  const drivers = new Set(
    roots.flatMap((root) => (root.cause.cause === 'own-deferral' ? (root.cause.driver ?? []) : [])),
  );
  const place = line === null || line === 0 ? '' : ` (line ${line})`;
  const head =
    cause.cause === 'own-deferral' && drivers.size > 1
      ? `${[...drivers].join(', ')} defer them: ${cause.call ?? ''}`
      : causeText(cause);
  const quoted = evidence !== null && !head.includes(evidence.replace(DRIVER, ''));
  const lines = [`${listed([...names])}: ${printable(head)}${quoted ? '' : place}`];
  if (quoted && SAID_BEFORE.has(cause.cause)) lines.push(`  it said before: ${printable(evidence)}${place}`);
  else if (quoted) lines.push(`  ${line === null ? 'seen in the boot' : 'the log'}${place}: ${printable(evidence)}`);
  if (cause.cause === 'never-probed' && roots.some(({ name }) => BARE.test(name))) lines.push(OF_A_PART);
  const waiting = roots.flatMap((root) => root.waiting.map((one) => ({ ...one, root: root.name })));
  lines.push(...guessesOf(roots));
  for (const [known, words] of WAITING) {
    const those = waiting.filter((one) => one.known === known);
    // Which of them a device waits for, a boot does not tell.
    const via = those.map((one) => viaText(one, known === 'boot' || (one.for === one.root && names.size === 1)));
    if (via.length > 0) lines.push(`  waiting${words}: ${listed(via)}`);
  }
  const next = nextStep(first);
  if (next !== null) lines.push(`  next: ${next}`);
  return lines;
}

/** Causes whose evidence is what the driver said before. */
const SAID_BEFORE: ReadonlySet<string> = new Set<RootCause['cause']>([
  ...(['failed', 'bind-failed', 'silent', 'spoken-of', 'own-deferral'] as const),
]);

/** What drivers of other devices said; where many said something it tells nothing. */
function complaintLines(complaints: Why['complaints']): string[] {
  if (complaints.length > 2 * LIKELY) return [];
  const rest = complaints.length - LIKELY;
  return [
    '',
    'Other drivers report errors, of which one may be the cause of what the log leaves open:',
    ...complaints.slice(0, LIKELY).map(({ device, driver, words, line }) => {
      const who = driver === null ? '' : ` (${printable(driver)})`;
      return `  ${printable(device)}${who}: ${printable(words)} (line ${line})`;
    }),
    ...(rest > 0 ? [`  and of ${rest} more`] : []),
  ];
}

/** How it is known that devices wait. */
const WAITING: readonly (readonly [known: Waiting['known'], words: string])[] = [
  ['log', ''],
  ['tree', ', as the device tree links them'],
  ['boot', ', as they bind once it is loaded; the device tree does not link them'],
];

function viaText({ device, for: supplier, properties }: Waiting, isRoot: boolean): string {
  const words = [...(isRoot ? [] : [`for ${supplier}`]), ...(properties.length === 0 ? [] : [properties.join(' ')])];
  return words.length === 0 ? device : `${device} (${words.join(', ')})`;
}

/** What another boot says of the modules that are missing. */
function triedLines({ modules, left, late, failed }: Tried): string[] {
  const names = modules.map(({ module }) => module);
  if (failed !== null)
    return [
      `A boot that loads ${listed(names)} after the plan does not tell whether that helps (${printable(failed)}): ` +
        'what waits for them is a guess.',
    ];
  const helped = modules.filter(({ bound }) => bound.length > 0);
  const more = [
    ...modules.flatMap(({ module, refused }) =>
      refused === null ? [] : [`  ${printable(module)} could not be loaded: ${printable(refused)}`],
    ),
    ...(late.length === 0 ? [] : [`  bound without any module, given more time: ${listed(late)}`]),
  ];
  if (modules.every(({ refused }) => refused !== null) && late.length === 0)
    return ['In a boot that goes on after the plan:', ...more];
  if (helped.length === 0 && late.length === 0)
    return [`In a boot that loads ${listed(names)} after the plan, none of these devices is bound either.`, ...more];
  return [
    `In a boot that loads ${names.length === 1 ? 'it' : 'these'} after the plan:`,
    ...helped.map(({ module, bound }) => `  ${printable(module)}: then bound: ${listed(bound)}`),
    ...more,
    left.length === 0 ? '  none of these devices is left' : `  still not bound: ${listed(left)}`,
  ];
}

/** What the words of a root mean; where that is a guess it is called one. */
function guessesOf(roots: readonly Root[]): string[] {
  const [first] = roots;
  const cause = first?.cause;
  if (cause?.cause === 'timed-out') {
    const perhaps = new Set(roots.flatMap((root) => (root.cause.cause === 'timed-out' ? root.cause.perhaps : [])));
    return [
      ...(roots.some(({ name }) => IOMMU.test(name))
        ? ['  as there are IOMMUs among them, a power domain is the likeliest: a guess']
        : []),
      ...(perhaps.size > 0 ? [perhapsLine([...perhaps])] : []),
    ];
  }
  if (cause?.cause !== 'own-deferral' || cause.wants === null) return [];
  const named = PATH.test(cause.call ?? '') ? '' : ', which the log does not name';
  const lines = [`  by these words it waits for ${cause.wants}${named}`];
  const all = roots.flatMap(({ cause: own }) => (own.cause === 'own-deferral' ? [own] : []));
  const perhaps = new Set(all.flatMap((own) => own.perhaps));
  if (perhaps.size > 0) lines.push(perhapsLine([...perhaps]));
  const circle = all.flatMap((own) => own.circle);
  if (circle.length > 0)
    lines.push(
      `  as ${listed(circle)} may be what it waits for, they may wait for each other, or for a node of which no ` +
        'device is made: a guess, which a boot with `fw_devlink=permissive` shows',
    );
  return lines;
}

function perhapsLine(names: readonly string[]): string {
  return `  perhaps for ${listed(names)}: not bound either, and a guess by the name`;
}

/** The path in the log's words of the node that a device has its name from; null where they have none. */
function pathIn(evidence: string | null, device: string): string | null {
  const [name = '', ...below] = device.split('.').slice(1).join('.').split(':');
  const path = /\s(\/\S+?)[,;]?(?:\s|$)/.exec(evidence ?? '')?.[1]?.split('/') ?? [];
  const at = path.findIndex((node) => name !== '' && node.startsWith(`${name}@`));
  const isWhole = below.every((node, index) => path[at + 1 + index] === node);
  return at === -1 || !isWhole ? null : path.slice(0, at + 1 + below.length).join('/');
}

/** What tells more about a root, or helps. */
function nextStep({ name, cause, evidence }: Root): string | null {
  switch (cause.cause) {
    case 'never-probed':
    case 'no-bus': {
      if (!PLAIN.test(name)) return null;
      const path = name.startsWith('/') ? name : pathIn(evidence, name);
      if (path !== null && PLAIN.test(path))
        return `\`cat /sys/firmware/devicetree/base${path}/compatible\`: which driver it needs; ${STATUS}`;
      const node = name.replace(/^\.\.\.\//, '');
      if (NODE.test(node))
        return `\`find /sys/firmware/devicetree/base -name '${node}'\`: its node, with its compatible`;
      return `\`cat /sys/bus/*/devices/${name}/uevent\`: its compatible; ${NO_SUCH_FILE}`;
    }
    case 'timed-out':
      return 'where a module that loads late provides it, boot with `deferred_probe_timeout=60`';
    default:
      return null;
  }
}

/** What may help with devices of which the log does not say why they wait. */
function openLines({ roots, reasonless }: Why): string[] {
  const lines: string[] = [];
  const failed = roots.filter(
    ({ name, cause }) => cause.cause === 'failed' && (isProvider(name) || isProvider(cause.driver ?? '')),
  );
  if (failed.length > 0 && failed.length <= LIKELY)
    lines.push(
      `  they may wait for what failed, which is a guess: ${failed.map(({ name }) => printable(name)).join(', ')}`,
    );
  return [...lines, `  next: ${reasonless ? ASK_THE_DRIVER_CORE : ASK_THE_KERNEL}`];
}

function rootDeviceLines({ name, perhaps }: NonNullable<Why['rootDevice']>): string[] {
  const what = name === null ? 'The root file system' : `The root device ${printable(name)}`;
  if (perhaps.length > 0)
    return [`${what} is not there; by their names it may be behind these, which are not bound: ${listed(perhaps)}`];
  return [
    `${what} is not there, and nothing that is deferred or failed looks like its controller`,
    '  next: see whether its module is in the initramfs, and whether root= is right',
  ];
}

function guessLines({ guesses, more, open, skipped, links, followed }: TreeGuesses): string[] {
  const lines = guesses.map(({ node, device, compatible, unbound, waiting, consumers, open: waits }) => {
    const what = compatible[0] === undefined ? '' : ` (${printable(compatible[0])})`;
    const name = printable(device ?? node);
    const why = unbound
      ? 'not bound itself'
      : `${waits} of the ${consumers} devices that need it wait for what the log does not name, ` +
        'and it is not among them';
    return `  ${name}${what}: ${why}; waiting: ${listed(waiting)}`;
  });
  if (lines.length === 0) lines.push('The device tree has no supplier that explains what the log leaves open.');
  else lines.unshift('By the device tree, which is a guess, these are waited for:');
  if (more) lines.push('  and others');
  if (skipped > 0)
    lines.push(`${skipped} of the ${open} devices that the log leaves open were not looked up in the tree.`);
  if (followed < links)
    lines.push(
      `The tree has ${links} links between devices; the search stopped at ${followed} of them from each device, ` +
        `and at ${followed} suppliers.`,
    );
  return lines;
}

function listed(names: readonly string[]): string {
  const more = names.length > LISTED ? [`and ${names.length - LISTED} more`] : [];
  return [...names.slice(0, LISTED).map(printable), ...more].join(', ');
}

/** Why a root is not there, and what to do about it where that is known. */
function causeText(cause: RootCause): string {
  switch (cause.cause) {
    case 'never-probed':
      return `${NOT_PROBED}; the kernel may have none, or its module may not be loaded`;
    case 'no-bus':
      return `${NOT_PROBED}, which has no word of its bus ${cause.bus} either`;
    case 'no-driver':
      return `the kernel has no driver for it (compatible ${cause.compatible.join(', ')})`;
    case 'module-not-loaded':
      return `its driver is a module that is not loaded: load ${cause.modules.join(' or ')}`;
    case 'half-merged-tree':
      return `the device tree is incomplete: ${cause.what}`;
    case 'node-disabled':
      return 'its node is disabled in the device tree';
    case 'part-of':
      return `a part by its name, perhaps of ${listed(cause.perhaps)}: not bound either, and a guess`;
    case 'no-part':
      return (
        `no driver has registered a ${cause.kind} of this name, as far as the log tells: its device is not bound, ` +
        'or has another name for it'
      );
    case 'silent':
      return 'deferred itself, without a reason in the log';
    case 'own-deferral':
      return `${cause.driver ?? 'its driver'} defers it${cause.call === null ? '' : inWords(cause.call)}`;
    case 'failed':
      if (cause.error === null) return `the probe of ${cause.driver ?? 'its driver'} failed`;
      return `the probe of ${cause.driver ?? 'its driver'} failed with error ${-cause.error}`;
    case 'spoken-of':
      return `it is not there although ${cause.driver} speaks of it; what became of its probe the log does not tell`;
    case 'bind-failed':
      return `it cannot be bound as a part of ${cause.whole}: error ${-cause.error}`;
    case 'unnamed-supplier':
      return 'it waits for a supplier of which the log does not have the name';
    case 'timed-out':
      return cause.goesOn ? `${TIMED_OUT}; no line says that its probe failed, so it may be bound` : TIMED_OUT;
    case 'cycle':
      return cause.relaxed
        ? `the kernel found that these need each other, and goes on without: that it waits for them is a guess: ` +
            cause.members.join(', ')
        : `they wait for each other: ${cause.members.join(', ')}`;
    case 'retry-loop':
      return `deferred ${cause.times} times: its own probe binds ${cause.rebound} again, which starts the next retry`;
    case 'not-returned':
      return `the probe of ${cause.driver ?? 'its driver'} has not returned`;
  }
}
