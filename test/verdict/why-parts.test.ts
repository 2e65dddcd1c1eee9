import { describe, expect, it } from 'vitest';
import { formatWhy } from '../../harness/report/why.ts';
import { whyUnbound } from '../../harness/verdict/why.ts';
import { summaryOf } from './summary-of.ts';

/** What devices make, and their parts, that speak for them; and what is bound after the kernel has looked. */

const why = (...lines: string[]) => whyUnbound(summaryOf(lines));
/** A line at a time in milliseconds. */
const at = (ms: number, text: string) => `[${(ms / 1000).toFixed(6).padStart(12)}] ${text}`;
const pending = (device: string, reason: string) => at(11000, `platform ${device}: deferred probe pending: ${reason}`);

describe('a device that is deferred when the time is over', () => {
  const listed = pending('1000.mmc', 'gadget-mmc: failed to get its reset');
  const works = (ms: number) => at(ms, 'gadget-mmc 1000.mmc: ready, 52 MHz');

  it('is settled where its driver says something new later', () => {
    expect(why(listed, works(15000))).toMatchObject({ unbound: 0, settled: ['1000.mmc'] });
    const said = at(900, 'gadget-mmc 1000.mmc: ready, 26 MHz');
    const defers = at(901, 'gadget-mmc 1000.mmc: no reset yet: -517');
    expect(why(said, defers, listed, works(15000)).unbound).toBe(1);
  });

  it('is not where the rest of the log only stands after it, or the list is a person’s', () => {
    expect(why(listed, works(1500)).unbound).toBe(1);
    expect(why(listed, 'gadget-mmc 1000.mmc: ready, 52 MHz').unbound).toBe(1);
    const file = ['# cat /sys/kernel/debug/devices_deferred', '1000.mmc\tgadget-mmc: failed to get its reset'];
    expect(why(...file, works(15000)).unbound).toBe(1);
  });

  it('is settled where what it waited for comes later, and what waits for it is', () => {
    const dma = pending('2000.dma', 'platform: supplier 3000.clock not ready');
    const spi = pending('4000.spi', 'platform: supplier 2000.dma not ready');
    const clock = (ms: number) => at(ms, 'gadget-clk 3000.clock: 12 clocks');
    expect(why(spi, dma, clock(15000))).toMatchObject({ unbound: 0, settled: ['2000.dma', '4000.spi'] });
    expect(why(at(900, 'gadget-clk 3000.clock: 12 clocks'), spi, dma).unbound).toBe(2);
    // It came after the deferral of which the reason is, and the kernel looked after that.
    const early = at(800, 'platform 2000.dma: error -EPROBE_DEFER: supplier 3000.clock not ready');
    expect(why(early, clock(900), pending('2000.dma', '(reason unknown)')).unbound).toBe(1);
  });
});

describe('a whole that was deferred for a part', () => {
  const binds = (ms: number, part: string, error = 517) =>
    at(ms, `gadget-drm 1000.display: failed to bind ${part} (ops gadget_ops): -${error}`);
  const bound = (ms: number, part: string) => at(ms, `gadget-drm 1000.display: bound ${part} (ops gadget_ops)`);

  it('is bound when that part is, and no other is missing then', () => {
    const master = at(901, 'gadget-drm 1000.display: master bind failed: -517');
    const found = why(binds(900, '2000.dsi'), master, bound(1500, '3000.crtc'), bound(1501, '2000.dsi'));
    expect(found).toMatchObject({ unbound: 0, settled: [], bound: [{ device: '1000.display', line: 4 }] });
    expect(why(binds(900, '2000.dsi'), bound(1500, '3000.crtc'))).toMatchObject({ bound: [] });
    expect(why(binds(900, '2000.dsi'), bound(1500, '2000.dsi'), binds(1501, '3000.crtc')).unbound).toBe(1);
    // It has another reason since.
    const lacks = at(1000, 'gadget-drm 1000.display: failed to get its clock: -517');
    expect(why(binds(900, '2000.dsi'), lacks, bound(1500, '2000.dsi')).bound).toEqual([]);
  });
});

describe('what speaks of a device that made it', () => {
  const bus = pending('5000.mdio', 'gadget-mdio: failed to get its clock');

  it('is a PHY on its MDIO bus', () => {
    const attached = 'gadget-mac 6000.ethernet eth0: PHY [5000.mdio:03] driver [Gadget PHY] (irq=POLL)';
    expect(why(bus, at(15000, attached))).toMatchObject({ unbound: 0, bound: [{ device: '5000.mdio', line: 2 }] });
    const other = 'Gadget PHY 5000.mdio:03: attached PHY driver (mii_bus:phy_addr=5000.mdio:03, irq=POLL)';
    expect(why(bus, at(15000, other)).unbound).toBe(0);
  });

  it('is a PHY on a bus of the only multiplexer that is deferred', () => {
    const mux = (name: string) => pending(name, 'mdio-mux-multiplexer: Failed to get mux');
    const attached = at(15000, 'gadget-mac 6000.ethernet eth1: PHY [mdio_mux-0.1:03] driver [Gadget PHY] (irq=POLL)');
    expect(why(mux('mdio-mux-1'), attached)).toMatchObject({ unbound: 0, bound: [{ device: 'mdio-mux-1' }] });
    expect(why(mux('mdio-mux-1'), mux('mdio-mux-2'), attached).unbound).toBe(2);
  });

  it('is one of its PHYs, which somebody has got', () => {
    const phy = at(900, 'gadget-phy 7000.phy: no supply: -517');
    const fails = at(2900, 'phy phy-7000.phy.1: phy poweron failed --> -110');
    expect(why(phy, fails)).toMatchObject({ settled: [], bound: [{ device: '7000.phy' }] });
  });

  it('is a part of what a supplier still waited for', () => {
    const waits = (device: string) => at(11000, `gadget-pd 100000.power: sync_state() pending due to ${device}`);
    const core = (device: string) => at(15000, `remoteproc remoteproc0: ${device} is available`);
    const undriven = (device: string, part: string) => why(waits(device), core(part)).undriven?.devices ?? [];
    expect(undriven('bus@f0000:cluster@78000000', '78000000.core')).toEqual([]);
    expect(undriven('30080000.cluster', '3008a000.core')).toEqual([]);
    expect(undriven('30080000.cluster', '3009a000.core')).toEqual(['30080000.cluster']);
    expect(undriven('30081000.cluster', '30082000.core')).toEqual(['30081000.cluster']);
  });
});

describe('a core of a cluster, which has no driver of its own', () => {
  const cluster = 'bus@f0000:r5fss@41000000';
  const says = (core: string, words: string) => at(16000, `platform ${core}: ${words}`);

  it('tells why the cluster fails', () => {
    const found = why(
      says('41400000.r5f', 'no memory for it, ret = -22'),
      at(16001, `gadget-r5 ${cluster}: cannot set up its cores, ret = -22`),
      at(16002, `gadget-r5 ${cluster}: probe with driver gadget-r5 failed with error -22`),
    );
    const evidence = '41400000.r5f: no memory for it, ret = -22; cannot set up its cores, ret = -22';
    expect(found).toMatchObject({ unbound: 1, roots: [{ name: cluster, evidence }], complaints: [] });
  });

  it('tells why the cluster is deferred, and nothing once that is bound', () => {
    const lines = [
      says('41400000.r5f', 'no channel of its mailbox: -517'),
      at(16001, `gadget-r5 ${cluster}: cannot set up its cores: -517`),
    ];
    const found = why(...lines);
    expect(found).toMatchObject({ unbound: 1, roots: [{ name: cluster, cause: { driver: 'gadget-r5' } }] });
    expect(formatWhy(found)).toContain('41400000.r5f: no channel of its mailbox: -517 (line 1)');
    const bound = at(17000, `driver: 'gadget-r5': driver_bound: bound to device '${cluster}'`);
    expect(why(...lines, bound)).toMatchObject({ unbound: 0, roots: [] });
    expect(why(says('41400000.foo', 'no channel of its mailbox: -517'), ...lines.slice(1)).unbound).toBe(2);
  });
});
