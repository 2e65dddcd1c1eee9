import { describe, expect, it } from 'vitest';
import type { DmesgEvent } from '../../harness/dmesg/events.ts';
import type { GateEvent } from '../../harness/firmware/gate-log.ts';
import type { Gate } from '../../harness/model/gate.ts';
import { Culprits } from '../../harness/search/culprits.ts';
import { Knowledge } from '../../harness/search/knowledge.ts';
import { probeLives, recordedOrder, timeline } from '../../harness/search/recorded.ts';
import { simulatedCell } from './simulated-kernel.ts';

const DISTANCE = 200_000;

type Deferral = { by: 'driver' | 'supplier' | 'unknown'; reason: string | null };

/** Writes both logs from lines such as "entered a", in microseconds from printk's zero. */
function logs(lines: readonly (readonly [number, string, string, Deferral?])[]): {
  events: DmesgEvent[];
  gates: GateEvent[];
} {
  const events: DmesgEvent[] = [];
  const gates: GateEvent[] = [];
  for (const [time, what, device, deferral] of lines) {
    const at = { line: events.length + 1, time, device, driver: `driver-of-${device}` };
    switch (what) {
      case 'announced':
        events.push({ ...at, event: 'probe-entered' });
        break;
      case 'bound':
        events.push({ ...at, event: 'bound' });
        break;
      case 'retried':
        events.push({ ...at, event: 'retried' });
        break;
      case 'deferred':
        events.push({ ...at, event: 'deferred', by: deferral?.by ?? 'unknown', reason: deferral?.reason ?? null });
        break;
      case 'pending':
        events.push({ ...at, event: 'deferral-pending', reason: null });
        break;
      case 'held':
      case 'released':
      case 'timed-out':
      case 'entered':
      case 'finished':
      case 'refused':
        gates.push({ verb: what, time: time + DISTANCE, device, detail: '' });
        break;
      default:
        throw new Error(`no such line: ${what}`);
    }
  }
  return { events, gates };
}

const hold = (device: string, until: string, phase: 'entered' | 'finished' = 'finished'): Gate => ({
  gate: 'hold',
  device,
  until,
  phase,
});

function started(lines: Parameters<typeof logs>[0], devices: readonly string[], gates: readonly Gate[]): string[] {
  const { events, gates: log } = logs(lines);
  return recordedOrder(probeLives(timeline(events, log), devices, gates), 'started');
}

describe('recorded orders', () => {
  it('takes a probe that a gate held as begun when it was let in, not when the kernel announced it', () => {
    const lines = [
      [100, 'announced', 'a'],
      [120, 'held', 'a'],
      [200, 'announced', 'b'],
      [210, 'entered', 'b'],
      [300, 'finished', 'b'],
      [310, 'bound', 'b'],
      [320, 'released', 'a'],
      [400, 'bound', 'a'],
    ] as const;
    expect(started(lines, ['a', 'b'], [hold('a', 'b')])).toEqual(['b', 'a']);
  });

  it('does not take a probe as begun that the driver core deferred before it called the driver', () => {
    const lines = [
      [100, 'announced', 'a'],
      [110, 'deferred', 'a', { by: 'unknown', reason: null }],
      [200, 'announced', 'b'],
      [210, 'bound', 'b'],
      [220, 'retried', 'a'],
      [230, 'announced', 'a'],
      [240, 'bound', 'a'],
    ] as const;
    expect(started(lines, ['a', 'b'], [])).toEqual(['b', 'a']);
  });

  it('takes a probe as begun whose driver asked to be deferred, though the kernel says it in two lines', () => {
    const lines = [
      [100, 'announced', 'a'],
      [110, 'deferred', 'a', { by: 'driver', reason: null }],
      [111, 'deferred', 'a', { by: 'unknown', reason: null }],
      [200, 'announced', 'b'],
      [210, 'bound', 'b'],
      [220, 'retried', 'a'],
      [230, 'announced', 'a'],
      [240, 'bound', 'a'],
    ] as const;
    expect(started(lines, ['a', 'b'], [])).toEqual(['a', 'b']);
    const { events } = logs(lines);
    const life = probeLives(timeline(events, []), ['a'], []).get('a');
    expect(life?.deferrals.map(({ by }) => by)).toEqual(['driver']);
  });

  it('knows a supplier that the parser took for the driver’s own reason', () => {
    const { events } = logs([
      [100, 'deferred', 'a', { by: 'driver', reason: 'supplier b not ready' }],
      [200, 'deferred', 'c', { by: 'driver', reason: 'wait for supplier /soc/b@1' }],
    ]);
    const lives = probeLives(timeline(events, []), ['a', 'c'], []);
    expect([...lives.values()].flatMap(({ deferrals }) => deferrals.map(({ by }) => by))).toEqual(['core', 'core']);
  });

  it('keeps a probe that was never let in out of the order', () => {
    const lines = [
      [100, 'announced', 'a'],
      [120, 'held', 'a'],
      [200, 'announced', 'b'],
      [210, 'entered', 'b'],
    ] as const;
    expect(started(lines, ['a', 'b'], [hold('a', 'b')])).toEqual(['b']);
  });

  it('puts the firmware’s lines among the kernel’s whatever the distance of the clocks', () => {
    const { events, gates } = logs([
      [100, 'announced', 'a'],
      [105, 'entered', 'a'],
      [150, 'finished', 'a'],
      [155, 'bound', 'a'],
      [300, 'announced', 'b'],
      [305, 'entered', 'b'],
      [350, 'finished', 'b'],
      [355, 'bound', 'b'],
    ]);
    const order = timeline(events, gates).map(({ from, event }) => {
      const device = 'device' in event ? event.device : '';
      return `${device} ${from === 'kernel' ? event.event : event.verb}`;
    });
    const one = ['probe-entered', 'entered', 'finished', 'bound'];
    expect(order).toEqual([...one.map((what) => `a ${what}`), ...one.map((what) => `b ${what}`)]);
  });
});

describe('Culprits', () => {
  it('names what is left when the others are cleared', () => {
    const culprits = new Culprits();
    culprits.suspect('x', ['a', 'b', 'c'], true);
    expect(culprits.known('x')).toEqual([]);
    expect(culprits.suspects('x')).toEqual(['a', 'b', 'c']);
    culprits.clear('x', ['a', 'c']);
    expect(culprits.known('x')).toEqual(['b']);
    expect(culprits.suspects('x')).toEqual([]);
  });

  it('finds a second culprit beside a known one', () => {
    const culprits = new Culprits();
    culprits.suspect('x', ['b'], true);
    culprits.suspect('x', ['a', 'c'], true);
    culprits.clear('x', ['a']);
    expect(culprits.known('x').toSorted()).toEqual(['b', 'c']);
  });

  it('does not name the only one it knows where something else may have been absent too', () => {
    const culprits = new Culprits();
    culprits.suspect('x', ['b'], false);
    expect(culprits.known('x')).toEqual([]);
    culprits.suspect('x', ['a', 'b'], true);
    expect(culprits.known('x')).toEqual(['b']);
  });

  it('takes a culprit back', () => {
    const culprits = new Culprits();
    culprits.suspect('x', ['b'], true);
    culprits.clear('x', ['b']);
    expect(culprits.known('x')).toEqual([]);
  });
});

describe('Knowledge', () => {
  const gates = [hold('b', 'a', 'entered')];
  const cell = simulatedCell({ gates });
  /** The core defers a until 10 s, when the kernel gives up waiting; b is held for a's sake. */
  const inVain = (heldUntil: 'released' | 'timed-out') =>
    logs([
      [100, 'announced', 'a'],
      [110, 'deferred', 'a', { by: 'unknown', reason: null }],
      [200, 'announced', 'b'],
      [210, 'held', 'b'],
      ...(heldUntil === 'timed-out' ? ([[30_000_000, 'timed-out', 'b']] as const) : []),
      ...(heldUntil === 'released'
        ? ([
            [10_000_000, 'pending', 'a'],
            [10_000_010, 'announced', 'a'],
            [10_000_020, 'entered', 'a'],
            [10_000_030, 'released', 'b'],
          ] as const)
        : []),
      [30_000_100, 'bound', 'b'],
      [30_000_200, 'announced', 'a'],
      [30_000_210, 'entered', 'a'],
      [30_000_300, 'bound', 'a'],
    ]);
  const learn = (knowledge: Knowledge, heldUntil: 'released' | 'timed-out'): void => {
    knowledge.learn(cell, ['a', 'b'], { verdict: 'bound', reason: '', signature: null, ...inVain(heldUntil) });
  };
  const targets = [
    { device: 'a', nodes: [], suppliers: [] },
    { device: 'b', nodes: [], suppliers: [] },
  ];

  it('takes an order as impossible when a hold for its sake has timed out', () => {
    const knowledge = new Knowledge(targets, []);
    learn(knowledge, 'timed-out');
    expect(knowledge.constraints.map(({ before, after }) => [before, after])).toEqual([['b', 'a']]);
  });

  it('does not clear a supplier by what begins after the kernel has given up waiting for suppliers', () => {
    const knowledge = new Knowledge(targets, []);
    learn(knowledge, 'released');
    expect(knowledge.constraints).toEqual([]);
    learn(knowledge, 'timed-out');
    expect(knowledge.constraints).toHaveLength(1);
  });
});
