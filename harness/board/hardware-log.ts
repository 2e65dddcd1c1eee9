import type { DeviceTree } from '../devicetree/tree.ts';
import type { DmesgEvent } from '../dmesg/events.ts';
import type { DeviceLife } from '../dmesg/lives.ts';
import { MACHINE_MODEL } from '../dmesg/machine.ts';
import { type LogRecord, parseRecords } from '../dmesg/prefix.ts';
import { announcedIn, NO_DRIVERS, OF_CORE } from '../dmesg/spoken.ts';
import type { LogSummary } from '../dmesg/summary.ts';
import { oneOf } from '../regex.ts';
import type { Census, DeviceEnd } from './census.ts';
import { renamer } from './device-nodes.ts';
import { impliedBy } from './implied.ts';
import { causeOf, causeOfIdentity, MACHINE } from './likely-cause.ts';

/**
 * Holds the kernel log of a real board against the census of a boot of its tree. A log tells a device's end only where
 * a line says it; a driver that speaks in the device's name and of which no failure follows is a weaker sign and
 * counted apart. Pure.
 */

/**
 * `said`: a line states the end. `spoke`: its driver printed a line in its name, and nothing says that the probe
 * failed. `implied`: a device that is told to be bound could not be without it (implied.ts).
 */
type Evidence = 'said' | 'spoke' | 'implied';

interface Told {
  readonly end: DeviceEnd;
  readonly evidence: Evidence;
  readonly driver: string | null;
  /** Line of the log that shows it, from 1. */
  readonly line: number;
  readonly words: string;
}

export interface ComparedDevice {
  /** Name here; the log may call the same address otherwise. */
  readonly name: string;
  readonly there: Told;
  readonly here: DeviceEnd;
  readonly same: boolean;
  /** Why the ends may differ; null where they are the same. */
  readonly cause: string | null;
}

/** What a device, or the kernel, says of hardware; null where one of the logs does not say it. */
interface Identity {
  readonly device: string | null;
  readonly what: string;
  readonly there: string | null;
  readonly here: string | null;
  /** Why they may differ; null where they are the same. */
  readonly cause: string | null;
}

export interface LogComparison {
  /** Whether a line of the log says when it was printed; else the order of the file is taken for that of the boot. */
  readonly stamped: boolean;
  readonly devices: readonly ComparedDevice[];
  /** Devices of the tree whose end the log does not tell. */
  readonly untold: readonly string[];
  /** Devices that a driver of theirs speaks for in the log and that the tree has no node for, such as PCI functions. */
  readonly notInTree: readonly string[];
  /**
   * Devices whose drivers speak in both logs, by first mention; `inOrder`: most of them that come in the same order in
   * both.
   */
  readonly order: { readonly there: readonly string[]; readonly here: readonly string[]; readonly inOrder: number };
  readonly identities: readonly Identity[];
}

/** A kernel log with what the parser says of it. */
export interface ReadLog {
  readonly text: string;
  readonly events: readonly DmesgEvent[];
  readonly summary: Pick<LogSummary, 'devices'>;
}

/**
 * Whether a file is a kernel log: a line has a time stamp, level or syslog tag, or its words alone say what only a
 * kernel does (`dmesg --notime`, a log out of a mail).
 */
export function isKernelLog({ text, events }: ReadLog): boolean {
  return events.length > 0 || hasRecord(text, ({ kernel }) => kernel);
}

function hasRecord(text: string, isSo: (record: LogRecord) => boolean): boolean {
  return text.split('\n').some((line) => parseRecords(line).some(isSo));
}

interface Line {
  readonly line: number;
  readonly text: string;
}

/** The last boot of a log: lines of earlier ones say nothing of how this one ended. */
function lastBoot({ text, events }: ReadLog): Line[] {
  const start = events.findLast(({ event }) => event === 'boot')?.line ?? 1;
  return text
    .split('\n')
    .flatMap((raw, index) =>
      index + 1 < start ? [] : parseRecords(raw).map((record) => ({ line: index + 1, text: record.text })),
    );
}

/**
 * dev_printk(): `DRIVER DEVICE: text`; before a driver is on the device, the bus or class stands in the driver's place.
 * netdev_printk() adds the interface.
 */
const SPOKEN = /^(\S{1,64}) (\S{1,128}?)(?: [a-z]{1,8}\d{1,3})?:\s+(\S.*)$/;
/**
 * Said before or early in a probe, by the driver core and the regulator core: they show that a driver was tried and no
 * more.
 */
const EARLY = /^(?:Adding to iommu group \d|supply \S+ not found, using dummy regulator)/;
const SUCCESS = /\b(?:registered|initiali[sz]ed|successfully)\b/i;
const TROUBLE = new RegExp(
  oneOf(
    /\b(?:fail(?:ed|ure|ing)?|errors?|unable|cannot|can't|could ?n[o']t|timed out|timeout)\b/,
    /\b(?:not (?:found|ready|supported|registered|initiali[sz]ed)|unregistered|invalid|probe)\b/,
    /(?:^|[\s(])-\d{1,3}\b/,
  ),
  'i',
);

interface Spoken {
  readonly driver: string | null;
  readonly device: string;
  readonly text: string;
  readonly line: number;
  readonly success: boolean;
}

function spokenIn(lines: readonly Line[]): Spoken[] {
  return lines.flatMap(({ text, line }): Spoken[] => {
    const announced = announcedIn(text);
    if (announced !== null) return [{ driver: null, device: announced, text, line, success: true }];
    const [, driver = '', device, said = ''] = SPOKEN.exec(text) ?? [];
    // The driver core's own messages: their events say it better.
    if (device === undefined || NO_DRIVERS.has(driver) || OF_CORE.test(said)) return [];
    return [{ driver, device, text: said, line, success: SUCCESS.test(said) && !TROUBLE.test(said) }];
  });
}

/** Of a bus or with an address; `model` of `Machine model:` is none. */
const DEVICE_NAME = /\d[.:]|[.:-]\d/;

const ENDS: Readonly<Partial<Record<DeviceLife['state'], DeviceEnd>>> = {
  bound: 'bound',
  failed: 'failed',
  declined: 'declined',
  deferred: 'deferred',
};

/** How the log tells that a device ended; null where it does not. */
function endIn(life: DeviceLife | undefined, spoken: readonly Spoken[]): Told | null {
  const end = life === undefined ? undefined : ENDS[life.state];
  const later = spoken.filter(({ line }) => life === undefined || end === undefined || line > life.line);
  const after = later.filter(({ text }) => !EARLY.test(text));
  const success = after.findLast((said) => said.success);
  const last = after.at(-1);
  // A probe that failed is over; one that was deferred is tried again, and then the driver speaks anew.
  if (life !== undefined && end !== undefined && (end !== 'deferred' || later.length === 0))
    return { end, evidence: 'said', driver: life.driver, line: life.line, words: life.reason ?? '' };
  if (last === undefined || (last !== success && TROUBLE.test(last.text))) return null;
  const shows = success ?? last;
  return {
    end: 'bound',
    evidence: success === undefined ? 'spoke' : 'said',
    driver: after.findLast(({ driver }) => driver !== null)?.driver ?? null,
    line: shows.line,
    words: shows.text,
  };
}

/**
 * Compares `there`, the log of hardware, with `here`, the guest's log and the census that was made of it with `tree`.
 */
export function compareWithLog(there: ReadLog, here: ReadLog, census: Census, tree: DeviceTree): LogComparison {
  const known = renamer(census.devices.map(({ name }) => name));
  const lines = { there: lastBoot(there), here: lastBoot(here) };
  const spoken = spokenIn(lines.there);
  const bySpeaker = new Map<string, Spoken[]>();
  const notInTree = new Set<string>();
  for (const said of spoken) {
    const name = known(said.device);
    if (name === null && DEVICE_NAME.test(said.device)) notInTree.add(said.device);
    if (name !== null) bySpeaker.set(name, [...(bySpeaker.get(name) ?? []), said]);
  }
  const lives = new Map<string, DeviceLife>();
  for (const life of there.summary.devices.values()) {
    const name = known(life.device);
    if (name !== null) lives.set(name, life);
  }
  const devices: ComparedDevice[] = [];
  const untold: string[] = [];
  const tells = new Map<string, Told>();
  for (const { name } of census.devices) {
    const told = endIn(lives.get(name), bySpeaker.get(name) ?? []);
    if (told !== null) tells.set(name, told);
  }
  for (const [name, { by, line }] of impliedBy(tells, census.devices, tree))
    tells.set(name, { end: 'bound', evidence: 'implied', driver: null, line, words: `${by} is bound` });
  for (const device of census.devices) {
    const told = tells.get(device.name);
    if (told === undefined) {
      untold.push(device.name);
      continue;
    }
    const same = told.end === device.end;
    const cause = same ? null : causeOf(told.end, device);
    devices.push({ name: device.name, there: told, here: device.end, same, cause });
  }
  return {
    stamped: hasRecord(there.text, ({ time }) => time !== null),
    devices: devices.sort((a, b) => a.there.line - b.there.line),
    untold: untold.sort(),
    notInTree: [...notInTree],
    order: orders(spoken, spokenIn(lines.here), known),
    identities: identities(lines.there, lines.here, known).map((identity) => ({
      ...identity,
      cause: causeOfIdentity(identity, census.devices.find(({ name }) => name === identity.device) ?? null, tree),
    })),
  };
}

function orders(there: readonly Spoken[], here: readonly Spoken[], known: (name: string) => string | null) {
  const first = (spoken: readonly Spoken[]) => [...new Set(spoken.flatMap(({ device }) => known(device) ?? []))];
  const inThere = first(there);
  const inHere = first(here);
  const both = new Set(inThere.filter((name) => inHere.includes(name)));
  const placed = new Map(inHere.filter((name) => both.has(name)).map((name, index) => [name, index]));
  const ranks = inThere.flatMap((name) => placed.get(name) ?? []);
  return {
    there: inThere.filter((name) => both.has(name)),
    here: [...placed.keys()],
    inOrder: longestRise(ranks),
  };
}

/** Length of the longest rising subsequence. */
function longestRise(ranks: readonly number[]): number {
  const tails: number[] = [];
  for (const rank of ranks) {
    const at = tails.findIndex((tail) => tail >= rank);
    if (at < 0) tails.push(rank);
    else tails[at] = rank;
  }
  return tails.length;
}

/**
 * What hardware is, in the words of the drivers that print it: arm-smmu.c, irq-gic-v3.c, arm_arch_timer.c, xhci.c,
 * pcie-designware.c.
 */
const IDENTITIES: readonly (readonly [what: string, pattern: RegExp])[] = [
  [MACHINE, MACHINE_MODEL],
  ['SPIs', /^GIC(?:v3)?: (\d+) SPIs implemented/],
  ['timer rate', /^arch_timer: .* running at ([\d.]+MHz)/],
  ['stream mapping groups', /stream matching with (\d+) register groups/],
  ['context banks', /^\s*(\d+) context banks/],
  ['page sizes', /Supported page sizes: (0x[0-9a-f]+)/],
  ['stage 1', /Stage-1: (\d+-bit VA -> \d+-bit IPA)/],
  ['xHCI', /^(hcc params 0x[0-9a-f]+ hci version 0x[0-9a-f]+)/],
  ['iATU', /^iATU.*: (?:unroll \w, )?(\d+ ob, \d+ ib, .+)/],
  ['PMIC arbiter', /\bPMIC arbiter version (.+)/],
  ['revision', /\brevision: ?(0x[0-9a-f]+)/],
];

/** Said by devices whose names changed. */
const ONE_A_BOARD: ReadonlySet<string> = new Set([MACHINE, 'SPIs', 'timer rate', 'PMIC arbiter']);

function identities(
  there: readonly Line[],
  here: readonly Line[],
  known: (name: string) => string | null,
): Omit<Identity, 'cause'>[] {
  const found = new Map<string, { device: string | null; what: string; there: string | null; here: string | null }>();
  const collect = (lines: readonly Line[], side: 'there' | 'here') => {
    for (const { text } of lines) {
      const [, , device, said] = SPOKEN.exec(text) ?? [];
      const speaker = device === undefined ? null : known(device);
      for (const [what, pattern] of IDENTITIES) {
        const name = ONE_A_BOARD.has(what) ? null : speaker;
        const value = pattern.exec(speaker === null ? text : (said ?? text))?.[1]?.trim();
        if (value === undefined) continue;
        const key = `${name} ${what}`;
        const identity = found.get(key) ?? { device: name, what, there: null, here: null };
        identity[side] = value;
        found.set(key, identity);
      }
    }
  };
  collect(there, 'there');
  collect(here, 'here');
  return [...found.values()];
}
