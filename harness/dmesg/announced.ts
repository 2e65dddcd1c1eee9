import type { Header } from './headers/header.ts';
import { HEADLESS } from './headers.ts';
import { DIED } from './reporters.ts';

/** Lines of a sentence before the trace that it introduces. */
const SENTENCE_LINES = 3;

const NULL_DEREFERENCE: Header = {
  ...HEADLESS,
  kind: 'null-deref',
  lead: 'unable to handle kernel NULL pointer dereference',
};

const ANNOUNCED: readonly { readonly words: RegExp; readonly header: Header }[] = [
  { words: /\bNULL[- ](?:pointer[- ])?(?:deref\w*|access|exception)/i, header: NULL_DEREFERENCE },
  { words: /\b(?:(?:im)?precise|a?synchronous) external abort\b/i, header: DIED },
  { words: /\b(?:(?:kernel|null) (?:oops|crash\w*|panic\w*)|oops(?:es)?)\b/i, header: DIED },
];

/** lockdep's chain, of which only a deadlock's report has links: kernel/locking/lockdep.c. */
export const ANNOUNCED_CHAIN: Header = { ...HEADLESS, kind: 'lockdep', lead: 'possible deadlock' };

/** kasan_non_canonical_hook(), mm/kasan/report.c: only the report of a fault has the line. */
const RANGE = /^KASAN: (?:maybe |probably )?(null-ptr-deref|(?:wild|user)-memory-access) in range \[/;
const WILD: Header = { ...HEADLESS, kind: 'paging-request', lead: 'unable to handle kernel paging request' };

/** What a line of KASAN's says of the fault that it belongs to. */
export function announcedByRange(text: string): Header | null {
  const [, what] = RANGE.exec(text) ?? [];
  if (what === undefined) return null;
  return what === 'null-ptr-deref' ? NULL_DEREFERENCE : WILD;
}

/** Where traces begin that somebody asked for, or that a report dumped which did not stop the task. */
const DUMPED = /^(?:dump_(?:backtrace|stack)\w*|show_stack\w*|unwind_backtrace|__switch_to|__schedule|sched_show_task)/;

/**
 * What a text calls the trace that it quotes without its head: `results in the following NULL pointer dereference:`.
 * The sentence has to end with a colon right before the trace.
 */
export function announcedBy(lines: readonly string[]): Header | null {
  const words = lines.map((line) => line.replace(/^[\s>|#]+/, '').trimEnd());
  const end = words.findLastIndex((line) => line !== '');
  if (end < 0 || words[end]?.endsWith(':') !== true) return null;
  const begin = words.lastIndexOf('', end) + 1;
  const sentence = words.slice(Math.max(begin, end + 1 - SENTENCE_LINES), end + 1).join(' ');
  return ANNOUNCED.find((what) => what.words.test(sentence))?.header ?? null;
}

/** Whether a trace that begins like this is of a task that something stopped. */
export function mayBeAnnounced(innermost: string | undefined): boolean {
  return innermost !== undefined && !DUMPED.test(innermost);
}
