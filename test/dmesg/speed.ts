import { Classifier } from '../../harness/verdict/classify.ts';

/** A second of a console that is neither quiet nor only debug output: what a boot with initcall_debug prints. */
const LINES: readonly string[] = [
  'usb 1-1: new high-speed USB device number 2 using xhci_hcd',
  'audit: type=1400 audit(1603.1:23): apparmor="STATUS" operation="profile_load" profile="unconfined" name="foo"',
  'EXT4-fs (sda1): mounted filesystem with ordered data mode. Opts: (null). Quota mode: none.',
  'pci 0000:00:1f.2: reg 0x10: [io  0xc040-0xc047]',
  'calling  foo_bar_init+0x0/0x30 @ 1',
  'initcall foo_bar_init+0x0/0x30 returned 0 after 12 usecs',
  'probe of 15000000.iommu returned 0 after 123 usecs',
  'systemd[1]: Started Journal Service for the machine.',
  'random: crng init done, and more words than that, so that the line is as long as lines are',
];
/** A warning every so many lines. */
const CRASH_EVERY = 4000;
const CRASH: readonly string[] = [
  '------------[ cut here ]------------',
  'WARNING: CPU: 0 PID: 1 at drivers/base/foo.c:10 foo_check+0x64/0xc8',
  'CPU: 0 PID: 1 Comm: swapper/0 Not tainted 6.1.0 #1',
  'pc : foo_check+0x64/0xc8',
  'Call trace:',
  ' foo_check+0x64/0xc8',
  ' bar_probe+0x3c/0x90',
  '---[ end trace 0000000000000000 ]---',
];
const CHUNK_LINES = 1000;

/** An oops as a machine prints it that runs into the same fault again and again. */
const OOPS: readonly string[] = [
  'Unable to handle kernel NULL pointer dereference at virtual address 0000000000000%x8',
  'Mem abort info:',
  '  ESR = 0x0000000096000004',
  '  EC = 0x25: DABT (current EL), IL = 32 bits',
  'Internal error: Oops: 0000000096000004 [#%d] PREEMPT SMP',
  'Modules linked in: foo bar baz',
  'CPU: 3 UID: 0 PID: %d Comm: kworker/3:1 Tainted: G      D W          6.12.0 #1',
  'Tainted: [D]=DIE, [W]=WARN',
  'Hardware name: linux,dummy-virt (DT)',
  'Workqueue: events_unbound deferred_probe_work_func',
  'pstate: 60400005 (nZCv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)',
  'pc : foo_check+0x10/0x20 [foo]',
  'lr : bar_probe+0x3c/0x90 [bar]',
  'sp : ffff800080003%x00',
  'x29: ffff800080003d70 x28: 0000000000000000 x27: ffff000008f45%x00',
  'Call trace:',
  ' foo_check+0x10/0x20 [foo]',
  ' bar_probe+0x3c/0x90 [bar]',
  ' platform_probe+0x68/0xd8',
  ' really_probe+0xbc/0x2a0',
  'Code: a9034fa0 d0007f73 29107fa0 91342273 (f9400020)',
  '---[ end trace 0000000000000000 ]---',
];

export interface ParserSpeed {
  readonly megabytes: number;
  /** CPU time, of which other programs take nothing. */
  readonly seconds: number;
  /** Resident set of the whole process at the end. */
  readonly residentMegabytes: number;
  readonly crashes: number;
}

/** Lines of a made log by their number. */
export type Made = (count: number) => readonly string[];

export const ordinaryLog: Made = (count) => {
  const line = LINES[count % LINES.length] ?? '';
  return count % CRASH_EVERY === 0 ? [...CRASH, line] : [line];
};

export const floodOfOopses: Made = (count) => {
  const oops = Math.floor(count / OOPS.length);
  const line = OOPS[count % OOPS.length] ?? '';
  return [line.replace('%d', String(oops)).replace('%x', (oops % 16).toString(16))];
};

/** Classifies `megabytes` (of 10^6 bytes) of made log, in chunks as a console gives them; making them is not timed. */
export function measureLogParser(megabytes: number, made: Made): ParserSpeed {
  const classifier = new Classifier();
  let bytes = 0;
  let seconds = 0;
  let count = 0;
  while (bytes < megabytes * 1e6) {
    const lines: string[] = [];
    for (let n = 0; n < CHUNK_LINES; n++, count++) {
      const stamp = `[${(count / 1000).toFixed(6).padStart(12)}] `;
      for (const line of made(count)) lines.push(stamp + line);
    }
    const chunk = Buffer.from(`${lines.join('\n')}\n`);
    seconds += cpuSeconds(() => classifier.push(chunk));
    bytes += chunk.length;
  }
  let crashes = 0;
  seconds += cpuSeconds(() => {
    crashes = classifier.finish('made', { knownIssues: [], today: '' }).crashes.length;
  });
  return { megabytes: bytes / 1e6, seconds, residentMegabytes: process.memoryUsage.rss() / 1e6, crashes };
}

function cpuSeconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
