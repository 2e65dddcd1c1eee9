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
} as const;

/** How the guest is made to stop: one of the CPU's breakpoints, or BRK written over the instruction. */
export const WAY = { hardware: 0, patch: 1 } as const;

/** What a probe, a call or a load must be of; a place without a name takes all. */
export const MATCH = { any: 0, name: 1, node: 2, driver: 3 } as const;

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

/** "BRMGATES" and "BBRMCELL" */
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
  TABLE_MAGIC,
  NEXT_CELL_MAGIC,
  CELL_PLAN_OFFSET,
  CELL_MODULES_OFFSET,
};
const ENUMS: Readonly<Record<string, Readonly<Record<string, number>>>> = { STOP, WAY, MATCH, SIDE, ACTION, ABSENT };
const STRUCTS = [STOP_LAYOUT, PLACE_LAYOUT, MOMENT_LAYOUT, GATE_LAYOUT, TABLE_LAYOUT, NEXT_CELL_LAYOUT];

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
      Object.entries(values).map(([name, value]) => `#define ${prefix}_${name.toUpperCase()} 0x${value.toString(16)}u`),
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
    '#endif',
    '',
  ].join('\n');
}
