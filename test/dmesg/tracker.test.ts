import { describe, expect, it } from 'vitest';
import { eventsOf } from './mutate.ts';

/** How a tracker titles the first report of these lines. */
function tracked(...lines: string[]): string | null {
  const log = lines.map((line, n) => `[    1.${String(n).padStart(6, '0')}] ${line}\n`).join('');
  for (const event of eventsOf(Buffer.from(log))) if (event.event === 'crash') return event.trackerTitle;
  return null;
}

const frames = (...names: string[]) => names.map((name) => ` ${name}+0x10/0x20`);
const CPU = 'CPU: 0 PID: 7 Comm: wobbled Not tainted 6.12.0 #1';

describe('the name that a tracker gives a report', () => {
  it('is of the innermost function that has none of the words which such functions have', () => {
    const fault = 'Unable to handle kernel paging request at virtual address dead000000000108';
    const die = 'Internal error: Oops: 0000000096000044 [#1] PREEMPT SMP';
    const trace = frames('__list_del_entry_valid', 'wobble_list_drain', 'wobble_remove');
    expect(tracked(fault, die, CPU, 'pc : __list_del_entry_valid+0x10/0x20', 'Call trace:', ...trace)).toBe(
      'unable to handle kernel paging request in wobble_list_drain',
    );
    // A maintainer would pass over the wait queue; the tracker knows no such word.
    const waits = frames('remove_wait_queue', 'wobble_unpoll');
    expect(tracked(fault, die, CPU, 'pc : remove_wait_queue+0x10/0x20', 'Call trace:', ...waits)).toBe(
      'unable to handle kernel paging request in remove_wait_queue',
    );
  });

  it('is of what a system call, a work item or a file operation called where a CPU is stuck', () => {
    const stall = (...names: string[]) =>
      tracked(
        'watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [wobbled:7]',
        CPU,
        `pc : ${names[0]}+0x10/0x20`,
        'Call trace:',
        ...frames(...names),
      );
    expect(stall('wobble_spin', 'wobble_work', 'process_one_work', 'worker_thread')).toBe(
      'BUG: soft lockup in wobble_work',
    );
    expect(stall('wobble_spin', 'wobble_ioctl', 'vfs_ioctl', '__arm64_sys_ioctl', 'invoke_syscall')).toBe(
      'BUG: soft lockup in wobble_ioctl',
    );
    expect(stall('wobble_spin', '__arm64_sys_wobble', 'invoke_syscall')).toBe('BUG: soft lockup in sys_wobble');
    expect(stall('csd_lock_wait', 'smp_call_function_many_cond', 'wobble_flush', 'invoke_syscall')).toBe(
      'BUG: soft lockup in smp_call_function',
    );
  });

  it('begins at what the interrupt interrupted where RCU found the stall', () => {
    const trace = frames('rcu_dump_cpu_stacks', 'el1h_64_irq', 'wobble_spin', 'wobble_work', 'process_one_work');
    expect(
      tracked(
        'rcu: INFO: rcu_preempt self-detected stall on CPU',
        'rcu: \t0-....: (5250 ticks this GP)',
        CPU,
        'Call trace:',
        ...trace,
      ),
    ).toBe('INFO: rcu detected stall in wobble_work');
    const inItself = frames('rcu_dump_cpu_stacks', 'el1h_64_irq', 'process_one_work', 'worker_thread');
    expect(tracked('rcu: INFO: rcu_preempt self-detected stall on CPU', CPU, 'Call trace:', ...inItself)).toBe(
      'INFO: rcu detected stall in process_one_work',
    );
  });

  it('is one for all tasks that wait for a grace period, and passes over how a task waits', () => {
    const hung = (...names: string[]) =>
      tracked('INFO: task wobbled:7 blocked for more than 122 seconds.', 'Call trace:', ...frames(...names));
    expect(hung('__schedule', 'schedule', 'wait_for_completion', '__synchronize_srcu', 'wobble_stop')).toBe(
      'INFO: task hung in synchronize_rcu',
    );
    expect(hung('__schedule', 'schedule', 'rwsem_down_write_slowpath', 'down_write', 'wobble_stop')).toBe(
      'INFO: task hung in wobble_stop',
    );
  });

  it('is of the function that wants the lock, or holds the other one where that is of a work queue', () => {
    const deadlock = (wants: string, holds: string) =>
      tracked(
        'WARNING: possible circular locking dependency detected',
        'wobbled/7 is trying to acquire lock:',
        `ffff000000000001 (&a){+.+.}-{3:3}, at: ${wants}+0x10/0x20`,
        'but task is already holding lock:',
        `ffff000000000002 (&b){+.+.}-{3:3}, at: ${holds}+0x10/0x20`,
        'the existing dependency chain (in reverse order) is:',
        '-> #1 (&b){+.+.}-{3:3}:',
        ...frames('lock_acquire', 'wobble_chain'),
        'stack backtrace:',
        CPU,
        'Call trace:',
        ...frames('dump_stack', 'wobble_end'),
      );
    expect(deadlock('wobble_wants', 'wobble_holds')).toBe('possible deadlock in wobble_wants');
    expect(deadlock('__flush_work', 'wobble_holds')).toBe('possible deadlock in wobble_holds');
    expect(deadlock('__flush_work', 'mutex_lock_nested')).toBe('possible deadlock in wobble_chain');
  });

  it('is of the place where a lock became unsafe', () => {
    expect(
      tracked(
        'WARNING: SOFTIRQ-safe -> SOFTIRQ-unsafe lock order detected',
        'wobbled/7 is trying to acquire:',
        'ffff000000000001 (&a){+.+.}-{3:3}, at: wobble_wants+0x10/0x20',
        'which became SOFTIRQ-irq-safe at:',
        ...frames('lock_acquire', '_raw_spin_lock', 'wobble_became'),
        'Call trace:',
        ...frames('dump_stack', 'wobble_end'),
      ),
    ).toBe('possible deadlock in wobble_became');
  });

  it('says of a Rust panic what it said', () => {
    expect(
      tracked(
        'rust_kernel: panicked at drivers/misc/wobble.rs:8:13:',
        'attempt to add with overflow',
        '------------[ cut here ]------------',
        'kernel BUG at rust/helpers/bug.c:7!',
        'Internal error: Oops - BUG: 00000000f2000800 [#1] PREEMPT SMP',
        CPU,
        'pc : rust_helper_BUG+0x10/0x20',
        'Call trace:',
        ...frames(
          'rust_helper_BUG',
          '_RNvCs5QSdWC790r4_7___rustc17rust_begin_unwind',
          '_RNvNtCs1234567890a_6wobble4node3add',
        ),
      ),
    ).toBe('attempt to add with overflow in wobble::node::add');
  });
});
