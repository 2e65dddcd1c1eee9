import { z } from 'zod';
import { type Link, suppliersOf } from '../board/suppliers.ts';
import type { DeviceTree } from '../devicetree/tree.ts';
import { count } from './text.ts';
import type { RecordedEvent } from './timeline.ts';
import { element, escapeXml } from './xml.ts';

/**
 * A board as the HTML report shows it: its devices by supplier, what bound when, and what each waited for. Plain HTML
 * that needs no script. Pure.
 */

/** The part of census.json (board/census.ts) that is shown. */
const censusSchema = z.object({
  complete: z.boolean(),
  devices: z.array(
    z.object({
      bus: z.string(),
      name: z.string(),
      driver: z.string().nullable(),
      node: z.string(),
      end: z.string(),
      matched: z.boolean(),
      reason: z.string().nullable(),
      answeredBy: z.string(),
    }),
  ),
});
type RecordedCensus = z.infer<typeof censusSchema>;

/** Null for what is no census of this version. */
export function readCensus(text: string): RecordedCensus | null {
  try {
    return censusSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** More than any board has; a census comes from a guest. */
const MOST_DEVICES = 2000;
/** Deeper consumers stand beside their suppliers. */
const MOST_DEPTH = 30;

interface Device {
  readonly id: number;
  readonly report: RecordedCensus['devices'][number];
  /** Microseconds of the guest's clock. */
  readonly first: number | null;
  readonly bound: number | null;
  /** What it was deferred for, in that order. */
  readonly waits: readonly string[];
  readonly links: readonly Link[];
  /** From 1; null for a device in none. */
  readonly cycle: number | null;
}

interface Picture {
  /** Of several on a page. */
  readonly number: number;
  readonly devices: readonly Device[];
  readonly cycles: readonly (readonly string[])[];
  /** By supplier: consumers that have it as their last supplier; those without one under null. */
  readonly consumers: ReadonlyMap<Device | null, readonly Device[]>;
  readonly byNode: ReadonlyMap<string, Device>;
  readonly end: number;
}

function pictureOf(
  number: number,
  census: RecordedCensus,
  tree: DeviceTree,
  events: readonly RecordedEvent[],
): Picture {
  const { links, cycles } = suppliersOf(tree);
  const cycleOf = new Map(cycles.flatMap((cycle, n) => cycle.map((path): [string, number] => [path, n + 1])));
  const linksOf = new Map<string, Link[]>();
  for (const link of links) linksOf.set(link.consumer, [...(linksOf.get(link.consumer) ?? []), link]);
  const lives = livesOf(events);
  const devices = census.devices.slice(0, MOST_DEVICES).map((report, id): Device => {
    const { first = null, bound = null, waits = [] } = lives.get(report.name) ?? {};
    return {
      id,
      report,
      first,
      bound: report.end === 'bound' ? bound : null,
      waits: [...waits],
      links: linksOf.get(report.node) ?? [],
      cycle: cycleOf.get(report.node) ?? null,
    };
  });
  // Of several devices of one node, the first is the one that others name.
  const byNode = new Map(devices.toReversed().map((device) => [device.report.node, device]));
  const consumers = new Map<Device | null, Device[]>();
  for (const device of devices) {
    const supplier = lastSupplier(device, byNode);
    consumers.set(supplier, [...(consumers.get(supplier) ?? []), device]);
  }
  const time = ({ bound, first }: Device) => bound ?? first ?? Number.MAX_SAFE_INTEGER;
  for (const those of consumers.values()) those.sort((a, b) => time(a) - time(b));
  const end = events.reduce((latest, { time }) => Math.max(latest, time ?? 0), 1);
  return { number, devices, cycles, consumers, byNode, end };
}

interface Life {
  first: number | null;
  bound: number | null;
  readonly waits: Set<string>;
}

function livesOf(events: readonly RecordedEvent[]): Map<string, Life> {
  const lives = new Map<string, Life>();
  for (const { event, device, time, reason } of events) {
    if (device === undefined) continue;
    const life = lives.get(device) ?? { first: null, bound: null, waits: new Set<string>() };
    lives.set(device, life);
    if (event === 'matched' || event === 'probe-entered') life.first ??= time;
    else if (event === 'bound') life.bound = time;
    else if (event === 'deferred' && typeof reason === 'string') life.waits.add(reason);
  }
  return lives;
}

/**
 * The supplier that was there last, or is not there: what the device could not come before. Links within a cycle are
 * not enforced.
 */
function lastSupplier(device: Device, byNode: ReadonlyMap<string, Device>): Device | null {
  let last: Device | null = null;
  for (const { supplier } of device.links) {
    const other = byNode.get(supplier);
    if (other === undefined || (other.cycle !== null && other.cycle === device.cycle)) continue;
    if (last === null || (other.bound ?? Number.MAX_SAFE_INTEGER) > (last.bound ?? Number.MAX_SAFE_INTEGER))
      last = other;
  }
  return last;
}

/** The board of a cell as a section of the page; `number`: of several on one page. */
export function formatBoardPicture(
  number: number,
  title: string,
  census: RecordedCensus,
  tree: DeviceTree,
  events: readonly RecordedEvent[],
): string {
  const picture = pictureOf(number, census, tree, events);
  const { devices, cycles, consumers } = picture;
  const of = (end: string) => devices.filter(({ report }) => report.end === end).length;
  const matched = devices.filter(({ report }) => report.matched).length;
  const roots = consumers.get(null) ?? [];
  const [trees, alone] = [roots.filter((root) => consumers.has(root)), roots.filter((root) => !consumers.has(root))];
  const others = devices.length - roots.length;
  return element('section', { class: 'board' }, [
    `<h2>${escapeXml(title)}</h2>`,
    text(
      'p',
      `${of('bound')} of ${matched} matched devices bound, ${of('deferred')} deferred, ${of('failed')} failed; ` +
        `${devices.length} devices, ${of('no-driver')} without a driver.`,
    ),
    ...(census.complete ? [] : [text('p', 'The boot ended before its devices could be counted.', 'bad')]),
    ...(census.devices.length === devices.length
      ? []
      : [text('p', `${census.devices.length - devices.length} more devices are in census.json.`)]),
    text(
      'p',
      'Each device stands below the supplier that it could bind after last, by the properties that fw_devlink ' +
        'follows (iommus and dmas only where it is strict). The bar is the time of the boot: pale from the ' +
        'first probe on, dark where it was bound.',
      'dim',
    ),
    ...(cycles.length === 0 ? [] : [cyclesOf(cycles)]),
    `<h3>${count(trees.length, 'device')} without a supplier, with the ${others} that have one</h3>`,
    list(picture, trees, 1),
    `<details><summary>${count(alone.length, 'device')} without suppliers and consumers</summary>`,
    list(picture, alone, 1),
    '</details>',
  ]);
}

function text(name: string, words: string, className?: string): string {
  return element(name, { class: className }, [escapeXml(words)]);
}

function cyclesOf(cycles: Picture['cycles']): string {
  const items = cycles.map((cycle, n) => text('li', `cycle ${n + 1}: ${cycle.join(', ')}`));
  const summary = `<summary>${cycles.length} cycles, whose links fw_devlink does not enforce</summary>`;
  return `<details>${summary}<ul>${items.join('')}</ul></details>`;
}

function list(picture: Picture, devices: readonly Device[], depth: number): string {
  return devices.length === 0 ? '' : `<ul class="tree">${devices.map((one) => row(picture, one, depth)).join('')}</ul>`;
}

const SECOND = 1_000_000;

function seconds(time: number): string {
  return `${(time / SECOND).toFixed(3)} s`;
}

function row(picture: Picture, device: Device, depth: number): string {
  const { report, bound, first, cycle } = device;
  const below = picture.consumers.get(device) ?? [];
  const isBad = report.end !== 'bound' && report.matched;
  const when = bound ?? first;
  const mark = report.end === 'bound' ? 'good' : isBad ? 'bad' : 'dim';
  const summary = [
    text('span', report.end, `end ${mark}`),
    ' ',
    text('b', report.name),
    ' ',
    text('span', [report.driver ?? '', when === null ? '' : seconds(when)].join(' '), 'dim'),
    ...(cycle === null ? [] : [' ', text('span', `↻ cycle ${cycle}`, 'bad')]),
    ...(below.length === 0 ? [] : [text('span', ` ${below.length} below`, 'dim')]),
    bar(picture, device),
  ];
  const isFlat = depth >= MOST_DEPTH;
  return [
    `<li><details id="${anchor(picture, device)}"${depth === 1 && below.length > 0 ? ' open' : ''}>`,
    `<summary>${summary.join('')}</summary>`,
    facts(picture, device),
    isFlat ? '' : list(picture, below, depth + 1),
    '</details></li>',
    isFlat ? below.map((one) => row(picture, one, depth)).join('') : '',
  ].join('');
}

/** Shares of the width, in hundredths. */
const WIDTH = 1000;

function bar({ end }: Picture, { first, bound, report }: Device): string {
  const begin = first ?? bound;
  if (begin === null) return '';
  const at = (time: number) => Math.round((WIDTH * time) / end);
  const until = bound ?? end;
  const label = bound === null ? `first probe at ${seconds(begin)}, never bound` : `bound at ${seconds(bound)}`;
  const attributes = { class: 'when', viewBox: `0 0 ${WIDTH} 6`, preserveAspectRatio: 'none', role: 'img' };
  return element('svg', { ...attributes, 'aria-label': `${report.name}: ${label}` }, [
    element('rect', { class: 'wait', x: at(begin), y: 0, width: Math.max(1, at(until) - at(begin)), height: 6 }),
    ...(bound === null
      ? []
      : [element('rect', { class: 'bound', x: at(bound), y: 0, width: Math.max(1, WIDTH - at(bound)), height: 6 })]),
  ]);
}

function anchor({ number }: Picture, { id }: Device): string {
  return `board-${number}-device-${id}`;
}

function facts(picture: Picture, { report, waits, links }: Device): string {
  const suppliers = links.map(({ supplier, properties }) => {
    const other = picture.byNode.get(supplier);
    const name =
      other === undefined
        ? escapeXml(supplier)
        : `<a href="#${anchor(picture, other)}">${escapeXml(other.report.name)}</a> ${escapeXml(
            other.bound === null ? other.report.end : seconds(other.bound),
          )}`;
    return `<li>${name} ${text('span', `(${properties.join(', ')})`, 'dim')}</li>`;
  });
  return [
    text('p', `${report.bus} ${report.node}; registers: ${report.answeredBy}`, 'dim'),
    ...(report.reason === null ? [] : [text('p', report.reason, report.matched ? 'bad' : 'dim')]),
    ...(waits.length === 0 ? [] : [`<p>deferred:</p><ul>${waits.map((one) => text('li', one)).join('')}</ul>`]),
    ...(suppliers.length === 0 ? [] : [`<p>suppliers:</p><ul>${suppliers.join('')}</ul>`]),
  ].join('');
}
