import type { Words } from '../dmesg/complaints.ts';
import { ERROR_NUMBER } from '../dmesg/deferral.ts';
import type { Crash } from '../dmesg/events.ts';
import { isDispatcher } from '../dmesg/roles.ts';
import { endsBoot, type LogSummary } from '../dmesg/summary.ts';
import { crashFacts } from '../model/crash.ts';
import { lackedBy } from './why-guesses.ts';
import { WANTS, type Want } from './why-kinds.ts';
import type { CrashOfBoot, Root, WarnedProvider } from './why-roots.ts';

/** mount_root_generic(), init/do_mounts.c: what is said of the root file system tells that. */
const OF_ROOT = /VFS: Unable to mount root/;

/** Who retries what is deferred (drivers/base/dd.c): after a crash in it, nobody does. */
const RETRIES = 'deferred_probe_work_func';
/** Nobody else speaks in between, besides other reports. */
const JUST_BEFORE = 4;

/** The first crash of a boot that it did not survive; null where there is none. */
export function crashOfBoot(summary: LogSummary): CrashOfBoot | null {
  const { crashes, root } = summary;
  const crash = crashes.find((one) => endsBoot(one) && (root === null || !OF_ROOT.test(one.title)));
  if (crash === undefined) return null;
  const { title, line, kind, followUps, trace } = crash;
  const panics = crashFacts(kind).verdict === 'panic' || followUps.some((one) => one.kind === 'panic');
  const endsRetries = !panics && trace.some((frame) => frame.function === RETRIES);
  return { title, line, probe: probeOf(crash), before: before(crash, summary), panics, endsRetries };
}

/** What was said last of the device that was probed, or of an error just before a crash in a probe. */
function before({ line, trace, probing }: Crash, { complaints, crashes }: LogSummary): Words | null {
  if (!trace.some((frame) => frame.function === 'really_probe' || frame.function === RETRIES)) return null;
  const all = [...complaints.values()].map((said) => ({ said, last: said.lastLine ?? said.line }));
  const earlier = all.filter(({ last }) => last < line).sort((a, b) => b.last - a.last);
  const own = earlier.find(({ said }) => said.device === probing?.device);
  if (own !== undefined) return own.said;
  const [latest] = earlier;
  if (latest === undefined || !ERROR_NUMBER.test(latest.said.words)) return null;
  const between = crashes.filter((one) => one.line > latest.last && one.lastLine < line);
  const reported = between.reduce((sum, one) => sum + one.lastLine - one.line + 1, 0);
  return line - latest.last - reported <= JUST_BEFORE ? latest.said : null;
}

/** A driver's own function is further in than what calls it: call_driver_probe(), drivers/base/dd.c. */
export function probeOf({ probing, trace, function: blamed }: Crash): string | null {
  if (probing !== null) return `${probing.driver}, of ${probing.device}`;
  const at = trace.findIndex((frame) => frame.function === 'really_probe');
  if (at === -1) return null;
  // The function that crashes need not be in the trace: on arm it is named before that.
  const inside = [blamed ?? '', ...trace.slice(0, at).map((frame) => frame.function)];
  return inside.findLast((name) => name.includes('probe') && !isDispatcher(name)) ?? null;
}

/** The first warning in a call of each function by which a provider is made known that somebody lacks. */
export function warnedProviders({ crashes }: Pick<LogSummary, 'crashes'>, roots: readonly Root[]): WarnedProvider[] {
  /** By kind, where a root lacks it last. */
  const lacked = new Map<Want, number>();
  for (const root of roots) {
    const want = lackedBy(root);
    const wants = want === null && root.cause.cause === 'timed-out' ? WANTS.filter(({ timesOut }) => timesOut) : [want];
    for (const one of wants) if (one !== null) lacked.set(one, Math.max(lacked.get(one) ?? 0, root.line ?? Infinity));
  }
  return WANTS.flatMap((want) => {
    const { noun, registered } = want;
    if (registered === undefined) return [];
    for (const { kind, title, line, trace } of crashes) {
      // What comes after is no cause of it.
      if (kind !== 'warning' || line > (lacked.get(want) ?? 0)) continue;
      const at = trace.findLastIndex((frame) => registered.test(frame.function));
      const by = trace[at + 1]?.function;
      if (at !== -1 && by !== undefined) return [{ noun, by, title, line }];
    }
    return [];
  });
}
