import { describe, expect, it } from 'vitest';
import { formatWhy } from '../../harness/report/why.ts';
import { whyUnbound } from '../../harness/verdict/why.ts';
import { summaryOf } from './summary-of.ts';

/** What drivers say besides the driver core's own messages, and what people make of a log. */

const why = (...lines: string[]) => whyUnbound(summaryOf(lines));
/** No two lines of one boot are printed in the same microsecond. */
let time = 0;
const stamped = (text: string) => `[   12.${String(++time).padStart(6, '0')}] ${text}`;
const pending = (device: string, reason: string) => stamped(`platform ${device}: deferred probe pending: ${reason}`);

describe('a device', () => {
  it('is bound where the subsystem that it registers with names it', () => {
    const waits = stamped('gadget-mmc 1000.mmc: ignoring dependency for device, assuming no driver');
    const there = stamped('mmc0: SDHCI controller on 1000.mmc [1000.mmc] using ADMA');
    expect(why(waits).roots).toMatchObject([{ name: '1000.mmc' }]);
    expect(why(waits, there).roots).toEqual([]);
  });

  it('that its driver declines is not one whose probe has not returned', () => {
    const entered = stamped("bus: 'platform': really_probe: probing driver gadget with device 1000.gadget");
    const declined = stamped('gadget: probe of 1000.gadget rejects match -19');
    expect(why(entered).roots).toMatchObject([{ cause: { cause: 'not-returned' } }]);
    expect(why(entered, declined).roots).toEqual([]);
    expect(why(entered, stamped('gadget 1000.gadget: probe with driver gadget rejects match -6')).roots).toEqual([]);
    // initcall_debug is on with such messages as a rule, and its other lines are of others.
    const initcall = stamped('initcall acme_init+0x0/0x40 returned -19 after 12 usecs');
    expect(why(entered, initcall, declined).roots).toEqual([]);
  });

  it('that its driver declines after an error of its own is one whose probe failed', () => {
    const attempt = (device: string) => [
      stamped(`gadget ${device}: cannot register the sensor`),
      stamped(`gadget: probe of ${device} rejects match -19`),
    ];
    expect(formatWhy(why(...attempt('1000.gadget'), ...attempt('2000.gadget')))).toContain(
      '; 2 probes failed:\n\n1000.gadget, 2000.gadget: the probe of gadget failed with error -19',
    );
    const bound = stamped("driver: 'other': driver_bound: bound to device '1000.gadget'");
    expect(why(...attempt('1000.gadget'), bound).unbound).toBe(0);
  });

  it('of an interrupt controller may never be made, so that its driver is not looked for', () => {
    const waits = stamped('platform 1.pcie: deferred probe pending: pci: wait for supplier /interrupt-controller@0');
    expect(formatWhy(why(waits))).toContain('next: it may be set up early, without a device');
  });
});

describe('what a driver says of an error', () => {
  it('is quoted with the line in which it begins', () => {
    const failed = stamped('gadget: probe of 1000.gadget failed with error -5');
    const [first, last] = ['cannot read its number', 'cannot go on: -5'].map((text) =>
      stamped(`gadget 1000.gadget: ${text}`),
    );
    const other = stamped('other 2000.other: has 4 lines');
    const lines = [other, first ?? '', other, '', last ?? '', failed];
    expect(formatWhy(why(...lines))).toContain('it said before: cannot read its number; cannot go on: -5 (line 2)\n');
    expect(formatWhy(why(other, '', last ?? '', failed))).toContain('it said before: cannot go on: -5 (line 3)\n');
    const node = 'OF: /soc/gadget@1000: could not get #gadget-cells for /soc/other@2000';
    expect(formatWhy(why(stamped(node), failed))).toContain('for /soc/other@2000 (line 1)\n');
    // Without words it is the line that says that the probe failed.
    expect(formatWhy(why(other, failed))).toContain(
      '1000.gadget: the probe of gadget failed with error -5 (EIO) (line 2)\n',
    );
  });

  it('leads to the device that it names, where that is not bound either', () => {
    const failed = stamped('gadget-ice 1000.crypto: probe with driver gadget-ice failed with error -16');
    const words = stamped('gadget-ufs 2000.ufs: Cannot get an instance from 1000.crypto');
    const waits = pending('2000.ufs', 'gadget-ufs: gadget_init() failed');
    expect(why(failed, words, waits).roots).toMatchObject([
      { name: '1000.crypto', cause: { cause: 'failed', error: 16 }, waiting: [{ device: '2000.ufs' }] },
    ]);
    // Of a device that may be there it says nothing.
    expect(why(words, waits).roots).toMatchObject([
      { name: '2000.ufs', evidence: 'Cannot get an instance from 1000.crypto' },
    ]);
  });

  it('is that of a part just before the whole fails, where the driver of that only says that it does', () => {
    const part = stamped('platform 3d6a000.gmu: [drm:gadget_gmu_acd] *ERROR* Unable to reach the AOSS');
    const failed = stamped('gadget-gpu 3d00000.gpu: probe with driver gadget-gpu failed with error -22');
    const told = (...lines: string[]) => why(...lines).roots[0]?.evidence;
    const vague = stamped('gadget-gpu 3d00000.gpu: failed to load');
    const words = '3d6a000.gmu: [drm:gadget_gmu_acd] *ERROR* Unable to reach the AOSS';
    expect(told(part, vague, failed)).toBe(`${words}; failed to load`);
    expect(told(part, failed)).toBe(null);
    const own = 'cannot get its clock: -22';
    expect(told(part, stamped(`gadget-gpu 3d00000.gpu: ${own}`), failed)).toBe(own);
    // Of the same driver it is another device of the kind.
    const peer = stamped('gadget-gpu 3d6a000.gpu: cannot get its clock');
    expect(told(peer, vague, failed)).toBe('failed to load');
    // Of another block of the chip it is no part.
    expect(told(part.replace('3d6a000', '4d6a000'), vague, failed)).toBe('failed to load');
  });

  it('is of a driver that is expected no more, and no time-out, where all initcalls are over', () => {
    const over = stamped('gadget-sata 1000.sata: ignoring dependency for device, assuming no driver');
    const text = formatWhy(why(over));
    expect(text).toContain('with all initcalls over, the kernel expected no driver any more for');
    expect(text).not.toContain('timeout');
    expect(why(over).roots).toMatchObject([{ cause: { cause: 'timed-out', assumedNone: true, goesOn: true } }]);
    expect(why(over, stamped('gadget-sata 1000.sata: 1 port')).roots).toEqual([]);
  });

  it('is of the attempt that is deferred, where it comes right after, and of what a driver does without nothing', () => {
    const deferred = stamped('gadget-gpio 1000.gpio: cannot add its lines, -517');
    const more = stamped('gadget-gpio 1000.gpio: unable to add the chip');
    const listed = stamped('platform 2.mmc: deferred probe pending');
    expect(why(deferred, more, listed)).toMatchObject({ settled: ['1000.gpio'] });
    expect(why(stamped('gadget-spi 1.spi: Failed to have DMA, work without it')).complaints).toEqual([]);
  });

  it('is of a probe that is tried again where it comes in many attempts', () => {
    const attempt = (second: number, words: string) => `[   1${second}.000001] gadget 1000.pmic: ${words}`;
    const told = (words: string, seconds: number[]) => formatWhy(why(...seconds.map((at) => attempt(at, words))));
    const words = 'failed to register its supplies';
    expect(told(words, [1, 2, 3])).toContain('said 3 times: a probe that is tried again was deferred (guess)');
    expect(told(words, [1, 2])).not.toContain('times:');
    const awaited = stamped('Waiting for root device PARTUUID=1234-02...');
    expect(formatWhy(why(attempt(1, words), awaited))).toContain('next: see to the errors above; then whether');
    expect(formatWhy(why(awaited))).toContain('next: see whether its module');
    expect(told('transfer failed', [1, 2, 3])).not.toContain('times:');
    const supply = (second: number) => `[   1${second}.000000] ldo3: supply_name: ldo3-in supply: 0`;
    const register = 'failed to register 1000.pmic regulator';
    const lines = [1, 2, 3].flatMap((second) => [supply(second), attempt(second, register)]);
    expect(formatWhy(why(...lines))).toContain(
      `ldo3: supply_name: ldo3-in supply: 0; ${register} (line 6)\n    said 3`,
    );
  });

  it('is of a driver whose name has blanks, and not of a sentence', () => {
    const listed = stamped('platform soc@0:svc:gadget-mgr: deferred probe pending');
    const named = stamped('Gadget4 SoC manager soc@0:svc:gadget-mgr: could not get its channel');
    expect(why(named, listed).roots).toMatchObject([{ evidence: 'could not get its channel' }]);
    expect(why(stamped('Failed to ask for soc@0:svc:gadget-mgr: -22')).complaints).toEqual([]);
  });

  it('is told once of many that fail in the same words of their nodes, whatever their drivers', () => {
    const fail = (at: string, driver: string) => [
      stamped(`Cannot find the registers of /soc/clocks@${at}: -EINVAL`),
      stamped(`${driver} ${at}.clocks: probe with driver ${driver} failed with error -22`),
    ];
    const waits = pending('1.i2c', 'platform: wait for supplier /soc/clocks@11017000');
    const found = why(...fail('11017000', 'gadget-iic'), ...fail('1a000000', 'gadget-cam'), waits);
    expect(found.roots[0]?.evidence).toBe('Cannot find the registers of /soc/clocks@11017000: -EINVAL');
    const text = formatWhy(found);
    expect(text).toContain('1 device waits, for 1 reason; 2 probes failed:');
    expect(text).toContain('the probes of gadget-iic, gadget-cam failed with error -22');
  });

  it('sends to the endpoint that is not there, and not to hardware that does not answer', () => {
    const failed = (words: string) =>
      formatWhy(
        why(
          stamped(`gadget-csi 1000.csi: error -ENOTCONN: ${words}`),
          stamped('gadget-csi 1000.csi: probe with driver gadget-csi failed with error -107'),
        ),
      );
    expect(failed('Failed to get remote endpoint')).toContain('has to name');
    expect(failed('cannot read its version')).toContain('nothing answers there');
  });

  it('calls for no look into a node where the device is a card', () => {
    const failed = (device: string) =>
      formatWhy(why(stamped(`gadget ${device}: probe with driver gadget failed with error -22`)));
    expect(failed('mmc0:0001')).toContain('see the lines before in the log');
    expect(failed('1000.gadget')).toContain('compare it with the binding');
  });

  it('is none where a stub driver has no use for what a GPIO cannot do', () => {
    const stub = stamped('gpio_stub_drv gpiochip4: Persistence not supported for GPIO 7');
    expect(why(stub, pending('1.hdmi', '(reason unknown)')).complaints).toEqual([]);
  });

  it('is told of a supply that cannot be set up, also where the end is cut', () => {
    const cut = stamped('vdd_gadget: failed to set over current protection: -ETIM');
    expect(why(cut).complaints).toMatchObject([{ device: 'vdd_gadget', driver: null }]);
    expect(why(cut.replace('vdd_gadget', 'gadget')).complaints).toEqual([]);
  });

  it('is of a GPIO chip whose hog cannot be had yet, by the name that the GPIO core has for it', () => {
    const hog = stamped('requesting hog GPIO hub-reset (chip 1000.pinctrl, offset 3) failed, -517');
    const chip = stamped('gpiochip_add_data_with_key: GPIOs 480..511 (1000.pinctrl) failed to register, -517');
    expect(why(hog, chip).roots).toMatchObject([{ name: '1000.pinctrl', cause: { wants: 'a GPIO' } }]);
    expect(why(chip).roots).toMatchObject([{ name: '1000.pinctrl', cause: { wants: null } }]);
  });

  it('is of a device below its own, which fw_devlink names in a cycle', () => {
    const waits = pending('1000.usb', 'gadget-dwc3: failed to get dwc3 platform data');
    const path = '/soc/usb@1000/usb@2000';
    const cycle = (one: string, other: string) => stamped(`${one}: Fixed dependency cycle(s) with ${other}`);
    const connector = '/soc/i2c@3000/tcpc@52/connector';
    const cycles = [cycle(connector, path), cycle(path, connector), cycle('/soc/phy@4000', path)];
    const found = why(...cycles, waits);
    expect(found.roots).toMatchObject([
      { name: '1000.usb', cause: { below: { device: '2000.usb', circle: [connector, '/soc/phy@4000'] } } },
    ]);
    const text = formatWhy(found);
    expect(text).toContain(`that is 2000.usb, which fw_devlink found in a cycle with ${connector}, /soc/phy@4000:`);
    expect(text).not.toContain('does not name');
    // Of two below it is not told which; one below another device is not meant, nor where something else is lacking.
    const second = cycle('/soc/usb@1000/hub@1', connector);
    const other = waits.replace('1000.usb', '5000.usb');
    const clock = waits.replace('dwc3 platform data', 'clock');
    for (const lines of [
      [...cycles, second, waits],
      [...cycles, other],
      [...cycles, clock],
    ])
      expect(why(...lines).roots).toMatchObject([{ cause: { below: null } }]);
  });

  it('is of a display, for whose audio component another driver waits', () => {
    const waits = pending('0001:02:00.0', "gadget_hda: couldn't bind with audio component");
    const display = stamped('gadget_gpu 0001:01:00.0: [drm] *ERROR* no memory for the display');
    const disk = stamped('gadget_disk 0001:03:00.0: no memory for the disk: error -12');
    const text = formatWhy(why(display, disk, waits));
    expect(text).toContain('perhaps for 0001:01:00.0, of which its driver says');
    expect(text).not.toContain('perhaps for 0001:03:00.0');
  });

  it('may be a circle of two drivers, of which each lacks what the other provides', () => {
    const host = pending('1000.dsi', 'gadget-dsi: failed to find panel');
    const { roots } = why(host, pending('panel', 'gadget-panel: failed to find DSI host'));
    expect(roots.map(({ cause }) => (cause.cause === 'own-deferral' ? cause.mutual : null))).toEqual([
      ['panel'],
      ['1000.dsi'],
    ]);
    expect(formatWhy(why(host, pending('panel', 'gadget-panel: failed to get vdd supply')))).not.toContain(
      'each other',
    );
  });

  it('is asked for where nothing tells it and others wait', () => {
    const told = (...lines: string[]) => formatWhy(why(pending('1000.phy', '(reason unknown)'), ...lines));
    const waits = pending('2000.usb', 'platform: supplier 1000.phy not ready');
    expect(told(waits).match(/next: .*devices_deferred.* of its driver; where it has none, boot with/g)).toHaveLength(
      1,
    );
    expect(told(waits).match(/next:/g)).toHaveLength(1);
    expect(told().match(/next:/g)).toHaveLength(1);
  });

  it('is no deferral where a class speaks, which binds no driver', () => {
    expect(why(stamped('thermal thermal_zone1: failed to read out thermal zone (-517)')).unbound).toBe(0);
  });

  it('is told once of the drivers of one framework that is locked', () => {
    const fails = (device: string, driver: string, error: number) =>
      stamped(`${driver}: probe of ${device} failed with error ${error}`);
    const locked = formatWhy(why(fails('1.cti', 'debug-cti', -1), fails('2.tpda', 'debug-tpda', -1)));
    expect(locked).toContain('1.cti, 2.tpda: the probes of debug-cti, debug-tpda failed with error -1');
    const others = formatWhy(why(fails('1.cti', 'debug-cti', -22), fails('2.tpda', 'debug-tpda', -22)));
    expect(others).toContain('\n\n2.tpda: the probe of debug-tpda failed with error -22');
  });

  it('is told where the kernel has no reason, and where nothing tells what became of the probe', () => {
    const words = stamped('gadget-codec 1.codec: failed to register its PCM');
    const silent = why(words, pending('1.codec', '(reason unknown)'));
    expect(silent).toMatchObject({ roots: [{ name: '1.codec', evidence: 'failed to register its PCM' }] });
    expect(formatWhy(silent)).toContain('deferred; its driver said before: failed to register its PCM (line 1)');
    expect(formatWhy(silent)).not.toContain('without a reason');
    const unseen = why(
      stamped('gadget-pmic 0-001b: chip id 0x0 not supported'),
      pending('2.mmc', 'platform: wait for supplier /i2c@ff3c0000/pmic@1b/regulators/ldo4'),
    );
    expect(unseen.roots).toMatchObject([
      {
        cause: { cause: 'spoken-of', driver: 'gadget-pmic' },
        evidence: 'chip id 0x0 not supported',
        waiting: [{ device: '2.mmc' }],
      },
    ]);
    expect(formatWhy(unseen)).toContain('although gadget-pmic speaks of it');
  });

  it('is quoted whole, also where a mail program broke it, and ends where a blank line or prose begins', () => {
    const broken = stamped('gadget-csi 1000.csi: error -ENOTCONN: Failed to get');
    const failed = stamped('gadget-csi 1000.csi: probe with driver gadget-csi failed with error -107');
    const told = (...lines: string[]) => why(...lines).roots[0]?.evidence;
    expect(told(broken, 'remote endpoint', failed)).toBe('error -ENOTCONN: Failed to get remote endpoint');
    // What programs say is no part of it.
    for (const next of ['/etc/init.d/S36load: line 6: /sys/class/x: No such file', '[  OK  ] Reached target One'])
      expect(told(broken, next, failed)).toBe('error -ENOTCONN: Failed to get');
    const other = stamped('gadget-aud 30cb0000.aud2htx: failed to register the PCM');
    const { complaints } = why(pending('sound', '(reason unknown)'), other, '', 'Can someone explain this to me?');
    expect(complaints).toMatchObject([{ device: '30cb0000.aud2htx', words: 'failed to register the PCM' }]);
  });

  it('is told of what may be a supplier where the log leaves something open', () => {
    const open = pending('1.hdmi', '(reason unknown)');
    const few = why(stamped("gadget-hvs 2.hvs: Couldn't get core clock"), open);
    expect(few.roots).toEqual([]);
    expect(formatWhy(few)).toContain("2.hvs (gadget-hvs): Couldn't get core clock (line 1)");
    // What nothing can wait for is not told; of many that may be meant the first are.
    const leaves = Array.from({ length: 20 }, (_, n) => stamped(`gadget-${n} ${n}000.dev: failed to do it`));
    expect(why(...leaves, open).complaints).toEqual([]);
    const many = Array.from({ length: 20 }, (_, n) => stamped(`gadget ${n}000.clock-controller: failed to do ${n}`));
    expect(formatWhy(why(...many, open))).toMatch(/3000.clock-controller .*\n {2}and of 16 more/);
    // What a driver does without, and what works, is no error.
    const harmless = [
      stamped('gadget 3.phy: Unable to find vdd-supply regulator, assuming enabled'),
      stamped('gadget 4.phy: version 2'),
      stamped("gadget 5.spi: can't get DMA channel, continue without DMA support"),
    ];
    expect(why(...harmless, open).complaints).toEqual([]);
  });

  it('is one of a driver: prose with a colon is none', () => {
    const open = pending('1.hdmi', '(reason unknown)');
    expect(why(open, 'The problem: it cannot find anything', 'Note: no luck, failed').complaints).toEqual([]);
    expect(why(open, 'gadget-drm soc:gpu: Failed to get an adapter').complaints).toMatchObject([{ device: 'soc:gpu' }]);
  });

  it('is the first of an attempt, over the vaguer one that the kernel keeps', () => {
    const { roots } = why(
      stamped('gadget-pin gadget-pin: unknown pinctrl device GADG1055:00 in map entry, deferring probe'),
      stamped('gadget-pin gadget-pin: error -EPROBE_DEFER: Failed to select pinctrl'),
      pending('gadget-pin', 'gadget-pin: Failed to select pinctrl'),
    );
    expect(roots).toMatchObject([{ name: 'GADG1055:00', waiting: [{ device: 'gadget-pin' }] }]);
  });
});

describe('a supplier that a driver speaks of', () => {
  const deferred = (device: string) =>
    stamped(`gadget ${device}: could not find pctldev for node /soc/pinmux@f7010000/pins, deferring probe`);
  const speaks = () => stamped('gadget-pins f7010000.pinmux: 159 pins');

  it('is there, and what waited for it was tried again', () => {
    const found = why(deferred('f7111000.uart'), speaks());
    expect(found).toMatchObject({ roots: [], unbound: 0, settled: ['f7111000.uart'] });
    // Deferred after that for the same, or listed at the end.
    expect(why(speaks(), deferred('f7111000.uart')).unbound).toBe(1);
    const listed = pending('f7111000.uart', 'platform: supplier f7010000.pinmux not ready');
    expect(why(speaks(), listed).roots).toMatchObject([{ name: 'f7010000.pinmux', cause: { cause: 'spoken-of' } }]);
  });

  it('takes along what waited for a device that is there then, unless the kernel still lists one that does', () => {
    const chain = stamped('gadget 2.mmc: error -EPROBE_DEFER: supplier f7111000.uart not ready');
    expect(why(deferred('f7111000.uart'), chain, speaks())).toMatchObject({ unbound: 0, roots: [] });
    const held = why(
      deferred('f7111000.uart'),
      speaks(),
      pending('2.mmc', 'platform: supplier f7111000.uart not ready'),
    );
    expect(held).toMatchObject({ unbound: 2, roots: [{ name: 'f7111000.uart', waiting: [{ device: '2.mmc' }] }] });
  });

  it('tells of another attempt in a whole log, at which a driver that tells its reason would tell it again', () => {
    const banner = '[    0.000000] Linux version 4.9.0 (gadget)';
    const once = stamped('gadget 1000.dsi: failed to get its clock: -517');
    const later = [1, 2, 3].map((n) => stamped(`gadget ${n}0000.dev: ready`));
    expect(why(banner, once, ...later)).toMatchObject({ unbound: 0, settled: ['1000.dsi'] });
    expect(why(banner, ...later, once)).toMatchObject({ unbound: 1, settled: [] });
    expect(why(once, ...later)).toMatchObject({ unbound: 1, settled: [] });
  });
});

describe('what people make of a log', () => {
  it('reads a reason over a fold, and none out of a fence of code', () => {
    const line = '[   10.565955] platform 1d80000.phy: deferred probe pending: (reason';
    expect(why(line, 'unknown)').unexplained).toEqual(['1d80000.phy']);
    expect(why(pending('fef05700.hdmi', '(reason unknown)'), '```')).toMatchObject({
      roots: [],
      unexplained: ['fef05700.hdmi'],
    });
  });

  it('reads a row of entries of which the others were left out, and an error with words left out', () => {
    const listed = why(
      '# cat /sys/kernel/debug/devices_deferred',
      'f8b20000.gpio ... f8b29000.gpio',
      'f8a2c000.watchdog       gadget-wdt: Can not get reset',
    );
    expect(listed.unexplained).toEqual(['f8b20000.gpio', 'f8b29000.gpio']);
    expect(listed.roots).toMatchObject([{ name: 'f8a2c000.watchdog' }]);
    expect(why('gadget-clk 3d64000.clock-controller: probe ... error -110').roots).toMatchObject([
      { name: '3d64000.clock-controller', cause: { cause: 'failed', error: 110 } },
    ]);
  });

  it('reads an entry without a heading, lines that a person aligned and broke, and the source of a mail', () => {
    const entry = why(
      pending('32f10000.blk-ctrl', '(reason unknown)'),
      '',
      '32f10000.blk-ctrl\tgadget-blk: failed to get noc',
    );
    expect(entry.roots).toMatchObject([{ name: '32f10000.blk-ctrl', cause: { call: 'failed to get noc' } }]);
    const aligned = [
      'platform 4080000.remoteproc:  deferred probe pending:',
      '    platform: wait for supplier /smp/kernel',
    ];
    expect(why(...aligned).roots).toMatchObject([{ name: '/smp/kernel' }]);
    const source = [
      '[=C2=A0 =C2=A022.523197] platform gadget-power-do: deferred probe pending:=',
      '=20',
      'gadget: Failed to get clock v3d',
    ];
    expect(why(...source).roots).toMatchObject([
      { name: 'gadget-power-do', cause: { call: 'Failed to get clock v3d' } },
    ]);
  });

  it('takes a device whose name was left out for the one that its driver spoke of, and reads on where lines were indented', () => {
    const found = why(
      'gadget-core service:4:3: Direct firmware load for',
      '    gadget/calibration.bin failed with error -2',
      'gadget-core ...: probe with driver gadget-core failed with error -2',
    );
    const evidence = 'Direct firmware load for gadget/calibration.bin failed with error -2';
    expect(found.roots).toMatchObject([{ name: 'service:4:3', evidence }]);
  });

  it('does not take for bound what its driver says of an error after the deferral', () => {
    const deferred = stamped('/soc/pcie@940000000: Failed to get clk index: 1 ret: -517');
    const failed = stamped('gadget-pcie 940000000.pcie: error -ENODEV: failed to get its clocks');
    const listed = stamped('platform 2.mmc: deferred probe pending');
    expect(why(deferred, failed, listed)).toMatchObject({ settled: [], roots: [{ name: '940000000.pcie' }] });
    expect(why(deferred, listed).settled).toEqual(['940000000.pcie']);
    const works = stamped('gadget-pcie 940000000.pcie: link is up');
    expect(why(deferred, failed, works, listed).bound).toMatchObject([{ device: '940000000.pcie', line: 3 }]);
  });

  it('says that the log does not have a name, where it was cut off', () => {
    const found = why(
      '# cat /sys/kernel/debug/devices_deferred',
      '32e30000.mipi-csi       platform: wait for supplier',
    );
    expect(found.roots).toMatchObject([{ name: '32e30000.mipi-csi', cause: { cause: 'unnamed-supplier' } }]);
    expect(formatWhy(found)).toContain('of which the log does not have the name');
  });

  it('takes an entry of the list under a heading of a person, where it has a reason', () => {
    const under = (entry: string) =>
      why('Some tests of the boards fail:', '', '`wobble` and `wibble`:', '```', entry, '```');
    const card = 'ACME5682:00        gadget-card: gadget_register_card(wobble) failed';
    expect(under(card).roots).toMatchObject([
      { name: 'ACME5682:00', cause: { driver: 'gadget-card', call: 'gadget_register_card(wobble) failed' } },
    ]);
    expect(under('1c00000.usb   gadget-usb: failed to get its PHY').roots).toMatchObject([{ name: '1c00000.usb' }]);
    // Blanks alone are of any table.
    expect(under('ACME5682:00        gadget-card: a codec with two ports').unbound).toBe(0);
  });

  it('keeps what initcall_debug shows to be deferred, although an excerpt does not list it', () => {
    const found = why(
      stamped('probe of a600000.usb with driver gadget-usb returned -517 after 2 usecs'),
      pending('1d84000.ufs', 'platform: supplier 2000.phy not ready'),
    );
    expect(found).toMatchObject({ settled: [], unexplained: ['a600000.usb'] });
  });

  it('tells what the driver core held back from what a driver deferred itself, up to 5.10 with a 0', () => {
    const returned = (device: string, value: number) => stamped(`probe of ${device} returned ${value} after 27 usecs`);
    const waits = (device: string) => stamped(`platform ${device}: deferred probe pending`);
    const listed = ['acme:gpio1', 'acme:gpio2', 'acme:info'].map(waits);
    const lines = [returned('acme:gpio1', -517), returned('acme:gpio2', -517), returned('acme:info', 0)];
    const found = why(...lines, ...listed);
    expect(found).toMatchObject({
      unexplained: ['acme:gpio1', 'acme:gpio2'],
      refused: [{ line: 1 }, { line: 2 }],
      roots: [{ name: 'acme:info', cause: { cause: 'own-deferral' }, line: 3 }],
    });
    expect(formatWhy(found)).toContain('the driver core held them back before a driver ran');
    expect(why(...lines.slice(2), ...listed).refused).toEqual([]);
    const later = why(returned('acme:info', -517), returned('acme:info', 517), waits('acme:info'));
    expect(later).toMatchObject({ refused: [], roots: [{ name: 'acme:info', line: 2 }] });
  });

  it('takes a device for not bound whose driver tells an error after its time-out, and no other', () => {
    const camera = 'gadget-camera 1000.camera';
    const over = stamped(`${camera}: deferred probe timeout, ignoring dependency`);
    const error = (words: string) => stamped(`${camera}: ${words}`);
    const failed = why(over, error('Failed to configure power domains: -110'));
    expect(failed).toMatchObject({ unbound: 1, goneOn: 0, roots: [{ evidence: expect.stringContaining('-110') }] });
    expect(why(error('Failed to configure power domains: -110'), over)).toMatchObject({ unbound: 0, goneOn: 1 });
    expect(why(over, error('no IRQ found, polling is used'))).toMatchObject({ unbound: 0, goneOn: 1 });
  });

  it('names what may provide what is lacking and whose driver tells an error, with the root', () => {
    const text = formatWhy(
      why(
        stamped('gadget-pgc gadget-pgc-domain.8: failed to command the domain'),
        stamped('gadget-blk 3000.blk-ctrl: deferred probe timeout, ignoring dependency'),
        stamped('gadget-blk 3000.blk-ctrl: error -110: failed to attach power domain "g1"'),
        stamped('gadget-blk: probe of 3000.blk-ctrl failed with error -110'),
        stamped('gadget-leds 5000.leds: Failed to read the colour: -5'),
      ),
    );
    expect(text).toMatch(/^1 probe failed:\n/);
    expect(text).toContain(
      '3000.blk-ctrl: the deferred probe timeout ended the wait for a power domain; its probe then failed with error -110',
    );
    expect(text).toContain('  perhaps for gadget-pgc-domain.8, of which its driver says (line 1): failed to command');
    expect(text).not.toContain('perhaps for 5000.leds');
    expect(text).not.toContain('5000.leds');
  });

  it('says of no time-out that it ended a wait which no time-out ends', () => {
    const text = formatWhy(
      why(
        stamped('gadget-camera 1000.camera: deferred probe timeout, ignoring dependency'),
        stamped('gadget-camera 1000.camera: failed to get the pixel clock: -2'),
      ),
    );
    expect(text).toContain(
      'the deferred probe timeout ended the wait for a power domain, an IOMMU or a pin controller',
    );
    expect(text).toContain('failed to get the pixel clock: -2');
  });

  it('takes a part that went on after its time-out and cannot be bound to the whole for failed', () => {
    const over = stamped('gadget-gpu 1000.gpu: deferred probe timeout, ignoring dependency');
    const bind = stamped('gadget-drm 2000.display: failed to bind 1000.gpu (gadget_ops): -19');
    expect(why(over, bind).roots).toMatchObject([{ name: '1000.gpu', cause: { cause: 'bind-failed', error: 19 } }]);
  });

  it('takes no device for stuck whose time-out is over and of which its driver then says that it works', () => {
    const over = stamped('gadget-vpu fdc70000.video-codec: deferred probe timeout, ignoring dependency');
    const works = stamped('gadget-vpu fdc70000.video-codec: registered as /dev/video4');
    expect(why(over).roots).toMatchObject([{ cause: { cause: 'timed-out' } }]);
    expect(why(over, works)).toMatchObject({ unbound: 0, roots: [], settled: [] });
  });

  it('takes no device for bound of which its driver says again what it says in every attempt', () => {
    const card = 'gadget-card gadget-card.0';
    const attempt = (link: string) => stamped(`${card}: info: override BE DAI link ${link}`);
    const failed = stamped(`${card}: snd_soc_register_card failed -517`);
    expect(why(attempt('a1'), failed, attempt('b2'))).toMatchObject({
      settled: [],
      roots: [{ name: 'gadget-card.0', cause: { cause: 'own-deferral' } }],
    });
    expect(why(attempt('a1'), failed, attempt('b2'), stamped(`${card}: mapping ok`)).settled).toEqual([
      'gadget-card.0',
    ]);
    expect(why(failed, stamped(`${card}: snd_soc_reg`)).settled).toEqual([]);
    // The next attempt may follow at once, and end as the last.
    const again = stamped(`${card}: found 2 amplifiers`);
    expect(why(failed, again, stamped(`${card}: snd_soc_register_card failed -517`)).settled).toEqual([]);
  });

  it('reads lines that a comment or a bold mark quotes', () => {
    const fan = 'cooling_fan: deferred probe pending: gadget-fan: Could not get PWM';
    expect(why(`#   platform ${fan}`).roots).toMatchObject([{ name: 'cooling_fan', cause: { wants: 'a PWM' } }]);
    expect(why(`**${stamped(`platform ${fan}`)}`).roots).toMatchObject([{ name: 'cooling_fan' }]);
  });

  it('reads what a vendor puts before a message with the name of a worker', () => {
    const found = why(
      '[   20.264045]  [0:  kworker/u16:2:  131] platform 1.dev: Driver gadget requests probe deferral',
    );
    expect(found.roots).toMatchObject([{ name: '1.dev', cause: { driver: 'gadget' } }]);
  });
});

describe('what is told of several errors', () => {
  it('is the first and the last of one attempt, without an interrupt that many do without', () => {
    const said = (words: string) => stamped(`gadget-mac 1.ethernet: ${words}`);
    const found = why(
      said('IRQ wake not found'),
      said('no clock provided'),
      said('dt configuration failed'),
      pending('1.ethernet', '(reason unknown)'),
    );
    expect(found.roots).toMatchObject([{ evidence: 'no clock provided; dt configuration failed' }]);
    const alone = why(said('IRQ wake not found'), pending('1.ethernet', '(reason unknown)'));
    expect(alone.roots).toMatchObject([{ evidence: 'IRQ wake not found' }]);
  });

  it('is another’s before a failure without a word, where that follows at once', () => {
    const other = stamped("gadget-phy 2.hdmi-phy: Couldn't create the PHY clock");
    const failed = stamped('gadget-hdmi: probe of 1.hdmi failed with error -17');
    const rest = Array.from({ length: 20 }, () => stamped('gadget-net eth0: link up'));
    expect(why(other, failed).complaints).toMatchObject([{ device: '2.hdmi-phy' }]);
    expect(why(other, ...rest, failed).complaints).toEqual([]);
  });

  it('is an identity that a driver does not know, and no number of its settings', () => {
    const open = pending('1.usb', '(reason unknown)');
    const pmic = stamped('gadget-pmic 1-0008: unrecognized gadget chip ID!');
    const dog = stamped('gadget-wdt 1000.watchdog: Watchdog enabled (timeout=31 sec)');
    expect(why(pmic, dog, open).complaints).toMatchObject([{ device: '1-0008' }]);
  });
});

describe('what a function says without a device', () => {
  const failed = stamped('gadget-dsi: probe of 1.dsi failed with error -22');

  it('is why a probe failed where the function has the driver’s name', () => {
    const said = ['gadget_dsi_probe: cannot find its panel', 'gadget_panel_find: invalid node, taking the first'];
    const found = why(...said.map(stamped), failed);
    expect(found.roots).toMatchObject([{ name: '1.dsi', evidence: 'cannot find its panel' }]);
    expect(formatWhy(found)).not.toContain('perhaps for');
    const own = stamped('gadget-dsi 1.dsi: failed to get its clock');
    expect(why(stamped('gadget_dsi_probe: cannot find its panel'), own, failed).roots).toMatchObject([
      { evidence: 'failed to get its clock' },
    ]);
    const between = Array.from({ length: 4 }, (_, n) => stamped(`gadget line ${n}`));
    expect(why(stamped('gadget_dsi_probe: cannot find its panel'), ...between, failed).roots[0]?.evidence).toBeNull();
  });

  it('is told with the function as one', () => {
    const text = formatWhy(
      why(stamped('gadget_lamp_init: cannot go on, error -5'), pending('1.adc', 'gadget: not yet')),
    );
    expect(text).toContain('  in gadget_lamp_init(): cannot go on, error -5');
  });
});

describe('what a prefix says without a device', () => {
  const failed = (error: number) =>
    stamped(`gadget,pm9 1-0008: probe with driver gadget,pm9 failed with error -${error}`);
  const said = stamped('PM9_: failed to register its lamp rc=-107');
  const named = stamped('GADGET: failed to register its lamp rc=-107');

  it('is why a probe failed with the same number where the driver has its name', () => {
    const evidence = 'GADGET: failed to register its lamp rc=-107';
    expect(why(named, failed(107))).toMatchObject({ roots: [{ evidence }], complaints: [] });
    expect(why(named, failed(22)).roots).toMatchObject([{ evidence: null }]);
    // Of the same moment the number is enough.
    const earlier = (line: string) => line.replace('   12.', '   11.');
    expect(why(earlier(named), failed(107)).roots).toMatchObject([{ evidence }]);
    expect(why(earlier(said), failed(107)).roots).toMatchObject([{ evidence: null }]);
    expect(why(said, failed(107)).roots).toMatchObject([{ evidence: 'PM9_: failed to register its lamp rc=-107' }]);
  });

  it('is said to be what may have made it fail otherwise', () => {
    const text = formatWhy(why(named, failed(22)));
    expect(text).toContain('These report errors, of which one may be why a probe failed (guess):');
    expect(formatWhy(why(named, failed(22), pending('2.adc', 'gadget: not yet')))).toContain(
      'of what has no reason (guess):',
    );
  });
});

describe('things of one kind that drivers lack without a reason', () => {
  const lacks = (device: string, what: string) => [
    stamped(`gadget ${device}: couldn't get service channel ${what}`),
    pending(device, '(reason unknown)'),
  ];

  it('are one reason, whatever each is called', () => {
    const text = formatWhy(why(...lacks('1.hwmon', 'rsu'), ...lacks('2.fpga', '(fpga)')));
    expect(text).toContain('2 devices wait, for 1 reason:');
    expect(text).toContain('1.hwmon, 2.fpga: deferred');
    const other = stamped("gadget 2.fpga: couldn't get service channel clock");
    const two = why(...lacks('1.hwmon', 'rsu'), other, pending('2.fpga', '(reason unknown)'));
    expect(formatWhy(two)).toContain('for 2 reasons:');
  });
});

describe('the error of a probe', () => {
  const failed = (error: number) =>
    formatWhy(why(stamped(`gadget 1.dev: probe with driver gadget failed with error ${error}`)));

  it('is told with its name', () => {
    expect(failed(-22)).toContain('failed with error -22 (EINVAL)');
    expect(failed(-44)).toContain('failed with error -44 (ECHRNG)');
    expect(failed(-999)).toContain('failed with error -999 (line');
  });

  it('is cited with what the I2C bus says just before', () => {
    const bus = (n: number) => stamped(`i2c i2c-${n}: SCL is stuck low, exit recovery`);
    const lacks = stamped('gadget 2-0020: failed writing register');
    const failed = stamped('gadget: probe of 2-0020 failed with error -11');
    const text = formatWhy(why(bus(2), lacks, failed));
    expect(text).toContain('before: i2c-2: SCL is stuck low, exit recovery; failed writing register (line 1)\n');
    expect(formatWhy(why(bus(3), lacks, failed))).toContain('before: failed writing register (line 2)\n');
    expect(formatWhy(why(bus(2), stamped('gadget'), lacks, failed))).toContain(
      'before: failed writing register (line 3)',
    );
  });

  it('is told with all digits of a number that the driver has made up', () => {
    const text = formatWhy(why(stamped('gadget-ts: probe of 6-0014 failed with error -2147483644')));
    expect(text).toContain('failed with error -2147483644 (line 1)\n');
  });

  it('is that of an interrupt where that is what the driver has not got', () => {
    const lacks = stamped('gadget-phy 1000.phy: error -ENXIO: IRQ index 0 not found');
    const text = formatWhy(why(lacks, stamped('gadget-phy: probe of 1000.phy failed with error -6')));
    expect(text).toContain('  next: `interrupts` in its node has to name one that its interrupt controller takes\n');
  });

  it('is told without a sign, a name or a meaning where its driver returned it so', () => {
    const text = failed(22);
    expect(text).toContain('failed with error 22 (line');
    expect(text).not.toContain('next:');
  });
});

describe('a guess', () => {
  const perhapsOf = (...lines: string[]) =>
    why(...lines).roots.flatMap(({ cause }) => ('perhaps' in cause ? [...cause.perhaps] : []));

  it('takes for the part of a sound card what is named as its link or codec, or is a bus of codecs', () => {
    const card = pending('sound-hdmi', 'gadget-card: register_card failed');
    const hdmi = stamped('gadget-dc 1000.display: failed to bind 32c00000.hdmi (ops gadget_ops): -6');
    expect(perhapsOf(card, hdmi, pending('2000.sai', 'gadget-sai: no DMA'))).toEqual(['32c00000.hdmi']);
    const wire = stamped('gadget-swr 6d30000.soundwire: probe with driver gadget-swr failed with error -75');
    expect(perhapsOf(pending('sound', 'gadget-card: codec dai not found'), wire)).toEqual(['6d30000.soundwire']);
  });

  it('is very likely the one that failed, is of the kind and is in a cycle with it', () => {
    const circle = stamped('/usb0@1000: Fixed dependency cycle(s) with /extcon_usb');
    const failed = stamped('musb-hdrc: probe of musb-hdrc failed with error -2');
    const waits = pending('extcon_usb', 'gadget-extcon: failed to get usb role');
    const text = formatWhy(why(circle, failed, waits));
    expect(text).toContain('musb-hdrc, whose probe failed: fw_devlink found a cycle of it with usb0@1000\n');
    expect(text).toContain('  very likely for musb-hdrc,');
    expect(text).toMatch(/\nmusb-hdrc: .*\n {2}waiting \(guess\): extcon_usb\n/);
    expect(formatWhy(why(failed, waits))).toContain('perhaps for musb-hdrc, whose probe failed (guess by the name)\n');
    expect(formatWhy(why(circle, waits))).not.toContain('very likely');
  });

  it('is what failed before a deferral whose words do not tell, where most need such a thing by its driver', () => {
    const failed = (driver: string) => stamped(`${driver}: probe of 1-0008 failed with error -110`);
    const waits = stamped('gadget-dc 1000.display: failed to bind 3000.hdmi (ops gadget_ops): -517');
    expect(perhapsOf(failed('gadget9-regulator'), waits)).toEqual(['1-0008']);
    expect(perhapsOf(failed('gadget9-touch'), waits)).toEqual([]);
  });

  it('is a circle where what waits for a device is waited for by others of its kind', () => {
    const defers = stamped('gadget-fixed regulator@104: Driver gadget-fixed requests probe deferral');
    const waits = (device: string, supplier: string) =>
      stamped(`platform ${device}: probe deferral - supplier ${supplier} not ready`);
    const pmic = waits('4-002d', 'regulator@104');
    const circle = (...lines: string[]) =>
      why(defers, pmic, ...lines).roots.flatMap(({ cause }) =>
        cause.cause === 'own-deferral' ? [...cause.circle] : [],
      );
    expect(circle(waits('regulator@1', '4-002d'))).toEqual(['4-002d']);
    expect(circle(waits('1000.mmc', '4-002d'))).toEqual([]);
    expect(circle()).toEqual([]);
  });

  it('is no TEE, whose clients are others', () => {
    const failed = stamped('optee: probe of firmware:optee failed with error -22');
    expect(formatWhy(why(failed, pending('fc800000.usb', '(reason unknown)')))).not.toContain(
      'may wait for what failed',
    );
  });

  it('is what stands beside a device that says what it lacks before it is deferred', () => {
    const said = stamped('gadget-smmu 59a0000.smmu: cannot get clock: gpu_core');
    const waits = [said, pending('59a0000.smmu', '(reason unknown)')];
    const other = (name: string) => pending(name, '(reason unknown)');
    const text = formatWhy(why(...waits, other('5990000.clock-controller'), other('1000.clock-controller')));
    expect(text).toContain('\n  perhaps for 5990000.clock-controller, not bound either (guess by the name)\n');
    expect(formatWhy(why(...waits, other('1000.clock-controller')))).not.toContain('perhaps for');
    // Of many of a kind those beside it.
    const lacks = pending('59b0000.gpu', 'gadget-gpu: no core clock');
    const clocks = ['1', '2', '3', '599000'].map((name) => other(`${name}0000.clock-controller`));
    expect(perhapsOf(lacks, ...clocks)).toEqual([]);
    expect(perhapsOf(lacks, ...clocks, other('5990000.clock-controller'))).toEqual(['5990000.clock-controller']);
  });

  it('is what many kinds of controllers have in common, and what many parts of one device have', () => {
    const waits = (...names: string[]) => names.map((name) => pending(name, '(reason unknown)'));
    const kinds = ['1000000.i2c', '2000000.serial', '3000000.mmc'];
    const told = (...lines: string[]) => formatWhy(why(...lines));
    const text = told(...waits(...kinds), stamped('pinctrl core: initialized pinctrl subsystem'));
    expect(text).toContain(
      '(i2c, serial, mmc) have a pin controller in common, of which the log has no word, or clocks',
    );
    const heard = stamped('gadget-pinctrl 9000000.pinctrl: 12 banks');
    expect(told(...waits(...kinds), heard)).toContain('(i2c, serial, mmc) have a pin controller in common, or clocks');
    expect(told(...waits(...kinds, '9000000.pinctrl'))).toContain(
      'need pins: they may wait for 9000000.pinctrl (guess)',
    );
    expect(told(...waits('1000000.i2c', '2000000.i2c', '3000000.mmc'))).not.toContain('in common');
    const parts = ['aon:a_en', 'aon:b_en', 'aon:c_en', 'aon:d_en'];
    expect(told(...waits(...parts))).toContain('\n  all 4 are in the node of aon: one cause is likelier than one each');
    expect(told(...waits(...parts, '1.x'))).toContain('\n  4 of them are in the node of aon: ');
    expect(told(...waits(...parts.slice(1), '1.x'))).not.toContain('in the node');
  });

  it('is what others lack by their words, and what USB controllers share', () => {
    const waits = (...names: string[]) => names.map((name) => pending(name, '(reason unknown)'));
    const lacks = (what: string, ...names: string[]) => names.map((name) => pending(name, `gadget: no ${what}`));
    const told = (...lines: string[]) => formatWhy(why(...lines));
    const controllers = waits('1000000.i2c', '2000000.i2c');
    const resets = lacks('reset control', '3000000.x', '4000000.x');
    expect(told(...controllers, ...resets)).toContain(
      '\n  they may lack what 3000000.x, 4000000.x lack by their words: a reset controller (guess)\n',
    );
    expect(told(...waits('1000000.i2c'), ...resets)).not.toContain('they may lack');
    expect(told(...controllers, ...resets.slice(1))).not.toContain('they may lack');
    expect(told(...controllers, ...lacks('gpio', '3000000.x', '4000000.x'))).not.toContain('they may lack');
    const usb = '\n  what several USB controllers share is a PHY or its supply, as a rule (guess)\n';
    expect(told(...waits('1000000.usb', '2000000.usb'))).toContain(usb);
    expect(told(...waits('1000000.usb', '2000000.mmc'))).not.toContain(usb);
    expect(told(...waits('1000000.usb'))).not.toContain(usb);
  });

  it('is an amplifier that failed, of which a card lacks the part', () => {
    const card = stamped('gadget-card sound: ASoC: CODEC DAI amp77-pcm not registered');
    const deferred = stamped('gadget-card sound: snd_soc_register_card fail -517');
    const failed = (device: string, driver: string) => stamped(`${driver}: probe of ${device} failed with error -121`);
    const text = formatWhy(why(failed('7-0034', 'speaker_amp'), failed('7-0060', 'gadget_type_c'), card, deferred));
    expect(text).toMatch(/\n {2}perhaps for 7-0034, whose probe failed \(guess by the name\)\n {2}waiting: sound\n/);
    expect(text).toMatch(/\n7-0034: .*\n {2}waiting \(guess\): sound\n/);
    expect(text).toContain('wait:\n  7-0060 ');
  });

  it('does not count the whole as waiting that a part has made fail', () => {
    const part = stamped('gadget-dc 1000.display: failed to bind 2000.gpu (ops gadget_ops): -19');
    const text = formatWhy(why(part, pending('3000.x', '(reason unknown)')));
    expect(text).toMatch(/^1 device waits, and the log does not say for what; 1 probe failed:\n/);
    expect(text).toContain('2000.gpu: it cannot be bound as a part of 1000.display, which fails with it: error -19');
    expect(text).not.toContain('waiting: 1000.display');
  });

  it('is nothing that the driver core says of its time-out', () => {
    const lines = [
      'Extended deferred probe timeout by 10 secs',
      'gadget-mmc 1.mmc: Driver gadget-mmc requests probe deferral',
    ];
    expect(why(...lines.map(stamped)).roots).toMatchObject([{ name: '1.mmc', cause: { call: null }, evidence: null }]);
  });

  it('is that the list is of its time, where others are bound later', () => {
    const list = pending('1.x', '(reason unknown)');
    const later = stamped('gadget-net 2000000.net: eleven queues');
    const banner = stamped('Linux version 5.10.3 (gadget)');
    expect(formatWhy(why(banner, list, later))).toContain(
      '  as of then: other drivers speak for the first time later (from line 3)',
    );
    for (const none of [
      [banner, stamped('gadget-net 2000000.net: one queue'), list, later],
      // What was before a piece of a log may have spoken there.
      [list, later],
      // An interface is opened long after the probe.
      [banner, list, later.replace('net: ', 'net eth0: ')],
      [banner, list, stamped('gadget-net 2000000.net eth0: PHY [mdio-0:02] driver [Gadget PHY] (irq=POLL)')],
      // Where the log tells of each probe, there was no other.
      [banner, stamped('probe of 1.x returned -517 after 0 usecs'), list, later],
      // A sentence has no device.
      [banner, list, stamped('Filesystems sync: two')],
    ])
      expect(formatWhy(why(...none))).not.toContain('as of then');
  });

  it('is one of parts that fail in the same words, whoever waits for which', () => {
    const failed = (name: string) => [
      stamped(`gadget-gpio ${name}: cannot find its registers`),
      stamped(`gadget-gpio ${name}: probe with driver gadget-gpio failed with error -2`),
    ];
    const waits = (name: string, supplier: string) => pending(name, `platform: supplier ${supplier} not ready`);
    const [one, two] = ['pins:gpio@1000', 'pins:gpio@2000'];
    const text = formatWhy(why(...failed(one), ...failed(two), waits('1.x', one), waits('2.x', two)));
    expect(text).toContain(`${one}, ${two}: the probe of gadget-gpio failed with error -2`);
    expect(text).toContain(`  waiting: 1.x (for ${one}), 2.x (for ${two})\n`);
  });

  it('is a USB controller’s PHY where that waits, as the parts of a card are', () => {
    const waits = (...names: string[]) => names.map((name) => pending(name, '(reason unknown)'));
    const told = (...names: string[]) => formatWhy(why(...waits(...names)));
    const phy = 'may wait for its PHY, which waits too: 3000000.phy (guess by the names)\n';
    expect(told('1000000.usb', '3000000.phy', '4000000.pcie-phy')).toContain(`  1000000.usb ${phy}`);
    expect(told('1000000.mmc', '3000000.phy')).not.toContain('its PHY');
    const many = Array.from({ length: 6 }, (_, n) => `${n}000000.phy`);
    expect(told('a000000.usb', ...many)).not.toContain('its PHY');
    // One that waits for a supplier by name, too.
    const held = pending('3000000.phy', 'platform: supplier 2-0040 not ready');
    expect(formatWhy(why(...waits('1000000.usb'), held))).toContain(phy);
  });

  it('is the HDMI that a card has the name and the number of', () => {
    const card = pending('hdmi1-sound', 'gadget-card: parse error');
    const hdmi = pending('2000.hdmi', 'platform: supplier 3000.phy not ready');
    expect(perhapsOf(card, hdmi, pending('4000.dp', '(reason unknown)'))).toEqual(['2000.hdmi']);
  });

  it('does not name those that are told together as their own partners, nor many of a kind', () => {
    const circle = (one: string, two: string) => stamped(`/${one}: Fixed dependency cycle(s) with /${two}`);
    const waits = (name: string) => pending(name, '(reason unknown)');
    const circles = [circle('i2c@1000000', 'i2s@2000000'), circle('i2s@2000000', 'vop@3000000')];
    const text = formatWhy(why(...circles, waits('1000000.i2c'), waits('2000000.i2s')));
    expect(text).toMatch(/1000000\.i2c, 2000000\.i2s: deferred, .*; perhaps for \/vop@3000000, with/);
    const dais = Array.from({ length: 6 }, (_, n) => pending(`${n}000.i2s`, 'gadget: no clock'));
    expect(formatWhy(why(pending('sound', 'gadget-card: codec dai not found'), ...dais.slice(0, 5)))).toContain(
      'perhaps for 0000.i2s, 1000.i2s, 2000.i2s, 3000.i2s, and 1 more, not bound either',
    );
  });

  it('is that a node is a double, where its driver works at that address on another bus', () => {
    const failed = stamped('gadget-rtc 1-0051: probe with driver gadget-rtc failed with error -5');
    const works = stamped('gadget-rtc 3-0051: registered as rtc0');
    expect(formatWhy(why(failed, works))).toContain(
      '\n  its driver works with 3-0051: that node may be a double (guess)\n',
    );
    expect(formatWhy(why(failed, works.replace('-rtc 3', '-adc 3')))).not.toContain('double');
    expect(formatWhy(why(failed, works, pending('1.dev', 'gadget: no clock')))).toMatch(
      /error -5 \(EIO\) \(line \d+\); its driver works with 3-0051: .*double/,
    );
  });

  it('is of every card where several are told together', () => {
    const card = (name: string) => pending(name, 'gadget-card: snd_soc_register_card failed');
    const dma = (name: string) => pending(name, 'gadget-dai: Failed to init PCM DMA');
    const found = why(card('sound'), card('sound-spdif'), dma('1000.ssi'), dma('2000.spdif'));
    expect(formatWhy(found)).toMatch(/sound, sound-spdif:[\s\S]*perhaps for 1000\.ssi, 2000\.spdif, not bound/);
  });

  it('takes a mailbox that waits for a processor’s parts for what the processor’s edge waits for', () => {
    const edge = pending('remoteproc', 'gadget-rproc: Failed to register smd-edge');
    const box = pending(
      'b011000.mailbox',
      'platform: wait for supplier /remoteproc/smd-edge/requests/clock-controller',
    );
    expect(why(edge, box).roots).toMatchObject([{ name: 'remoteproc', cause: { circle: ['b011000.mailbox'] } }]);
  });

  it('names what is waited for as what it is: a flash’s partition, a pin controller, no port of a bus', () => {
    const cell = '/soc@1000/spi@b00/flash@0/partitions/partition@fe0000';
    const mac = why(pending('1.ethernet', `platform: wait for supplier ${cell}/nvmem-layout/macaddr@18a`));
    expect(mac.roots).toMatchObject([{ name: cell }]);
    expect(why(pending('1.dev', 'gadget: Failed to get pinctrl')).roots).toMatchObject([
      { cause: { wants: 'a pin controller' } },
    ]);
    const bus = stamped('gadget-mmc 1.mmc: deferring for a while until the pcie port initializes');
    expect(why(bus).roots).toMatchObject([{ name: '1.mmc', cause: { wants: null } }]);
    const pins = stamped('gadget 1.steps: could not find pctldev for node /ocp/edma@49000000, deferring probe');
    expect(formatWhy(why(pins))).toContain('/ocp/edma@49000000/compatible');
  });

  it('takes a PHY’s port for a part of a PHY, and pins for parts of their controller', () => {
    const port = pending('1.usb', 'platform: wait for supplier otg-port');
    const phy = pending('fe8a0000.usb2phy', 'gadget-phy: failed to create phy');
    const found = why(port, phy);
    expect(found.roots).toMatchObject([
      { name: 'fe8a0000.usb2phy' },
      { name: 'otg-port', cause: { cause: 'part-of', perhaps: ['fe8a0000.usb2phy'] } },
    ]);
    expect(formatWhy(found)).toContain('perhaps of fe8a0000.usb2phy, not bound either (guess)');
    const pins = ['i2c1/i2c1-xfer', 'pwr-key'].map((node, at) =>
      pending(`${at}.dev`, `platform: wait for supplier /pinctrl/${node}`),
    );
    expect(why(...pins).roots).toMatchObject([
      { name: '/pinctrl', waiting: [{ device: '0.dev' }, { device: '1.dev' }] },
    ]);
  });

  it('names what others may wait for where there are others, a fixed regulator after what switches it', () => {
    const open = (...names: string[]) => formatWhy(why(...names.map((name) => pending(name, '(reason unknown)'))));
    expect(open('2180000.i2c')).not.toContain('others may wait');
    expect(open('regulator-5v', '1000.gpio', '2000.mmc')).toContain('(guess): 1000.gpio, regulator-5v');
  });

  it('is the regulator of the CPUs, for their cpufreq', () => {
    const cpufreq = pending('cpufreq-dt', '(reason unknown)');
    const told = (name: string) => formatWhy(why(cpufreq, pending(name, 'gadget: failed to get its PWM')));
    expect(told('regulator-vddcpu')).toContain('  cpufreq may wait for regulator-vddcpu (guess');
    expect(told('regulator-vddlogic')).not.toContain('cpufreq may wait');
  });

  it('is an I2C device that fw_devlink names and no driver speaks of', () => {
    const banner = '[    0.000000] Linux version 6.4.0 (gadget)';
    const cycle = '[    0.500000] i2c 0-0020: Fixed dependency cycle(s) with /i2c@1000/pmic@20/codec';
    const waits = pending('2000.mmc', '(reason unknown)');
    const told = (...lines: string[]) => formatWhy(why(banner, ...lines));
    expect(told(cycle, waits)).toContain(
      "  no driver speaks of 0-0020, a PMIC with a codec by its node's path: the kernel may lack its driver, and this may wait for it (guess)\n",
    );
    expect(told(cycle, stamped('gadget-pmic 0-0020: chip id 0x8170'), waits)).not.toContain('no driver speaks');
    expect(told(cycle, pending('2000.mmc', 'gadget-mmc: no card'))).not.toContain('no driver speaks');
    expect(formatWhy(why(cycle, waits))).not.toContain('no driver speaks');
    const [port, own] = ['/soc/usb@3000', '/soc/i2c@1000/gadget@50'].map(
      (path, at) => `[    0.600000] ${['i2c 1-0050', 'platform 3000.usb'][at]}: Fixed dependency cycle(s) with ${path}`,
    );
    expect(told(`${port}`, `${own}`, waits)).not.toContain('no driver speaks');
    const tied = [
      `${port}`,
      `${own}`,
      waits,
      pending('3000.usb', '(reason unknown)'),
      pending('led', '(reason unknown)'),
    ];
    expect(told(...tied)).toContain('  no driver speaks of 1-0050: where it has none, these may wait for it (guess)\n');
    expect(told(`${own}`.replace('gadget@50', 'gpio@50'), `${port}`, waits)).toContain('1-0050, a GPIO chip by its');
  });

  it('has an opened cycle after what waits, which is no reason', () => {
    const cycle = stamped('platform 3000.dsi: Fixed dependency cycle(s) with /soc/lcd@4000');
    const text = formatWhy(
      why(cycle, pending('3000.dsi', '(reason unknown)'), pending('2000.mmc', '(reason unknown)')),
    );
    expect(text).toMatch(/log.*: 2000\.mmc\n[\s\S]*\n3000\.dsi: deferred, and .*\(guess\)\n/);
  });

  it('takes an I2C device for a codec that nobody else waits for', () => {
    const card = pending('sound', 'gadget-card: register_card failed');
    const i2c = stamped('i2c 2-0044: deferred probe pending: i2c: supplier 2-0020 not ready');
    expect(perhapsOf(card, i2c)).toEqual(['2-0044']);
    expect(perhapsOf(card, pending('1.npu', 'platform: supplier 2-0042 not ready'))).toEqual([]);
  });

  it('takes what failed for what a time-out ended the wait for, by its kind', () => {
    const over = stamped('gadget-gpu 1000.gpu: deferred probe timeout, ignoring dependency');
    const failed = stamped('gadget-clk 2000.clock-controller: probe with driver gadget-clk failed with error -110');
    expect(perhapsOf(over, failed)).toEqual(['2000.clock-controller']);
    const words = stamped('gadget-gpu 1000.gpu: Failed to find its power domain: -2');
    expect(why(words, over).roots).toMatchObject([{ evidence: 'Failed to find its power domain: -2' }]);
  });

  it('takes a name that a card looks for, and a bare node, for what need not be a device', () => {
    const dai = why(stamped('gadget-card sound: ASoC: CODEC DAI gadget-hifi not registered'));
    expect(dai.roots).toMatchObject([{ name: 'gadget-hifi', cause: { cause: 'no-part', kind: 'CODEC DAI' } }]);
    expect(formatWhy(dai)).not.toContain('find /sys/firmware');
    const pins = formatWhy(why(pending('1.mmc', 'platform: wait for supplier sd0')));
    expect(pins).toContain('of which no device is made');
    expect(formatWhy(why(pending('1.mmc', 'platform: supplier regulator-5 not ready')))).not.toContain('often a part');
  });

  it('does not take a PMIC’s part for the bus that the PMIC is on', () => {
    const node = '/soc/gadget,spmi@c440000/gadget,pm@4/pinctrl@c000/pins';
    const { roots } = why(stamped(`gadget-dsi 1.dsi: could not find pctldev for node ${node}, deferring probe`));
    expect(roots).toMatchObject([{ name: '/soc/gadget,spmi@c440000/gadget,pm@4/pinctrl@c000' }]);
  });

  it('takes a driver’s own words for a failed probe where nothing else is said of the device', () => {
    const words = stamped("gadget-bridge 0-003d: Probe failed. Remote port 'dsi' disabled");
    const found = why(words);
    expect(found).toMatchObject({
      unbound: 1,
      roots: [{ name: '0-003d', cause: { cause: 'failed', driver: 'gadget-bridge' }, line: 1 }],
    });
    expect(why(words, stamped('gadget-bridge 0-003d: revision 3')).roots).toEqual([]);
  });

  it('tells of modules that the kernel refused, once each, whatever else the log says', () => {
    const refused = ['disagrees about version of symbol gadget_write', 'Unknown symbol gadget_write (err -22)'];
    const lines = refused.map((reason) => stamped(`gadget_map: ${reason}`));
    const waits = pending('sound', 'gadget: codec dai not found');
    const text = formatWhy(why(...lines, waits));
    expect(text).toContain('The kernel refused modules');
    expect(text).toContain('  gadget_map: disagrees about version of symbol gadget_write (line 1)');
    expect(text).not.toContain('(err -22)');
    expect(formatWhy(why(...lines, stamped('gadget 1.dev: ready')))).toContain('refused');
  });

  it('tells why a regulator cannot be registered, by the regulator’s own name', () => {
    const both = ['GPIO109', 'GPIO63'].flatMap((gpio, at) => [
      stamped(`+${at}V_GADGET: Failed to request enable ${gpio}: -517`),
      stamped(`reg-fixed-voltage regulators:regulator@${at}: Failed to register regulator: -517`),
    ]);
    const found = why(...both);
    expect(found.roots).toMatchObject([
      { evidence: 'Failed to request enable GPIO109: -517', cause: { wants: 'a GPIO' } },
      { evidence: 'Failed to request enable GPIO63: -517' },
    ]);
    expect(formatWhy(found)).toContain('2 devices wait, for 1 reason');
  });

  it('takes what has no device’s name yet for the words of the probe that then fails', () => {
    const map = stamped('(NULL device *): regmap_read of register 0x1 failed: -ETIMEDOUT');
    const failed = stamped('gadget-pwm: probe of 6-0056 failed with error -110');
    expect(why(map, failed).roots).toMatchObject([{ evidence: 'regmap_read of register 0x1 failed: -ETIMEDOUT' }]);
    expect(why(map, stamped('gadget 1.dev: ready'), failed).roots).toMatchObject([{ evidence: null }]);
  });

  it('guesses that a part of a display waits for a panel, and that a card waits for many of one kind', () => {
    const part = stamped('gadget-drm display: failed to bind ff77.syscon:lvds (ops gadget_ops): -517');
    const panel = stamped('gadget-panel lvds-panel: failed to get power regulator: -517');
    expect(formatWhy(why(part, panel))).toContain('perhaps for lvds-panel');
    const codecs = [0, 1, 2, 3].map((n) => pending(`sdw:${n}:0:0217:0204:00:0`, 'gadget-codec: Failed to get reset'));
    const card = pending('sound', 'gadget-card: codec dai not found');
    expect(formatWhy(why(card, ...codecs))).toContain('perhaps for sdw:0:0:0217:0204:00:0, sdw:1:');
  });

  it('knows IIO channels, multiplexers and the audio component of a display', () => {
    const wants = (words: string) => why(pending('1.dev', `gadget: ${words}`)).roots[0]?.cause;
    expect(wants("Couldn't get usbin_v IIO channel")).toMatchObject({ wants: 'an IIO channel (an ADC)' });
    expect(wants('Failed to get mux')).toMatchObject({ wants: 'a multiplexer control' });
    expect(wants("couldn't bind with audio component")).toMatchObject({
      wants: 'the audio component of the display driver',
    });
  });

  it('takes for failed what a driver gave to dev_err_probe() last, unless it goes on', () => {
    const error = stamped('gadget-spi 8.spi: error -ENODEV: Failed to get tx DMA ch');
    expect(why(error).roots).toMatchObject([{ name: '8.spi', cause: { cause: 'failed' } }]);
    expect(formatWhy(why(error))).toContain('next: `dmas` in its node has to name a DMA controller');
    expect(why(error, stamped("gadget-spi 8.spi: couldn't get DMA, fall back to FIFO mode")).roots).toEqual([]);
  });

  it('has a driver’s words without the name of its device, right before the deferral', () => {
    const defers = (driver: string) => stamped(`platform 1.dev: Driver ${driver} requests probe deferral`);
    const reason = (words: string, driver: string) =>
      why(stamped(words), defers(driver)).roots.find(({ name }) => name === '1.dev')?.evidence;
    expect(reason('gadget_read_dt: tm not ready -517', 'gadget,charger')).toBe('gadget_read_dt: tm not ready -517');
    expect(reason('gadget-cam: failed to acquire subdev OV1', 'gadget-cam')).toBe('failed to acquire subdev OV1');
    expect(reason('other 2.dev: not ready -517', 'gadget')).toBeNull();
    expect(reason('gadget-cam: version 2', 'gadget-cam')).toBeNull();
  });

  it('reads what dynamic debug has with the function’s name before it', () => {
    const late = stamped('really_probe: platform clock-cec: Driver gadget-clk requests probe deferral');
    const bound = stamped("driver_bound: driver: 'gadget-clk': driver_bound: bound to device 'clock-cec'");
    expect(why(late)).toMatchObject({ unbound: 1, roots: [{ name: 'clock-cec' }] });
    expect(why(late, bound).unbound).toBe(0);
  });

  it('does not miss what spoke of an error and works since', () => {
    const waits = stamped('gadget-card sound: ASoC: CPU DAI gadget-pcm not registered');
    const error = stamped('gadget gadget-pcm: dma failed -22');
    expect(why(waits, error).roots).toMatchObject([{ name: 'gadget-pcm', cause: { cause: 'spoken-of' } }]);
    expect(why(waits, error, stamped('gadget gadget-pcm: FW version: 4')).roots).toEqual([]);
  });

  it('does not guess by its own node’s name what a device waits for', () => {
    const codec = pending('2000.codec', 'gadget: unable to get macro clock');
    const other = pending('1000.codec', 'gadget: no way');
    expect(formatWhy(why(codec, other))).not.toContain('perhaps for 1000.codec');
    const words = stamped('gadget 1.mmc: regulator lookup of vqmmc: RETURN EPROBE_DEFER');
    expect(why(words).roots).toMatchObject([{ name: '1.mmc', cause: { wants: 'a regulator' } }]);
  });

  it('leads to the device whose driver the words speak of, where one alone is not bound', () => {
    const failed = stamped('gadget_scm firmware:scm: probe with driver gadget_scm failed with error -4');
    const waits = pending('1500.iommu', 'gadget-smmu: gadget_scm not ready');
    expect(why(failed, waits).roots).toMatchObject([{ name: 'firmware:scm', waiting: [{ device: '1500.iommu' }] }]);
    const own = pending('1500.iommu', 'gadget_smmu: gadget_smmu_init() failed');
    expect(why(failed, own).roots).toHaveLength(2);
  });

  it('does not say that the kernel may have no driver where it has one for others of the kind', () => {
    const bound = stamped("gadget-i2c 40012000.i2c: driver: 'gadget-i2c': driver_bound: bound to device");
    const bus = pending('3.dev', 'platform: wait for supplier /soc/i2c@5c002000');
    expect(formatWhy(why(bus))).toContain('its module may not be loaded');
    const text = formatWhy(why(bound, bus));
    expect(text).toContain('although it has one for 40012000.i2c');
    expect(text).toContain('next: `cat /sys/firmware/devicetree/base/soc/i2c@5c002000/status`');
  });

  it('takes a Type-C port for no port of a display', () => {
    expect(why(pending('4-0022', 'gadget_typec: cannot register tcpm port')).roots).toMatchObject([
      { cause: { wants: 'a USB role switch (a USB controller)' } },
    ]);
  });

  it('tells of a deferral or of a pin whose device the log does not name', () => {
    const failed = stamped('gadget 1.dev: probe with driver gadget failed with error -2');
    const words = stamped('Gadgetooth: Failed to init regulators:-517');
    expect(formatWhy(why(failed, words))).toContain('  Gadgetooth: Failed to init regulators:-517');
    const pin = stamped('gadget-pinctrl 2.pinctrl: pin G4 already requested by 3.pcie; cannot claim for pins:521');
    expect(formatWhy(why(failed, pin))).toContain('2.pinctrl (gadget-pinctrl): pin G4 already requested by 3.pcie');
  });

  it('tells what was said shortly before of what a failed probe lacks by its words', () => {
    const phy = stamped('phy phy-32f0.pcie-phy.4: phy poweron failed --> -110');
    const words = stamped('gadget-pcie 3380.pcie: waiting for PHY ready timeout!');
    const failed = stamped('gadget-pcie 3380.pcie: probe with driver gadget-pcie failed with error -110');
    const text = formatWhy(why(phy, words, failed));
    expect(text).toContain('perhaps for phy-32f0.pcie-phy.4, of which its driver says (line 1): phy poweron failed');
    expect(text).toContain('next: see first to what is said of phy-32f0.pcie-phy.4');
    const long = Array.from({ length: 9 }, (_, n) => stamped(`other ${n}.dev: ready`));
    expect(formatWhy(why(phy, ...long, words, failed))).not.toMatch(/perhaps for .*poweron/);
  });

  it('knows a deferral by its number without a sign, and a clock by its name', () => {
    const words = stamped('gadget-eth ff0e.ethernet: failed to get tx_clk (4294966779)');
    expect(why(words)).toMatchObject({ unbound: 1, roots: [{ cause: { cause: 'own-deferral', wants: 'a clock' } }] });
    const others = Array.from({ length: 12 }, (_, n) => stamped(`gadget-dma ${n}.dma: main clock not found.`));
    expect(formatWhy(why(words, ...others))).toContain('11.dma (gadget-dma): main clock not found.');
  });

  it('knows a part of a sound card by a name of several words', () => {
    const words = stamped('gadget-card gadget-card: ASoC: CODEC DAI Analog Codec DAI not registered');
    expect(formatWhy(why(words))).toContain('Analog Codec DAI: no driver has registered a CODEC DAI of this name');
  });

  it('is of a component where the card only passes on that one cannot be probed yet', () => {
    const part = (device: string) => stamped(`gadget-codec ${device}: ASoC: failed to probe component -517`);
    const card = stamped('gadget-card sound: ASoC: failed to instantiate card -517');
    expect(why(part('sdw:0:1'), card).roots).toMatchObject([{ name: 'sdw:0:1', waiting: [{ device: 'sound' }] }]);
    // Of two it may be either.
    expect(why(part('sdw:0:1'), part('sdw:0:2'), card).roots).toHaveLength(3);
    expect(why(stamped('gadget-codec sdw:0:1: not now: -517'), card).roots).toHaveLength(2);
    const far = Array.from({ length: 9 }, () => stamped('gadget: ready'));
    expect(why(part('sdw:0:1'), ...far, card).roots).toHaveLength(2);
  });

  it('says that one provider may be behind many reasons, unless that is one of them', () => {
    const lacks = ['no core clock', 'bus clk not there', 'cannot get its clock'].map((words, n) =>
      stamped(`gadget-${n} ${n}000.x: ${words}: -517`),
    );
    const failed = [
      stamped('gadget-4 4000.x: cannot get parent clock'),
      stamped('gadget-4: probe of 4000.x failed with error -2'),
    ];
    const text = formatWhy(why(...lacks, ...failed));
    expect(text.split('\n')[1]).toMatch(/^By their words 4 lack a clock: who provides that to all of them may have/);
    expect(formatWhy(why(...lacks.slice(1)))).not.toContain('By their words 2');
    const provider = stamped('gadget-clk: probe of 9000.clock-controller failed with error -22');
    expect(formatWhy(why(...lacks, provider))).not.toContain('By their words 3');
    const leds = ['cannot get status LED', 'cannot request the LED', 'failed to find LED'].map((words, n) =>
      stamped(`gadget-${n} ${n}000.x: ${words}: -517`),
    );
    expect(formatWhy(why(...leds))).not.toContain('By their words 3');
  });

  it('knows a cell of an NVMEM device, of which no device is made, by its name', () => {
    const waits = (device: string, cell: string) => pending(device, `platform: wait for supplier ${cell}`);
    const text = formatWhy(why(waits('1000.phy', 'trim-first@1eb'), waits('2000.phy', 'speed-bin@133')));
    expect(text).toContain(
      'trim-first@1eb, speed-bin@133: a cell of an NVMEM device by its name, of which no device is',
    );
    expect(text).toContain('that device (fuses, an OTP, an EEPROM) is not there');
    expect(formatWhy(why(waits('1000.phy', 'trim@f0001eb0')))).not.toContain('NVMEM');
    const fuses = stamped('gadget: probe of 784000.qfprom failed with error -22');
    expect(formatWhy(why(waits('1000.phy', 'trim@1eb'), fuses))).toContain('perhaps of 784000.qfprom');
  });

  it('does not take what taints every kernel for an error of a device', () => {
    const failed = stamped('gadget-x: probe of 9000.x failed with error -22');
    const taints = stamped('gpio_x: module verification failed: signature and/or key missing - tainting kernel');
    const console = stamped('Warning: unable to open an initial console.');
    expect(
      why(taints, console, stamped('gadget-y 8000.y: timed out'), failed, pending('1.dev', '(reason unknown)'))
        .complaints,
    ).toHaveLength(1);
  });

  it('tells together what drivers defer without a word, and what it may wait for', () => {
    const defers = (device: string, driver: string) =>
      stamped(`${driver} ${device}: Driver ${driver} requests probe deferral`);
    const lines = [defers('1000.i2c', 'gadget-i2c'), defers('2000.mmc', 'gadget-mmc')];
    const failed = stamped('gadget-pd: probe of 9000.power-controller failed with error -12');
    const text = formatWhy(why(...lines, failed));
    expect(text.split('\n')[0]).toBe('2 devices wait, and the log does not say for what; 1 probe failed:');
    expect(formatWhy(why(...lines))).toMatch(/^2 devices wait, and the log does not say for what\.\n/);
    const same = ['a.one', 'b.two'].map((name) => defers(name, name));
    expect(formatWhy(why(...same))).toContain('a.one, b.two: their drivers defer them, and the log does not');
    expect(text).toContain('1000.i2c, 2000.mmc: gadget-i2c, gadget-mmc defer them, and the log does not say why');
    expect(text).toContain('\n\nWhat is deferred without a reason may wait for what failed (guess): 9000.');
    const returned = ['a.one', 'b.two'].map((name) => stamped(`probe of ${name} returned 517 after 9 usecs`));
    expect(formatWhy(why(...returned))).toContain('a.one, b.two: their drivers defer them, and the log does not');
    const clock = stamped('gadget-mmc 2000.mmc: no clock yet: -517');
    expect(formatWhy(why(clock, failed))).not.toContain('may wait for what failed');
  });

  it('knows a pin controller inside a block of registers by both names', () => {
    const pins = (node: string) => `/cp1/bus@f4000000/${node}/pinctrl/uart-pins`;
    const waits = pending('f4702000.serial', `platform: wait for supplier ${pins('block@440000')}`);
    expect(why(waits).roots).toMatchObject([{ name: 'f4440000.block:pinctrl' }]);
    const failed = stamped('gadget-pins: probe of f4440000.block:pinctrl failed with error -22');
    const other = stamped('gadget-pins: probe of f2440000.block:pinctrl failed with error -22');
    expect(why(waits, failed, other).roots).toMatchObject([
      { name: 'f4440000.block:pinctrl', cause: { error: 22 }, waiting: [{ device: 'f4702000.serial' }] },
      { name: 'f2440000.block:pinctrl', waiting: [] },
    ]);
    expect(why(waits, other).roots[0]).toMatchObject({ name: 'f4440000.block:pinctrl', waiting: [{}] });
    // What is behind a bus of few addresses has a driver for all its parts.
    const pmic = pending('1000.serial', `platform: wait for supplier /i2c@7000d000/pmic@3c/pinctrl/a-pins`);
    expect(why(pmic).roots).toMatchObject([{ name: '/i2c@7000d000/pmic@3c' }]);
  });

  it('suspects what gives GPIOs, not what is called after those that it uses', () => {
    const leds = pending('leds', "gadget-leds: Failed to get GPIO '/leds/led-0'");
    const others = (...names: string[]) => names.map((name) => pending(name, '(reason unknown)'));
    const users = ['gpio-fan', 'gpio-keys', 'gpio-poweroff'];
    expect(formatWhy(why(leds, ...others(...users)))).not.toContain('perhaps for');
    expect(why(leds, ...others(...users)).likely).toEqual([]);
    for (const name of ['1000.gpio', 'gpio-expander', '2-0020.gpio-controller'])
      expect(formatWhy(why(leds, ...others(...users, name)))).toContain(`perhaps for ${name}, not bound either`);
  });

  it('does not take what stands in a path, or before a part, for the name of what is lacking', () => {
    const lacks = '/soc/syscon@10006000/power/domain@0: failed to get clk at index 0';
    const waits = pending('10006000.syscon:power', `gadget-pd: ${lacks}`);
    expect(formatWhy(why(waits, pending('14000000.syscon', '(reason unknown)')))).not.toContain('perhaps for');
  });

  it('knows what is made inside a device, whose node has no address, as the supplier of a part of it', () => {
    const waits = pending('cci', 'platform: wait for supplier /soc/wrap@1000d000/pmic/regulators/buck-1');
    const pmic = pending('1000d000.wrap:pmic', 'gadget-pmic: IRQ index 0 not found');
    expect(why(waits, pmic).roots).toMatchObject([{ name: '1000d000.wrap:pmic', waiting: [{ device: 'cci' }] }]);
    expect(why(waits).roots).toMatchObject([{ name: '1000d000.wrap' }]);
    expect(why(waits, pending('2000d000.wrap:pmic', 'gadget-pmic: no clock')).roots[0]?.name).toBe('1000d000.wrap');
  });

  it('has no circle of a node with itself and what is in it', () => {
    const circle = (other: string) => stamped(`platform 1000.pcie: Fixed dependency cycle(s) with ${other}`);
    const device = pending('1000.pcie', '(reason unknown)');
    expect(why(circle('/soc/intc@2000'), device).roots).toHaveLength(1);
    const path = (other: string) => stamped(`/soc/pcie@1000: Fixed dependency cycle(s) with ${other}`);
    for (const other of ['/soc/pcie@1000', '/soc/pcie@1000/interrupt-controller'])
      expect(why(path(other), device)).toMatchObject({ roots: [], unexplained: ['1000.pcie'] });
    expect(why(path('/soc/pcie@10000'), device).roots).toHaveLength(1);
  });

  it('takes what a driver says just before its probe returns the deferral for the reason', () => {
    const says = (words: string) => `[    1.100000] gadget-extcon extcon-usb: ${words}`;
    const returns = '[    1.100100] probe of extcon-usb returned 517 after 443 usecs';
    const { roots } = why(says('failed to get usb role'), returns);
    expect(roots).toMatchObject([{ name: 'extcon-usb', evidence: 'failed to get usb role' }]);
    // The driver core's message has the reason already, and a device that the core holds back has no words of its own.
    const told = says('error -EPROBE_DEFER: no role switch');
    expect(why(told, says('failed to get usb role'), returns).roots[0]?.evidence).toBe('no role switch');
    expect(why(says('failed to get usb role'), returns.replace('517', '-517')).roots).toEqual([]);
  });
});
