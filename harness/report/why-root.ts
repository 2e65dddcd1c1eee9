import type { Words } from '../dmesg/complaints.ts';
import { OF_PIN_CONTROLLER } from '../dmesg/pins.ts';
import { errnoName } from '../model/errno.ts';
import { printable } from '../printable.ts';
import type { BesideLog } from '../session/why-log.ts';
import { lackedBy } from '../verdict/why-guesses.ts';
import {
  isWordless,
  type PartOfDevice,
  type Root,
  type RootCause,
  type Waiting,
  type Why,
} from '../verdict/why-roots.ts';
import { wantOf } from '../verdict/why-wants.ts';
import { listed } from './listed.ts';
import { besideRoots, NAMES_IT } from './why-beside.ts';
import { EPERM, isMisplaced, nextStep, OF_NODES, suspectsOf } from './why-next.ts';

/**
 * __genpd_dev_pm_attach(), iommu_fwspec_init(), dt_to_map_one_config() and fwnode_mdiobus_phy_device_register(): nobody
 * else calls driver_deferred_probe_check_state().
 */
const NO_OTHERS =
  'a power domain, an IOMMU or a pin controller, or that of a PHY on an MDIO bus for its interrupt (no others end ' +
  'so), which the log does not name';
/** They have neither an IOMMU nor pins of their own, as a rule. */
const OF_NO_OTHER: readonly (readonly [name: RegExp, kinds: string])[] = [
  [/iommu|smmu/, 'IOMMUs'],
  [/pinctrl|pin-?controller/, 'pin controllers'],
  [/clock-?controller/, 'clock controllers'],
];
/** A driver's name before its words (dev_err_probe()). */
const DRIVER = /^[\w.,-]+: /;
/** A driver that defers without a word leaves no trace in the log of a kernel before 6.8. */
const NOT_PROBED = 'no driver has probed it, as far as the log tells';

/** A node's name alone, without an address, and not that of what has a driver of its own. */
const BARE = /^(?:\.{3}\/)?(?!.*(?:regulator|supply|vcc|vdd|clk|clock|power|domain|firmware|bus))[A-Za-z][\w,-]*$/;
const OF_A_PART =
  '  a node without an address is often a part of another (pins, ports), of which no device is made: then nothing ' +
  'ever binds it';

/** pinctrl_bind_pins(), drivers/base/pinctrl.c: it depends on the error. */
const NO_PINS = 'it has not got its pins, so deferred or failed, or probed without them';
const NOT_SAID = 'what the pin controller said the log does not have';

function becauseOf(call: string | null, evidence: string | null): string {
  if (call !== null) return inWords(call);
  return evidence === null ? ', and the log does not say why' : '';
}

/** What a driver defers for; pin_request(), drivers/pinctrl/pinmux.c, speaks for the pin controller, not for it. */
function inWords(call: string): string {
  const isPin = call.includes('; cannot claim for ');
  return isPin ? `, as the pin controller refuses it a pin: ${call}` : `: ${call}`;
}

/** Hardware is locked as a whole, such as what debugs; its drivers have a name in common: `coresight-`. */
const FAMILY = /^[a-z]{4,16}-/;

/**
 * Roots that are told together: what nobody waits for and of which the same is known, what is deferred in the same
 * words, what lacks the same module, and what may lack the same as its wait timed out.
 */
export function sharedCause({ name, cause, evidence, waiting }: Root): string {
  if (cause.cause === 'timed-out') return `${causeText(cause, evidence)}\n${evidence ?? ''}`;
  if (cause.cause === 'silent') return `${cause.cause}\n${evidence === null ? '' : withoutInstance(evidence)}`;
  if (isWordless({ cause, evidence })) return `${cause.cause}\n${waiting.length === 0 ? '' : driverOf(cause)}`;
  if (cause.cause === 'own-deferral' && cause.call !== null)
    return `${cause.cause}\n${cause.call.replaceAll(/\d+/g, '0')}`;
  if (cause.cause === 'module-not-loaded' || cause.cause === 'part-of') return causeText(cause);
  const family = cause.cause === 'failed' && cause.error === EPERM ? FAMILY.exec(cause.driver ?? '') : null;
  if (family !== null && evidence === null && waiting.length === 0) return `${cause.cause}\n${family[0]}`;
  if (cause.cause === 'failed' && evidence !== null && NAMES_NODE.test(evidence))
    return `${cause.cause}\n${cause.error ?? ''}\n${withoutOwnName(evidence, name)}`;
  const said = withoutOwnName(evidence ?? '', name).replaceAll(/\bCPU\d+/g, 'CPU');
  // What several parts of one device fail with in the same words has one cause, whoever waits for which of them.
  const whole = name.slice(0, Math.max(0, name.lastIndexOf(':')));
  if (waiting.length === 0) return `${causeText(cause)}\n${said}`;
  return cause.cause === 'failed' && evidence !== null && whole !== ''
    ? `${causeText(cause)}\n${said}\n${whole}`
    : name;
}

/** The driver of what it defers itself, as an empty text where that is not known. */
function driverOf(cause: RootCause): string {
  return cause.cause === 'own-deferral' ? (cause.driver ?? '') : '';
}

/** Shorter words have no more than what is done before the name of what is lacking. */
const LEAST_WORDS = 5;

/** Words without the last one, which may be the name of one of several things of a kind: `service channel fpga`. */
function withoutInstance(words: string): string {
  const all = words.split(' ');
  return all.length < LEAST_WORDS ? words : `${all.slice(0, -1).join(' ')}\n${wantOf(words)?.noun ?? ''}`;
}

/** A driver that names a node of its own in its words says the same of others. */
const NAMES_NODE = /\/[\w.,/-]*@[0-9a-f]+/;
const WITH_ADDRESS = /^([0-9a-f]{2,16})\.([\w-]+)$/;
/** An address in words, of a device whose name has it in another place. */
const AN_ADDRESS = /\b(?:0x)?([0-9a-f]{5,16})\b/g;
const NODE_AT_END = /([\w-]+)@([0-9a-f]+)$/;

/** Words of a driver without the device's name and the path of its node, whose address may be an offset in a bus. */
function withoutOwnName(words: string, device: string): string {
  const [, address = '', name] = WITH_ADDRESS.exec(device) ?? [];
  const others = words.replaceAll(device, '').replaceAll(/\/[\w.,@/-]{1,300}/g, (path) => {
    const [, node, offset = '?'] = NODE_AT_END.exec(path) ?? [];
    return node === name && address.endsWith(offset) ? '' : path;
  });
  return others.replaceAll(AN_ADDRESS, (text, own: string) => (device.includes(own) ? '' : text));
}

/** What is known besides roots that are told together. */
export interface AroundRoots {
  readonly beside: BesideLog | null;
  /** The kernel's release; null where the log does not have it. */
  readonly kernel: string | null;
  /** The board has no shell, or only that of its initramfs; null where nothing speaks against one. */
  readonly stuck: { readonly shell: boolean } | null;
  /** Devices whose probes failed. */
  readonly failed: ReadonlySet<string>;
  /** Failed I2C devices, each with one of that address on another bus that works. */
  readonly doubles: ReadonlyMap<string, string>;
  /** By device, roots that by a guess wait for it. */
  readonly guessed: ReadonlyMap<string, readonly string[]>;
  /** What others report that may be the cause of something. */
  readonly errors: Why['complaints'];
  /** Kinds of what roots lack, of which the log has no word. */
  readonly unheard: readonly string[];
}

/** 0 is no line. */
function placeOf(line: number | null): string {
  return line === null || line === 0 ? '' : ` (line ${line})`;
}

/** A line of probes that failed alike, for which nothing waits. */
export function briefLines(roots: readonly Root[], { doubles }: Pick<AroundRoots, 'doubles'>): string[] {
  const [first] = roots;
  if (first === undefined) return [];
  const { cause, evidence, line, wordsLine } = first;
  const place = placeOf(wordsLine ?? line);
  const drivers = new Set(roots.flatMap((root) => (root.cause.cause === 'failed' ? (root.cause.driver ?? []) : [])));
  const who = drivers.size === 0 ? '' : ` (${listed([...drivers])})`;
  const error = cause.cause === 'failed' || cause.cause === 'bind-failed' ? errorText(cause) : '';
  const said = evidence === null ? '' : `${error === '' ? '' : ', '}it said before: ${printable(evidence)}`;
  const what = error === '' && said === '' ? 'failed' : `${error.replace(/^ with /, '')}${said}`;
  const double = doubleText(roots, doubles);
  const also = double === null ? '' : `; ${double}`;
  return [`  ${listed(roots.map(({ name }) => name))}${who}: ${what}${place}${also}`];
}

/**
 * What is lacked by roots of whose providers nothing is known, where a chip has few providers of it or the log has no
 * word of one, so that others that lack it may have the same cause; null of others.
 */
export function openLack(roots: readonly Root[], said: readonly Words[], unheard: readonly string[]): string | null {
  const wants = new Set(roots.map(({ cause, waiting }) => (waiting.length === 0 ? openWant(cause) : null)));
  const [want = null, ...others] = wants;
  const isOne = roots.some((root) => lackedBy(root)?.isCentral === true) || unheard.includes(want ?? '');
  return others.length > 0 || said.length > 0 || !isOne ? null : want;
}

function openWant(cause: RootCause): string | null {
  if (cause.cause !== 'own-deferral' || cause.wants === null || cause.below !== null) return null;
  const { call, perhaps, circle, mutual, far } = cause;
  const guesses = perhaps.length + circle.length + mutual.length + far.length;
  return guesses > 0 || NAMES_IT.test(call ?? '') ? null : cause.wants;
}

/** What works at the address of a device that failed. */
function doubleText(roots: readonly Root[], doubles: AroundRoots['doubles']): string | null {
  const works = roots.flatMap(({ name }) => doubles.get(name) ?? []);
  return works.length === 0 ? null : `its driver works with ${listed(works)}: that node may be a double (guess)`;
}

/**
 * Roots that are told together: what is known, what may help, and who waits.
 * @param said of what they may wait for
 * @param told the next ones lack the same, with which that is told
 */
export function rootLines(
  roots: readonly Root[],
  said: readonly Words[],
  around: AroundRoots,
  told: { readonly isFirst: boolean; readonly isLast: boolean } = { isFirst: true, isLast: true },
): string[] {
  const [first] = roots;
  if (first === undefined) return [];
  const { cause, evidence, line, wordsLine } = first;
  const names = new Set(roots.map(({ name }) => name));
  const drivers = new Set(
    roots.flatMap((root) =>
      root.cause.cause === 'own-deferral' || root.cause.cause === 'failed' ? (root.cause.driver ?? []) : [],
    ),
  );
  const head =
    drivers.size > 1 || (roots.length > 1 && isWordless(first))
      ? textOfMany(cause, [...drivers], roots)
      : causeText(togetherOf(cause, roots), evidence);
  const quoted = evidence !== null && !head.includes(evidence.replace(DRIVER, ''));
  const place = placeOf(wordsLine ?? line);
  const lines = [`${listed([...names])}: ${printable(head)}${quoted ? '' : placeOf(line)}`];
  if (quoted && evidence.startsWith(OF_PIN_CONTROLLER)) lines.push(`  ${printable(evidence)}${place}`);
  else if (quoted && SAID_BEFORE.has(cause.cause)) lines.push(`  it said before: ${printable(evidence)}${place}`);
  else if (quoted) lines.push(`  ${line === null ? 'seen in the boot' : 'the log'}${place}: ${printable(evidence)}`);
  if (cause.cause === 'never-probed' && roots.some(({ name }) => BARE.test(name))) lines.push(OF_A_PART);
  const waiting = roots.flatMap((root) => waitingFor(root).map((one) => ({ ...one, root: root.name })));
  const known = besideRoots(roots, around.beside);
  const double = doubleText(roots, around.doubles);
  lines.push(
    ...(double === null ? [] : [`  ${double}`]),
    ...(told.isLast ? guessesOf(roots, around, !told.isFirst) : []),
    ...known.lines,
  );
  for (const { device, driver, words, line: at } of said) {
    const who = driver === null ? `what ${printable(device)} says` : `${printable(device)}, of which its driver says`;
    lines.push(`  perhaps for ${who} (line ${at}): ${printable(words)}`);
  }
  for (const [by, words] of WAITING) {
    const those = waiting.filter((one) => one.known === by);
    // Which of them a device waits for, a boot does not tell.
    const via = those.map((one) => viaText(one, by === 'boot' || (one.for === one.root && names.size === 1)));
    if (via.length > 0) lines.push(`  waiting${words}: ${listed(via)}`);
  }
  const guessed = roots.flatMap(({ name }) => (around.failed.has(name) ? (around.guessed.get(name) ?? []) : []));
  if (guessed.length > 0) lines.push(`  waiting (guess): ${listed([...new Set(guessed)])}`);
  if (!told.isLast) return lines;
  // What the log shows to be at fault comes before what the tree names.
  const next =
    (suspectsOf(roots).length > 0 ? null : known.next) ??
    errorBefore(roots, around.errors) ??
    nextStep(roots, said, around);
  if (next !== null) lines.push(`  next: ${next}`);
  return lines;
}

/** Of a probe that failed without a word, what another said just before tells more than a number that may mean much. */
function errorBefore(roots: readonly Root[], errors: AroundRoots['errors']): string | null {
  const [{ cause, evidence, line } = { cause: null, evidence: null, line: null }, ...others] = roots;
  if (cause?.cause !== 'failed' || evidence !== null || line === null || others.length > 0) return null;
  if (!OF_NODES.has(cause.error ?? 0)) return null;
  const said = errors.find((one) => line - (one.lastLine ?? one.line) === 1) ?? null;
  return said === null ? null : `see first what is said of ${printable(said.device)} just before (line ${line - 1})`;
}

function errorText({ error, ...cause }: Extract<RootCause, { cause: 'failed' | 'bind-failed' }>): string {
  if (error === null) return '';
  return ` with error ${cause.cause === 'failed' && cause.positive ? error : numberText(error)}`;
}

/** A positive error number as the kernel prints it, and its name. */
function numberText(error: number): string {
  const name = errnoName(error);
  return name === null ? `-${error}` : `-${error} (${name})`;
}

/** Circles that the kernel has opened are told together, with the nodes of all. */
function togetherOf(cause: RootCause, roots: readonly Root[]): RootCause {
  if (cause.cause !== 'cycle' || !cause.relaxed) return cause;
  const names = new Set(roots.map(({ name }) => name));
  const members = new Set(roots.flatMap((root) => membersOf(root)));
  const others = [...members].filter((member) => !names.has(member));
  return { ...cause, members: others };
}

function membersOf({ cause }: Root): readonly string[] {
  return cause.cause === 'cycle' ? cause.members : [];
}

/** What several drivers have in common. */
function textOfMany(cause: RootCause, drivers: readonly string[], roots: readonly Root[]): string {
  if (cause.cause === 'failed') return `the probes of ${listed(drivers)} failed${errorText(cause)}`;
  const call = cause.cause === 'own-deferral' ? cause.call : null;
  const isUnnamed = drivers.length === 0 || roots.every(({ name }) => drivers.includes(name));
  const who = isUnnamed ? 'their drivers' : listed(drivers);
  return `${who} defer them${call === null ? becauseOf(null, null) : `: ${call}`}`;
}

/** So many that may be what is lacking are named. */
const FEW = 4;

/** Causes whose evidence is what the driver said before. */
const SAID_BEFORE: ReadonlySet<string> = new Set<RootCause['cause']>([
  ...(['failed', 'bind-failed', 'spoken-of', 'own-deferral', 'own-parent'] as const),
]);

/** How it is known that devices wait. */
const WAITING: readonly (readonly [known: Waiting['known'], words: string])[] = [
  ['log', ''],
  ['tree', ', as the device tree links them'],
  ['boot', ', as they bind once it is loaded; the device tree does not link them'],
];

/** What waits for the root, without the whole that its part has made fail. */
export function waitingFor({ cause, waiting }: Root): readonly Waiting[] {
  return cause.cause === 'bind-failed' ? waiting.filter(({ device }) => device !== cause.whole) : waiting;
}

function viaText({ device, for: supplier, properties }: Waiting, isRoot: boolean): string {
  const words = [...(isRoot ? [] : [`for ${supplier}`]), ...(properties.length === 0 ? [] : [properties.join(' ')])];
  return words.length === 0 ? device : `${device} (${words.join(', ')})`;
}

/** What the words of a root mean; where that is a guess it is called one. */
function guessesOf(roots: readonly Root[], { failed, unheard }: AroundRoots, isAlike: boolean): string[] {
  const [first] = roots;
  const cause = first?.cause;
  if (cause?.cause === 'timed-out') {
    const perhaps = new Set(roots.flatMap((root) => (root.cause.cause === 'timed-out' ? root.cause.perhaps : [])));
    const kinds = OF_NO_OTHER.find(([name]) => roots.some((root) => name.test(root.name)))?.[1] ?? null;
    const isOfDomain = roots.every(({ name }) => OF_DOMAIN.test(name));
    return [
      ...(isOfDomain ? ['  by the names it is a power domain (guess)'] : []),
      ...(!isOfDomain && kinds !== null
        ? [`  as there are ${kinds} among them, a power domain is the likeliest (guess)`]
        : []),
      ...perhapsLines([...perhaps], failed),
    ];
  }
  if (cause?.cause === 'silent' || cause?.cause === 'no-part') return perhapsLines(suspectsOf(roots), failed);
  if (cause?.cause !== 'own-deferral') return [];
  const all = roots.flatMap(({ cause: own }) => (own.cause === 'own-deferral' ? [own] : []));
  const below = all.flatMap((own) => own.below ?? []);
  const isNamed = NAMES_IT.test(cause.call ?? '') || below.length === all.length;
  const named = isNamed ? '' : ', which the log does not name';
  const who = isAlike ? 'all of these wait' : 'it waits';
  // Of one root alone it says little: many a driver has nothing to say.
  const isUnheard = isAlike && unheard.includes(cause.wants ?? '');
  const quiet = isUnheard ? '; no driver of such a device speaks in it: the kernel may have none (guess)' : '';
  const lines = cause.wants === null ? [] : [`  that means ${who} for ${cause.wants}${named}${quiet}`];
  for (const { device, circle } of below)
    lines.push(
      `  that is ${printable(device)}, which fw_devlink found in a cycle with ${listed(circle)}: it does not enforce ` +
        'those links, so they may not hold it back (guess)',
    );
  const far = new Set(all.flatMap((own) => own.far));
  const mutual = new Set(all.flatMap((own) => own.mutual));
  const perhaps = new Set(all.flatMap((own) => own.perhaps).filter((device) => !mutual.has(device)));
  const [only, ...others] = perhaps;
  // One that is of the kind, whose probe failed, and that such a link is of.
  if (far.size > 0 && only !== undefined && others.length === 0 && failed.has(only))
    lines.push(`  very likely for ${printable(only)}, whose probe failed: ${CYCLE_WITH} ${listed([...far])}`);
  else {
    if (far.size > 0) lines.push(`  ${CYCLE_WITH} ${listed([...far])}: one may be the other end (guess)`);
    lines.push(...perhapsLines([...perhaps], failed));
  }
  const circle = all.flatMap((own) => own.circle);
  if (mutual.size > 0)
    lines.push(
      `  as ${listed([...mutual])} by its words lacks what this may provide, they may wait for each other (guess)`,
    );
  if (circle.length > 0)
    lines.push(
      `  as ${listed(circle)} may be what it waits for, they may wait for each other, or for a node of which no ` +
        'device is made (guess); a boot with `fw_devlink=permissive` shows it',
    );
  return lines;
}

const CYCLE_WITH = 'fw_devlink found a cycle of it with';

function perhapsLines(names: readonly string[], failed: ReadonlySet<string>): string[] {
  const those = names.filter((name) => failed.has(name));
  const others = names.filter((name) => !failed.has(name));
  const probe = those.length === 1 ? 'whose probe' : 'whose probes';
  return [
    ...(those.length === 0 ? [] : [`  perhaps for ${listed(those, FEW)}, ${probe} failed (guess by the name)`]),
    ...(others.length === 0 ? [] : [`  perhaps for ${listed(others, FEW)}, not bound either (guess by the name)`]),
  ];
}

/** Names of nodes that stand for power domains. */
const OF_DOMAIN = /(?:^|[:_-])(?:pd|power-?domain)[_-]/;

function timedOutText(cause: Extract<RootCause, { cause: 'timed-out' }>, evidence: string | null): string {
  const what = lackedBy({ cause, evidence })?.noun ?? NO_OTHERS;
  if (!cause.assumedNone) {
    const text = `the deferred probe timeout ended the wait for ${what}`;
    if (cause.error !== null) return `${text}; its probe then failed with error ${numberText(cause.error)}`;
    return cause.goesOn ? `${text}; no line says that its probe failed, so it may be bound` : text;
  }
  const text = `with all initcalls over, the kernel expected no driver any more for ${what}`;
  return cause.goesOn
    ? `${text}: without a power domain its probe ends without a word, otherwise it may be bound`
    : text;
}

const PARTS: Readonly<Record<PartOfDevice, readonly [what: string, whole: string]>> = {
  pins: ['pins of a pin controller by their names', 'the controller'],
  port: ['a part by its name', 'the device'],
  regulator: ['a regulator by its name', 'the PMIC'],
  'NVMEM cell': ['a cell of an NVMEM device by its name', 'that device (fuses, an OTP, an EEPROM)'],
};

function partText({ part, perhaps }: Extract<RootCause, { cause: 'part-of' }>): string {
  const [what, whole] = PARTS[part];
  if (perhaps.length === 0) return `${what}, of which no device is made: ${whole} is not there, or is bound late`;
  return `${what}, perhaps of ${listed(perhaps)}, not bound either (guess)`;
}

/** What was said before need not be why it is deferred, but is all that there is. */
function silentText(evidence: string | null): string {
  if (evidence === null) return 'deferred, without a reason in the log';
  const who = evidence.startsWith(OF_PIN_CONTROLLER) ? '' : 'its driver said before: ';
  return `deferred; ${who}${evidence}`;
}

const OF_NO_CONTROLLER =
  'the state of pins is asked for, and none of the nodes above it is a pin controller by its name: it may stand in ' +
  'the wrong place of the device tree (guess)';

/** Why a root is not there, and what to do about it where that is known. */
function causeText(cause: RootCause, evidence: string | null = null): string {
  switch (cause.cause) {
    case 'never-probed':
      if (isMisplaced(evidence)) return OF_NO_CONTROLLER;
      if (cause.alike !== null)
        return `${NOT_PROBED}, although it has one for ${printable(cause.alike)}: its node may be off, or wait itself`;
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
    case 'no-device':
      return 'there is no such device: the device tree has no node for it, and no driver has made it';
    case 'part-of':
      return partText(cause);
    case 'no-part':
      return (
        `no driver has registered a ${cause.kind} of this name, as far as the log tells: its device is not bound, ` +
        'or has another name for it'
      );
    case 'no-pins':
      return `${cause.goesOn ? NO_PINS : 'deferred, as it has not got its pins'}; ${NOT_SAID}`;
    case 'silent':
      return silentText(evidence);
    case 'own-deferral':
      return `${cause.driver ?? 'its driver'} defers ${cause.whom}${becauseOf(cause.call, evidence)}`;
    case 'failed':
      return `the probe of ${cause.driver ?? 'its driver'} failed${errorText(cause)}`;
    case 'spoken-of':
      return (
        `not shown bound, although ${cause.driver ?? 'a driver'} speaks of it; ` +
        'what became of its probe the log does not tell'
      );
    case 'own-parent':
      return (
        `its own children wait for it, which ${cause.driver ?? 'its driver'} makes in its probe: ` +
        'that was still running, and they cannot wait for its end'
      );
    case 'bind-failed':
      return `it cannot be bound as a part of ${cause.whole}, which fails with it: error ${numberText(cause.error)}`;
    case 'unnamed-supplier':
      return 'it waits for a supplier of which the log does not have the name';
    case 'timed-out':
      return timedOutText(cause, evidence);
    case 'cycle':
      if (cause.relaxed && cause.members.length === 0)
        return 'deferred, and the log does not say for what; fw_devlink found a cycle of them that it does not enforce';
      return cause.relaxed
        ? `deferred, and the log does not say for what; perhaps for ${listed(cause.members)}, with which fw_devlink ` +
            'found a cycle that it does not enforce (guess)'
        : `they wait for each other: ${cause.members.join(', ')}`;
    case 'retry-loop':
      return `deferred ${cause.times} times: its own probe binds ${cause.rebound} again, which starts the next retry`;
    case 'not-returned':
      return `the probe of ${cause.driver ?? 'its driver'} has not returned`;
  }
}
