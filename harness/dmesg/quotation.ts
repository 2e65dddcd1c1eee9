import { oneOf } from '../regex.ts';
import { STAMPED } from './stamps.ts';

/** A log of more lines than this is one, whatever stands around it. */
const MAX_QUOTED = 8;
/** setup_arch() and start_kernel(), where whoever quotes them left out the time. */
const FIRST_LINES = /^\W*(?:Booting Linux on physical CPU|Linux version \d)/;
const QUOTE_MARK = /^\s*[>|]/;
/** A sentence: words in lower case, more than a boot loader's messages have. */
const SENTENCE = /(?:^|\s)(?:[a-z']+[,;]? ){4,}[a-z']+/;
/** What a console or a test system says beside the kernel, or a person of a boot that went no further. */
const OTHER_SIGN = new RegExp(
  oneOf(
    /U-Boot|Starting kernel|EFI stub|GRUB|autoboot|NOTICE:|BL31|time(?:d )?-?out|ERROR|FAIL/,
    /\b(?:hangs?|hung|hanging|stuck|freez\w*|froze\w*|stops?|stopped|dies|dead|nothing|silent|silence|reboots?)\b/,
    /\b(?:no (?:further |more |other )?(?:output|log|message)|last (?:line|message|thing|output)|never (?:boots|gets))/,
  ),
  'i',
);

/**
 * Whether these lines, which are all of a log, are a text that quotes a few of the kernel's: such lines do not say how
 * the boot went on. A boot that stopped there has its boot loader's lines before, or a text that says so.
 */
export function isQuotation(lines: readonly string[]): boolean {
  const own = lines.filter(isKernels);
  if (own.length === 0 || own.length > MAX_QUOTED) return false;
  const others = lines.filter((line) => !isKernels(line));
  if (others.some((line) => OTHER_SIGN.test(line))) return false;
  return own.every((line) => QUOTE_MARK.test(line)) || others.some((line) => SENTENCE.test(line));
}

function isKernels(line: string): boolean {
  return STAMPED.test(line) || FIRST_LINES.test(line);
}
