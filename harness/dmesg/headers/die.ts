import type { CrashKind } from '../../model/crash.ts';
import { anywhere, at, generalise, NOTHING, type Rule } from './header.ts';

/** Names of the die() strings that say what happened; the rest is `oops`. */
function dieKind(reason: string): CrashKind {
  if (/UBSAN/.test(reason)) return 'ubsan';
  if (/KASAN/.test(reason)) return 'kasan';
  if (/SError/i.test(reason)) return 'serror';
  if (/\bBUG\b|Kernel bug detected/.test(reason)) return 'bug';
  if (/user ?space (?:memory|access)|paging request|NULL pointer/i.test(reason)) return 'paging-request';
  if (/stack overflow|overran stack/.test(reason)) return 'stack-overflow';
  if (
    /undefined instruction|illegal|bad mode|abort|exception|BTI|CFI|FPAC|MTE|BRK|ptrace|sp\/pc|alignment|misaligned|access fault|instruction|GCS/i.test(
      reason,
    )
  )
    return 'exception';
  return 'oops';
}

function dieLead(kind: CrashKind, reason: string): string {
  if (kind === 'bug') return 'kernel BUG';
  // CONFIG_UBSAN_TRAP: report_ubsan_failure(), lib/ubsan.c.
  if (kind === 'ubsan') return generalise(reason.replace(/^.*UBSAN: /, 'UBSAN: '));
  return reason === '' || reason === 'Oops' ? 'Internal error' : `Internal error: ${generalise(reason)}`;
}

/** Lines of die(). They come after a header of another kind, and stand for themselves where it is missing. */
export const DIE_LINES: readonly Rule[] = [
  // Die lines. They come after a header above, and stand for themselves where it is missing.
  {
    needle: 'Internal error: ',
    pattern: anywhere('Internal error: (.{0,120}?)(?::? (?:0x)?([0-9a-f]{1,16}))? \\[#(\\d+)\\]'),
    header: (match) => {
      const reason = (match[1] ?? '').replace(/[: ]+$/, '').replace(/^[: ]+/, '');
      const kind = dieKind(reason);
      return { ...NOTHING, kind, lead: dieLead(kind, reason), die: Number(match[3]) };
    },
  },
  {
    needle: '[#',
    pattern: at(
      '(?:Oops(?: - ([\\w ()/,-]{1,60}?))?|Kernel BUG|BUG|(Kernel access of bad area|Exception in kernel mode|Machine check|Weird page fault|System call|kernel (?:pointer )?[\\w ]{1,40}|[\\w ,-]{1,60}?))?(?::? ?(?:(?:0x)?[0-9a-f]{1,16}|[\\w ,:]{1,40}))? ?\\[#(\\d+)\\]',
    ),
    header: (match, text) => {
      const reason = match[1] ?? match[2] ?? '';
      const kind: CrashKind = /BUG|Kernel bug detected/.test(match[0]) ? 'bug' : dieKind(reason);
      if (!/Oops|BUG|Kernel|kernel|Exception|Unhandled|fault/i.test(text)) return null;
      const lead = kind === 'bug' ? 'kernel BUG' : reason === '' ? 'Oops' : `Oops: ${generalise(reason)}`;
      return { ...NOTHING, kind, lead, die: Number(match[3]) };
    },
  },
];
