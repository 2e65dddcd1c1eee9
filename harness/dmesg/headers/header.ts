import type { CrashKind } from '../../model/crash.ts';
import { frameOf, type TraceFrame } from '../frame.ts';

/** What the first line of a report says. */
export interface Header {
  readonly kind: CrashKind;
  /** Title up to " in FUNCTION"; the whole title where `named` is false. */
  readonly lead: string;
  /** Whether the title names the blamed function. */
  readonly named: boolean;
  readonly rule: 'header' | null;
  /** The function that the line itself names. */
  readonly frame: TraceFrame | null;
  readonly address: string | null;
  readonly source: string | null;
  readonly comm: string | null;
  readonly pid: number | null;
  readonly cpu: number | null;
  /** `[#N]` of an oops, where this line has it. */
  readonly die: number | null;
  /** A BUG: line after which the kernel goes on. */
  readonly survives: boolean;
  /** The line is all there is, and may come in the midst of another report. */
  readonly notice: boolean;
  /** The line is so particular that it counts without anything after it, if it stands at the start of its record. */
  readonly sure: boolean;
}

export const NOTHING: Omit<Header, 'kind' | 'lead'> = {
  named: true,
  rule: null,
  frame: null,
  address: null,
  source: null,
  comm: null,
  pid: null,
  cpu: null,
  die: null,
  survives: false,
  notice: false,
  sure: true,
};

type Match = RegExpExecArray;

export interface Rule {
  /** A part of every line the pattern matches: looked for first, as it is cheap. */
  readonly needle: string;
  readonly pattern: RegExp;
  readonly header: (match: Match, text: string) => Header | null;
}

export const HEX = '(?:0x)?([0-9a-fA-F]{1,16})';

/** `0x` and hexadecimal digits without leading zeros; null for no address. */
export function address(digits: string | undefined): string | null {
  if (digits === undefined) return null;
  const bare = digits
    .toLowerCase()
    .replace(/^0x/, '')
    .replace(/^0+(?=.)/, '');
  return /^[0-9a-f]{1,16}$/.test(bare) ? `0x${bare}` : null;
}

export const simple =
  (kind: CrashKind, lead: string, extra: Partial<Header> = {}) =>
  (): Header => ({ ...NOTHING, kind, lead, ...extra });

/** The report of a task: the pattern's first two groups are its name and its PID. */
export const ofTask =
  (kind: CrashKind, lead: string) =>
  (match: Match): Header => ({ ...NOTHING, kind, lead, comm: match[1] ?? null, pid: Number(match[2]) });

/** Text for titles and signatures without what differs from boot to boot: addresses, counters, process ids. */
export function generalise(text: string): string {
  return text
    .replace(/0x[0-9a-fA-F]+|\b[0-9a-f]{8,16}\b/g, 'ADDR')
    .replace(/\bCPU#?\d+/g, 'CPU')
    .replace(/\b\d+\b/g, 'N')
    .replace(/[ \t]+/g, ' ')
    .trim()
    .slice(0, 160);
}

export const SRC = String.raw`([\w./+~-]{1,255}?\.(?:[chS]|rs|cc?|inc)):(\d{1,7})`;

export function bareFunction(text: string): TraceFrame | null {
  const match = /^\s*([A-Za-z_][\w.]{1,127})(?:\s|$|\()/.exec(text);
  // An address that the kernel could not name looks like a name when it begins with a letter.
  if (match?.[1] === undefined || /^[0-9a-f]{8,16}$/.test(match[1])) return null;
  return frameOf(match[1]);
}

/** Tags that a subsystem puts before its own headers (pr_fmt). */
const TAGS = String.raw`(?:(?:NMI watchdog|watchdog|rcu|kasan|traps|perf|kfence|kcsan|CPU ?\d{1,4}|Oops): ?){0,3}`;
export const at = (pattern: string, flags = ''): RegExp => new RegExp(`^${TAGS}${pattern}`, flags);
/** Anywhere at all: other text may be glued to it, as some messages lack their line feed. */
export const anywhereAt = (pattern: string): RegExp => new RegExp(pattern);
/** For what printk cannot have said by chance: anywhere in the record, after a separator. */
export const anywhere = (pattern: string): RegExp => new RegExp(`(?:^|[\\s\\]>:;|"'])${pattern}`);
