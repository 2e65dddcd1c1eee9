import type { Verdict } from '../model/verdict.ts';
import type { Entry } from './entry.ts';

/** What one search came to, as far as the table needs it. */
interface SearchResult {
  readonly found: { readonly boot: number; readonly part: string } | null;
  readonly boots: number;
  /** Distinct outcomes other than a pass, the symptom among them. */
  readonly outcomes: readonly { readonly verdict: Verdict; readonly signature: string | null }[];
}

export interface EntryResult {
  readonly entry: Entry;
  /** What kept the entry from an answer; null where it has one. */
  readonly problem: string | null;
  /** On the kernel with the bug. */
  readonly found: SearchResult | null;
  /** The same search on the kernel without. */
  readonly clean: SearchResult | null;
  /** The same budget at random, where that was asked for. */
  readonly atRandom: SearchResult | null;
  readonly sentence: { readonly sentence: string; readonly boots: number; readonly file: string } | null;
}

/** `missing`: there is no answer. */
type Judgement = 'as-expected' | 'unexpected' | 'missing';

/** Found on the kernel with the bug and not on the one without; the opposite for what is out of reach. */
export function judgeEntry({ entry, problem, found, clean }: EntryResult): Judgement {
  if (problem !== null || found === null || clean === null) return 'missing';
  const isFound = found.found !== null;
  return isFound === (entry.outOfReach === null) && clean.found === null ? 'as-expected' : 'unexpected';
}
