import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseGateLog } from '../../harness/firmware/gate-log.ts';
import { consoleWay } from '../../harness/firmware/gate-table.ts';
import { consoleLookup, encodeGates, encodeSnapshotTable, gateSymbols } from '../../harness/firmware/gates.ts';
import { ACTION, MATCH, NAME_SIZE, SIDE, STOP, WAY } from '../../harness/firmware/interface.ts';
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

/** Name of the value `wanted` in one of the interface's enumerations. */
function nameIn(values: Readonly<Record<string, number>>, wanted: number): string {
  return Object.keys(values).find((name) => values[name] === wanted) ?? `${wanted}`;
}

/** The file as table.c reads it: header, stops, moments, gates. */
function decode(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const text = (at: number) => new TextDecoder().decode(bytes.subarray(at, at + NAME_SIZE)).replace(/\0.*$/s, '');
  const [takesSnapshot, stops, moments, gates] = [8, 12, 16, 20].map((at) => view.getUint32(at, true));
  const list = <T>(start: number, count: number | undefined, size: number, read: (at: number) => T) =>
    Array.from({ length: count ?? 0 }, (_, n) => read(start + n * size));
  const place = (at: number) => ({
    kind: nameIn({ step: 0, ...STOP }, view.getUint32(at, true)),
    index: view.getUint32(at + 4, true),
    side: nameIn(SIDE, view.getUint32(at + 8, true)),
    nth: view.getUint32(at + 12, true),
    match: nameIn(MATCH, view.getUint32(at + 16, true)),
    name: text(at + 24),
  });
  const stopsAt = 72;
  const momentsAt = stopsAt + (stops ?? 0) * (24 + NAME_SIZE);
  const gatesAt = momentsAt + (moments ?? 0) * (24 + NAME_SIZE);
  return {
    takesSnapshot,
    msleep: view.getBigUint64(32, true),
    stops: list(stopsAt, stops, 24 + NAME_SIZE, (at) => ({
      address: view.getBigUint64(at, true),
      kind: nameIn(STOP, view.getUint32(at + 16, true)),
      way: nameIn(WAY, view.getUint32(at + 20, true)),
      name: text(at + 24),
    })),
    moments: list(momentsAt, moments, 24 + NAME_SIZE, place),
    gates: list(gatesAt, gates, 24 + NAME_SIZE + 24 + NAME_SIZE, (at) => ({
      at: place(at),
      action: nameIn(ACTION, view.getUint32(at + 24 + NAME_SIZE, true)),
      ms: view.getUint32(at + 28 + NAME_SIZE, true),
      moment: view.getUint32(at + 32 + NAME_SIZE, true),
      value: view.getBigUint64(at + 40 + NAME_SIZE, true),
      detail: text(at + 48 + NAME_SIZE),
    })),
    size: bytes.length,
  };
}

function table(...given: Parameters<typeof encodeGates>) {
  const bytes = encodeGates(...given);
  if (bytes === null) throw new Error('there is no table');
  return decode(bytes);
}

/** A kernel that has every symbol, each at an address of its own. */
function everySymbol(): (name: string) => bigint {
  const known = new Map<string, bigint>();
  return (name) => {
    const address = known.get(name) ?? 0xffff_8000_0800_0000n + BigInt(known.size) * 0x100n;
    known.set(name, address);
    return address;
  };
}

describe('encodeGates', () => {
  test('has no table for a cell without gates on a kernel without the console’s symbol', () => {
    expect(encodeGates([], lookup)).toBeNull();
  });

  test('takes the console over, with gates and without', () => {
    const withConsole = (name: string) => (name === 'pl011_console_write' ? 0x7000n : lookup(name));
    const kinds = (gates: readonly Gate[]) => table(gates, withConsole).stops.map(({ kind }) => kind);
    expect(kinds([])).toEqual(['console']);
    expect(kinds([DELAY])).toEqual(['probe', 'console']);
    expect(kinds([DELAY, FORCE])).toEqual(['probe', 'call', 'console']);
  });

  test('lays out delays, holds and forced functions as the firmware reads them', () => {
    const gates = [DELAY, FORCE, hold('a', 'b', 'entered'), hold('c', 'd')];
    const decoded = table(gates, lookup, undefined, { holdTimeoutMs: 99 });
    expect(decoded).toMatchObject({
      takesSnapshot: 0,
      msleep: 0x1000n,
      stops: [
        { address: 0x2000n, kind: 'probe', way: 'hardware', name: 'platform_probe' },
        { address: 0x3000n, kind: 'call', way: 'hardware', name: 'qcom_scm_is_available' },
      ],
      moments: [
        { kind: 'probe', side: 'entry', match: 'name', name: 'b' },
        { kind: 'probe', side: 'return', match: 'name', name: 'd' },
      ],
      gates: [
        { at: { kind: 'probe', name: 'firmware:scm' }, action: 'delay', ms: 6000, detail: '6000' },
        { at: { kind: 'call', index: 1, match: 'any' }, action: 'force', value: 1n },
        { at: { kind: 'probe', name: 'a' }, action: 'hold', ms: 99, moment: 0, detail: 'entered b' },
        { at: { kind: 'probe', name: 'c' }, action: 'hold', ms: 99, moment: 1, detail: 'finished d' },
      ],
    });
    expect(decoded.size).toBe(72 + 2 * 152 + 2 * 152 + 4 * 304);
  });

  test('calls during a probe have the end of that probe watched, once', () => {
    const during = (name: string): Gate => ({ gate: 'delay', at: { entry: name, during: 'a' }, ms: 1 });
    const decoded = table([during('mutex_lock'), during('mutex_lock_killable')], everySymbol());
    expect(decoded.moments).toMatchObject([{ kind: 'probe', side: 'return', match: 'name', name: 'a' }]);
    expect(decoded.gates).toMatchObject([
      { at: { kind: 'call', match: 'during', name: 'a' } },
      { at: { kind: 'call', match: 'during', name: 'a' } },
    ]);
    expect(decoded.stops.filter(({ kind }) => kind === 'probe')).not.toEqual([]);
    const both: Gate = { gate: 'delay', at: { entry: 'mutex_lock', of: 'b', during: 'a' }, ms: 1 };
    expect(() => table([both], everySymbol())).toThrow('is about calls of b and during a');
  });

  test('a forced negative value is its two’s complement', () => {
    expect(table([{ ...FORCE, value: -517 }], lookup).gates[0]?.value).toBe(2n ** 64n - 517n);
  });

  test('takes the older name of the probe function where the kernel has that one', () => {
    const old = (name: string) => (name === 'platform_drv_probe' ? 0x9000n : name === 'msleep' ? 0x1000n : null);
    expect(table([DELAY], old).stops[0]?.address).toBe(0x9000n);
  });

  test('names the symbol that the kernel does not have', () => {
    expect(() => encodeGates([{ ...FORCE, symbol: 'qcom_scm_nonesuch' }], lookup)).toThrow(
      'qcom_scm_nonesuch, which a gate needs, is not the name of one place',
    );
    expect(() => encodeGates([DELAY], () => null)).toThrow('firmware:scm would be probed by');
    expect(() => encodeGates([DELAY], (name) => (name === 'msleep' ? null : 0x9000n))).toThrow(
      'msleep, which a gate needs',
    );
  });

  test('refuses two answers of one function, and a function that the gates themselves stand at', () => {
    expect(() => encodeGates([FORCE, { ...FORCE, value: 0 }], lookup)).toThrow('forced twice');
    expect(() => encodeGates([DELAY, { ...FORCE, symbol: 'platform_probe' }], lookup)).toThrow(
      'a gate at platform_probe() cannot be in this cell',
    );
  });

  test('names the devices that wait for each other', () => {
    expect(() => encodeGates([hold('a', 'b'), hold('b', 'c'), hold('c', 'a')], lookup)).toThrow(
      'a waits for b waits for c waits for a',
    );
    expect(() => encodeGates([hold('a', 'a')], lookup)).toThrow('a waits for a');
  });

  test('writes over the kernel’s text what the CPU has no breakpoint for, once it is ready', () => {
    const forces = Array.from({ length: 9 }, (_, n) => ({ ...FORCE, symbol: `f${n}` }));
    const { stops } = table([DELAY, ...forces], everySymbol());
    const hardware = stops.filter(({ way }) => way === 'hardware').map(({ name }) => name);
    // The console and driver_init() are always among them; functions come before probes, which are never early.
    expect(hardware).toEqual(['f0', 'f1', 'f2', 'f3', 'pl011_console_write', 'driver_init']);
    expect(stops.filter(({ way }) => way === 'patch').map(({ name }) => name)).toContain('platform_probe');
  });

  test('refuses more than the table can hold', () => {
    expect(() =>
      encodeGates(
        Array.from({ length: 65 }, () => DELAY),
        lookup,
      ),
    ).toThrow('65 gates');
    expect(() => encodeGates([{ ...DELAY, device: 'x'.repeat(NAME_SIZE) }], lookup)).toThrow('is longer than');
  });

  test('holds along any order without a cycle are accepted', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(['a', 'b', 'c', 'd', 'e', 'f'], { minLength: 2 }), (order) => {
        const gates = order.slice(1).map((device, n) => hold(device, order[n] ?? ''));
        expect(table(gates, lookup).gates.map(({ at }) => at.name)).toEqual(order.slice(1));
      }),
    );
  });
});

describe('encodeSnapshotTable', () => {
  test('takes a snapshot before the devices and functions of all cells', () => {
    const bytes = encodeSnapshotTable(
      { devices: ['a', 'firmware:scm'], functions: ['qcom_scm_is_available'] },
      false,
      lookup,
    );
    expect(bytes && decode(bytes)).toMatchObject({
      takesSnapshot: 1,
      stops: [{ kind: 'call' }, { kind: 'probe' }],
      gates: [
        { at: { kind: 'call', index: 0 }, action: 'snapshot' },
        { at: { kind: 'probe', name: 'a' }, action: 'snapshot' },
        { at: { kind: 'probe', name: 'firmware:scm' }, action: 'snapshot' },
      ],
    });
    const none = encodeSnapshotTable({ devices: [], functions: [] }, false, () => null);
    expect(none && decode(none)).toMatchObject({ takesSnapshot: 1, stops: [], gates: [] });
  });

  test('has no table for more than the firmware can look for', () => {
    const devices = Array.from({ length: 65 }, (_, n) => `d${n}`);
    expect(encodeSnapshotTable({ devices, functions: [] }, false, lookup)).toBeNull();
  });
});

test('gateSymbols asks for what the table needs and no more', () => {
  expect([...gateSymbols([])]).toEqual([
    'pl011_console_write',
    'pl011_early_write',
    'register_console',
    'parse_early_param',
    '__hyp_stub_vectors',
  ]);
  expect(gateSymbols([FORCE])).toContain('qcom_scm_is_available');
  expect(gateSymbols([FORCE])).not.toContain('platform_probe');
  expect(gateSymbols([DELAY, FORCE])).toContain('msleep');
});

test('parseGateLog reads the firmware’s lines and nothing else', () => {
  const log = `boot noise
359785 held firmware:scm finished 5f000000.iommu
1603569 entered 5f000000.iommu
20524125 timed-out firmware:scm finished 5f000000.iommu
1200 forced qcom_scm_is_available()
1300 forced a:b():return
1400 missed device_add() 2
1401 missed sched_init() 0 late
unknown dwc3:nonesuch
12 danced firmware:scm
firmware-exception esr=0x1 elr=0x2
99 entered cut-o`;
  expect(parseGateLog(log)).toEqual([
    { verb: 'held', time: 359785, device: 'firmware:scm', detail: 'finished 5f000000.iommu' },
    { verb: 'entered', time: 1603569, device: '5f000000.iommu', detail: '' },
    { verb: 'timed-out', time: 20524125, device: 'firmware:scm', detail: 'finished 5f000000.iommu' },
    { verb: 'forced', symbol: 'qcom_scm_is_available' },
    { verb: 'forced', symbol: 'a:b' },
    { verb: 'missed', place: 'device_add()', calls: 2, late: false },
    { verb: 'missed', place: 'sched_init()', calls: 0, late: true },
    { verb: 'unknown', symbol: 'dwc3:nonesuch' },
    { verb: 'firmware-exception', detail: 'firmware-exception esr=0x1 elr=0x2' },
  ]);
});

test('the console of a real board is earlycon’s', () => {
  const symbols = new Map([['pl011_early_write', 0x1000n]]);
  expect(consoleWay(consoleLookup(symbols, true))).toBe('driver');
  expect(consoleWay(consoleLookup(symbols, false))).toBe('uart');
});

describe('a real board’s kernel without a driver of our UART', () => {
  const symbols = new Map([
    ...SYMBOLS,
    ['register_console', 0x4000n],
    ['parse_early_param', 0x5000n],
    ['__hyp_stub_vectors', 0x6000n],
    ['driver_init', 0x7000n],
  ]);

  test('gets the firmware’s console, which is registered early', () => {
    const lookup = consoleLookup(symbols, true);
    expect(consoleWay(lookup)).toBe('firmware');
    expect(table([], lookup).stops).toEqual([
      { address: 0x6000n, kind: 'own_console', way: 'hardware', name: '__hyp_stub_vectors' },
      { address: 0x5000n, kind: 'register_console', way: 'hardware', name: 'parse_early_param' },
    ]);
  });

  test('keeps both breakpoints, however many gates there are', () => {
    const functions = Array.from({ length: 8 }, (_, n): [string, bigint] => [`f${n}`, 0x10_0000n + BigInt(n) * 16n]);
    const lookup = consoleLookup(new Map([...symbols, ...functions]), true);
    const { stops } = table(
      functions.map(([symbol]) => ({ gate: 'force', symbol, value: 0 }) as const),
      lookup,
    );
    const hardware = stops.filter(({ way }) => way === 'hardware').map(({ kind }) => kind);
    expect(hardware).toEqual(expect.arrayContaining(['own_console', 'register_console', 'ready']));
    expect(hardware).toHaveLength(6);
  });

  test('cannot be read where a symbol is missing, nor on the stand-in', () => {
    const without = new Map([...symbols].filter(([name]) => name !== 'parse_early_param'));
    expect(consoleWay(consoleLookup(without, true))).toBe('uart');
    expect(consoleWay(consoleLookup(symbols, false))).toBe('uart');
  });
});
