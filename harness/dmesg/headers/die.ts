import type { CrashKind } from '../../model/crash.ts';
import { oneOf } from '../../regex.ts';
import { anywhere, at, generalise, NOTHING, type Rule } from './header.ts';

/** What die() is told of exceptions of the CPU; the first list is of every architecture, the second of arm64 alone. */
const EXCEPTION = new RegExp(
  oneOf(
    /undefined instruction|illegal|abort|exception|ptrace|alignment|misaligned|access fault|instruction/,
    /bad mode|BTI|CFI|FPAC|MTE|BRK|sp\/pc|GCS/,
  ),
  'i',
);
/** powerpc, mips, s390, riscv; the last is any other string. */
const DIE_STRING = oneOf(
  /Kernel access of bad area|Exception in kernel mode|Machine check|Weird page fault|System call/,
  /kernel (?:pointer )?[\w ]{1,40}/,
  // Mails that leave out `Internal error: `.
  /UBSAN: [\w -]{1,60}(?=:)/,
  /[\w ,-]{1,60}?/,
);
/** A number of the error, or words behind a sign: without one, they are the string's own. */
const DIE_CODE = String.raw`(?:(?:: ?| )(?:0x)?[0-9a-f]{1,16}|[:,] ?[\w ,:]{1,40})?`;
/** A string by which a line with a die counter is the kernel's; s390's die() adds the length of the instruction. */
const OF_DIE = /Oops|BUG|Kernel|Exception|Unhandled|fault|UBSAN|: [0-9a-f]{4} ilc:\d/i;
/** What stands in the place of a string where there is only the number of the error. */
const NUMBER = /^[0-9a-f]{4,16}(?: ilc)?$/;

/** Names of the die() strings that say what happened; the rest is `oops`. */
function dieKind(reason: string): CrashKind {
  if (/UBSAN/.test(reason)) return 'ubsan';
  if (/KASAN/.test(reason)) return 'kasan';
  if (/SError/i.test(reason)) return 'serror';
  if (/\bBUG\b|Kernel bug detected/.test(reason)) return 'bug';
  if (/user ?space (?:memory|access)|paging request|NULL pointer/i.test(reason)) return 'paging-request';
  if (/stack overflow|overran stack/.test(reason)) return 'stack-overflow';
  if (EXCEPTION.test(reason)) return 'exception';
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
    pattern: at(String.raw`(?:Oops(?: - ([\w ()/,-]{1,60}?))?|Kernel BUG|BUG|(${DIE_STRING}))?${DIE_CODE} ?\[#(\d+)\]`),
    header: (match, text) => {
      const said = match[1] ?? match[2] ?? '';
      const reason = NUMBER.test(said) ? '' : said;
      const kind: CrashKind = /BUG|Kernel bug detected/.test(match[0]) ? 'bug' : dieKind(reason);
      if (!OF_DIE.test(text)) return null;
      const own = kind === 'bug' || kind === 'ubsan';
      const lead = own ? dieLead(kind, reason) : reason === '' ? 'Oops' : `Oops: ${generalise(reason)}`;
      return { ...NOTHING, kind, lead, die: Number(match[3]) };
    },
  },
];
