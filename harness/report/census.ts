import {
  type Census,
  type CensusDevice,
  countAnswers,
  countEnds,
  type DeviceEnd,
  type LinkedToNoDriver,
} from '../board/census.ts';
import { tellLeftOut } from '../board/left-out.ts';
import { count } from './text.ts';

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
  const rest = HEADINGS.flatMap(([end]) => (counts[end] > 0 ? [`${counts[end]} ${end}`] : []));
  const ends = [`${counts.bound} of ${matched} matched devices bound`, ...rest].join(', ');
  const lines = [
    `${board} on ${release}: ${ends}; ${devices.length} devices, ${counts['no-driver']} without a driver`,
    ...(census.complete ? [] : ['the boot ended before its devices could be counted: these are what was seen']),
    ...tellLeftOut(census.leftOut),
    ...notes,
    ...outOfReach(linked, counts.bound, matched),
    bySource(devices),
    ...guessed(devices),
    ...HEADINGS.flatMap(([end, heading]) => section(heading, devices, end)),
    ...unloaded(devices),
    ...section('no driver', devices, 'no-driver'),
    ...failedModules(census),
  ];
  return `${lines.join('\n')}\n`;
}

function section(heading: string, devices: readonly CensusDevice[], end: DeviceEnd): string[] {
  const those = devices.filter((device) => device.end === end);
  if (those.length === 0) return [];
  return ['', `${heading}:`, ...those.map(describe)];
}

function describe({ bus, name, driver, node, reason, answers }: CensusDevice): string {
  const where = bus === 'platform' ? name : `${bus} ${name}`;
  const by = driver === null ? node : driver;
  const guess = answers !== null && answers.broken > 0 ? ` [${answers.broken} polls broken]` : '';
  return `  ${where} (${by})${reason === null ? '' : `: ${reason}`}${guess}`;
}

function bySource(devices: readonly CensusDevice[]): string {
  const by = countAnswers(devices);
  const memory = `${by['plain memory']} plain memory, ${by['broken polls']} with broken polls`;
  return `registers of bound devices: ${by.models} modelled, ${memory}, ${by.none} have none`;
}

/** By the tree's links no hardware would bind them with this kernel: the share is told with and without them. */
function outOfReach({ waiting, bound: regardless }: LinkedToNoDriver, bound: number, matched: number): string[] {
  if (waiting.length === 0) return [];
  const counts = new Map<string, number>();
  for (const { lacks } of waiting) counts.set(lacks, (counts.get(lacks) ?? 0) + 1);
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  const each = sorted.map(([path, number]) => `${path} (${number})`).join(', ');
  const others = matched - waiting.length;
  const percent = (whole: number) => `${whole === 0 ? 0 : Math.floor((100 * bound) / whole)} %`;
  return [
    "matched devices that wait for one without a driver in this kernel, by the tree's links " +
      `(a guess; ${regardless} with such links are bound): ${waiting.length}, for ${each}`,
    `bound: ${percent(matched)} of the matched devices, ${percent(others)} of the ${others} that do not wait for such`,
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
