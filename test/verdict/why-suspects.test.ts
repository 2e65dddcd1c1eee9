import { describe, expect, it } from 'vitest';
import { formatWhy } from '../../harness/report/why.ts';
import { whyUnbound } from '../../harness/verdict/why.ts';
import { summaryOf } from './summary-of.ts';

const why = (...lines: string[]) => whyUnbound(summaryOf(lines));
const at = (seconds: number, text: string) => `[${seconds.toFixed(6).padStart(12)}] ${text}`;
const pending = (device: string) => at(12, `platform ${device}: deferred probe pending: (reason unknown)`);
const suspects = (...lines: string[]) => why(...lines).complaints.map(({ device }) => device);

describe('an error that may be why something is not bound', () => {
  const card = [pending('sound'), pending('3200000.codec')];
  const noImage = at(1, 'gadget_q6 3000000.remoteproc: error -22 initializing firmware gadget/adsp.mbn');
  const noStart = at(1.1, "remoteproc remoteproc0: can't start rproc 3000000.remoteproc: -22");

  it('is that of a processor that runs the audio, once, before what other suppliers report', () => {
    const clock = at(0.5, 'gadget-clk 5000.clock-controller: failed to lock');
    const found = why(clock, noImage, noStart, ...card);
    expect(found.complaints).toMatchObject([
      { device: '3000000.remoteproc', tie: { kind: 'audio', devices: ['sound', '3200000.codec'] } },
      { device: '5000.clock-controller', tie: null },
    ]);
    expect(formatWhy(found)).toMatch(/ \(line 2\)\n {4}of the audio too, by the names: sound, 3200000\.codec\n/);
    expect(suspects(noStart, pending('a.usb'))).toEqual(['remoteproc0']);
  });

  it('is that of a processor, too, where the log says only of what kind the missing supplier is', () => {
    const lacks = at(12, "platform 3c0000.pinctrl: deferred probe pending: gadget-lpi: Failed to get clk 'audio'");
    expect(suspects(at(1, "remoteproc remoteproc0: can't start rproc adsp: -110"), lacks, ...card)).toEqual([
      'remoteproc0',
    ]);
    expect(suspects(at(1, 'gadget-i2c 5000.i2c: failed to start'), lacks)).toEqual([]);
  });

  it.each([
    ['its driver', 'gadget-gpio 6000.gpio: cannot read, error -5', 'gadget-gpio 6000.gpio: 32 lines'],
    ['a processor', noStart.slice(15), 'remoteproc remoteproc0: remote processor 3000000.remoteproc is now up'],
    ['a supply', 'vcc_gadget: failed to enable: -110', 'vcc_gadget: 1800 mV, enabled'],
  ])('is none once later words show that %s works', (_, error, works) => {
    expect(suspects(at(1, error), pending('a.usb'))).toHaveLength(1);
    expect(suspects(at(1, error), at(2, works), pending('a.usb'))).toEqual([]);
    expect(suspects(at(0.5, works), at(1, error), pending('a.usb'))).toHaveLength(1);
  });

  it.each([
    'gadget-clk 1f000.clock-controller: Failed to create device link (0x180) with b.pmic',
    'gadget-phy 1f000.phy: Invalid MAC address: 0, error -22',
    'gadget-tpm 1f000.spi: error 256 in the self test',
    'gadget-gpio 1f000.gpio: IRQ index 0 not found',
    'gadget-rtc 1f000.pmic: hctosys: unable to read the clock',
    'gadget-leaf 1f000.lamp: failed with -22',
    'gadget-pil 1f000.remoteproc: error monitoring and handling cannot stop now',
    'gadget-gauge 1f000.pmic: failed to send its uevent: -22',
  ])('is not: %s', (error) => {
    expect(suspects(at(1, error), pending('a.usb'))).toEqual([]);
    expect(suspects(at(1, 'gadget-clk 1f000.clock-controller: failed with -22'), pending('a.usb'))).toHaveLength(1);
  });

  it('is that of a pin controller without its interrupt where the IRQ core says why just before, also after a time-out', () => {
    const irq = at(2, 'irq: type mismatch, failed to map hwirq-0 for interrupt-controller@1f00c00!');
    const [none, other] = [1, 2].map((n) => at(2, `gadget-pins ${n}f000.pinctrl: IRQ index ${n} not found`));
    const timeout = at(5, 'gadget-mmc 5000.mmc: deferred probe timeout, ignoring dependency');
    expect(why(irq, none ?? '', pending('a.usb')).complaints).toMatchObject([
      { device: '1f000.pinctrl', words: expect.stringMatching(/^irq: type mismatch, .*; IRQ index 1 not found$/) },
    ]);
    expect(suspects(irq, at(2, 'gadget'), none ?? '', pending('a.usb'))).toEqual([]);
    const text = formatWhy(why(irq, none ?? '', other ?? '', timeout));
    expect(text).toMatch(
      /5000\.mmc: the deferred probe timeout .*\n {2}perhaps for 1f000\.pinctrl, of which .*: irq: /,
    );
  });

  it('is that of a codec for what is of the audio, by its driver', () => {
    const codec = at(1, 'sgtl900 0-000a: Error reading chip id -6');
    expect(why(codec, ...card).complaints).toMatchObject([{ device: '0-000a', tie: { kind: 'audio' } }]);
    expect(suspects(codec, pending('a.usb'))).toEqual([]);
  });

  it('is that of a PMIC for what changes the frequency of the CPUs, also beside a better guess for others', () => {
    const pmic = at(1, 'acme-pca9999 0-0025: Read device id error');
    const apart = Array.from({ length: 9 }, () => at(1, 'gadget'));
    const failed = at(2, 'pca9599: probe of 2-0020 failed with error -11');
    const found = why(pmic, ...apart, failed, pending('cpufreq-dt'));
    expect(found.complaints).toEqual([]);
    const fed = why(pmic.replace('9999', '9450'), ...apart, failed, pending('cpufreq-dt'), pending('regulator-gadget'));
    expect(fed.complaints).toMatchObject([
      { device: '0-0025', tie: { kind: 'feeds the CPUs', devices: ['cpufreq-dt'] } },
    ]);
    expect(formatWhy(fed)).toContain('    a PMIC, which feeds the CPUs as a rule: cpufreq-dt\n');
  });

  it('is that of a chip after which a device is named that waits', () => {
    const chip = at(1, 'ti-sn650 2-002c: failed to read its id, error -6');
    const of = (device: string) => why(chip, pending(device)).complaints;
    expect(of('backlight-sn650')).toMatchObject([{ device: '2-002c', tie: { kind: 'by name' } }]);
    expect(of('backlight-sn651')).toEqual([]);
    const ofSoc = at(1, 'sn650-pins 1000.pinctrl: failed to read its id, error -6');
    expect(why(ofSoc, pending('backlight-sn650')).complaints).toMatchObject([{ tie: null }]);
    expect(formatWhy(why(chip, pending('backlight-sn650')))).toContain('named after the same chip: backlight-sn650\n');
  });

  it('is none of what supplies nobody just before a pin controller defers who asks for its pins', () => {
    const pins = [
      at(2.001, 'gadget-pins 1800.pinctrl: request() failed for pin 65'),
      at(2.001, 'gadget-pins 1800.pinctrl: pin-65 (2000.mmc) status -517'),
    ];
    expect(suspects(at(2, 'gadget-codec: Failed to locate its node'), ...pins)).toEqual([]);
  });

  it('is told once where the pin controller and who asks it say the same', () => {
    const refused = 'pin 5 already requested by fb; cannot claim for headset';
    const both = [at(1, `gadget-pins 1800.pinctrl: ${refused}`), at(1.1, `gadget-jack headset.3: ${refused}`)];
    expect(suspects(...both, pending('a.usb'))).toEqual(['1800.pinctrl']);
  });

  it('is none that is reported after the last word of what waits', () => {
    const clock = (seconds: number) => at(seconds, 'gadget-clk 1f000.clock-controller: failed with -22');
    expect(suspects(clock(11), pending('a.usb'))).toHaveLength(1);
    expect(suspects(pending('a.usb'), clock(13))).toEqual([]);
  });

  it('is none of a bus, which tells of a transfer', () => {
    expect(suspects(at(1, 'gadget-i2c 5000.i2c: transfer failed, i2c error :-107'), pending('a.usb'))).toEqual([]);
    expect(suspects(at(1, 'gadget-i2c 5000.i2c: failed to get its clock'), pending('a.usb'))).toHaveLength(1);
  });

  it.each([
    'hub 4-0:1.0: config failed, it has no ports! (err -19)',
    'ieee80211 phy0: failed to set its promiscuous mode, -52',
    'g_gadget gadget_udc.0: failed to start g_gadget: -22',
    "OF: fdt:not creating '/sys/firmware/fdt': CRC check failed",
    'NUMA: Failed to initialise from firmware',
    '[drm:gadget_host_transfer] *ERROR* DSI transfer failed, resetting: -6',
    'gadget-codec 1-001a: ASoC: Failed to create its debugfs file',
  ])('is, where nothing is open, no end of a probe: %s', (text) => {
    expect(suspects(at(1, text))).toEqual([]);
  });

  it.each([
    ['1000.gadget', 'gadget 1000.gadget: failed to get its clock: -2'],
    ['gadget_dsi_bind', '[drm:gadget_dsi_bind] *ERROR* failed to get its panel: -19'],
    ['ueventd', 'ueventd: firmware: could not load gadget.bin, request failed'],
  ])('may be, where nothing is open, that of a probe: of %s', (device, text) => {
    expect(suspects(at(1, text))).toEqual([device]);
  });

  it('is none where the driver leaves the device alone', () => {
    const fails = at(1.001, 'gadget-clk 1f000.clock-controller: init failed - -19');
    const off = at(1, 'gadget-clk 1f000.clock-controller: this one will be deactivated');
    expect(suspects(fails, pending('a.usb'))).toHaveLength(1);
    expect(suspects(off, fails, pending('a.usb'))).toEqual([]);
  });

  it('has in common with others that lack a supplier of the kind what is told once, and is a deferral by its number', () => {
    const lacks = (n: number) => at(1, `gadget-i2c-${n} ${n}000.i2c: its clock not found`);
    const open = at(12, 'platform 9.ethernet: deferred probe pending: gadget-mac: no clock');
    const text = formatWhy(why(lacks(1), lacks(2), open));
    expect(text).toMatch(
      / 1000\.i2c .*\n {2}2000\.i2c .*\n {4}the same kind of a supplier is lacked by: 9\.ethernet\n/,
    );
    expect(formatWhy(why(at(1, 'gadget_get: no supply, ret=-517'), open))).toContain('-517 (line 1), a deferral\n');
  });

  it('is not told where all that is not bound has its reason', () => {
    const failed = at(2, 'gadget: probe of 1.lamp failed with error -22');
    const itself = at(1.9, 'gadget 1.lamp: a lamp of no kind, error -22');
    expect(suspects(at(1, 'gadget-clk 5000.clock-controller: failed to lock'), itself, failed)).toEqual([]);
  });
});

describe('a failed probe that what has no reason may wait for', () => {
  const failed = (driver: string, device: string) =>
    at(1, `${driver} ${device}: probe with driver ${driver} failed with error -5`);
  const clock = failed('rtc-gadget', '1-0051');
  const guess = (...lines: string[]) => / {2}(it may wait for .*)\n/.exec(formatWhy(why(...lines)))?.[1];

  it.each([
    ['mcp23s99', '1-0038', '1-0038 (mcp23s99)'],
    ['gadget-fw', 'gadget_firmware', 'gadget_firmware'],
    ['gadget', '1000.mailbox', '1000.mailbox'],
    ['gadget-ocotp', '2000.x', '2000.x (gadget-ocotp)'],
  ])('is that of a supplier by its driver or its name: %s %s', (driver, device, told) => {
    expect(guess(clock, failed(driver, device), pending('leds'))).toMatch(
      `it may wait for what failed (guess): ${told}`,
    );
  });

  it.each(['rk899-charger', 'rk899-battery', 'panel-clockwork'])(
    'is not that of what supplies nobody: %s',
    (driver) => {
      expect(guess(failed(driver, 'gadget.2'), pending('leds'))).toBeUndefined();
    },
  );

  it.each([
    ['gadget-pwm', '1000.pwm', 'backlight', 'vendor_storage'],
    ['gadget-usb2phy', '2000.phy', '3000.usb', '3000.crypto'],
  ])('is that of what only some need, for these alone: %s', (driver, device, needs, other) => {
    expect(guess(failed(driver, device), pending(needs))).toContain(device);
    expect(guess(failed(driver, device), pending(other))).toBeUndefined();
  });

  it('is told instead of errors that have no tie to what waits', () => {
    const mailbox = failed('gadget', '1000.mailbox');
    const [other, ofSound] = [
      at(0.5, 'gadget-clk 5000.clock-controller: failed to lock'),
      at(0.6, 'gadget-q6 3000000.remoteproc: error -22 initializing firmware gadget/adsp.mbn'),
    ];
    const apart = Array.from({ length: 9 }, () => at(0.7, 'gadget'));
    const of = (first: string, second: string, ...lines: string[]) =>
      formatWhy(why(first, second, ...apart, ...lines, pending('sound')));
    expect(of(other, ofSound)).toContain('failed to lock');
    expect(of(other, ofSound, mailbox)).not.toContain('failed to lock');
    expect(of(other, ofSound, mailbox)).toContain('adsp.mbn');
  });

  it('is told after what waits, and before failures that nothing may wait for', () => {
    const text = formatWhy(why(clock, failed('mcp23s99', '1-0038'), pending('leds')));
    expect(text).toMatch(
      /: leds\n[\s\S]*\n1-0038: [\s\S]*\n\nProbes that failed, for .*\n {2}1-0051 \(rtc-gadget\): error -5 \(EIO\) \(line 1\)\n/,
    );
  });
});

describe('an error where nothing is deferred or failed', () => {
  it('is told with a number first, and is none that says only what is not there', () => {
    const lacks = at(1, 'gadget-battery gadget-battery: Failed to find its id');
    const fails = at(2, 'gadget-cam 4-0036: Unexpected id (000000), ret(-5)');
    const without = at(3, 'gadget-eth 1000.ethernet: no reset control found');
    expect(suspects(lacks, fails, without)).toEqual(['4-0036', 'gadget-battery']);
  });

  it('is not why a part could not be bound that is bound now', () => {
    const said = at(1, '[drm:gadget_hdmi_bind] *ERROR* Failed to get pixel clock');
    const fails = at(1, 'gadget-drm soc:gpu: failed to bind 1000.hdmi (ops gadget_ops): -517');
    const binds = at(2, 'gadget-drm soc:gpu: bound 1000.hdmi (ops gadget_ops)');
    expect(suspects(said, fails, binds)).toEqual([]);
    expect(formatWhy(why(said, fails))).toContain('1000.hdmi: its driver defers it: Failed to get pixel clock');
    expect(suspects(said)).toEqual(['gadget_hdmi_bind']);
    expect(suspects(at(1, 'gadget 3000.lamp: cannot go on'), fails, binds)).toEqual(['3000.lamp']);
  });

  it('is none that its tag calls information, just before a probe that failed', () => {
    const failed = at(1.1, 'gadget-ipe: probe of 1000.ipe failed with error -22');
    const said = (tag: string) => at(1.09, `${tag}: GADGET-EEPROM: gadget_get_data: 150 No line found`);
    expect(suspects(said('GADGET_ERR'), failed)).toEqual(['GADGET_ERR']);
    expect(suspects(said('GADGET_INFO'), failed)).toEqual([]);
  });

  it('is what is said of a CPU for the device that changes its frequency', () => {
    const empty = (seconds: number) => at(seconds, "cpu cpu0: OPP table can't be empty");
    const silent = (...lines: string[]) => why(...lines).silent.map(({ device }) => device);
    expect(silent(empty(1))).toEqual(['cpu0']);
    expect(silent(empty(1), empty(2))).toEqual(['cpu0']);
  });

  it('is none that came at each of several attempts and not when all was tried again', () => {
    const banner = at(0, 'Linux version 5.10.3 (gadget)');
    const fails = (seconds: number) => at(seconds, 'gadget-pmic 0-001b: failed to register the first regulator');
    const speak = [1, 2, 3].map((n) => at(4 + n / 10, `gadget-clk ${n}000000.clock: rate 7`));
    expect(suspects(banner, fails(1), fails(2), ...speak)).toEqual([]);
    expect(suspects(banner, fails(1), ...speak)).toEqual(['0-001b']);
    expect(suspects(banner, fails(1), ...speak, fails(5))).toEqual(['0-001b']);
  });

  it('is no name of something that has such a word in it', () => {
    const names = [
      'options: gadget.x=1 allow_mismatched_parts=2',
      'get error-stage-offset(0x98)',
      'error handling is up',
    ];
    for (const words of names) expect([words, suspects(at(1, `gadget 1000.flag: ${words}`))]).toEqual([words, []]);
    for (const words of ['mismatched parts', 'error-code 5', 'parts_mismatch', 'error 5'])
      expect([words, suspects(at(1, `gadget 1000.flag: ${words}`))]).toEqual([words, ['1000.flag']]);
  });
});

describe('a probe that fails without a word', () => {
  const fails = (error: number) => `gadget-supply: probe of vio failed with error -${error}`;
  const gpio = 'gadget-gpio 1000.gpio: Failed to get GPIO 4: -5';

  it('is asked about at who reports an error just before, where the number may mean much', () => {
    const text = (...lines: string[]) =>
      formatWhy(whyUnbound(summaryOf(lines.map((line) => `[    1.000001] ${line}`))));
    expect(text(gpio, fails(22))).toContain('next: see first what is said of 1000.gpio just before (line 1)');
    expect(text(gpio, fails(121))).toContain('next: nothing answers there');
    expect(text(gpio, 'gadget: ready', fails(22))).toContain('compare it with the binding');
  });

  it('may fail for a request to the firmware that is refused', () => {
    const refused = 'gadget-firmware soc:firmware: Request 0x00030043 returned status 0x00000000';
    const found = whyUnbound(summaryOf([refused, fails(22)].map((line) => `[    1.000001] ${line}`)));
    expect(found.complaints).toMatchObject([{ device: 'soc:firmware' }]);
  });
});

describe('a pin controller that a wait may be for', () => {
  const over = 'gadget-x 1000.clock-controller: ignoring dependency for device, assuming no driver';
  const text = (...lines: string[]) => formatWhy(whyUnbound(summaryOf(lines.map((line) => `[    1.000001] ${line}`))));

  it('is none that is asked for what it does not have, nor what cannot have its own pins', () => {
    const asked = 'gadget-pinctrl 2000.pinctrl: invalid function pinctrl in map table';
    expect(text(asked, over)).not.toContain('perhaps for');
    expect(text('gadget-pinctrl 2000.pinctrl: failed to map its registers', over)).toContain('perhaps for');
    const claims = 'gadget-pinctrl 2000.pinctrl: pin P7 already requested by 1.x; cannot claim for soc:amp_pinctrl';
    const fails = 'gadget-cdc soc:amp_pinctrl: Error applying setting, reverse things back';
    expect(text(claims, fails, over)).not.toContain('perhaps for');
  });
});
