import type { NodeRegisters } from '../devicetree/addresses.ts';
import { endOf } from '../devicetree/addresses.ts';
import type { Crash, DmesgEvent } from '../dmesg/events.ts';
import { type DeviceLife, endOfWait } from '../dmesg/lives.ts';
import type { LogSummary } from '../dmesg/summary.ts';
import type { LeftOut } from './left-out.ts';
import type { Lacking } from './waits.ts';

/** What became of every device of a board in one boot. Pure. */

/** How a device's probe ended, from best to worst; what has no driver is none of them. */
const DEVICE_ENDS = ['bound', 'no-driver', 'declined', 'deferred', 'failed', 'hung', 'crashed'] as const;
export type DeviceEnd = (typeof DEVICE_ENDS)[number];

/** How often a device's registers were asked where no model answers. */
interface Answers {
  readonly reads: number;
  readonly writes: number;
  /** Reads in loops whose value the firmware made up. */
  readonly broken: number;
}

export interface CensusDevice {
  readonly bus: string;
  readonly name: string;
  /** That is bound to it, or was the last to try. */
  readonly driver: string | null;
  /** Path of its node. */
  readonly node: string;
  readonly end: DeviceEnd;
  /** Whether a driver of this kernel wanted it. */
  readonly matched: boolean;
  /** What it waits for, or why its probe failed. */
  readonly reason: string | null;
  /** Its last probe waits for a supplier, or failed when the deferred probe timeout ended such a wait. */
  readonly waits: boolean;
  /** Modules that would have a driver for it and are not loaded. */
  readonly missing: readonly string[];
  readonly answers: Answers | null;
  readonly answeredBy: AnsweredBy;
}

/** A poll that is broken outweighs a model of the rest; `none`: it has no registers of its own. */
type AnsweredBy = 'models' | 'broken polls' | 'plain memory' | 'none';

export interface Census {
  readonly devices: readonly CensusDevice[];
  /** False where the guest ended before it could count. */
  readonly complete: boolean;
  readonly crashes: readonly Crash[];
  readonly modules: { readonly loaded: number; readonly failed: readonly { name: string; why: string }[] };
  /** Modules that were not loaded because an earlier boot died of them. */
  readonly leftOut: readonly LeftOut[];
  /**
   * Modaliases of all devices, also of those without a node, and what drivers asked request_module() for: what udev and
   * modprobe would load next.
   */
  readonly modaliases: readonly string[];
}

/**
 * Buses whose devices stand for something outside of the kernel. Others (cpu, nvmem, genpd, workqueue) only repeat it.
 */
const BUSES: readonly string[] = [
  'amba',
  'apr',
  'aprbus',
  'auxiliary',
  'dp-aux',
  'host1x',
  'hsi',
  'i2c',
  'i3c',
  'mdio_bus',
  'mhi',
  'mipi-dsi',
  'mmc',
  'pci',
  'platform',
  'rpmsg',
  'scmi_protocol',
  'sdio',
  'serial',
  'slimbus',
  'soundwire',
  'spi',
  'spmi',
  'ulpi',
  'usb',
];
/** Adapters and root hubs: the device that made them is the one that counts. */
const CONTROLLERS = /^(?:i2c-\d+|i3c-\d+|spmi-\d+|serial\d+|slim-\d+|usb\d+|mmc\d+)$/;

/**
 * drivers/bus/simple-pm-bus.c, simple_pm_bus_probe() (6.12): matches every "simple-bus", "simple-mfd" and "isa", and
 * binds none of them whose first compatible is another. It wants no such device, here or on hardware.
 */
const LAST_RESORT = 'simple-pm-bus';

/** What the guest's init says of a device (guest/init/census.c). */
export interface DeviceReport {
  readonly bus: string;
  readonly name: string;
  readonly driver: string | null;
  readonly node: string | null;
  readonly modalias: string | null;
  /** Without a driver and a node of its own: the node of the device that it is a part of. */
  readonly parentNode: string | null;
}

const NONE = '-';

/** The lines of a census in a boot, of all buses. */
export function reportsIn(events: readonly DmesgEvent[]): DeviceReport[] {
  return events.flatMap((event) => {
    if (event.event !== 'agent' || event.verb !== 'device') return [];
    const [bus, name, driver, node, modalias, parent] = event.words;
    if (bus === undefined || name === undefined) return [];
    const known = (word: string | undefined) => (word === undefined || word === NONE ? null : word);
    return [
      {
        bus,
        name,
        driver: known(driver),
        node: known(node),
        modalias: known(modalias),
        parentNode: known(parent),
      },
    ];
  });
}

interface CensusInput {
  readonly events: readonly DmesgEvent[];
  readonly summary: LogSummary;
  readonly firmwareLog: string;
  readonly registers: readonly NodeRegisters[];
  /** Paths of the nodes that a device model answers for (devices/board-models.ts). */
  readonly modelled: ReadonlySet<string>;
  /** Modules that have a driver for a modalias, and whether one is built in (kernel/modalias.ts). */
  readonly modulesFor: (modalias: string) => readonly string[];
  readonly isBuiltin: (modalias: string) => boolean;
  /** Modules that this boot was made without: their devices are counted as crashed. */
  readonly leftOut: readonly LeftOut[];
}

/** What a boot whose plan ends with a census says of each device with a node. */
export function censusOf(input: CensusInput): Census {
  const { events, summary } = input;
  const reports = reportsIn(events);
  const crashed = new Map(
    summary.crashes.flatMap((crash): [string, Crash][] =>
      crash.fatal && crash.probing !== null ? [[crash.probing.device, crash]] : [],
    ),
  );
  const words = (verb: string) =>
    events.flatMap((event) => (event.event === 'agent' && event.verb === verb ? [event.words] : []));
  const deferred = new Map(words('deferred').map(([name = '', ...reason]) => [name, reason.join(' ')]));
  const returned = returnedIn(events);
  const probing = new Set(words('probing').flatMap(([name = '']) => (returned.has(name) ? [] : [name])));
  const loads = words('load');
  const loaded = new Set(loads.flatMap(([name = '', result]) => (result === 'ok' ? [name] : [])));
  const answers = answersByNode(input.firmwareLog, input.registers);
  const underWay = underWayIn(events);

  const devices = reports.flatMap((report): CensusDevice[] => {
    const { bus, name, node, modalias } = report;
    if (node === null || !BUSES.includes(bus) || CONTROLLERS.test(name)) return [];
    const life = summary.devices.get(name);
    const crash = crashed.get(name);
    const modules = modalias === null ? [] : input.modulesFor(modalias);
    const hasDriver = modules.length > 0 || (modalias !== null && input.isBuiltin(modalias));
    const missing = modules.filter((module) => !loaded.has(module));
    // A match that was put off until the device can be asked what it is, and that has since found no driver for it.
    const wasPutOff = life?.driver === null && (life.state === 'deferred' || life.state === 'retried');
    const isResolved = wasPutOff && (life.state === 'retried' || deferred.size > 0) && !deferred.has(name);
    // It was deferred before, and is again tried at this moment: retries that start each other never come to an end.
    const isRetried = life !== undefined && life.deferrals > 0 && underWay.has(name);
    const ended = isRetried
      ? { end: 'deferred' as const, reason: 'tried again while devices were counted' }
      : endOfDevice(report, isResolved ? undefined : life, crash, deferred.get(name), probing.has(name));
    const deadly = ended.end === 'no-driver' ? input.leftOut.find(({ module }) => modules.includes(module)) : undefined;
    const { end, reason } =
      deadly === undefined ? ended : { end: 'crashed' as const, reason: `${deadly.module}: ${deadly.why}` };
    return [
      {
        bus,
        name,
        driver: report.driver ?? life?.driver ?? null,
        node,
        end,
        matched: end !== 'no-driver',
        waits: end === 'deferred' || (end === 'failed' && life?.timedOut === true),
        reason: reason ?? (end === 'no-driver' && hasDriver ? unmatched(missing) : null),
        missing: end === 'no-driver' ? missing : [],
        answers: answers.get(node) ?? null,
        answeredBy: answeredBy(node, input, answers.get(node)),
      },
    ];
  });
  return {
    devices: devices.sort((a, b) => DEVICE_ENDS.indexOf(b.end) - DEVICE_ENDS.indexOf(a.end) || order(a.name, b.name)),
    complete: words('census').some(([word]) => word === 'end'),
    crashes: summary.crashes,
    modules: {
      loaded: loaded.size,
      failed: loads.flatMap(([name = '', result, ...why]) =>
        result === 'ok' ? [] : [{ name, why: [result, ...why].join(' ') }],
      ),
    },
    leftOut: input.leftOut,
    modaliases: [
      ...new Set([
        ...reports.flatMap(({ bus, modalias }) => (BUSES.includes(bus) ? (modalias ?? []) : [])),
        ...words('request').flatMap(([name]) => name ?? []),
      ]),
    ],
  };
}

/**
 * Devices whose last probe came to its end, as the log says. The guest looks at locks, and takes one for probing where
 * other tasks leave it no time.
 */
function returnedIn(events: readonly DmesgEvent[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const event of events)
    if (event.event === 'bound') found.add(event.device);
    else if (event.event === 'probe-entered') found.delete(event.device);
  return found;
}

/** A probe that began less than this before the last line that the guest said of devices has not come to hang. */
const HANGS_MICROSECONDS = 1_000_000;

/** Devices that were being probed when the guest was done, and not for long. */
function underWayIn(events: readonly DmesgEvent[]): ReadonlySet<string> {
  const entered = new Map<string, number>();
  let last = 0;
  for (const event of events)
    if (event.event === 'probe-entered') entered.set(event.device, event.time ?? 0);
    else if (event.event === 'agent') last = event.time ?? last;
    else if (event.event === 'bound' || event.event === 'deferred' || event.event === 'probe-failed')
      entered.delete(event.device);
  return new Set([...entered].flatMap(([device, time]) => (last - time < HANGS_MICROSECONDS ? [device] : [])));
}

function order(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function endOfDevice(
  { driver }: DeviceReport,
  life: DeviceLife | undefined,
  crash: Crash | undefined,
  waitsFor: string | undefined,
  isProbing: boolean,
): { end: DeviceEnd; reason: string | null } {
  // An oops ends the task in the middle of the probe, and leaves the link to the driver behind.
  if (crash !== undefined && life?.state !== 'bound') return { end: 'crashed', reason: crash.title };
  if (driver !== null && isProbing) return { end: 'hung', reason: 'its probe has not returned' };
  if (driver !== null) return { end: 'bound', reason: null };
  if (waitsFor !== undefined) return { end: 'deferred', reason: waitsFor === '' ? (life?.reason ?? null) : waitsFor };
  if (life === undefined) return { end: 'no-driver', reason: null };
  if (life.state === 'failed') return { end: 'failed', reason: failureOf(life) };
  if (life.state === 'declined' && life.driver === LAST_RESORT)
    return { end: 'no-driver', reason: `${LAST_RESORT} leaves it to a driver of its own compatible` };
  if (life.state === 'declined') return { end: 'declined', reason: null };
  if (life.state === 'probing') return { end: 'hung', reason: 'its probe has not returned' };
  if (life.state === 'deferred' || life.state === 'retried') return { end: 'deferred', reason: life.reason };
  return life.driver === null ? { end: 'no-driver', reason: null } : { end: 'declined', reason: null };
}

/** Why a driver that has an alias for a device never tried it; those of AMBA may stand for every device of the bus. */
function unmatched(missing: readonly string[]): string {
  return missing.length > 0 ? 'a driver for it is not loaded' : 'the driver that has an alias for it did not match it';
}

/** dev_err_probe() puts the error before a driver's words. */
const ERROR_FIRST = /^error -\w{1,16}: /;

/** The error, and the first that the driver said before it as of one: most often what it failed of. */
function failureOf(life: DeviceLife): string | null {
  const { error, words } = life;
  if (error === null) return null;
  const end = endOfWait(life);
  if (end !== null) return `error -${error}: ${end}`;
  return words === null ? `error -${error}` : `error -${error}; the driver said: ${words.replace(ERROR_FIRST, '')}`;
}

/** Devices that the tree links to suppliers without a driver in this kernel. */
export interface LinkedToNoDriver {
  /** Those that wait, and the paths of what they lack. */
  readonly waiting: readonly { readonly device: string; readonly lacks: readonly string[] }[];
  /** What they lack, the most wanted first; a device may wait for several. */
  readonly suppliers: readonly (Lacking & { readonly wanted: number })[];
  /** How many are bound all the same: what the guess that the others wait for it is worth. */
  readonly bound: number;
}

/** `lackingFor`: what the tree links a node to so (board/waits.ts). */
export function linkedToNoDriver(
  devices: readonly CensusDevice[],
  lackingFor: (path: string) => readonly Lacking[],
): LinkedToNoDriver {
  const suppliers = new Map<string, Lacking & { wanted: number }>();
  const waiting = devices.flatMap(({ waits, name, node }) => {
    const lacks = waits ? lackingFor(node) : [];
    for (const supplier of lacks) {
      const entry = suppliers.get(supplier.path) ?? { ...supplier, wanted: 0 };
      entry.wanted++;
      suppliers.set(supplier.path, entry);
    }
    return lacks.length === 0 ? [] : [{ device: name, lacks: lacks.map(({ path }) => path) }];
  });
  return {
    waiting,
    suppliers: [...suppliers.values()].sort((a, b) => b.wanted - a.wanted || order(a.path, b.path)),
    bound: devices.filter(({ end, node }) => end === 'bound' && lackingFor(node).length > 0).length,
  };
}

function answeredBy(node: string, { modelled, registers }: CensusInput, answers: Answers | undefined): AnsweredBy {
  if (answers !== undefined && answers.broken > 0) return 'broken polls';
  if (modelled.has(node)) return 'models';
  return registers.some(({ path }) => path === node) ? 'plain memory' : 'none';
}

/** Of the devices that are bound, how many by what. */
export function countAnswers(devices: readonly CensusDevice[]): Readonly<Record<AnsweredBy, number>> {
  const counts = { models: 0, 'broken polls': 0, 'plain memory': 0, none: 0 };
  for (const { end, answeredBy } of devices) if (end === 'bound') counts[answeredBy]++;
  return counts;
}

const PAGE = /^page (?:0x)?([0-9a-f]+) reads=(\d+) writes=(\d+) broken=(\d+)/gm;
const POLL = /^poll (?:0x)?([0-9a-f]+) pc=[0-9a-fx]+ broken=(\d+)/gm;
const PAGE_SIZE = 4096;

/**
 * Sums what the firmware counted by the node whose registers lie there; disabled nodes share addresses with enabled
 * ones.
 */
function answersByNode(log: string, registers: readonly NodeRegisters[]): Map<string, Answers> {
  const found = new Map<string, Answers>();
  const add = (address: number, size: number, more: Answers) => {
    const owner = registers.find(
      ({ enabled, ranges }) =>
        enabled && ranges.some((range) => range.address < address + size && address < endOf(range)),
    );
    if (owner === undefined) return;
    const { reads, writes, broken } = found.get(owner.path) ?? { reads: 0, writes: 0, broken: 0 };
    found.set(owner.path, {
      reads: reads + more.reads,
      writes: writes + more.writes,
      broken: broken + more.broken,
    });
  };
  for (const [, address = '', reads, writes] of log.matchAll(PAGE))
    add(Number.parseInt(address, 16), PAGE_SIZE, { reads: Number(reads), writes: Number(writes), broken: 0 });
  for (const [, address = '', broken] of log.matchAll(POLL))
    add(Number.parseInt(address, 16), 1, { reads: 0, writes: 0, broken: Number(broken) });
  return found;
}

/** How many devices came to each end. */
export function countEnds(devices: readonly CensusDevice[]): Readonly<Record<DeviceEnd, number>> {
  const counts = { bound: 0, 'no-driver': 0, declined: 0, deferred: 0, failed: 0, hung: 0, crashed: 0 };
  for (const { end } of devices) counts[end]++;
  return counts;
}
