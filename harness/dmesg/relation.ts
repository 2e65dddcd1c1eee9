import { isFatal } from '../model/crash.ts';
import type { Block } from './block.ts';
import type { Header } from './headers/header.ts';
import { BLOCKED } from './headers/lockups.ts';
import { isConsequence } from './headers/panic.ts';
import { type FoundHeader, HEADLESS } from './headers.ts';

/** Functions that one function was inlined into. */
const MAX_INLINED = 8;

/** The header of the same report once more, for the function that the one named in it was inlined into. */
function isInlinedCaller(block: Block, header: Header, time: number | null): boolean {
  return (
    !block.evident &&
    block.time === time &&
    block.total < MAX_INLINED &&
    header.kind === block.kind &&
    header.lead === block.header.lead &&
    header.frame !== null
  );
}

/** The same complaint once more, with nothing between the two. */
function isAgain(block: Block, header: Header): boolean {
  const { kind, cpu, comm, pid } = block.header;
  return !block.evident && header.kind === kind && header.cpu === cpu && header.comm === comm && header.pid === pid;
}

/** How a header relates to the report before it: a line of it, a consequence of it, or a report of its own. */
export function relation(
  block: Block,
  found: FoundHeader,
  time: number | null,
): 'head' | 'same' | 'inlined' | 'follow-up' | 'new' {
  const { header } = found;
  // A task that a report shows, unless it is the next one of a list.
  const isList = block.header === HEADLESS ? !block.evident : block.header.lead === BLOCKED && block.evident;
  if (header.lead === BLOCKED && !block.ended && !isList) return 'same';
  // The part of a dump that came before the one that has been read.
  const earlier = time !== null && block.time !== null && time < block.time;
  if (block.header === HEADLESS && earlier && isFatal(header.kind) && found.panicMessage === null) return 'head';
  if (earlier && block.panicked && header.die !== null && block.die === null) return 'same';
  if (found.panicMessage !== null) {
    if (block.panicked) return 'follow-up';
    return block.fatal || block.ledToFatal || isConsequence(found.panicMessage, block) ? 'follow-up' : 'new';
  }
  if (block.panicked) return 'follow-up';
  if (isInlinedCaller(block, header, time)) return 'inlined';
  // `BUG: memory leak`, which a fuzzer puts before what kmemleak says.
  if (header.kind === 'memleak' && block.kind === 'memleak' && !block.evident) return 'same';
  // A CPU that is stuck is reported every few seconds, and only the lines that say so may have been kept.
  if (header.kind === 'soft-lockup' && isAgain(block, header)) return 'same';
  if (!block.evident && !(block.atStart && block.header.sure) && found.header.die === null) return 'new';
  if (header.lead === block.header.lead && header.kind === 'other' && !block.evident) return 'same';
  const dies = header.die !== null;
  if (dies && block.die === null && !block.ended && (block.fatal || block.kind === 'ubsan')) return 'same';
  if (block.fatal) {
    // A kernel that lost several tasks one after the other has several reports; only what follows at once is a
    // consequence.
    return 'follow-up';
  }
  if (
    isFatal(header.kind) &&
    !header.survives &&
    (block.kind === 'kasan' || block.kind === 'kfence' || block.kind === 'ubsan')
  )
    return 'follow-up';
  return 'new';
}
