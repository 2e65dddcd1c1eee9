import { readdir, readFile, readlink } from 'node:fs/promises';

/**
 * Command lines of the processes that work below `folder`, or name it, this one left out. A guest's command line names
 * no file, as QEMU gets its files open; its working directory (proc(5), /proc/PID/cwd) is told even when it is deleted.
 */
export async function processesIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0').join(' ').trim();
    const place = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    // Without words: ended, and not yet waited for.
    if (words !== '' && (place.startsWith(folder) || words.includes(folder))) found.push(words);
  }
  return found;
}

/** Of those, the guests. */
export async function guestsIn(folder: string): Promise<string[]> {
  return (await processesIn(folder)).filter((words) => words.startsWith('qemu-system-aarch64'));
}
