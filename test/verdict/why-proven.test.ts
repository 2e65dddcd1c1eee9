import { describe, expect, it } from 'vitest';
import { formatWhy } from '../../harness/report/why.ts';
import { whyUnbound } from '../../harness/verdict/why.ts';
import { summaryOf } from './summary-of.ts';

const why = (...lines: string[]) => whyUnbound(summaryOf(lines));
/** A line at a time in milliseconds. */
const at = (ms: number, text: string) => `[${(ms / 1000).toFixed(6).padStart(12)}] ${text}`;
const rootsOf = (...lines: string[]) => why(...lines).roots.map(({ name }) => name);
const waits = (ms: number, device: string, supplier: string) =>
  at(ms, `platform ${device}: probe deferral - supplier ${supplier} not ready`);

describe('a regulator that was deferred', () => {
  const lacks = (device: string) => at(900, `reg-gadget ${device}: cannot get its pins: -517`);
  const supplies = at(1000, 'l9: supplied by vreg-boost');

  it('is bound when it supplies another, by its own name or one that has more words', () => {
    for (const device of ['vreg-boost', 'regulator-vreg_boost', 'vreg-boost-regulator'])
      expect(why(lacks(device), supplies)).toMatchObject({ unbound: 0, settled: [], bound: [{ device, line: 2 }] });
  });

  it('is bound when it has its own supply', () => {
    const has = at(1000, 'vreg_boost: supplied by l9');
    expect(why(lacks('vreg-boost'), has)).toMatchObject({ unbound: 0, bound: [{ device: 'vreg-boost', line: 2 }] });
    expect(why(lacks('vreg-boost'), has, lacks('vreg-boost').replace('0.9', '1.9')).unbound).toBe(1);
  });

  it('is not when that was before, is said of another, or where the kernel lists it later', () => {
    expect(why(at(800, 'l9: supplied by vreg-boost'), lacks('vreg-boost')).bound).toEqual([]);
    expect(why(lacks('vreg-boost2'), lacks('regulator'), supplies, at(1001, 'l9: supplied by _')).bound).toEqual([]);
    const pending = at(1100, 'platform vreg-boost: deferred probe pending');
    expect(why(lacks('vreg-boost'), supplies, pending).unbound).toBe(1);
    expect(why(lacks('vreg-boost'), pending, at(1200, 'l9: supplied by vreg-boost')).unbound).toBe(0);
  });
});

describe('a supplier that was deferred and speaks', () => {
  it('is bound when what waited for it is, whatever it says itself', () => {
    const lines = [
      waits(100, '2000.dma', '3000.iommu'),
      waits(200, '1000.serial', '2000.dma'),
      at(900, 'gadget-dma 2000.dma: Adding to iommu group 4'),
    ];
    const bound = at(1500, '1000.serial: ttyG2 at MMIO 0x1000 (irq = 25, base_baud = 12500000) is a GADGET');
    const found = why(...lines, bound);
    expect(found).toMatchObject({ unbound: 0, settled: [] });
    expect(found.bound.map(({ device }) => device).sort()).toEqual(['1000.serial', '2000.dma']);
    expect(why(...lines).bound).toEqual([]);
  });
});

describe('a device that the log shows at work after its deferral', () => {
  const lacks = at(900, 'gadget-card 1000.sound: no component yet: -517');
  const pending = at(950, 'platform 1000.sound: deferred probe pending');
  const atWork = [
    'gadget-card 1000.sound: gadget_card_probe: completed',
    'gadget-card 1000.sound: sound card gadget registered',
    'gadget-card 1000.sound: gadget_card_probe: card gadget is registered',
    'gadget-card 1000.sound: gadget-hifi <-> 2000.i2s mapping ok',
    'gadget-card 1000.sound eth0: Gadget MAC rev 3 at 0x1000',
    'gadget-card 1000.sound: Link is Up - 100Mbps/Full',
    'gadget-card 1000.sound: card probed',
    'gadget-card 1000.sound: Registered gadget card',
    'input: gadget Headset Jack as /devices/platform/1000.sound/sound/card0/input2',
    'gadget-card 1000.sound: Dropping the link to 2000.i2s',
    '[drm] Initialized gadget 1.0.0 20200101 for 1000.sound on minor 0',
  ];

  it('is bound, in the line that shows it', () => {
    for (const words of atWork) {
      expect([words, why(lacks, at(1000, words)).bound]).toMatchObject([words, [{ device: '1000.sound', line: 2 }]]);
      expect(formatWhy(why(lacks, pending, at(1000, words)))).toContain(
        'bound since:\n  1000.sound (line 3), from 0.9 s to 1.0 s; last said: no component yet: -517 (line 1)\n',
      );
      // A list of the kernel's is of what was known before.
      expect([words, why(lacks, at(930, words), pending).unbound]).toEqual([words, 1]);
      expect(why(at(800, words), lacks).bound).toEqual([]);
    }
  });

  it('is not where its driver gives back what it had got, which it does when it is deferred again', () => {
    const link = (ms: number, how: string) => at(ms, `gadget-phy 2000.phy: ${how} to regulator.4`);
    const attempt = (ms: number) => [
      link(ms, 'Linked as a consumer'),
      link(ms + 1, 'Dropping the link'),
      at(ms + 2, 'gadget-usb 3000.usb: no clock'),
    ];
    const lacks = at(900, 'gadget-phy 2000.phy: no supply pll: -517');
    const tries = [lacks, ...attempt(1000), ...attempt(5000)];
    expect(why(...tries)).toMatchObject({ unbound: 1, bound: [] });
    const late = [link(9000, 'Linked as a consumer'), at(9001, 'gadget-phy 2000.phy: Registered gadget PHY')];
    expect(why(...tries, ...late)).toMatchObject({
      unbound: 0,
      bound: [{ device: '2000.phy', line: 9, wait: { from: 900_000, to: 9_001_000 } }],
    });
    // The driver core's own links are of no use any more when the device is bound.
    expect(
      why(lacks, link(1000, 'Linked as a sync state only consumer'), link(1001, 'Dropping the link')),
    ).toMatchObject({
      bound: [{ device: '2000.phy', line: 3 }],
    });
  });

  it('is told with the error that its driver said just before, where its part is bound all the same', () => {
    const says = (ms: number, error: number) => at(ms, `gadget-dsi 1000.dsi: cannot attach its bridge: -${error}`);
    const part = at(2001, 'gadget-drm display: bound 1000.dsi (ops gadget_ops)');
    const text = (...lines: string[]) => formatWhy(why(...lines));
    expect(text(says(900, 517), says(2000, 19), part)).toContain(
      '1000.dsi (line 3), from 0.9 s to 2.0 s, though it said just before: cannot attach its bridge: -19 (line 2)',
    );
    const last = '; last said: cannot attach its bridge: -517 (line 1)';
    expect(text(says(900, 517), part)).toContain(last);
    expect(text(says(900, 517), part, says(2002, 19))).toContain(last);
    expect(text(says(900, 517), at(2000, 'gadget-dsi 1000.dsi: master bind failed: -517'), part)).toContain(last);
    // What it said long before is of another attempt.
    const others = [1, 2, 3, 4].map((n) => at(1500 + n, `gadget-led led.${n}: has a colour`));
    expect(text(says(900, 517), says(1500, 19), ...others, part)).toContain(last);
  });

  it('is named before what was bound earlier, as the rest of many is only counted', () => {
    const all = Array.from({ length: 10 }, (_, n) => n);
    const lines = all.flatMap((n) => [
      at(900 + n, `gadget-led led.${n}: no regulator yet: -517`),
      at(3000 - n, `gadget-led led.${n}: probed`),
    ]);
    const text = formatWhy(why(...lines.toSorted()));
    expect(text).toMatch(/bound since:\n {2}led\.0 \(line 20\)[^\n]*\n {2}led\.1 \(line 19\)/);
    expect(text).toMatch(/ {2}led\.7 [^\n]*\n {2}and 2 more\n/);
  });

  it('may be of earlier than what a person shows of devices_deferred', () => {
    const list = '1000.sound\tgadget-card: no component yet';
    for (const words of atWork.slice(0, 2)) expect(why(list, at(1000, words)).unbound).toBe(1);
  });

  it('is not, by what it says in its probe', () => {
    for (const words of [
      'gadget-card 1000.sound: card is not probed',
      'gadget-card 1000.sound: never probed',
      'gadget-card 1000.sound: gadget_card_probe: its codec is not registered',
      'gadget-card 1000.sound: its codec is probed',
      'gadget-card 1000.sound: found 2 gadget devices registered with the core',
      'gadget-card 1000.sound: gadget_card_probe: started',
      'gadget-card 1000.sound: waits for codecs to be registered',
      'platform 1000.sound: Dropping the link to 2000.i2s',
      'gadget-card 1000.sound: Registered 2 of 4 codecs',
    ])
      expect([words, why(lacks, at(1000, words)).bound]).toEqual([words, []]);
  });

  it('is a PHY of which its network device says who drives it', () => {
    const phy = waits(900, 'mdio:01', '1000.switch');
    const attached = at(1000, 'gadget-mac 2000.mac eth0: PHY [mdio:01] driver [Generic PHY] (irq=POLL)');
    expect(why(phy, attached)).toMatchObject({ unbound: 0, roots: [], bound: [{ device: 'mdio:01', line: 2 }] });
  });
});

describe('a supplier of what was probed', () => {
  const links = (consumer: string, supplier: string, how = 'consumer') =>
    at(10, `platform ${consumer}: Linked as a ${how} to ${supplier}`);
  const speaks = (ms: number, device: string) => at(ms, `gadget ${device}: has 4 lines`);
  const vbus = waits(900, 'vbus', '3000.gpio');

  it('is bound by then, by links of the driver core', () => {
    expect(rootsOf(links('leds', '3000.gpio'), vbus)).toEqual(['3000.gpio']);
    expect(why(links('leds', '3000.gpio'), vbus, speaks(1000, 'leds'))).toMatchObject({ roots: [], settled: ['vbus'] });
    expect(rootsOf(links('leds', '3000.gpio'), vbus, speaks(1000, 'other'))).toEqual(['3000.gpio']);
    expect(rootsOf(vbus, speaks(1000, 'leds'), at(1100, 'gadget leds: Linked as a consumer to 3000.gpio'))).toEqual([
      '3000.gpio',
    ]);
    expect(rootsOf(links('leds', '3000.gpio', 'sync state only consumer'), vbus, speaks(1000, 'leds'))).toEqual([
      '3000.gpio',
    ]);
  });

  it('is bound by then, as are its own, by what its consumer was said to wait for', () => {
    const chain = [waits(900, '4000.mmc', 'vmmc'), waits(910, 'vmmc', '3000.gpio'), vbus];
    expect(why(...chain)).toMatchObject({ unbound: 3, roots: [{ name: '3000.gpio' }] });
    const found = why(...chain, at(1000, 'gadget-mmc 4000.mmc: registered as mmc0'));
    expect(found).toMatchObject({ unbound: 0, roots: [], settled: ['vbus'] });
    expect(found.bound.map(({ device }) => device)).toEqual(['4000.mmc', 'vmmc']);
  });

  it('is not by what is probed after the time is over, and nobody is who is pending then', () => {
    const list = at(12_000, 'platform vbus: deferred probe pending: platform: supplier 3000.gpio not ready');
    const lines = [links('leds', '3000.gpio'), vbus, list];
    expect(rootsOf(...lines, speaks(13_000, 'leds'))).toEqual(['3000.gpio']);
    expect(why(...lines.slice(0, 2), speaks(1000, 'leds'), list).unbound).toBe(1);
  });
});
