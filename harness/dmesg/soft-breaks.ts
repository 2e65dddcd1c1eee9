import type { LineSink } from './lines.ts';
import { SIGNS } from './signs.ts';
import { STAMPED } from './stamps.ts';

/** A line that quoted-printable breaks has 76 columns with the mark at its end, or as many as fit before an escape. */
const SOFT = /^.{72,75}=\r?$/;
/** No message is longer: printk cuts records at 1 KiB (LOG_LINE_MAX). */
const MAX_SOFT = 1024;
/** Columns in which a time stamp begins, behind marks of quotes and levels. */
const STAMP_WITHIN = 40;

/** Quoted-printable breaks a line anywhere (RFC 2045, 6.7): what it broke is given as one, where it began. */
export class SoftBreaks {
  /** A line that goes on in the next one. */
  #soft: { readonly line: string; readonly number: number; readonly hasSign: boolean } | null = null;
  readonly #sink: LineSink;

  constructor(sink: LineSink) {
    this.#sink = sink;
  }

  take(line: string, number: number, hasSign: boolean): void {
    const soft = this.#soft;
    const joins = soft !== null && !STAMPED.test(line.slice(0, STAMP_WITHIN));
    if (!joins) this.end();
    this.#soft = null;
    const whole = joins ? soft.line.slice(0, -1) + line : line;
    const sign = hasSign || (joins && (soft.hasSign || SIGNS.isIn(whole)));
    const at = joins ? soft.number : number;
    if (isSoft(line) && whole.length < MAX_SOFT) this.#soft = { line: whole, number: at, hasSign: sign };
    else this.#sink(unescaped(whole), at, sign);
  }

  /** No line goes on any more. */
  end(): void {
    const soft = this.#soft;
    this.#soft = null;
    if (soft !== null) this.#sink(unescaped(soft.line), soft.number, soft.hasSign);
  }
}

/** A blank that does not break, of a mail whose source was pasted: no kernel prints that. */
const BLANK = '=C2=A0';
/** A blank before a line's end. */
const LAST_BLANK = /=20\r?$/;

/** What quoted-printable has for blanks, as blanks. */
function unescaped(line: string): string {
  const text = line.includes(BLANK) ? line.replaceAll(BLANK, ' ').replaceAll('=3D', '=') : line;
  return text.endsWith('=20') || text.endsWith('=20\r') ? text.replace(LAST_BLANK, '') : text;
}

function isSoft(line: string): boolean {
  return (line.endsWith('=') || line.endsWith('=\r')) && SOFT.test(line);
}
