import { oneOf } from '../regex.ts';
import type { Words } from './words.ts';

/**
 * Longest line that is looked at as a whole; a longer one is cut. printk cuts records at 1 KiB (LOG_LINE_MAX,
 * kernel/printk/printk.c), but a log that was pasted without its line feeds is one line.
 */
const MAX_LINE = 8192;

/** Bytes decoded at once, so that a whole file given as one chunk is not held in memory twice. */
const WINDOW = 1 << 16;

/** How the input is coded, told by the byte order mark that it begins with, or by the zeros between its letters. */
type Coding = 'bytes' | 'utf16le' | 'utf16be';
/** Enough letters that no other log begins so: eight. */
const CODING_BYTES = 16;
const ZERO_AFTER = /^(?:[\t\r\n\x20-\x7e]\0){8}$/;
const ZERO_BEFORE = /^(?:\0[\t\r\n\x20-\x7e]){8}$/;

function codingOf(bytes: Buffer): { coding: Coding; skip: number } {
  const [first, second, third] = bytes;
  if (first === 0xff && second === 0xfe) return { coding: 'utf16le', skip: 2 };
  if (first === 0xfe && second === 0xff) return { coding: 'utf16be', skip: 2 };
  if (first === 0xef && second === 0xbb && third === 0xbf) return { coding: 'bytes', skip: 3 };
  const beginning = bytes.toString('latin1', 0, CODING_BYTES);
  if (ZERO_AFTER.test(beginning)) return { coding: 'utf16le', skip: 0 };
  if (ZERO_BEFORE.test(beginning)) return { coding: 'utf16be', skip: 0 };
  return { coding: 'bytes', skip: 0 };
}

export type LineSink = (line: string, number: number, hasWord: boolean) => void;

/**
 * Splits bytes into lines, whatever chunks they come in. Lines are given one character a byte (latin1), which keeps
 * multi-byte characters that a chunk cuts in two intact; `decodeLine` makes text of those that matter. UTF-16, which
 * Windows' PowerShell writes, becomes UTF-8 first. Memory is bounded: a line longer than MAX_LINE is given in pieces of
 * that length, all with its number. With each line comes whether one of `words` stands in it.
 */
export class LineSplitter {
  #carry = '';
  #open = false;
  #number = 0;
  #coding: Coding | null = null;
  /** Bytes that the next chunk completes: the first ones of the input, or half of a UTF-16 character. */
  #rest: Buffer = Buffer.alloc(0);
  readonly #sink: LineSink;
  readonly #words: Words | null;

  constructor(sink: LineSink, words: Words | null = null) {
    this.#sink = sink;
    this.#words = words;
  }

  /** Lines seen so far, an unfinished last one included. */
  get count(): number {
    return this.#number + (this.#open ? 1 : 0);
  }

  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (this.#coding === 'bytes') this.#bytes(bytes);
    else this.#coded(Buffer.concat([this.#rest, bytes]), false);
  }

  /** Gives the last line, if the input does not end with a line feed. */
  end(): void {
    if (this.#rest.length > 0) this.#coded(this.#rest, true);
    if (this.#open) this.#finishLine('');
  }

  #bytes(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += WINDOW) {
      this.#window(bytes.subarray(at, Math.min(at + WINDOW, bytes.length)));
    }
  }

  #coded(input: Buffer, last: boolean): void {
    let bytes = input;
    if (this.#coding === null) {
      if (bytes.length < CODING_BYTES && !last) {
        this.#rest = bytes;
        return;
      }
      const { coding, skip } = codingOf(bytes);
      this.#coding = coding;
      bytes = bytes.subarray(skip);
    }
    this.#rest = Buffer.alloc(0);
    if (this.#coding === 'bytes') {
      this.#bytes(bytes);
      return;
    }
    // Half a character waits for its other half: one byte, or the first unit of a surrogate pair.
    let whole = bytes.length - (bytes.length % 2);
    const big = this.#coding === 'utf16be';
    if (!last && whole >= 2) {
      const unit = big ? bytes.readUInt16BE(whole - 2) : bytes.readUInt16LE(whole - 2);
      if (unit >= 0xd800 && unit < 0xdc00) whole -= 2;
    }
    this.#rest = Buffer.from(last ? [] : bytes.subarray(whole));
    for (let at = 0; at < whole; at += WINDOW) {
      const part = Buffer.from(bytes.subarray(at, Math.min(at + WINDOW, whole)));
      const text = (big ? part.swap16() : part).toString('utf16le');
      this.#window(Buffer.from(text, 'utf8'));
    }
  }

  #window(bytes: Buffer): void {
    const { length } = bytes;
    let start = 0;
    let word = this.#words?.next(bytes, 0, length) ?? length;
    for (;;) {
      const feed = bytes.indexOf(LINE_FEED, start);
      if (feed < 0) break;
      // A string of its own, which does not keep a whole window in memory.
      const line = bytes.toString('latin1', start, feed);
      if (this.#open || line.length > MAX_LINE) this.#finishLine(line);
      else {
        this.#number += 1;
        this.#sink(line, this.#number, word < feed);
      }
      start = feed + 1;
      if (word < start) word = this.#words?.next(bytes, start, length) ?? length;
    }
    if (start < length) this.#extend(bytes.toString('latin1', start, length));
  }

  /** Adds to the open line and gives what is longer than a line may be. */
  #extend(part: string): void {
    this.#open = true;
    let from = 0;
    while (this.#carry.length + part.length - from > MAX_LINE) {
      const room = MAX_LINE - this.#carry.length;
      this.#give(this.#carry + part.slice(from, from + room), this.#number + 1);
      this.#carry = '';
      from += room;
    }
    this.#carry += part.slice(from);
  }

  #finishLine(rest: string): void {
    this.#extend(rest);
    this.#number += 1;
    const line = this.#carry;
    this.#carry = '';
    this.#open = false;
    this.#give(line, this.#number);
  }

  #give(line: string, number: number): void {
    this.#sink(line, number, this.#words?.isIn(line) ?? false);
  }
}

const LINE_FEED = 0x0a;
/** Characters that what {@link decodeLine} changes begins with, the padding aside: one class is looked for fast. */
const TO_DECODE = /[^\t\r\x20-\x22\x24\x25\x27-\x7e]/;
const WIDE = ' '.repeat(24);
/** What stands around a line in the source of a web page. */
const TAG = /<\/?(?:span|div|pre|code|br|td|tr|th|p|li|a|b|i|font|samp|tt)(?: [^<>]{0,200})?\/?>/gi;
const BEGINS_WITH_TAG = /^<(?:span|div|pre|code|td|tr|p|li|a|b|font|samp|tt)[ >]/;
const ENTITY = /&(?:lt|gt|amp|quot|nbsp|#\d{1,7}|#x[\da-f]{1,6});/gi;
const ENTITIES: { readonly [name: string]: string } = { lt: '<', gt: '>', amp: '&', quot: '"', nbsp: ' ' };
const LAST_CODE_POINT = 0x10ffff;
/** Halves of a UTF-16 pair, which are no characters. */
const FIRST_SURROGATE = 0xd800;
const LAST_SURROGATE = 0xdfff;
const NOT_PLAIN = /[^\t\r\x20-\x7e]/;
const ESCAPE = String.fromCharCode(0x1b);
const BELL = String.fromCharCode(0x07);
/** ECMA-48 control sequences (CSI, charset selection, OSC up to its end), also as rsyslog writes an escape byte. */
const ESCAPES = new RegExp(
  `(?:${ESCAPE}|#033)${oneOf(
    /\[[0-9;?]{0,32}[ -/]?[@-~]/,
    /[()][0-9A-B]/,
    String.raw`\]\P{Cc}{0,256}(?:${BELL}|${ESCAPE}\\)`,
    /[=>78cDEHM]/,
  )}`,
  'gu',
);
/** Colours of which a web page or an editor has lost the escape byte, or shows it. */
const COLOURS = /(?:\^\[|\\(?:e|033|x1b))?\[(?:\d{1,2}(?:;\d{1,3}){0,4})?m/g;
const COLOURS_END = '[0m';
/** What word processors and blogs make of a minus. */
const MINUS = /[\u2012-\u2015\u2212](?=\d|E[A-Z]{3})/g;
/** Blanks that web pages, chats and word processors put in the place of a space, and marks of no width. */
const BLANKS = /[\u00a0\u2000-\u200a\u202f\u205f\u3000]/g;
const NO_WIDTH = /[\u200b-\u200f\u2060\ufeff]/g;
/** A terminal that breaks a line and pads it to its width leaves this many blanks in the middle of a word. */
const PADDING = /(?<=\S) {24,}(?=\S)/g;
const CONTROLS = /(?![\t\r])\p{Cc}/gu;

/**
 * The text of a latin1 line of LineSplitter: UTF-8 decoded, without escape sequences and control characters. A
 * carriage return inside the line stays, as it separates what a terminal would overprint.
 */
export function decodeLine(line: string): string {
  const tagged = line.endsWith('>') || BEGINS_WITH_TAG.test(line);
  const coloured = line.includes(COLOURS_END);
  if (!tagged && !coloured && !TO_DECODE.test(line) && !line.includes(WIDE)) return line;
  let text = Buffer.from(line, 'latin1').toString('utf8');
  if (NOT_PLAIN.test(text)) text = visible(mended(text).replace(ESCAPES, '')).replace(MINUS, '-');
  else if (text.includes('#033[')) text = text.replace(ESCAPES, '');
  if (coloured) text = text.replace(COLOURS, '');
  if (text.length > 80 && text.includes(WIDE)) text = text.replace(PADDING, '');
  if (tagged) text = text.replace(TAG, '');
  if (text.includes('#01')) text = text.replace(/#015$/, '').replaceAll('#011', '\t');
  return text.includes('&') ? text.replace(ENTITY, entity) : text;
}

/** What a mail program that took one encoding for another made of blanks: of all, and of those about a time stamp. */
const MANGLED = /\u00ef\u00bf\u00bd|\u00c2\u00a0/g;
const MANGLED_STAMP = /\[[\ufffd ]+(?=\d{1,5}\.\d{6}\])|(?<=\.\d{6}\])\ufffd[\ufffd ]*/g;

function mended(text: string): string {
  const blank = text.replace(MANGLED, ' ');
  return blank.includes('\ufffd') ? blank.replace(MANGLED_STAMP, (was) => (was.startsWith('[') ? '[ ' : ' ')) : blank;
}

/** The text without what is not seen of it. */
function visible(text: string): string {
  return text.replace(BLANKS, ' ').replace(NO_WIDTH, '').replace(CONTROLS, '');
}

/** What {@link decodeLine} leaves of the character that a web page's source writes so; the source where it is none. */
function entity(source: string): string {
  const name = source.slice(1, -1).toLowerCase();
  const known = ENTITIES[name];
  if (known !== undefined) return known;
  if (!name.startsWith('#')) return source;
  const code = name.startsWith('#x') ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
  const isCharacter = code <= LAST_CODE_POINT && !(code >= FIRST_SURROGATE && code <= LAST_SURROGATE);
  return isCharacter ? visible(String.fromCodePoint(code)) : source;
}
