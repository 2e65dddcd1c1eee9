import { CHECKS } from './headers/checks.ts';
import { DIE_LINES } from './headers/die.ts';
import { FAULTS } from './headers/faults.ts';
import { generalise, type Header, NOTHING, type Rule } from './headers/header.ts';
import { LOCKDEP } from './headers/lockdep.ts';
import { LOCKUPS } from './headers/lockups.ts';
import { PANICS } from './headers/panic.ts';
import { SANITIZERS } from './headers/sanitizers.ts';
import { Words } from './words.ts';

/** Anything else that a subsystem calls a BUG at the start of a kernel record. */
const OTHER_BUGS: readonly Rule[] = [
  {
    needle: 'BUG: ',
    pattern: /^(?:\[ )?BUG: (\S.{2,200}?)(?: \])?$/,
    header: (match) => {
      if (
        /^(?:arch topology borken|lock held|unable to|Unable to|no syscalls|KASAN|KCSAN|KMSAN|KFENCE)/.test(
          match[1] ?? '',
        )
      )
        return null;
      return {
        ...NOTHING,
        kind: 'bug',
        lead: `BUG: ${generalise(match[1] ?? '')}`,
        survives: true,
        named: false,
        sure: false,
      };
    },
  },
];

/** In the order in which they are tried: a die line and a bare `BUG:` only where nothing more particular fits. */
const RULES: readonly Rule[] = [
  ...FAULTS,
  ...SANITIZERS,
  ...LOCKUPS,
  ...LOCKDEP,
  ...CHECKS,
  ...DIE_LINES,
  ...PANICS,
  ...OTHER_BUGS,
];

const NEEDLES = new Words(RULES.map(({ needle }) => needle));

/** A report whose beginning is not in the log: registers and a call trace that nothing introduces. */
export const HEADLESS: Header = { ...NOTHING, kind: 'other', lead: 'call trace', sure: false };

/** A user-space program that writes to /dev/kmsg names itself so; no kernel report begins like this. */
const USER_SPACE = /^[\w.@/-]{1,64}\[\d{1,10}\]: /;

export interface FoundHeader {
  readonly header: Header;
  /** The report's own words begin at the start of the record. */
  readonly atStart: boolean;
  readonly panicMessage: string | null;
}

/** Answers that are kept: in a flood of reports the same lines come over and over. */
const MOST_KEPT = 512;
const LONGEST_KEPT = 256;
const kept = new Map<string, FoundHeader | null>();

/** The report that this record begins, or null. */
export function findHeader(text: string): FoundHeader | null {
  const known = kept.get(text);
  if (known !== undefined) return known;
  const found = lookForHeader(text);
  if (text.length > LONGEST_KEPT) return found;
  if (kept.size === MOST_KEPT) kept.clear();
  kept.set(text, found);
  return found;
}

/** Characters before a header in which a quotation or a program's source shows. */
const LOOK_BACK = 200;
/** A string that a function is called with. */
const ARGUMENT = /\(\s{0,8}(?:\w{1,32}[ ,]{1,4}){0,4}"[^"]*$/;

/** Code before it, and the mark of a comment. */
const COMMENT = /[;{})] *\/[/*] /;

/** The mark that a report ends with, and with it what the report was; another tool's words may stand before it. */
const END_MARK = /-\[ end ?$/;

/** Whether what comes after `before` is only quoted by a sentence, or is a string in a program's source. */
function isQuoted(before: string): boolean {
  const near = before.slice(-LOOK_BACK);
  return (/["'`\u201c\u2018]$/.test(near) && /\w/.test(near)) || ARGUMENT.test(near);
}

function lookForHeader(text: string): FoundHeader | null {
  const places = NEEDLES.found(text);
  if (places === null || USER_SPACE.test(text)) return null;
  for (const place of places) {
    const rule = RULES[place];
    const match = rule?.pattern.exec(text);
    if (rule === undefined || match === null || match === undefined) continue;
    const header = rule.header(match, text);
    if (header === null) continue;
    // A separator may be a part of the match.
    const before = text.slice(0, match.index) + (/^["'`]/.exec(match[0])?.[0] ?? '');
    if (END_MARK.test(before)) continue;
    if (isQuoted(before) || COMMENT.test(text.slice(0, text.indexOf(rule.needle)).slice(-LOOK_BACK))) continue;
    const panicMessage = rule.needle === 'ernel panic' ? (match[1] ?? '').trim() : null;
    return {
      header,
      atStart: before.trim() === '' || /^(?:\S{1,40}: |\[ ){1,3}$/.test(`${before} `.replace(/ +$/, ' ')),
      panicMessage,
    };
  }
  return null;
}
