import {
  ADDRESS_BITS,
  type AddressRange,
  BEHAVIOURS,
  BLOCK_SIZE,
  type BoardPlan,
  type MappedRange,
  type PlacedBehaviour,
  type RegisterRule,
  type ResetImage,
} from '../board/board-plan.ts';
import { InputError } from '../errors.ts';

/**
 * Layout of the file `opt/bootrace/board`, which firmware/board.c reads where it lies: a header of 64-bit words, then
 * the lists of which the header has the counts, then the images. Little endian, everything at a multiple of eight
 * bytes.
 */
const MAGIC = 0x3144_5241_4f42_5242n;
const HEADER_WORDS = 27;
const RANGE_SIZE = 3 * 8;
const RULE_SIZE = 2 * 8 + 8 * 4;
const INTERRUPTS_MAX = 8;
const PARAMETERS_MAX = 8;
const BEHAVIOUR_SIZE = 2 * 8 + 2 * 4 + INTERRUPTS_MAX * 4 + PARAMETERS_MAX * 8;
const ASKED_WORDS = 4;
const ANSWER_WORDS = 8;
const ANSWER_SIZE = 8 + (2 * ASKED_WORDS + ANSWER_WORDS) * 4;
const IMAGE_HEADER_SIZE = 2 * 8;
const CONVENTIONS = ['plain', 'qualcomm'] as const satisfies readonly BoardPlan['monitor']['convention'][];

/** Numbers of the rules in firmware/rules.c. */
const RULES = [
  'plain',
  'read-only',
  'write-one-clears',
  'self-clearing',
  'follows',
  'on-write',
  'on-read',
  'sets',
  'clears',
  'counter',
  'line',
  'high-mask',
] as const satisfies readonly RegisterRule['rule'][];

/**
 * Largest file that the firmware has room for (firmware/layout: from the Image's place on the stand-in to its tables).
 */
const FILE_MAX = 14 * 1024 * 1024;

/** Writes little-endian numbers one after the other. */
class Writer {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
  }

  u32(...values: readonly number[]): void {
    for (const value of values) {
      this.#view.setUint32(this.#at, value, true);
      this.#at += 4;
    }
  }

  u64(...values: readonly (number | bigint)[]): void {
    for (const value of values) {
      this.#view.setBigUint64(this.#at, BigInt(value), true);
      this.#at += 8;
    }
  }

  copy(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  align(): void {
    this.#at = aligned(this.#at);
  }
}

function aligned(size: number): number {
  return Math.ceil(size / 8) * 8;
}

/** The four numbers that a rule has beside its registers. */
function operands(rule: RegisterRule): readonly [number, number, number, number] {
  switch (rule.rule) {
    case 'plain':
    case 'high-mask':
    case 'sets':
    case 'clears':
      return [0, 0, 0, 0];
    case 'read-only':
    case 'write-one-clears':
    case 'self-clearing':
      return [rule.bits, 0, 0, 0];
    case 'follows':
      return [rule.bit, rule.source, rule.inverted ? 1 : 0, 0];
    case 'on-write':
      return [rule.mask, rule.value, rule.set, rule.clear];
    case 'on-read':
      return [rule.set, rule.clear, 0, 0];
    case 'counter':
      return [rule.hertz, rule.high ? 1 : 0, 0, 0];
    case 'line':
      return [rule.interrupt, 0, 0, 0];
  }
}

/**
 * The plan as the firmware reads it. Throws {@link InputError} for what cannot be mapped, and for more than there is
 * room for.
 */
export function encodeBoardPlan(plan: BoardPlan): Uint8Array {
  for (const range of plan.ram) refuseUnaligned(range, BLOCK_SIZE);
  for (const range of plan.passThrough) refuseUnaligned(range, 4096);
  const { interruptController: gic, timer, breaker } = plan;
  const rules = inPages(plan.rules);
  const size =
    HEADER_WORDS * 8 +
    RANGE_SIZE *
      (plan.ram.length +
        plan.passThrough.length +
        gic.redistributors.length +
        gic.translators.length +
        breaker.never.length) +
    RULE_SIZE * rules.length +
    BEHAVIOUR_SIZE * plan.behaviours.length +
    ANSWER_SIZE * plan.monitor.answers.length +
    plan.images.reduce((sum, { bytes }) => sum + IMAGE_HEADER_SIZE + aligned(bytes.length), 0);
  if (size > FILE_MAX)
    throw new InputError(`the plan of the board has ${size} bytes, and the firmware has room for ${FILE_MAX}`);
  const writer = new Writer(size);
  writer.u64(MAGIC, plan.entry, plan.deviceTree, plan.cpus);
  writer.u64(gic.version, gic.distributor.address, gic.distributor.size);
  writer.u64(gic.cpuInterface?.address ?? 0, gic.cpuInterface?.size ?? 0, gic.stride, gic.spis);
  writer.u64(timer.virtual, timer.physical, breaker.reads);
  writer.u64(plan.ram.length, plan.passThrough.length, gic.redistributors.length, gic.translators.length);
  writer.u64(breaker.never.length, rules.length, plan.behaviours.length, plan.images.length);
  const { convention, suspendFeatures, answers } = plan.monitor;
  writer.u64(CONVENTIONS.indexOf(convention), answers.length, suspendFeatures, timer.frequency, plan.bootAffinity);
  for (const { address, size, physical } of [...plan.ram, ...plan.passThrough]) writer.u64(address, size, physical);
  for (const { address, size } of [...gic.redistributors, ...gic.translators, ...breaker.never])
    writer.u64(address, size, 0);
  for (const rule of rules) writeRule(writer, rule);
  for (const behaviour of plan.behaviours) writeBehaviour(writer, behaviour);
  for (const { call, asked, words } of answers) {
    const numbered = (count: number, word: (n: number) => number) => Array.from({ length: count }, (_, n) => word(n));
    writer.u64(call);
    writer.u32(...numbered(ASKED_WORDS, (n) => asked[n] ?? 0));
    writer.u32(...numbered(ASKED_WORDS, (n) => (asked[n] === null || asked[n] === undefined ? 0 : 0xffff_ffff)));
    writer.u32(...numbered(ANSWER_WORDS, (n) => words[n] ?? 0));
  }
  for (const image of plan.images) writeImage(writer, image);
  return writer.bytes;
}

const PAGE_SIZE = 4096;

/**
 * The same rules in the order of their pages, each within one, as the firmware looks them up. Those of one page keep
 * their order.
 */
function inPages(rules: readonly RegisterRule[]): RegisterRule[] {
  const pageOf = (rule: RegisterRule) => Math.floor(rule.at / PAGE_SIZE);
  return rules.flatMap(split).sort((a, b) => pageOf(a) - pageOf(b));
}

function split(rule: RegisterRule): RegisterRule[] {
  const pieces: RegisterRule[] = [];
  for (let done = 0; done < rule.count; ) {
    const at = rule.at + done * rule.stride;
    const left = rule.stride === 0 ? rule.count : Math.ceil((PAGE_SIZE - (at % PAGE_SIZE)) / rule.stride);
    const count = Math.max(1, Math.min(left, rule.count - done));
    pieces.push({ ...rule, at, count, ...('to' in rule ? { to: rule.to + done * rule.toStride } : {}) });
    done += count;
  }
  return pieces;
}

function writeRule(writer: Writer, rule: RegisterRule): void {
  const kind = RULES.indexOf(rule.rule);
  const to = 'to' in rule ? rule.to : 0;
  const interrupt = rule.rule === 'on-write' ? rule.interrupt : 0;
  writer.u64(rule.at, to);
  // An interrupt and the rule's number share a word: INTIDs of SPIs have ten bits (IHI 0069, 2.2).
  writer.u32(rule.count, rule.stride, rule.toStride, kind | (interrupt << 16));
  writer.u32(...operands(rule).map((value) => value >>> 0));
}

function writeBehaviour(writer: Writer, placed: PlacedBehaviour): void {
  const { behaviour, interrupts, parameters } = placed;
  if (interrupts.length > INTERRUPTS_MAX || parameters.length > PARAMETERS_MAX)
    throw new RangeError(`${behaviour} has ${interrupts.length} interrupts and ${parameters.length} parameters`);
  refuseTooHigh(placed);
  writer.u64(placed.address, placed.size);
  writer.u32(BEHAVIOURS.indexOf(behaviour), interrupts.length);
  writer.u32(...padded(interrupts, INTERRUPTS_MAX));
  writer.u64(...padded(parameters, PARAMETERS_MAX));
}

function writeImage(writer: Writer, { address, bytes }: ResetImage): void {
  writer.u64(address, bytes.length);
  writer.copy(bytes);
  writer.align();
}

function padded(values: readonly number[], length: number): number[] {
  return [...values, ...Array<number>(length - values.length).fill(0)];
}

function refuseUnaligned(range: MappedRange, unit: number): void {
  refuseTooHigh(range);
  for (const value of [range.address, range.size, range.physical])
    if (value % unit !== 0)
      throw new RangeError(`the range at ${hex(range.address)} is not made of pieces of ${hex(unit)}`);
}

function refuseTooHigh({ address, size }: AddressRange): void {
  if (address + size > 2 ** ADDRESS_BITS)
    throw new InputError(
      `the board has something at ${hex(address)}, and the CPU that QEMU emulates has ${ADDRESS_BITS} bits of address`,
    );
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
