import type { BootOfLog, BootsOfLog, LogSummary } from '../dmesg/summary.ts';
import { whyUnbound } from './why.ts';
import { leftOpen, type Why } from './why-roots.ts';

/** What `why` answers for a log, and the summary of the boot that it is of. */
export interface WhyOfBoot {
  readonly found: Why;
  readonly summary: LogSummary;
}

/**
 * What is not bound in the last boot of a log, or where everything is, in the last that has something that is not, or
 * else in the last that has a kernel.
 */
export function whyOfBoots({ earlier: parts, last }: BootsOfLog): WhyOfBoot {
  const [first, ...later] = parts;
  const next = later[0] ?? last;
  const earlier = first !== undefined && isQuoted(first, next) ? later : parts;
  const of = earlier.length + 1;
  const whyOf = ({ line, summary }: BootOfLog, index: number): WhyOfBoot => {
    const found = whyUnbound(summary);
    return { found: of === 1 ? found : { ...found, boot: { number: index + 1, of, line } }, summary };
  };
  const ofLast = whyOf(last, earlier.length);
  if (hasTrouble(ofLast) || ofLast.found.crash !== null) return ofLast;
  const others = earlier.map(whyOf);
  return others.findLast(hasTrouble) ?? [...others, ofLast].findLast(isOfKernel) ?? ofLast;
}

/** A mail, or a boot loader whose lines have stamps, has no more lines before the log. */
const MOST_QUOTED = 256;

/** Whether what stands before the first line of a boot is none: lines of it that somebody quotes, or a boot loader. */
function isQuoted({ line, summary }: BootOfLog, next: BootOfLog): boolean {
  const { banner, started, shutdown, crashes } = summary;
  const isOfBoot = banner !== null || started || shutdown || crashes.length > 0;
  return !isOfBoot && next.summary.banner !== null && next.line - line <= MOST_QUOTED;
}

/** Whether a kernel speaks in it: after a reset, a log may end in the boot loader. */
function isOfKernel({ summary: { banner, devices, heard } }: WhyOfBoot): boolean {
  return banner !== null || devices.size + heard.size > 0;
}

function hasTrouble({ found }: WhyOfBoot): boolean {
  return leftOpen(found) + found.rejected.length > 0 || found.rootDevice !== null;
}
