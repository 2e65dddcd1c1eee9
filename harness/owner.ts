import { createHash } from 'node:crypto';
import { lstat, readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

/** Whose something is that a process has begun and not finished, so that what a killed one left can be removed. */

/**
 * Start time of a process in clock ticks after boot, or null when there is none: with the pid it names a process for
 * good (proc(5), /proc/PID/stat field 22; field 2 may hold spaces and brackets, hence the search for the last bracket).
 */
async function startTime(pid: string): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const START_TIME_AFTER_NAME = 22 - 3;
    return afterName[START_TIME_AFTER_NAME] ?? null;
  } catch {
    return null;
  }
}

/**
 * What another machine or container has left is removed when nothing in it has changed for so long: whether its owner
 * lives cannot be asked.
 */
const FOREIGN_MS = 7 * 24 * 60 * 60 * 1000;

/**
 * What a process id is one of: the boot of a kernel and a namespace in it (proc(5), boot_id; namespaces(7)). Containers
 * of a host share the first alone.
 */
async function findPidSpace(): Promise<string> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => hostname());
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '');
  return createHash('sha256').update(`${boot} ${namespace}`).digest('hex').slice(0, PID_SPACE_DIGITS);
}

const PID_SPACE_DIGITS = 12;

let space: Promise<string> | null = null;

function pidSpace(): Promise<string> {
  space ??= findPidSpace();
  return space;
}

/**
 * Names this process for good, also where the folder that it stands in is shared between machines: `pid-start-space`.
 */
export async function ownerToken(): Promise<string> {
  return `${process.pid}-${await startTime('self')}-${await pidSpace()}`;
}

/** Process of an {@link ownerToken}, or of a name that begins with one; null for one that cannot be seen from here. */
export async function ownerPid(token: string): Promise<number | null> {
  const [pid, , theirs] = token.split('-');
  return theirs === (await pidSpace()) ? Number(pid) : null;
}

/** Whether what stands at `path`, whose name begins with an {@link ownerToken}, belongs to nobody any more. */
export async function isAbandoned(token: string, path: string): Promise<boolean> {
  const [pid = '', start, theirs] = token.split('-');
  if (theirs === (await pidSpace())) return (await startTime(pid)) !== start;
  const found = await lstat(path).catch(() => null);
  return found !== null && found.mtimeMs < Date.now() - FOREIGN_MS;
}
