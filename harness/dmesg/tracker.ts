import { type CrashKind, crashFacts } from '../model/crash.ts';
import { oneOf, oneOfWords } from '../regex.ts';
import { type PlacedFrame, standsForPc } from './blame.ts';
import { isNameless, plainName, type TraceFrame } from './frame.ts';
import type { Header } from './headers/header.ts';
import { rustName } from './rust.ts';

/**
 * How a bug tracker that groups reports by machine names the function of one, where that differs from what a maintainer
 * would call it: syzkaller's convention (pkg/report/linux.go). It goes by names alone: the innermost function whose
 * name holds none of certain words. A stuck CPU is looked at in some random function of the loop it is in, so that the
 * innermost one would make a new bug of every report; what is equal in all of them is further out: what was called by
 * the system call, the work item, the timer, the packet's protocol.
 */

/** Words in the names of functions that never stand for a report, by what such functions do. */
const PASSED_OVER = new RegExp(
  oneOfWords(String.raw`
    sanitizer [ak]san __msan kmsan kcsan_setup check_memory_region check_(?:heap_)?object once_\w*nocheck
    read_word_at_a_time
    panic invalid_op do_error _trap$ do_trap __warn warn_(?:slowpath|alloc|bogus) (?:fixup|report)_bug
    print_(?:report|address_desc|usage_bug|unlock|tainted) imbalance_bug (?:show|dump|walk)_stack dump_backtrace
    arch_stack_walk stack_trace_ fortify_report assertfail get_taint$ program_check_
    el1_abort el1h_64_sync do_mem_abort do_(?:kernel|translation)_fault
    [mzc]alloc krealloc kmem_cache alloc(?:ate_slab|_page) slab_ __alloc_frozen_pages (?:mem|str|strn)dup ^kv?free$
    kfree_skb folio_(?:alloc|unlock) filemap_(?:alloc|get)_folio find_or_create_page read_cache_(?:folio|page)
    pagecache_get_page grab_cache_page_write_begin ida_free
    debug_object (?:timer|work)_is_static might_(?:fault|sleep|resched) lockdep bh_(?:en|dis)able perf_trace
    lock_(?:acquire|release|class) mark_lock (?:mark|reacquire)_held_locks (?:trace|lockdep)_(?:hard|soft)irq
    spin_(?:un|try)?lock raw_spin_rq (?:read|write)_(?:un|try)?lock ^down$ down_(?:read|write|trylock)
    up_(?:read|write) ^(?:__|rt_)?mutex_ owner_on_cpu osq_(?:un)?lock ^(?:un)?lock_page seqprop_assert lock_timer_base
    atomic(?:64)?_(?:add|and|cmpxchg|dec|fetch|inc|or|read|set|sub|try|xchg|xor) (?:set|clear|change|test)_bit
    ^refcount_ ^kref_ ref_tracker
    mem(?:chr|cmp|cpy|move|set) str(?:chr|cmp|cpy|len|str) str[ln](?:cmp|cpy|len|str) strscpy
    copy_(?:from|to)_(?:iter|user) copy_(?:page|folio)_(?:from|to)_iter ^copy(?:in|out)$ (?:get|put)_user
    (?:read|write)[bwlq]$ logic_(?:in|out) extract_(?:iter|user)_to_sg
    list_(?:add|del|move|replace|splice) ^(?:__)?rb_ ^klist_ rhashtable_lookup xas_(?:find|load|start)
    find_lock_entries truncate_inode_pages_range _indirect_thunk_
    string pointer s[nc]+printf k\w?asprintf printk va_format ^crc\d crc_itu_t hex_dump
    dev_(?:alert|crit|emerg|err|info|notice|warn)
    del_timer timer_delete_sync __mod_timer sk_stop_timer_sync __wake_up finish_wait ^complete$ wait_for_completion
    kthread_stop (?:flush|cancel)_work cancel_work_timer (?:flush|drain|destroy)_workqueue queue_work insert_work
    queue_delayed_work try_to_grab_pending cleanup_srcu_struct
    kobject_ add_uevent_var get_device_parent device_(?:add|del|destroy|release|unregister|for_each_child|remove_file)
    devres_release_all ^put_device$ sysfs_remove hwrng_unregister i2c_del_adapter __unregister_client
    rollback_registered unregister_netdev tty_unregister_device
    usb_kill_(?:anchored_)?urb usb_(?:hcd_)?submit_urb usb_control_msg dummy_urb_enqueue
    ^iput(?:_final)?$ ^ihold$ dput drop_nlink mark_buffer_dirty __phys_addr
  `),
);

/** What else does not stand for a report, by its title's beginning. */
const BY_TITLE: readonly (readonly [title: RegExp, names: RegExp])[] = [
  [/^KASAN: /, /kernel_fault|tag_check|mem_abort|^el1h?_/],
  [/^KASAN: (?:double|invalid)-free/, /slab_|kfree|vunmap|vfree/],
  [/^UBSAN: /, /ubsan|overflow/],
  [/^KMSAN: kernel-usb-infoleak/, /alloc_skb|usb_(?:start_wait_urb|bulk_msg|interrupt_msg)/],
  [/^KMSAN: /, /alloc_skb|netlink_(?:ack|rcv_skb)|_encrypt$|^(?:crypto|cipher|drbg|rng)_/],
  [/^BUG: (?:spin|rw)lock/, /spin_|_lock|_unlock/],
  [/scheduling while atomic|task can't die|corrupted stack end/, /schedule|retint_kernel/],
  [/^BUG: Bad page state/, /(?:free|put|get|update|release)_page|free_unref|^_*folio|truncate_inode_pages/],
  [/^BUG: using /, /dump_stack|preempt|debug_|processor_id|this_cpu/],
  [/^memory leak/, /kmemleak|mmap|kmem|slab|alloc|create_object|idr_get|list_lru_init|pcpu_create/],
  [/wait context|locking bug/, /lock_sock|release_sock/],
  [/ODEBUG/, /debug_|rcu|(?:hr)?timer_|work_|percpu_|vunmap|vfree|__free_/],
  [/bad usercopy/, /usercopy|__check/],
  [/kobject bug|refcount bug/, /kobject_|refcount/],
  [/proc registration bug/, /proc_/],
  [/kmalloc bug/, /slab|kmem/],
  [/^possible deadlock/, /process_one_work/],
  [/suspicious RCU usage|detected stall/, /rcu|kmem|slab|apic_timer_interrupt/],
  [/non-static key/, /stack|lock|IRQ/],
  [/stack overflow/, /bad_stack/],
  [/stack is corrupted/, /stack_chk/],
  [/^kernel BUG/, /^skb_/],
];

/** What hands work on to others: the function just inside it stands for a stuck CPU. */
const FILE_CALLS = oneOf(
  /vfs_(?:read|write|open|ioctl|iter_read|iter_write)|do_iter_(?:read|write)|call_(?:read|write)_iter/,
  /new_sync_(?:read|write)|(?:ksys|compat|compat_sys|blkdev|blkdev_driver)_ioctl|do_dentry_open/,
  /^call_mmap|mmap_region|do_mmap|__do_fault|do_page_fault|^page_fault$|__fput/,
);
const SOCKET_CALLS = oneOf(
  /^_*sock_(?:sendmsg|recvmsg|release|mmap|ioctl|do_ioctl)|^compat_sock_ioctl|(?:kernel_|sock_common_)setsockopt/,
  /^setsockopt$|^(?:kernel_)?(?:listen|accept)$|sk_common_release|^(?:nfnetlink|rtnetlink)_rcv_msg|^netlink_dump/,
  /^(?:sys_)?(?:socketpair|connect|ioctl)/,
);
const ANCHORS = new RegExp(
  oneOf(
    FILE_CALLS,
    SOCKET_CALLS,
    /process_one_work|do_(?:fast_)?syscall_|sysenter_dispatch|tracesys_phase2|el0_svc_handler|invoke_syscall/,
    /ret_fast_syscall|netif_receive_skb|do_softirq|call_timer_fn|_run_timers|run_timer_softirq|hrtimer_run/,
    /run_ksoftirqd|smpboot_thread_fn|^kthread$|start_secondary|cpu_startup_entry|ret_from_fork/,
    /task_work_run|exit_to_usermode|tasklet_(?:hi_)?action|smp_call_function/,
  ),
);
const CROSS_CALL = 'smp_call_function';

/** Tasks that wait for the network's lock or for a grace period are one problem, whoever waits. */
const COMMON_WAITS: readonly (readonly [word: RegExp, name: string | null])[] = [
  [/rtnl_lock/, null],
  [/synchronize_(?:s?rcu|net|sched)/, 'synchronize_rcu'],
];
const WAITS = new RegExp(
  oneOf(
    /sched|context_switch|__switch_to|kthread|wait|synchronize|cancel_delayed_work|rcu_barrier/,
    /_lock|_slowlock|down|rwsem|completion/,
  ),
);

/** Where an interrupt enters, with what it interrupted further out. */
const INTERRUPT = /apic_timer_interrupt|^el1h_64_irq|^el1_irq$|^__irq_svc$/;

export interface TrackedReport {
  readonly kind: CrashKind;
  readonly header: Header;
  readonly pc: TraceFrame | null;
  readonly frames: readonly PlacedFrame[];
  /** lockdep: the functions that lines before the trace name by `at:`. */
  readonly places: readonly TraceFrame[];
  /** lockdep: the frames that follow `which became ...-irq-unsafe at:` begin here. */
  readonly became: number | null;
  /** Whom a maintainer would blame. */
  readonly blamed: TraceFrame | null;
}

/** The tracker's name for the function of a report; null where it has none. */
export function trackerFunction(report: TrackedReport): string | null {
  const { kind, header, blamed } = report;
  const passed = BY_TITLE.filter(([title]) => title.test(header.lead)).map(([, names]) => names);
  const names = candidates(report)
    .filter((frame) => !isNameless(frame))
    .map(nameOf)
    .filter((name) => !PASSED_OVER.test(name) && !passed.some((pattern) => pattern.test(name)))
    .map(withoutCallPrefix);
  const chosen = isStall(kind, header.lead) ? ofStall(names) : kind === 'hung-task' ? ofHungTask(names) : names[0];
  return chosen ?? (blamed === null ? null : withoutCallPrefix(nameOf(blamed)));
}

const nameOf = (frame: TraceFrame): string => rustName(plainName(frame.function));

function isStall(kind: CrashKind, lead: string): boolean {
  return crashFacts(kind).blame === 'stall' || /corrupted stack end|stack guard page|stack overflow/.test(lead);
}

/** Functions as the report shows them, innermost first. */
function candidates(report: TrackedReport): TraceFrame[] {
  const { kind, header, pc, frames, places, became, blamed } = report;
  if (header.rule === 'header') return blamed === null ? [] : [blamed];
  if (became !== null) return frames.slice(became).map(({ frame }) => frame);
  const reliable = frames.filter(({ frame }) => frame.reliable || standsForPc(frame, report));
  if (header.lead === 'possible deadlock') return [...places, ...reliable.map(({ frame }) => frame)];
  const own = reliable.filter(({ section }) => section === 'own');
  const trace = own.filter(({ role }) => role === 'trace').map(({ frame }) => frame);
  if (kind === 'rcu-stall') return ofInterrupted(own.map(({ frame }) => frame));
  if (/unlock balance|held lock freed/.test(header.lead)) return [...places, ...trace];
  if (crashFacts(kind).blame === 'trace' || kind === 'lockdep' || kind === 'sleeping-in-atomic' || pc === null)
    return header.frame === null ? trace : [header.frame, ...trace];
  // A trace that begins before the registers is the one of the report, and goes through what handled the exception.
  const start = trace.findIndex((frame) => frame.function === pc.function);
  return [pc, ...trace.slice(Math.max(0, start))];
}

/** Frames from what the interrupt interrupted on; all where the task's own trace comes first. */
function ofInterrupted(frames: readonly TraceFrame[]): TraceFrame[] {
  const entry = frames.findIndex((frame) => INTERRUPT.test(frame.function));
  return frames.slice(entry + 1);
}

function ofStall(names: readonly string[]): string | undefined {
  let inside: string | undefined;
  for (const name of names) {
    if (name.includes(CROSS_CALL)) return CROSS_CALL;
    if (ANCHORS.test(name)) return inside ?? name;
    inside = name;
  }
  return inside;
}

function ofHungTask(names: readonly string[]): string | undefined {
  for (const name of names) {
    const common = COMMON_WAITS.find(([word]) => word.test(name));
    if (common !== undefined) return common[1] ?? name;
  }
  return names.find((name) => !WAITS.test(name));
}

/** `__x64_sys_mount` is `sys_mount` and `__do_sys_mount` is `mount`: architectures put different words before it. */
function withoutCallPrefix(name: string): string {
  return name.replace(
    /^(?:__(?:x64|ia32|arm64)_|(?:_{2,4}|__se_|__do_)?sys_|__se_|(?:compat_)?(?:SYSC|SyS)_|ksys_)/,
    '',
  );
}
