import { describe, expect, it } from 'vitest';
import { formatWhy } from '../../harness/report/why.ts';
import { whyUnbound } from '../../harness/verdict/why.ts';
import { summaryOf } from './summary-of.ts';

/** Where somebody who is asked why devices are stuck looks first. */

const whyOf = (...lines: string[]) => whyUnbound(summaryOf(lines));
const order = (...lines: string[]) => whyOf(...lines).roots.map(({ name }) => name);
const stamped = (ms: number, text: string) => `[${(ms / 1000).toFixed(6).padStart(12)}] ${text}`;
const failed = (ms: number, device: string) =>
  stamped(ms, `gadget ${device}: probe with driver gadget failed with error -5`);
const pending = (device: string, reason: string) =>
  stamped(11000, `platform ${device}: deferred probe pending: ${reason}`);

describe('what is told first', () => {
  const waitsAdc = pending('1.adc', 'gadget-adc: failed to get its regulator');

  it('is what is deferred, before a probe that failed and for which nothing waits', () => {
    expect(order(failed(900, '2.lamp'), waitsAdc)).toEqual(['1.adc', '2.lamp']);
    const text = formatWhy(whyOf(failed(900, '2.lamp'), pending('1.adc', '(reason unknown)')));
    expect(text.indexOf('1.adc')).toBeLessThan(text.indexOf('2.lamp'));
    expect(text.indexOf('2.lamp')).toBeGreaterThan(0);
  });

  it('is a probe that failed where others wait for it, or may', () => {
    const supplier = pending('3.sensor', 'platform: supplier 2.lamp not ready');
    expect(order(failed(900, '2.lamp'), waitsAdc, supplier)).toEqual(['2.lamp', '1.adc']);
    expect(order(failed(900, '2.clock-controller'), waitsAdc)).toEqual(['2.clock-controller', '1.adc']);
    const vague = stamped(901, 'gadget-adc 1.adc: cannot go on: -517');
    expect(order(failed(900, '2.lamp'), vague)).toEqual(['2.lamp', '1.adc']);
    const between = Array.from({ length: 8 }, (_, n) => stamped(900, `gadget line ${n}`));
    expect(order(failed(900, '2.lamp'), ...between, vague)).toEqual(['1.adc', '2.lamp']);
  });

  it('is the one that most wait for, those that wait for it by a guess among them', () => {
    const pins = stamped(2000, "gadget 1800.pinctrl: Couldn't get bank PA regulator: -517");
    const others = [failed(900, '2.lamp'), failed(950, 'pmic-regulator')];
    expect(order(...others, pins)).toEqual(['pmic-regulator', '1800.pinctrl', '2.lamp']);
  });

  it('is where several guesses in a row end', () => {
    const chip = pending('8.pwrap:pmic', 'gadget-mfd: IRQ index 0 not found');
    const power = pending('9.power-controller', 'gadget-pd: failed to get power supply');
    const domains = [1, 2, 3].map((n) => pending(`dev-${n}`, 'platform: supplier 9.power-controller not ready'));
    const pins = pending('1.serial', 'platform: wait for supplier /soc/pinctrl@10018000/uart-pins');
    expect(order(chip, power, ...domains, pins).slice(0, 2)).toEqual(['10018000.pinctrl', '8.pwrap:pmic']);
  });

  it('is the processor that switches what several lack', () => {
    const lacks = (device: string) => pending(device, 'gadget: Failed to get supply vdda');
    const remote = pending('remoteproc', 'gadget-rpm-proc: Failed to register smd-edge');
    const alarm = pending('3.spmi:pmic@0:alarm@2400', 'gadget-alarm: cannot go on');
    const found = whyOf(lacks('1.camera'), lacks('2.bridge'), alarm, remote);
    expect(found.roots[0]?.name).toBe('remoteproc');
    expect(formatWhy(found)).toMatch(/1\.camera, 2\.bridge: [^\n]+\n[^\n]+\n +perhaps for remoteproc, not/);
  });

  it('is a part that many wait for, of what the log does not name', () => {
    const waits = (n: number) => pending(`dev-${n}`, 'platform: wait for supplier ledgrp');
    expect(order(waitsAdc, waits(1), waits(2), waits(3))).toEqual(['ledgrp', '1.adc']);
    expect(order(waitsAdc, waits(1))).toEqual(['1.adc', 'ledgrp']);
    expect(order(failed(900, '2.lamp'), waits(1))).toEqual(['ledgrp', '2.lamp']);
  });

  it('is of many that may provide it the one that failed', () => {
    const gpios = [1, 2, 3, 4, 5, 6].map((n) => pending(`${n}0.gpio`, '(reason unknown)'));
    const lacks = pending('7.serial', 'gadget-uart: IRQ index 0 not found');
    const perhapsOf = (...lines: string[]) =>
      whyOf(...gpios, lacks, ...lines).roots.flatMap(({ cause }) =>
        cause.cause === 'own-deferral' ? [cause.perhaps] : [],
      );
    expect(perhapsOf()).toEqual([[]]);
    expect(perhapsOf(failed(900, '8.bus:gpc@303a0000'))).toEqual([['8.bus:gpc@303a0000']]);
    expect(order(...gpios, lacks, failed(900, '8.bus:gpc@303a0000'))[0]).toBe('8.bus:gpc@303a0000');
    const four = [1, 2, 3, 4].map((n) => failed(900, `a${n}.interrupt-controller`));
    expect(perhapsOf(...four)).toEqual([[]]);
  });

  it('is what a driver has left alone, where nothing else provides that', () => {
    const probes = [
      stamped(800, "bus: 'platform': really_probe: probing driver gadget with device 9.mailbox"),
      stamped(801, 'gadget: probe of 9.mailbox rejects match -6'),
    ];
    const lacks = pending('1.power', 'gadget-qmp: failed to acquire ipc mailbox');
    const perhapsOf = (...lines: string[]) =>
      whyOf(...lines).roots.flatMap(({ cause }) => (cause.cause === 'own-deferral' ? cause.perhaps : []));
    expect(perhapsOf(...probes, lacks)).toEqual(['9.mailbox']);
    expect(perhapsOf(...probes, lacks, pending('a.mailbox', '(reason unknown)'))).toEqual(['a.mailbox']);
  });

  it('is the supplier that the driver core named before the time-out ended the wait for it', () => {
    const over = [
      stamped(800, 'platform 5.gpu: error -EPROBE_DEFER: supplier 6.watchdog not ready'),
      stamped(900, 'gadget-gpu 5.gpu: deferred probe timeout, ignoring dependency'),
    ];
    const fails = (error: number) =>
      stamped(901, `gadget-gpu 5.gpu: probe with driver gadget-gpu failed with error -${error}`);
    expect(whyOf(...over, fails(110)).roots).toMatchObject([
      { name: '6.watchdog', cause: { cause: 'never-probed' }, waiting: [{ device: '5.gpu' }] },
    ]);
    expect(order(...over, fails(22))).toEqual(['5.gpu']);
  });

  it('is the IOMMU whose registers are beside those of what the time-out let go', () => {
    const over = (device: string) => stamped(12000, `gadget ${device}: deferred probe timeout, ignoring dependency`);
    const iommus = ['fdc38700', 'fdc40700', 'fe000000', 'fe100000'].map((at) => pending(`${at}.iommu`, 'gadget'));
    const perhapsOf = (device: string, ...lines: string[]) =>
      whyOf(...lines, over(device)).roots.flatMap(({ name, cause }) =>
        name === device && cause.cause === 'timed-out' ? cause.perhaps : [],
      );
    expect(perhapsOf('fdc38000.video-codec', ...iommus)).toEqual(['fdc38700.iommu']);
    expect(perhapsOf('fdc40000.video-codec', ...iommus.slice(0, 2))).toEqual(['fdc40700.iommu']);
    expect(perhapsOf('1000000.video-codec', ...iommus)).toEqual([]);
    expect(perhapsOf('1000000.video-codec', ...iommus.slice(0, 2))).toEqual(['fdc38700.iommu', 'fdc40700.iommu']);
    expect(perhapsOf('fe080000.video-codec', ...iommus.slice(2))).toEqual(['fe000000.iommu', 'fe100000.iommu']);
  });

  it('is that processor, too, for what the time-out let go and for what gives no reason', () => {
    const fails = (driver: string) =>
      stamped(900, `${driver} 3.system-controller: probe with driver ${driver} failed with error -22`);
    const over = stamped(12000, 'gadget 4.serial: deferred probe timeout, ignoring dependency');
    const wordless = [
      stamped(950, 'calling  gadget_init+0x0/0x10 @ 1'),
      stamped(951, 'probe of 5.lamp returned 517 after 20 usecs'),
    ];
    const perhapsOf = (...lines: string[]) =>
      whyOf(...lines).roots.flatMap(({ cause }) =>
        cause.cause === 'timed-out' || cause.cause === 'own-deferral' ? [cause.perhaps] : [],
      );
    expect(perhapsOf(fails('ti-sci'), over)).toEqual([['3.system-controller']]);
    expect(perhapsOf(fails('ti-sci-inta'), over)).toEqual([[]]);
    expect(perhapsOf(fails('ti-sci'), ...wordless)).toEqual([['3.system-controller']]);
    expect(perhapsOf(fails('ti-sci-inta'), ...wordless)).toEqual([[]]);
    expect(perhapsOf(...wordless, fails('ti-sci'))).toEqual([[]]);
  });

  it('is no flash chip, unless what waits needs what is on it', () => {
    const fails = stamped(900, 'spi-nor spi0.0: probe with driver spi-nor failed with error -110');
    const guessFor = (device: string) => formatWhy(whyOf(fails, pending(device, '(reason unknown)')));
    expect(guessFor('1.pcie')).not.toContain('may wait for what failed');
    expect(guessFor('1.pcie')).toContain('for which nothing is seen to wait:\n  spi0.0');
    expect(guessFor('gadget_storage')).toContain('may wait for what failed (guess): spi0.0');
  });

  it('is who provides a GPIO to all of them, where three lack one', () => {
    const lacks = (device: string, words: string) => pending(device, `gadget: ${words}`);
    const three = [
      lacks('1.pcie', 'no reset gpio'),
      lacks('lamp', 'cannot get GPIO 0'),
      lacks('vcc', "can't get GPIO"),
    ];
    expect(formatWhy(whyOf(...three))).toMatch(/By their words 3 lack a GPIO: who provides that/);
  });

  it('is that nothing is deferred, where probes failed by themselves', () => {
    const text = formatWhy(whyOf(failed(900, '2.lamp'), failed(950, '3.lamp')));
    expect(text).toMatch(/^No device is said to wait; 2 probes failed:/);
    expect(formatWhy(whyOf(failed(900, '2.lamp'), waitsAdc))).toMatch(/^1 device waits, for 1 reason; 1 probe failed:/);
    const root = stamped(12000, 'VFS: Cannot open root device "sda1" or unknown-block(0,0): error -6');
    expect(formatWhy(whyOf(failed(900, '2.lamp'), root))).toMatch(/^1 probe failed:/);
    expect(whyOf(root.replace('sda1', '(null)')).rootDevice).toMatchObject({ name: null });
  });

  it('is what waits, before a line of each that failed and for which nothing is seen to wait', () => {
    const said = stamped(900, 'gadget 2.lamp: cannot read its id, error -6');
    const text = formatWhy(whyOf(waitsAdc, said, failed(901, '2.lamp'), failed(950, '3.lamp')));
    expect(text).toMatch(
      /wait:\n {2}2\.lamp \(gadget\): error -5 \(EIO\), it said before: .*id, error -6 \(line 2\)\n {2}3\.lamp \(gadget\): /,
    );
    expect(text.match(/next:/g)).toHaveLength(1);
    // It may be what the device cannot be bound for.
    const part = stamped(960, 'gadget-dc 1000.display: failed to bind 2000.gpu (ops gadget_ops): -19');
    const clock = pending('4.adc', 'gadget-adc: no clock');
    expect(formatWhy(whyOf(failed(900, '3000.iommu'), part, clock))).toContain(
      '\n\n3000.iommu: the probe of gadget failed',
    );
  });

  it('is the root device, where it may be behind what waits', () => {
    const root = stamped(12000, 'Waiting for root device /dev/mmcblk0p1...');
    const text = formatWhy(whyOf(pending('1.rtc', '(reason unknown)'), pending('2.mmc', '(reason unknown)'), root));
    expect(text).toMatch(/^2 devices wait.*\n\nThe root device \S+ is not there; .*: 2\.mmc\n\nDeferred/);
  });

  it('is at last that the log has no beginning', () => {
    const missing = '\n\nThe log does not begin where a boot does: what is missing may tell more.\n';
    expect(formatWhy(whyOf(waitsAdc)).endsWith(missing)).toBe(true);
    const banner = stamped(0, 'Linux version 6.6.1 (gadget) #1 SMP');
    expect(formatWhy(whyOf(banner, waitsAdc))).not.toContain(missing);
  });

  it('are providers that failed alike, of what does not say for what it waits', () => {
    const clocks = ['1000.clock-controller', '2000.clock-controller'].map((name, n) => failed(900 + n, name));
    const vague = stamped(5000, 'gadget-pd 3000.power: cannot go on: -517');
    const found = whyOf(...clocks, vague, pending('4.lamp', 'platform: supplier 3000.power not ready'));
    expect(found.roots).toMatchObject([
      { name: '1000.clock-controller' },
      { name: '2000.clock-controller' },
      { name: '3000.power', cause: { perhaps: ['1000.clock-controller', '2000.clock-controller'] } },
    ]);
    const powerIn = (...lines: string[]) => whyOf(...lines).roots.find(({ name }) => name === '3000.power');
    const told = stamped(5000, 'gadget-pd 3000.power: failed to get its PWM: -517');
    expect(powerIn(...clocks, told)).toMatchObject({ cause: { perhaps: [] } });
    const many = Array.from({ length: 65 }, (_, n) => failed(900 + n, `${n}.clock-controller`));
    expect(powerIn(...many, vague)).toMatchObject({ cause: { perhaps: [] } });
    const early = stamped(100, 'gadget-pd 3000.power: cannot go on: -517');
    expect(powerIn(early, ...clocks)).toMatchObject({ cause: { perhaps: [] } });
  });

  it('is a probe that failed, before what may be bound', () => {
    const over = stamped(11000, 'gadget-i2c 4.i2c: deferred probe timeout, ignoring dependency');
    expect(order(over, failed(900, '2.lamp'))).toEqual(['2.lamp', '4.i2c']);
  });
});
