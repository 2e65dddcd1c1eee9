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
 * A string literal that a line of a program's source is, perhaps assigned or given to a function. `"key": ` begins a
 * record of JSON, and `b'...'` is what a program shows of a serial line.
 */
const LITERAL = new RegExp(
  String.raw`^\s*(?:[\w.*>[\] -]{0,60}(?:[+:]?=|\()\s*)?[([]?[rfuL]{0,2}["'\x60](?![\w.-]{1,40}["'\x60]\s*:).*` +
    oneOf(/\\n["'`][\s),;+\]]*/, /["'`]\s*[),;+\]][\s),;+\]]*/) +
    '$',
);
/** What such a line ends with; few of a log do. */
const ENDS_LITERAL = '"\'`),;+]\r';

/**
 * Whether a line is a string in a program's source, such as what a test of a log's reader reads. A log may be kept as a
 * list of strings: there the line before is one, too.
 */
export function isLiteral(line: string, before: string | undefined): boolean {
  if (!ENDS_LITERAL.includes(line.at(-1) ?? ' ') || !LITERAL.test(line)) return false;
  return !STAMPED.test(line) || line.includes('\\n') || before === undefined || !isListed(before);
}

function isListed(line: string): boolean {
  return STAMPED.test(line) && LITERAL.test(line);
}

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
