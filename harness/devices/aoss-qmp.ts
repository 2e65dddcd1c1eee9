import type { DeviceModel } from './device.ts';
import { encodeFields, word } from './register-image.ts';

/** Names are those of the driver's own definitions (Linux 6.1, the same in 5.10 and 6.12 unless said otherwise). */

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

/** Every request is taken at once: its length reads as zero again (`qmp_message_empty()`). */
export const aossQmpModel: DeviceModel = {
  compatible: /^qcom,(?:.*-)?aoss-qmp$/,
  reads: 'drivers/soc/qcom/qcom_aoss.c, qmp_open(), qmp_send() (6.12)',
  model({ base }, answers) {
    answers.image(base, aossMessageRam());
    answers.rule({ rule: 'self-clearing', at: base + 0x100, bits: 0xffff_ffff });
  },
};
