import { cellProperty } from '../devicetree/values.ts';
import type { DeviceModel } from './device.ts';

/** SYS_PROCID0 and the configuration registers of the system registers (vexpress-sysreg.c has them from 0x60 on). */
const SYSREG = { board: 0x84, data: 0xa0, control: 0xa4, status: 0xa8 } as const;
const START = 2 ** 31;
const WRITE = 2 ** 30;
const COMPLETE = 1;
/** What every question is answered with: most are for the rate of an oscillator. */
const HERTZ = 24_000_000;

export const vexpressSysreg: DeviceModel = {
  compatible: ['arm,vexpress-sysreg'],
  reads: 'drivers/bus/vexpress-config.c, vexpress_syscfg_probe(), vexpress_syscfg_exec() (6.12)',
  model({ base, root }, answers) {
    answers.word(base + SYSREG.board, cellProperty(root, 'arm,hbi') ?? 0);
    const control = { rule: 'on-write', at: base + SYSREG.control, interrupt: 0 } as const;
    answers.rule({ ...control, mask: START, value: START, to: base + SYSREG.status, set: COMPLETE, clear: 0 });
    const clear = 2 ** 32 - 1 - HERTZ;
    answers.rule({ ...control, mask: START + WRITE, value: START, to: base + SYSREG.data, set: HERTZ, clear });
    answers.rule({ rule: 'self-clearing', at: base + SYSREG.control, bits: START });
  },
};
