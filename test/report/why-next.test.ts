import { describe, expect, it } from 'vitest';
import { formatWhy } from '../../harness/report/why.ts';
import { whyUnbound } from '../../harness/verdict/why.ts';
import { summaryOf } from '../verdict/summary-of.ts';

/** What a person would do next about each root. */

let time = 0;
const stamped = (text: string) => `[   12.${String(++time).padStart(6, '0')}] ${text}`;
const pending = (device: string, reason: string) => stamped(`platform ${device}: deferred probe pending: ${reason}`);
const textOf = (...lines: string[]) => formatWhy(whyUnbound(summaryOf(lines)));
const nextOf = (...lines: string[]) =>
  textOf(...lines)
    .split('\n')
    .filter((line) => line.startsWith('  next: '))
    .map((line) => line.slice('  next: '.length));

describe('the next step', () => {
  it('is where a node names what the driver lacks, and what may be that comes first', () => {
    const clock = pending('1.dev', 'gadget: failed to get clk');
    expect(nextOf(clock)).toEqual([
      '`clocks` in its node says which: see whether that is bound; else enable its driver in the kernel, or load its module',
    ]);
    const controller = pending('2000.clock-controller', '(reason unknown)');
    expect(nextOf(clock, controller)[0]).toBe('find out first why 2000.clock-controller is not bound');
    const governor = pending('1.cci', 'gadget: failed to start the governor');
    expect(nextOf(governor)[0]).toContain('CONFIG_DEVFREQ_GOV_');
    expect(nextOf(pending('1.dev', 'gadget: not now'))).toEqual([
      '`ls -d /sys/bus/*/devices/1.dev/supplier:*`: what it needs by its node',
    ]);
  });

  it('needs a shell where the board has none', () => {
    const vague = pending('1.dev', 'gadget: not now');
    const root = stamped('Waiting for root device /dev/mmcblk0p1...');
    const where = 'in a shell, which needs an initramfs that has one: `ls -d ';
    expect(nextOf(vague, root)[0]?.startsWith(where)).toBe(true);
    const panic = stamped('Kernel panic - not syncing: Asynchronous SError Interrupt');
    expect(nextOf(vague, panic)[1]?.startsWith(where)).toBe(true);
    expect(nextOf(vague, root, stamped('Run /init as init process'))[0]).toMatch(/^`ls -d /);
    expect(nextOf(pending('1.dev', 'gadget: failed to get clk'), root)[0]).toMatch(/^`clocks` /);
  });

  it('is what the error of a probe means, or what the driver said before it', () => {
    const failed = (error: number, ...words: string[]) =>
      nextOf(
        ...words.map((line) => stamped(`gadget 1.dev: ${line}`)),
        stamped(`gadget 1.dev: probe with driver gadget failed with error -${error}`),
      )[0];
    expect(failed(121)).toContain('nothing answers there');
    expect(failed(2, 'Direct firmware load for gadget/a1.bin failed with error -2')).toBe(
      'put gadget/a1.bin into /lib/firmware, and into the initramfs where the driver is loaded before the root file ' +
        'system',
    );
    expect(failed(2, 'failed to get the core clk: -2')).toBe(
      '`clocks` in its node has to name a clock, and the right one',
    );
    expect(failed(2)).toContain('is not there, in its node (see the binding) or in the hardware');
    for (const words of ['phy init failed: -2', 'failed to enable its clock: -2'])
      expect(failed(2, words)).toContain('is not there, in its node (see the binding) or in the hardware');
    expect(failed(107, 'failed to get its remote endpoint: -107')).toContain('`remote-endpoint` in its node');
    expect(failed(107, 'failed to set up its clock: -107')).toContain('nothing answers there');
    expect(failed(999)).toBeUndefined();
    expect(failed(12, 'failed to allocate its ring: -12')).toContain('see what the kernel says before of memory');
    expect(failed(12, 'failed to get its regmap')).toBeUndefined();
    expect(failed(2, 'reset control not ready')).toMatch(/^the reset core makes a reset of `reset-gpios` only where/);
    expect(failed(2, 'failed to get the reset')).toContain('`resets` in its node has to name a reset controller');
    expect(failed(5)).toMatch(/^a transfer failed: see the lines before/);
    expect(failed(1)).toMatch(/^many a driver says -1 for any error/);
    expect(failed(1, 'transfer of the gadget failed (-6)')).toMatch(/^nothing answers there/);
    expect(failed(22, 'cannot read the chip: -110')).toContain('does not answer in time');
    expect(failed(110, 'gadget failed: -999')).toContain('does not answer in time');
    expect(failed(22, 'Failed to get reset-gpios', 'Unexpected id(000000), ret(-5)')).toMatch(/^a transfer failed/);
    expect(failed(22, 'Failed to get reset-gpios', 'cannot go on, ret(-22)')).toContain('`*-gpios` in its node');
    const taken = stamped('gadget-pinctrl 2.pinctrl: pin 7 already requested by 3.i2c; cannot claim for 1.dev');
    const late = stamped('gadget 1.dev: probe with driver gadget failed with error -22');
    expect(nextOf(taken, late)[0]).toBe('`pinctrl-0` of this node or of 3.i2c has to be another one');
  });

  it('is to load a provider earlier after a time-out, and an IOMMU that failed is told before a pin controller', () => {
    const over = (device: string) => stamped(`gadget ${device}: deferred probe timeout, ignoring dependency`);
    expect(nextOf(over('1.display'))[0]).toContain('deferred_probe_timeout=60');
    const smmu = [
      over('2.iommu'),
      stamped('gadget-smmu 2.iommu: probe with driver gadget-smmu failed with error -110'),
    ];
    const pins = pending('3.pinctrl', "gadget-pins: Failed to get clk 'core'");
    expect(nextOf(...smmu, over('1.gpu'), pins)).toContain('find out first why 2.iommu is not bound');
    expect(textOf(...smmu, pins)).not.toContain('perhaps for 3.pinctrl');
  });
});

describe('the reasons that drivers gave', () => {
  const silent = stamped('platform 1.dev: deferred probe pending');
  it.each([
    ['6.7.1-gadget', 'which 6.7 does not print'],
    ['5.4.0', 'boot with `dyndbg='],
    ['6.18.13', 'has the reasons that drivers gave'],
  ])('are where %s has them', (release, where) => {
    const [next] = nextOf(`[    0.000000] Linux version ${release} (gadget)`, silent);
    expect(next).toContain(where);
    expect(next).not.toContain('a kernel before 6.8');
    expect(nextOf(silent)[0]).toContain('a kernel before 6.8 does not print them');
  });
  it('are not said to be unprinted by a kernel that prints them', () => {
    expect(nextOf('[    0.000000] Linux version 6.8.0', silent)[0]).not.toContain('print');
  });
});

describe('several reasons that are the lack of one thing', () => {
  const banner = stamped('Linux version 6.9.0 (gadget)');
  const pcie = pending('1000.pcie', 'gadget-pcie: failed to initialize the phy');
  const usb = pending('2000.usb', 'gadget-usb: failed to initialize core');
  const together = 'that means all of these wait for a PHY, which the log does not name; no driver of such a device';

  it('are one, and are told together, where no driver speaks of such a thing', () => {
    const text = textOf(banner, pcie, pending('3000.lamp', 'gadget-lamp: no backlight'), usb);
    expect(text).toMatch(/^3 devices wait, for 2 reasons:\n/);
    expect(text).toMatch(/\n1000\.pcie: [^\n]*\n2000\.usb: [^\n]*\n {2}that means all of these wait for a PHY/);
    expect(text).toContain(together);
    expect(text.match(/`phys` in its node/g)).toHaveLength(1);
    expect(textOf(banner, pcie)).toContain('that means it waits for a PHY, which the log does not name\n');
  });

  it('are several where such a driver speaks, in a piece of a log, or where others wait for one of them', () => {
    for (const lines of [
      [banner, stamped('gadget-phy 4000.phy: ready to go'), pcie, usb],
      [pcie, usb],
      [banner, pcie, usb, pending('5000.disk', 'platform: supplier 2000.usb not ready')],
    ]) {
      const text = textOf(...lines);
      expect(text).toMatch(/^\d devices wait, for 2 reasons:\n/);
      expect(text).not.toContain('all of these');
    }
  });

  it('are one of what a chip has few of, whoever speaks', () => {
    const clock = stamped('gadget-clk 4000.clock-controller: ready to go');
    const waits = ['1000.i2c', '2000.spi'].map((name, at) =>
      pending(name, `gadget: ${at === 0 ? 'no' : 'which'} clock`),
    );
    expect(textOf(banner, clock, ...waits)).toMatch(
      /^2 devices wait, for 1 reason:\n[\s\S]*that means all of these wait for a clock, which the log does not name\n/,
    );
  });
});

describe('what drivers defer without a word', () => {
  it('is told by drivers where something waits for it, and otherwise together', () => {
    const wordless = (name: string, driver: string) =>
      stamped(`${driver} ${name}: Driver ${driver} requests probe deferral`);
    const text = textOf(
      wordless('regulator@1', 'gadget-regulator'),
      wordless('lamp', 'gadget-lamp'),
      wordless('cpufreq-gadget', 'cpufreq-gadget'),
      stamped('platform 1000.mmc: probe deferral - supplier regulator@1 not ready'),
    );
    expect(text).toContain('\nregulator@1: gadget-regulator defers it, and the log does not say why\n');
    expect(text).toContain('\nlamp, cpufreq-gadget: gadget-lamp, cpufreq-gadget defer them,');
  });
});

describe('a sound card', () => {
  const silent = (name: string) => pending(name, '(reason unknown)');
  it('is said to wait for the parts of the audio that wait too, as a guess', () => {
    const dai = pending('fe400000.i2s', 'gadget-i2s: Could not register PCM');
    expect(textOf(dai, silent('hdmi-sound'), silent('sound'))).toContain(
      '  hdmi-sound, sound may wait for their parts, which wait too: fe400000.i2s (guess by the names)\n',
    );
    expect(textOf(silent('sound'), silent('1.soundwire-controller'))).toContain('  sound may wait for its parts');
    expect(textOf(silent('sound'), silent('1.usb'))).not.toContain('parts');
    expect(textOf(silent('1.codec'), silent('2.i2s'))).not.toContain('parts');
    expect(textOf(silent('audio-card'), silent('1.usb'))).not.toContain('parts');
  });
});

describe('a long list of devices', () => {
  it('has those of a kind together, in several lines', () => {
    const names = Array.from({ length: 8 }, (_, n) => [`${n}1000000.codec`, `${n}2000000.soundwire`]).flat();
    const lines = textOf(...names.map((name) => pending(name, '(reason unknown)'))).split('\n');
    const from = lines.findIndex((line) => line.startsWith('Deferred without a reason'));
    expect(lines[from + 1]).toMatch(/^ {2}01000000\.codec, 11000000\.codec, .*,$/);
    expect(lines.slice(from, from + 4).every((line) => line.length <= 118)).toBe(true);
  });
});

describe('errors of drivers in a log that says nothing of a probe', () => {
  it('are told, those in the same words together, and not where something is deferred and known', () => {
    const gpios = ['1000.gpio', '2000.gpio'].map((device) => stamped(`gadget-gpio ${device}: failed to add gpiochip`));
    const text = textOf(...gpios);
    expect(text).toContain(
      'The driver core reports no device that is deferred and no probe that failed at the end of the log.',
    );
    expect(text).toContain('without a word of the driver core:\n  1000.gpio, 2000.gpio (gadget-gpio): failed to add');
    expect(textOf(...gpios, stamped('gadget-gpio 1000.gpio: 32 lines'))).not.toContain('1000.gpio');
    const clock = stamped('gadget 4.clock: no way: -12');
    const known = stamped('gadget 4.clock: probe with driver gadget failed with error -12');
    const text12 = textOf(...gpios.slice(0, 1), ...Array(9).fill(stamped('gadget 5.dev: ready')), clock, known);
    expect(text12).not.toContain('add gpiochip');
  });
});

describe('what is wrong with references in a node', () => {
  it('is told of its device, before what the driver makes of it', () => {
    const cells = stamped('OF: /soc/lamp@1000: #pwm-cells = 3 found 2');
    const says = stamped('gadget 1000.lamp: unable to request PWM');
    const fails = stamped('gadget 1000.lamp: probe with driver gadget failed with error -22');
    expect(textOf(cells, says, fails)).toContain(
      'its node /soc/lamp@1000: #pwm-cells = 3 found 2; unable to request PWM',
    );
    expect(nextOf(cells, says, fails)[0]).toContain('mend the node');
    const other = stamped('OF: /soc/lamp@2000: could not find phandle');
    expect(textOf(other, says, fails)).not.toContain('phandle');
  });
});
