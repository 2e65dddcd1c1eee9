import { describe, expect, it } from 'vitest';
import type { DmesgEvent } from '../../harness/dmesg/events.ts';
import { differenceTo, stateOf } from '../../harness/search/end-state.ts';
import type { Outcome } from '../../harness/search/outcome.ts';
import { simulatedCell } from './simulated-kernel.ts';

/** A boot that ends with these devices bound and these names given. */
function bootWith(devices: readonly string[], names: readonly string[] = []): Outcome {
  const events = [
    ...devices.map((device) => ['bound', device, 'driver']),
    ...names.map((name) => ['name', ...name.split(' ')]),
  ].map(([verb = '', ...words], line): DmesgEvent => ({ event: 'agent', verb, words, time: 1, line }));
  return { verdict: 'bound', reason: 'said so', signature: null, events, gates: [] };
}

const difference = (usual: Outcome, now: Outcome) => differenceTo(stateOf(usual), now, simulatedCell({}))?.what;

describe('differenceTo', () => {
  const usual = bootWith(
    ['rk808-rtc.2.auto', 'alarmtimer.3.auto', 'xhci-hcd.4.auto', 'xhci-hcd.5.auto'],
    ['rtc rtc0 rk808-rtc.2.auto'],
  );

  it('takes a device whose number was the next free one for the same, whoever else was made before it', () => {
    const later = ['xhci-hcd.0.auto', 'xhci-hcd.1.auto', 'rk808-rtc.4.auto', 'alarmtimer.5.auto'];
    expect(difference(usual, bootWith(later, ['rtc rtc0 rk808-rtc.4.auto']))).toBeUndefined();
    expect(difference(usual, bootWith(later, ['rtc rtc0 alarmtimer.5.auto']))).toBe(
      'rtc rtc0 is alarmtimer.5.auto, and not rk808-rtc.2.auto',
    );
  });

  it('names one of several such devices that is not bound', () => {
    const fewer = ['xhci-hcd.0.auto', 'rk808-rtc.1.auto', 'alarmtimer.2.auto'];
    expect(difference(usual, bootWith(fewer, ['rtc rtc0 rk808-rtc.1.auto']))).toBe('xhci-hcd.5.auto is not bound');
  });

  it('tells the channels of a multiplexer apart, and knows them by another number', () => {
    const names = ['i2c-adapter i2c-1 a.i2c', 'i2c-adapter i2c-3 i2c-1', 'i2c-adapter i2c-4 i2c-1'];
    const both = bootWith(['3-0050', '4-0050'], names);
    expect(difference(both, bootWith(['3-0050'], names))).toBe('4-0050 is not bound');
    const later = ['i2c-adapter i2c-1 a.i2c', 'i2c-adapter i2c-5 i2c-1', 'i2c-adapter i2c-6 i2c-1'];
    expect(difference(both, bootWith(['5-0050', '6-0050'], later))).toBe('i2c-adapter i2c-3 is gone, and not i2c-1');
  });

  it('knows the host of a device with another number', () => {
    const host = (n: number) => bootWith([`foo.${n}.auto`, '1-0051'], [`i2c-adapter i2c-1 foo.${n}.auto`]);
    expect(difference(host(2), host(4))).toBeUndefined();
  });

  it('tells a device that another driver has', () => {
    const by = (driver: string): Outcome => ({
      ...bootWith([]),
      events: [{ event: 'agent', verb: 'bound', words: ['x', driver], time: 1, line: 1 }],
    });
    expect(difference(by('phy'), by('generic'))).toBe('x is bound by generic, and not by phy');
    expect(difference(by('phy'), by('phy'))).toBeUndefined();
  });

  it.each([
    ['1-0051', '0-0051', 'i2c-adapter i2c-1 a.i2c', 'i2c-adapter i2c-0 a.i2c'],
    ['mmc0:0001', 'mmc1:0001', 'mmc_host mmc0 a.mmc', 'mmc_host mmc1 a.mmc'],
    ['spi0.2', 'spi4.2', 'spi_master spi0 a.spi', 'spi_master spi4 a.spi'],
  ])('of a controller with another number it tells that, and not that %s is lost', (device, other, name, now) => {
    const [kind, number, parent] = name.split(' ');
    const before = bootWith(['x', device], [name]);
    expect(difference(before, bootWith(['x', other], [now]))).toBe(`${kind} ${number} is gone, and not ${parent}`);
    expect(difference(before, bootWith(['x'], [now]))).toBe(`${device} is not bound`);
  });
});
