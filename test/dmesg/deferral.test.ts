import { describe, expect, it } from 'vitest';
import { deferralEvent } from '../../harness/dmesg/deferral.ts';
import { eventsOf } from './mutate.ts';

const at = { line: 1, time: 249_084 };

describe('an error number of a deferral in a message', () => {
  it('is the deferral of the driver that prints it', () => {
    expect(deferralEvent('qcom-dp 1.dp: failed to get usb-ddr path: -517', at)).toMatchObject({
      event: 'deferred',
      by: 'driver',
      device: '1.dp',
      driver: 'qcom-dp',
    });
  });

  it('is none of the driver where the driver core prints it', () => {
    // As Linux 6.1 printed it for a device that waited for its IOMMU: the driver had not been called.
    const text = 'platform 5e100000.dma-controller: driver bam-dma-engine async attach completed: -517';
    expect(deferralEvent(text, at)).toBeNull();
  });
});

describe('a pin that cannot be had yet', () => {
  const said = (owner: string) => deferralEvent(`sh-pfc e6060000.pinctrl: pin-21 (${owner}) status -517`, at);

  it('defers who has asked the controller for it', () => {
    expect(said('e6e88000.serial')).toMatchObject({ event: 'deferred', by: 'driver', device: 'e6e88000.serial' });
  });

  it('defers no device where a GPIO of the controller asks', () => {
    expect(said('e6060000.pinctrl:21')).toBeNull();
  });
});

describe('a driver that speaks after its deferral', () => {
  it('is an event once for each deferral, however much it says', () => {
    const said = ['Driver gadget-rtc requests probe deferral', 'registered as rtc0', 'set to 1970'];
    const lines = [...said, ...said].map((text, n) => `[    ${n}.100000] gadget-rtc 1.rtc: ${text}\n`);
    const told = eventsOf(Buffer.from(lines.join(''))).map(({ event }) => event);
    expect(told).toEqual(['deferred', 'spoke', 'deferred', 'spoke']);
  });
});

describe('a list of deferred devices that nothing introduces', () => {
  const listed = (text: string) =>
    eventsOf(Buffer.from(`${text}\n`)).flatMap((event) => (event.event === 'deferral-listed' ? [event.device] : []));

  it('is one only with the tab of the file in sysfs, or in words of a reason', () => {
    expect(listed('1c00000.usb\tgadget-usb: no phy')).toEqual(['1c00000.usb']);
    expect(listed('1c00000.usb  gadget-usb: no phy')).toEqual([]);
    expect(listed('vdd-core     gadget-regulator: Failed to get PWM')).toEqual(['vdd-core']);
    expect(listed('1c00000.usb  platform: supplier 1d00000.phy not ready')).toEqual(['1c00000.usb']);
    expect(listed('the reason: supplier 1d00000.phy not ready')).toEqual([]);
    expect(listed('# cat /sys/kernel/debug/devices_deferred\n1c00000.usb  gadget-usb: no phy')).toEqual([
      '1c00000.usb',
    ]);
  });
});

describe('a deferral in words', () => {
  it.each([
    'gadget-usb 5e00000.usb: probe deferred',
    'gadget-usb 5e00000.usb: defer probe, no regulator yet',
    'gadget-usb 5e00000.usb: failed to get clock, deferring probe',
    'gadget-usb 5e00000.usb: probing is deferred: no power domain',
    'gadget-usb 5e00000.usb: error -EPROBE_DEFER: failed to get panel',
    'gadget-usb 5e00000.usb: failed to get panel: -EPROBE_DEFER',
    'gadget-usb 5e00000.usb: failed to bind 32fd8000.hdmi (ops gadget_hdmi_ops): -517',
    'gadget-usb 5e00000.usb: Driver gadget-usb requests probe deferral',
  ])('is read: %s', (text) => {
    const events = eventsOf(Buffer.from(`[    5.100000] ${text}\n`));
    expect(events[0]).toMatchObject({ event: 'deferred', by: 'driver', device: '5e00000.usb', driver: 'gadget-usb' });
    expect(events.filter(({ event }) => event !== 'bind-failed')).toHaveLength(1);
  });

  it('is no word of a driver that has nothing to do with its probe', () => {
    const text = 'gadget-net 1.net: deferring transmission, 517 packets are waiting';
    expect(eventsOf(Buffer.from(`[    5.100000] ${text}\n`))).toEqual([]);
  });
});

describe('a list of deferred devices', () => {
  const told = (log: string) =>
    eventsOf(Buffer.from(log)).flatMap((event) =>
      event.event === 'deferral-listed' ? [[event.device, event.reason]] : [],
    );

  it('may have entries without a reason after one that says what it is', () => {
    const file = '5b20000.dsi\tgadget-dsi: failed to get phy\nsound\t\n4-0050\n';
    expect(told(file)).toEqual([
      ['5b20000.dsi', 'gadget-dsi: failed to get phy'],
      ['sound', null],
      ['4-0050', null],
    ]);
  });

  it('is read in a block of code, and with a single blank where that is sure', () => {
    const fenced = [
      'The list in `/sys/kernel/debug/devices_deferred`:',
      '```',
      '5b20000.dsi  gadget-dsi: no phy',
      '```',
    ];
    expect(told(`${fenced.join('\n')}\n`)).toEqual([['5b20000.dsi', 'gadget-dsi: no phy']]);
    const spaced = [
      '    # cat /sys/kernel/debug/devices_deferred',
      '    buttons platform: wait for supplier buttons',
      '    0-0030 i2c: wait for supplier clock-pins',
      '    sound gadget-sound-card: parse error',
      '    Note this: nothing more comes',
      '    5b20000.dsi gadget-dsi: no phy',
    ];
    expect(told(`${spaced.join('\n')}\n`)).toEqual([
      ['buttons', 'platform: wait for supplier buttons'],
      ['0-0030', 'i2c: wait for supplier clock-pins'],
      ['sound', 'gadget-sound-card: parse error'],
    ]);
    const chain =
      'The list is:\n\nldo  platform: supplier 2-0034 not ready\n2-001a  i2c: supplier ldo not ready\nend of it\n';
    expect(told(chain).map(([device]) => device)).toEqual(['ldo', '2-001a']);
    const prose = '- `devices_deferred` has\n  `spi0.0  spi: wait for supplier\n  /soc/dsi@ae00000/a_panel`.\n';
    expect(told(prose)).toEqual([['spi0.0', 'spi: wait for supplier /soc/dsi@ae00000/a_panel']]);
  });

  it('ends where the kernel goes on: its lines have time stamps, and those of the file have none', () => {
    const first = '5b20000.dsi\tgadget-dsi: failed to get phy\n';
    expect(told(`${first}sound\n`)).toHaveLength(2);
    expect(told(`${first}[    9.000000] sound\n4-0050\n`)).toHaveLength(1);
  });

  it('is read in a lab, a mail and a CI', () => {
    const expected = [['5b20000.dsi', 'gadget-dsi: failed to get phy']];
    const lava = ['# cat /sys/kernel/debug/devices_deferred', '5b20000.dsi\tgadget-dsi: failed to get phy', '/ # '];
    expect(told(lava.map((line) => `2026-01-05T10:11:12.345678  ${line}\n`).join(''))).toEqual(expected);
    const mail = [
      '# cat /sys/kernel/debug/devices_deferred',
      '5b20000.dsi     gadget-dsi: failed to get phy',
      '',
      'Why?',
    ];
    expect(told(mail.map((line) => `> ${line}\n`).join(''))).toEqual(expected);
    const ci = ['DEFERRED: 5b20000.dsi gadget-dsi: failed to get phy', 'Probe_Failure_Check : FAIL'];
    expect(told(ci.map((line) => `2026-01-05T10:11:12.3456789Z ${line}\n`).join(''))).toEqual(expected);
  });
});

describe('a line of the driver core that a mail program broke', () => {
  const told = (...lines: string[]) => eventsOf(Buffer.from(`${lines.join('\n')}\n`));

  it('is read whole', () => {
    const log = [
      '> [    5.100123] gadget-phy 5a10000.phy: probe with driver gadget-phy failed with',
      '> error -110',
      '> [    5.400123] gadget-hdmi: probe of 5d00000.hdmi failed with error',
      '> -22',
    ];
    expect(told(...log)).toMatchObject([
      { event: 'probe-failed', device: '5a10000.phy', error: 110, line: 1, time: 5_100_123 },
      { event: 'probe-failed', device: '5d00000.hdmi', error: 22, line: 3, time: 5_400_123 },
    ]);
  });

  it('is read whole in quoted-printable', () => {
    const log = ['[    5.100123] gadget-phy 5a10000.phy: probe with driver gadget-phy failed =', 'with error -110'];
    expect(told(...log)).toMatchObject([{ event: 'probe-failed', device: '5a10000.phy', error: 110 }]);
  });

  it('is read whole wherever the line was broken, if no message ends there', () => {
    const log = [
      'platform 5d00000.gpu: error -EPROBE_DEFER: supplier',
      '5a10000.phy not ready',
      '> [    5.100123] pci 0006:01:00.0: deferred probe pending: pci: wait for',
      '> supplier /pmu/regulators/ldo9',
      'gadget-clk soc:clocks: probe with driver',
      'gadget-clk failed with error -22',
      'gadget-noc 5e00000.noc: sync_state() pending due to',
      '5d00000.gpu',
    ];
    expect(told(...log)).toMatchObject([
      { event: 'deferred', device: '5d00000.gpu', reason: 'supplier 5a10000.phy not ready', line: 1 },
      { event: 'deferral-pending', device: '0006:01:00.0', reason: 'pci: wait for supplier /pmu/regulators/ldo9' },
      { event: 'probe-failed', device: 'soc:clocks', driver: 'gadget-clk', error: 22, line: 5 },
      { event: 'sync-state-pending', device: '5e00000.noc', consumer: '5d00000.gpu' },
    ]);
  });

  it('is read whole in quoted-printable, which breaks words and goes on without the marks of a quote', () => {
    const line =
      'platform 20c8000.anatop: deferred probe pending: platform: wait for supplier /soc/efuse@21bc000/grade@20';
    const begin = '> [   12.647970] ';
    const first = 75 - begin.length;
    const log = [`${begin}${line.slice(0, first)}=`, line.slice(first)];
    expect(log[0]).toHaveLength(76);
    const expected = [{ event: 'deferral-pending', reason: 'platform: wait for supplier /soc/efuse@21bc000/grade@20' }];
    expect(told(...log)).toMatchObject(expected);
    // A line may end so by itself: the next one has a stamp.
    const other = '[   13.000000] gadget 1.dev: probe with driver gadget failed with error -22';
    expect(told(`${begin}${'x'.repeat(first)}=`, other)).toMatchObject([{ event: 'probe-failed', device: '1.dev' }]);
  });

  it('is told once', () => {
    const log = ['[    1.324599] gadget 2-0020: probe with driver gadget failed with error -121', '', 'and so on'];
    expect(told(...log)).toHaveLength(1);
  });

  it('is read where a person aligned it, or quoted it in a sentence', () => {
    const log = [
      'gadget-smmu 3d000.iommu:              probe with driver gadget-smmu failed with error -110',
      'Then `dmesg | grep dsi` has `platform fde20000.dsi: deferred probe pending: gadget-dsi: failed to get phy`.',
    ];
    expect(told(...log)).toMatchObject([
      { event: 'probe-failed', device: '3d000.iommu', error: 110, words: null },
      { event: 'deferral-pending', device: 'fde20000.dsi', reason: 'gadget-dsi: failed to get phy' },
    ]);
  });

  it('is not joined with a record of its own, nor with what is no rest of it', () => {
    const half = 'platform 5d00000.gpu: error -EPROBE_DEFER: supplier';
    expect(told(half, '[    5.200000] 5a10000.phy not ready')).toMatchObject([{ reason: 'supplier' }]);
    expect(told(half, 'and so on')).toMatchObject([{ reason: 'supplier' }]);
  });

  it('is an entry of a list under a heading of its own', () => {
    const log = [
      '> Deferred devices:',
      '> 1800.eth        platform: probe deferral - supplier',
      '> bus@80:mb not ready',
    ];
    expect(told(...log)).toMatchObject([
      {
        event: 'deferral-listed',
        device: '1800.eth',
        reason: 'platform: probe deferral - supplier bus@80:mb not ready',
      },
    ]);
  });

  it('is not one where the next line had room in it', () => {
    expect(told('[    5.100123] gadget: probe of 5d.hdmi failed with error', '-22 degrees')).toEqual([]);
  });

  it('is read where the name of a supplier had no room a second time', () => {
    const log = [
      '> [   25.474171][   T55] platform 1c20000.syscon:io-domains: deferred',
      '> probe pending: platform: wait for supplier',
      '> /i2c@1d40000/pmic@20/regulators/SWITCH_REG1',
    ];
    expect(told(...log).at(-1)).toMatchObject({
      device: '1c20000.syscon:io-domains',
      reason: 'platform: wait for supplier /i2c@1d40000/pmic@20/regulators/SWITCH_REG1',
    });
  });

  it('is read between marks of code and of quotes, with its stamp', () => {
    expect(told('`[   20.449796] platform 7940.ipa: deferred probe pending`')).toMatchObject([{ device: '7940.ipa' }]);
    expect(told("'platform soc:gpu: deferred probe pending: (reason unknown)'")).toMatchObject([
      { device: 'soc:gpu', reason: '(reason unknown)' },
    ]);
    const listed = (mark: string) =>
      `- ${mark}[   17.218013] platform soc:gpu: deferred probe pending: no clock${mark}`;
    const next = '- `[   29.295154] gadget: nothing`';
    for (const mark of ['`', '"'])
      expect(told(listed(mark), next), mark).toMatchObject([{ device: 'soc:gpu', reason: 'no clock' }]);
    const split = [
      'then `platform 1000.mmc: deferred probe pending: gadget-mmc:`',
      '`opp_of_paths: no path`, plus more',
    ];
    expect(told(...split.map((line) => line.replace(/^then /, '')))).toMatchObject([
      { device: '1000.mmc', reason: 'gadget-mmc: opp_of_paths: no path' },
    ]);
  });

  it('is read without a stamp where its reason stands in the next line, and has none where that was left out', () => {
    const pending = 'platform 1000.codec: deferred probe pending:';
    expect(told(pending, '  platform: wait for supplier /soc/pinmux@2000/pins')).toMatchObject([
      { event: 'deferral-pending', reason: 'platform: wait for supplier /soc/pinmux@2000/pins' },
    ]);
    expect(told(`${pending} ...`)).toMatchObject([{ device: '1000.codec', reason: null }]);
  });

  it('may have a word of a person behind it', () => {
    expect(told('    platform buttons: deferred probe pending (gpio-keys)')).toMatchObject([
      { event: 'deferral-pending', device: 'buttons', reason: null },
    ]);
  });
});

describe('a deferral that no prefix of a device tells', () => {
  const told = (...lines: string[]) => eventsOf(Buffer.from(`${lines.join('\n')}\n`));

  it('is of the device of a node, where a subsystem names that', () => {
    expect(deferralEvent('/soc/pcie@940000000: Failed to get clk index: 1 ret: -517', at)).toMatchObject({
      event: 'deferred',
      device: '940000000.pcie',
      reason: 'Failed to get clk index: 1 ret: -517',
    });
  });

  it('is read where the timing of initcall_debug was cut', () => {
    expect(told('[  104.098958] probe of 4802a.i2c returned -517 (EPROBE_DEFER')).toMatchObject([
      { event: 'probe-returned', device: '4802a.i2c', value: -517 },
    ]);
  });

  it('has the words of the error that ended a probe, not of a supply that the driver does without', () => {
    const [failed] = told(
      '[    1.100000] gadget-ufs 15570000.ufs: gadget_get_vreg: Unable to find vcc-supply regulator, assuming enabled',
      '[    1.200000] gadget-ufs 15570000.ufs: failed to set the clock',
      '[    1.300000] gadget-ufs 15570000.ufs: probe with driver gadget-ufs failed with error -22',
    );
    expect(failed).toMatchObject({ event: 'probe-failed', words: 'failed to set the clock' });
  });

  it('has the words that a function of the driver said just before', () => {
    const words = '[    1.144299] [drm:gadget_lvds_probe] *ERROR* failed to find panel';
    const [deferred] = told(words, '[    1.150587] platform 96c.lvds: Driver gadget-lvds requests probe deferral');
    expect(deferred).toMatchObject({ device: '96c.lvds', reason: 'failed to find panel' });
    const [other] = told(words, '[    1.150587] platform 96d.dsi: Driver widget-dsi requests probe deferral');
    expect(other).toMatchObject({ device: '96d.dsi', reason: null });
  });

  it('has what DRM says without a device right before a part that cannot be bound', () => {
    const events = told(
      '[    1.100000] [drm:gadget_hdmi_bind] *ERROR* Failed to get pixel clock',
      '[    1.100100] gadget-drm soc:gpu: failed to bind 3f9.hdmi (ops gadget_ops): -517',
    );
    expect(events).toContainEqual(expect.objectContaining({ part: '3f9.hdmi', words: 'Failed to get pixel clock' }));
  });

  it('is in words with what kind of a probe it defers', () => {
    const [deferred] = told('[    1.100000] gadget_touch 1-0045: host not up, deferring panel probe');
    expect(deferred).toMatchObject({ event: 'deferred', device: '1-0045' });
  });

  it('is listed without a reason at the beginning of a file, where others follow with one', () => {
    const listed = told('3-0010\t', 'sound\tgadget-card: error getting dai name');
    expect(listed).toMatchObject([{ device: '3-0010', reason: null }, { device: 'sound' }]);
    expect(told('3-0010', '[    1.000000] gadget: ready', 'sound\tgadget-card: error')).toEqual([]);
  });
});
