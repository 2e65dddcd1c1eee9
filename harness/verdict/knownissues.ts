import { z } from 'zod';
import type { Crash } from '../dmesg/events.ts';
import { matchesGlob } from '../regex.ts';
import { parseYaml, strictMap } from '../yaml.ts';

/** A warning or a stuck deferral that is known and accepted until a date. */
export interface KnownIssue {
  readonly match: { readonly signature: string } | { readonly device: string };
  readonly reason: string;
  readonly link: string;
  /** Last day on which the entry counts, `2026-12-31`. */
  readonly expires: string;
  /** Where the entry stands, for messages. */
  readonly place: string;
}

const DATE = /^\d{4}-\d\d-\d\d$/;
const Entry = strictMap({
  signature: z.string().min(3).optional(),
  device: z.string().min(1).optional(),
  reason: z.string().min(1),
  link: z.string().min(1),
  expires: z.string().regex(DATE, { error: 'expected a date such as 2026-12-31' }),
}).refine((entry) => (entry.signature === undefined) !== (entry.device === undefined), {
  error: 'expected either a signature or a device',
});
const File = z.array(Entry);

/**
 * Reads known-issues.yaml: a list of entries with `signature` or `device` (`*` stands for any text), `reason`, `link`
 * and `expires`.
 *
 * @throws InputError with file and line
 */
export function parseKnownIssues(text: string, file: string): KnownIssue[] {
  if (text.trim() === '') return [];
  const { value, at } = parseYaml(text, file, File);
  return value.map((entry, index) => ({
    match: entry.signature === undefined ? { device: entry.device ?? '' } : { signature: entry.signature },
    reason: entry.reason,
    link: entry.link,
    expires: entry.expires,
    place: at([index]),
  }));
}

export function excusesCrash(issue: KnownIssue, crash: Crash): boolean {
  if (!('signature' in issue.match)) return false;
  const { signature } = issue.match;
  return matchesGlob(signature, crash.signature) || matchesGlob(signature, crash.title);
}

export function excusesDevice(issue: KnownIssue, device: string): boolean {
  return 'device' in issue.match && matchesGlob(issue.match.device, device);
}

/** @param today `2026-11-22` */
export function isExpired(issue: KnownIssue, today: string): boolean {
  return issue.expires < today;
}
