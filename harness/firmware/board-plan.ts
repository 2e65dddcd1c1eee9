import {
  ADDRESS_BITS,
  BEHAVIOURS,
  BLOCK_SIZE,
  type BoardPlan,
  type MappedRange,
  type MonitorAnswer,
  type PlacedBehaviour,
  type RegisterRule,
  type ResetImage,
} from '../board/board-plan.ts';
import type { AddressRange } from '../devicetree/addresses.ts';
import { InputError } from '../errors.ts';
import {
  ANSWER_LAYOUT,
  BOARD_LAYOUT,
  BOARD_MAGIC,
  CONVENTION,
  CPU_LAYOUT,
  IMAGE_LAYOUT,
  PLACED_LAYOUT,
  RANGE_LAYOUT,
  RULE,
  RULE_LAYOUT,
} from './interface.ts';
import { encode } from './layout.ts';

/**
 * Largest file that the firmware has room for (firmware/layout: from the Image's place on the stand-in to its tables).
 */
const FILE_MAX = 14 * 1024 * 1024;

const PAGE_SIZE = 4096;

/** The four numbers that a rule has beside its registers. */
function operands(rule: RegisterRule): readonly [number, number, number, number] {
  switch (rule.rule) {
    case 'plain':
    case 'sets':
    case 'clears':
      return [0, 0, 0, 0];
    case 'high-mask':
      return [rule.someAreWhole ? 1 : 0, 0, 0, 0];
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
  for (const range of plan.passThrough) refuseUnaligned(range, PAGE_SIZE);
  const { interruptController: gic, breaker, monitor } = plan;
  const rules = inPages(plan.rules);
  const bytes = Buffer.concat([
    encodeHeader(plan, rules.length),
    ...plan.cpus.map(({ affinity, release }) => encode(CPU_LAYOUT, { affinity, release: release ?? 0 })),
    ...[...plan.ram, ...plan.passThrough].map(encodeRange),
    ...[...gic.redistributors, ...gic.translators, ...breaker.never].map(encodeRange),
    ...rules.map(encodeRule),
    ...plan.behaviours.map(encodeBehaviour),
    ...monitor.answers.map(encodeAnswer),
    ...plan.images.flatMap(encodeImage),
  ]);
  if (bytes.length > FILE_MAX)
    throw new InputError(`the plan of the board has ${bytes.length} bytes, and the firmware has room for ${FILE_MAX}`);
  return new Uint8Array(bytes);
}

function encodeHeader(plan: BoardPlan, rules: number): Uint8Array {
  const { interruptController: gic, timer, breaker, monitor } = plan;
  return encode(BOARD_LAYOUT, {
    magic: BOARD_MAGIC,
    entry: plan.entry,
    device_tree: plan.deviceTree,
    cpus: plan.cpus.length,
    gic_version: gic.version,
    distributor: gic.distributor.address,
    distributor_size: gic.distributor.size,
    cpu_interface: gic.cpuInterface?.address ?? 0,
    cpu_interface_size: gic.cpuInterface?.size ?? 0,
    stride: gic.stride,
    spis: gic.spis,
    virtual_timer: timer.virtual,
    physical_timer: timer.physical,
    breaker_reads: breaker.reads,
    ram_count: plan.ram.length,
    pass_count: plan.passThrough.length,
    redistributor_count: gic.redistributors.length,
    translator_count: gic.translators.length,
    never_count: breaker.never.length,
    rule_count: rules,
    placed_count: plan.behaviours.length,
    image_count: plan.images.length,
    convention: CONVENTION[monitor.convention],
    answer_count: monitor.answers.length,
    suspend_features: monitor.suspendFeatures,
    timer_frequency: timer.frequency,
  });
}

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

function encodeRange({ address, size, physical = 0 }: AddressRange & Partial<MappedRange>): Uint8Array {
  return encode(RANGE_LAYOUT, { address, size, physical });
}

function encodeRule(rule: RegisterRule): Uint8Array {
  return encode(RULE_LAYOUT, {
    at: rule.at,
    to: 'to' in rule ? rule.to : 0,
    count: rule.count,
    stride: rule.stride,
    to_stride: rule.toStride,
    kind: RULE[rule.rule],
    interrupt: rule.rule === 'on-write' ? rule.interrupt : 0,
    operand: operands(rule),
  });
}

function encodeBehaviour(placed: PlacedBehaviour): Uint8Array {
  refuseTooHigh(placed);
  return encode(PLACED_LAYOUT, {
    address: placed.address,
    size: placed.size,
    behaviour: BEHAVIOURS.indexOf(placed.behaviour),
    interrupts: placed.interrupts.length,
    interrupt: placed.interrupts,
    parameter: placed.parameters,
  });
}

function encodeAnswer({ call, asked, words }: MonitorAnswer): Uint8Array {
  const masks = asked.map((word) => (word === null ? 0 : 0xffff_ffff));
  return encode(ANSWER_LAYOUT, {
    call,
    asked: registers(asked.map((word) => word ?? 0)),
    masks: registers(masks),
    values: registers(words),
  });
}

/** Registers of 64 bits from 32-bit words, the lower one first. */
function registers(words: readonly number[]): bigint[] {
  return Array.from(
    { length: Math.ceil(words.length / 2) },
    (_, n) => (BigInt(words[2 * n + 1] ?? 0) << 32n) | BigInt(words[2 * n] ?? 0),
  );
}

function encodeImage({ address, bytes }: ResetImage): Uint8Array[] {
  const padding = new Uint8Array((8 - (bytes.length % 8)) % 8);
  return [encode(IMAGE_LAYOUT, { address, size: bytes.length }), bytes, padding];
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
