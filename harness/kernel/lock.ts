import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { execa } from 'execa';
import { fileSystemError } from './cache.ts';
import { cancelled } from './cancel.ts';

export interface Lock {
  /** The open lock file: a child that inherits it as a standard descriptor keeps the lock while it lives. */
  readonly file: WriteStream;
  release(): Promise<void>;
}

/**
 * Takes the lock file at `path` for this process, waiting for whoever has it; `onWait` is called once before a wait.
 *
 * The lock belongs to the open file description (flock(2)), which flock(1) shares with us through its standard
 * descriptor 3. The kernel drops it when the last holder is gone, so no kill leaves a stale lock, and a killed harness
 * holds it until its compilers are dead as well.
 */
export async function takeLock(path: string, onWait: () => void, signal?: AbortSignal): Promise<Lock> {
  const file = createWriteStream(path, { flags: 'a' });
  const release = async () => {
    file.end();
    await once(file, 'close');
  };
  try {
    await once(file, 'open');
  } catch (error) {
    throw fileSystemError(error, path, 1);
  }
  const flock = (...options: string[]) =>
    execa('flock', [...options, '3'], {
      stdio: ['ignore', 'ignore', 'pipe', file],
      reject: false,
      ...cancelled(signal),
    });
  try {
    const attempt = await flock('--exclusive', '--nonblock');
    if (attempt.exitCode !== 0) {
      onWait();
      const waited = await flock('--exclusive');
      if (waited instanceof Error) throw waited;
    }
  } catch (error) {
    await release();
    throw error;
  }
  return { file, release };
}
