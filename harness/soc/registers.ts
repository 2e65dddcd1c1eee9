import { encodeFields, word } from './image.ts';

/**
 * What the remaining register files of the full board hold at reset, where their driver wants something other than zero.
 * Names are those of the drivers' own definitions (Linux 6.1, the same in 5.10 and 6.12 unless said otherwise).
 */

/** `rpmh_probe_tcs_config()` and `rpmh_rsc_probe()` of drivers/soc/qcom/rpmh-rsc.c, for `qcom,drv-id = <2>`. */
export function rpmhRscRegisters(): Uint8Array {
  return encodeFields(
    {
      /** `RSC_DRV_ID` (6.12): version 2 has the register layout of SDM845. */
      MAJOR_VER: { register: 0x00, bit: 16, width: 8 },
      MINOR_VER: { register: 0x00, bit: 8, width: 8 },
      /** `DRV_PRNT_CHLD_CONFIG`: trigger command sets of this driver, and commands of each. */
      DRV_NUM_TCS_2: { register: 0x0c, bit: 12, width: 6 },
      DRV_NCPT: { register: 0x0c, bit: 27, width: 5 },
    },
    // As many sets as qcom,tcs-config of the board asks for, and one for control.
    { MAJOR_VER: 2, MINOR_VER: 7, DRV_NUM_TCS_2: 9, DRV_NCPT: 16 },
  );
}

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

/** `QMP_STATE_UP` of drivers/soc/qcom/qcom_aoss.c. */
const QMP_STATE_UP = 0xffff;

/**
 * Message RAM of the always-on subsystem, for `qmp_open()` of drivers/soc/qcom/qcom_aoss.c: the other side has opened
 * link and channel and has acknowledged ours beforehand, so that no wait of the handshake blocks.
 */
export function aossMessageRam(): Uint8Array {
  return encodeFields(
    {
      QMP_DESC_MAGIC: word(0x00),
      QMP_DESC_VERSION: word(0x04),
      QMP_DESC_FEATURES: word(0x08),
      QMP_DESC_UCORE_LINK_STATE: word(0x0c),
      QMP_DESC_UCORE_CH_STATE: word(0x14),
      QMP_DESC_MCORE_LINK_STATE_ACK: word(0x28),
      QMP_DESC_MCORE_CH_STATE_ACK: word(0x30),
      QMP_DESC_MCORE_MBOX_SIZE: word(0x34),
      QMP_DESC_MCORE_MBOX_OFFSET: word(0x38),
    },
    {
      QMP_DESC_MAGIC: 0x4d41_494c,
      QMP_DESC_VERSION: 1,
      QMP_DESC_FEATURES: 0,
      QMP_DESC_UCORE_LINK_STATE: QMP_STATE_UP,
      QMP_DESC_UCORE_CH_STATE: QMP_STATE_UP,
      QMP_DESC_MCORE_LINK_STATE_ACK: QMP_STATE_UP,
      QMP_DESC_MCORE_CH_STATE_ACK: QMP_STATE_UP,
      // A request is 64 bytes (QMP_MSG_LEN) behind its length.
      QMP_DESC_MCORE_MBOX_SIZE: 0x100,
      QMP_DESC_MCORE_MBOX_OFFSET: 0x100,
    },
  );
}
