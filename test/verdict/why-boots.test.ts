import { describe, expect, it } from 'vitest';
import { DmesgParser } from '../../harness/dmesg/parser.ts';
import { BootSummaries } from '../../harness/dmesg/summary.ts';
import { formatWhy } from '../../harness/report/why.ts';
import { whyOfBoots } from '../../harness/verdict/why-boots.ts';

function whyOf(...lines: string[]) {
  const parser = new DmesgParser(null, 'complaints');
  const boots = new BootSummaries();
  for (const event of [...parser.push(Buffer.from(`${lines.join('\n')}\n`)), ...parser.end()]) boots.add(event);
  return whyOfBoots(boots.finish(parser)).found;
}
const BANNER = '[    0.000000] Linux version 6.6.3 (gadget)';
const INIT = '[    2.500000] Run /init as init process';
const failed = (device: string) => `[    1.000000] gadget ${device}: probe with driver gadget failed with error -22`;
const fine = '[    1.000000] gadget 9000.dev: ready';
const unboundIn = (...lines: string[]) => whyOf(...lines).roots.map(({ name }) => name);

describe('a log of several boots', () => {
  it('is answered for the last one, in which what failed before may work', () => {
    const boots = [BANNER, failed('1000.dev'), INIT, 'U-Boot 2024.01', BANNER, failed('2000.dev'), INIT];
    expect(unboundIn(...boots)).toEqual(['2000.dev']);
    expect(whyOf(...boots).boot).toEqual({ number: 2, of: 2, line: 4 });
    expect(formatWhy(whyOf(...boots))).toMatch(
      /^The log has 2 boots: this is of the last one, from line 4\.\n\nNo device is said to wait; 1 probe failed:/,
    );
  });

  it('is none where lines of the boot are quoted before it, which may be settled in it', () => {
    const quoted = ['Hi all,', '> [    1.000000] gadget 1000.dev: probe with driver gadget failed with error -22', ''];
    const found = whyOf(...quoted, BANNER, fine, INIT);
    expect(found).toMatchObject({ boot: null, roots: [] });
    const earlier = [failed('1000.dev'), '[    3.000000] reboot: Restarting system'];
    expect(whyOf(...earlier, BANNER, fine, INIT)).toMatchObject({ boot: { number: 1, of: 2 } });
    const many = Array.from({ length: 300 }, (_, n) => `[    1.100000] gadget ${n}.dev: ready`);
    expect(whyOf(failed('1000.dev'), ...many, BANNER, fine, INIT)).toMatchObject({ boot: { number: 1, of: 2 } });
  });

  it('is answered for the last boot that leaves something open, and says so', () => {
    const boots = [BANNER, failed('1000.dev'), INIT, 'U-Boot 2024.01', BANNER, fine, INIT];
    expect(unboundIn(...boots)).toEqual(['1000.dev']);
    expect(formatWhy(whyOf(...boots))).toContain(
      'this is of number 1, from line 1, the last that leaves something open',
    );
    const well = whyOf(BANNER, fine, INIT, 'U-Boot 2024.01', BANNER, fine, INIT);
    expect(well).toMatchObject({ unbound: 0, boot: { number: 2, of: 2 } });
  });

  it('is answered for the last boot that has a kernel, where it ends in the boot loader', () => {
    const cut = whyOf(BANNER, fine, INIT, 'U-Boot SPL 2024.01', 'spl: mmc init failed with error: -123');
    expect(cut.boot).toEqual({ number: 1, of: 2, line: 1 });
    expect(formatWhy(cut)).toContain('this is of number 1, from line 1, the last that has a kernel.');
  });

  it('is one of a single boot where pieces of it stand in another order', () => {
    const pieces = [
      '[   15.000000] gadget 3000.dev: ready',
      failed('1000.dev'),
      `[   20.0] ${fine}`,
      failed('2000.dev'),
    ];
    expect(unboundIn(...pieces)).toEqual(['1000.dev', '2000.dev']);
    expect(whyOf(...pieces).boot).toBeNull();
  });

  it('keeps a bounded number of boots', () => {
    const boots = Array.from({ length: 100 }, (_, n) => ['U-Boot 2024.01', BANNER, failed(`${n}000.dev`), INIT]).flat();
    expect(unboundIn(...boots)).toEqual(['99000.dev']);
    expect(whyOf(...boots).boot).toMatchObject({ number: 33, of: 33 });
  });
});
