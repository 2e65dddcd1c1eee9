import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Crash } from '../../harness/dmesg/events.ts';
import { probeCaller } from '../../harness/search/cause.ts';
import { eventsOf } from '../dmesg/mutate.ts';

const recorded = (name: string) => {
  const events = eventsOf(readFileSync(new URL(`../logs/${name}.log`, import.meta.url)));
  const signature = events.find((event): event is Crash => event.event === 'crash')?.signature ?? null;
  return { verdict: 'null-deref' as const, reason: '', signature, events, gates: [] };
};

it.each([
  ['boot-6.1-builtin-null', 'async'],
  ['boot-6.1-modules-null', 'async'],
  ['boot-debian-6.1-null', 'async'],
  ['boot-6.1-bind-by-hand-null', 'by-hand'],
  // The crash is in a device's removal.
  ['boot-debian-6.1-iommu-release-null', null],
  ['boot-6.1-clean', null],
])('the caller of the probe in %s is %s', (name, caller) => {
  expect(probeCaller(recorded(name))).toBe(caller);
});

it.each([
  ['deferred', 'deferred_probe_work_func', 'process_one_work'],
  // do_one_initcall() runs a module's init function as well.
  ['module-load', 'do_one_initcall', 'do_init_module'],
  ['initcall', 'do_one_initcall', 'kernel_init_freeable'],
] as const)('a probe is called by %s below %s() and %s()', (caller, ...functions) => {
  const seen = recorded('boot-6.1-builtin-null');
  const events = seen.events.map((event) =>
    event.event === 'crash'
      ? {
          ...event,
          trace: functions.map((name) => ({ function: name, offset: null, size: null, module: null, source: null })),
        }
      : event,
  );
  expect(probeCaller({ ...seen, events })).toBe(caller);
});
