import { describe, expect, it } from 'vitest';
import { formatWhy } from '../../harness/report/why.ts';
import { whyUnbound } from '../../harness/verdict/why.ts';
import { summaryOf } from './summary-of.ts';

/** Excerpts as people paste them into forums and mails: few lines, broken, in prose, without the driver core's words. */

const why = (...lines: string[]) => whyUnbound(summaryOf(lines));

describe('an excerpt', () => {
  it('without a word of the driver core has a missing firmware told besides drivers’ errors, and no other’s words', () => {
    const { complaints, silent } = why(
      '[    9.409858] gadget-dsi 32e6.dsi: Failed to attach its bridge: -19',
      '[    9.409900] gadget-proc0: Direct firmware load for gadget.fw failed with error -2',
      '[    9.410000] gadget: it cannot be said whose error this is',
    );
    expect(complaints.map(({ device }) => device)).toEqual(['gadget-proc0']);
    expect(silent.map(({ device }) => device)).toEqual(['32e6.dsi']);
  });

  it('has a message of the driver core at the end of a sentence', () => {
    const last = 'The log has nothing of it until its last line: platform sound-i2s: deferred probe pending.';
    expect(why(last)).toMatchObject({ unbound: 1, unexplained: ['sound-i2s'] });
    expect(why('A line as platform foo: deferred probe pending says that it waits.').unbound).toBe(0);
  });

  it('was broken into more than two lines when it was quoted', () => {
    const found = why(
      '> The old board: [    0.470487] gadget_i2c 44e0b000.i2c: could not',
      '> find pctldev for node',
      '> /ocp/bus@44c00000/scm@44e10000/pinmux@44e10800/pinmux_gadget_i2c, deferring',
      '> probe',
      '> [    0.471941] gadget_i2c 4819c000.i2c: bus 2 at 100 kHz',
    );
    expect(found.roots).toMatchObject([{ name: '44e10800.pinmux', waiting: [{ device: '44e0b000.i2c' }] }]);
  });
});

describe('what is said before a deferral without the name of the device', () => {
  const request = 'i2c 84-0036: Driver gadget17048 requests probe deferral';

  it('is its reason where it is said by one who asked too early, in the same attempt', () => {
    const reason = (...lines: string[]) => why(...lines).roots[0]?.evidence ?? null;
    expect(reason('[ 3.819904] mains supply not found deferring probe', `[ 3.824434] ${request}`)).toBe(
      'mains supply not found deferring probe',
    );
    expect(reason('[ 3.819904] gadget_read_dt: thermometer not ready', `[ 3.824434] ${request}`)).toBe(
      'gadget_read_dt: thermometer not ready',
    );
    expect(reason('[ 3.719904] gadget_read_dt: thermometer not ready', `[ 3.824434] ${request}`)).toBeNull();
    expect(reason('[ 3.819904] gadget_read_dt: thermometer found', `[ 3.824434] ${request}`)).toBeNull();
    expect(reason('[ 3.819904] other 1-0010: thermometer not ready', `[ 3.824434] ${request}`)).toBeNull();
  });
});

describe('a part that a sound card lacks', () => {
  const lacks = (part: string) => `[ 10.139345] gadget-card sound: ASoC: CODEC DAI ${part} not registered`;
  const rootsOf = (part: string, ...lines: string[]) => why(...lines, lacks(part)).roots;

  it('is of the device whose driver has the chip’s name, where that failed or tells an error', () => {
    const failed = '[ 9.655671] sgtl5000: probe of 0-000a failed with error -5';
    expect(rootsOf('sgtl5000', failed)).toMatchObject([
      { name: '0-000a', cause: { cause: 'failed' }, waiting: [{ device: 'sound' }] },
    ]);
    expect(rootsOf('cs42448', '[ 9.655671] cs42xx8 1-0048: failed to get its ID, ret = -121')).toMatchObject([
      { name: '1-0048', cause: { cause: 'spoken-of', driver: 'cs42xx8' }, waiting: [{ device: 'sound' }] },
    ]);
    expect(rootsOf('wm8960-hifi', failed)).toMatchObject([{ name: 'wm8960-hifi' }, { name: '0-000a' }]);
    const second = '[ 9.656671] sgtl5000: probe of 1-000a failed with error -5';
    expect(rootsOf('sgtl5000', failed, second).map(({ name }) => name)).toContain('sgtl5000');
  });
});

describe('what people leave of a line, and what they add', () => {
  const lines: readonly (readonly [stamp: string, text: string])[] = [
    ['    1.204416', 'platform vcc-sd: deferred probe pending: platform: wait for supplier /i2c@fdd40000/pmic@20/reg1'],
    ['    1.214430', 'rk808 0-0020: failed to read the chip id at 0x17'],
    ['    1.224430', 'rk808 0-0020: probe with driver rk808 failed with error -110'],
    ['    1.230000', 'dwc3 fcc00000.usb: error -EPROBE_DEFER: failed to get phy'],
  ];
  const told = (form: (stamp: string, text: string) => string) =>
    formatWhy(why(...lines.flatMap(([stamp, text]) => form(stamp, text).split('\n')))).replace(/ \(line \d+\)/g, '');
  const whole = told((stamp, text) => `[${stamp}] ${text}`);

  it.each<readonly [what: string, form: (stamp: string, text: string) => string]>([
    ['a placeholder for the stamp', (_, text) => `[    x.xxxxxx] ${text}`],
    ['stars for the stamp', (_, text) => `[ *.* ] ${text}`],
    ['the end of a stamp', (stamp, text) => `${stamp.trim()}] ${text}`],
    ['a stamp without its brackets', (stamp, text) => `${stamp.trim()} ${text}`],
    ['colours without the escape byte', (stamp, text) => `[32m[${stamp}] [0m[33m${text.replace(': ', '[0m: ')}`],
    ['colours with an escape byte that is shown', (stamp, text) => `^[[32m[${stamp}]^[[0m ${text}`],
    ['bold', (stamp, text) => `**[${stamp}] ${text}**`],
    ['a row of a table', (stamp, text) => `| [${stamp}] ${text} |`],
    ['an arrow', (stamp, text) => `[${stamp}] ${text}   <-- here`],
    ['an arrow without a blank', (stamp, text) => `[${stamp}] ${text}<---`],
    ['an arrow of one character', (stamp, text) => `[${stamp}] ${text}\u2190 what is this?`],
    ['angle brackets', (stamp, text) => `[${stamp}] ${text} <<<`],
    ['a remark', (stamp, text) => `[${stamp}] ${text} // here`],
    ['a remark of a shell', (stamp, text) => `[${stamp}] ${text}   # here it waits`],
    ['a dash for the minus', (stamp, text) => `[${stamp}] ${text.replace(/-(?=\d+$|E)/, '\u2013')}`],
    ['a mark of what was cut', (stamp, text) => `[${stamp}] ${text}\n[snip]`],
  ])('does no harm: %s', (_, form) => {
    expect(told(form)).toBe(whole);
  });

  it('is no arrow between two names, and no stamp without a message', () => {
    expect(formatWhy(why('[    1.100001] gadget 1.card: failed to link <-> 2.i2s, -22'))).toContain('<-> 2.i2s, -22');
    expect(why('12.123456] is what it says').unbound).toBe(0);
  });
});

describe('what a driver says once, or cut, or in a function’s name', () => {
  it('is the reason for which it defers, at the end of a message', () => {
    const { roots } = why(
      '[    5.678265] gadget-edp 2-005c: unable to read product id, deferring',
      '[    5.684433] i2c 2-005c: Driver gadget-edp requests probe deferral',
    );
    expect(roots).toMatchObject([{ name: '2-005c', evidence: 'unable to read product id, deferring' }]);
  });

  it('is a supplier’s name also where the rest was cut', () => {
    const { roots } = why(
      '[    9.100001] platform 1000.gpu: deferred probe pending: platform: supplier 2000.power not r',
    );
    expect(roots).toMatchObject([{ name: '2000.power', waiting: [{ device: '1000.gpu' }] }]);
  });

  it('is why a part cannot be bound yet, although it was said at the first time only', () => {
    const bind = 'gadget-drm soc:gpu: failed to bind 3000.hdmi (ops gadget_hdmi_ops): -517';
    const { roots } = why(
      '[    0.348120] [drm:gadget_hdmi_bind] *ERROR* Failed to get pixel clock',
      `[    0.348204] ${bind}`,
      `[    0.846746] ${bind}`,
    );
    expect(roots).toMatchObject([
      { name: '3000.hdmi', cause: { call: 'Failed to get pixel clock' }, waiting: [{ device: 'soc:gpu' }] },
    ]);
  });

  it('is a part that has a driver, where a mail program broke the line that names it, too', () => {
    const { roots } = why(
      '[    2.542666] gadget-drm display-subsystem: bound gadget-crtc.7 (ops gadget_crtc_ops)',
      '[    2.550431] gadget-drm display-subsystem: failed to bind 3000.hdmi',
      '(ops gadget_hdmi_ops): -517',
      '[    2.560401] gadget-drm display-subsystem: master bind failed: -517',
    );
    expect(roots).toMatchObject([
      { name: '3000.hdmi', cause: { cause: 'own-deferral' }, waiting: [{ device: 'display-subsystem' }] },
    ]);
  });

  it('is told of a function whose device is not, and is no device to wait for', () => {
    const words = '[drm:gadget_bridge_probe] *ERROR* could not find any panel node';
    expect(formatWhy(why(words))).toContain('in gadget_bridge_probe() (drm): could not find any panel node');
    const waits = '[    1.000002] gadget-dsi 32e1.dsi: failed to bind its bridge: -517';
    expect(formatWhy(why(`[    1.000001] ${words}`, waits))).not.toContain('perhaps for gadget_bridge_probe');
  });
});

describe('a text without a line that says what became of a probe', () => {
  it('quotes a message in a sentence', () => {
    const told =
      'With this kernel the log always tells me the "gadget-card sound: snd_soc_register_card failed -517", why?';
    expect(why(told).roots).toMatchObject([{ name: 'sound', evidence: 'snd_soc_register_card failed -517' }]);
    expect(why('They told me "wait" and "it is -517 that it returns".').unbound).toBe(0);
  });

  it('has a subsystem’s words on a line of their own, or a module that the kernel refuses', () => {
    expect(formatWhy(why('ASoC: failed to init link Gadget Pro: -517'))).toContain('link Gadget Pro: -517 (line 1)');
    expect(why('Answer: it failed with -517').complaints).toEqual([]);
    const refused = formatWhy(why('[   11.357651] gadget: disagrees about version of symbol gadget_add'));
    expect(refused).toContain('The kernel refused modules');
    expect(refused).not.toContain('Nothing is deferred or failed');
  });
});

describe('what a paste lost on its way', () => {
  it('is the asterisks that Markdown takes from the words of drm_err()', () => {
    const told = formatWhy(why('[ 5.442272] [drm:gadget_dsi_attach [gadget]] ERROR transfer failed, resetting: -6'));
    expect(told).toContain('in gadget_dsi_attach() (drm): transfer failed, resetting: -6 (line 1)');
  });

  it('is the end of a message of ASoC, which a mail program put on the next line of a quotation', () => {
    const { roots } = why(
      '>> [ 2.270050] gadget-codec 0-004b: Failed to set masks in 0x4: -121',
      '>> [ 2.270060] gadget-codec: probe of 0-004b failed with error -121',
      '>> [ 2.770050] gadget-card-driver sound.4: ASoC: CODEC gadget-codec not',
      '>> registered',
      '>> [ 2.777770] gadget-card-driver sound.4: snd_soc_register_card() failed: -517',
    );
    expect(roots).toMatchObject([{ name: '0-004b', waiting: [{ device: 'sound.4' }] }]);
  });

  it('is not needed where a driver says what is bad', () => {
    const told = formatWhy(
      why(
        '[    2.000001] gadget-panel spi0.0: config: Bad magic: 64 74 6f 76',
        '[    2.000002] gadget-panel: probe of spi0.0 failed with error -22',
      ),
    );
    expect(told).toContain('it said before: config: Bad magic: 64 74 6f 76');
  });
});

describe('words of deferral that are not understood', () => {
  const onOneLine =
    'the card is up **** reading the chip gadget-codec gives -5 ****** enabling its clock, then platform: ' +
    'gadget-card requests probe defer, as snd_gadget_register() failed (-517) for it, and so on to the end of a paste';

  it('are quoted, and nobody says that nothing is deferred', () => {
    const found = why('[    1.000000] Booting Linux on physical CPU 0x0', onOneLine);
    expect(found).toMatchObject({ unbound: 0, unread: [{ line: 2 }] });
    const told = formatWhy(found);
    expect(told).not.toContain('Nothing is deferred');
    expect(told).toContain('  line 2: the card is up');
    expect(told).toMatch(/^ {2}line 2: .{200} \.\.\.$/m);
  });

  it('are told once each, with what they say of the kind, and the driver core is asked for the device', () => {
    const traced = (n: number) => `[    1.00000${n}] >>> of_icc_gadget:405 RETURN -EPROBE_DEFER`;
    const told = formatWhy(why(traced(1), traced(2), traced(3)));
    expect(told).toContain('  line 1, and 2 times more: >>> of_icc_gadget');
    expect(told).toContain('that means a device waits for an interconnect');
    expect(told).toContain('next: boot with `dyndbg=');
    const more = formatWhy(why(traced(1), '[    1.000009] >>> of_clk_gadget:9 RETURN -EPROBE_DEFER'));
    expect(more).not.toContain('that means');
    expect(formatWhy(why(onOneLine))).toContain('next: give the log as the kernel wrote it');
  });

  it('are passed over where their device is bound, or others are known not to be', () => {
    const waits = 'platform 4000.sound: deferred probe pending';
    const spoken = 'the card 3000.card failed (-517) this time';
    expect(why(`[    1.000000] ${spoken}`).unread).toHaveLength(1);
    expect(
      why(`[    1.000000] ${spoken}`, `[    2.000000] probe of 3000.card returned 0 after 9 usecs`).unread,
    ).toEqual([]);
    expect(why(`[    1.000000] ${spoken}`, `[    2.000000] ${waits}`).unread).toEqual([]);
  });
});

describe('a device that was deferred', () => {
  const failed = '[    0.070307] gadget-domain ff600000.power: failed to get its clock: -517';

  it('is bound where a supplier’s driver waits in sync_state() for its consumers', () => {
    const pending = (driver: string) =>
      why(failed, `[   12.522908] ${driver} ff600000.power: sync_state() pending due to fe500000.usb`).roots;
    expect(pending('gadget-domain')).toEqual([]);
    expect(pending('platform')).toMatchObject([{ name: 'ff600000.power' }]);
  });

  it('is settled where the driver core says of others in later rounds that they are, whatever its driver says', () => {
    const round = (n: number) => `[    ${n}.100000] platform sound: Driver gadget-card requests probe deferral`;
    const once = '[    1.000000] spmi qpnp-bsi: Driver gadget-bsi requests probe deferral';
    const worse = '[    4.000000] gadget-bsi qpnp-bsi: transaction error 7';
    const told = (...lines: string[]) => why(...lines).roots.map(({ name }) => name);
    expect(told(once, round(2), round(3), round(4), worse)).toEqual(['sound']);
    expect(told(once, round(2), worse)).toEqual(['qpnp-bsi', 'sound']);
  });

  it('is settled where its driver has registered it, although it lacks something then', () => {
    const words = ['Sound card gadget registered', 'property gadget,jack not detected'];
    const [there, lacks] = words.map((text, n) => `[    ${n + 2}.000000] gadget-card 1000.sound: ${text}`);
    const deferred = '[    1.000000] gadget-card 1000.sound: ASoC: platform (null) not registered';
    expect(why(deferred, there ?? '', lacks ?? '').bound).toMatchObject([{ device: '1000.sound', line: 2 }]);
    expect(why(deferred, lacks ?? '').unbound).toBe(1);
  });

  it('is settled where it is bound as a part, also where that failed before', () => {
    const lacks = '[    4.173862] gadget-dsi fe060000.dsi: failed to find panel or bridge: -517';
    const bound = '[    5.043711] gadget-drm display: bound fe060000.dsi (ops 0xffffffc009390230)';
    expect(why(lacks).unbound).toBe(1);
    expect(why(lacks, bound)).toMatchObject({ unbound: 0, roots: [] });
    const failed = '[    4.173862] gadget-drm display: failed to bind fe060000.dsi (ops gadget_ops): -22';
    expect(why(failed).unbound).toBe(2);
    expect(why(failed, bound).unbound).toBe(0);
    expect(why(failed, bound, failed.replace('4.17', '6.17')).unbound).toBe(2);
  });

  it('is read behind a second stamp with a CPU', () => {
    const text = 'gadget-card soc:sound: snd_soc_register_card failed:(-517)';
    expect(why(`[    2.178165] [    2.178162]@1 ${text}`).roots).toMatchObject([{ name: 'soc:sound' }]);
  });

  it('is settled where its network interface speaks', () => {
    const spoken = (last: string) =>
      why('[    0.882777] gadget-mac 1c50000.ethernet: failed to get its clock: -517', last).bound.map(
        ({ device }) => device,
      );
    expect(spoken('[    6.221937] gadget-mac 1c50000.ethernet eth0: Link is Up')).toEqual(['1c50000.ethernet']);
    expect(spoken('[    6.221937] gadget-mac 1c50000.ethernet failed: Link is Up')).toEqual([]);
  });

  it('waits for a pin controller whose address is an offset, and not for what is around that', () => {
    const node = '/ocp/l4_wkup@44c00000/scm@210000/pinmux@800';
    const { roots } = why(
      `[    0.276059] gadget_i2c 44e0b000.i2c: could not find pctldev for node ${node}/pinmux_i2c0_pins, deferring probe`,
    );
    expect(roots).toMatchObject([{ name: node, waiting: [{ device: '44e0b000.i2c' }] }]);
  });
});

it('what many devices wait for comes first, though the log has no word of why', () => {
  const waits = (device: string) => `platform ${device}: deferred probe pending: platform: supplier b22.intc not ready`;
  const alone = 'platform leds: deferred probe pending: leds-gpio: Failed to get GPIO';
  const silent = 'platform b22.intc: deferred probe pending: (reason unknown)';
  const first = (...lines: string[]) => why(...lines).roots[0]?.name;
  expect(first(alone, silent, waits('a1.gpio'), waits('a2.gpio'), waits('a3.gpio'))).toBe('b22.intc');
  expect(first(alone, silent, waits('a1.gpio'))).toBe('leds');
});

describe('who waits for whom by the words of a driver', () => {
  const said = (words: string) => why(`[    1.000000] gadget-mac 4000.ethernet: ${words}`);

  it('is the device that the line is of, for the one that is not there yet', () => {
    for (const words of [
      'Defer probe as mdio producer 5000.ethernet is not probed',
      'its parent 5000.ethernet has not been bound yet, defer',
      '5000.ethernet not probed yet, retry later',
      'waiting for 5000.ethernet to be probed, deferring',
    ])
      expect([words, said(words).roots]).toMatchObject([
        words,
        [{ name: '5000.ethernet', waiting: [{ device: '4000.ethernet' }] }],
      ]);
    // An address alone, or a version, is no device.
    expect(said('firmware 5000.1 is not ready, defer').roots).toMatchObject([{ name: '4000.ethernet' }]);
    expect(said('5000.ethernet is not far, defer').roots).toMatchObject([{ name: '4000.ethernet' }]);
  });

  it('is over where the function that said so says that its probe is done', () => {
    const waits = '[    1.000000] bulb_probe: socket device not ready, defer';
    expect(why(waits).unread).toHaveLength(1);
    expect(why(waits, '[    2.000000] lamp_probe done').unread).toHaveLength(1);
    expect(why(waits, '[    2.000000] bulb_probe done')).toMatchObject({ unbound: 0, unread: [], roots: [] });
  });

  it('is over where the driver that tries again says that it is registered', () => {
    for (const words of ['regulator not ready, retry', 'Device initialization Deferred', 'lamp not ready, defer']) {
      expect([words, said(words).unbound]).toEqual([words, 1]);
      const lines = [
        `[    1.000000] gadget-mac 4000.ethernet: ${words}`,
        '[    2.000000] gadget-mac 4000.ethernet: Probed as mac0',
      ];
      expect(why(...lines)).toMatchObject({ unbound: 0, bound: [{ device: '4000.ethernet', line: 2 }] });
    }
    expect(said('lamp not ready, retrying in 10 ms').unbound).toBe(0);
  });
});
