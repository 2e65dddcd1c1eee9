import { describe, expect, test } from 'vitest';
import type { Census, CensusDevice } from '../../harness/board/census.ts';
import { compareWithLog, isKernelLog } from '../../harness/board/hardware-log.ts';
import { causeOf } from '../../harness/board/likely-cause.ts';
import { formatComparison } from '../../harness/report/hardware-log.ts';
import { readConsole } from '../../harness/run/boot.ts';
import { node } from './trees.ts';

const unstamped = (...lines: string[]) => {
  const text = lines.map((line) => `${line}\n`).join('');
  return { text, ...readConsole(Buffer.from(text)) };
};
const log = (...lines: string[]) =>
  unstamped(...lines.map((line, n) => `[    1.${String(n).padStart(6, '0')}] ${line}`));
const device = (name: string, more: Partial<CensusDevice> = {}): CensusDevice => ({
  bus: 'platform',
  name,
  driver: null,
  node: `/${name}`,
  end: 'bound',
  matched: true,
  reason: null,
  waits: false,
  missing: [],
  answers: null,
  answeredBy: 'none',
  ...more,
});
const census = (...devices: CensusDevice[]): Census => ({
  devices,
  complete: true,
  crashes: [],
  modules: { loaded: 0, failed: [] },
  leftOut: [],
  modaliases: [],
});
const NO_TREE = { reservations: [], bootCpu: 0, root: node('', {}) };
const ends = (lines: string[], ...devices: CensusDevice[]) => {
  const { devices: told, untold } = compareWithLog(log(...lines), log(), census(...devices), NO_TREE);
  return { told: told.map(({ name, there }) => [name, there.end, there.evidence]), untold };
};

describe('what a log tells', () => {
  test.each([
    ['drv 1000.phy: Registered Acme phy', 'bound', 'said'],
    ['drv 1000.phy: hardware version 3', 'bound', 'spoke'],
    ["driver: 'drv': driver_bound: bound to device '1000.phy'", 'bound', 'said'],
    ['drv 1000.phy: probe with driver drv failed with error -22', 'failed', 'said'],
    ['1000.phy: ttyS0 at MMIO 0x1000 (irq = 5, base_baud = 0) is a ACME', 'bound', 'said'],
    ['drm 2000.gpu: bound 1000.phy (ops acme_ops)', 'bound', 'said'],
    ['remoteproc remoteproc0: 1000.phy is available', 'bound', 'said'],
    ['[drm] Initialized acme 1.9.0 20130625 for 1000.phy on minor 0', 'bound', 'said'],
    ['drv 1000.phy can0: successfully initialized.', 'bound', 'said'],
    ['drv 1000.phy: setting clock to 1970-01-01', 'bound', 'spoke'],
  ])('%s', (line, end, evidence) => {
    expect(ends([line], device('1000.phy'))).toEqual({ told: [['1000.phy', end, evidence]], untold: [] });
  });

  test.each([
    'drv 1000.phy: Adding to iommu group 3',
    'drv 1000.phy: supply vdd not found, using dummy regulator',
    'drv 1000.phy: failed to get clock',
    'drv 1000.phy: not registered',
    'platform 1000.phy: Fixing up cyclic dependency with 2000.clk',
    'something about 1000.phy',
  ])('nothing: %s', (line) => {
    expect(ends([line], device('1000.phy'))).toEqual({ told: [], untold: ['1000.phy'] });
  });

  test('a deferral ends with what the driver says later, and a failure does not', () => {
    const deferral = 'drv 1000.phy: Driver drv requests probe deferral';
    expect(ends([deferral], device('1000.phy')).told).toEqual([['1000.phy', 'deferred', 'said']]);
    expect(ends([deferral, 'drv 1000.phy: ready'], device('1000.phy')).told).toEqual([['1000.phy', 'bound', 'spoke']]);
    expect(ends([deferral, 'drv 1000.phy: Adding to iommu group 1'], device('1000.phy')).told).toEqual([]);
    expect(
      ends(['drv 1000.phy: version 1', 'drv: probe of 1000.phy failed with error -5'], device('1000.phy')).told,
    ).toEqual([['1000.phy', 'failed', 'said']]);
  });

  test('one address is one device where only one has it', () => {
    expect(ends(['drv 1000.pci: link up'], device('1000.pcie')).told).toHaveLength(1);
    expect(ends(['drv 1000.pci: link up'], device('1000.pcie'), device('1000.phy')).told).toEqual([]);
  });
});

test('the sum, each difference with its cause, order and identities', () => {
  const comparison = compareWithLog(
    log(
      'smmu 1000.iommu: \tstream matching with 76 register groups',
      'drv 2000.phy: Registered phy',
      'drv 3000.usb: version 2',
      'drv: probe of 4000.mmc failed with error -5',
      'drv 0000:01:00.0: hello there',
    ),
    log('drv 2000.phy: Registered phy', 'smmu 1000.iommu: \tstream matching with 12 register groups'),
    census(
      device('1000.iommu'),
      device('2000.phy', { end: 'no-driver', missing: ['phy_acme'] }),
      device('3000.usb', { end: 'failed', reason: 'error -110', answeredBy: 'plain memory' }),
      device('4000.mmc', { answeredBy: 'broken polls', answers: { reads: 9, writes: 0, broken: 7 } }),
      device('5000.silent'),
    ),
    NO_TREE,
  );
  expect(comparison.order).toEqual({
    there: ['1000.iommu', '2000.phy'],
    here: ['2000.phy', '1000.iommu'],
    inOrder: 1,
  });
  expect(formatComparison(comparison, 'dmesg.txt')).toBe(`
dmesg.txt: 1 of 4 devices whose end the log tells came to the same
  a line says the end of 2 (0 the same); a driver speaks for 2 (1 the same), and no failure follows: taken for bound
  0 (0 the same) must be bound because a device that needs them is
  1 device of the tree whose end the log does not tell; 1 that it speaks of have no node in the tree
  of 2 devices whose drivers speak in both, 1 came in the same order

bound there, not here:
  2000.phy: bound there (line 2, said), no-driver here: no driver loaded here: phy_acme
  3000.usb: bound there (line 3, its driver spoke), failed here: a guess: its registers are plain memory, a model is missing (error -110)

bound here, not there:
  4000.mmc: failed there (line 4, said), bound here: a guess: the hardware answers otherwise, or the kernels differ; bound here on 7 broken polls

what the hardware says it is: 0 of 1 the same
  1000.iommu stream mapping groups: 76 there, 12 here: a guess: nothing behind its bus holds this value, or the kernels differ
`);
});

test('a probe that failed for want of a firmware file is no matter of its registers', () => {
  const reason = 'error -22; the driver said: firmware: failed to load acme/codec.mbn (-2)';
  const codec: CensusDevice = {
    bus: 'platform',
    name: 'codec',
    driver: 'codec',
    node: '/codec',
    end: 'failed',
    matched: true,
    waits: false,
    reason,
    missing: [],
    answers: null,
    answeredBy: 'plain memory',
  };
  expect(causeOf('bound', codec)).toContain('a firmware file');
  expect(causeOf('bound', { ...codec, reason: 'error -22' })).toContain('a model is missing');
});

test('suppliers and masters of a bound device are bound, and what it may do without is not', () => {
  const tree = {
    ...NO_TREE,
    root: node(
      '',
      {},
      node('clk', { compatible: 'acme,clk', phandle: [1], '#clock-cells': [0], clocks: [2] }),
      node('xtal', { compatible: 'acme,xtal', phandle: [2], '#clock-cells': [0] }),
      node('smmu', { compatible: 'acme,smmu', phandle: [3], '#iommu-cells': [0] }),
      node('spi', { compatible: 'acme,spi', clocks: [1], iommus: [3] }, node('can', { compatible: 'acme,can' })),
      node('soc', { compatible: 'simple-bus' }, node('uart', { compatible: 'acme,uart' })),
    ),
  };
  const at = (name: string, path: string) => device(name, { node: path });
  const { devices, untold } = compareWithLog(
    log('drv spi0.0: registered', 'drv 1000.uart: registered'),
    log(),
    census(
      at('spi0.0', '/spi/can'),
      ...['clk', 'xtal', 'smmu', 'spi', 'soc'].map((name) => at(name, `/${name}`)),
      at('1000.uart', '/soc/uart'),
    ),
    tree,
  );
  expect(Object.fromEntries(devices.map(({ name, there }) => [name, there.evidence]))).toEqual({
    'spi0.0': 'said',
    '1000.uart': 'said',
    spi: 'implied',
    clk: 'implied',
    xtal: 'implied',
  });
  expect(untold).toEqual(['smmu', 'soc']);
});

test('a log of another machine is called one before anything is said of its devices', () => {
  const compared = (there: string, here: string) =>
    formatComparison(
      compareWithLog(
        log(`Machine model: ${there}`),
        log(`Machine model: ${here}`),
        census(device('1000.phy')),
        NO_TREE,
      ),
      'dmesg.txt',
    ).split('\n')[1];
  expect(compared('Acme Two', 'Acme One')).toBe(
    'dmesg.txt is of another machine, Acme Two, and the tree is of Acme One: most of this says nothing',
  );
  expect(compared('Acme One', 'Acme One')).toMatch(/^dmesg.txt: 0 of 0/);
  // As the Raspberry Pi's firmware fills it in.
  expect(compared('Acme One Rev 1.2', 'Acme One')).toMatch(/^dmesg.txt: 0 of 0/);
});

describe('a log without time stamps', () => {
  const LINES = [
    'Booting Linux on physical CPU 0x0000000000 [0x411fd070]',
    'drv 1000.phy: registered',
    'drv 2000.clk: version 1',
    'drv: probe of 2000.clk failed with error -5',
  ];
  const tree = census(device('1000.phy'), device('2000.clk'));
  const compared = (there: ReturnType<typeof log>) => compareWithLog(there, log(...LINES), tree, NO_TREE);

  test('tells the same as one with them, and a line says that its order is a guess', () => {
    const [without, stamped] = [compared(unstamped(...LINES)), compared(log(...LINES))];
    expect(without).toEqual({ ...stamped, stamped: false });
    expect(without.devices.map(({ name, there }) => [name, there.end])).toEqual([
      ['1000.phy', 'bound'],
      ['2000.clk', 'failed'],
    ]);
    const guess = 'no line of dmesg.txt has a time stamp: what came when is a guess by the order of its lines';
    expect(formatComparison(without, 'dmesg.txt').split('\n')[1]).toBe(guess);
    expect(formatComparison(stamped, 'dmesg.txt')).not.toContain('time stamp');
    // Levels are no times.
    expect(compared(unstamped(...LINES.map((line) => `<6>${line}`))).stamped).toBe(false);
  });

  test('is known by its words, and prose is none', () => {
    expect(isKernelLog(unstamped(...LINES))).toBe(true);
    expect(isKernelLog(log('anything'))).toBe(true);
    expect(isKernelLog(unstamped('<6>anything'))).toBe(true);
    expect(isKernelLog(unstamped('The board boots, and its drivers print a line each.', 'phy: 1000'))).toBe(false);
    expect(isKernelLog(unstamped())).toBe(false);
  });
});
