import { describe, expect, it } from 'vitest';
import type { DeviceTree } from '../../harness/devicetree/tree.ts';
import { InputError } from '../../harness/errors.ts';
import { Drivers } from '../../harness/kernel/matches.ts';
import { ModuleMatcher, moduleInfo } from '../../harness/kernel/modalias.ts';
import { formatWhy } from '../../harness/report/why.ts';
import { whyBeside } from '../../harness/session/why-log.ts';
import { whyUnbound } from '../../harness/verdict/why.ts';
import { boardTree, clock, node, placed } from '../board/trees.ts';
import { summaryOf } from './summary-of.ts';

const cells = { '#clock-cells': [0] };
const tree = boardTree({
  more: placed([
    node('aliases', { i2c7: '/i2c@8000' }),
    clock('clock-controller@1000', 1),
    clock('clock-controller@2000', 2, { compatible: 'acme,other-clock' }),
    node('clock-controller@3000', { compatible: 'acme,off', phandle: [3], status: 'disabled', ...cells }),
    node('power-controller@a000', { compatible: 'acme,power', phandle: [6], '#power-domain-cells': [0] }),
    node('interconnect@4000', { compatible: 'acme,noc', phandle: [4], '#interconnect-cells': [1] }),
    node('mmc@5000', { compatible: 'acme,mmc', clocks: [1, 2], 'clock-names': ['iface', 'core'] }),
    node('gpu@6000', { compatible: 'acme,gpu', interconnects: [4, 0, 4, 1], 'power-domains': [6] }),
    node('video@7000', { compatible: 'acme,video', interconnects: [4, 2, 4, 1], 'power-domains': [6] }),
    node(
      'i2c@8000',
      { compatible: 'acme,i2c', clocks: [1] },
      node('charger@50', { compatible: 'acme,charger', reg: [0x50], clocks: [3] }),
    ),
    node('cpufreq@b000', { compatible: 'acme,cpufreq' }),
    node('sound', { compatible: 'acme,sound' }, node('link', {}, node('cpu', { 'sound-dai': [5] }))),
    node('dai@9000', { compatible: 'acme,dai', phandle: [5], '#sound-dai-cells': [0] }),
  ]),
});

/** A kernel with one driver that is a module, and no other. */
const kernel = {
  recipe: 'a-kernel',
  drivers: new Drivers(
    new Uint8Array(64),
    new ModuleMatcher({ modules: [moduleInfo('noc_acme', [['alias', 'of:N*T*Cacme,noc']])], builtin: [] }),
  ),
};

const beside = (board: DeviceTree, lines: readonly string[], known: typeof kernel | null = null) => {
  const summary = summaryOf(lines);
  return whyBeside(whyUnbound(summary), summary, { name: 'board.dtb', tree: board, kernel: known });
};
const namedIn = (lines: readonly string[]) => beside(tree, lines).beside.named;
const told = (lines: readonly string[], known: typeof kernel | null = null) => {
  const { found, ...more } = beside(tree, lines, known);
  return formatWhy(found, more);
};
const defers = (driver: string, device: string, words: string, n = 0) =>
  `[    3.${100_000 + n}] ${driver} ${device}: error -EPROBE_DEFER: ${words}`;
const bound = (device: string) => `[    2.000000] acme ${device}: driver: 'acme': driver_bound: bound to device`;

const GPU = defers('acme-gpu', '6000.gpu', 'failed to get interconnect path');
const VIDEO = defers('acme-video', '7000.video', 'no interconnect for the decoder', 1);

describe('what the device tree names where the log says only the kind', () => {
  it('is told in the root, with what the kernel has for it', () => {
    const text = told([GPU], kernel);
    expect(text).toContain('that means it waits for an interconnect');
    expect(text).toContain(
      '  by the tree it waits for 4000.interconnect (acme,noc), by `interconnects`: the log has no word of it; ' +
        'a-kernel has its driver as a module, noc_acme\n',
    );
    expect(text).toContain('next: load noc_acme, which drives acme,noc');
    expect(text).toContain('Drivers are those of a-kernel, which need not be the log');
  });

  it('needs no kernel', () => {
    const text = told([GPU]);
    expect(text).toContain('by `interconnects`: the log has no word of it\n');
    expect(text).not.toContain('a-kernel');
  });

  it('is one root where several wait for it, marked as by the tree', () => {
    const { found } = beside(tree, [GPU, VIDEO]);
    expect(found.roots).toMatchObject([
      {
        name: '4000.interconnect',
        cause: { cause: 'never-probed' },
        waiting: [
          { device: '6000.gpu', for: '4000.interconnect', known: 'tree', properties: ['interconnects'] },
          { device: '7000.video', for: '4000.interconnect', known: 'tree' },
        ],
      },
    ]);
    const text = told([GPU, VIDEO], kernel);
    expect(text).toContain('waiting, as the device tree links them: 6000.gpu (interconnects), 7000.video');
    expect(text).toContain('in the tree it is /interconnect@4000 (acme,noc); a-kernel has its driver as a module');
  });

  it('is no next step where the log has a device that is not bound and may be it', () => {
    const failed = '[    2.100000] acme-pm acme-power: probe with driver acme-pm failed with error -110';
    const waits = [
      defers('acme-gpu', '6000.gpu', 'failed to get power domain'),
      '[   13.100000] platform 6000.gpu: deferred probe timeout, ignoring dependency',
    ];
    expect(told(waits)).toContain('  next: enable the driver for acme,power');
    expect(told([failed, ...waits])).toContain('  by the tree it waits for a000.power-controller');
    expect(told([failed, ...waits])).toContain('  next: find out first why acme-power is not bound');
  });

  it('leaves roots alone that have gone on without it', () => {
    const timedOut = ['6000.gpu', '7000.video'].map(
      (device) => `[   12.000000] platform ${device}: deferred probe timeout, ignoring dependency`,
    );
    const { found, beside: known } = beside(tree, timedOut);
    expect(found.roots).toMatchObject([{ name: '6000.gpu', waiting: [] }, { name: '7000.video' }]);
    expect(known.named[0]?.missing).toMatchObject([{ name: 'a000.power-controller', properties: ['power-domains'] }]);
    expect(told(timedOut)).toContain('by the tree they wait for a000.power-controller (acme,power)');
  });

  it('is the entry that the words name, by the names beside the property', () => {
    const named = namedIn([defers('acme-mmc', '5000.mmc', 'failed to get core clock')]);
    expect(named).toMatchObject([
      { root: '5000.mmc', missing: [{ name: '2000.clock-controller', properties: ['clocks (core)'] }] },
    ]);
    const both = namedIn([defers('acme-mmc', '5000.mmc', 'failed to get scores clock')]);
    expect(both[0]?.missing.map(({ name }) => name)).toEqual(['1000.clock-controller', '2000.clock-controller']);
  });

  it('tells what is there by the log from what is not', () => {
    const lines = [bound('1000.clock-controller'), defers('acme-mmc', '5000.mmc', 'no clocks yet')];
    const [first] = namedIn(lines);
    expect(first?.there.map(({ name, state }) => [name, state])).toEqual([['1000.clock-controller', 'bound']]);
    expect(first?.missing.map(({ name, state }) => [name, state])).toEqual([['2000.clock-controller', 'untold']]);
    expect(told(lines)).toContain('the tree also names 1000.clock-controller (bound by the log)');
    const all = [...lines, bound('2000.clock-controller')];
    expect(told(all)).toContain(
      'the tree names only what is there by the log: 1000.clock-controller (bound by the log), 2000.clock',
    );
  });

  it('takes what a bound device needs for there', () => {
    const lines = [bound('8000.i2c'), defers('acme-mmc', '5000.mmc', 'no clocks yet')];
    expect(namedIn(lines)[0]?.there).toMatchObject([{ name: '1000.clock-controller', state: 'needed' }]);
  });

  it('goes below what the log itself has among what is not bound', () => {
    const noc = defers('acme-noc', '4000.interconnect', 'waiting for the firmware');
    expect(beside(tree, [GPU, noc]).found.roots).toMatchObject([
      { name: '4000.interconnect', cause: { cause: 'own-deferral' }, waiting: [{ device: '6000.gpu', known: 'tree' }] },
    ]);
  });

  it('says that a node is disabled, of an I2C device by the number of its bus', () => {
    const text = told([defers('acme-charger', '7-0050', 'cannot get the clock')]);
    expect(text).toContain('/clock-controller@3000 (acme,off), by `clocks`: its node is disabled there');
    expect(text).toContain('next: set `status` of /clock-controller@3000 to "okay"');
    expect(namedIn([defers('acme-charger', '6-0050', 'cannot get the clock')])).toHaveLength(1);
  });

  it('finds the parts of a sound card, which no supplier binding names', () => {
    const named = namedIn([defers('acme-sound', 'sound', 'cannot find the cpu dai')]);
    expect(named).toMatchObject([{ missing: [{ name: '9000.dai', properties: ['sound-dai'] }] }]);
  });

  it('asks the nodes of the CPUs what their frequency driver lacks', () => {
    const board = boardTree({
      cpus: { 'cpu@0': { interconnects: [4, 0, 4, 1] } },
      more: placed([
        node('interconnect@4000', { compatible: 'acme,noc', phandle: [4], '#interconnect-cells': [1] }),
        node('cpufreq@b000', { compatible: 'acme,cpufreq' }),
      ]),
    });
    const line = defers('acme-cpufreq', 'b000.cpufreq', 'Failed to find icc paths');
    expect(beside(board, [line]).beside.named).toMatchObject([{ missing: [{ name: '4000.interconnect' }] }]);
  });

  it('says so of what waits and has no node there', () => {
    expect(told([defers('acme-gpu', 'gone', 'failed to get interconnect path')])).toContain(
      'the tree has no node for it',
    );
  });

  it('is not guessed once more', () => {
    expect(told([GPU])).not.toContain('By the device tree');
    expect(beside(tree, [GPU]).byTree).toMatchObject({ guesses: [], open: 0 });
  });
});

describe('what the tree and the kernel know of a root that nobody probed', () => {
  const pending = '[   12.100000] platform 6000.gpu: deferred probe pending: platform: wait for supplier ';

  it.each([
    ['/interconnect@4000', 'in the tree it is /interconnect@4000 (acme,noc); a-kernel has its driver as a module'],
    ['/dai@9000', 'in the tree it is /dai@9000 (acme,dai); a-kernel has no driver for it'],
    ['/clock-controller@3000', 'its node /clock-controller@3000 is disabled in the tree'],
    ['/sound/link', 'no device is made of its node, /sound/link, which has no compatible in the tree'],
    ['/nowhere@77777', 'the tree has no node for it'],
  ])('%s', (supplier, words) => {
    expect(told([`${pending}${supplier}`], kernel)).toContain(words);
  });
});

describe('a log that names its machine, without a tree', () => {
  const more = (...lines: string[]) => formatWhy(whyUnbound(summaryOf(lines)), { unasked: 'Acme\u001b[2J Widget' });

  it('is told what tells more, where it leaves something open', () => {
    expect(more(GPU)).toMatch(
      /\nmore: `--kernel debian-stock:6.12` looks for the device tree of "Acme Widget" in .*\n$/,
    );
    expect(more('[   12.100000] platform 6000.gpu: deferred probe pending: (reason unknown)')).toContain('more: ');
  });

  it('is told nothing where it leaves nothing open', () => {
    expect(more('[    0.000000] Linux version 6.12.0')).not.toContain('more: ');
    expect(more('[    3.100000] acme-gpu 6000.gpu: probe with driver acme-gpu failed with error -22')).not.toContain(
      'more: ',
    );
  });
});

describe('a tree that is not that of the log', () => {
  const devices = (...names: string[]) => names.map((name, n) => defers('acme', name, 'no clock yet', n));

  it('is refused where it has hardly any of its devices', () => {
    const lines = devices('ff100000.a', 'ff200000.b', 'ff300000.c', 'ff400000.d', 'ff500000.e', '00005000.mmc');
    expect(() => beside(tree, ['[    0.000000] Machine model: Other board', ...lines])).toThrow(InputError);
    expect(() => beside(tree, ['[    0.000000] Machine model: Other board', ...lines])).toThrow(
      'board.dtb is of another board: of the log\'s 6 devices with an address it has 0; it is of "Board of a test", the ' +
        'log of "Other board"',
    );
    // Two thirds are of another SoC where the models differ, and may be of another version where they do not.
    const most = devices('5000.mmc', '6000.gpu', '7000.video', '8000.i2c', 'ff100000.a', 'ff200000.b');
    expect(() => beside(tree, ['[    0.000000] Machine model: Other board', ...most])).toThrow('it has 4');
    expect(beside(tree, most).beside).toMatchObject({ devices: 6, inTree: 4 });
    // So few say nothing.
    expect(beside(tree, lines.slice(0, 4)).beside).toMatchObject({ devices: 4, inTree: 0 });
  });

  it('is said to be of another model, and how many of the devices it has', () => {
    const text = told([
      `[    0.000000] Machine model: Acme\u001b[31m Other`,
      ...devices('00020000.i2c', '00030000.mmc'),
    ]);
    expect(text).toContain('board.dtb ("Board of a test", and the log is of "Acme');
    expect(text).toContain('it has 0 of the 2 devices with an address');
    expect(text).not.toContain('\u001b');
  });
});
