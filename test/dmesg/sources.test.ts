import { describe, expect, it } from 'vitest';
import type { Crash } from '../../harness/dmesg/events.ts';
import type { Locate } from '../../harness/dmesg/frame.ts';
import { DmesgParser } from '../../harness/dmesg/parser.ts';

function crashOf(lines: readonly string[], locate: Locate | null = null): Crash | undefined {
  const parser = new DmesgParser(locate);
  const events = [...parser.push(Buffer.from(`${lines.join('\n')}\n`)), ...parser.end()];
  return events.find((event) => event.event === 'crash');
}

/** A fault in a function whose name says nothing of what it is for. */
const FAULT = [
  '[    1.000000] Unable to handle kernel paging request at virtual address dead000000000108',
  '[    1.000001] Internal error: Oops: 0000000096000044 [#1] PREEMPT SMP',
  '[    1.000002] CPU: 0 PID: 7 Comm: wobbled Not tainted 6.12.0 #1',
  '[    1.000003] pc : wobble_link+0x10/0x20',
  '[    1.000004] lr : wobble_start+0x10/0x20',
  '[    1.000005] Call trace:',
  '[    1.000006]  wobble_link+0x10/0x20',
  '[    1.000007]  wobble_start+0x10/0x20',
  '[    1.000008] ---[ end trace 0000000000000000 ]---',
];

describe('the sources of a vmlinux', () => {
  it('decide whom to blame, and are named', () => {
    expect(crashOf(FAULT)).toMatchObject({ function: 'wobble_link', source: null });
    const locate: Locate = (name) =>
      name === 'wobble_link'
        ? { source: 'lib/list_debug.c:51', home: 'lib/list_debug.c' }
        : { source: 'drivers/misc/wobble.c:7', home: 'drivers/misc/wobble.c' };
    expect(crashOf(FAULT, locate)).toMatchObject({
      function: 'wobble_start',
      source: 'drivers/misc/wobble.c:7',
      passedOver: [{ function: 'wobble_link' }],
      pc: { source: 'lib/list_debug.c:51' },
      lr: { source: 'drivers/misc/wobble.c:7' },
    });
  });

  it('do not excuse a function for what was inlined into it', () => {
    const locate: Locate = () => ({ source: 'include/linux/list.h:88', home: 'drivers/misc/wobble.c' });
    expect(crashOf(FAULT, locate)).toMatchObject({ function: 'wobble_link', source: 'include/linux/list.h:88' });
  });
});

describe('a decoded trace', () => {
  const decoded = (sources: string): string[] =>
    FAULT.map((line) => line.replace(/wobble_link\+0x10\/0x20/, `wobble_link (${sources})`)).map((line) =>
      line.replace(/wobble_start\+0x10\/0x20/, 'wobble_start (drivers/misc/wobble.c:7)'),
    );

  it('names what was inlined first, and the function by its own file last', () => {
    expect(crashOf(decoded('include/linux/list.h:88 (discriminator 2) drivers/misc/wobble.c:9'))).toMatchObject({
      function: 'wobble_link',
      source: 'include/linux/list.h:88',
    });
    expect(crashOf(decoded('include/linux/list.h:88 lib/list_debug.c:51'))).toMatchObject({
      function: 'wobble_start',
      source: 'drivers/misc/wobble.c:7',
    });
  });
});
