import { z } from 'zod';
import type { Classification } from '../../harness/verdict/classify.ts';

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** What a recorded log is expected to mean: the parts of a classification that the case is about. */
export type Expectation = { [key: string]: Json };

const expectationSchema: z.ZodType<Expectation> = z.record(z.string(), z.json());

export function parseExpectation(text: string): Expectation {
  return expectationSchema.parse(JSON.parse(text));
}

export function formatExpectation(expected: Expectation): string {
  return `${JSON.stringify(expected, null, 2)}\n`;
}

/** Of a crash that nothing was expected of so far. */
const CRASH_FIELDS = ['line', 'lastLine', 'kind', 'title', 'function'];
/** Parts that are recorded of a new log wherever they are not empty. */
const LOG_FIELDS = ['deferrals', 'bound', 'failed', 'rejected', 'inFlight'];

/**
 * What `found` says about the parts that `before` speaks of, in the same order; of a crash that `before` does not have, its place and its name. Where
 * there was no expectation: the verdict, the crashes, and each part of the log that is not empty.
 */
export function updatedExpectation(found: Classification, before: Expectation | null): Expectation {
  const all = parseExpectation(JSON.stringify(found));
  const crashes = [all.crashes ?? []].flat();
  if (before !== null) return { ...project(all, before), crashes: projectCrashes(crashes, before.crashes ?? []) };
  const parts = LOG_FIELDS.flatMap((name) => {
    const value = all[name] ?? null;
    return value === null || (Array.isArray(value) && value.length === 0) ? [] : [[name, value]];
  });
  return { verdict: found.verdict, crashes: projectCrashes(crashes, []), ...Object.fromEntries(parts) };
}

function projectCrashes(crashes: readonly Json[], before: Json): Json {
  const known = [before].flat();
  return crashes.map((crash, n) =>
    projectValue(crash, known[n] ?? Object.fromEntries(CRASH_FIELDS.map((f) => [f, null]))),
  );
}

function projectValue(found: Json, before: Json): Json {
  if (Array.isArray(found))
    return Array.isArray(before) ? found.map((item, n) => projectValue(item, before[n] ?? before[0] ?? item)) : found;
  return isObject(found) && isObject(before) ? project(found, before) : found;
}

function project(found: Expectation, before: Expectation): Expectation {
  const parts = Object.entries(before).flatMap(([name, old]) => {
    const value = found[name];
    return value === undefined ? [] : [[name, projectValue(value, old)]];
  });
  return Object.fromEntries(parts);
}

function isObject(value: Json): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
