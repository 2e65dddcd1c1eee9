import { describe, expect, it } from 'vitest';
import type { Crash } from '../../harness/dmesg/events.ts';
import { classifyBytes } from '../../harness/verdict/classify.ts';
import { eventsOf } from './mutate.ts';

const stamped = (lines: readonly string[]) =>
  lines.map((line, n) => `[    1.${String(n).padStart(6, '0')}] ${line}\n`).join('');

function crashesOf(...lines: string[]): Crash[] {
  return eventsOf(Buffer.from(stamped(lines))).flatMap((event) => (event.event === 'crash' ? [event] : []));
}

const classified = (...lines: string[]) =>
  classifyBytes('log', Buffer.from(stamped(lines)), { knownIssues: [], today: '2026-01-01' });

const FAULT = 'Unable to handle kernel paging request at virtual address dead000000000108';
const DIE = 'Internal error: Oops: 0000000096000044 [#1] PREEMPT SMP';
const CPU = 'CPU: 0 PID: 7 Comm: wobbled Not tainted 6.12.0 #1';

describe('a trace', () => {
  it('has no addresses that were never returned to: of the beginning or the end of a function', () => {
    const stale = [' ? wobble_first+0x0/0x20', ' ? wobble_last+0x20/0x20', ' ? wobble_old+0x8/0x20'];
    const [crash] = crashesOf(FAULT, DIE, CPU, 'Call Trace:', ' wobble_probe+0x8/0x20', ...stale);
    expect(crash?.trace.map((frame) => frame.function)).toEqual(['wobble_probe', 'wobble_old']);
  });

  it('begins at the frame that arm64 marks as the interrupted one', () => {
    const [crash] = crashesOf(
      DIE,
      CPU,
      'Call trace:',
      ' wobble_handler+0x8/0x20',
      ' wobble_probe+0x8/0x20 (P)',
      ' wobble+0x8/0x20',
    );
    expect(crash?.function).toBe('wobble_probe');
  });

  it('of an exception begins below where that was taken, whatever runs above', () => {
    const taken = (entry: string) =>
      crashesOf(DIE, CPU, 'Call trace:', ' wobble_handler+0x8/0x20', ` ${entry}+0x8/0x20`, ' wobble_probe+0x8/0x20');
    for (const entry of ['el1h_64_sync', 'el1_da', 'asm_exc_page_fault', '__dabt_svc'])
      expect(taken(entry)[0], entry).toMatchObject({ function: 'wobble_probe', passedOver: [] });
    expect(taken('wobble_entry')[0]?.function).toBe('wobble_handler');
  });

  it('of an exception begins at the function of the pc, whatever handled it', () => {
    const frames = ['wobble_handler', '__memcpy', 'wobble_probe'].map((name) => ` ${name}+0x8/0x20`);
    const [crash] = crashesOf(FAULT, DIE, CPU, 'pc : __memcpy+0x8/0x20', 'Call trace:', ...frames);
    expect(crash?.function).toBe('wobble_probe');
  });

  it('of what a handler of an exception noticed itself begins there', () => {
    const [crash] = crashesOf(
      'BUG: sleeping function called from invalid context at kernel/wobble.c:7',
      CPU,
      'Call trace:',
      ' __might_resched+0x8/0x20',
      ' wobble_handler+0x8/0x20',
      ' el1h_64_sync+0x8/0x20',
      ' wobble_probe+0x8/0x20',
    );
    expect(crash?.function).toBe('wobble_handler');
  });

  it('of a stuck CPU goes on below where its interrupt was taken, unless the task has come first', () => {
    const stuck = (...names: string[]) =>
      crashesOf(
        'watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [wobbled:7]',
        CPU,
        'Call trace:',
        ...names.map((name) => ` ${name}+0x8/0x20`),
      );
    const below = stuck('watchdog_timer_fn', 'gic_handle_irq', 'el1h_64_irq', 'wobble_spin');
    expect(below[0]).toMatchObject({ function: 'wobble_spin', passedOver: [] });
    expect(stuck('wobble_spin', 'el1h_64_irq', 'wobble_other')[0]?.function).toBe('wobble_spin');
  });

  it('has each frame once where two consoles print on one line', () => {
    const lines = stamped([
      FAULT,
      DIE,
      CPU,
      'pc : wobble+0x8/0x20',
      'Call trace:',
      ' wobble+0x8/0x20',
      ' wobble_probe+0x8/0x20',
    ]);
    // From the beginning of a boot on, so that nobody can have called dmesg.
    const twice = `[    0.000000] Linux version 6.12.0 (a@b) #1 SMP\n${lines.replace(/^.*\n/gm, '$&$&')}`;
    const [crash, ...others] = eventsOf(Buffer.from(twice)).flatMap((event) =>
      event.event === 'crash' ? [event] : [],
    );
    expect(crash?.trace.map((frame) => frame.function)).toEqual(['wobble', 'wobble_probe']);
    expect(crash?.followUps).toEqual([]);
    expect(others).toEqual([]);
  });

  it('of a stuck CPU goes on where the marks of its interrupt end', () => {
    const [crash] = crashesOf(
      'watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [wobbled:7]',
      CPU,
      'Call Trace:',
      ' <IRQ>',
      ' wobble_tick+0x8/0x20',
      ' </IRQ>',
      ' wobble_spin+0x8/0x20',
    );
    expect(crash?.function).toBe('wobble_spin');
  });

  it('never has a helper of the kernel in a module, whatever its name', () => {
    const blamed = (frame: string) =>
      crashesOf(FAULT, DIE, CPU, `pc : ${frame}`, 'Call trace:', ` ${frame}`, ' wobble_probe+0x8/0x20')[0]?.function;
    expect(blamed('list_add_wobble+0x8/0x20')).toBe('wobble_probe');
    expect(blamed('list_add_wobble+0x8/0x20 [wobble]')).toBe('list_add_wobble');
  });
});

describe('a report', () => {
  it('is not one where only registers of a program follow its header', () => {
    const prose = 'BUG: the wobble is in the wrong place';
    expect(crashesOf(prose, 'RIP: 0033:0x7f12345678')).toEqual([]);
    expect(crashesOf(prose, 'RIP: 0010:wobble_probe+0x8/0x20')).toHaveLength(1);
  });

  it('is the kernel’s own, where syslog (RFC 5424) names who said it', () => {
    const said = (program: string) =>
      eventsOf(
        Buffer.from(
          [FAULT, DIE, CPU, 'Call trace:', ' wobble_probe+0x8/0x20']
            .map((line) => `<1>1 2026-01-01T00:00:00.000000+00:00 host ${program} - - - ${line}\n`)
            .join(''),
        ),
      ).filter(({ event }) => event === 'crash');
    expect(said('kernel')).toHaveLength(1);
    expect(said('wobbled')).toEqual([]);
  });

  it('has no address where the log cuts it off', () => {
    const fault = (address: string) =>
      crashesOf(`Unable to handle kernel paging request at virtual address ${address}`);
    expect(fault('dead00')[0]?.address).toBeNull();
    expect(fault('dead0000')[0]?.address).toBe('0xdead0000');
  });

  it('of a hung task names that task, not the one that found it', () => {
    const hung = 'INFO: task wobbled:7 blocked for more than 122 seconds.';
    const finder = 'CPU: 1 PID: 30 Comm: khungtaskd Not tainted 6.12.0 #1';
    expect(crashesOf(hung, finder, 'Call trace:', ' wobble_wait+0x8/0x20')[0]).toMatchObject({
      comm: 'wobbled',
      pid: 7,
    });
  });

  it('says which probe was under way, and none that had ended', () => {
    const probing = (device: string) => `bus: 'platform': really_probe: probing driver wobbler with device ${device}`;
    const bound = (device: string) => `driver: 'wobbler': driver_bound: bound to device '${device}'`;
    const oops = [
      FAULT,
      DIE,
      CPU,
      'pc : wobble+0x8/0x20',
      'Call trace:',
      ' wobble+0x8/0x20',
      ' really_probe+0xbc/0x2a0',
    ];
    const [crash] = crashesOf(probing('1.outer'), probing('2.inner'), bound('2.inner'), ...oops);
    expect(crash?.probing).toEqual({ driver: 'wobbler', device: '1.outer' });
    // Tried again, and what became of the first time was not printed: it was entered last.
    const [again] = crashesOf(probing('1.outer'), probing('2.inner'), probing('1.outer'), ...oops);
    expect(again?.probing?.device).toBe('1.outer');
  });
});

describe('an asynchronous probe', () => {
  it('is told where the driver finds the device and where the device finds the driver, and changes nothing else', () => {
    const said = [
      'platform 1.wobble: probing driver wobbler asynchronously',
      "bus: 'platform': really_probe: probing driver wobbler with device 1.wobble",
      'platform 1.wobble: Driver wobbler requests probe deferral',
      'platform 1.wobble: async probe completed',
      'platform 1.wobble: async probe is not completed',
    ];
    const told = eventsOf(Buffer.from(stamped(said))).filter(({ event }) => event === 'probe-async');
    expect(told).toMatchObject([
      { device: '1.wobble', driver: 'wobbler', line: 1 },
      { device: '1.wobble', driver: null, line: 4 },
    ]);
    const judged = (lines: readonly string[]) =>
      classified(...lines, '1.wobble: deferred probe pending: wobbles').reason;
    expect(judged(said)).toBe(judged(said.slice(1, 3)));
    expect(judged(said)).toContain('wobbles');
  });
});

describe('what `probe of X returned 0` means', () => {
  const boundBy = (version: string) =>
    classified(
      `Linux version ${version} (a@b) #1 SMP`,
      "bus: 'platform': really_probe: probing driver wobbler with device 1.wobble",
      'probe of 1.wobble returned 0 after 12 usecs',
    ).bound;

  it('changed in 5.11', () => {
    expect(boundBy('5.10.0')).toEqual([]);
    expect(boundBy('5.11.0')).toEqual(['1.wobble']);
    expect(boundBy('4.19.0')).toEqual([]);
    expect(boundBy('6.1.0')).toEqual(['1.wobble']);
  });

  it('is success after a deferral where the release or a positive error says that it can be none', () => {
    const boundAfter = (...lines: string[]) =>
      classified(...lines, 'probe of 1.wobble returned 0 after 12 usecs').bound;
    const byDriver = 'probe of 1.wobble returned 517 after 30 usecs';
    const byCore = 'probe of 1.wobble returned -517 after 3 usecs';
    expect(boundAfter(byDriver)).toEqual(['1.wobble']);
    expect(boundAfter('Linux version 6.18.1 (a@b) #1 SMP', byCore)).toEqual(['1.wobble']);
    expect(boundAfter('Linux version 5.10.1 (a@b) #1 SMP', byCore)).toEqual([]);
    expect(boundAfter(byCore)).toEqual([]);
    expect(boundAfter('probe of 2.other returned 19 after 5 usecs', byCore)).toEqual(['1.wobble']);
  });
});

describe('UTF-16', () => {
  it('is read however it is cut, also in the midst of a character of two units', () => {
    const text = '\ufeff[    1.000000] Kernel panic - not syncing: \u{1f600} wobble\n';
    const bytes = Buffer.from(text, 'utf16le');
    const whole = eventsOf(bytes);
    expect(whole).toMatchObject([{ event: 'crash', title: 'kernel panic: \u{1f600} wobble' }]);
    for (let cut = 0; cut <= bytes.length; cut++) expect(eventsOf(bytes, [cut])).toEqual(whole);
    const everywhere = Array.from({ length: bytes.length }, (_, cut) => cut);
    expect(eventsOf(bytes, everywhere)).toEqual(whole);
    expect(
      eventsOf(
        bytes,
        everywhere.filter((cut) => cut % 2 === 0),
      ),
    ).toEqual(whole);
  });
});

it('a report does not begin in the middle of a message that was broken into three lines', () => {
  const log = [
    `[    1.000000] ${CPU.replace('wobbled', 'wobbled/0123456789')}`,
    'general protection fault, probably for non-canonical address',
    '0xdffffc000000001c: 0000 [#1] PREEMPT SMP KASAN',
  ];
  const crashes = eventsOf(Buffer.from(`${log.join('\n')}\n`)).filter((event) => event.event === 'crash');
  expect(crashes.map(({ line, lastLine }) => [line, lastLine])).toEqual([[2, 3]]);
});
