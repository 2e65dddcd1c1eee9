import { BEHAVIOURS, type BoardPlan, type RegisterRule } from '../board/board-plan.ts';
import { cStruct, struct } from './layout.ts';

/**
 * What the harness and the EL2 firmware say to each other, described once: the C side includes `interface.h`, which
 * {@link interfaceHeader} makes of this file when the firmware is compiled. Structures get a line in STRUCTS,
 * enumerations in ENUMS, numbers in CONSTANTS.
 */

/** Breakpoints of a Cortex-A57 (ID_AA64DFR0_EL1.BRPs). */
export const BREAKPOINTS = 6;
export const STOPS_MAX = 64;
/** Bits of the masks in `struct flight`. */
export const GATES_MAX = 64;
export const MOMENTS_MAX = 64;
export const NAME_SIZE = 128;

/** Why the guest stops at an address. */
export const STOP = {
  /** A bus's probe function: x0 is the `struct device *`. */
  probe: 1,
  /** Any function. */
  call: 2,
  /** `do_init_module(struct module *)`. */
  load: 3,
  /** A console's write(): x1 is the text, w2 its size. */
  console: 4,
  /** Says how many instructions there have been. */
  counted: 5,
  /** The kernel has patched its own text by now: instructions may be written over. */
  ready: 6,
  /** The write() of the console that the firmware has registered. */
  own_console: 7,
  /** Where it registers that console: `value` is the address of register_console(). */
  register_console: 8,
} as const;

/** How the guest is made to stop: one of the CPU's breakpoints, or BRK written over the instruction. */
export const WAY = { hardware: 0, patch: 1 } as const;

/** What a probe, a call or a load must be of; a place without a name takes all. */
export const MATCH = { any: 0, name: 1, node: 2, driver: 3, during: 4 } as const;

export const SIDE = { entry: 0, return: 1 } as const;

export const ACTION = { delay: 1, hold: 2, force: 3, snapshot: 4 } as const;

/**
 * Files of the guest: QEMU's fw_cfg has them by name, a cell that is handed over brings its own. The first two are the
 * init's (guest/init/harness.h).
 */
const FILES = {
  plan: 'opt/bootrace/plan',
  modules: 'opt/bootrace/modules',
  table: 'opt/bootrace/gates',
  board: 'opt/bootrace/board',
} as const;

/** A function that the guest stops at. */
export const STOP_LAYOUT = struct('stop', {
  /** Virtual; 0 for a function of a module until that is loaded. */
  address: 'u64',
  /** `counted`: a number of the harness's own. */
  value: 'u64',
  kind: 'u32',
  way: 'u32',
  /** As the log says it; `module:function` is looked up when the module is loaded. */
  name: { text: NAME_SIZE },
});

/** Entries or returns that a gate or a moment is about. */
const PLACE_LAYOUT = struct('place', {
  /** Of `STOP`: probe, call, load; 0 for a step of the plan. */
  kind: 'u32',
  /** `call`: which of the stops. A step: its number, from 1. */
  index: 'u32',
  side: 'u32',
  /** From 1; 0 for every one. */
  nth: 'u32',
  match: 'u32',
  reserved: 'u32',
  name: { text: NAME_SIZE },
});

/** What a hold waits for. */
export const MOMENT_LAYOUT = struct('moment', { at: PLACE_LAYOUT });

export const GATE_LAYOUT = struct('gate', {
  at: PLACE_LAYOUT,
  action: 'u32',
  /** delay: how long; hold: at most how long. Virtual time. */
  ms: 'u32',
  /** hold: which of the moments. */
  moment: 'u32',
  reserved: 'u32',
  /** force: what the function returns. */
  value: 'u64',
  /** What the log says behind the name of what is held. */
  detail: { text: NAME_SIZE },
});

/** The table that a cell's gates are in: this, then the stops, the moments and the gates. */
export const TABLE_LAYOUT = struct('table', {
  magic: 'u64',
  takes_snapshot: 'u32',
  stops: 'u32',
  moments: 'u32',
  gates: 'u32',
  /** Milliseconds of virtual time between two looks at a hold's condition. */
  poll_ms: 'u32',
  reserved: 'u32',
  /** Functions of the kernel that the firmware enters in the guest's stead; 0 where it has none of that name. */
  msleep: 'u64',
  udelay: 'u64',
  lookup: 'u64',
  /** A function that reads the CPU's preempt count. */
  preempt: 'u64',
  /** The task that the kernel begins with, or 0 where that is not known. */
  idle: 'u64',
});

/** A cell that goes on from a snapshot: this, then the table, the plan and the modules. */
export const NEXT_CELL_LAYOUT = struct('next_cell', {
  magic: 'u64',
  /** Bytes; or one of `ABSENT`. */
  table: 'u32',
  plan: 'u32',
  modules: 'u32',
  reserved: 'u32',
});
export const ABSENT = { as_before: 0xffff_ffff, none: 0xffff_fffe } as const;

/** A range of a real board's addresses; `physical` where stage 2 maps it. */
export const RANGE_LAYOUT = struct('range', { address: 'u64', size: 'u64', physical: 'u64' });

/** `RegisterRule` in board/board-plan.ts; `interrupt` is that of `on-write`. */
export const RULE_LAYOUT = struct('rule', {
  at: 'u64',
  to: 'u64',
  count: 'u32',
  stride: 'u32',
  to_stride: 'u32',
  kind: 'u16',
  interrupt: 'u16',
  operand: { array: 'u32', length: 4 },
});
export const RULE = {
  plain: 0,
  'read-only': 1,
  'write-one-clears': 2,
  'self-clearing': 3,
  follows: 4,
  'on-write': 5,
  'on-read': 6,
  sets: 7,
  clears: 8,
  counter: 9,
  line: 10,
  'high-mask': 11,
} as const satisfies Readonly<Record<RegisterRule['rule'], number>>;

/** A behaviour (models/) at an address, by its number in BEHAVIOURS. */
export const PLACED_LAYOUT = struct('placed', {
  address: 'u64',
  size: 'u64',
  behaviour: 'u32',
  interrupts: 'u32',
  interrupt: { array: 'u32', length: 8 },
  parameter: { array: 'u64', length: 8 },
});

/** A call of the secure monitor. The first answer counts whose x1 and x2 are as asked in the bits of the masks. */
export const ANSWER_LAYOUT = struct('answer', {
  call: 'u64',
  asked: { array: 'u64', length: 2 },
  masks: { array: 'u64', length: 2 },
  /** x0 to x3. */
  values: { array: 'u64', length: 4 },
});
export const CONVENTION = { plain: 0, qualcomm: 1 } as const satisfies Readonly<
  Record<BoardPlan['monitor']['convention'], number>
>;

/** What lies in memory or registers at reset: this, then so many bytes, up to a multiple of eight. */
export const IMAGE_LAYOUT = struct('image', { address: 'u64', size: 'u64' });

/** A CPU that is started, in the order of QEMU's; the first is the one that boots. `release` is 0 for PSCI. */
export const CPU_LAYOUT = struct('board_cpu', { affinity: 'u64', release: 'u64' });

/** The file of a real board: this, then the lists that it counts, in the order of their counts, then the images. */
export const BOARD_LAYOUT = struct('board', {
  magic: 'u64',
  entry: 'u64',
  device_tree: 'u64',
  cpus: 'u64',
  gic_version: 'u64',
  distributor: 'u64',
  distributor_size: 'u64',
  cpu_interface: 'u64',
  cpu_interface_size: 'u64',
  stride: 'u64',
  spis: 'u64',
  virtual_timer: 'u64',
  physical_timer: 'u64',
  breaker_reads: 'u64',
  ram_count: 'u64',
  pass_count: 'u64',
  redistributor_count: 'u64',
  translator_count: 'u64',
  never_count: 'u64',
  rule_count: 'u64',
  placed_count: 'u64',
  image_count: 'u64',
  convention: 'u64',
  answer_count: 'u64',
  suspend_features: 'u64',
  timer_frequency: 'u64',
});

/** "BRBOARD1", "BRMGATES" and "BBRMCELL" */
export const BOARD_MAGIC = 0x3144_5241_4f42_5242n;
export const TABLE_MAGIC = 0x5345_5441_474d_5242n;
export const NEXT_CELL_MAGIC = 0x4c4c_4543_4d52_4242n;

/** Where the firmware keeps what a cell brings, from CELL_ADDRESS on (memory-map.ts). */
const CELL_PLAN_OFFSET = 0x1_0000;
export const CELL_MODULES_OFFSET = 0x3_0000;

const CONSTANTS = {
  BREAKPOINTS,
  STOPS_MAX,
  GATES_MAX,
  MOMENTS_MAX,
  NAME_SIZE,
  BOARD_MAGIC,
  TABLE_MAGIC,
  NEXT_CELL_MAGIC,
  CELL_PLAN_OFFSET,
  CELL_MODULES_OFFSET,
};
const ENUMS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  STOP,
  WAY,
  MATCH,
  SIDE,
  ACTION,
  ABSENT,
  RULE,
  CONVENTION,
};
const STRUCTS = [
  STOP_LAYOUT,
  PLACE_LAYOUT,
  MOMENT_LAYOUT,
  GATE_LAYOUT,
  TABLE_LAYOUT,
  NEXT_CELL_LAYOUT,
  RANGE_LAYOUT,
  RULE_LAYOUT,
  PLACED_LAYOUT,
  ANSWER_LAYOUT,
  IMAGE_LAYOUT,
  CPU_LAYOUT,
  BOARD_LAYOUT,
];

function cName(name: string): string {
  return name.replaceAll('-', '_');
}

/** Text of `interface.h`. `u8` to `u64` are declared by who includes it. */
export function interfaceHeader(): string {
  return [
    '/* Made of harness/firmware/interface.ts. */',
    '#ifndef BOOTRACE_INTERFACE_H',
    '#define BOOTRACE_INTERFACE_H',
    '',
    ...Object.entries(CONSTANTS).map(
      ([name, value]) => `#define ${name} 0x${value.toString(16)}u${typeof value === 'bigint' ? 'l' : ''}`,
    ),
    '',
    ...Object.entries(ENUMS).flatMap(([prefix, values]) =>
      Object.entries(values).map(
        ([name, value]) => `#define ${prefix}_${cName(name).toUpperCase()} 0x${value.toString(16)}u`,
      ),
    ),
    '',
    `enum file_name { ${Object.keys(FILES)
      .map((name) => `FILE_${name.toUpperCase()}`)
      .join(', ')} };`,
    `#define FILE_NAMES { ${Object.values(FILES)
      .map((name) => JSON.stringify(name))
      .join(', ')} }`,
    '',
    ...STRUCTS.map(cStruct),
    `#define EACH_BEHAVIOUR(use) ${BEHAVIOURS.map((name) => `use(${cName(name)})`).join(' ')}`,
    '#endif',
    '',
  ].join('\n');
}
