import type { CrashKind } from '../model/crash.ts';
import { oneOfWords } from '../regex.ts';
import { blame, type PlacedFrame } from './blame.ts';
import type { Crash } from './events.ts';
import { isNameless, plainName, publicFrame, type TraceFrame } from './frame.ts';
import type { Header } from './headers/header.ts';
import type { Locks } from './locks.ts';
import type { Registers } from './registers.ts';
import { isOfFault } from './reporters.ts';
import { rustName } from './rust.ts';
import type { Task } from './task.ts';
import { trackerFunction } from './tracker.ts';

/** Frames of the trace that the record keeps: more than a stack has, unless it overflowed. */
const MAX_TRACE = 256;
const MAX_TITLE_CPUS = 8;

/** What was read of a report (block.ts), to its end. */
export interface Report
  extends Pick<Crash, 'line' | 'lastLine' | 'time' | 'fatal' | 'truncated' | 'text' | 'followUps' | 'probing'> {
  readonly kind: CrashKind;
  readonly header: Header;
  readonly frames: readonly PlacedFrame[];
  readonly registers: Registers;
  readonly locks: Locks;
  readonly task: Task;
  /** A function that the text names besides the trace. */
  readonly named: TraceFrame | null;
  /** `Read` or `Write`, of a sanitizer's report. */
  readonly access: string | null;
  readonly source: string | null;
  /** What a Rust panic said, which a tracker titles the report by. */
  readonly rustMessage: string | null;
}

/**
 * What stops the kernel for something that happened elsewhere, which its message tells: kernel/exit.c, init/, the
 * watchdogs, mm/oom_kill.c, drivers/tty/sysrq.c.
 */
const GIVES_UP = new RegExp(
  `^${oneOfWords(String.raw`
    do_(?:group_)?exit make_task_dead exit_notify forget_original_parent find_child_reaper get_signal
    kernel_init mount_block_root mount_root\w* prepare_namespace run_init_process
    out_of_memory mem_cgroup_out_of_memory check_panic_on_oom
    watchdog\w* check_hung_\w+ hung_task_\w+ panic_on_\w+ wq_watchdog_\w+ rcu_\w+ (?:check|print)_\w*cpu_stall
    sysrq_\w+
  `)}$`,
);

function gaveUp(blamed: TraceFrame | null): boolean {
  return blamed === null || GIVES_UP.test(plainName(blamed.function));
}

/** The event of a report: who is to blame, and its titles. */
export function crashOf(report: Report): Crash {
  const { kind, header, frames, registers, locks, task } = report;
  const { frame: blamed, passedOver } = blame({
    kind,
    header,
    named: report.named,
    atomic: locks.atomic,
    pc: registers.pc,
    lr: registers.lr,
    frames,
  });
  const isOfNoFault = () => !isOfFault(frames.map((placed) => placed.frame.function));
  const innocent = kind === 'panic' && !header.named && header.rule === null && gaveUp(blamed) && isOfNoFault();
  const named = innocent ? null : blamed;
  const nameless = named !== null && isNameless(named);
  const name = named === null || nameless ? null : plainName(named.function);
  const title = nameless ? `${titleOf(report, null)} in module ${named.module}` : titleOf(report, name);
  const tracked = trackerFunction({
    kind,
    header,
    pc: registers.pc,
    frames,
    places: locks.places,
    became: locks.became,
    blamed: nameless ? null : named,
  });
  return {
    event: 'crash',
    line: report.line,
    time: report.time,
    kind,
    fatal: report.fatal,
    title: stalledTitle(report, title),
    trackerTitle: nameless ? title : trackerTitle(report, tracked, name),
    signature: `${kind}: ${title}`,
    function: name,
    offset: named?.offset ?? null,
    module: named?.module ?? null,
    address: addressOf(report),
    comm: task.comm,
    pid: task.pid,
    cpu: task.cpu ?? task.stalled[0] ?? null,
    stalledCpus: task.stalled,
    workqueue: task.workqueue,
    pc: registers.pc === null ? null : publicFrame(registers.pc),
    lr: registers.lr === null ? null : publicFrame(registers.lr),
    trace: frames
      .filter((placed) => placed.role === 'trace' && placed.section === 'own')
      .slice(0, MAX_TRACE)
      .map((placed) => publicFrame(placed.frame)),
    code: registers.code,
    registers: registers.values,
    source: report.source ?? named?.source ?? null,
    lastLine: report.lastLine,
    passedOver,
    text: report.text,
    followUps: report.followUps,
    truncated: report.truncated,
    probing: report.probing,
  };
}

function titleOf({ header: { lead, named }, access }: Report, name: string | null): string {
  const hasAccess = lead.startsWith('KASAN: ') && (access === 'Read' || access === 'Write');
  const isFreed = /^KASAN: (?:double-free|invalid-free)/.test(lead);
  const first = hasAccess && !isFreed ? `${lead} ${access}` : lead;
  return named && name !== null ? `${first} in ${rustName(name)}` : first;
}

function trackerTitle(report: Report, tracked: string | null, blamed: string | null): string {
  const { rustMessage, kind } = report;
  if (rustMessage !== null && kind === 'bug' && blamed !== null) return `${rustMessage} in ${rustName(blamed)}`;
  return titleOf(report, tracked).replace(/(?<=unknown-block\()\d+,\d+/, 'NUM,NUM');
}

/** A stall of which no function is known is at least one of a CPU. */
function stalledTitle({ header, task: { stalled } }: Report, title: string): string {
  if (stalled.length === 0 || title !== header.lead) return title;
  return `${title} on CPU${stalled.length === 1 ? '' : 's'} ${stalled.slice(0, MAX_TITLE_CPUS).join(', ')}`;
}

function addressOf({ header, registers }: Report): string | null {
  if (header.address !== null) return header.address;
  const text = registers.values.addr;
  return text === undefined ? null : `0x${text.replace(/^0+(?=.)/, '')}`;
}
