import { driverCoreEvent } from './drivercore.ts';
import type { DmesgEvent } from './events.ts';

/** `DRIVER DEVICE:` and more than one blank: lines that a person aligned. */
const ALIGNED = /^((?:[\w.,-]{1,64} )?[\w.,@:/-]{1,128}:) {2,40}(?=\S)/;
/** What stands in a sentence between the marks of code (Markdown). */
const INLINE = /`([^`]{2,400})`/g;
const OF_PROBE = /deferred probe|probe with driver|: probe of|EPROBE_DEFER|-517\b|probe deferral|failed to bind /;

/** The event of a message of the driver core that a person edited: aligned with others, or quoted in a sentence. */
export function editedEvent(
  text: string,
  at: { readonly line: number; readonly time: number | null },
): DmesgEvent | null {
  if (!OF_PROBE.test(text)) return null;
  if (ALIGNED.test(text)) return driverCoreEvent(text.replace(ALIGNED, '$1 '), at);
  if (at.time !== null) return null;
  const quoted = [...text.matchAll(INLINE)].map(([, code = '']) => code).find((code) => OF_PROBE.test(code));
  return quoted === undefined ? null : driverCoreEvent(quoted, at);
}
