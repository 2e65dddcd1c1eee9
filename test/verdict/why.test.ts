import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeviceLife } from '../../harness/dmesg/lives.ts';
import { formatWhy } from '../../harness/report/why.ts';
import { judge } from '../../harness/verdict/judge.ts';
import { whyUnbound } from '../../harness/verdict/why.ts';
import { Names, supplierOf } from '../../harness/verdict/why-names.ts';
import { summaryOf } from './summary-of.ts';

const why = (...lines: string[]) => whyUnbound(summaryOf(lines));
/** No two lines of one boot are printed in the same microsecond. */
let time = 0;
const pending = (device: string, reason: string) =>
  `[   12.${String(++time).padStart(6, '0')}] platform ${device}: deferred probe pending: ${reason}`;

describe('whyUnbound', () => {
  it('collapses a chain to the supplier that nothing speaks of', () => {
    const { roots, unbound } = why(
      pending('a00000.usb', 'platform: supplier a10000.phy not ready'),
      pending('a10000.phy', 'platform: wait for supplier /soc@0/clock-controller@100000'),
      pending('b00000.mmc', 'platform: supplier 100000.clock-controller not ready'),
    );
    expect(unbound).toBe(3);
    expect(roots[0]?.waiting).toContainEqual(expect.objectContaining({ device: 'a00000.usb', for: 'a10000.phy' }));
    expect(roots.map(({ name, cause }) => [name, cause.cause])).toEqual([['100000.clock-controller', 'never-probed']]);
  });

  it('joins a path and a device name where the log has the device', () => {
    const { roots } = why(
      pending('a10000.phy', 'platform: wait for supplier /soc@0/clock-controller@100000'),
      pending('b00000.mmc', 'platform: supplier 100000.clock-controller not ready'),
      '[   12.100000] gcc-x 100000.clock-controller: probe with driver gcc-x failed with error -22',
    );
    expect(roots).toMatchObject([
      {
        name: '100000.clock-controller',
        cause: { cause: 'failed', driver: 'gcc-x', error: 22 },
        evidence: null,
        line: 3,
        waiting: [
          { device: 'a10000.phy', for: '100000.clock-controller' },
          { device: 'b00000.mmc', for: '100000.clock-controller' },
        ],
      },
    ]);
  });

  it('follows the node in a driver’s words to a device that waits itself', () => {
    const dsi = '[    2.176743] gadget-dsi 1085.dsi: failed to get next bridge: -517';
    const display =
      '[    2.176744] gadget-du 1089.display: failed to attach bridge /soc/dsi@1085 for output DSI0 (-517)';
    expect(why(dsi, display).roots).toMatchObject([
      { name: '1085.dsi', waiting: [{ device: '1089.display', for: '1085.dsi' }] },
    ]);
    // A node of which no device waits may be there.
    expect(why(display).roots).toMatchObject([{ name: '1089.display', cause: { cause: 'own-deferral' } }]);
  });

  it('names the call of a driver that defers by itself', () => {
    const { roots } = why(
      pending('i2c@0', 'platform: supplier sound not ready'),
      pending('sound', 'asoc-simple-card: parse error'),
    );
    expect(roots).toMatchObject([
      {
        name: 'sound',
        cause: { cause: 'own-deferral', call: 'parse error' },
        waiting: [{ device: 'i2c@0', for: 'sound' }],
      },
    ]);
  });

  it('takes parts of a device for the device: pins, cells of fuses, regulators of a PMIC', () => {
    const { roots } = why(
      pending('a00000.serial', 'platform: wait for supplier /soc@0/pinctrl@7d504100/one_pins'),
      pending('b00000.spi', 'platform: wait for supplier /soc@0/pinctrl@7d504100/other_pins'),
      pending('c00000.net', 'platform: wait for supplier /soc@0/i2c@890000/eeprom@50/nvmem-layout/mac@0'),
      pending('d00000.io', 'platform: wait for supplier /i2c@ff3c0000/pmic@1b/regulators/LDO_REG1'),
      pending('e00000.sram', 'platform: wait for supplier /soc/glue@5e300000/fuses@5e310000/trim@10'),
      pending('f00000.usb', 'platform: wait for supplier /vbus-regulator'),
    );
    expect(roots.map(({ name, waiting }) => [name, waiting.length])).toEqual([
      ['/soc@0/pinctrl@7d504100', 2],
      ['/soc@0/i2c@890000/eeprom@50', 1],
      ['/i2c@ff3c0000/pmic@1b', 1],
      ['5e310000.fuses', 1],
      ['/vbus-regulator', 1],
    ]);
  });

  it('names a device that is deferred without a reason where others wait for it', () => {
    const { roots, unexplained } = why(
      pending('ff7c0000.phy', '(reason unknown)'),
      pending('fe800000.usb', 'wait for supplier /phy@ff7c0000/usb3-port'),
      pending('fec00000.dp', 'wait for supplier /phy@ff7c0000/dp-port'),
    );
    expect(unexplained).toEqual([]);
    expect(roots).toMatchObject([{ name: 'ff7c0000.phy', cause: { cause: 'silent' }, evidence: null }]);
    expect(roots[0]?.waiting).toHaveLength(2);
  });

  it('hears a driver that says deferred probing', () => {
    const { roots } = why(
      '[    0.502513] rk_gmac-dwmac fe300000.ethernet: phy supply is not there yet, deferred probing',
    );
    expect(roots).toMatchObject([
      { name: 'fe300000.ethernet', cause: { cause: 'own-deferral', driver: 'rk_gmac-dwmac' } },
    ]);
  });

  it('follows a component to the part that cannot be bound yet', () => {
    const { roots } = why(
      '[    2.100000] gadget-drm soc:display: failed to bind 1000.hdmi (ops gadget_hdmi_ops): -517',
      '[    2.200000] gadget-drm soc:display: master bind failed: -517',
    );
    expect(roots).toMatchObject([
      { name: '1000.hdmi', cause: { cause: 'own-deferral' }, waiting: [{ device: 'soc:display', for: '1000.hdmi' }] },
    ]);
  });

  it('follows a sound card to the part that is not registered, over what its driver says of it', () => {
    const { roots } = why(
      "[    3.100000] dac5000 1-004c: Failed to get supply 'AVDD': -517",
      '[    3.200000] gadget-card gadget-card.0: ASoC: CODEC dac5000.1-004c not registered',
      '[    3.300000] gadget-card gadget-card.0: snd_soc_register_card() failed: -517',
      '[    3.400000] other-card other-card.0: ASoC: CPU DAI gadget-i2s.0 not registered',
      '[    3.500000] other-card other-card.0: snd_soc_register_card() failed: -517',
    );
    expect(roots.map(({ name, cause, waiting }) => [name, cause.cause, waiting[0]?.device])).toEqual([
      ['1-004c', 'own-deferral', 'gadget-card.0'],
      ['gadget-i2s.0', 'no-part', 'other-card.0'],
    ]);
  });

  it('has one name for a device whose bus translates addresses, by its path and by its name', () => {
    const waiting = (supplier: string) => [
      pending('ff600000.usb', `platform: wait for supplier ${supplier}`),
      pending('ff610000.usb', 'platform: supplier ff636000.gadget-phy not ready'),
    ];
    const rootsOf = (...lines: string[]) => why(...lines).roots.map(({ name, waiting: all }) => [name, all.length]);
    const ready = pending('ff636000.gadget-phy', 'gadget-phy: no clock yet');
    for (const supplier of [
      '/soc/bus@ff600000/gadget-phy@36000',
      '/soc/bus@ff600000/gadget-phy@36000/port',
      '/soc/apb/gadget-phy@36000',
      'gadget-phy@36000',
      '/soc/gadget-phy@ff636000',
    ])
      expect(rootsOf(...waiting(supplier), ready), supplier).toEqual([['ff636000.gadget-phy', 2]]);
    // By the path alone where the log has no such device.
    expect(rootsOf(...waiting('/soc/bus@ff600000/gadget-phy@36000'))).toEqual([['ff636000.gadget-phy', 2]]);
    expect(rootsOf(...waiting('/soc@3000/gadget-pins@01c20800'))[0]).toEqual(['1c20800.gadget-pins', 1]);
    expect(rootsOf(...waiting('/soc/internal-regs@d0000000/pins@13800'))[0]).toEqual(['d0013800.pins', 1]);
    // Addresses of the CPU's own, another bus, and one of two that it may be.
    expect(rootsOf(...waiting('/soc/bus@5c007000/gadget-phy@5c002000'), ready)).toContainEqual([
      '5c002000.gadget-phy',
      1,
    ]);
    expect(rootsOf(...waiting('/soc/bus@ff800000/gadget-phy@36000'), ready)).toContainEqual(['ff836000.gadget-phy', 1]);
    const twin = pending('ff836000.gadget-phy', 'gadget-phy: no clock yet');
    expect(rootsOf(...waiting('/soc/apb/gadget-phy@36000'), ready, twin)).toContainEqual(['36000.gadget-phy', 1]);
    // Broadcom's VideoCore has other addresses.
    const gpio = pending('fe200000.gpio', 'gadget-gpio: no clock yet');
    const pins = pending('fe201000.uart', 'amba: wait for supplier /soc/gpio@7e200000/pins');
    expect(rootsOf(gpio, pins)).toEqual([['fe200000.gpio', 1]]);
    expect(rootsOf('[    2.0] gadget: /soc/bus@ff600000/usb@9000: get clock failed: -517')).toEqual([]);
    expect(why('[    2.100000] /soc/bus@ff600000/usb@9000: get clock failed: -517').roots[0]?.name).toBe(
      'ff609000.usb',
    );
  });

  it('does not let a device wait for itself where another node has its name', () => {
    const { roots } = why(
      pending('buttons', 'platform: wait for supplier buttons'),
      pending('lamps', 'platform: wait for supplier /soc/pinmux@5e000000/lamps'),
    );
    expect(roots.map(({ name, waiting }) => [name, waiting[0]?.device])).toEqual([
      ['.../buttons', 'buttons'],
      ['5e000000.pinmux', 'lamps'],
    ]);
  });

  it('names a node by its path in the command that looks at it, and once as a cause alone', () => {
    const found = why(
      pending('a00000.usb', 'platform: wait for supplier /soc/gadget-phy@7e300000/port'),
      '[   12.900000] gadget-pd pd: sync_state() pending due to 7e300000.gadget-phy',
    );
    const text = formatWhy(found);
    expect(text).toContain('cat /sys/firmware/devicetree/base/soc/gadget-phy@7e300000/compatible');
    expect(found.unexplained).toEqual([]);
    const part = formatWhy(
      why(pending('b00000.ufs', 'platform: wait for supplier /soc/rsc@17a00000/regulators-0/ldo1')),
    );
    expect(part).toContain('cat /sys/firmware/devicetree/base/soc/rsc@17a00000/regulators-0/compatible');
  });

  it('guesses a provider that no driver has probed, too', () => {
    const { roots } = why(
      pending('a00000.uart', 'amba: wait for supplier /soc/gpio@7e200000/pins'),
      pending('lamps', "gadget-lamps: Failed to get GPIO '/lamps/one'"),
    );
    expect(roots.find(({ name }) => name === 'lamps')?.cause).toMatchObject({ perhaps: ['/soc/gpio@7e200000'] });
  });

  it('takes a date for no error of a driver that speaks again', () => {
    const { settled } = why(
      '[    4.100000] platform 1000.usb: probe deferral - supplier 2000.pads not ready',
      '[    4.900000] gadget-usb 1000.usb: firmware of 2019-07-24 05:47:34',
    );
    expect(settled).toEqual(['1000.usb']);
  });

  it('takes what is said of a CPU for the reason of the device that scales it', () => {
    const { roots, settled } = why(
      '[   16.100000] cpu cpu0: error -EPROBE_DEFER: opp_of_find_icc_paths: no path0',
      '[   16.200000] platform 1000.cpufreq: deferred probe pending',
    );
    const cause = {
      cause: 'own-deferral',
      driver: null,
      call: 'opp_of_find_icc_paths: no path0',
      wants: 'an interconnect',
    };
    expect(roots).toMatchObject([{ name: '1000.cpufreq', cause }]);
    expect(settled).toEqual([]);
  });

  it('knows what power supplies, role switches, DMA of ALSA and a core without its PHY are called', () => {
    const { roots } = why(
      pending('3-0036', 'gadget-gauge: failed: power supply register'),
      pending('3-006a', 'gadget-switch: failed to get role switch'),
      pending('1000.ssi', 'gadget-ssi: gadget_pcm_dma_init failed'),
      pending('2000.usb', 'gadget-dwc: failed to initialize core'),
    );
    const wants = roots.map(({ cause }) => (cause.cause === 'own-deferral' ? cause.wants : null));
    expect(wants).toEqual([
      // By a guess the switch waits for it.
      'a PHY',
      'a regulator, or a power supply (a charger or a battery)',
      'a USB role switch (a USB controller)',
      'a DMA controller',
    ]);
  });

  it('guesses no provider among those that lack the same', () => {
    const { roots } = why(
      pending('sound', 'gadget-card: snd_soc_register_card failed'),
      pending('sound-spdif', 'gadget-card: snd_soc_register_card failed'),
      pending('2004000.spdif', 'gadget-spdif: no clock'),
    );
    expect(roots.map(({ name }) => name)).toEqual(['2004000.spdif', 'sound', 'sound-spdif']);
    expect(roots[1]?.cause).toMatchObject({ perhaps: ['2004000.spdif'] });
  });

  it('says in a sentence why there is no least time-out', () => {
    const more = { byTree: null, tried: null, ended: null } as const;
    const text = (ends: string | null) =>
      formatWhy(why(''), { ...more, timeout: { seconds: null, ends, longest: 600 } });
    expect(text(null)).toContain('No least deferred_probe_timeout: the cell works with 1 already');
    expect(text('stuck-deferred: x')).toContain('a longer one does not help: with 600 too, stuck-deferred: x');
  });

  it('takes the pin controller for what is waited for where only its pins are named', () => {
    const { roots } = why(
      '[    0.600000] gadget-uart 1000.uart: could not find pctldev for node /soc/pinmux@20000000/uart, deferring probe',
      '[    0.700000] gadget-spi 2000.spi: could not find pctldev for node /soc/pinmux@20000000/spi, deferring probe',
    );
    expect(roots).toMatchObject([{ name: '20000000.pinmux', cause: { cause: 'never-probed' } }]);
    expect(roots[0]?.waiting).toHaveLength(2);
  });

  it('hears a driver that says another is not ready', () => {
    const { roots } = why('[    0.450000] gadget_dsi 2000.dsi: gadget_get_phy: phy driver is not ready');
    expect(roots).toMatchObject([{ name: '2000.dsi', cause: { cause: 'own-deferral', driver: 'gadget_dsi' } }]);
  });

  it('tells devices together that are deferred in the same words', () => {
    const log = ['a', 'b', 'c'].map(
      (name, n) => `[    0.1${n}0000] reg-fixed-voltage ${name}-supply: Failed to register regulator: -517`,
    );
    expect(formatWhy(why(...log))).toContain('a-supply, b-supply, c-supply: reg-fixed-voltage defers it');
  });

  it('tells a circle once', () => {
    const { roots } = why(
      pending('a.one', 'platform: supplier b.two not ready'),
      pending('b.two', 'platform: supplier a.one not ready'),
      pending('c.three', 'platform: supplier a.one not ready'),
    );
    expect(roots).toHaveLength(1);
    expect(roots[0]).toMatchObject({ name: 'a.one', cause: { cause: 'cycle' } });
    expect(roots[0]?.waiting.map(({ device }) => device).toSorted()).toEqual(['a.one', 'b.two', 'c.three']);
  });

  it('says so where the log gives no reason, and where everything is bound', () => {
    const silent = why(pending('a.one', '(reason unknown)'), '[   12.200000] platform b.two: deferred probe pending');
    expect(silent.roots).toEqual([]);
    expect(silent.unexplained).toEqual(['a.one', 'b.two']);
    expect(formatWhy(silent)).toContain('without a reason in the log, at 12.2 s (line 2): a.one, b.two');
    expect(formatWhy(silent)).toContain('2 devices wait, and the log does not say for what.');
    expect(formatWhy(silent)).not.toContain('by their names');
    expect(formatWhy(why('[    0.000000] Linux version 6.1.0'))).toBe(
      'The driver core reports no device that is deferred and no probe that failed at the end of the log.\n',
    );
  });

  it('tells together what is known of no more than its time-out, and apart what failed after it', () => {
    const found = why(
      '[   12.100000] tegra-i2c 3160000.i2c: deferred probe timeout, ignoring dependency',
      '[   12.200000] tegra-i2c 3180000.i2c: deferred probe timeout, ignoring dependency',
      '[   12.300000] tegra-gpcdma 2600000.dma-controller: deferred probe timeout, ignoring dependency',
      '[   12.400000] tegra-gpcdma 2600000.dma-controller: probe with driver tegra-gpcdma failed with error -22',
    );
    const text = formatWhy(found);
    expect(text).toMatch(/^1 probe failed; of 2 more the log does not tell .*\n\n2600000\.dma/);
    expect(text).toContain('3160000.i2c, 3180000.i2c: the deferred probe timeout ended the wait for a power domain');
    expect(text).toContain('so it may be bound');
    expect(text).toContain('2600000.dma-controller: the probe of tegra-gpcdma failed with error -22');
  });

  it('calls nothing unbound that went on after its time-out, but what failed or is listed since', () => {
    const over = '[   12.100000] gadget 1000.i2c: deferred probe timeout, ignoring dependency';
    expect(formatWhy(why(over))).toMatch(/^No device is said to be .*; 1 device lacked a supplier or pins/);
    expect(why(over, '[   12.200000] gadget 1000.i2c: probe with driver gadget failed with error -110')).toMatchObject({
      unbound: 1,
      goneOn: 0,
    });
    expect(why(over, pending('1000.i2c', '(reason unknown)'))).toMatchObject({ unbound: 1, goneOn: 0 });
  });

  it('says of how many devices it knows a reason, and blames no device that nobody needs', () => {
    const failed = (device: string) => `[   12.100000] gadget ${device}: probe with driver gadget failed with error -5`;
    const silent = [pending('1.dev', '(reason unknown)'), pending('2.dev', '(reason unknown)')];
    const text = formatWhy(why(failed('2-001a'), ...silent));
    expect(text).toContain('2 devices wait, and the log does not say for what; 1 probe failed:');
    expect(text).not.toContain('may wait for what failed');
    for (const name of ['3000.clock-controller', '3000.pmc'])
      expect(formatWhy(why(failed(name), ...silent))).toContain('may wait for what failed');
    // The nodes above a device are none of its own.
    const alarm = pending('4000.spmi:pmic@0:temp-alarm@a00', '(reason unknown)');
    expect(formatWhy(why(alarm, ...silent))).not.toContain('others may wait');
  });

  it('takes a consumer that suppliers still wait for as not bound only with what its driver said of an error', () => {
    const waits = '[   11.200000] qcom-rpmhpd a.rsc:power-controller: sync_state() pending due to ae90000.dp';
    expect(why(waits)).toMatchObject({ unbound: 0, unexplained: [], roots: [] });
    const error = '[    3.200000] platform ae90000.dp: [drm:gadget_dp_probe] *ERROR* no AOSS to speak to';
    expect(why(error, waits)).toMatchObject({
      unbound: 1,
      unexplained: [],
      roots: [{ name: 'ae90000.dp', cause: { cause: 'spoken-of' }, line: 1 }],
    });
    expect(why(waits, '[   12.300000] gadget-dp ae90000.dp: link is up').unbound).toBe(0);
    // What was deferred before is not settled by that alone.
    const deferred = '[    2.100000] gadget-dp ae90000.dp: cannot get its PHY: -517';
    const spoke = '[    2.900000] gadget-dp ae90000.dp: 4 lanes';
    expect(why(deferred, spoke).settled).toEqual(['ae90000.dp']);
    expect(why(deferred, spoke, waits)).toMatchObject({ settled: [], roots: [{ name: 'ae90000.dp' }] });
  });

  it('tells what suppliers waited for in one line, as no deferral, wherever user space writes at the same time', () => {
    const waits = (device: string) => `gadget-pd a.power: sync_state() pending due to ${device}`;
    const glued = `[  OK  ] Started Some Service ${waits('ae91000.dp')}`;
    const found = why(`[   11.200000] ${waits('ae90000.dp')}`, glued, `[   11.300000] ${waits('ae90000.dp')}`);
    const devices = ['ae90000.dp', 'ae91000.dp'];
    expect(found).toMatchObject({ unbound: 0, unexplained: [], undriven: { devices, line: 1, time: 11_200_000 } });
    expect(formatWhy(found)).toContain(
      'sync_state() of suppliers waited at 11.2 s (line 1) for 2 consumers without a driver (no deferrals):',
    );
    expect(why(`[   11.200000] ${waits('ae90000.dp')}`, pending('ae90000.dp', '(reason unknown)')).undriven).toBeNull();
    expect(formatWhy(why(glued))).toContain(
      'sync_state() of suppliers waited at line 1 for 1 consumer without a driver (no deferral): ',
    );
    // Whether somebody waits for it is a guess.
    const lacks = pending('ae92000.dsi', 'gadget-dsi: no PHY');
    expect(why(`[   11.200000] ${waits('ae93000.phy')}`, lacks).roots[0]?.cause).toMatchObject({
      perhaps: ['ae93000.phy'],
    });
  });

  it('is not told of a deferral of somebody, where many devices came since', () => {
    const early = '[    1.100000] gadget-dsi: [gadget-dsi-error]: device init failed, rc=-517';
    const came = [1, 2, 3].map((n) => `[    2.${n}00000] gadget-mac ${n}000000.ethernet: link is up`);
    const banner = '[    0.000000] Linux version 6.12.0';
    expect(why(banner, early).complaints).toHaveLength(1);
    expect(why(banner, early, ...came).complaints).toEqual([]);
  });

  it('takes no circle that the kernel has opened for a reason', () => {
    const opened = '[    1.200000] platform ae90000.dp: Fixed dependency cycle(s) with /soc/gadget@1000';
    expect(formatWhy(why(opened, pending('ae90000.dp', '(reason unknown)')))).toContain(
      '1 device waits, and the log does not say for what',
    );
  });

  it('reads it where a mail program broke the line', () => {
    const supplier = '07:03:17.034092  <4>[   11.749935] gadget-noc 163d000.interconnect:';
    expect(why(supplier, 'sync_state() pending due to 1d84000.ufs').undriven?.devices).toEqual(['1d84000.ufs']);
  });

  it('guesses by their names which of the silent devices others wait for', () => {
    const silent = why(
      ...['fe0a0000.hdmi', 'fdc20000.syscon:io-domains', 'fe2b0000.mmc', 'fdd40000.i2c'].map(
        (device) => `[   12.${String(++time).padStart(6, '0')}] platform ${device}: deferred probe pending`,
      ),
    );
    expect(silent.likely).toEqual(['fdc20000.syscon:io-domains', 'fdd40000.i2c']);
    expect(formatWhy(silent)).toContain('(guess): fdc20000.syscon:io-domains, fdd40000.i2c');
  });

  it('names none of those where all but a few are such, or where all have something in common', () => {
    const textOf = (...names: string[]) => formatWhy(why(...names.map((name) => pending(name, '(reason unknown)'))));
    expect(textOf('odm:gadget-gpio1', 'a-regulator', 'kinfo')).toContain('by their names others may wait');
    expect(textOf('odm:gadget-gpio1', 'odm:gadget-gpio2', 'a-regulator', 'kinfo')).not.toContain('by their names');
    const controllers = ['1000000.i2c', '2000000.spi', '3000000.serial', '4000000.mmc', '5000000.lamp'];
    expect(textOf(...controllers)).not.toContain('by their names others');
  });

  it('calls a node by its path where the CPU has it at another address, which the log does not tell', () => {
    const waits = (node: string) => pending('3f201000.serial', `platform: wait for supplier ${node}/uart-pins`);
    expect(why(waits('/soc/gpio@7e200000')).roots).toMatchObject([{ name: '/soc/gpio@7e200000' }]);
    expect(why(waits('/soc/gpio@1e200000')).roots).toMatchObject([{ name: '1e200000.gpio' }]);
    const bound = `[    3.000001] gadget-gpio 3f200000.gpio: bound to nothing (ops gadget_ops)`;
    expect(
      why(pending('3f200000.gpio', '(reason unknown)'), waits('/soc/gpio@7e200000'), bound).roots,
    ).not.toMatchObject([{ name: '/soc/gpio@7e200000' }]);
  });

  it('guesses only what can provide what is lacking, and what does not wait for it', () => {
    const gpio = (name: string) => pending(name, "gadget: can't get GPIO");
    const perhapsOf = (name: string, ...lines: string[]) => {
      const cause = why(...lines).roots.find((root) => root.name === name)?.cause;
      return cause?.cause === 'own-deferral' ? cause.perhaps : null;
    };
    const silent = (name: string) => pending(name, '(reason unknown)');
    expect(perhapsOf('regulator-pcie', gpio('regulator-pcie'), silent('33800000.pcie'))).toEqual([]);
    expect(perhapsOf('regulator-pcie', gpio('regulator-pcie'), silent('33800000.gpio'))).toEqual(['33800000.gpio']);
    // What waits for one that lacks the same is at the end of that.
    const irq = (name: string) => pending(name, 'gadget: IRQ index 0 not found');
    const behind = pending('30c0000.pinctrl', 'platform: supplier smp-one not ready');
    expect(perhapsOf('smp-two', irq('smp-one'), irq('smp-two'), silent('30c0000.pinctrl'))).toEqual([
      '30c0000.pinctrl',
    ]);
    expect(perhapsOf('smp-two', irq('smp-one'), irq('smp-two'), behind)).toEqual([]);
    // Whatever has interrupts besides, a controller of interrupts comes first.
    const gpios = [1, 2, 3, 4].map((n) => silent(`${n}000000.gpio`));
    expect(perhapsOf('smp-two', irq('smp-two'), ...gpios)).toEqual([]);
    expect(perhapsOf('smp-two', irq('smp-two'), ...gpios, silent('5000000.interrupt-controller'))).toEqual([
      '5000000.interrupt-controller',
    ]);
    // A chip whose driver is that of no codec is no part of a sound card.
    const card = pending('sound', 'gadget-card: parse error');
    expect(perhapsOf('sound', card, silent('1-003d'))).toEqual(['1-003d']);
    expect(perhapsOf('sound', card, pending('1-003d', 'adv9: failed to init regulators'))).toEqual([]);
  });

  it('takes the regulator of a PMIC for a part of it', () => {
    const waits = pending('1000.mmc', 'platform: wait for supplier LDO19');
    expect(why(waits, pending('f800000.pmic', '(reason unknown)')).roots).toMatchObject([
      { name: 'LDO19', cause: { cause: 'part-of', part: 'regulator', perhaps: ['f800000.pmic'] } },
    ]);
    expect(formatWhy(why(waits))).toContain('LDO19: a regulator by its name, of which no device is made: the PMIC');
  });

  it('tells cycles that have nothing in common apart, and one of those that wait alone', () => {
    const cycle = (one: string, other: string) => `[    1.200000] ${one}: Fixed dependency cycle(s) with ${other}`;
    const silent = ['1000000.stm', '2000000.funnel', '3000000.etm', '4000000.dsi', '5000000.tpda', '6000000.tpdm'];
    const text = formatWhy(
      why(
        ...silent.map((name) => pending(name, '(reason unknown)')),
        cycle('/soc/stm@1000000', '/soc/funnel@2000000'),
        cycle('/soc/funnel@2000000', '/soc/etm@3000000'),
        cycle('/soc/etm@3000000', '/soc/replicator@7000000'),
        cycle('/soc/dsi@4000000', '/soc/panel@8000000'),
        cycle('/soc/tpda@5000000', '/soc/tpdm@6000000'),
        cycle('/soc/tpdm@6000000', '/soc/tpda@5000000'),
      ),
    );
    expect(text).toMatch(
      /\n1000000\.stm, 2000000\.funnel, 3000000\.etm: [^\n]*perhaps for \/soc\/replicator@7000000, with/,
    );
    expect(text).toMatch(/\n4000000\.dsi: [^\n]*perhaps for \/soc\/panel@8000000, with/);
    expect(text).toMatch(/\n5000000\.tpda, 6000000\.tpdm: [^\n]*; fw_devlink found a cycle of them that it does not/);
  });

  it('takes no cycle of what is on a bus for one of the bus', () => {
    const cycle = (node: string) => `[    1.200000] ${node}: Fixed dependency cycle(s) with /soc/display@2000000`;
    const bus = pending('1000000.i2c', '(reason unknown)');
    expect(why(cycle('/soc/i2c@1000000'), bus).roots).toMatchObject([{ cause: { cause: 'cycle' } }]);
    expect(why(cycle('/soc/i2c@1000000/bridge@39'), bus)).toMatchObject({ roots: [], unexplained: ['1000000.i2c'] });
  });

  it('says what USB controllers share where hardly anything else waits without a reason', () => {
    const textOf = (...names: string[]) => formatWhy(why(...names.map((name) => pending(name, '(reason unknown)'))));
    expect(textOf('1000.usb', '2000.usb')).toContain('what several USB controllers share is a PHY');
    expect(textOf('1000.usb', '2000.usb', 'sound')).toContain('what 1000.usb, 2000.usb share is a PHY');
    expect(textOf('1000.usb', '2000.usb', 'sound', 'lamp', 'fan')).not.toContain('share is a PHY');
  });

  it('settles what is said of a CPU when its cpufreq device is bound', () => {
    const freq = (text: string) => `[   50.100000] platform cpufreq-gadget: ${text}`;
    const said = '[   50.000001] cpu cpu0: error -EPROBE_DEFER: _opp_set_regulators: no regulator (cpu) found';
    const before = [freq("bus: 'platform': really_probe: probing driver cpufreq-gadget with device"), said];
    const after = [freq('Added to deferred list'), freq('Retrying from deferred list'), ...before.slice(0, 1)];
    const bound = freq("driver: 'cpufreq-gadget': driver_bound: bound to device");
    expect(why(...before, ...after).settled).toEqual([]);
    expect(why(...before, ...after, bound).settled).toEqual(['cpu0']);
  });

  it('names a bus that others may wait for only where one of them is on a bus', () => {
    const likely = (...names: string[]) => why(...names.map((name) => pending(name, '(reason unknown)'))).likely;
    expect(likely('1000000.spi', 'card', 'lamp')).toEqual([]);
    expect(likely('1000000.spi', 'spi0.1', 'lamp')).toEqual(['1000000.spi']);
  });

  it('says that a device is the console where it has the address of the early one', () => {
    const early = "[    0.000000] earlycon: uart0 at MMIO32 0x000000ffe7014000 (options '115200n8')";
    const serial = '[   11.098262] platform ffe7014000.serial: deferred probe pending';
    const text = formatWhy(why(early, serial));
    expect(text).toContain('ffe7014000.serial has the address of the early console (line 1)');
    // Without a console nobody types at a shell.
    expect(text).not.toContain('on the board');
    expect(formatWhy(why(serial))).toContain('on the board');
    expect(formatWhy(why(early, pending('ffe7015000.serial', '(reason unknown)')))).not.toContain('early console');
    const older = early.replace('at MMIO32 ', 'MMIO32:');
    expect(why(older, serial).console).toEqual({ device: 'ffe7014000.serial', line: 1 });
  });

  it('takes what is named after a power domain for one that waits for it', () => {
    const over = (device: string) => `[   12.000001] gadget ${device}: deferred probe timeout, ignoring dependency`;
    expect(formatWhy(why(over('soc:pd_gpu_test@0')))).toContain('  by the names it is a power domain (guess)\n');
    expect(formatWhy(why(over('soc:pd_gpu_test@0'), over('1000.gpu')))).not.toContain('by the names it is');
    const likeliest = 'among them, a power domain is the likeliest (guess)';
    expect(formatWhy(why(over('1000.gpu'), over('2000.iommu')))).toContain(`as there are IOMMUs ${likeliest}`);
    expect(formatWhy(why(over('1000.gpu'), over('2000.pinctrl')))).toContain(
      `as there are pin controllers ${likeliest}`,
    );
    expect(formatWhy(why(over('1000.gpu')))).not.toContain('the likeliest');
  });

  it('takes a part of a device that the log has for that device, whatever names the driver core has for it', () => {
    const { roots } = why(
      pending('a00000.syscon:phy@100', 'gadget-phy: failed to create phy'),
      pending('b00000.usb', 'platform: wait for supplier /syscon@a00000/phy@100/otg-port'),
      pending('c00000.i2s', 'platform: wait for supplier /card/multi'),
      pending('card', 'gadget-card: parse error'),
      pending('0-001b', 'i2c: wait for supplier gpio1@d00000'),
      pending('e00000.mmc', 'platform: wait for supplier pmic@1b'),
      pending('f00000.wifi', 'pci: wait for supplier /module-pmu/regulators/ldo9'),
      pending('f10000.ufs', 'platform: wait for supplier /soc@0/rsc@500000/regulators-0/ldo17'),
    );
    const found = roots.map(({ name, waiting }) => [name, waiting.map(({ device }) => device)]);
    expect(Object.fromEntries(found)).toEqual({
      'a00000.syscon:phy@100': ['b00000.usb'],
      card: ['c00000.i2s'],
      'd00000.gpio1': ['0-001b', 'e00000.mmc'],
      '/module-pmu': ['f00000.wifi'],
      '500000.rsc:regulators-0': ['f10000.ufs'],
    });
  });

  it('waits for the bus that a supplier is behind where that is not bound, and says so where the log has no word of it', () => {
    const waits = pending('a00000.mmc', 'platform: wait for supplier /soc/i2c@900000/pmic@66/regulators/ldo1');
    expect(why(waits).roots).toMatchObject([
      { name: '/soc/i2c@900000/pmic@66', cause: { cause: 'no-bus', bus: '900000.i2c' } },
    ]);
    const bus = '[   12.100000] gadget-i2c 900000.i2c: probe with driver gadget-i2c failed with error -16';
    expect(why(bus, waits).roots).toMatchObject([{ name: '900000.i2c', waiting: [{ device: 'a00000.mmc' }] }]);
  });

  it('keeps the first words of an attempt, and those of a driver that gave the kernel none', () => {
    const { roots } = why(
      '[    2.100000] gadget-gpu 1.gpu: failed to get regulator: -517',
      '[    2.106000] gadget-gpu 1.gpu: init failed -517',
      '[   12.100000] platform 1.gpu: deferred probe pending: (reason unknown)',
    );
    expect(roots).toMatchObject([
      { cause: { call: 'failed to get regulator: -517', wants: 'a regulator' }, evidence: expect.anything(), line: 1 },
    ]);
    const [later] = why(
      '[    2.100000] gadget-gpu 1.gpu: failed to get regulator: -517',
      '[    9.100000] gadget-gpu 1.gpu: failed to get clock: -517',
    ).roots;
    expect(later?.cause).toMatchObject({ call: 'failed to get clock: -517', wants: 'a clock' });
  });

  it('quotes what a driver said before its probe failed, and not what an earlier attempt was deferred for', () => {
    const { roots } = why(
      '[    2.100000] gadget-gpu 1.gpu: failed to get regulator: -517',
      '[    2.500000] gadget-gpu 1.gpu: clock rate = 503929687',
      '[    2.600000] gadget-gpu 1.gpu: soft reset timed out',
      '[    2.700000] gadget-gpu 1.gpu: Fatal error during init',
      '[    2.800000] gadget-gpu: probe of 1.gpu failed with error -110',
    );
    expect(roots).toMatchObject([
      { cause: { cause: 'failed', error: 110 }, evidence: 'soft reset timed out; Fatal error during init', line: 5 },
    ]);
  });

  it('follows a device to the part whose bind fails, also with another error', () => {
    const { roots } = why(
      '[    2.100000] gadget-hvs 1.hvs: no core clock specified',
      '[    2.200000] gadget-drm soc:gpu: failed to bind 1.hvs (ops gadget_hvs_ops): -2',
      '[    2.300000] gadget-dp 2.dp: no DP phy configured',
      '[    2.400000] other-drm soc:display: failed to bind 2.dp (ops gadget_dp_ops [gadget]): -517',
    );
    expect(roots).toMatchObject([
      { name: '2.dp', cause: { call: 'no DP phy configured', wants: 'a PHY' }, waiting: [{ device: 'soc:display' }] },
      { name: '1.hvs', cause: { cause: 'bind-failed', error: 2 }, waiting: [{ device: 'soc:gpu' }] },
    ]);
  });

  it('says which device has the pin that a device cannot have', () => {
    const { roots } = why(
      '[    0.643501] gadget-pinctrl 1000.pinctrl: pin 117 already requested by 7-0015; cannot claim for 7-002c',
      '[    0.643525] gadget-hid 7-002c: Error applying setting, reverse things back',
      '[    0.643867] i2c 7-002c: Driver gadget-hid requests probe deferral',
    );
    expect(roots).toMatchObject([
      { name: '7-002c', evidence: 'pin 117 already requested by 7-0015; cannot claim for 7-002c' },
    ]);
    // A mail program broke the line before the device's name.
    const broken = why(
      '> > [    0.643501] gadget-mt0000-pinctrl 1000b000.pinctrl: pin GADGET3',
      '> > already requested by 7-0015; cannot claim for 7-002c',
      '> > [    0.643867] i2c 7-002c: Driver gadget-hid requests probe deferral',
    );
    expect(broken.roots).toMatchObject([
      { name: '7-002c', evidence: 'pin GADGET3 already requested by 7-0015; cannot claim for 7-002c' },
    ]);
    expect(formatWhy(broken)).toContain('gadget-hid defers it, as the pin controller refuses it a pin: pin GADGET3');
  });

  it('ends a reason where the mark of code ends that a person put around it in a sentence', () => {
    const message =
      '[   14.300000] platform gadget-rtc: deferred probe pending: gadget-rtc: Failed to get its NVMEM cell';
    const { roots } = why(`* There is no clock and dmesg says \`${message}\`. I noticed it in the installer.`);
    expect(roots).toMatchObject([{ evidence: 'gadget-rtc: Failed to get its NVMEM cell' }]);
  });

  it('takes no device for a root that later rounds of retries, or the list of what is pending, do not have', () => {
    const deferred = (n: number, device: string, supplier: string) =>
      `[    ${n}.${String(++time).padStart(6, '0')}] platform ${device}: probe deferral - supplier ${supplier} not ready`;
    const rounds = why(
      deferred(1, 'early.supply', '12v.supply'),
      ...[1, 2, 3, 4].flatMap((n) => [deferred(n, '1.pcie', '2.gpio'), deferred(n, '3.mmc', '1.pcie')]),
    );
    expect(rounds).toMatchObject({ settled: ['early.supply'], roots: [{ name: '2.gpio' }] });
    const silent = '[    2.100000] gadget-gpu 1.gpu: failed to get regulator: -517';
    const listed = why(silent, pending('2.usb', 'platform: supplier 3.phy not ready'));
    expect(listed).toMatchObject({ settled: ['1.gpu'], unbound: 1, roots: [{ name: '3.phy' }] });
    expect(formatWhy(listed)).toContain('so bound or failed since (guess): 1.gpu');
    // What still waits for it is the better witness.
    expect(why(silent, pending('2.usb', 'platform: supplier 1.gpu not ready'))).toMatchObject({
      settled: [],
      roots: [{ name: '1.gpu', waiting: [{ device: '2.usb' }] }],
    });
  });

  it('takes no device for a root of which its driver says something else after the deferral', () => {
    const deferred = '[    8.300000] platform 1.rtc: error -EPROBE_DEFER: wait for supplier /soc/nvram@b110000';
    const spoke = '[    8.400000] gadget-rtc 1.rtc: registered as rtc0';
    expect(why(deferred, spoke)).toMatchObject({
      settled: [],
      bound: [{ device: '1.rtc', line: 2 }],
      roots: [],
      unbound: 0,
    });
    expect(why(spoke, deferred)).toMatchObject({ settled: [], unbound: 1 });
    expect(why(deferred, spoke, deferred.replace('8.30', '9.30'))).toMatchObject({ settled: [], unbound: 1 });
    for (const open of ['not registered: error', 'not yet registered', 'waits until it is registered', 'unregistered'])
      expect(why(deferred, spoke.replace('registered as rtc0', open)).bound).toEqual([]);
    expect(why(deferred, spoke.replace('gadget-rtc', 'platform'))).toMatchObject({ settled: [] });
    expect(why(deferred, spoke, pending('1.rtc', '(reason unknown)'))).toMatchObject({ settled: [], unbound: 1 });
  });

  it('guesses a circle where a device waits for one that lacks what it provides', () => {
    const found = why(
      pending('1.ldb', 'gadget-ldb: failed to find panel or bridge for channel0'),
      pending('panel-lvds', 'platform: wait for supplier /soc/ldb@1/lvds-channel@0'),
    );
    expect(found.roots).toMatchObject([{ name: '1.ldb', cause: { circle: ['panel-lvds'] } }]);
    expect(formatWhy(found)).toContain('they may wait for each other');
  });

  it('keeps the part that a sound card names, and otherwise what its driver says of the whole', () => {
    const vague = '[    9.500000] gadget-card card.0: snd_soc_register_card failed (-517)';
    expect(why(vague).roots).toMatchObject([
      { name: 'card.0', cause: { call: expect.stringContaining('register_card') } },
    ]);
    expect(
      why('[    3.200000] gadget-card card.0: ASoC: CODEC DAI gadget.0 not registered', vague).roots,
    ).toMatchObject([{ name: 'gadget.0', waiting: [{ device: 'card.0' }] }]);
  });

  it('guesses the provider among what is not bound where the driver says its kind, and calls it a guess', () => {
    const found = why(
      pending('1.phy', 'gadget-phy: failed to create phy'),
      pending('usb-vbus-supply', "reg-fixed-voltage: can't get GPIO"),
      pending('card', 'gadget-card: parse error'),
      pending('2.video-codec', '(reason unknown)'),
    );
    const perhaps = found.roots.flatMap(({ cause }) => (cause.cause === 'own-deferral' ? [cause.perhaps] : []));
    expect(perhaps).toEqual([[], ['usb-vbus-supply'], []]);
    expect(formatWhy(found)).toContain('perhaps for usb-vbus-supply, not bound either (guess by the name)');
  });

  it('tells what it says nothing of, and which command does', () => {
    const unknown = formatWhy(why(pending('a.one', '(reason unknown)')));
    expect(unknown).toContain('dyndbg="file drivers/base/dd.c +p');
    const old = formatWhy(why('[   12.200000] platform b.two: deferred probe pending'));
    expect(old).toContain('cat /sys/kernel/debug/devices_deferred');
    const failed = '[    2.700000] gadget-phy 1.phy: probe with driver gadget-phy failed with error -2';
    expect(formatWhy(why(failed, pending('2.phy', '(reason unknown)')))).toContain(
      'it may wait for what failed (guess): 1.phy',
    );
  });

  it('puts no name of a log into a command that is not plainly one', () => {
    const told = formatWhy(why(pending('a.one', 'platform: supplier $(reboot) not ready')));
    expect(told).not.toContain('next: `cat');
  });

  it('tells who may hold the root file system', () => {
    const log = ['[    2.300000] Waiting for root device /dev/mmcblk0p4...', pending('5000.mmc', '(reason unknown)')];
    expect(formatWhy(why(...log))).toContain('The root device /dev/mmcblk0p4 is not there; by their names');
    const disk = ['[    2.100000] ata2: reset failed (errno=-32)', '[    2.200000] mmc0: error -84 of a card'];
    const errors = formatWhy(why(...disk, '[    2.300000] Waiting for root device /dev/sda1...'));
    expect(errors).toMatch(
      /sda1 is not there; .* report errors:\n {2}ata2: reset failed \(errno=-32\) \(line 1\)\n {2}next/,
    );
    const alone = why(...disk, '[    2.300000] Waiting for root device /dev/nvme0n1p1...');
    expect(formatWhy(alone)).toContain('see whether its module is in the initramfs');
    const there = why(
      '[    2.300000] Waiting for root device /dev/nvme0n1p1...',
      '[    2.800000] Run /sbin/init as init process',
    );
    expect(there.rootDevice).toBeNull();
  });

  it('tells what the device mapper says of a root file system that it makes', () => {
    const error = '[    2.100000] device-mapper: table: 253:0: crypt: gadget key failed (-ENOKEY)';
    const told = (...lines: string[]) => formatWhy(why(...lines.flatMap((line) => [line, '[    9.000000] gadget'])));
    const [missing, unnamed] = ['ALERT! /dev/mapper/gadget does not exist. Dropping to a shell!', '(initramfs) '];
    expect(told(error, missing)).toContain(
      'gadget is not there; the device mapper makes it of another device, and reports errors:\n' +
        '  device-mapper: table: 253:0: crypt: gadget key failed (-ENOKEY) (line 1)\n',
    );
    expect(told(error, unnamed)).toContain('system is not there; the device mapper may make it of another');
    expect(told(missing, pending('1000.mmc', '(reason unknown)'))).toMatch(
      /gadget is not there; the device mapper makes it of another device\n {2}next: see what sets it up/,
    );
  });

  it('does not ask for the module of a disk whose partitions the log has', () => {
    const parts = '[    1.000000]  mmcblk1: p1 p2';
    const told = (root: string) =>
      formatWhy(why('[    0.900000] gadget', parts, `[    2.300000] Waiting for root device ${root}...`));
    expect(told('LABEL=gadget')).toContain('root= is right: the kernel found these partitions: mmcblk1p1, mmcblk1p2\n');
    expect(told('/dev/mmcblk1p7')).toContain('these partitions: mmcblk1p1, mmcblk1p2\n');
    expect(told('/dev/sda1')).toContain('its module is in the initramfs');
  });

  it('asks for nothing on a board that has no root file system, but in the shell of its initramfs', () => {
    const stands = [
      '[    0.000000] Linux version 6.4.0 (gadget)',
      '[   12.000000] Waiting for root device sda1...',
      '[   13.000000] platform 2000.led: deferred probe pending',
    ];
    const file = 'cat /sys/kernel/debug/devices_deferred';
    expect(formatWhy(why(...stands))).not.toContain(file);
    expect(formatWhy(why(...stands))).toContain('a kernel from 6.8 on prints the reasons');
    expect(formatWhy(why(...stands, '(initramfs) '))).toContain(`next: in the shell of the initramfs, \`${file}`);
  });

  it('tells the host and the controller that have the number of the disk', () => {
    const errors = [0, 1].map((n) => `[    2.10000${n}] mmc${n}: error -84 of a card`);
    const hostsOf = (root: string) =>
      why(...errors, `[    2.300000] Waiting for root device ${root}...`).rootDevice?.said.map(({ device }) => device);
    expect(hostsOf('/dev/mmcblk1p2')).toEqual(['mmc1']);
    expect(hostsOf('/dev/mmcblk2p2')).toEqual([]);
    const card = '[    2.200000] mmcblk: probe of mmc0:0001 failed with error -22';
    const held = (root: string) => why(card, `[    2.300000] Waiting for root device ${root}...`).rootDevice?.perhaps;
    expect(held('/dev/mmcblk0p1')).toEqual(['mmc0:0001']);
    expect(held('/dev/mmcblk1p1')).toEqual([]);
  });

  it('tells the network devices that a root file system on NFS may wait for', () => {
    const devices = [pending('1000.ethernet', '(reason unknown)'), pending('5000.mmc', '(reason unknown)')];
    for (const missing of [
      'VFS: Unable to mount root fs via NFS.',
      'VFS: Cannot open root device "/dev/nfs" or unknown-block(0,255): error -6',
      'Waiting up to 100 more seconds for network.',
    ])
      expect(why(...devices, `[   13.000000] ${missing}`).rootDevice?.perhaps).toEqual(['1000.ethernet']);
    const alone = formatWhy(why('[   13.000000] VFS: Unable to mount root fs via NFS, trying floppy.'));
    expect(alone).toContain('The root file system, by NFS, is not there');
    expect(alone).toContain('whether ip= and nfsroot= are right');
    const mounted = '[   14.000000] VFS: Mounted root (nfs filesystem) readonly on device 0:21.';
    expect(why('[   13.000000] Waiting up to 100 more seconds for network.', mounted).rootDevice).toBeNull();
  });

  it('takes no cycle with what is bound, or is above the device, for what it may wait for', () => {
    const cycle = (device: string, path: string) =>
      `[    0.100000] platform ${device}: Fixed dependency cycle(s) with ${path}`;
    const pending = (device: string) => `[    9.000000] platform ${device}: deferred probe pending: (reason unknown)`;
    const roots = (...lines: string[]) => why(...lines).roots.map(({ name }) => name);
    const bound = 'probe of 2000.dev returned 1 after 9 usecs';
    expect(roots(cycle('1000.dev', '/soc/dev@2000'), pending('1000.dev'))).toEqual(['1000.dev']);
    expect(roots(cycle('1000.dev', '/soc/dev@2000'), `[    1.000000] ${bound}`, pending('1000.dev'))).toEqual([]);
    expect(roots(cycle('1000.dsi.0', '/dsi@1000/ports/port@1/endpoint'), pending('1000.dsi.0'))).toEqual([]);
  });

  it('calls it a guess where the kernel found a cycle and does not enforce it, and where a device is settled', () => {
    const cycle = why(
      '[    0.100000] platform 1.dev: Fixed dependency cycle(s) with /soc/dev@2',
      '[    0.200000] platform 1.dev: Added to deferred list',
    );
    expect(cycle.roots).toMatchObject([{ name: '1.dev', cause: { cause: 'cycle', relaxed: true } }]);
    expect(formatWhy(cycle)).toContain(
      '1.dev: deferred, and the log does not say for what; perhaps for /soc/dev@2, with which',
    );
    const circle = (n: number) => `[    0.100000] platform ${n}.dev: Fixed dependency cycle(s) with /soc/dev@${n + 1}`;
    const pending = (n: number) => `[    9.000000] platform ${n}.dev: deferred probe pending: (reason unknown)`;
    const waits = '[    9.000000] platform 8.dev: error -EPROBE_DEFER: supplier 7.dev not ready';
    const circles = [circle(1), circle(5), ...[1, 5, 7].map(pending), waits];
    const told = formatWhy(why(...circles)).split('\n\n');
    expect(told[1]).toMatch(/^7\.dev: /);
    expect(told[2]).toMatch(/^1\.dev: deferred, .*; perhaps for \/soc\/dev@2, with/);
    expect(told[3]).toMatch(/^5\.dev: deferred, .*; perhaps for \/soc\/dev@6, with/);
    // The other is a device, and a device is no partner of itself.
    const bridge = '[    9.000000] i2c 0-0039: deferred probe pending: gadget-dvi: Failed to find remote bridge';
    const ofIt = '[    0.100000] amba 1.clcd: Fixed dependency cycle(s) with /bus@0/i2c@16000/dvi-transmitter@39';
    const back = '[    0.100000] i2c 0-0039: Fixed dependency cycle(s) with /clcd@1';
    const self = '[    0.100000] amba 1.clcd: Fixed dependency cycle(s) with /bus@0/clcd@1';
    const clcd = '[    9.000000] amba 1.clcd: deferred probe pending: (reason unknown)';
    const display = why(bridge, ofIt, back, self, clcd);
    expect(display.roots.map(({ name, cause }) => [name, 'members' in cause && cause.members])).toEqual([
      ['0-0039', false],
      ['1.clcd', ['0-0039']],
    ]);
    expect(formatWhy(display)).toContain('2 devices wait: 1 for 1 reason, 1 without a reason in the log:');
    expect(formatWhy(display)).toContain('  that means it waits for a bridge, which');
    for (const cycle of [ofIt, back])
      expect(formatWhy(why(bridge, cycle, clcd))).toContain('  fw_devlink found a cycle of it with 1.clcd: one may be');
    const settled = why(
      '[    8.300000] platform 1.rtc: error -EPROBE_DEFER: wait for supplier /soc/nvram@b110000',
      '[    8.400000] gadget-rtc 1.rtc: has a battery',
    );
    const text = formatWhy(settled);
    expect(text).toContain('so bound or failed since (guess): 1.rtc\n');
    expect(text).not.toContain('Nothing is deferred or failed');
  });

  it('looks a path of a log up in few steps, whatever its depth', () => {
    let looks = 0;
    const devices = new (class extends Map<string, DeviceLife> {
      override has(name: string) {
        looks++;
        return super.has(name);
      }
    })();
    const path = `${'/bus@1'.repeat(50)}/port`;
    const names = new Names(devices);
    for (let times = 0; times < 10; times++) expect(names.deviceOf(path)).toBeNull();
    expect(looks).toBeLessThan(1000);
  });

  it('reads the supplier in every wording of the driver core', () => {
    expect(
      [
        'supplier 1.a not ready',
        'platform: supplier 1.a not ready',
        'error -EPROBE_DEFER: supplier 1.a not ready',
        'wait for supplier 1.a',
        'platform: wait for supplier 1.a',
        'probe deferral - supplier 1.a not ready',
      ].map(supplierOf),
    ).toEqual(Array.from({ length: 6 }, () => '1.a'));
    expect(supplierOf('failed to get clock: -517')).toBeNull();
  });
});

describe('a retry loop', () => {
  /** A parent that binds its child, is deferred and removes it: 6.1's messages with `initcall_debug` and dd.c's debugging. */
  const round = (n: number, child: string): string[] => [
    `[    ${n}.000000] platform a.usb: Retrying from deferred list`,
    `[    ${n}.000001] bus: 'platform': really_probe: probing driver dwc with device a.usb`,
    `[    ${n}.000002] bus: 'platform': really_probe: probing driver core with device ${child}`,
    `[    ${n}.000003] driver: 'core': driver_bound: bound to device '${child}'`,
    `[    ${n}.000004] platform a.usb: Driver dwc requests probe deferral`,
    `[    ${n}.000005] platform a.usb: Added to deferred list`,
  ];
  const rounds = (count: number, child: (n: number) => string) =>
    summaryOf(Array.from({ length: count }, (_, n) => round(n, child(n))).flat());
  const verdict = (summary: ReturnType<typeof summaryOf>) =>
    judge({ summary, watch: ['a.usb'], completeBy: 'plan', knownIssues: [], today: '2026-01-01' }).verdict;

  it('is one device that is bound again whenever another one is deferred', () => {
    const looping = rounds(30, () => 'a.core');
    expect(looping.retryLoop).toEqual({ device: 'a.usb', deferrals: 30, rebound: 'a.core' });
    expect(verdict(looping)).toBe('retry-loop');
    expect(whyUnbound(looping).roots).toMatchObject([
      { name: 'a.usb', cause: { cause: 'retry-loop', rebound: 'a.core' } },
    ]);
  });

  it('is none where every retry was started by another device, or there were few', () => {
    expect(rounds(30, (n) => `${n}.core`).retryLoop).toBeNull();
    expect(verdict(rounds(5, () => 'a.core'))).not.toBe('retry-loop');
  });
});

describe('every device that is not bound', () => {
  const name = fc.integer({ min: 0, max: 9 }).map((n) => `${n}00000.dev`);
  const message = fc.oneof(
    fc
      .tuple(name, name)
      .map(
        ([device, supplier]) => `platform ${device}: deferred probe pending: platform: supplier ${supplier} not ready`,
      ),
    name.map((device) => `platform ${device}: deferred probe pending: gadget: failed to get clock`),
    name.map((device) => `platform ${device}: deferred probe pending: (reason unknown)`),
    name.map((device) => `gadget ${device}: probe with driver gadget failed with error -22`),
    name.map((device) => `gadget ${device}: deferred probe timeout, ignoring dependency`),
  );
  const log = fc.uniqueArray(message, { maxLength: 12, selector: (text) => text.split(' ')[1] });
  const stamped = (texts: readonly string[]) => texts.map((text, n) => `[   12.${100_000 + n * 100}] ${text}`);

  it('is under one root, or is one that the log says nothing of', () => {
    fc.assert(
      fc.property(log, (texts) => {
        const { roots, unexplained, unbound, goneOn } = why(...stamped(texts));
        const waiting = roots.flatMap((root) => root.waiting.map(({ device }) => device));
        const own = roots.flatMap((root) => (root.cause.cause === 'never-probed' ? [] : [root.name]));
        const alone = own.filter((device) => !waiting.includes(device));
        const all = [...waiting, ...alone, ...unexplained];
        expect(new Set(all).size).toBe(all.length);
        expect(all).toHaveLength(unbound + goneOn);
      }),
    );
  });

  it('has the same root in whatever order the messages come', () => {
    fc.assert(
      fc.property(log, fc.infiniteStream(fc.nat()), (texts, keys) => {
        const told = (lines: readonly string[]) =>
          why(...stamped(lines))
            .roots.map(({ name: root, cause, waiting }) => [
              root,
              cause.cause,
              waiting.map((one) => `${one.device} for ${one.for}`).toSorted(),
            ])
            .toSorted();
        const shuffled = texts.map((text) => ({ text, key: keys.next().value })).sort((a, b) => a.key - b.key);
        expect(told(shuffled.map(({ text }) => text))).toEqual(told(texts));
      }),
    );
  });
});
