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

export interface ParserSpeed {
  readonly megabytes: number;
  readonly seconds: number;
  /** Resident set of the whole process at the end. */
  readonly residentMegabytes: number;
  readonly crashes: number;
}

/** Classifies `megabytes` (of 10^6 bytes) of made log, in chunks as a console gives them; making them is not timed. */
export function measureLogParser(megabytes: number): ParserSpeed {
  const classifier = new Classifier();
  let bytes = 0;
  let milliseconds = 0;
  let count = 0;
  while (bytes < megabytes * 1e6) {
    const lines: string[] = [];
    for (let n = 0; n < CHUNK_LINES; n++, count++) {
      const stamp = `[${(count / 1000).toFixed(6).padStart(12)}] `;
      if (count % CRASH_EVERY === 0) lines.push(...CRASH.map((line) => stamp + line));
      lines.push(`${stamp}${LINES[count % LINES.length]}`);
    }
    const chunk = Buffer.from(`${lines.join('\n')}\n`);
    const started = performance.now();
    classifier.push(chunk);
    milliseconds += performance.now() - started;
    bytes += chunk.length;
  }
  const started = performance.now();
  const result = classifier.finish('made', { knownIssues: [], today: '' });
  milliseconds += performance.now() - started;
  return {
    megabytes: bytes / 1e6,
    seconds: milliseconds / 1000,
    residentMegabytes: process.memoryUsage.rss() / 1e6,
    crashes: result.crashes.length,
  };
}
