import type { AddressRange } from '../devicetree/addresses.ts';

/**
 * What the EL2 firmware is told about a board: where its addresses lie, what answers there and which interrupts there
 * are. The transplant of a device tree makes it, firmware/board-plan.ts lays it out for the firmware. All addresses are
 * the board's own (intermediate physical addresses, "IPA") unless they are called `physical`: then they are QEMU's, of
 * its virt machine.
 */

/** A range that stage 2 maps to QEMU's addresses. */
export interface MappedRange extends AddressRange {
  readonly physical: number;
}

/**
 * QEMU's RAM begins at 1 GiB (hw/arm/virt.c, base_memmap[VIRT_MEM]). The firmware keeps the first GiB of it for itself:
 * tables, shadow pages, what snapshots put aside. Board RAM is laid behind that, in the order of the ranges.
 */
export const BOARD_RAM_PHYSICAL = 0x8000_0000;
/** Stage 2 maps RAM in blocks: `address`, `size` and `physical` of RAM ranges are multiples of this. */
export const BLOCK_SIZE = 0x20_0000;
/** Of QEMU's Cortex-A57: ID_AA64MMFR0_EL1.PARange is 44 bits. A board whose RAM or registers lie above is refused. */
export const ADDRESS_BITS = 44;

/** CPUs that are started at most: as many as a GICv2 knows (IHI 0048, 1.1), and QEMU's virt machine with one. */
export const CPUS_MAX = 8;

/** The interrupt controller of the board's tree, which the firmware plays. */
export interface InterruptController {
  readonly version: 2 | 3;
  readonly distributor: AddressRange;
  /** Version 3: the ranges of `reg` behind the distributor; each has one redistributor every `stride` bytes. */
  readonly redistributors: readonly AddressRange[];
  /** `redistributor-stride`, or 0x20000 (IHI 0069: two frames of 64 KiB). */
  readonly stride: number;
  /** Version 2: the second range of `reg`; null in version 3, whose system registers are trapped. */
  readonly cpuInterface: AddressRange | null;
  /** Interrupt translation services: they take every command, and no message ever comes. */
  readonly translators: readonly AddressRange[];
  /** SPIs that the board has (GICD_TYPER.ITLinesNumber); highest INTID is 31 + this. A guess (clues.ts). */
  readonly spis: number;
}

/**
 * INTIDs (16 + the PPI number of the tree) of `arm,armv8-timer`, of which the guest uses the virtual one at EL1, and
 * the rate in hertz that the guest is told (CNTFRQ_EL0).
 */
export interface TimerInterrupts {
  readonly virtual: number;
  readonly physical: number;
}

/** A CPU of the tree that is started. */
export interface StartedCpu {
  /** MPIDR affinity (`reg` of its node), by which the kernel and its interrupt controller know it. */
  readonly affinity: number;
  /**
   * Where a CPU of a spin table waits for the address at which it is to start (Documentation/arch/arm64/booting.rst);
   * null where PSCI starts it.
   */
  readonly release: number | null;
}

/** A piece of memory or of a register page that is not zero when the kernel starts. */
export interface ResetImage {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/**
 * How single registers answer, beyond "a read returns what was written". Registers are 32-bit words at `at`, `at +
 * stride` and so on, `count` of them. Targets (`to`) move with the register: that of the n-th is `to + n * toStride`.
 */
export type RegisterRule = RegisterSpan &
  (
    | {
        /** A read returns what was written, whatever the poll breaker thinks of it. */
        readonly rule: 'plain';
      }
    | {
        /** Writes leave these bits as they are. */
        readonly rule: 'read-only';
        readonly bits: number;
      }
    | {
        /** Bits that are written as one become zero, others stay (interrupt status). */
        readonly rule: 'write-one-clears';
        readonly bits: number;
      }
    | {
        /** These bits read as zero again at once (resets, start bits). */
        readonly rule: 'self-clearing';
        readonly bits: number;
      }
    | {
        /** On a read, bit `bit` is what bit `source` of register `to` is, or the opposite. */
        readonly rule: 'follows';
        readonly bit: number;
        readonly source: number;
        readonly to: number;
        readonly inverted: boolean;
      }
    | {
        /**
         * Where (written & mask) == value: `set` bits and then `clear` bits of register `to`, and raise `interrupt` (0:
         * none).
         */
        readonly rule: 'on-write';
        readonly mask: number;
        readonly value: number;
        readonly to: number;
        readonly set: number;
        readonly clear: number;
        readonly interrupt: number;
      }
    | {
        /** After a read: `set` bits and then `clear` bits of register `to`. */
        readonly rule: 'on-read';
        readonly to: number;
        readonly set: number;
        readonly clear: number;
      }
    | {
        /** The upper half of what is written says which bits of the lower half are (Rockchip's clocks and GRFs). */
        readonly rule: 'high-mask';
        /** Some of the registers are written as a whole: those where lower bits are set beside that mask. */
        readonly someAreWhole: boolean;
      }
    | {
        /** Written ones set the bits of register `to` (set registers), or clear them (clear registers). */
        readonly rule: 'sets' | 'clears';
        readonly to: number;
      }
    | {
        /** Reads the virtual counter at this frequency; `high`: its upper 32 bits. */
        readonly rule: 'counter';
        readonly hertz: number;
        readonly high: boolean;
      }
    | {
        /**
         * `interrupt` is asserted while the bits of this register and of the one at `to` (its enable register) have one
         * in common.
         */
        readonly rule: 'line';
        readonly to: number;
        readonly interrupt: number;
      }
  );

interface RegisterSpan {
  readonly at: number;
  readonly count: number;
  readonly stride: number;
  readonly toStride: number;
}

/** What C code of the firmware answers (firmware/models/): one name for each behaviour. */
export const BEHAVIOURS = [
  'i2c-imx',
  'i2c-rk3x',
  'spmi-arbiter',
  'ti-sci',
  'raspberry-pi-mailbox',
  'sunxi-rsb',
  'qcom-smd-rpm',
  'qcom-glink-rpm',
  'i2c-mv64xxx',
  'i2c-omap',
  'i2c-bcm2835',
  'spi-rockchip',
  'rockchip-sfc',
  'scmi',
  'cadence-quadspi',
  'fsl-quadspi',
  'nxp-fspi',
  'i2c-tegra',
  'i2c-designware',
  'mtk-pwrap',
  'scpi',
  'scmi-doorbell',
  'fsl-dspi',
  'i2c-mt65xx',
  'marvell-icu',
  'i2c-vf610',
  'i2c-meson',
  'i2c-geni',
  'spi-geni',
  'spi-mt65xx',
  'qcom-qspi',
  'spi-sun6i',
] as const;
type Behaviour = (typeof BEHAVIOURS)[number];

/** A behaviour at an address. */
export interface PlacedBehaviour extends AddressRange {
  readonly behaviour: Behaviour;
  /** INTIDs, in the order in which the behaviour wants them. */
  readonly interrupts: readonly number[];
  /** At most eight numbers of up to 53 bits that the behaviour's own file explains. */
  readonly parameters: readonly number[];
}

/** How reads that go round in a loop are answered where no model does. */
interface PollBreaker {
  /**
   * So many reads in a row of one address from one instruction are a poll: from then on values change. 0: no poll is
   * broken.
   */
  readonly reads: number;
  /** Where nothing is broken: what a model answers, sensors, what a cell says. */
  readonly never: readonly AddressRange[];
}

/** What the secure monitor answers to a call of the SoC's maker (SMCCC owner 2, SiP) or of a trusted OS (50 on). */
export interface MonitorAnswer {
  /** Function identifier; with the Qualcomm convention service << 8 | command (drivers/firmware/qcom_scm.h). */
  readonly call: number;
  /**
   * What x1 and x2 hold, in 32-bit words, the lower one first; null for any, as are those that are not there. Of the
   * answers to a call the first counts whose words are those of the caller.
   */
  readonly asked: readonly (number | null)[];
  /** What x0 to x3 hold then, in 32-bit words, the lower one first; those that are not there are zero. */
  readonly words: readonly number[];
}

/** Calls that are not in the list are unknown: -1 (SMCCC NOT_SUPPORTED). */
interface SecureMonitor {
  /** `qualcomm`: the firmware also says which calls there are (INFO_IS_CALL_AVAIL): those of the list. */
  readonly convention: 'qualcomm' | 'plain';
  /**
   * What PSCI_FEATURES answers for CPU_SUSPEND (DEN 0022): bit 0 for OS initiated mode, bit 1 for extended power
   * states.
   */
  readonly suspendFeatures: number;
  readonly answers: readonly MonitorAnswer[];
}

export interface BoardPlan {
  /** Where the kernel's Image, the device tree and the initramfs lie; within `ram`. */
  readonly entry: number;
  readonly deviceTree: number;
  readonly initramfs: number;
  /**
   * CPUs that are started, first the one that boots; the tree may list more, which PSCI then refuses (CPU_ON:
   * INVALID_PARAMETERS).
   */
  readonly cpus: readonly StartedCpu[];
  readonly ram: readonly MappedRange[];
  /** Pages of QEMU's devices that the guest may reach: the UART, for earlycon. Multiples of 4 KiB. */
  readonly passThrough: readonly MappedRange[];
  readonly interruptController: InterruptController;
  readonly timer: TimerInterrupts & { readonly frequency: number };
  /**
   * Everything that is neither RAM nor passed through is a register page: trapped, and memory that starts as zero or as
   * this says.
   */
  readonly images: readonly ResetImage[];
  readonly rules: readonly RegisterRule[];
  readonly behaviours: readonly PlacedBehaviour[];
  readonly breaker: PollBreaker;
  readonly monitor: SecureMonitor;
}
