import type { Crash } from '../dmesg/events.ts';
import { isDispatcher } from '../dmesg/roles.ts';
import { endsBoot, type LogSummary } from '../dmesg/summary.ts';
import { crashFacts } from '../model/crash.ts';
import type { CrashOfBoot } from './why-roots.ts';

/** mount_root_generic(), init/do_mounts.c: what is said of the root file system tells that. */
const OF_ROOT = /VFS: Unable to mount root/;

/** The first crash of a boot that it did not survive; null where there is none. */
export function crashOfBoot({ crashes, root }: LogSummary): CrashOfBoot | null {
  const crash = crashes.find((one) => endsBoot(one) && (root === null || !OF_ROOT.test(one.title)));
  if (crash === undefined) return null;
  const { title, line, kind, followUps } = crash;
  const panics = crashFacts(kind).verdict === 'panic' || followUps.some((one) => one.kind === 'panic');
  return { title, line, probe: probeOf(crash), panics };
}

/** A driver's own function is further in than what calls it: call_driver_probe(), drivers/base/dd.c. */
export function probeOf({ probing, trace }: Crash): string | null {
  if (probing !== null) return `${probing.driver}, of ${probing.device}`;
  const at = trace.findIndex((frame) => frame.function === 'really_probe');
  const inside = trace.slice(0, Math.max(0, at)).map((frame) => frame.function);
  return inside.findLast((name) => name.includes('probe') && !isDispatcher(name)) ?? null;
}
