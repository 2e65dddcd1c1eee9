import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeGates, encodeParking, gateSymbols, parseGateLog } from '../../harness/firmware/gates.ts';
import type { Gate } from '../../harness/model/gate.ts';

const SYMBOLS = new Map([
  ['msleep', 0x1000n],
  ['platform_probe', 0x2000n],
  ['qcom_scm_is_available', 0x3000n],
]);
const lookup = (name: string) => SYMBOLS.get(name) ?? null;

const DELAY = { gate: 'delay', device: 'firmware:scm', ms: 6000 } as const satisfies Gate;
const FORCE = { gate: 'force', symbol: 'qcom_scm_is_available', value: 1 } as const satisfies Gate;
const hold = (device: string, until: string, phase: 'entered' | 'finished' = 'finished'): Gate => ({
  gate: 'hold',
  device,
  until,
  phase,
});

/** The layout that firmware/gates.c reads. */
function decode(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer);
  const text = (at: number) => new TextDecoder().decode(bytes.subarray(at, at + 64)).replace(/\0.*$/s, '');
  const kinds = ['unused', 'probe', 'forced', 'console', 'counted'];
  const breakpoints = Array.from({ length: 6 }, (_, n) => ({
    address: view.getBigUint64(32 + n * 24, true),
    on: kinds[Number(view.getBigUint64(40 + n * 24, true))],
    value: view.getBigUint64(48 + n * 24, true),
  }));
  const count = view.getUint32(12, true);
  return {
    parks: view.getUint32(8, true),
    msleep: view.getBigUint64(24, true),
    breakpoints: breakpoints.filter(({ on }) => on !== 'unused'),
    gates: Array.from({ length: count }, (_, n) => {
      const at = 176 + n * 136;
      return {
        kind: view.getUint32(at, true),
        ms: view.getUint32(at + 4, true),
        device: text(at + 8),
        until: text(at + 72),
      };
    }),
    size: bytes.length,
  };
}

describe('encodeGates', () => {
  test('has no table for a cell without gates on a kernel without the console’s symbol', () => {
    expect(encodeGates([], lookup)).toBeNull();
  });

  test('takes the console over where a breakpoint is left', () => {
    const withConsole = (name: string) => (name === 'pl011_console_write' ? 0x7000n : 0x1000n);
    const kinds = (gates: readonly Gate[]) => {
      const bytes = encodeGates(gates, withConsole);
      return bytes && decode(bytes).breakpoints.map(({ on }) => on);
    };
    const forces = Array.from({ length: 4 }, (_, n) => ({ ...FORCE, symbol: `f${n}` }));
    expect(kinds([])).toEqual(['console']);
    expect(kinds([DELAY])).toEqual(['probe', 'probe', 'console']);
    expect(kinds([DELAY, ...forces])).toEqual(['forced', 'forced', 'forced', 'forced', 'probe', 'probe']);
  });

  test('lays out delays, holds and forced functions as the firmware reads them', () => {
    const bytes = encodeGates([DELAY, FORCE, hold('a', 'b', 'entered'), hold('c', 'd')], lookup, 99);
    expect(bytes && decode(bytes)).toEqual({
      parks: 0,
      msleep: 0x1000n,
      // A forced function is named by its place in the firmware's log.
      breakpoints: [
        { address: 0x3000n, on: 'forced', value: 1n },
        { address: 0x2000n, on: 'probe', value: 0n },
      ],
      gates: [
        { kind: 1, ms: 6000, device: 'firmware:scm', until: '' },
        { kind: 2, ms: 99, device: 'a', until: 'b' },
        { kind: 3, ms: 99, device: 'c', until: 'd' },
      ],
      size: 176 + 3 * 136,
    });
  });

  test('a forced negative value is its two’s complement', () => {
    const bytes = encodeGates([{ ...FORCE, value: -517 }], lookup);
    expect(bytes && decode(bytes).breakpoints[0]?.value).toBe(2n ** 64n - 517n);
  });

  test('takes the older name of the probe function where the kernel has that one', () => {
    const old = (name: string) => (name === 'platform_drv_probe' ? 0x9000n : name === 'msleep' ? 0x1000n : null);
    const bytes = encodeGates([DELAY], old);
    expect(bytes && decode(bytes).breakpoints[0]?.address).toBe(0x9000n);
  });

  test('names the symbol that the kernel does not have', () => {
    expect(() => encodeGates([{ ...FORCE, symbol: 'qcom_scm_nonesuch' }], lookup)).toThrow(
      'qcom_scm_nonesuch, which the gate that forces qcom_scm_nonesuch needs, is not the name of one place',
    );
    expect(() => encodeGates([DELAY], () => null)).toThrow('platform_probe or platform_drv_probe, which a gate needs');
    expect(() => encodeGates([DELAY], (name) => (name === 'msleep' ? null : 0x9000n))).toThrow(
      'msleep, which a gate needs',
    );
  });

  test('refuses two answers of one function, and a function that the gates themselves stand at', () => {
    expect(() => encodeGates([FORCE, { ...FORCE, value: 0 }], lookup)).toThrow('forced twice');
    expect(() => encodeGates([DELAY, { ...FORCE, symbol: 'platform_probe' }], lookup)).toThrow(
      'platform_probe cannot be forced',
    );
  });

  test('names the devices that wait for each other', () => {
    expect(() => encodeGates([hold('a', 'b'), hold('b', 'c'), hold('c', 'a')], lookup)).toThrow(
      'a waits for b waits for c waits for a',
    );
    expect(() => encodeGates([hold('a', 'a')], lookup)).toThrow('a waits for a');
  });

  test('refuses more than the CPU or the table can hold', () => {
    expect(() =>
      encodeGates(
        Array.from({ length: 5 }, (_, n) => ({ ...FORCE, symbol: `f${n}` })),
        lookup,
      ),
    ).toThrow('5 functions are forced');
    expect(() =>
      encodeGates(
        Array.from({ length: 65 }, () => DELAY),
        lookup,
      ),
    ).toThrow('65 gates');
    expect(() => encodeGates([{ ...DELAY, device: 'x'.repeat(64) }], lookup)).toThrow('longer than 63 bytes');
  });

  test('holds along any order without a cycle are accepted', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(['a', 'b', 'c', 'd', 'e', 'f'], { minLength: 2 }), (order) => {
        const gates = order.slice(1).map((device, n) => hold(device, order[n] ?? ''));
        const bytes = encodeGates(gates, lookup);
        expect(bytes && decode(bytes).gates.map(({ device }) => device)).toEqual(order.slice(1));
      }),
    );
  });
});

describe('encodeParking', () => {
  test('parks before the devices and functions of all cells', () => {
    const bytes = encodeParking({ devices: ['a', 'firmware:scm'], forced: ['qcom_scm_is_available'] }, false, lookup);
    expect(bytes && decode(bytes)).toMatchObject({
      parks: 1,
      breakpoints: [{ on: 'forced' }, { on: 'probe' }],
      gates: [
        { kind: 4, device: 'a' },
        { kind: 4, device: 'firmware:scm' },
      ],
    });
    const none = encodeParking({ devices: [], forced: [] }, false, () => null);
    expect(none && decode(none)).toMatchObject({ parks: 1, breakpoints: [], gates: [] });
  });

  test('has no table for more than the firmware can look for', () => {
    const devices = Array.from({ length: 65 }, (_, n) => `d${n}`);
    expect(encodeParking({ devices, forced: [] }, false, lookup)).toBeNull();
    expect(encodeParking({ devices: [], forced: ['a', 'b', 'c', 'd', 'e'] }, false, lookup)).toBeNull();
  });
});

test('gateSymbols asks for what the table needs and no more', () => {
  expect([...gateSymbols([])]).toEqual(['pl011_console_write']);
  expect([...gateSymbols([FORCE])]).toEqual(['pl011_console_write', 'qcom_scm_is_available']);
  expect(gateSymbols([DELAY, FORCE])).toContain('msleep');
});

test('parseGateLog reads the firmware’s lines and nothing else', () => {
  const log = `boot noise
359785 held firmware:scm finished 5f000000.iommu
1603569 entered 5f000000.iommu
20524125 timed-out firmware:scm finished 5f000000.iommu
0 forced
9 forced
12 danced firmware:scm
firmware-exception esr=0x1 elr=0x2
99 entered cut-o`;
  expect(parseGateLog(log, [DELAY, FORCE])).toEqual([
    { verb: 'held', time: 359785, device: 'firmware:scm', detail: 'finished 5f000000.iommu' },
    { verb: 'entered', time: 1603569, device: '5f000000.iommu', detail: '' },
    { verb: 'timed-out', time: 20524125, device: 'firmware:scm', detail: 'finished 5f000000.iommu' },
    { verb: 'forced', symbol: 'qcom_scm_is_available' },
    { verb: 'firmware-exception', detail: 'firmware-exception esr=0x1 elr=0x2' },
  ]);
});
