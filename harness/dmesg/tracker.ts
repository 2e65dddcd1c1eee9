import { type CrashKind, crashFacts } from '../model/crash.ts';
import { oneOf, oneOfWords } from '../regex.ts';
import type { PlacedFrame } from './blame.ts';
import { plainName, type TraceFrame } from './frame.ts';
import { isBystander, roleOf } from './roles.ts';

/**
 * How a bug tracker that groups reports by machine names the function of one, where that differs from what a maintainer
 * would call it: syzkaller's convention (pkg/report/linux.go). A stuck CPU is looked at in some random function of the
 * loop it is in, so that the innermost one would make a new bug of every report; what is equal in all of them is
 * further out: what was called by the system call, the work item, the timer, the packet's protocol.
 */

/** What calls registered code: the function just inside it stands for the whole. */
const ANCHORS = new RegExp(
  `^_*${oneOfWords(String.raw`
    process_one_work process_scheduled_works worker_thread task_work_run
    do_syscall_\w+ do_fast_syscall_\w+ do_int80\w* sysenter_\w+ tracesys_\w+ system_call\w* entry_SYSCALL\w*
    entry_INT80\w* el0_svc\w* invoke_syscall ret_fast_syscall x64_sys_call ia32_sys_call exit_to_user\w*
    prepare_exit_to_usermode
    netif_receive_skb\w* rtnetlink_rcv_msg deliver_skb
    do_softirq\w* handle_softirqs softirqentry_text_start call_timer_fn expire_timers run_timers run_timer_softirq
    hrtimer_run_\w+ run_hrtimer\w* tasklet_action\w* run_ksoftirqd
    smpboot_thread_fn kthread ret_from_\w+ start_kernel cpu_startup_entry start_secondary secondary_start\w* do_idle
    cpu_idle_loop
    do_fault handle_mm_fault handle_pte_fault
  `)}$`,
);

/** System calls that stand for many things, with what lies between them and the one thing. */
const FILE_CALLS =
  'ioctl|readv?|writev?|connect|bind|accept4?|sendto|sendm?msg|setsockopt|getsockopt|recvfrom|open|close';
const OTHER_CALLS = oneOf(
  /openat|creat|socketcall|sendfile64|splice|pread64|pwrite64|preadv2?|pwritev2?/,
  /mmap|mmap_pgoff|io_submit|io_uring_enter/,
);
const GENERIC = new RegExp(
  `^_*${oneOfWords(String.raw`
    (?:x64_|ia32_|arm64_|se_|do_|compat_)*(?:sys|SyS|SYSC|C_SYSC)_(?:${FILE_CALLS}|${OTHER_CALLS})
    (?:k?sys|compat_sys|vfs|do|do_vfs|do_compat)_*(?:${FILE_CALLS}|mmap) ksys_(?:pread64|pwrite64|ioctl)
    sock_(?:ioctl|do_ioctl|sendmsg\w*|write_iter|read_iter|setsockopt|common_setsockopt|recvmsg\w*|mmap|close|release)
    new_sync_(?:read|write) call_(?:read|write)_iter do_iter_(?:readv?|writev?|readv_writev)
    do_loop_readv_writev\w* vfs_iter_\w+ do_(?:filp_open|sys_open\w*|dentry_open) path_openat
    vm_mmap_pgoff mmap_region call_mmap io_submit_one aio_(?:read|write)
  `)}$`,
);
const SYSCALL =
  /^_*(?:x64|ia32|arm64|s390x?|riscv|se|do|compat)?_*(?:x64|ia32|se|do|compat)?_*(?:k?sys|SyS|SYSC|C_SYSC)_(\w+)$/;

/** Calls into other CPUs: what they were called for is not why the others do not answer. */
const CROSS_CALL =
  /^_*(?:smp_call_function\w*|on_each_cpu\w*|generic_exec_single|csd_lock_wait|smp_cfm_core\w*|native_flush_tlb_\w+)$/;

/** All waits for a grace period are one to a tracker. */
const GRACE_PERIOD = /^_*synchronize_(?:s?rcu|sched|net)\w*$/;

function isStall(kind: CrashKind, lead: string): boolean {
  return crashFacts(kind).blame === 'stall' || /corrupted stack end|stack guard page|stack overflow/.test(lead);
}

/** The tracker's name for the function of a report; null where it has none other than the maintainers'. */
export function trackerFunction(
  kind: CrashKind,
  lead: string,
  frames: readonly PlacedFrame[],
  blamed: TraceFrame | null,
): string | null {
  if (!isStall(kind, lead)) {
    const name = blamed === null ? null : plainName(blamed.function);
    if (name === null) return null;
    if (kind === 'hung-task' && GRACE_PERIOD.test(name)) return 'synchronize_rcu';
    return /^_*(?:x64|ia32|arm64)_/.test(name) ? stallName(name) : syscallName(name);
  }
  const own = frames.filter(({ section, frame }) => section === 'own' && frame.reliable);
  const usable = own
    .map(({ frame }) => frame)
    .filter((frame) => roleOf(frame, 'rcu-stall') === null || CROSS_CALL.test(frame.function));
  const stuck = start(own);
  if (stuck.some((frame) => CROSS_CALL.test(frame.function)) && kind !== 'stack-overflow') return 'smp_call_function';
  let inside: TraceFrame | null = null;
  let inner: TraceFrame | null = null;
  for (const frame of stuck) {
    if (ANCHORS.test(plainName(frame.function)) && inside !== null) break;
    const role = roleOf(frame, 'rcu-stall');
    if (role !== null && isBystander(role)) continue;
    if (GENERIC.test(plainName(frame.function)) && inside !== null) {
      inner = inside;
      break;
    }
    inside = frame;
  }
  const chosen = inner ?? inside ?? usable[0] ?? blamed;
  return chosen === null || chosen === undefined ? null : stallName(plainName(chosen.function));
}

/** Frames from what the interrupt interrupted on. */
function start(own: readonly PlacedFrame[]): TraceFrame[] {
  const entry = own.findIndex(({ frame }) =>
    /^(?:el1h?_(?:64_)?irq|asm_sysvec_\w+|(?:smp_)?apic_timer_interrupt|__irq_svc|asm_common_interrupt)$/.test(
      frame.function,
    ),
  );
  const before = own.slice(0, Math.max(0, entry));
  // The trace of the stuck task may come first, and then that of the interrupt that found it.
  if (before.some(({ frame }) => roleOf(frame, 'rcu-stall') === null)) return own.map(({ frame }) => frame);
  const after = entry >= 0 && entry + 1 < own.length ? own.slice(entry + 1) : own;
  return after.map(({ frame }) => frame);
}

/** `__x64_sys_mount` is `mount`, whatever the architecture puts before it. */
function syscallName(name: string): string {
  return SYSCALL.exec(name)?.[1] ?? name;
}

function stallName(name: string): string {
  const call = SYSCALL.exec(name)?.[1];
  if (call === undefined) return name;
  return /^(?:compat_|ksys_)/.test(name) ? call : `sys_${call}`;
}
