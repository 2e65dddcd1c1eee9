import { describe, expect, it } from 'vitest';
import { formatWhy } from '../../harness/report/why.ts';
import { whyUnbound } from '../../harness/verdict/why.ts';
import { summaryOf } from './summary-of.ts';

/** What lines of a log prove: of probes that failed, of suppliers, of the kernel itself. */

const why = (...lines: string[]) => whyUnbound(summaryOf(lines));
/** A line at a time in milliseconds. */
const at = (ms: number, text: string) => `[${(ms / 1000).toFixed(6).padStart(12)}] ${text}`;
const rootsOf = (...lines: string[]) => why(...lines).roots;

describe('a probe that failed', () => {
  it('with -1 is no success, whatever 1 means in a kernel before 5.11', () => {
    const failed = at(10, 'gadget: probe of 1000.gadget failed with error -1');
    const returned = (ms: number, value: number, device = '1000.gadget') =>
      at(ms, `probe of ${device} returned ${value} after 40 usecs`);
    expect(rootsOf(failed, returned(10, 1))).toMatchObject([{ cause: { cause: 'failed', error: 1 } }]);
    expect(rootsOf(returned(1, 19, '2000.other'), returned(10, 1))).toMatchObject([{ name: '1000.gadget' }]);
    expect(rootsOf(at(10, 'gadget: probe of 1000.gadget failed with error -5'), returned(90, 1))).toEqual([]);
  });

  it('failed for what was said first under the tag of the words just before', () => {
    const tagged = (first: number) => [
      at(first, '<<ACME-ERR>>[acme_write:432] transfer error (-6)'),
      at(111, '<<ACME-INF>>[acme_reset:12] RESET'),
      at(112, 'other 2000.other: has 4 lines'),
      at(113, '<<ACME-ERR>>[acme_init:20] no chip type: failed'),
      at(114, '<<ACME-ERR>>[acme_ts_probe:567] failed'),
      at(115, 'Acme-TS: probe of 1-0014 failed with error -1'),
    ];
    expect(rootsOf(...tagged(110))).toMatchObject([
      {
        evidence: '<<ACME-ERR>>[acme_write:432] transfer error (-6); <<ACME-ERR>>[acme_ts_probe:567] failed',
        wordsLine: 1,
        line: 6,
      },
    ]);
    // Of errors that differ the commonest tells.
    const once = at(109, '<<ACME-ERR>>[acme_write:432] transfer error (-110)');
    const again = at(112, '<<ACME-ERR>>[acme_write:432] transfer error (-6)');
    const many = [once, ...tagged(110).slice(0, 1), again, ...tagged(110).slice(3)];
    expect(rootsOf(...many)[0]?.evidence).toContain('transfer error (-6); ');
    // Of an earlier attempt it says nothing.
    expect(rootsOf(...tagged(50))[0]?.evidence).toBe(
      '<<ACME-ERR>>[acme_init:20] no chip type: failed; <<ACME-ERR>>[acme_ts_probe:567] failed',
    );
  });

  it('failed for what came to nothing with the same error before, also behind the report of a warning', () => {
    const phy = at(10, 'phy phy-1000.phy.0: phy init failed --> -2');
    const own = at(14, '[ACME]acme_controller 2613: failed with status -2');
    const report = Array.from({ length: 40 }, (_, n) => at(15, `acme_frame_${n}+0x10/0x20`));
    const failed = (ms: number, error = 2) => at(ms, `acme-hdrc: probe of acme-hdrc failed with error -${error}`);
    const told = (...lines: string[]) => rootsOf(...lines)[0]?.evidence;
    expect(told(phy, own, ...report, failed(16))).toBe(
      'phy phy-1000.phy.0: phy init failed --> -2; [ACME]acme_controller 2613: failed with status -2',
    );
    expect(told(phy, own, ...report, failed(60))).toBe(null);
    expect(told(phy, own, ...report, failed(16, 22))).toBe(null);
    // What another device's driver says is of another probe.
    const other = at(14, 'other 2000.other: cannot get its clock: -2');
    expect(told(other, ...report, failed(16))).toBe(null);
  });

  it('failed for what is said under a part of its driver’s name, or with a level in a function of it', () => {
    const fails = (driver: string) => at(11, `${driver}: probe of 1000.gadget failed with error -22`);
    const told = (driver: string, text: string) => rootsOf(at(10, text), fails(driver))[0]?.evidence;
    const named = 'acme_eye:  err: Failed to init core';
    expect(told('acme_eye_v2', named)).toBe(named);
    expect(told('acme-eye', named)).toBe(named);
    expect(told('acmex', named)).toBe(null);
    expect(told('acme_nose', named)).toBe(null);
    const level = 'ACME_ERR: ACME-X: acme_eye_probe: 85 eye 1 is open';
    expect(told('acme-eye', level)).toBe(level);
    expect(told('acme-eye', 'ACME_INFO: ACME-X: acme_eye_probe: 85 eye 1 is open')).toBe(null);
  });

  it('failed for whatever its driver said of it in the line before, which is not of what works', () => {
    const fails = at(11, 'gadget-key: probe of 1000.key failed with error -22');
    const told = (text: string, ms = 10) => rootsOf(at(ms, text), fails)[0]?.evidence;
    expect(told('gadget-key 1000.key: device is disabled')).toBe('device is disabled');
    expect(told('gadget-key 1000.key: registered with the input core')).toBe(null);
    expect(told('gadget-key 2000.key: device is disabled')).toBe(null);
    expect(told('platform 1000.key: device is disabled')).toBe(null);
    expect(told('gadget-key 1000.key: device is disabled', 1)).toBe('device is disabled');
    expect(rootsOf(at(1, 'gadget-key 1000.key: device is disabled'), at(900, fails.slice(15)))[0]?.evidence).toBe(null);
  });

  it('failed for what its driver says behind words of user space, and for what its bus or host says before', () => {
    const fails = at(11, 'gadget-mac: probe of 1000.mac failed with error -16');
    const told = (text: string) => rootsOf(text, fails)[0]?.evidence;
    const words = "can't request region for resource";
    expect(told(`[  OK  ] Finished Create Wrappers gadget-mac 1000.mac: ${words}`)).toBe(words);
    expect(told(`[  OK  ] Finished Create Wrappers gadget-x 1000.mac: ${words}`)).toBe(null);
    const spmi = [
      at(10, 'spmi spmi-0: arb_wait_for_done: transaction failed (0x3)'),
      at(10, 'gadget-gpio 8f.spmi:pmic@2:gpios@c000: read 0x4 failed'),
      at(10, 'gadget-gpio: probe of 8f.spmi:pmic@2:gpios@c000 failed with error -5'),
    ];
    const card = at(11, 'gadget-wifi: probe of mmc1:0001:3 failed with error -5');
    const host = 'mmc1: Controller never released inhibit bit(s).';
    expect(rootsOf(at(10, host), card)[0]?.evidence).toBe(host);
    expect(rootsOf(at(10, host.replace('mmc1', 'mmc2')), card)[0]?.evidence).toBe(null);
    expect(rootsOf(at(10, 'mmc1: new SDIO card at address 0001'), card)[0]?.evidence).toBe(null);
    expect(rootsOf(...spmi)[0]?.evidence).toBe('spmi-0: arb_wait_for_done: transaction failed (0x3); read 0x4 failed');
  });

  it('failed because nobody answers on its bus, where its driver makes another error of that', () => {
    const asked = at(30, 'acme519_i2c_read: read cnt=4 error=-121');
    const dump = Array.from({ length: 30 }, (_, n) => at(31, `dump ${n}`));
    const said = at(40, 'ACME_AMP 6-005b: acme519_i2c_probe: acme519_read_id failed ret=-22');
    const fails = at(41, 'ACME_AMP: probe of 6-005b failed with error -22');
    const found = why(asked, ...dump, said, fails);
    expect(found.roots).toMatchObject([{ evidence: expect.stringContaining('error=-121; acme519_i2c_probe: ') }]);
    expect(formatWhy(found)).toContain('next: nothing answers there');
    // Another driver asks for another device.
    const other = at(30, 'brand_i2c_read: read cnt=4 error=-121');
    expect(rootsOf(other, ...dump, said, fails)[0]?.evidence).not.toContain('-121');
  });
});

describe('words without the name of a device', () => {
  it("are a probe's where they speak of one just before it fails, or have a tag of two words", () => {
    const failed = at(1000, 'acme: probe of 1-0008 failed with error -22');
    const told = (ms: number, words: string) => rootsOf(at(ms, words), failed)[0]?.evidence ?? null;
    const slow = 'acme_eeprom_probe acme_read failed';
    expect(told(950, slow)).toBe(slow);
    expect(told(999, `Acme ${slow}`)).toBe(`Acme ${slow}`);
    const placed = 'acme_probe:2819: probe failed, as another one had been probed';
    expect(told(999, placed)).toBe(placed);
    expect(told(950, 'acme_eeprom_probe starts')).toBe(null);
    // The line before is of another moment.
    expect(rootsOf(at(950, slow), at(951, 'other 2000.other: has 4 lines'), failed)[0]?.evidence).toBe(null);
    const tagged = 'ACME PMIC: acme_pmic_probe: cannot get its status rc=-22';
    expect(told(999, tagged)).toBe(tagged);
    expect(told(999, 'acme 2000.pmic: acme_pmic_probe: cannot get its status rc=-22')).toBe(null);
  });

  it("are a probe's after the name of its driver, with what was not right before", () => {
    const failed = at(1000, 'acme-tee: probe of firmware:tee failed with error -22');
    const told = (...words: string[]) =>
      rootsOf(...words.map((text, n) => at(990 + n, `acme-tee: ${text}`)), failed)[0]?.evidence ?? null;
    expect(told('probing for its method', 'api uid mismatch')).toBe('acme-tee: api uid mismatch');
    expect(told('not there', 'api uid mismatch')).toBe('acme-tee: not there; acme-tee: api uid mismatch');
    expect(told('has an api')).toBe(null);
  });

  it("are of no suspect where a class, a subsystem's tag or a report of what works speaks", () => {
    const complaints = (words: string) => why(at(100, words)).complaints.length;
    expect(complaints('thermal thermal_zone2: failed to read out thermal zone (-517)')).toBe(0);
    expect(complaints('acme fe20.lpass: Subsystem error monitoring/handling services are up')).toBe(0);
    expect(complaints('dmi: Firmware registration failed.')).toBe(0);
    expect(complaints('psci: [Firmware Bug]: failed to set the mode: -3')).toBe(0);
    expect(complaints('mmc_host mmc0: Tuning error')).toBe(0);
    expect(complaints('acme: cannot load its firmware: failed')).toBe(1);
    expect(complaints('acme fe20.lpass: Subsystem failed')).toBe(1);
  });

  it('are a deferral where it is put in many words', () => {
    const words = 'acme-mach sound: acme_snd_probe: Defering ACME SND card probe, wait for the first';
    expect(rootsOf(at(100, words))).toMatchObject([{ name: 'sound' }]);
  });
});

describe('a probe that is deferred', () => {
  const returned = (ms: number, usecs: number) => at(ms, `probe of acme_pm returned 517 after ${usecs} usecs`);

  it('has for its reason what is said while it lasts, also without the name of its device', () => {
    const says = (ms: number) => at(ms, 'PM: Cannot get acme_ipc handle');
    const reasonOf = (...lines: string[]) => rootsOf(...lines)[0]?.evidence;
    expect(rootsOf(says(96), returned(100, 5000))).toMatchObject([
      { name: 'acme_pm', evidence: 'PM: Cannot get acme_ipc handle', line: 1 },
    ]);
    expect(reasonOf(says(94), returned(100, 5000))).toBe(null);
    expect(reasonOf(at(96, 'acme 2000.other: Cannot get its handle'), returned(100, 5000))).toBe(null);
    expect(reasonOf(at(96, 'systemd[1]: lightdm.service: failed'), returned(100, 5000))).toBe(null);
    // What is looked for is not lacked.
    const looks = at(96, 'acme acme_pm: No GPIO consumer wp found');
    expect(reasonOf(looks, says(97), returned(100, 5000))).toBe('PM: Cannot get acme_ipc handle');
  });

  it('as a card has for its reason which part is not there, also where the line is broken', () => {
    const card = '> > [    1.000002] acme-card sound: acme_card_probe snd_soc_register_card fail -517';
    const part = ['> > [    1.000000] acme-card sound: ASoC:', '> > CODEC DAI acme TDM0 not registered'];
    expect(rootsOf(part.join(' ').replace('> > CODEC', 'CODEC'), card)).toMatchObject([{ name: 'acme TDM0' }]);
    expect(rootsOf(...part, card)).toMatchObject([{ name: 'acme TDM0', waiting: [{ device: 'sound' }] }]);
  });
});

describe('the line of what is quoted', () => {
  it('is the first of those that a mail program made of one', () => {
    const broken = [
      at(10, "gadget-pins 1000.pinctrl: can't request region for"),
      'resource [mem 0x1000-0x1fff]',
      at(11, 'gadget-pins: probe of 1000.pinctrl failed with error -16'),
    ];
    expect(rootsOf(...broken)).toMatchObject([{ evidence: expect.stringContaining('[mem'), wordsLine: 1, line: 3 }]);
  });

  it('is that of an interface without a name yet, which is its device’s', () => {
    const lines = ['gadget-mac 1000.mac (unnamed net_device) (uninitialized): eth%d: no PHY found'];
    lines.push('gadget-mac 1000.mac: MII Probe failed!');
    expect(rootsOf(...lines.map((text) => at(10, text)))).toMatchObject([
      { name: '1000.mac', evidence: 'eth%d: no PHY found; MII Probe failed!' },
    ]);
  });
});

describe('a probe of which only the function speaks', () => {
  const fails = '[drm:acme_eye_dev_probe] *ERROR* failed to get its controller, rc=-517';
  const told = (...lines: string[]) => why(...lines);

  it('is deferred, of a device that the log does not name', () => {
    const found = told(at(10, fails), at(500, fails));
    expect(found).toMatchObject({ unbound: 1, complaints: [], roots: [{ name: 'acme_eye_dev_probe()', line: 2 }] });
    expect(formatWhy(found)).toContain('acme_eye_dev_probe(): its driver defers it: failed to get its controller');
    // Another number is no deferral.
    expect(told(at(10, fails.replace('517', '22'))).unbound).toBe(0);
  });

  it('is over where a function of that driver says so later, or what is named so is bound', () => {
    const ends = at(900, '[drm:acme_eye_bind] [acme-info]: Successfully bound');
    const bound = [{ device: 'acme_eye_dev_probe()', line: 2 }];
    expect(told(at(10, fails), ends)).toMatchObject({ unbound: 0, bound });
    const part = (name: string) => at(900, `acme_drm 1.mdp: bound soc:${name} (ops eye_ops)`);
    expect(told(at(10, fails), part('acme,ear')).unbound).toBe(1);
    expect(told(at(10, fails), part('acme,eye'))).toMatchObject({ unbound: 0, bound });
    expect(told(ends, at(950, fails)).unbound).toBe(1);
    expect(told(at(10, fails), at(900, '[drm:acme_ear_bind] [acme-info]: Successfully bound')).unbound).toBe(1);
    expect(told(at(10, fails), at(900, '[drm:acme_eye_bind] [acme-info]: not successful')).unbound).toBe(1);
  });

  it('is that of what is named so and waits', () => {
    const waits = at(11, 'platform soc:acme,acme-eye: Driver acme-eye requests probe deferral');
    expect(told(at(10, fails), waits)).toMatchObject({ unbound: 1, roots: [{ name: 'soc:acme,acme-eye' }] });
  });
});

describe('a supplier', () => {
  it('is not proven to be there by a later probe where the log tells of each and not of its own', () => {
    const held = ['1000.gadget', '3000.led'].map((device) =>
      at(100, `platform ${device}: error -EPROBE_DEFER: supplier 2000.pwm not ready`),
    );
    const bound = (ms: number, driver: string, device: string) =>
      at(ms, `driver: '${driver}': driver_bound: bound to device '${device}'`);
    const late = [
      at(890, "bus: 'platform': really_probe: probing driver gadget with device 3000.led"),
      bound(900, 'gadget', '3000.led'),
      at(910, 'gadget 1000.gadget: error -EPROBE_DEFER: cannot get PWM'),
    ];
    expect(rootsOf(...held, ...late)).toMatchObject([{ name: '2000.pwm' }]);
    expect(rootsOf(...held, bound(800, 'acme-pwm', '2000.pwm'), ...late)).toMatchObject([{ name: '1000.gadget' }]);
  });

  it('nor by one after the driver core has given up to wait', () => {
    const link = at(100, 'platform 1000.gadget: Linked as a consumer to 2000.pwm');
    const works = at(900, 'gadget 1000.gadget: has 4 lines');
    const waits = at(950, 'platform 3000.led: deferred probe pending: platform: supplier 2000.pwm not ready');
    const over = at(500, 'other 4000.other: deferred probe timeout, ignoring dependency');
    const names = (...lines: string[]) => rootsOf(...lines).map(({ name }) => name);
    expect(names(link, works, waits)).not.toContain('2000.pwm');
    expect(names(link, over, works, waits)).toContain('2000.pwm');
  });
});

describe('a device that works at the end', () => {
  const BANNER = '[    0.000000] Linux version 5.10.3 (gadget)';
  const lacks = at(900, 'acme-host2835 1000.mmc: could not get clk, deferring probe');

  it('is bound where its driver has come further, although all has been tried again since', () => {
    const further = at(1000, 'acme-host2835 1000.mmc: has a DMA channel');
    const since = [1, 2, 3].map((n) => at(2000 + n, `gadget-uart ${n}0000.serial: has 2 lines`));
    const found = why(BANNER, lacks, further, ...since);
    expect(found).toMatchObject({ unbound: 0, settled: [], bound: [{ device: '1000.mmc', line: 3 }] });
    const listed = at(950, 'platform 1000.mmc: deferred probe pending: (reason unknown)');
    expect(why(BANNER, listed, further, ...since).bound).toMatchObject([{ device: '1000.mmc', line: 3 }]);
    const busses = at(1000, 'acme-host2835 1000.mmc: registered 4 multiplexed busses');
    expect(why(listed, busses).bound).toMatchObject([{ device: '1000.mmc', line: 2 }]);
    // Nothing shows that it was tried again, or it had another error.
    expect(why(BANNER, lacks, further)).toMatchObject({ settled: ['1000.mmc'], bound: [] });
    const fails = at(1001, 'acme-host2835 1000.mmc: cannot get its IRQ');
    expect(why(BANNER, lacks, further, fails, ...since).bound).toEqual([]);
  });

  it('is bound where the bus of which it is the host is registered', () => {
    const bridge = (words: string) => why(at(10, 'acme-pcie 1.pcie: failed to get a PHY: -517'), at(90, words)).bound;
    expect(bridge('acme-pcie 1.pcie: PCI host bridge to bus 0000:00')).toMatchObject([{ device: '1.pcie', line: 2 }]);
    expect(bridge('acme-pcie 1.pcie: new USB bus registered, assigned bus number 1')).toHaveLength(1);
    expect(bridge('acme-pcie 1.pcie: host bridge /soc/pcie@1 ranges:')).toEqual([]);
  });

  it('is bound where its host is said to be loaded by the name of its only driver', () => {
    const loaded = at(1000, 'mmc0: acme-host2835 loaded - DMA enabled');
    expect(why(lacks, loaded).bound).toMatchObject([{ device: '1000.mmc', line: 2 }]);
    expect(why(lacks, lacks.replaceAll('1000', '2000'), loaded).bound).toEqual([]);
    expect(why(lacks, at(1000, 'usbcore: registered new interface driver acme-host2835')).bound).toEqual([]);
    expect(why(lacks, at(1000, 'mmc0: acme-host2835 not loaded')).bound).toEqual([]);
  });

  it('is bound as a host where a card is found, and no other host was deferred', () => {
    const further = at(1000, 'acme-host2835 1000.mmc: has a card detect GPIO');
    const card = at(1100, 'mmc0: new high speed SDHC card at address 0007');
    expect(why(lacks, further, card).bound).toMatchObject([{ device: '1000.mmc', line: 3 }]);
    expect(why(lacks, card).bound).toEqual([]);
    const other = [lacks, further].map((line) => line.replace('1000.mmc', '2000.mmc'));
    expect(why(lacks, further, ...other, card).bound).toEqual([]);
  });

  it('leaves nothing open in the words of its part, which are the reason of its deferral', () => {
    const part = at(900, 'acme-hdmi 2000.hdmi: cannot get its regulator');
    const whole = at(901, 'acme-drm display: failed to bind 2000.hdmi (ops acme_ops): -517');
    const there = at(1500, '[drm] Initialized acme-drm 1.0.0 2015 for display on minor 0');
    expect(why(part, whole, there)).toMatchObject({
      complaints: [],
      bound: [{ device: 'display', line: 3, reason: '2000.hdmi: cannot get its regulator', reasonLine: 1 }],
    });
    expect(why(part, whole).unbound).toBeGreaterThan(0);
    const later = at(1600, 'acme-hdmi 2000.hdmi: cannot get its regulator');
    expect(why(part, whole, there, later).complaints).toHaveLength(1);
  });

  it('is told with the time-out that has let it go', () => {
    const over = at(900, 'acme 1000.codec: deferred probe timeout, ignoring dependency');
    const there = at(950, 'acme 1000.codec: Device registered as /dev/video0');
    const found = why(over, there);
    expect(found).toMatchObject({ unbound: 0, goneOn: 0, bound: [{ letGo: { time: 900_000, line: 1 } }] });
    expect(formatWhy(found)).toContain(
      '  1000.codec (line 2), let go without a supplier by the deferred probe timeout at 0.9 s (line 1)\n',
    );
    // Without a time-out it is what each boot of such a kernel has.
    expect(why(at(900, 'acme 1000.codec: ignoring dependency for device, assuming no driver'), there).bound).toEqual(
      [],
    );
  });

  it('is being probed where it binds its parts', () => {
    const over = at(900, 'acme-drm display: deferred probe timeout, ignoring dependency');
    expect(why(over)).toMatchObject({ goneOn: 1, settled: [] });
    expect(why(over, at(950, 'acme-drm display: bound 2000.mixer (ops acme_ops)'))).toMatchObject({
      goneOn: 0,
      settled: ['display'],
    });
  });
});

describe('a driver that gives back what it had got', () => {
  const link = (ms: number, how: string) => at(ms, `acme 0-000f: ${how} to regulator.18`);
  const attempt = (ms: number, words: string) => [
    link(ms, 'Linked as a consumer'),
    at(ms + 1, `acme 0-000f: ${words}`),
    link(ms + 2, 'Dropping the link'),
  ];

  it('after an error defers the device, or it fails where the error has another number', () => {
    const lacks = attempt(100, 'regulator_bulk_get failed');
    expect(rootsOf(...lacks)).toMatchObject([
      { name: '0-000f', cause: { cause: 'own-deferral', wants: 'a regulator' }, line: 2 },
    ]);
    expect(rootsOf(...attempt(100, 'cannot start it, err -110'))).toMatchObject([
      { cause: { cause: 'failed' }, evidence: 'cannot start it, err -110' },
    ]);
    // In the next attempt it gets more, or the same error again.
    expect(why(...lacks, link(900, 'Linked as a consumer'))).toMatchObject({ unbound: 0, settled: ['0-000f'] });
    expect(why(...lacks, ...attempt(900, 'regulator_bulk_get failed')).unbound).toBe(1);
  });

  it('without an error may only be removed', () => {
    expect(why(...attempt(100, 'has 4 lanes')).unbound).toBe(0);
  });
});

describe('a remote processor that is released', () => {
  const released = (ms: number) => at(ms, 'remoteproc remoteproc0: releasing adsp-acme');
  const lacks = (ms: number, words: string) => at(ms, `acme_adsp adsp-acme: ${words}`);

  it('is deferred after an error of its driver, with the last of its reasons', () => {
    const found = why(
      lacks(500, 'Failed to get regulators.'),
      released(501),
      lacks(900, 'no fatal IRQ defined'),
      released(901),
    );
    expect(found.roots).toMatchObject([
      { name: 'adsp-acme', cause: { cause: 'own-deferral', wants: 'an interrupt' }, evidence: 'no fatal IRQ defined' },
    ]);
    expect(why(released(501)).unbound).toBe(0);
    // One attempt may have failed for good.
    expect(why(lacks(500, 'no fatal IRQ defined'), released(501)).unbound).toBe(0);
  });

  it('is bound when it is there after all', () => {
    const available = at(1900, 'remoteproc remoteproc0: adsp-acme is available');
    const attempts = [500, 900].flatMap((ms) => [lacks(ms, 'no fatal IRQ defined'), released(ms + 1)]);
    expect(why(...attempts).unbound).toBe(1);
    expect(why(...attempts, available)).toMatchObject({
      unbound: 0,
      bound: [{ wait: { from: 501_000, to: 1_900_000 } }],
    });
  });
});

describe('the release of a kernel', () => {
  it('is told by more than its first line', () => {
    const waits = '1-0038\tgadget: no supply';
    const kernelOf = (line: string) => why(line, waits).kernel;
    expect(kernelOf('[    1.000000] usb usb1: Manufacturer: Linux 6.6.74-acme dwc2_hsotg')).toBe('6.6.74-acme');
    expect(kernelOf('Linux board 6.6.80-acme #1 SMP Mon Jan 1 10:00:00 UTC 2024 aarch64 GNU/Linux')).toBe(
      '6.6.80-acme',
    );
    expect(kernelOf('modprobe: FATAL: cannot open /lib/modules/6.1.0-18-arm64/modules.dep')).toBe('6.1.0-18-arm64');
    expect(kernelOf('Kernel: 6.1.0')).toBe('6.1.0');
    expect(kernelOf('[    1.000000] usb 1-1: Manufacturer: Linux 6.6.74-acme of another')).toBe(null);
  });
});

describe('an error of a device that its driver has made', () => {
  it('is none of a probe', () => {
    const complaints = (line: string) => {
      const found = why(at(100, line));
      return [...found.complaints, ...found.silent];
    };
    expect(complaints('udc acme-hdrc.1.auto: failed to start g1: -19')).toEqual([]);
    expect(complaints('synth uevent: /devices/platform/1000.gauge/power_supply/acme: failed to send uevent')).toEqual(
      [],
    );
    expect(complaints('g_acme acme-hdrc.1.auto: failed to start g_acme: -19')).toEqual([]);
    expect(complaints('ieee80211 phy0: scan failed')).toEqual([]);
    expect(complaints('acme acme-hdrc.1.auto: failed to start: -19')).toHaveLength(1);
  });

  it('is none of a probe long after its driver spoke first', () => {
    const works = at(100, 'acme 1000.disk: has 4 lines');
    const fails = (ms: number) => at(ms, 'acme 1000.disk: synchronize failed');
    expect(why(works, fails(900)).complaints).toHaveLength(1);
    expect(why(works, fails(20_000)).complaints).toEqual([]);
    expect(why(fails(20_000)).complaints).toHaveLength(1);
  });

  it('is that of a probe where its driver says so, whatever it calls itself', () => {
    const said = (words: string) => rootsOf(at(100, `acme 1000.spi: ${words}`)).length;
    expect(['Acme SMC probe failed -19', 'probe failed', 'MII Probe failed!'].map(said)).toEqual([1, 1, 1]);
    expect(['the last of the many probes failed', 'a part of which the probe failed'].map(said)).toEqual([0, 0]);
  });

  it("is the boot loader's where the device has the name of its node", () => {
    expect(why(at(100, 'acme_pcie pcie@ca400000: Unable to get phy0')).complaints).toEqual([]);
    expect(why(at(100, 'acme_pcie ca400000.pcie: Unable to get phy0')).complaints).toHaveLength(1);
  });
});

describe('a stamp', () => {
  it('may have three digits after the point, or no brackets', () => {
    const failed = (stamp: string) => why(`${stamp} gadget: probe of 1000.gadget failed with error -5`).roots.length;
    const stamps = ['[    5.773]', 'May  1 10:00:01 board kernel: [    5.773]', ' 5.773123'];
    expect(stamps.map(failed)).toEqual([1, 1, 1]);
    const waits = '[    5.773] platform 1000.gadget: deferred probe pending: gadget: no supply';
    expect(why(waits, '[    5.900] gadget 1000.gadget: registered').bound).toMatchObject([
      { wait: { from: 5_773_000, to: 5_900_000 } },
    ]);
    expect(formatWhy(why(waits))).toContain('1000.gadget');
  });
});
