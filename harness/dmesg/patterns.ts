import { oneOf } from '../regex.ts';

/** The program counter, as arm64, arm, x86, riscv, mips, powerpc, s390, loongarch, sparc and people print it. */
export const PC = new RegExp(
  `^${oneOf(
    /pc *:|PC (?:is at|points to)|PC:/,
    /RIP:? *(?:[0-9a-f]{4}:)?|EIP:? *(?:is at)?(?: *[0-9a-f]{4}:)?|IP:/,
    /epc *:|NIP:?|Krnl PSW *:|ERA *:|TPC:|era *:/,
  )}${/(?= |\[|<|[A-Za-z_0])\s*/.source}`,
);
/** The return address register. */
export const LR = /^(?:lr *:|LR (?:is at|points to)|LR:?|ra *:)(?= |\[|<|[A-Za-z_0])\s*/;
/** x86 code segments of user space: the registers at the system call. */
export const USER_PC = /^RIP:? *(?:0033|0023|002b):/;
/** A call through a NULL pointer. */
export const ZERO_PC = /^(?:\[<0+>\] *)?(?:0x0+\b|\(null\)|0+\b|\[<\s*\(null\)>\])/;

/** dump_stack_print_info(), lib/dump_stack.c; the UID since 6.11. */
export const CPU_LINE = new RegExp(
  String.raw`CPU: (\d{1,5}) (?:UID: \d+ )?PID: (\d{1,8}) Comm: (.{1,64}?)` +
    '(?: (?:Kdump: loaded )?(?:Not tainted|Tainted: |G +[A-Z ]+))',
);
/** x86 until 3.9, and the line of arm and arm64 until 5.1. */
export const OLD_PID =
  /^(?:Pid: (\d{1,8}), comm: (.{1,32}?) (?:Not tainted|Tainted)|Process:? (.{1,32}?) \(pid: (\d{1,8}),)/;
export const WORKQUEUE = /^Workqueue: (\S{1,64}(?: \S{1,128})?)/;
/** In quotes they are strings of a program. */
export const END_TRACE = /(?<!")--\[ end trace/;
export const END_PANIC = /(?<!"-{0,2})-\[ end Kernel panic|^Rebooting in \d+ seconds/;
/** KASAN: what the access was; the address since 4.11 in the same line. */
export const ACCESS = /^(Read|Write|Free) (?:of (?:size|addr|\d+)|at addr)/;
/** Headings of the trace of the task at fault. */
export const OWN_SECTION = new RegExp(
  oneOf(
    /^(?:Call [tT]race|Backtrace|stack backtrace|Stack trace|backtrace(?: \(crc [0-9a-f]+\))?) ?:/,
    /^NMI backtrace for cpu|^Task dump for CPU/,
    // KFENCE.
    /^(?:Use-after-free|Out-of-bounds|Corrupted memory|Invalid) .{0,32}at 0x/,
  ),
);
/** Headings of what only explains a report: where memory came from, who holds the locks. */
export const OTHER_SECTION = new RegExp(
  `^${oneOf(
    // KASAN, KFENCE, KMSAN, slub_debug, page_owner.
    /Allocated|Freed|(?:freed|allocated)|Last potentially|Second to last|Uninit was|Memory state|The buggy/,
    /Local variable|Object allocated|kfence-#|INFO: (?:Allocated|Freed) in/,
    /page last (?:allocated|free)|page_owner/,
    // lockdep.
    /-> #\d|the existing dependency|the (?:first|second) lock|last function|Showing all locks/,
    /\w+-irq-(?:READ|W|ON|U|S)|\{[A-Z_-]{4,40}\}|(?:to|and) (?:a|the) \w+-irq|(?:which|but this) /,
    /(?:rcu: )?RCU grace-period kthread/,
  )}`,
);
/** rcu_check_gp_kthread_starvation(), kernel/rcu/tree_stall.h: the stack of the grace-period kthread. */
export const BYSTANDER = /^(?:rcu: )?RCU grace-period kthread stack dump/;
/** The same function: where that kthread last ran. */
export const LAST_RAN = /^(?:rcu: )?Stack dump where RCU GP kthread last ran/;
/** `pc : function` whose place stands in the next line, and a CPU's line that a terminal broke. */
export const INCOMPLETE = new RegExp(
  oneOf(
    /^(?:pc|lr) : [A-Za-z_][\w.]*(?: \([^)]*)?$|^CPU: \d+ (?:UID: \d+ )?PID: (?!.*ainted)/,
    // arm's frames, which name two functions each, are broken before the second one.
    /^\[<[0-9a-f]{8}>\] \([\w.]+\)(?: \[[\w-]+\])? from(?: \[<[0-9a-f]{8}>\])? ?$/,
  ),
);
/** A frame of arm that a terminal broke behind the second function's name; two parts of a name may be none. */
export const BROKEN_FRAME =
  /^\s*\[<[0-9a-f]{8}>\] \([\w.+/]+\)?(?: \[[\w-]+\]\))? from \[<[0-9a-f]{8}>\] \([\w.]+\+[\da-fx/]*$/;
/** x86 marks the stacks that a trace goes through. */
export const CONTEXT = /^<{1,2}(\/?)(IRQ|SOFTIRQ|NMI|TASK|EOI|EOE|#DF|#DB|ENTRY_TRAMPOLINE)>{1,2} */;
/** lockdep: the lock that the report is about comes next, with the place that wanted it. */
export const LOCK_AWAITS = new RegExp(
  oneOf(
    /trying to (?:acquire|lock|release)|is freeing memory|just changed the state of lock|takes:/,
    /locks? (?:still )?held (?:by|!)|with locks still held|is contending/,
  ),
);
export const LOCK_AT = /, at: (.{1,300})$|^at: (.{1,300})$| at: (.{1,300})$/;
/** A lock that is held, whose place stands in the next line. */
export const HELD_AT = /^#\d{1,2}: .{1,200}, at:$/;
/** A header that a terminal broke in a function's name, and its rest. */
export const WITHIN_NAME = /\.[chS]:\d{1,7} [A-Za-z_][\w.]{0,127}$/;
export const NAME_END = /^[\w.]{1,128}\+0x/;
/** What a mail program puts on lines of their own of `Modules linked in:`. */
export const MODULE_NAMES = /^\s{0,4}[\w-]{2,64}(?:\([A-Z+-]{1,4}\))?(?: [\w-]{2,64}(?:\([A-Z+-]{1,4}\))?){0,12}\s?$/;
export const REGISTERS = /\b([A-Za-z][A-Za-z0-9]{1,4}|[rx]\d{1,2}) ?: ([0-9a-f]{8,16})\b/g;
/** Beginnings of other lines that belong to a report. */
export const MEMBER = new RegExp(
  oneOf(
    /\[inline\]\)?$/,
    `^${oneOf(
      /Modules linked in|Hardware name|Hardware|Tainted:|CPU:|Process|task:|Tasks|Code:|note:/,
      /Oops|Internal error|KASAN:/,
      /Stack:|Exception stack|Backtrace|\? |\[(?:<[0-9a-f]|end|last unloaded|cut)/,
      // Faults of arm64 and arm.
      /Mem abort|Data abort|ESR|EC =|SET =|FSC|ISV|CM =|ISS|user pgtable|swapper pgtable|PGD|pgd|pstate|Flags/,
      // Registers.
      /Control|Register|sp *:|x\d+|r\d+ *:|R[A-Z0-9]{2}:|[RE]?[A-Z]{2}S?:|[CDFGE][SR]\d?:|FS:|DR|PKRU|CR2|status/,
      // Memory, and the lines that sanitizers draw.
      /\[[0-9a-f]{8,16}\]|Memory|[0-9a-f]{4,16}: |={5,}|-{5,}/,
    )}`,
  ),
);
