import { expect, test } from 'vitest';
import { formatBoardPicture, readCensus } from '../../harness/report/board-picture.ts';
import { boardTree, clock, node } from '../board/trees.ts';

const tree = boardTree({
  more: [
    clock('clock@1000', 101),
    clock('clock@2000', 102, { clocks: [101] }),
    node('uart@4000', { compatible: 'acme,uart', clocks: [101, 102] }),
    clock('pll@5000', 103, { clocks: [104] }),
    clock('phy@6000', 104, { clocks: [103] }),
  ],
});

const ATTACK = '"><script>document.title="owned"</script>';

const device = (name: string, path: string, more: object = {}) => ({
  bus: 'platform',
  name,
  driver: 'acme',
  node: path,
  end: 'bound',
  matched: true,
  reason: null,
  answeredBy: 'models',
  ...more,
});

const census = readCensus(
  JSON.stringify({
    complete: true,
    devices: [
      device('1000.clock', '/clock@1000'),
      device('2000.clock', '/clock@2000'),
      device('4000.uart', '/uart@4000', { end: 'deferred', reason: ATTACK }),
      device('5000.pll', '/pll@5000'),
      device(ATTACK, '/phy@6000', { driver: ATTACK, answeredBy: ATTACK, bus: ATTACK }),
    ],
  }),
);

const at = (time: number, event: string, name: string, reason: string | null = null) => ({
  event,
  line: 1,
  time,
  device: name,
  reason,
});

const html =
  census === null
    ? ''
    : formatBoardPicture(0, 'acme', census, tree, [
        at(1_000_000, 'bound', '1000.clock'),
        at(2_000_000, 'bound', '2000.clock'),
        at(1_500_000, 'probe-entered', '4000.uart'),
        at(1_600_000, 'deferred', '4000.uart', `supplier 2000.clock not ready ${ATTACK}`),
        at(3_000_000, 'bound', '5000.pll'),
        at(3_500_000, 'bound', ATTACK),
      ]);

/** Names in the order of the page, each with how deep it stands. */
function shape(): string[] {
  let depth = 0;
  return [...html.matchAll(/<ul class="tree">|<ul>|<\/ul>|<b>([^<]*)<\/b>/g)].flatMap(([tag, name]) => {
    if (tag.startsWith('<ul')) depth++;
    else if (tag === '</ul>') depth--;
    return name === undefined ? [] : [`${'-'.repeat(depth - 1)}${name}`];
  });
}

test('each device stands once, below the supplier that was there last', () => {
  expect(shape()).toEqual([
    '1000.clock',
    '-2000.clock',
    '--4000.uart',
    '5000.pll',
    '&quot;&gt;&lt;script&gt;document.title=&quot;owned&quot;&lt;/script&gt;',
  ]);
});

test('cycles are marked, and their links make nothing wait', () => {
  expect(html).toContain('cycle 1: /phy@6000, /pll@5000');
  expect(html.match(/↻ cycle 1/g)).toHaveLength(2);
});

test('when each bound, what it waited for and its suppliers', () => {
  expect(html).toContain('aria-label="1000.clock: bound at 1.000 s"');
  expect(html).toContain('aria-label="4000.uart: first probe at 1.500 s, never bound"');
  expect(html).toContain('<li>supplier 2000.clock not ready');
  expect(html).toContain('<a href="#board-0-device-1">2000.clock</a> 2.000 s <span class="dim">(clocks)</span>');
});

test('nothing that a guest says is markup, a script or a style', () => {
  expect(html).not.toContain('<script');
  expect(html).not.toMatch(/ (?:style|on[a-z]+)=/);
});

test('what is no census is none', () => {
  for (const text of ['', '{', '[]', '{"complete":true}', 'null']) expect(readCensus(text)).toBeNull();
});
