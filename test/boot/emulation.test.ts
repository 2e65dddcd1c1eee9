import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dir } from 'tmp-promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RegisterRule } from '../../harness/board/board-plan.ts';
import { NO_MODELS } from '../../harness/board/transplant.ts';
import { encodeNextCell } from '../../harness/firmware/next-cell.ts';
import { FIRMWARE } from '../../harness/firmware/program.ts';
import { cacheRoot } from '../../harness/kernel/cache.ts';
import { crossCompile } from '../../harness/kernel/cross.ts';
import { qemuArguments, renameFiles } from '../../harness/qemu/command.ts';
import { runGuest } from '../../harness/qemu/process.ts';
import { compileGuest } from './guest-cell.ts';
import { layBoard, SHIFT, snapshotOf } from './laid-board.ts';

/** What the firmware's C answers, instruction by instruction: a guest of a few lines asks it (guests/asks.S). */

let folder: Awaited<ReturnType<typeof dir>>;
let firmware: Uint8Array;

beforeAll(async () => {
  folder = await dir({ unsafeCleanup: true });
  firmware = await crossCompile(FIRMWARE, cacheRoot());
});

afterAll(() => folder.cleanup());

/** A line of guests/asks.S, and what it has to print. */
type Question = readonly [line: string, answer: bigint];

let asked = 0;

/** What boots a guest that asks these questions. */
async function lay(version: 2 | 3, questions: readonly Question[], rules: readonly RegisterRule[] = []) {
  const path = join(folder.path, `${asked++}`);
  await writeFile(`${path}-asks.S`, `${questions.map(([line]) => `\t${line}\n`).join('')}`);
  const compile = (console: number) => compileGuest(path, 'asks', { ASKS: `"${path}-asks.S"`, CONSOLE: console });
  const layImage = (image: string) =>
    layBoard(path, version, { firmware, image, initramfs: new Uint8Array(4) }, { models: { ...NO_MODELS, rules } });
  // Where its console is, the board says that is made for it.
  return layImage(await compile(layImage(await compile(0)).console));
}

function expectAnswers(console: string, questions: readonly Question[]) {
  const answers = console.trimEnd().split(/\r?\n/);
  const hex = (value: bigint) => value.toString(16).padStart(16, '0');
  expect(questions.map(([line], n) => `${line} = ${answers[n]}`)).toEqual(
    questions.map(([line, answer]) => `${line} = ${hex(answer)}`),
  );
}

async function ask(version: 2 | 3, questions: readonly Question[], rules: readonly RegisterRule[] = []) {
  const { files, machine, consoleFile } = await lay(version, questions, rules);
  const run = {
    consoleFile,
    logFile: files.firmwareLog,
    onConsole: () => false,
    signal: new AbortController().signal,
    cwd: folder.path,
    shift: SHIFT,
  };
  await runGuest((rename) => qemuArguments(renameFiles(files, rename), machine), run);
  expectAnswers(await readFile(consoleFile, 'utf8'), questions);
  return readFile(files.firmwareLog, 'utf8');
}

const load = (instruction: string, address: number, answer: bigint): Question => [
  `access "${instruction}, [x1]", 0x${address.toString(16)}`,
  answer,
];
const store = (instruction: string, address: number, value: bigint): Question => [
  `access "${instruction}, [x1]", 0x${address.toString(16)}, 0x${value.toString(16)}`,
  value,
];

const REGISTER = 0x1600_0000;
const SIGNED = 0x89ab_cdef_8765_f3a1n;

describe('registers of a board', () => {
  it('are loaded as an instruction says, of every size and sign, and nothing else changes', async () => {
    await ask(3, [
      load('ldr x2', REGISTER, 0n),
      store('str x2', REGISTER, SIGNED),
      load('ldr x2', REGISTER, SIGNED),
      load('ldr w2', REGISTER, 0x8765_f3a1n),
      load('ldrsw x2', REGISTER, 0xffff_ffff_8765_f3a1n),
      load('ldrh w2', REGISTER, 0xf3a1n),
      load('ldrsh w2', REGISTER, 0xffff_f3a1n),
      load('ldrsh x2', REGISTER, 0xffff_ffff_ffff_f3a1n),
      load('ldrb w2', REGISTER, 0xa1n),
      load('ldrsb w2', REGISTER, 0xffff_ffa1n),
      load('ldrsb x2', REGISTER, 0xffff_ffff_ffff_ffa1n),
      load('ldrsh x2', REGISTER + 2, 0xffff_ffff_ffff_8765n),
      load('ldrsb x2', REGISTER + 5, 0xffff_ffff_ffff_ffcdn),
      load('ldrb w2', REGISTER + 7, 0x89n),
      load('ldr w2', REGISTER + 4, 0x89ab_cdefn),
      [`access "ldr xzr, [x1]", ${REGISTER}, 7`, 7n],
    ]);
  });

  it('are stored as an instruction says, and the rest of the word stays', async () => {
    await ask(3, [
      store('str x2', REGISTER, SIGNED),
      store('strb w2', REGISTER + 1, 0x1122n),
      load('ldr x2', REGISTER, 0x89ab_cdef_8765_22a1n),
      store('strh w2', REGISTER + 6, 0x33_4455n),
      load('ldr x2', REGISTER, 0x4455_cdef_8765_22a1n),
      store('str w2', REGISTER + 4, 0x1_0000_0002n),
      load('ldr x2', REGISTER, 0x2_8765_22a1n),
      [`access "str xzr, [x1]", ${REGISTER}, 7`, 7n],
      load('ldr x2', REGISTER, 0n),
      // Two registers at once: the syndrome says nothing of it, and the page is memory from here on.
      store('stp x2, x2', REGISTER + 16, SIGNED),
      load('ldr x2', REGISTER + 24, SIGNED),
    ]);
  });
});

describe('rules of registers', () => {
  const span = { count: 1, stride: 4, toStride: 0 };

  it('say what a write leaves', async () => {
    const at = (n: number) => REGISTER + 16 * n;
    const rules: RegisterRule[] = [
      { ...span, at: at(0), rule: 'read-only', bits: 0xff00 },
      { ...span, at: at(1), rule: 'write-one-clears', bits: 0xff },
      { ...span, at: at(2), rule: 'self-clearing', bits: 1 },
      { ...span, at: at(3), rule: 'high-mask', someAreWhole: false },
      { ...span, at: at(4), rule: 'high-mask', someAreWhole: true },
      { at: at(5), count: 2, stride: 8, rule: 'sets', to: at(6), toStride: 4 },
      { ...span, at: at(7), rule: 'clears', to: at(6) },
      { ...span, at: at(8), rule: 'on-write', mask: 3, value: 1, to: at(6), set: 0x10, clear: 1, interrupt: 0 },
      { ...span, at: at(9), rule: 'on-write', mask: 1, value: 1, to: at(9), set: 0x10, clear: 1, interrupt: 0 },
    ];
    const left = (n: number, written: bigint, answer: bigint): Question[] => [
      store('str w2', at(n), written),
      load('ldr w2', at(n), answer),
    ];
    await ask(
      3,
      [
        ...left(0, 0x1234_5678n, 0x1234_0078n),
        ...left(1, 0x100n, 0x100n),
        ...left(1, 0xffn, 0n),
        ...left(2, 0x3n, 0x2n),
        ...left(3, 0xffff_1234n, 0x1234n),
        ...left(3, 0x00f0_ffffn, 0x12f4n),
        ...left(4, 0x000f_1234n, 0x000f_1234n),
        ...left(4, 0xffff_00ffn, 0xffn),
        store('str w2', at(5), 0x0fn),
        load('ldr w2', at(6), 0x0fn),
        store('str w2', at(5) + 8, 0x30n),
        load('ldr w2', at(6) + 4, 0x30n),
        // Between two registers of a rule there is none.
        store('str w2', at(5) + 4, 0xffn),
        load('ldr w2', at(6), 0x0fn),
        store('str w2', at(7), 0x06n),
        load('ldr w2', at(6), 0x09n),
        store('str w2', at(8), 3n),
        load('ldr w2', at(6), 0x09n),
        store('str w2', at(8), 5n),
        load('ldr w2', at(6), 0x18n),
        ...left(9, 3n, 0x12n),
      ],
      rules,
    );
  });

  it('say what a read brings', async () => {
    const at = (n: number) => REGISTER + 16 * n;
    const rules: RegisterRule[] = [
      { ...span, at: at(0), rule: 'follows', bit: 3, source: 1, to: at(5), inverted: false },
      { ...span, at: at(1), rule: 'follows', bit: 3, source: 1, to: at(5), inverted: true },
      { ...span, at: at(2), rule: 'on-read', to: at(6), set: 1, clear: 2 },
      { ...span, at: at(3), rule: 'plain' },
    ];
    await ask(
      3,
      [
        load('ldr w2', at(0), 0n),
        load('ldr w2', at(1), 8n),
        store('str w2', at(5), 2n),
        load('ldr w2', at(0), 8n),
        load('ldr w2', at(1), 0n),
        store('str w2', at(6), 6n),
        load('ldr w2', at(2), 0n),
        load('ldr w2', at(6), 5n),
        [`repeat 40, "ldr w2, [x1]", ${at(3)}`, 0n],
      ],
      rules,
    );
  });

  it('end a loop that polls what no rule answers, each time in another way', async () => {
    const told = [0n, 0xbfff_ffffn, 0xffff_ffffn, 0n, 1n, 2n];
    const log = await ask(
      3,
      told.flatMap((answer, n): Question[] => [
        [`repeat ${4 + n}, "ldr w2, [x1]", ${REGISTER + 4 * n}`, answer],
        store('str w2', REGISTER + 0x100, 0n),
      ]),
    );
    expect(log).toMatch(new RegExp(`^poll-broken 0x${(REGISTER + 4).toString(16)} .* held=0x0 told=0xbfffffff$`, 'm'));
    expect(log).not.toMatch(new RegExp(`^poll-broken 0x${REGISTER.toString(16)} `, 'm'));
    // An answer that is what the register holds breaks no poll: zero, the third.
    expect(log).toMatch(/^page 0x16000000 reads=39 writes=6 broken=12$/m);
  });

  it('end a poll as soon when other registers were read before it, and a loop of two after forty rounds', async () => {
    const inTurn = '"ldr w2, [x1, #4]; ldr w2, [x1]"';
    await ask(3, [
      load('ldr w2', REGISTER, 0n),
      load('ldr w2', REGISTER + 4, 0n),
      [`repeat 4, "ldr w2, [x1]", ${REGISTER + 8}`, 0n],
      [`repeat 5, "ldr w2, [x1]", ${REGISTER + 12}`, 0xbfff_ffffn],
      store('str w2', REGISTER + 0x100, 0n),
      [`repeat 39, ${inTurn}, ${REGISTER + 16}`, 0n],
      store('str w2', REGISTER + 0x100, 0n),
      [`repeat 40, ${inTurn}, ${REGISTER + 24}`, 0xbfff_ffffn],
    ]);
  });
});

describe('the interrupt controller', () => {
  const GICD = 0x17a0_0000;
  const NONE = 1023n;
  /** Whether the CPU has an interrupt to take: ISR_EL1.I. */
  const line = (is: boolean): Question => ['access "mrs x2, isr_el1", 0', is ? 0x80n : 0n];
  const set = (address: number, value: number) => store('str w2', address, BigInt(value));
  const get = (address: number, value: number | bigint) => load('ldr w2', address, BigInt(value));

  it('of version 2 delivers one at a time what is enabled and pending', async () => {
    const GICC = 0x17a0_2000;
    const acknowledge = (answer: bigint) => get(GICC + 0x0c, answer);
    const end = (interrupt: number) => set(GICC + 0x10, interrupt);
    await ask(2, [
      set(GICD + 0x104, 0x300),
      get(GICD + 0x104, 0x300),
      set(GICD + 0x184, 0x200),
      get(GICD + 0x104, 0x100),
      set(GICD + 0x204, 0x300),
      get(GICD + 0x284, 0x300),
      line(false),
      set(GICD, 1),
      line(false),
      set(GICC, 1),
      line(false),
      set(GICC + 4, 0xf0),
      line(true),
      get(GICC + 0x18, 40),
      acknowledge(40n),
      line(false),
      get(GICD + 0x304, 0x100),
      get(GICD + 0x204, 0x200),
      // What is being dealt with does not come again, nor does another.
      set(GICD + 0x204, 0x100),
      set(GICD + 0x104, 0x200),
      line(false),
      acknowledge(NONE),
      end(40),
      get(GICD + 0x304, 0),
      line(true),
      acknowledge(40n),
      end(40),
      acknowledge(41n),
      end(41),
      acknowledge(NONE),
      line(false),
      // An SGI to itself, to a list, to all but itself.
      set(GICD + 0xf00, (2 << 24) | 3),
      acknowledge(3n),
      end(3),
      set(GICD + 0xf00, (1 << 16) | 15),
      acknowledge(15n),
      end(15),
      set(GICD + 0xf00, (2 << 16) | 4),
      set(GICD + 0xf00, (1 << 24) | 4),
      acknowledge(NONE),
      get(GICD + 0x800, 0x0101_0101),
      store('strb w2', GICD + 0x429, 0xa0n),
      get(GICD + 0x428, 0xa000),
      set(GICD + 0x204, 0x100),
      line(true),
      set(GICD + 0x284, 0x100),
      line(false),
    ]);
  });

  it.each([2, 3] as const)('of version %i has a timer come again that the guest has forgotten', async (version) => {
    const banked = version === 3 ? 0x17a7_0000 : GICD;
    /** The virtual timer of the board: PPI 3. */
    const TIMER = 1 << 19;
    const write = (register: string, value: bigint): Question => [
      `access "msr ${register}, x2; isb", 0, ${value}`,
      value,
    ];
    await ask(version, [
      get(banked + 0x200, 0),
      write('cntv_cval_el0', 1n),
      write('cntv_ctl_el0', 1n),
      get(banked + 0x200, TIMER),
      write('cntv_ctl_el0', 0n),
      set(banked + 0x280, TIMER),
      get(banked + 0x200, 0),
      write('cntv_ctl_el0', 1n),
      get(banked + 0x200, TIMER),
    ]);
  });

  it('of version 3 ends and deactivates in one step or in two', async () => {
    const GICR = 0x17a6_0000;
    const SGIS = GICR + 0x1_0000;
    const icc = (instruction: string, value = 0n): Question => [`access "${instruction}", 0, ${value}`, value];
    const read = (register: string, answer: bigint): Question => [`access "mrs x2, ${register}", 0`, answer];
    const write = (register: string, value: bigint) => icc(`msr ${register}, x2`, value);
    const [PMR, IAR1, EOIR1, CTLR, IGRPEN1, DIR, SGI1R, HPPIR1] = [
      ...['S3_0_C4_C6_0', 'S3_0_C12_C12_0', 'S3_0_C12_C12_1', 'S3_0_C12_C12_4', 'S3_0_C12_C12_7', 'S3_0_C12_C11_1'],
      ...['S3_0_C12_C11_5', 'S3_0_C12_C12_2'],
    ] as const;
    await ask(3, [
      set(GICD, 0x12),
      get(GICD, 0x52),
      get(GICR + 0x14, 6),
      set(GICR + 0x14, 0),
      get(GICR + 0x14, 0),
      // PLPIS: the board has a translation service.
      get(GICR + 0x08, 1),
      get(SGIS + 0x100, 0xffff),
      set(GICD + 0x104, 0x100),
      set(GICD + 0x204, 0x100),
      line(false),
      write(PMR, 0xf0n),
      read(PMR, 0xf0n),
      line(false),
      write(IGRPEN1, 1n),
      line(true),
      read(HPPIR1, 40n),
      read(IAR1, 40n),
      read(IAR1, NONE),
      write(EOIR1, 40n),
      get(GICD + 0x304, 0),
      write(CTLR, 2n),
      read(CTLR, 0x402n),
      set(GICD + 0x204, 0x100),
      read(IAR1, 40n),
      write(EOIR1, 40n),
      get(GICD + 0x304, 0x100),
      write(DIR, 40n),
      get(GICD + 0x304, 0),
      write(SGI1R, (5n << 24n) | 1n),
      read(IAR1, 5n),
      write(DIR, 5n),
      // To another CPU, to one of another cluster, and to all but this one.
      write(SGI1R, (5n << 24n) | 2n),
      write(SGI1R, (5n << 24n) | (1n << 16n) | 1n),
      write(SGI1R, (5n << 24n) | (1n << 40n)),
      read(IAR1, NONE),
      line(false),
    ]);
  });
});

describe('calls of the monitor', () => {
  const REFUSED = 0xffff_ffff_ffff_ffffn;
  const call = (name: number, argument: number, answer: bigint): Question => [`call ${name}, ${argument}`, answer];

  it('are answered, refused, or handed on to PSCI', async () => {
    const log = await ask(3, [
      call(0x8000_0000, 0, 0x1_0002n),
      call(0x8400_000a, 0x8000_0000, 0n),
      // The maker's, and a trusted OS's.
      call(0xc200_0001, 0, REFUSED),
      call(0xb200_0000, 0, REFUSED),
      call(0x8400_0000, 0, 0x1_0001n),
      // CPUs have the board's affinities: one that is on, and one that nobody has.
      call(0xc400_0004, 0, 0n),
      call(0xc400_0004, 7, 0xffff_ffff_ffff_fffen),
      call(0x8400_000f, 0, 0n),
      call(0x8400_000f, 1, REFUSED),
    ]);
    expect(log.match(/^monitor-call .*$/gm)).toEqual([
      'monitor-call 0xc2000001 unknown',
      'monitor-call 0xb2000000 unknown',
    ]);
  });
});

/** Pages of registers: what the guest has done to each when the snapshot is taken. */
const [UNTOUCHED, READ, USED] = [REGISTER, REGISTER + 0x1000, REGISTER + 0x2000];
const asMemory = (page: number, value: bigint): Question[] => [
  // Two registers at once: the page is memory from here on.
  store('stp w2, w2', page + 16, value),
  load('ldr w2', page + 16, value),
];

it('a cell finds the pages of registers as they were when the snapshot was taken', async () => {
  const questions: Question[] = [
    load('ldr w2', READ, 0n),
    ...asMemory(USED, 3n),
    ['snapshot', 0n],
    load('ldr w2', UNTOUCHED, 0n),
    load('ldr w2', READ + 16, 0n),
    load('ldr w2', USED + 16, 3n),
    ...[UNTOUCHED, READ, USED].flatMap((page) => asMemory(page, 9n)),
  ];
  const guest = await snapshotOf(await lay(3, questions), { devices: [], functions: [] }, new Map());
  try {
    const logs: (string | undefined)[] = [];
    for (let n = 0; n < 3; n++) {
      const cell = encodeNextCell({ table: null, plan: new Uint8Array(4), modules: null });
      const booted = await guest.boot(cell, () => false);
      expectAnswers(booted?.console.toString('utf8') ?? '', questions);
      logs.push(booted?.firmwareLog);
    }
    // How often each page was read before it was memory, in the order in which they were touched.
    expect(logs[0]?.match(/^page .*$/gm)).toEqual([
      'page 0x16001000 reads=2 writes=0 broken=0 mapped',
      'page 0x16002000 reads=0 writes=0 broken=0 mapped',
      'page 0x16000000 reads=1 writes=0 broken=0 mapped',
    ]);
    expect(logs.slice(1)).toEqual([logs[0], logs[0]]);
  } finally {
    await guest.close();
  }
});
