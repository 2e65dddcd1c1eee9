/** Longest part of a line that is looked at. printk cuts records at 1 KiB (LOG_LINE_MAX, kernel/printk/printk.c). */
export const MAX_LINE = 8192;

/** Bytes decoded at once, so that a whole file given as one chunk is not held in memory twice. */
const WINDOW = 1 << 16;

/**
 * Splits bytes into lines, whatever chunks they come in. Lines are given one character a byte (latin1), which keeps
 * multi-byte characters that a chunk cuts in two intact; `decodeLine` makes text of those that matter. Memory is
 * bounded by MAX_LINE: the rest of a longer line is dropped.
 */
export class LineSplitter {
  #carry = '';
  #open = false;
  #number = 0;
  readonly #sink: (line: string, number: number) => void;

  constructor(sink: (line: string, number: number) => void) {
    this.#sink = sink;
  }

  /** Lines seen so far, an unfinished last one included. */
  get count(): number {
    return this.#number + (this.#open ? 1 : 0);
  }

  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let at = 0; at < bytes.length; at += WINDOW)
      this.#window(bytes.toString('latin1', at, Math.min(at + WINDOW, bytes.length)));
  }

  /** Gives the last line, if the input does not end with a line feed. */
  end(): void {
    if (this.#open) this.#emit(this.#carry);
    this.#carry = '';
    this.#open = false;
  }

  #window(text: string): void {
    let start = 0;
    for (;;) {
      const feed = text.indexOf('\n', start);
      if (feed < 0) break;
      if (this.#open) {
        this.#extend(text.slice(start, feed));
        this.#open = false;
        const line = this.#carry;
        this.#carry = '';
        this.#emit(line);
      } else {
        this.#emit(text.slice(start, Math.min(feed, start + MAX_LINE)));
      }
      start = feed + 1;
    }
    if (start < text.length) {
      this.#open = true;
      this.#extend(text.slice(start));
    }
  }

  #extend(part: string): void {
    const room = MAX_LINE - this.#carry.length;
    if (room > 0) this.#carry += part.length > room ? part.slice(0, room) : part;
  }

  #emit(line: string): void {
    this.#number += 1;
    this.#sink(line, this.#number);
  }
}

const NOT_PLAIN = /[^\t\x20-\x7e]/;
const ESCAPE = String.fromCharCode(0x1b);
const BELL = String.fromCharCode(0x07);
/** ECMA-48 control sequences (CSI, charset selection, OSC up to its end), also as rsyslog writes an escape byte. */
const ESCAPES = new RegExp(
  `(?:${ESCAPE}|#033)(?:\\[[0-9;?]{0,32}[ -/]?[@-~]|[()][0-9A-B]|\\]\\P{Cc}{0,256}(?:${BELL}|${ESCAPE}\\\\)|[=>78cDEHM])`,
  'gu',
);
const CONTROLS = /(?![\t\r])\p{Cc}/gu;

/**
 * The text of a latin1 line of LineSplitter: UTF-8 decoded, without escape sequences and control characters. A
 * carriage return inside the line stays, as it separates what a terminal would overprint. The result is a string of
 * its own: it does not keep the chunk it was cut from in memory.
 */
export function decodeLine(line: string): string {
  let text = Buffer.from(line, 'latin1').toString('utf8');
  if (NOT_PLAIN.test(text)) text = text.replace(ESCAPES, '').replace(CONTROLS, '');
  else if (text.includes('#033[')) text = text.replace(ESCAPES, '');
  if (text.includes('#01')) text = text.replace(/#015$/, '').replaceAll('#011', '\t');
  if (text.includes('&') && /&(?:lt|gt|amp|quot|#39);/.test(text)) {
    text = text
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&#39;', "'")
      .replaceAll('&amp;', '&');
  }
  return text;
}
