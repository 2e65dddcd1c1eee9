import { stripVTControlCharacters } from 'node:util';

/**
 * What may be printed. Logs, records, file names and error messages hold what a guest or a stranger wrote: it must not
 * drive the terminal or the CI that shows it, nor read other than it is. Everything that is printed goes through here.
 */

/** Unicode Cc and Cf (the bidirectional overrides are there) and the two separators that end a line for some. */
const UNSEEN = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;
/** The same but for tabulators and line feeds, and for carriage returns in front of these. */
const UNSEEN_IN_LINES = /(?![\t\n]|\r\n)[\p{Cc}\p{Cf}\u2028\u2029]/gu;
const ESCAPE = '\u001b';
/** Select graphic rendition (ECMA-48, SGR), which report/paint.ts uses. */
const COLOUR = new RegExp(`(${ESCAPE}\\[[\\d;]*m)`);

/**
 * Commands to a CI that reads its jobs' output: `::error::` at the start of a line on GitHub (actions/runner,
 * ActionCommand.cs, version 2), `##[error]` there anywhere in a line (version 1), `##vso[...]` on Azure,
 * `##teamcity[...]`. A space makes them text. Lines may be broken at any space, so that every word may come to stand
 * first.
 */
function withoutCommands(text: string): string {
  return text.replace(/#(?=#\w*\[)/g, '# ').replace(/(?<=^|\s):(?=:[A-Za-z])/g, ': ');
}

/**
 * A text as one line that is safe to show: escape sequences are removed, other control and formatting characters become
 * spaces, and what a CI would take for a command is none any more.
 */
export function printable(text: string): string {
  return withoutCommands(stripVTControlCharacters(text).replace(UNSEEN, ' '));
}

/** The same for text of several lines. */
export function printableLines(text: string): string {
  return withoutCommands(stripVTControlCharacters(text).replace(UNSEEN_IN_LINES, ' '));
}

/** The same for text that the harness has painted: colours stay. They are all that a stranger's words could bring. */
export function printablePainted(text: string): string {
  return text
    .split(COLOUR)
    .map((part, index) => (index % 2 === 1 ? part : printableLines(part)))
    .join('');
}

/** JSON of the same value whose text is safe to show: what would not be is escaped (RFC 8259, section 7). */
export function printableJson(value: unknown, indent = 1): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return `${JSON.stringify(value, null, indent)
    .replace(/(?!\n)[\p{Cc}\p{Cf}\u2028\u2029]/gu, (found) => found.split('').map(escaped).join(''))
    .replace(/#(?=#\w*\[)/g, escaped)}\n`;
}

/** Longest part of a line that waits for its end. */
const WAITING_MAX = 4096;

/** A console as it comes: whole lines are handed on, safe to show. */
export class PrintableStream {
  readonly #decoder = new TextDecoder();
  #waiting = '';

  push(bytes: Uint8Array): string {
    const text = this.#waiting + this.#decoder.decode(bytes, { stream: true });
    const end = text.length > WAITING_MAX ? text.length : text.lastIndexOf('\n') + 1;
    this.#waiting = text.slice(end);
    return printableLines(text.slice(0, end));
  }

  /** What was left of a last line. */
  end(): string {
    const rest = this.#waiting;
    this.#waiting = '';
    return printableLines(rest);
  }
}
