import { describe, expect, it } from 'vitest';
import { formatWhy } from '../../harness/report/why.ts';
import { whyUnbound } from '../../harness/verdict/why.ts';
import { summaryOf } from './summary-of.ts';

/** Pin controllers, of which the pin control core speaks for who asks them (drivers/pinctrl). */

const why = (...lines: string[]) => whyUnbound(summaryOf(lines));
const at = (ms: number, text: string) => `[    3.${String(ms).padStart(3, '0')}000] ${text}`;
const PINS = 'gadget-pinctrl 2000.pinctrl:';

describe('pins that cannot be had yet', () => {
  it('are waited for at their controller, which may be there, with what it lacks', () => {
    const lacks = at(100, `${PINS} Couldn't get bank PB regulator`);
    const status = at(101, `${PINS} pin-160 (1000.mmc) status -517`);
    const found = why(lacks, at(101, `${PINS} request() failed for pin 160`), status);
    expect(found).toMatchObject({
      unbound: 1,
      roots: [{ name: '2000.pinctrl', evidence: "Couldn't get bank PB regulator", waiting: [{ device: '1000.mmc' }] }],
    });
    const text = formatWhy(found);
    expect(text).toContain("defers who asks for its pins: Couldn't get bank PB regulator (line 1)");
    expect(text).toContain('it waits for a regulator');
    const bound = at(90, "driver: 'gadget-pinctrl': driver_bound: bound to device '2000.pinctrl'");
    expect(why(bound, lacks, status).roots).toMatchObject([{ name: '2000.pinctrl' }]);
    const other = at(101, `${PINS} error -EPROBE_DEFER: pin-160 (1000.mmc)`);
    expect(why(other).roots).toMatchObject([{ name: '2000.pinctrl', waiting: [{ device: '1000.mmc' }] }]);
  });

  it('are waited for at a controller that is bound, with what it said to who asked last', () => {
    const bound = at(90, "gadget-pinctrl 2000.pinctrl: driver: 'gadget-pinctrl': driver_bound: bound to device");
    const asks = [
      `${PINS} error -EPROBE_DEFER: Couldn't get bank PB regulator`,
      `${PINS} error -EPROBE_DEFER: pin-160 (1000.mmc)`,
      `${PINS} error -EPROBE_DEFER: could not request pin 160 (PB0) from group PB0 on device 2000.pinctrl`,
      'gadget-mmc 1000.mmc: Error applying setting, reverse things back',
    ];
    const leds = at(400, "gadget-leds leds: error -EPROBE_DEFER: Failed to get GPIO '/leds/led-0'");
    const found = why(bound, ...asks.map((text) => at(100, text)), leds);
    expect(found).toMatchObject({ unbound: 2, roots: [{ name: '2000.pinctrl' }, { name: 'leds' }] });
    const text = formatWhy(found);
    expect(text).toContain("2000.pinctrl: its driver defers who asks for its pins: Couldn't get bank PB regulator");
    expect(text).not.toContain('perhaps for 2000.pinctrl');
  });

  it('are no more waited for once the driver that asked speaks of something else', () => {
    const works = at(400, 'gadget-mmc 1000.mmc: ready, 52 MHz');
    expect(why(at(101, `${PINS} pin-160 (1000.mmc) status -517`), works).roots).toEqual([]);
  });

  it('are lacking where only the core’s last line is there, which tells no deferral from a failure', () => {
    const bare = at(100, 'gadget-mmc 1000.mmc: Error applying setting, reverse things back');
    const found = why(bare);
    expect(found).toMatchObject({
      unbound: 0,
      goneOn: 1,
      roots: [{ name: '1000.mmc', cause: { cause: 'no-pins' }, line: 1 }],
    });
    expect(formatWhy(found)).toContain('it has not got its pins, so deferred or failed, or probed');
    const other = at(200, 'platform 2000.x: deferred probe pending: (reason unknown)');
    expect(formatWhy(why(bare, other))).toMatch(/^1 device waits, and the log does not say for what; of 1 more/);
    expect(why(bare, at(200, 'gadget-mmc 1000.mmc: ready, 52 MHz')).unbound).toBe(0);
    const listed = at(900, 'platform 1000.mmc: deferred probe pending: (reason unknown)');
    expect(why(bare, listed)).toMatchObject({ unbound: 1, goneOn: 0, roots: [{ cause: { cause: 'no-pins' } }] });
    expect(formatWhy(why(bare, listed))).toContain('1000.mmc: deferred, as it has not got its pins; what');
  });

  it('are had at last by who has asked again and again, and speaks of it no more when all are tried again', () => {
    const bare = (ms: number, device: string) =>
      at(ms, `gadget-mmc ${device}: Error applying setting, reverse things back`);
    const asks = [100, 200, 300].flatMap((ms) => [bare(ms, '1c10000.mmc'), bare(ms + 1, '1c20000.uart')]);
    const banner = '[    0.000000] Linux version 6.9.0 (gadget)';
    const since = ['30000.a', '40000.b', '50000.c'].map((device) => at(900, `gadget-x ${device}: ready`));
    expect(why(banner, ...asks, ...since)).toMatchObject({ unbound: 0, settled: ['1c10000.mmc', '1c20000.uart'] });
    expect(why(banner, ...asks).roots).toMatchObject([
      { name: '1c10000.mmc', cause: { cause: 'no-pins' } },
      { name: '1c20000.uart', cause: { cause: 'no-pins' } },
    ]);
    expect(why(banner, bare(100, '1c10000.mmc'), ...since).goneOn).toBe(1);
  });

  it('are lacking for each device for itself, whatever is said of another just before', () => {
    const fails = (ms: number, address: string) =>
      at(ms, `gadget-${address} ${address}.x: Error applying setting, reverse things back`);
    expect(why(fails(100, '1c10000'), fails(101, '1c20000')).roots).toMatchObject([
      { cause: { cause: 'no-pins' }, evidence: 'Error applying setting, reverse things back' },
      { cause: { cause: 'no-pins' }, evidence: 'Error applying setting, reverse things back' },
    ]);
  });

  it('are asked for as GPIOs by who speaks of one next', () => {
    const gpio = at(100, `${PINS} pin-233 (2000.pinctrl:233) status -517`);
    const asks = "gadget-phy 3000.phy: Couldn't request ID GPIO";
    expect(why(gpio, at(101, asks)).roots).toMatchObject([{ name: '2000.pinctrl', waiting: [{ device: '3000.phy' }] }]);
    expect(why(gpio)).toMatchObject({ unbound: 0, roots: [] });
    expect(why(gpio, at(300, asks))).toMatchObject({ unbound: 0, roots: [] });
  });

  it('fail a probe for what the controller said just before', () => {
    const [refuses, applies, fails] = [
      at(100, `${PINS} No gpio range defined.`),
      at(100, 'gadget-mmc 1000.mmc: Error applying setting, reverse things back'),
      at(101, 'gadget-mmc: probe of 1000.mmc failed with error -22'),
    ];
    const evidence = 'its pin controller 2000.pinctrl said: No gpio range defined.';
    expect(why(refuses, applies, fails).roots).toMatchObject([{ name: '1000.mmc', evidence }]);
    expect(formatWhy(why(refuses, applies, fails))).toContain(`  ${evidence} (line 3)`);
    const other = at(100, 'gadget-i2c 4000.i2c: timed out');
    expect(why(other, applies, fails).roots).toMatchObject([
      { evidence: 'Error applying setting, reverse things back' },
    ]);
  });

  it('fail a probe of which nothing else is said, for who has the pin or for what the controller said', () => {
    const applies = at(100, 'gadget-i2s 1000.i2s: Error applying setting, reverse things back');
    const taken = at(99, `${PINS} pin gpio1 already requested by hint; cannot claim for 1000.i2s`);
    const repeats = [
      `${PINS} error -EINVAL: pin-4 (1000.i2s)`,
      `${PINS} error -EINVAL: could not request pin 4 (gpio1)`,
    ];
    const again = repeats.map((line) => at(99, line));
    expect(why(taken, ...again, applies)).toMatchObject({
      unbound: 1,
      roots: [{ name: '1000.i2s', evidence: 'pin gpio1 already requested by hint; cannot claim for 1000.i2s' }],
      complaints: [],
    });
    const evidence = 'its pin controller 2000.pinctrl said: error -EINVAL: could not request pin 4 (gpio1)';
    expect(why(...again, applies).roots).toMatchObject([{ name: '1000.i2s', cause: { cause: 'failed' }, evidence }]);
    expect(why(...again, applies, at(200, 'gadget-i2s 1000.i2s: 8 channels')).roots).toEqual([]);
  });

  it('fail no probe where they are there and only a setting of them fails', () => {
    const sets = at(99, `${PINS} pin_config_group_set op failed for group 2`);
    const applies = at(100, 'gadget-adc 1000.adc: Error applying setting, reverse things back');
    expect(why(sets, applies)).toMatchObject({ unbound: 0, roots: [], complaints: [{}, { device: '1000.adc' }] });
    const fails = at(101, 'gadget-adc: probe of 1000.adc failed with error -22');
    expect(formatWhy(why(sets, applies, fails))).toContain(
      'controller 2000.pinctrl said: pin_config_group_set op failed',
    );
  });

  it('are told without the words of the core where the controller says nothing', () => {
    const refused = at(100, '2000.pinctrl: pin-224 (1000.serial) status -517');
    const again = at(101, '2000.pinctrl: could not request pin 224 (PH0) from group PH0  on device 2000.pinctrl');
    const text = formatWhy(why(refused, again));
    expect(text).toContain('2000.pinctrl: its driver defers who asks for its pins\n');
    expect(text).toContain('next: see what its driver lacks');
  });

  it('are one reason, whatever the names of their groups', () => {
    const [leds, keys] = ['ledgrp', 'keygrp'].map((group, n) =>
      at(n, `platform gadget-${group}: deferred probe pending: platform: wait for supplier ${group}`),
    );
    const text = formatWhy(why(leds ?? '', keys ?? ''));
    expect(text).toContain('2 devices wait, for 1 reason');
    expect(text).toContain('ledgrp, keygrp: pins of a pin controller by their names');
    const late = at(9, 'platform 2000.pinctrl: deferred probe pending: (reason unknown)');
    expect(formatWhy(why(leds ?? '', late))).toContain('perhaps of 2000.pinctrl');
  });
});

describe('a state of pins that no pin controller is above', () => {
  const asks = (node: string) =>
    formatWhy(why(at(100, `gadget-codec 1000.codec: could not find pctldev for node ${node}, deferring probe`)));

  it('may stand in the wrong place of the tree', () => {
    const text = asks('/soc/i2s_sck/i2s_sck_active');
    expect(text).toContain('none of the nodes above it is a pin controller by its name');
    expect(text).toContain('next: see where the tree has the other pin states');
    for (const node of ['/soc/pinctrl@c000/sck', '/soc/pfc@e6060000/scif0', '/soc/i2c@5000/pmic@20/sleep-state'])
      expect(asks(node)).not.toContain('none of the nodes above');
  });
});

describe('pins that a device at work asks for', () => {
  const claims = `${PINS} pin P12 already requested by 1000.eye; cannot claim for 1000.hub`;
  const refused = (ms: number) => [
    at(ms, claims),
    at(ms, 'gadget_hub 1000.hub: Error applying setting, reverse things back'),
  ];

  it('are no failed probe where its driver has spoken in it, with or without the name of the device', () => {
    const found = why(at(20, 'ACME_INFO: ACME: gadget_hub_probe: 67 lines are shared'), ...refused(500));
    expect(found).toMatchObject({ roots: [], complaints: [] });
    expect(why(at(20, 'gadget_hub 1000.hub: two ports'), ...refused(500)).roots).toEqual([]);
    expect(why(at(20, 'ACME: gadget_eye_probe: 67 lines are shared'), ...refused(500)).roots).toHaveLength(1);
    expect(why(at(499, 'gadget_hub 1000.hub: two ports'), ...refused(500)).roots).toHaveLength(1);
  });

  it('are none where it asks again, as only what is deferred is probed again', () => {
    expect(why(...refused(500)).roots).toMatchObject([{ name: '1000.hub', cause: { cause: 'failed' } }]);
    expect(why(...refused(500), ...refused(700)).roots).toEqual([]);
  });

  it('are one where the driver core says so', () => {
    const fails = at(501, 'gadget_hub: probe of 1000.hub failed with error -22');
    const spoke = at(20, 'gadget_hub_probe: 67 lines are shared');
    expect(why(spoke, ...refused(500), fails).roots).toMatchObject([{ name: '1000.hub', cause: { error: 22 } }]);
  });
});

describe('pins that a device has not got when its driver is called all the same', () => {
  const bare = at(100, 'gadget-eth 1000.eth: Error applying setting, reverse things back');

  it('are told, as far as the log shows it', () => {
    const found = why(bare, at(108, 'gadget-eth 1000.eth: using a made-up address'));
    expect(found).toMatchObject({ roots: [], withoutPins: [{ device: '1000.eth', line: 1 }] });
    expect(formatWhy(found)).toMatch(/^Pins could not be set, .*\(guess\): 1000\.eth \(line 1\)$/m);
    const again = at(104, 'gadget-eth 1000.eth: Error applying setting, reverse things back');
    expect(why(bare, again, at(108, 'gadget-eth 1000.eth: using a made-up address')).withoutPins).toEqual([]);
  });

  it('are not where the driver speaks in another attempt, or had spoken before', () => {
    const works = 'gadget-eth 1000.eth: using a made-up address';
    expect(why(bare, at(400, works)).withoutPins).toEqual([]);
    expect(why(at(20, works), bare, at(108, works)).withoutPins).toEqual([]);
  });
});

describe('a device that goes on after its time-out', () => {
  const over = at(100, 'gadget-hdmi 1.hdmi: deferred probe timeout, ignoring dependency');

  it('lacks what it is deferred for after that', () => {
    const pending = at(900, 'platform 1.hdmi: deferred probe pending: gadget-hdmi: failed to get the pixel clock');
    expect(why(over, pending).roots).toMatchObject([{ cause: { cause: 'own-deferral', wants: 'a clock' } }]);
    const unknown = at(900, 'platform 1.hdmi: deferred probe pending: (reason unknown)');
    expect(why(over, unknown).roots).toMatchObject([{ cause: { cause: 'timed-out' } }]);
  });

  it('is not told where it is bound in the end', () => {
    const bound = at(900, "gadget-hdmi 1.hdmi: driver: 'gadget-hdmi': driver_bound: bound to device");
    expect(why(over, bound)).toMatchObject({ unbound: 0, roots: [] });
  });
});
