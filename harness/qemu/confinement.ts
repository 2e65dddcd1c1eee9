import { closeSync, fstatSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { resolve } from 'node:path';
import { execa } from 'execa';
import { boundTo } from '../launch.ts';
import { type GuestWords, QEMU, type RenameFile } from './command.ts';

/** What keeps a guest that got out of its machine from doing harm. */
export interface Confinement {
  /** QEMU's own words for it. */
  readonly sandbox: readonly string[];
  /** Whose rights QEMU runs with; null for those of the caller. Not by its `-runas` ({@link boundTo}). */
  readonly user: number | null;
}

/**
 * QEMU's own seccomp filter (qemu-options, `-sandbox`): a guest that got out of its machine could start no program and
 * gain no privilege. A build without it, or a container that forbids it, refuses the option: then guests run without.
 */
const SANDBOX = ['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'];

/** The user and group that own no file (Linux, DEFAULT_OVERFLOWUID in include/linux/highuid.h). */
const NOBODY = 65534;

const TRIAL_TIMEOUT_MS = 10_000;

/**
 * How guests are confined on this machine: in QEMU's sandbox where its build has one, and not as root where the caller
 * is root and may become somebody else. Found out once a run, by a machine without parts.
 */
export function confinement(): Promise<Confinement> {
  found ??= findConfinement(process.getuid?.() === 0);
  return found;
}

let found: Promise<Confinement> | undefined;

async function findConfinement(isRoot: boolean): Promise<Confinement> {
  for (const user of isRoot ? [NOBODY, null] : [null])
    for (const sandbox of [SANDBOX, []]) if (await works({ sandbox, user })) return { sandbox, user };
  return { sandbox: [], user: null };
}

async function works({ sandbox, user }: Confinement): Promise<boolean> {
  const machine = ['-M', 'none', '-nodefaults', '-display', 'none', '-monitor', 'stdio'];
  // Its monitor does not end with its standard input: bound, or it outlives a caller that is killed before it said so.
  const how = { signal: 'KILL', script: 'exec "$@"', user } as const;
  const [program = '', ...words] = boundTo(process.pid, how, [QEMU, ...sandbox, ...machine]);
  const { failed } = await execa(program, words, { input: 'quit\n', reject: false, timeout: TRIAL_TIMEOUT_MS });
  return !failed;
}

/** Permission of others to read (stat(2), S_IROTH). */
const OTHERS_READ = 0o004;

/** What QEMU is started with. */
interface Handover {
  readonly words: string[];
  /** Descriptors of this process that it gets, from `firstFd` on; the caller closes them. */
  readonly descriptors: readonly number[];
  readonly user: number | null;
}

/**
 * QEMU's words for whom it runs as. Another user has no way to files below the caller's home: it gets them open, and
 * what it writes stays the caller's own. Where it may not even read one that is open, QEMU runs as the caller.
 */
export function handOver(
  words: GuestWords,
  { sandbox, user }: Confinement,
  { cwd, firstFd }: { readonly cwd: string; readonly firstFd: number },
): Handover {
  if (user !== null) {
    const descriptors: number[] = [];
    try {
      const sets: string[] = [];
      const rename: RenameFile = (role, path) => {
        // Everybody may write there; QEMU's -add-fd cannot cut it, as it does what it opens (ftruncate(2): EINVAL).
        if (path === devNull) return path;
        const isOutput = role === 'firmwareLog';
        const descriptor = openSync(resolve(cwd, path), isOutput ? 'w' : 'r');
        const fd = firstFd + descriptors.push(descriptor) - 1;
        if (isOutput) {
          // Opened anew by its name in /proc, a file asks again for the right to write (QEMU, -add-fd, /dev/fdset).
          sets.push('-add-fd', `fd=${fd},set=${fd}`);
          return `/dev/fdset/${fd}`;
        }
        if ((fstatSync(descriptor).mode & OTHERS_READ) === 0) throw new Error(`${path} is not for others`);
        return `/proc/self/fd/${fd}`;
      };
      const named = words(rename);
      return { words: [...sandbox, ...sets, ...named], descriptors, user };
    } catch {
      // Whatever it is, the caller can do without; what is missing is for QEMU to say.
      for (const descriptor of descriptors) closeSync(descriptor);
    }
  }
  return { words: [...sandbox, ...words((_role, path) => path)], descriptors: [], user: null };
}
