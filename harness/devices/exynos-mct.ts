import { timerRateOf } from '../board/clues.ts';
import { cellProperty } from '../devicetree/values.ts';
import type { DeviceModel } from './device.ts';

/** Registers of the multi core timer (drivers/clocksource/exynos_mct.c, 6.12): the free-running counter, and L0. */
const COUNT = 0x100;
const COUNT_WRITTEN = 0x110;
const WRITTEN = 0x24c;
const LOCAL_WRITTEN = 0x340;
const LOCAL_STRIDE = 0x100;
/** All that fit into the interrupts of the driver (MCT_NR_LOCAL) and into a register page. */
const LOCALS = 12;
/** Bits of a status register that say that a value was taken over: all that the driver waits for. */
const TAKEN = 0x1_000f;

/**
 * The counter runs at the rate of `fin_pll`. Where that is the rate of the CPU's timer, the scheduler's clock is this
 * one (kernel/time/sched_clock.c, sched_clock_register()), and made-up values lock the kernel up. Its timers never
 * fire: the CPU's is preferred.
 */
export const exynosMct: DeviceModel = {
  compatible: ['samsung,exynos4210-mct'],
  reads: 'drivers/clocksource/exynos_mct.c, exynos4_read_count_32(), exynos4_mct_write() (6.12)',
  model(device, answers) {
    const crystal = device.supplier('clocks');
    const stated = crystal === null ? null : cellProperty(crystal.node, 'clock-frequency');
    const hertz = stated ?? timerRateOf(device);
    for (const high of [false, true])
      answers.rule({ rule: 'counter', at: device.base + COUNT + (high ? 4 : 0), hertz, high });
    const locals = Array.from({ length: LOCALS }, (_, n) => LOCAL_WRITTEN + n * LOCAL_STRIDE);
    for (const at of [COUNT_WRITTEN, WRITTEN, ...locals].filter((offset) => offset < device.size)) {
      answers.word(device.base + at, TAKEN);
      answers.rule({ rule: 'read-only', at: device.base + at, bits: TAKEN });
    }
  },
};
