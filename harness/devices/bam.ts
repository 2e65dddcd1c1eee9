import type { DeviceModel } from './device.ts';
import { encodeFields } from './register-image.ts';

/** Names are those of the driver's own definitions (Linux 6.1, the same in 5.10 and 6.12 unless said otherwise). */

/** `bam_init()` of drivers/dma/qcom/bam_dma.c, offsets of `bam_v1_7_reg_info`. */
export function bamRegisters(): Uint8Array {
  return encodeFields(
    {
      /** `BAM_REVISION`: execution environments; the board's `qcom,ee` must be below. */
      NUM_EES: { register: 0x1000, bit: 8, width: 4 },
      /** `BAM_NUM_PIPES`: each becomes a DMA channel. */
      BAM_NUM_PIPES: { register: 0x1008, bit: 0, width: 8 },
    },
    { NUM_EES: 4, BAM_NUM_PIPES: 4 },
  );
}

/** Pipes of a real board: more than any node of a tree asks for. */
const BOARD_PIPES = 24;

export const bamModel: DeviceModel = {
  compatible: /^qcom,bam-v/,
  reads: 'drivers/dma/qcom/bam_dma.c, bam_init() (6.12)',
  model({ base }, answers) {
    answers.image(base, bamRegisters());
    answers.word(base + 0x1008, BOARD_PIPES);
  },
};
