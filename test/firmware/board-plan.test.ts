import { describe, expect, it } from 'vitest';
import { BOARD_RAM_PHYSICAL, type BoardPlan, type RegisterRule } from '../../harness/board/board-plan.ts';
import { InputError } from '../../harness/errors.ts';
import { encodeBoardPlan } from '../../harness/firmware/board-plan.ts';

const SPAN = { at: 0x1000, count: 1, stride: 4, toStride: 0 };
const PLAN: BoardPlan = {
  entry: 0x8020_0000,
  deviceTree: 0xc800_0000,
  initramfs: 0xca00_0000,
  cpus: [{ affinity: 0x100, release: null }],
  ram: [{ address: 0x8000_0000, size: 0x4000_0000, physical: BOARD_RAM_PHYSICAL }],
  passThrough: [{ address: 0xff_f000_0000, size: 0x1000, physical: 0x0900_0000 }],
  interruptController: {
    version: 3,
    distributor: { address: 0x17a0_0000, size: 0x1_0000 },
    redistributors: [{ address: 0x17a6_0000, size: 0x10_0000 }],
    stride: 0x2_0000,
    cpuInterface: null,
    translators: [],
    spis: 768,
  },
  timer: { virtual: 18, physical: 17, frequency: 19_200_000 },
  images: [],
  rules: [],
  behaviours: [],
  breaker: { reads: 5, never: [] },
  monitor: { convention: 'plain', suspendFeatures: 0, answers: [] },
};

const wordsOf = (bytes: Uint8Array) =>
  Array.from({ length: bytes.length / 8 }, (_, n) => new DataView(bytes.buffer).getBigUint64(8 * n, true));

describe('the plan of a board for the firmware', () => {
  it('has the header, then the lists in the order of their counts', () => {
    const words = wordsOf(encodeBoardPlan(PLAN));
    expect(words.slice(1, 4)).toEqual([0x8020_0000n, 0xc800_0000n, 1n]);
    expect(words.slice(4, 11)).toEqual([3n, 0x17a0_0000n, 0x1_0000n, 0n, 0n, 0x2_0000n, 768n]);
    expect(words.slice(11, 14)).toEqual([18n, 17n, 5n]);
    expect(words.slice(14, 26)).toEqual([1n, 1n, 1n, 0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n, 19_200_000n]);
    expect(words.slice(26, 28)).toEqual([0x100n, 0n]);
    expect(words.slice(28, 34)).toEqual([
      0x8000_0000n,
      0x4000_0000n,
      0x8000_0000n,
      0xff_f000_0000n,
      0x1000n,
      0x900_0000n,
    ]);
    expect(words.slice(34)).toEqual([0x17a6_0000n, 0x10_0000n, 0n]);
  });

  it('lists the CPUs that are started behind the header, and where they wait', () => {
    const waiting = { affinity: 2, release: 0xe8 };
    const words = wordsOf(encodeBoardPlan({ ...PLAN, cpus: [...PLAN.cpus, waiting] }));
    expect(words[3]).toBe(2n);
    expect(words.slice(26, 31)).toEqual([0x100n, 0n, 2n, 0xe8n, 0x8000_0000n]);
  });

  it('pads an image to whole words and keeps its size', () => {
    const bytes = encodeBoardPlan({ ...PLAN, images: [{ address: 0x4004, bytes: Uint8Array.of(1, 2, 3) }] });
    expect(wordsOf(bytes).slice(-3)).toEqual([0x4004n, 3n, 0x030201n]);
  });

  it('keeps a rule in 48 bytes, its interrupt in the upper half of the word with its number', () => {
    const rule: RegisterRule = {
      ...SPAN,
      rule: 'on-write',
      mask: 2 ** 31,
      value: 0,
      to: 0x2000,
      set: 1,
      clear: 2,
      interrupt: 37,
    };
    const bytes = encodeBoardPlan({ ...PLAN, rules: [rule] });
    const view = new DataView(bytes.buffer, bytes.length - 48);
    expect(view.getBigUint64(8, true)).toBe(0x2000n);
    expect(view.getUint32(28, true)).toBe((37 << 16) | 5);
    expect(view.getUint32(32, true)).toBe(0x8000_0000);
  });

  it('splits a rule at the ends of pages and sorts by page, so that each register has the same target as before', () => {
    const rules: RegisterRule[] = [
      { at: 0x2ff0, count: 6, stride: 8, rule: 'sets', to: 0x9000, toStride: 16 },
      { ...SPAN, rule: 'plain' },
    ];
    const bytes = encodeBoardPlan({ ...PLAN, rules });
    const starts = [3, 2, 1].map((n) => new DataView(bytes.buffer, bytes.length - 48 * n));
    expect(
      starts.map((view) => [view.getBigUint64(0, true), view.getBigUint64(8, true), view.getUint32(16, true)]),
    ).toEqual([
      [0x1000n, 0n, 1],
      [0x2ff0n, 0x9000n, 2],
      [0x3000n, 0x9020n, 4],
    ]);
  });

  it('refuses an address that the CPU cannot have', () => {
    const ram = [{ address: 2 ** 44, size: 0x20_0000, physical: BOARD_RAM_PHYSICAL }];
    expect(() => encodeBoardPlan({ ...PLAN, ram })).toThrow(InputError);
  });

  it('refuses RAM that is not made of whole blocks', () => {
    const ram = [{ address: 0x8010_0000, size: 0x20_0000, physical: BOARD_RAM_PHYSICAL }];
    expect(() => encodeBoardPlan({ ...PLAN, ram })).toThrow(RangeError);
  });
});
