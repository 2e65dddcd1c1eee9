import { describe, expect, it } from 'vitest';
import { formatWhy } from '../../harness/report/why.ts';
import { whyUnbound } from '../../harness/verdict/why.ts';
import { summaryOf } from './summary-of.ts';

const why = (...lines: string[]) => whyUnbound(summaryOf(lines));
const at = (seconds: number, text: string) => `[${seconds.toFixed(6).padStart(12)}] ${text}`;
const pending = at(12, 'platform a.usb: deferred probe pending: (reason unknown)');
const silent = (...lines: string[]) => why(...lines).silent.map(({ device }) => device);

const NO_CARD = 'mmc0: Failed to initialize a non-removable card';

describe('what says of itself that it did not come up', () => {
  it.each([
    ['4-0036', 'ovgadget 4-0036: Unexpected sensor id(000000), ret(-5)'],
    ['4-0036', 'gadget-ts 4-0036: chip id mismatch: 0x0'],
    ['7-0024', 'gadget-expander 7-0024: failed writing register'],
    ['5-0051', 'gadget-rtc 5-0051: RTC chip is not present'],
    ['2-003c', 'gadget-cam 2-003c: Camera is not found'],
    ['1000.mmc', 'gadget-mmc 1000.mmc: Cannot find pinctrl!'],
    ['4-0036', 'Gadget-TS 4-0036: I2C communication failure: -6'],
    ['fe100000.pcie', 'gadget-pcie fe100000.pcie: PCIe Link Fail'],
    ['fe100000.pcie', 'gadget-pcie fe100000.pcie: failed to initialize host'],
    ['1000.sensor', 'gadget-tsens 1000.sensor: tsens calibration failed'],
    ['thermo', 'gadget-thermo thermo: Failed to register thermal zone: -19'],
    ['2000.vpu', 'gadget-vpu 2000.vpu: firmware request failed'],
    ['mmc2', 'mmc2: Failed to initialize a non-removable card'],
    ['cpu0', "cpu cpu0: OPP table can't be empty"],
  ])('is told besides what waits, and alone: of %s', (device, text) => {
    expect(silent(at(1, text), pending)).toEqual([device]);
    expect(silent(at(1, text))).toEqual([device]);
    expect(why(at(1, text)).complaints).toEqual([]);
  });

  it('is not what several devices of a driver do without, nor what one says that has spoken before', () => {
    const lacks = (n: number) => at(1, `gadget-i2c ${n}000.i2c: cannot get registers`);
    expect(silent(lacks(1), lacks(2))).toHaveLength(2);
    expect(silent(lacks(1), lacks(2), lacks(3))).toEqual([]);
    expect(silent(at(1, 'gadget-i2c 1000.i2c: 400 kHz'), lacks(1))).toEqual([]);
  });

  it('is no card that comes later, and nothing that goes on trying or does without', () => {
    const later = at(2, 'mmc0: new HS200 MMC card at address 0001');
    expect(silent(at(1, NO_CARD), later, at(2, 'mmcblk0: mmc0:0001 GADGET 14.7 GiB'))).toEqual([]);
    for (const words of ['failed to initialize core, retrying', 'cannot get the clock', 'Default firmware load failed'])
      expect([words, silent(at(1, `gadget-x 1000.x: ${words}`), pending)]).toEqual([words, []]);
  });

  it('is told of a card with what its host says', () => {
    const host = at(1, "gadget-msdc 1000.mmc: no support for the card's volts");
    const card = [at(1, 'mmc0: error -22 whilst initialising MMC card'), at(1, NO_CARD)];
    const found = why(host, ...card);
    expect(found.silent).toMatchObject([{ device: 'mmc0', before: { device: '1000.mmc', line: 1 } }]);
    expect(found.complaints).toEqual([]);
    expect(formatWhy(found)).toContain("\n    just before, of 1000.mmc: no support for the card's volts (line 1)\n");
    expect(formatWhy(why(...Array.from({ length: 4 }, () => [host, ...card]).flat()))).not.toContain('was deferred');
    const other = at(1, 'gadget-uart 2000.serial: error -22: no port');
    const announced = at(2, 'mmc1: SDHCI controller on 1000.mmc [1000.mmc] using ADMA');
    for (const lines of [
      [other, ...card],
      [host, ...card, announced],
    ])
      expect(why(...lines).silent).toMatchObject([{ device: 'mmc0', before: null }]);
  });

  it.each([
    ['an error that ends no probe', 'gadget-cam 4-0036: Failed to get its debug file'],
    ['a regulator that a dummy stands for', 'gadget-ts 4-0036: failed to find its supply, using dummy regulator'],
    ['a deferral', 'gadget-cam 4-0036: failed to initialize, -517'],
    ['a class', 'thermal thermal_zone3: failed to initialize, -19'],
    ['a gadget of a controller that is there', 'configfs-gadget 1000.usb: failed to start g1: -19'],
    ['a function', 'gadget gadget_link_init: failed to initialize'],
    ['the lack of a log that only people read', 'gadget-dai 1000.dai: failed to init IPC logging: -19'],
    ['what goes by another way', 'gadget-spi 1000.spi: dma setup error -19, use pio'],
    ['another frequency, with a card', 'mmc2: error -110 whilst initialising SD card'],
  ])('is not %s', (_, text) => {
    expect(silent(at(1, text), pending)).toEqual([]);
  });

  it('is nothing that works later, that has been there for long, or that is tried again with such an error', () => {
    const fails = 'gadget-cam 4-0036: Failed to get its channels, -19';
    expect(silent(at(1, fails), pending)).toEqual(['4-0036']);
    expect(silent(at(1, fails), at(1.1, 'gadget-cam 4-0036: 12 Mpx'), pending)).toEqual([]);
    expect(silent(at(1, 'gadget-cam 4-0036: 12 Mpx'), at(30, fails), pending)).toEqual([]);
    expect(silent(at(1, fails), at(5, fails), pending)).toEqual([]);
  });

  it('has no words that are said of devices that work, too', () => {
    const says = (device: string, words: string) => at(1, `gadget-pcie ${device}.pcie: ${words}`);
    const all = (device: string) => says(device, 'reading 0xffff0001 is an initialization error');
    const works = [all('1000'), says('1000', 'host bridge found')];
    expect(silent(all('2000'), pending)).toEqual(['2000.pcie']);
    expect(silent(...works, all('2000'), pending)).toEqual([]);
    expect(why(...works, all('2000'), says('2000', 'PCIe controller setup failed'), pending).silent).toMatchObject([
      { device: '2000.pcie', words: 'PCIe controller setup failed', line: 4 },
    ]);
  });

  it('has no words of a program that speaks next', () => {
    const fails = at(1, 'mmc2: Failed to initialize a non-removable card of somebody');
    expect(why(fails, "/bin/sh: can't access tty").silent).toMatchObject([
      { words: 'Failed to initialize a non-removable card of somebody' },
    ]);
  });

  it('has the words, too, with which another one failed, and neither has those of one that works', () => {
    const says = (device: string, words: string) => at(1, `gadget-cam ${device}: ${words}`);
    const failed = at(1.1, 'gadget-cam 4-0010: probe with driver gadget-cam failed with error -121');
    const works = [says('4-0030', 'no reset line, which is an error'), says('4-0030', '12 Mpx')];
    const fails = (device: string) => [
      says(device, 'no reset line, which is an error'),
      says(device, 'Unexpected chip id 0x0'),
    ];
    const found = why(...works, ...fails('4-0020'), ...fails('4-0010'), failed);
    expect(found.silent).toMatchObject([{ device: '4-0020', words: 'Unexpected chip id 0x0' }]);
    expect(found.roots).toMatchObject([{ name: '4-0010', evidence: 'Unexpected chip id 0x0' }]);
  });

  it('is told once, after what may be the cause of what waits', () => {
    const codec = at(1, 'sgtl900 0-000a: Error reading chip id -6');
    const clock = at(1, 'rtc-gadget 0-0068: failed to identify, -6');
    const card = pending.replace('a.usb', 'sound');
    const found = why(codec, clock, card);
    expect(found.complaints).toMatchObject([{ device: '0-000a' }]);
    expect(found.silent).toMatchObject([{ device: '0-0068' }]);
    expect(formatWhy(found)).toMatch(
      /of the audio too[^\n]*\n\nThese say in their own words that they did not come up/,
    );
  });

  it('is one line of those that say alike', () => {
    const cpus = [1, 2, 3].map((n) => at(1, `gadget-debug ${n}000.debug: CPU${n} debug arch init failed`));
    expect(formatWhy(why(...cpus))).toContain(
      '  1000.debug, 2000.debug, 3000.debug (gadget-debug): CPU1 debug arch init failed (line 1)\n',
    );
  });

  it('is of a bus where several on it say alike', () => {
    const says = (device: string) => at(1, `gadget-gpio ${device}: Unexpected chip id, -6`);
    expect(formatWhy(why(says('7-0020'), says('7-0021')))).toContain('all of these are on I2C bus 7: that may be');
    for (const others of [[], [says('6-0021')], [says('1000.gpio')]])
      expect(formatWhy(why(says('7-0020'), ...others))).not.toContain('I2C bus');
  });

  it('has the warning of the kernel in a probe that comes just before', () => {
    const warning = [
      '------------[ cut here ]------------',
      'WARNING: CPU: 0 PID: 21 at drivers/gadget/of.c:874 gadget_add_table+0x5f4/0x6e4',
      'CPU: 0 PID: 21 Comm: kworker/0:1 Not tainted 5.10.10 #1',
      'Call trace:',
      ' gadget_add_table+0x5f4/0x6e4',
      ' gadget_cpufreq_probe+0x2bc/0x3e4',
      ' platform_probe+0x48/0x98',
      ' really_probe+0x208/0x4f0',
      '---[ end trace 01035aec03bfa84a ]---',
    ].map((text) => at(3, text));
    const empty = at(3.1, "cpu cpu0: OPP table can't be empty");
    expect(formatWhy(why(...warning, empty))).toMatch(
      /OPP table can't be empty \(line 10\)\n {4}just before, in gadget_cpufreq_probe\(\): WARNING in gadget_add_table \(line 1\)\n/,
    );
    expect(why(...warning, at(3.1, 'a'), at(3.1, 'b'), empty).silent).toMatchObject([{ warning: null }]);
  });
});
