import { findFrame } from '../frame.ts';
import { anywhere, at, bareFunction, NOTHING, type Rule, SRC, simple } from './header.ts';

/** KASAN, KMSAN, KCSAN, KFENCE, UBSAN and kmemleak. */
export const SANITIZERS: readonly Rule[] = [
  // Sanitizers.
  {
    needle: 'BUG: KAS',
    pattern: anywhere('BUG: KAS[aA][nN]: ([a-zA-Z -]{1,60}?)(?: access)? (?:in|on address)(?: |$)(.{0,300})'),
    header: (match) => {
      const what = (match[1] ?? '').trim().replaceAll(' ', '-').replace('double-free-or-invalid-free', 'invalid-free');
      return {
        ...NOTHING,
        kind: what === 'null-ptr-deref' ? 'null-deref' : 'kasan',
        lead: `KASAN: ${what}`,
        frame: findFrame(match[2] ?? '') ?? bareFunction(match[2] ?? ''),
      };
    },
  },
  {
    needle: 'BUG: KMSAN',
    pattern: anywhere('BUG: KMSAN: ([a-z -]{1,60}?) in (.{0,300})'),
    header: (match) => ({
      ...NOTHING,
      kind: 'kmsan',
      lead: `KMSAN: ${match[1]}`,
      frame: findFrame(match[2] ?? '') ?? bareFunction(match[2] ?? ''),
    }),
  },
  {
    needle: 'BUG: KCSAN',
    pattern: anywhere(
      'BUG: KCSAN: (assert: race|data-race|[a-z: -]{1,40}?) in (?:([\\w.]{1,127}) ?\\/ ?([\\w.]{1,127})|(.{1,300}))',
    ),
    header: (match) => {
      const single = match[4] === undefined ? null : (findFrame(match[4]) ?? bareFunction(match[4]));
      const first = match[2] ?? single?.function ?? null;
      const names = match[2] === undefined ? (first ?? '') : `${match[2]} / ${match[3]}`;
      return {
        ...NOTHING,
        kind: 'kcsan',
        lead: `KCSAN: ${match[1]} in ${names}`,
        named: false,
        frame: first === null ? null : bareFunction(first),
        rule: 'header',
      };
    },
  },
  {
    needle: 'BUG: KFENCE',
    pattern: anywhere('BUG: KFENCE: ([a-z -]{1,60}?)(?: in (.{0,300}))?$'),
    header: (match) => ({
      ...NOTHING,
      kind: 'kfence',
      lead: `KFENCE: ${match[1]}`,
      frame: findFrame(match[2] ?? '') ?? bareFunction(match[2] ?? ''),
    }),
  },
  {
    needle: 'UBSAN: ',
    pattern: anywhere(`UBSAN: ([A-Za-z -]{1,60}?) in ${SRC}(?::\\d{1,5})?`),
    header: (match) => ({
      ...NOTHING,
      kind: 'ubsan',
      lead: `UBSAN: ${match[1] === 'Undefined behaviour' ? 'undefined-behaviour' : match[1]}`,
      source: `${match[2]}:${match[3]}`,
    }),
  },
  {
    needle: 'BUG: memory leak',
    pattern: at('BUG: memory leak'),
    header: simple('memleak', 'memory leak', { sure: false }),
  },
  // print_unreferenced(), mm/kmemleak.c: what /sys/kernel/debug/kmemleak says of each object.
  {
    needle: 'unreferenced object',
    pattern: at('unreferenced object (?:0x)?[0-9a-f]{4,16} \\(size \\d{1,10}\\):'),
    header: simple('memleak', 'memory leak', { sure: false }),
  },
];
