import type { Frame } from './events.ts';

/** A line of a call trace, with what decides whether it may be blamed. */
export interface TraceFrame extends Frame {
  /** False for x86's `? func`: an address found on the stack that need not be a return address. */
  readonly reliable: boolean;
  /**
   * powerpc marks what it finds in the topmost stack frame `(unreliable)`: mostly where the frame's own function called
   * something last, show_stack() in arch/powerpc/kernel/process.c.
   */
  readonly topmost: boolean;
  /** arm64 since 6.13 marks the frame of the interrupted or faulting pc with `(P)`. */
  readonly interrupted: boolean;
  /**
   * The file that the function itself is in, where the log or a vmlinux names it: `source` may be that of a function
   * that was inlined into it.
   */
  readonly home: string | null;
}

/** Where a place in the kernel's code is: `source` with the line, and the file of the function itself. */
export interface CodeSource {
  readonly source: string;
  readonly home: string;
}

/** Looks up a place in the built-in kernel's code; null where nothing is known of it. */
export type Locate = (name: string, offset: number) => CodeSource | null;

/** The frame with what `locate` knows of it. */
export function withSource(frame: TraceFrame, locate: Locate | null): TraceFrame {
  if (locate === null || frame.source !== null || frame.offset === null || frame.module !== null) return frame;
  const found = locate(frame.function, frame.offset);
  return found === null ? frame : { ...frame, ...found };
}

/** C, Rust (mangled) and assembler symbols; compilers add `.isra.0`, `.constprop.0`, `.llvm.123`. */
const SYMBOL = String.raw`\.?[A-Za-z_$][\w.$]{0,255}`;
const OFFSET = String.raw`\+0x([0-9a-f]{1,8})\/0x([0-9a-f]{1,8})`;
/** `[module]`, with CONFIG_STACKTRACE_BUILD_ID `[module 0123abcd...]`. */
const MODULE = String.raw`(?: ?\[([\w-]{1,64})(?: [0-9a-f]{8,64})?(?:\([A-Z+-]{1,8}\))?\])?`;
const SOURCE = String.raw`([\w./+-]{1,255}\.(?:[chS]|rs|cc?p?p?|inc)):(\d{1,7})`;
/**
 * `[<ffffffc000123456>]`, `[c000000012345678] [c0000000abcdef00]` (powerpc), `([<00000000004b3f2a>] ...)` (s390),
 * `0xffff...: `
 */
const ADDRESSES = String.raw`^[ \t]*\(?(?:\[<?(?:0x)?[0-9a-f]{4,16}>?\][ \t]*){0,2}`;

const PLAIN = new RegExp(`${ADDRESSES}(\\? )?(${SYMBOL})${OFFSET}${MODULE}`);
/** Where the line starts with an unknown prefix: only with white space before the symbol. */
const LOOSE = new RegExp(`(?:^|[ \\t])(\\? )?(${SYMBOL})${OFFSET}${MODULE}`);
/**
 * A frame of a kernel without kallsyms: an address, and at most the module it is in (OpenWrt adds where that is
 * loaded).
 */
const NAMELESS = new RegExp(
  String.raw`^[ \t]*(?:\[<[0-9a-f]{8,16}>\][ \t]*)?(0x[0-9a-f]{8,16})` +
    String.raw`(?:[ \t]+\[([\w-]{1,64})(?:@[0-9a-f]{1,16}\+0x[0-9a-f]{1,8})?\])?(?: \(P\))?[ \t]*$`,
);
/** scripts/decode_stacktrace.sh: `func (drivers/x.c:12 (discriminator 1)) module`. */
const DISCRIMINATORS = String.raw`(?:\(discriminator \d+\)[^()]{0,400}){0,8}`;
const DECODED = new RegExp(
  String.raw`${ADDRESSES}(\? )?(${SYMBOL}) \(${SOURCE}[^()]{0,400}${DISCRIMINATORS}\)(?: ([\w-]{1,64}))?`,
);
/** syz-symbolize: `func+0x1/0x2 fs/x.c:12`, and `func fs/x.c:12 [inline]`, which is not in the kernel's own text. */
const SYMBOLIZED = new RegExp(`^ ?${SOURCE}`);
/** arm until 5.17: `[<c010d1b8>] (callee) from [<c0109c4c>] (caller+0x10/0x14)`. */
const ARM_ADDRESS = String.raw`\[<[0-9a-f]{8}>\] ?`;
const ARM_FROM = new RegExp(
  String.raw`^[ \t]*(?:${ARM_ADDRESS})?\((${SYMBOL})(?:${OFFSET})?${MODULE}\)` +
    String.raw` from (?:${ARM_ADDRESS})?\((${SYMBOL})(?:${OFFSET})?${MODULE}(?: ${SOURCE}( \[inline\])?)?\)`,
);
/** arm since 5.17: ` callee from caller+0x10/0x14`. */
const ARM_FROM_NEW = new RegExp(String.raw`^[ \t]*(${SYMBOL})${MODULE} from (${SYMBOL})${OFFSET}${MODULE}`);

const SOURCES = new RegExp(SOURCE, 'g');
const LINE_NUMBER = /:\d+$/;

const hex = (digits: string | undefined): number | null => (digits === undefined ? null : Number.parseInt(digits, 16));

function make(
  name: string,
  offset: string | undefined,
  size: string | undefined,
  module: string | undefined,
  source: string | null,
  reliable: boolean,
  interrupted = false,
): TraceFrame {
  return {
    function: name.startsWith('.') ? name.slice(1) : name,
    offset: hex(offset),
    size: hex(size),
    module: module ?? null,
    source,
    reliable,
    topmost: false,
    interrupted,
    home: source?.replace(LINE_NUMBER, '') ?? null,
  };
}

/** scripts/decode_stacktrace.sh names what was inlined first, and the function's own file last. */
function makeDecoded(decoded: RegExpExecArray): TraceFrame | null {
  if (decoded[2] === undefined) return null;
  const source = `${decoded[3]}:${decoded[4]}`;
  const frame = make(decoded[2], undefined, undefined, decoded[5], source, decoded[1] === undefined);
  const last = [...decoded[0].matchAll(SOURCES)].at(-1)?.[1];
  return last === undefined ? frame : { ...frame, home: last };
}

/** Frames that one line of a call trace stands for, innermost first; null when it is no such line. */
export function parseTraceLine(text: string): TraceFrame[] | null {
  if (text.includes(' from ')) {
    const old = ARM_FROM.exec(text);
    if (old?.[1] !== undefined && old[5] !== undefined) {
      const callee = make(old[1], old[2], old[3], old[4], null, true);
      // What was inlined has no frame of its own; the next line names the function that it is in.
      if (old[11] !== undefined) return [callee];
      const place = old[9] === undefined ? null : `${old[9]}:${old[10]}`;
      return [callee, make(old[5], old[6], old[7], old[8], place, true)];
    }
    const recent = ARM_FROM_NEW.exec(text);
    if (recent?.[1] !== undefined && recent[3] !== undefined) {
      return [
        make(recent[1], undefined, undefined, recent[2], null, true),
        make(recent[3], recent[4], recent[5], recent[6], null, true),
      ];
    }
  }
  const nameless = text.includes('0x') ? namelessFrame(text) : null;
  if (nameless !== null) return [nameless];
  if (text.includes('+0x')) {
    const plain = PLAIN.exec(text);
    if (plain?.[2] === undefined) return null;
    const rest = text.slice(plain[0].length);
    const source = SYMBOLIZED.exec(rest);
    // An address of a function's very end or beginning was never returned to: an old value on the stack.
    const stale = plain[1] !== undefined && (plain[3] === plain[4] || plain[3] === '0');
    if (stale) return [];
    const topmost = rest.includes('(unreliable)');
    const reliable = plain[1] === undefined && !topmost;
    const place = source === null ? null : `${source[1]}:${source[2]}`;
    const frame = make(plain[2], plain[3], plain[4], plain[5], place, reliable, rest.startsWith(' (P'));
    return [topmost ? { ...frame, topmost } : frame];
  }
  const decoded = text.includes('(') ? DECODED.exec(text) : null;
  const frame = decoded === null ? null : makeDecoded(decoded);
  return frame === null ? null : [frame];
}

function namelessFrame(text: string): TraceFrame | null {
  const match = NAMELESS.exec(text);
  return match?.[1] === undefined ? null : make(match[1], undefined, undefined, match[2], null, true);
}

/** Whether the kernel could not say which function this is. */
export function isNameless(frame: Frame): boolean {
  return frame.function.startsWith('0x');
}

/** The first `func+0x1/0x2 [module]` of a text, or null. Used for pc, lr and header lines. */
export function findFrame(text: string): TraceFrame | null {
  const nameless = text.startsWith('0x') ? namelessFrame(text) : null;
  if (nameless !== null) return nameless;
  if (!text.includes('+0x')) {
    const decoded = DECODED.exec(text.trimStart());
    return decoded === null ? null : makeDecoded(decoded);
  }
  const match = LOOSE.exec(text.replace(/[()<>[\]:,]/g, (sign) => (sign === '[' || sign === ']' ? sign : ' ')));
  if (match?.[2] === undefined) return null;
  return make(match[2], match[3], match[4], match[5], null, true);
}

/** A function's name as its author wrote it: without the suffixes that compilers and linkers add. */
export function plainName(name: string): string {
  const dot = name.indexOf('.', 1);
  return dot < 0 ? name : name.slice(0, dot);
}

/** The frame of a function of which nothing else is said. */
export function frameOf(name: string): TraceFrame {
  return {
    function: name,
    offset: null,
    size: null,
    module: null,
    source: null,
    reliable: true,
    topmost: false,
    interrupted: false,
    home: null,
  };
}

/** A frame without what only blame needs to know. */
export function publicFrame({ function: name, offset, size, module, source }: TraceFrame): Frame {
  return { function: name, offset, size, module, source };
}
