import {
  type Census,
  type CensusDevice,
  countAnswers,
  countEnds,
  type DeviceEnd,
  type LinkedToNoDriver,
} from '../board/census.ts';
import { tellLeftOut } from '../board/left-out.ts';
import { count, groupBy } from './text.ts';

/** What became of a board's devices, as a kernel developer reads it: the sum first, then what is wrong. */

interface CensusTitle {
  readonly board: string;
  readonly release: string;
  /** Modules that were loaded and which the console was, and the like. */
  readonly notes: readonly string[];
  readonly linked: LinkedToNoDriver;
}

const HEADINGS: readonly (readonly [DeviceEnd, string])[] = [
  ['crashed', 'probe crashed'],
  ['hung', 'probe has not returned'],
  ['failed', 'probe failed'],
  ['deferred', 'deferred'],
  ['declined', 'declined by the driver'],
];

export function formatCensus(census: Census, { board, release, notes, linked }: CensusTitle): string {
  const { devices } = census;
  const counts = countEnds(devices);
  const matched = devices.filter((device) => device.matched).length;
  const waiting = new Set(linked.waiting.map(({ device }) => device));
  const rest = HEADINGS.flatMap(([end]) => (counts[end] > 0 ? [`${counts[end]} ${end}`] : []));
  const ends = [`${counts.bound} of ${matched} matched devices bound`, ...rest].join(', ');
  const sum = `${ends}; ${devices.length} devices, ${counts['no-driver']} without a driver`;
  const lines = [
    ...(census.complete
      ? [`${board} on ${release}: ${sum}`]
      : [
          `${board} on ${release}: the boot ended before its devices could be counted`,
          devices.length === 0 ? 'no device was seen' : `seen until then: ${sum}`,
        ]),
    ...withinReach(linked, counts.bound, matched),
    ...tellLeftOut(census.leftOut),
    ...notes,
    bySource(devices),
    ...guessed(devices),
    ...HEADINGS.flatMap(([end, heading]) => {
      const those = devices.filter((device) => device.end === end);
      const others = those.filter(({ name }) => !waiting.has(name));
      return section(others.length < those.length ? `${heading}, for another reason` : heading, others);
    }),
    ...outOfReach(linked),
    ...section(
      'wait for those',
      devices.filter(({ name }) => waiting.has(name)),
    ),
    ...unloaded(devices),
    ...withoutDriver(devices.filter(({ end }) => end === 'no-driver')),
    ...failedModules(census),
  ];
  return `${lines.join('\n')}\n`;
}

function section(heading: string, those: readonly CensusDevice[]): string[] {
  return those.length === 0 ? [] : ['', `${heading}:`, ...those.map(describe)];
}

function describe(device: CensusDevice): string {
  const { driver, node, reason, answers } = device;
  const by = driver === null ? node : driver;
  const guess = answers !== null && answers.broken > 0 ? ` [${answers.broken} polls broken]` : '';
  return `  ${whereOf(device)} (${by})${reason === null ? '' : `: ${reason}`}${guess}`;
}

/** From so many devices on, those of one reason share a line: a tree has dozens of buses. */
const SHARED_MIN = 3;

function withoutDriver(those: readonly CensusDevice[]): string[] {
  const plain = those.filter(({ reason, answers }) => reason !== null && (answers?.broken ?? 0) === 0);
  const shared = [...groupBy(plain, ({ reason }) => reason ?? '')].filter(([, same]) => same.length >= SHARED_MIN);
  const isShared = new Set(shared.flatMap(([, same]) => same));
  const lines = [
    ...those.filter((device) => !isShared.has(device)).map(describe),
    ...shared.map(([reason, same]) => `  ${same.length} devices (${reason}): ${same.map(whereOf).join(', ')}`),
  ];
  return lines.length === 0 ? [] : ['', 'no driver:', ...lines];
}

function whereOf({ bus, name }: CensusDevice): string {
  return bus === 'platform' ? name : `${bus} ${name}`;
}

function bySource(devices: readonly CensusDevice[]): string {
  const by = countAnswers(devices);
  const memory = `${by['plain memory']} plain memory, ${by['broken polls']} with broken polls`;
  return `registers of bound devices: ${by.models} modelled, ${memory}, ${by.none} have none`;
}

/** By the tree's links no hardware would bind the others with this kernel. */
function withinReach({ waiting }: LinkedToNoDriver, bound: number, matched: number): string[] {
  if (waiting.length === 0) return [];
  const others = matched - waiting.length;
  const share = others === 0 ? '' : ` (${Math.floor((100 * bound) / others)} %)`;
  const wait = `${waiting.length} ${waiting.length === 1 ? 'waits' : 'wait'}`;
  return [
    `within reach of this kernel (a guess by the tree's links): ${bound} of ${others} bound${share}; ` +
      `${wait} for suppliers that it has no driver for`,
  ];
}

function outOfReach({ suppliers, bound }: LinkedToNoDriver): string[] {
  if (suppliers.length === 0) return [];
  const lines = suppliers.map(({ path, compatible, wanted }) => `  ${path} (${compatible}): ${wanted}`);
  const worth = `${count(bound, 'device')} with such links ${bound === 1 ? 'is' : 'are'} bound`;
  return [
    '',
    'suppliers without a driver in this kernel, and how many wait for each, directly or through others ' +
      `(a guess by the tree's links; ${worth}):`,
    ...lines,
  ];
}

/**
 * Devices that bound on values that nobody knows: a read in a loop was told something else than before until the loop
 * ended.
 */
function guessed(devices: readonly CensusDevice[]): string[] {
  const those = devices.filter(({ end, answers }) => end === 'bound' && answers !== null && answers.broken > 0);
  if (those.length === 0) return [];
  const reads = those.reduce((sum, { answers }) => sum + (answers?.broken ?? 0), 0);
  const names = those.map(({ name, answers }) => `${name} ${answers?.broken}`);
  return [`${count(those.length, 'device')} bound on guesses, by ${count(reads, 'broken poll')}: ${names.join(', ')}`];
}

function unloaded(devices: readonly CensusDevice[]): string[] {
  const those = devices.filter(({ missing }) => missing.length > 0);
  return those.length === 0
    ? []
    : ['', 'driver not loaded:', ...those.map(({ name, missing }) => `  ${name}: ${missing.join(', ')}`)];
}

function failedModules({ modules }: Census): string[] {
  return modules.failed.length === 0
    ? []
    : ['', 'modules that did not load:', ...modules.failed.map(({ name, why }) => `  ${name}: ${why}`)];
}
