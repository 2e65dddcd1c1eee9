import { oneOf } from '../../regex.ts';
import { findFrame } from '../frame.ts';
import {
  address,
  anywhere,
  anywhereAt,
  at,
  generalise,
  HEX,
  type Header,
  NOTHING,
  type Rule,
  simple,
} from './header.ts';

/**
 * Below one page an address is a member of a NULL structure: do_kern_addr_fault() and die_kernel_fault() use PAGE_SIZE,
 * which is 4096 at least.
 */
const BELOW_PAGE_SIZE = /^0x[0-9a-f]{1,3}$/;

function isNull(at: string | null): boolean {
  return at !== null && BELOW_PAGE_SIZE.test(at);
}

function fault(bug: string, what: string, at: string | null): Header {
  const isNullDereference = /NULL pointer/.test(what) || isNull(at);
  const lead = isNullDereference
    ? 'unable to handle kernel NULL pointer dereference'
    : `unable to handle kernel ${what.trim().replace(/^kernel /, '')}`;
  return { ...NOTHING, kind: isNullDereference ? 'null-deref' : 'paging-request', lead: bug + lead, address: at };
}

/** What die_kernel_fault() is told: arm64, then arm, riscv, mips and loongarch. */
const CANNOT_HANDLE = oneOf(
  /NULL pointer dereference|paging request|read from unreadable memory|write to read-only memory/,
  /execut(?:e|ion) from non-executable memory|execution of (?:user|kernel) memory/,
  /access to user memory(?: outside uaccess routines| without uaccess routines| with fs=KERNEL_DS)?/,
  /ignored(?: \w+)?|unknown(?: \d+)?/,
  /instruction fetch|data access(?: on (?:read|write))?|unaligned access/,
  /pointer dereference in virtual (?:kernel|user) address space|NULL pointer[\w ]*|access[\w ]*/,
);
const X86_UNABLE =
  '(?:unable to handle |)(?:kernel |Kernel )(NULL pointer dereference|paging request)' +
  '(?: on (?:read|write)| at virtual address)?';
/** exc_*() and do_trap(), arch/x86/kernel/traps.c, with underscores before 3.x. */
const X86_TRAP = oneOf(
  /stack[ _]segment|divide[ _]error|invalid[ _]op(?:code)?|int3|double[ _]fault|alignment[ _]check/,
  /segment[ _]not[ _]present|invalid[ _]TSS|bounds|bound range exceeded|overflow|coprocessor segment overrun/,
  /control protection fault|trap bounds|debug|machine check/,
  /kernel stack overflow \(page fault\)|stack guard page|exception stack guard page/,
);

/** Memory faults, traps and exceptions, by architecture. */
export const FAULTS: readonly Rule[] = [
  // Memory faults: arm64 die_kernel_fault() and __do_kernel_fault(), arm, riscv, mips, loongarch.
  {
    needle: 'Unable to handle',
    pattern: anywhere(
      `(BUG: )?Unable to handle (?:kernel|Kernel) (${CANNOT_HANDLE})` +
        `(?: for (?:data|instruction fetch))?(?: at|, address| for)?(?: virtual)?(?: address)?` +
        `(?::? ?${HEX}(?![0-9A-Za-z]))?`,
    ),
    header: (match, text) => {
      const what = (match[2] ?? '').replace(/^data access.*|^instruction fetch/, 'paging request');
      // The kernel pads addresses to 8 digits at least: fewer are what a terminal or a mail program left of one.
      const cut = text.includes('virtual address') && (match[3] ?? '').replace(/^0x/, '').length < 8;
      return fault(match[1] === undefined ? '' : 'BUG: ', what, cut ? null : address(match[3]));
    },
  },
  // x86 show_fault_oops(), powerpc bad_page_fault().
  {
    needle: 'BUG: ',
    pattern: anywhere(
      `BUG: (?:${X86_UNABLE}|unable to handle page fault)` +
        String.raw`(?:(?: at|, address:| for address:) *(?:\[?<?\(null\)>?\]?|${HEX}))?`,
    ),
    header: (match) =>
      fault(
        'BUG: ',
        match[1] ?? 'paging request',
        match[2] === undefined ? (match[1] === 'NULL pointer dereference' ? address('0') : null) : address(match[2]),
      ),
  },
  // x86 traps and riscv die() strings; 6.10 and later put "Oops: " before every one.
  {
    needle: 'general protection fault',
    pattern: anywhereAt(
      '(?:segment-related )?general protection fault' +
        String.raw`(?:, (?:probably|maybe) for non-canonical address ${HEX})?[:,].{0,64}\[#(\d+)\]`,
    ),
    header: (match) => ({
      ...NOTHING,
      kind: 'exception',
      lead: 'general protection fault',
      address: address(match[1]),
      die: Number(match[2]),
    }),
  },
  {
    needle: 'general protection fault',
    pattern: at(`general protection fault, (?:probably|maybe) for non-canonical address(?: ${HEX}|$)`),
    header: (match) => ({
      ...NOTHING,
      kind: 'exception',
      lead: 'general protection fault',
      address: address(match[1]),
    }),
  },
  {
    needle: '[#',
    pattern: at(String.raw`(${X86_TRAP})(?: \([^)]{0,60}\)|[ _]fault)?(?:, [^:]{0,80})?: .{0,40}\[#(\d+)\]`),
    header: (match) => {
      const what = (match[1] ?? '').replaceAll('_', ' ').replace(/^invalid op$/, 'invalid opcode');
      const lead = what === 'stack segment' ? 'stack segment fault' : what;
      const kind = /stack overflow|stack guard/.test(what) ? 'stack-overflow' : 'exception';
      return { ...NOTHING, kind, lead, die: Number(match[2]) };
    },
  },
  {
    needle: 'PANIC: double fault',
    pattern: anywhere('PANIC: (?:early )?double fault'),
    header: simple('exception', 'PANIC: double fault'),
  },
  {
    needle: 'PANIC: early exception',
    pattern: anywhere('PANIC: early exception'),
    header: simple('exception', 'PANIC: early exception'),
  },
  // arm64 SError and unexpected exceptions.
  {
    needle: 'SError Interrupt',
    pattern: anywhere('SError Interrupt on CPU ?(\\d+), code'),
    header: (match) => ({ ...NOTHING, kind: 'serror', lead: 'SError Interrupt', cpu: Number(match[1]) }),
  },
  // Tegra's own handler, drivers/platform/tegra in NVIDIA's kernels: a line for each CPU.
  {
    needle: 'SError detected',
    pattern: anywhere('CPU(\\d+): SError detected, daif='),
    header: (match) => ({
      ...NOTHING,
      kind: 'serror',
      lead: 'SError Interrupt',
      rule: 'header',
      cpu: Number(match[1]),
      survives: true,
      notice: true,
    }),
  },
  {
    needle: 'ad mode in ',
    pattern: anywhere('Bad mode in (.{1,40}?) handler detected(?: on CPU ?(\\d+))?(?:, (?:code|esr)|$)'),
    header: (match, text) => {
      const kind = /Error/.test(match[1] ?? '') || text.includes('SError') ? 'serror' : 'exception';
      const lead = kind === 'serror' ? 'SError Interrupt' : 'Bad mode';
      return { ...NOTHING, kind, lead, cpu: match[2] === undefined ? null : Number(match[2]) };
    },
  },
  // mips do_be().
  {
    needle: ' bus error, epc == ',
    pattern: at('(Data|Instruction) bus error, epc == '),
    header: (match) => ({ ...NOTHING, kind: 'exception', lead: `${match[1]} bus error`, sure: false }),
  },
  // arm and older arm64 do_mem_abort(); also printed for user space, when no die line follows.
  {
    needle: 'nhandled ',
    pattern: at('(?:Unhandled (?:fault|prefetch abort): )(.{3,60}?) \\(0x[0-9a-f]+\\) at (?:0x)?([0-9a-f]{1,16})'),
    header: (match) => ({
      ...NOTHING,
      kind: 'exception',
      lead: `Unhandled fault: ${generalise(match[1] ?? '')}`,
      address: address(match[2]),
      sure: false,
    }),
  },
  {
    needle: 'ynchronous ',
    pattern: at(
      '[sS]ynchronous (?:[eE]xternal [aA]bort|parity error.{0,60}|parity or ECC error.{0,60}): ' +
        String.raw`(.{0,60}?) ?\(0x[0-9a-f]+\) at (?:0x)?([0-9a-f]{1,16})`,
    ),
    header: (match) => ({
      ...NOTHING,
      kind: 'exception',
      lead: 'synchronous external abort',
      address: address(match[2]),
      sure: false,
    }),
  },
  {
    needle: 'CFI failure',
    pattern: at('(?:Kernel panic - not syncing: )?CFI failure (?:at (\\S{1,200})|\\(target: (\\S{1,200}))'),
    header: (match) => ({ ...NOTHING, kind: 'exception', lead: 'CFI failure', frame: findFrame(match[1] ?? '') }),
  },
  {
    needle: 'Missing ENDBR',
    pattern: at('(?:traps: )?Missing ENDBR: (\\S{1,200})'),
    header: (match) => ({ ...NOTHING, kind: 'exception', lead: 'Missing ENDBR', frame: findFrame(match[1] ?? '') }),
  },
  {
    needle: 'Unhandled ',
    pattern: anywhere('Unhandled (\\d\\d-bit \\w+ \\w+) exception on CPU ?(\\d+), (?:ESR|ISR)'),
    header: (match, text) => ({
      ...NOTHING,
      kind: text.includes('SError') || /error/.test(match[1] ?? '') ? 'serror' : 'exception',
      lead: `Unhandled ${match[1]} exception`,
      cpu: Number(match[2]),
    }),
  },
  {
    needle: 'nsufficient stack space',
    pattern: at('Insufficient stack space to handle exception!'),
    header: simple('stack-overflow', 'kernel stack overflow'),
  },
  {
    needle: 'stack guard page was hit',
    pattern: anywhere('BUG: (?:[\\w/]+ )?stack guard page was hit at'),
    header: simple('stack-overflow', 'BUG: stack guard page was hit'),
  },
  {
    needle: 'stack overflow',
    pattern: at(
      '(?:BUG: )?(?:kernel stack overflow|stack overflow detected|do_IRQ: .{1,40} has overflown the kernel stack)',
      'i',
    ),
    header: simple('stack-overflow', 'kernel stack overflow', { sure: false }),
  },
];
