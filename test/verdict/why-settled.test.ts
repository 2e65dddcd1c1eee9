import { describe, expect, it } from 'vitest';
import { formatWhy } from '../../harness/report/why.ts';
import { whyUnbound } from '../../harness/verdict/why.ts';
import { summaryOf } from './summary-of.ts';

const why = (...lines: string[]) => whyUnbound(summaryOf(lines));
const BANNER = '[    0.000000] Linux version 5.10.3 (gadget)';
const INIT = '[    2.500000] Run /init as init process';
/** A line at a time in milliseconds. */
const at = (ms: number, text: string) => `[${(ms / 1000).toFixed(6).padStart(12)}] ${text}`;

const speaks = (n: number) => at(1000 + n, `gadget-clk ${n}000000.clock: rate 7`);

describe('what works in spite of what was said earlier', () => {
  it('is bound where its driver says that its probe has succeeded, whatever it goes without later', () => {
    const lacks = (ms: number) => at(ms, 'gadget-i2c 1000.i2c: no channel for rx (-517)');
    for (const good of ['probed', 'probed successfully', 'probe success', 'I2C master successfully probed'])
      expect(why(lacks(900), at(950, `gadget-i2c 1000.i2c: ${good}`), lacks(1200))).toMatchObject({
        unbound: 0,
        roots: [],
        settled: [],
      });
    expect(why(lacks(900), at(950, 'gadget-i2c 1000.i2c: will be probed later')).settled).toEqual(['1000.i2c']);
    expect(why(at(950, 'gadget-i2c 1000.i2c: probed'), lacks(1200)).unbound).toBe(0);
  });

  it('is settled where its driver says again what it had said before it deferred it, and does not defer it', () => {
    const minor = (ms: number, words = 'invalid data') => at(ms, `gadget-tmc 1000.tmc: ${words}`);
    const defers = at(901, 'gadget-tmc 1000.tmc: failed to get csr, defer probe');
    expect(why(BANNER, minor(900), defers, ...[1, 2, 3].map(speaks), minor(1900)).settled).toEqual(['1000.tmc']);
    expect(why(BANNER, minor(900), defers, ...[1, 2, 3].map(speaks), minor(1900, 'cannot start')).unbound).toBe(1);
  });

  it('is bound where its driver speaks of it long after its probe failed, as of another probe', () => {
    const failed = [at(900, 'gadget-nor spi1.0: no id'), at(901, 'gadget-nor: probe of spi1.0 failed with error -2')];
    const size = (ms: number, driver = 'gadget-nor') => at(ms, `${driver} spi1.0: 65536 Kbytes`);
    expect(why(...failed, size(9000)).roots).toEqual([]);
    const second = [size(9000), at(9200, 'gadget-nor spi1.0: failed to initialize chip: -19')];
    expect(why(...failed, ...second).silent).toMatchObject([{ device: 'spi1.0' }]);
    expect(why(...failed, size(910)).roots).toMatchObject([{ name: 'spi1.0', cause: { cause: 'failed' } }]);
    expect(why(...failed, size(9000, 'spi')).roots).toMatchObject([{ name: 'spi1.0' }]);
    expect(
      why(...failed, size(9000), at(9100, 'gadget-nor: probe of spi1.0 failed with error -2')).roots,
    ).toMatchObject([{ name: 'spi1.0' }]);
  });

  it('is bound where the function of its driver’s probe says so, of the only device of that driver', () => {
    const defers = (n: number) => at(900, `spmi charger-${n}: Driver acme,gadget-charger requests probe deferral`);
    const ends = at(1200, 'gadget_charger_probe: success usb = 1');
    const since = [1, 2, 3].map(speaks);
    const found = why(BANNER, INIT, defers(1), ends, ...since);
    expect(found).toMatchObject({ unbound: 0, settled: [], bound: [{ device: 'charger-1', line: 4 }] });
    expect(why(BANNER, INIT, defers(1), defers(2), ends, ...since).bound).toEqual([]);
  });

  it('may only be early where a boot is told up to its first attempt, which is said', () => {
    const lacks = (ms: number) => at(ms, 'gadget-i2c 1000.i2c: no clock: -517');
    expect(why(BANNER, lacks(900)).isEarly).toBe(true);
    expect(formatWhy(why(BANNER, lacks(900)))).toContain('The log ends before user space, and no line shows that ');
    expect(why(lacks(900)).isEarly).toBe(false);
    expect(why(BANNER, lacks(900), lacks(1900)).isEarly).toBe(false);
    expect(why(BANNER, lacks(900), INIT).isEarly).toBe(false);
    const other = [at(800, 'gadget-led 2000.led: no GPIO: -517'), at(1900, 'gadget-led 2000.led: probed')];
    expect(why(BANNER, lacks(900), ...other).isEarly).toBe(false);
    expect(why(BANNER, lacks(900), at(950, 'Waiting for root device /dev/mmcblk0p2...')).isEarly).toBe(false);
    expect(why(BANNER, at(900, 'gadget: probe of 1.lamp failed with error -5')).isEarly).toBe(false);
  });

  it('is not deferred where its driver says that it goes on without', () => {
    const lacks = 'gadget-sd gadget-sd.3: vdd_slot regulator not found: -517.';
    expect(why(at(900, `${lacks} Assuming vdd_slot is not required.`))).toMatchObject({ unbound: 0, complaints: [] });
    expect(why(at(900, lacks)).unbound).toBe(1);
  });

  it('is settled in a log without its first lines, too, where enough others come to speak after it', () => {
    const defers = at(900, 'gadget-reg reg.9: cannot find its GPIO chip, deferring');
    const speak = (count: number) =>
      Array.from({ length: count }, (_, n) => at(1000 + n, `gadget-clk ${n + 1}000000.clock: rate 7`));
    const rest = (count: number) => Array.from({ length: count }, (_, n) => at(2000 + n, `gadget line ${n}`));
    expect(why(defers, ...speak(10), ...rest(600))).toMatchObject({ unbound: 0, settled: ['reg.9'] });
    expect(why(defers, ...speak(9), ...rest(600))).toMatchObject({ unbound: 1, settled: [] });
    expect(why(defers, ...speak(10), ...rest(400))).toMatchObject({ unbound: 1, settled: [] });
    expect(why(BANNER, defers, ...speak(3))).toMatchObject({ unbound: 0, settled: ['reg.9'] });
  });

  it('is settled where its driver begins again as before and does not defer it again', () => {
    const begins = (ms: number) => at(ms, 'gadget-reg reg.9: looks for its GPIO chip');
    const defers = (ms: number) => at(ms, 'gadget-reg reg.9: cannot find its GPIO chip, deferring');
    const attempt = (ms: number) => [begins(ms), defers(ms + 1)];
    expect(why(BANNER, ...attempt(900), begins(1200))).toMatchObject({ unbound: 0, settled: ['reg.9'] });
    expect(why(BANNER, ...attempt(900), ...attempt(1200))).toMatchObject({ unbound: 1, settled: [] });
    // It may go on speaking in the attempt that ends so.
    expect(why(BANNER, ...attempt(900), begins(902))).toMatchObject({ unbound: 1, settled: [] });
  });

  it('is there where its network interface is', () => {
    const defers = at(900, 'platform 1000.mac: error -EPROBE_DEFER: supplier 2000.clock not ready');
    const speaks = (ms: number, device: string) => at(ms, `gadget-clk ${device} eth0: link is up`);
    expect(why(defers, speaks(2000, '2000.clock')).unbound).toBe(0);
    expect(why(speaks(800, '2000.clock'), defers).unbound).toBe(1);
  });

  it('is deferred where its driver says so of its network interface', () => {
    const defers = at(900, 'gadget-mac 1000.mac eth0: Defer probe as its bus 2000.mac is not probed');
    expect(why(defers).roots).toMatchObject([{ name: '2000.mac', waiting: [{ device: '1000.mac' }] }]);
  });

  it('is settled where cards, keys and displays came since, in a boot that came to user space', () => {
    const defers = (ms: number) => at(ms, 'gadget-phy 2000.phy: no regulator: -517');
    const since = [
      at(2600, 'mmc0: new HS200 MMC card at address 0001'),
      at(2700, 'input: keys as /devices/platform/keys/input/input0'),
      at(2800, 'gadget-drm 4000.display: bound 5000.dsi (ops gadget_ops)'),
    ];
    expect(why(BANNER, defers(900), INIT, ...since)).toMatchObject({ unbound: 0, settled: ['2000.phy'] });
    expect(why(BANNER, defers(900), INIT, ...since, defers(2900))).toMatchObject({ unbound: 1, settled: [] });
    expect(why(BANNER, defers(900), ...since)).toMatchObject({ unbound: 1, settled: [] });
    expect(why(BANNER, defers(900), INIT, ...since.slice(1)).unbound).toBe(1);
  });

  it('is tried again where what it waited for speaks since, and all that waits for that', () => {
    const waits = (ms: number, device: string, supplier: string) =>
      at(ms, `platform ${device}: probe deferral - supplier ${supplier} not ready`);
    const dma = waits(40, '2000.dma', '1000.iommu');
    const others = [waits(900, '3000.spi', '2000.dma'), waits(910, '4000.codec', '3000.spi')];
    const speaks = at(950, 'gadget-dma 2000.dma: Adding to iommu group 4');
    expect(why(dma, ...others, speaks).unbound).toBe(0);
    expect(why(dma, speaks, ...others).unbound).toBe(3);
    const listed = at(12000, 'platform 3000.spi: deferred probe pending: platform: supplier 2000.dma not ready');
    expect(why(dma, ...others, speaks, listed).unbound).toBeGreaterThan(0);
  });

  it('waits for another thing where it is probed when its supplier is there, and deferred again', () => {
    const core = (ms: number, text: string) => at(ms, `platform 2000.mmc: ${text}`);
    const waits = core(900, 'error -EPROBE_DEFER: supplier regulator-1 not ready');
    const bound = at(950, "gadget-reg regulator-1: driver: 'gadget-reg': driver_bound: bound to device");
    const probes = core(960, "bus: 'platform': really_probe: probing driver gadget-mmc with device");
    const again = at(970, 'gadget-mmc 2000.mmc: Driver gadget-mmc requests probe deferral');
    expect(why(waits, bound, probes, again)).toMatchObject({
      unbound: 1,
      settled: [],
      roots: [{ name: '2000.mmc', cause: { cause: 'own-deferral', call: null }, evidence: null }],
    });
    expect(why(waits, bound).unbound).toBe(0);
    expect(why(waits, bound, probes).roots).toMatchObject([{ cause: { cause: 'not-returned' }, evidence: null }]);
  });

  it('has failed where its driver declines it after all, or after an error, as what others wait for has', () => {
    const waits = at(900, 'amba 2000.debug: error -EPROBE_DEFER: supplier 1000.power not ready');
    const says = at(950, 'gadget-debug 2000.debug: CPU1 init failed');
    const declines = at(951, 'gadget-debug 2000.debug: probe with driver gadget-debug rejects match -6');
    const others = [says, declines].map((line) => line.replaceAll('2000', '3000').replace('CPU1', 'CPU2'));
    const found = why(waits, waits.replace('2000', '3000'), says, declines, ...others);
    const evidence = 'CPU1 init failed';
    expect(found.roots).toMatchObject([{ cause: { cause: 'failed', error: 6 }, evidence }, { cause: { error: 6 } }]);
    expect(formatWhy(found)).toContain('2000.debug, 3000.debug: the probe of gadget-debug failed with error -6');
    const consumer = at(960, 'platform 9000.x: error -EPROBE_DEFER: supplier 2000.debug not ready');
    expect(why(says, declines, consumer).roots).toMatchObject([{ name: '2000.debug', cause: { error: 6 }, evidence }]);
    expect(why(says, declines).roots).toMatchObject([{ name: '2000.debug', cause: { error: 6 }, evidence }]);
    expect(why(declines).roots).toEqual([]);
  });

  it('is in every round of retries in which it is deferred, also for its pins', () => {
    const waits = (ms: number, device: string) =>
      at(ms, `platform ${device}: error -EPROBE_DEFER: supplier 1000.clock not ready`);
    const rounds = [100, 200, 300, 400].map((ms) => waits(ms, '3000.spi'));
    const lacksPins = at(410, 'gadget-pinctrl 5000.pinctrl: error -EPROBE_DEFER: pin-65 (2000.mmc)');
    const first = waits(90, '2000.mmc');
    expect(why(first, ...rounds).settled).toEqual(['2000.mmc']);
    expect(why(first, ...rounds, lacksPins).settled).toEqual([]);
    // Where the driver core tells of each probe, it would tell of one that succeeds.
    const tells = at(90, "platform 4000.x: bus: 'platform': really_probe: probing driver gadget-x with device");
    expect(why(tells, first, ...rounds).settled).toEqual([]);
    const returned = at(410, 'probe of 2000.mmc returned -517 after 12 usecs');
    expect(why(first, ...rounds, returned).settled).toEqual([]);
  });

  it('is no more in the kernel’s list once it has been tried again, and again not deferred', () => {
    const lacks = (ms: number) => at(ms, 'gadget-qmp 2000.qmp: failed to get its mailbox');
    const listed = at(9000, 'platform 2000.qmp: deferred probe pending: (reason unknown)');
    const since = ['30000.a', '40000.b', '50000.c'].map((device, n) => at(9900 + n, `gadget-x ${device}: ready`));
    expect(why(BANNER, lacks(900), INIT, listed, lacks(9500), ...since).unbound).toBe(0);
    expect(why(BANNER, lacks(900), INIT, listed, lacks(9500)).unbound).toBe(1);
    expect(why(BANNER, lacks(900), INIT, listed, ...since).unbound).toBe(1);
    const defers = (ms: number) => at(ms, 'gadget-qmp 2000.qmp: no mailbox yet: -517');
    expect(why(BANNER, defers(900), INIT, listed, defers(9500), ...since).unbound).toBe(0);
    expect(why(BANNER, defers(900), INIT, listed, ...since).unbound).toBe(1);
  });

  it('is not settled by silence where the log has what comes of each probe', () => {
    const since = ['30000.a', '40000.b', '50000.c'].map((device, n) => at(9900 + n, `gadget-x ${device}: ready`));
    const returned = (value: number, ms: number) => at(ms, `probe of 2000.qmp returned ${value} after 12 usecs`);
    expect(why(BANNER, INIT, returned(517, 9500), ...since).unbound).toBe(1);
    expect(why(BANNER, INIT, returned(517, 9500), ...since, returned(1, 9999)).unbound).toBe(0);
    const defers = at(9500, 'gadget-qmp 2000.qmp: no mailbox yet: -517');
    expect(why(BANNER, INIT, defers, ...since).unbound).toBe(0);
    const debug = at(9400, "bus: 'platform': really_probe: probing driver gadget-qmp with device 2000.qmp");
    expect(why(BANNER, INIT, debug, defers, ...since).unbound).toBe(1);
  });

  it('is deferred again and again where its probes return 0 up to 5.10, also in a log without its first line', () => {
    const trace = at(1, 'CPU: 7 PID: 1 Comm: init Tainted: G        W         5.10.226-acme #1');
    const zeros = (count: number) =>
      Array.from({ length: count }, (_, n) => at(1000 + 100 * n, 'probe of acme:gpio1 returned 0 after 46 usecs'));
    expect(why(trace, ...zeros(5))).toMatchObject({ unbound: 1, roots: [{ name: 'acme:gpio1' }] });
    expect(why(trace, ...zeros(4)).unbound).toBe(0);
    expect(why(trace, ...zeros(5), at(2000, 'probe of acme:gpio1 returned 1 after 9 usecs')).unbound).toBe(0);
    expect(why(trace.replace('5.10', '5.15'), ...zeros(5)).unbound).toBe(0);
  });

  it('has not said what the driver core says of an attach', () => {
    const attach = at(900, 'gadget-reg reg.9: driver gadget-reg async attach completed: -517');
    expect(why(attach, at(9000, 'platform reg.9: deferred probe pending: (reason unknown)'))).toMatchObject({
      roots: [],
      unexplained: ['reg.9'],
    });
  });

  it('is deferred again and again where its driver begins without end, and makes the same part each time', () => {
    const mac = (words: string) => `gadget-mac 8000000.ethernet: ${words}`;
    const bus = (words: string) => `gadget-mdio 8000f00.mdio: ${words}`;
    const round = [mac('version 4'), mac('random address'), bus('manual mode'), bus('revision 0')];
    const rounds = (many: number) =>
      Array.from({ length: many }, (_, n) => round.map((text, k) => at(1000 + 50 * n + k, text))).flat();
    const [root] = why(BANNER, ...rounds(25)).roots;
    expect(root).toMatchObject({ name: '8000000.ethernet', cause: { cause: 'retry-loop', rebound: '8000f00.mdio' } });
    expect(why(BANNER, ...rounds(15)).unbound).toBe(0);
    const link = at(9000, mac('link is up'));
    expect(why(BANNER, ...rounds(25), link).unbound).toBe(0);
    // Without a part it may be anything that happens often.
    expect(why(BANNER, ...rounds(25).filter((text) => text.includes('mac'))).unbound).toBe(0);
    const same = rounds(25).filter((text) => /version|manual/.test(text));
    expect(why(BANNER, ...same).unbound).toBe(0);
    const usb = rounds(25).map((text) => text.replace('8000000.ethernet', '1-1').replace('8000f00.mdio', '1-1:1.0'));
    expect(why(BANNER, ...usb).unbound).toBe(0);
  });

  it('waits for the supplier that the driver core has named, whatever its driver says when the core goes on', () => {
    const held = (ms: number, supplier = '0-0041') =>
      at(ms, `platform 2000.gpu: error -EPROBE_DEFER: supplier ${supplier} not ready`);
    const probes = at(9000, "platform 2000.gpu: bus: 'platform': really_probe: probing driver gadget-gpu with device");
    const says = at(9001, 'gadget-gpu 2000.gpu: error -EPROBE_DEFER: no regulator found');
    const [root] = why(held(900), held(1900), probes, says).roots;
    const waiting = [{ device: '2000.gpu' }];
    expect(root).toMatchObject({ name: '0-0041', evidence: 'supplier 0-0041 not ready', line: 2, waiting });
    const bound = at(5000, "gadget-reg 0-0041: driver: 'gadget-reg': driver_bound: bound to device");
    expect(why(held(900), held(1900), bound, probes, says).roots).toMatchObject([{ name: '2000.gpu' }]);
    // It is of another kind by its name.
    expect(why(held(900), held(1900, '3000.iommu'), probes, says).roots).toMatchObject([{ name: '2000.gpu' }]);
  });

  it('takes regulatory.db for no regulator', () => {
    const found = why(
      at(900, 'gadget-phy 2000.phy: no regulator: -517'),
      at(950, 'platform regulatory.0: Direct load of its data failed with error -2'),
    );
    expect(formatWhy(found)).not.toContain('perhaps');
  });

  it('is not deferred where its driver continues', () => {
    const text = 'gadget-thermal soc:thermal: failed reading its limit. err=-517. It continues';
    expect(why(at(900, text))).toMatchObject({ unbound: 0, complaints: [] });
  });

  it('has not failed for the lack of an interrupt that is not its first, or of an optional regulator', () => {
    const lacks = (which: string) => at(900, `gadget-adc 2000.adc: error -ENXIO: IRQ ${which} not found`);
    expect(why(lacks('index 0'))).toMatchObject({ unbound: 1 });
    for (const which of ['index 1', 'wakeup']) expect(why(lacks(which))).toMatchObject({ unbound: 0 });
    const regulator = (error: string) => at(900, `gadget-gpu 2000.gpu: error -${error}: no regulator (core) found`);
    expect(why(regulator('ENODEV')).unbound).toBe(0);
    expect(why(regulator('EINVAL')).unbound).toBe(1);
    const failed = at(950, 'gadget-gpu 2000.gpu: probe with driver gadget-gpu failed with error -19');
    expect(why(regulator('ENODEV'), failed).roots).toMatchObject([{ name: '2000.gpu' }]);
  });

  it('is not accused by what works without, what nobody tried and what is read as an error', () => {
    const failing = at(1500, 'gadget-x 9000.x: probe with driver gadget-x failed with error -22');
    const accused = (text: string) => why(at(900, text), failing).complaints.length;
    for (const text of [
      'platform regulatory.0: Direct firmware load for regulatory.db failed with error -2',
      'gadget-dog 1000.watchdog: Initialized with 10s timeout @ 25000000 Hz, action=0.',
      'gadget-i2c 1000.i2c: Bus frequency not specified, default to 100kHz.',
      'gadget-mac 1000.mac: no address specified, using 02:00:00:00:00:01',
      'gadget-drm 1000.gpu: [drm] Cannot find any crtc or sizes',
      "gadget-i2c 1000.i2c: can't get pinctrl, bus recovery not supported",
      'iommu: DMA domain TLB invalidation policy: strict mode',
      'efi: UEFI not found.',
      'cma: Reserved 128 MiB at 0x0000000098000000 on node -1',
    ])
      expect([text, accused(text)]).toEqual([text, 0]);
    expect(accused('irq: no irq domain found for gadget@20 !')).toBe(1);
    expect(accused('acme: api mismatch')).toBe(1);
  });

  it('is told once where several fail in the same words about their own nodes', () => {
    const fails = (address: string, node: string) => [
      at(900, `gadget-mac ffe4${address}.ethernet: of_get_mac_address(${node}/ethernet@${address}) failed`),
      at(901, `gadget-mac: probe of ffe4${address}.ethernet failed with error -22`),
    ];
    const told = (...lines: string[]) => formatWhy(why(...lines)).match(/ failed with error /g)?.length;
    expect(told(...fails('e6000', '/soc@ffe000000'), ...fails('e8000', '/soc@ffe000000'))).toBe(1);
    const other = at(900, 'gadget-mac ffe4e8000.ethernet: of_get_mac_address(/soc@ffe000000/mdio@e9000) failed');
    const failed = at(901, 'gadget-mac: probe of ffe4e8000.ethernet failed with error -22');
    expect(told(...fails('e6000', '/soc@ffe000000'), other, failed)).toBe(2);
  });
});

describe('what shows that a device is bound', () => {
  it.each([
    ['sound', 'input: gadget Jack as /devices/1000.sound/sound/card0/input4'],
    ['sound', 'input: gadget Jack as /devices/platform/soc/1000.sound/sound/card0/input4'],
    ['phy', 'phy phy-1000.phy.0: illegal mode'],
  ])('is a %s that has made something: %s', (kind, text) => {
    const deferred = at(100, `platform 1000.${kind}: Driver gadget requests probe deferral`);
    expect(why(deferred).unbound).toBe(1);
    expect(why(deferred, at(900, text))).toMatchObject({ unbound: 0, bound: [{ device: `1000.${kind}` }] });
  });
});

describe('a panel on a DSI host', () => {
  const early = at(100, 'gadget-panel 1000.dsi.0: cannot attach to its host: -517');
  const host = (ms: number) => at(ms, 'gadget-dc 5000.display: bound 1000.dsi (ops gadget_ops)');

  it('is bound once the host is bound as a part of the display', () => {
    expect(why(early, host(900))).toMatchObject({ unbound: 0, bound: [{ device: '1000.dsi.0', line: 2 }] });
    expect(why(host(90), early).bound).toEqual([]);
    expect(why(early, at(900, 'gadget-dc 5000.display: bound 2000.dsi (ops gadget_ops)')).bound).toEqual([]);
    const listed = at(950, 'mipi-dsi 1000.dsi.0: deferred probe pending: (reason unknown)');
    expect(why(early, host(900), listed)).toMatchObject({ unbound: 1 });
  });
});

describe('what was said last', () => {
  it('is in the last of the lines that say it', () => {
    const early = (ms: number) => at(ms, 'gadget-card sound: cannot parse its link (-517)');
    const found = why(
      early(100),
      early(104),
      early(118),
      at(900, "driver: 'gadget-card': driver_bound: bound to device 'sound'"),
    );
    expect(formatWhy(found)).toContain('cannot parse its link (-517) (line 3)\n');
  });
});

describe('what was deferred for the longest time', () => {
  const waits = (ms: number, device: string, supplier: string) =>
    at(ms, `platform ${device}: error -EPROBE_DEFER: supplier ${supplier} not ready`);
  const lines = [
    waits(2000, '1000.mac', '9000.spi:flash@0:part@1'),
    waits(2100, '2000.key', '3000.gpio'),
    at(2900, "driver: 'gadget-key': driver_bound: bound to device '2000.key'"),
    waits(5000, '1000.mac', '9000.spi:flash@0:part@1'),
  ];
  const works = at(13960, 'gadget-mac 1000.mac eth0: address 02:00:00:00:00:01');

  it('is told where nothing is left open, with what it lacked', () => {
    const found = why(...lines, works, at(20000, 'gadget-mac 1000.mac: link is up'));
    const reason = 'supplier 9000.spi:flash@0:part@1 not ready';
    expect(found).toMatchObject({
      unbound: 0,
      waited: { device: '1000.mac', wait: { from: 2_000_000, to: 13_960_000 }, reason, line: 4 },
    });
    expect(formatWhy(found)).toContain(`  1000.mac (line 5), from 2.0 s to 14.0 s; last said: ${reason} (line 4)\n`);
    expect(formatWhy(found)).not.toContain('Deferred for the longest time');
    expect(formatWhy(why(...lines, at(14000, 'gadget-mac 1000.mac: has 4 queues')))).toContain(
      `Deferred for the longest time: 1000.mac, 12.0 s, from 2.0 s to 14.0 s; last said: ${reason} (line 4)`,
    );
    const bound = at(8000, "driver: 'gadget-mac': driver_bound: bound to device '1000.mac'");
    expect(why(...lines, bound, works).waited).toMatchObject({ wait: { to: 8_000_000 } });
  });

  it('is not told of short waits, of logs in no order, and where something is left open', () => {
    expect(why(...lines.slice(1, 3)).waited).toBeNull();
    expect(why(at(13000, 'gadget-key 2000.key: ready'), ...lines, works).waited).toBeNull();
    expect(why(...lines, works, waits(14000, '4000.lamp', '5000.pwm')).waited).toBeNull();
  });

  it('is told of what a mail program has broken, too', () => {
    const broken = lines.flatMap((line) => line.replace(/(?<=EPROBE_DEFER:) /, '\n'));
    expect(why(...broken, works).waited).toMatchObject({ reason: 'supplier 9000.spi:flash@0:part@1 not ready' });
  });
});
