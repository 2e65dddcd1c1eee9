import type { DeviceModel } from './device.ts';

/** Registers of include/linux/soc/qcom/geni-se.h (6.12). */
const FW_REVISION = 0x68;
const M_CMD0 = 0x600;
const M_CMD_CTRL = 0x604;
const M_IRQ_STATUS = 0x610;
const M_IRQ_CLEAR = 0x618;
const TX_HW_PARAM = 0xe24;
const RX_HW_PARAM = 0xe28;
const M_CMD_DONE = 1;
const M_CMD_CANCEL = 1 << 4;
const M_CMD_ABORT = 1 << 5;
const CTRL_ABORT = 1 << 1;
const CTRL_CANCEL = 1 << 2;
/** FIFO of 16 words of 32 bits. */
const FIFO = (32 << 24) | (16 << 16);

/** `enum geni_se_protocol_type` by what the tree says of the engine. */
const PROTOCOLS: readonly (readonly [RegExp, number])[] = [
  [/-spi$/, 1],
  [/-uart$/, 2],
  [/-i2c$/, 3],
];

/**
 * A serial engine whose firmware is loaded: a command is done at once, and says so by interrupt. What it transfers is
 * zero.
 */
export const geni: DeviceModel = {
  compatible: /^qcom,geni-(?:spi|uart|debug-uart|i2c)$/,
  reads: 'drivers/soc/qcom/qcom-geni-se.c; spi-geni-qcom.c, spi_geni_init(); i2c-qcom-geni.c, geni_i2c_probe() (6.12)',
  model(device, answers) {
    const [name = ''] = device.compatible;
    const protocol = PROTOCOLS.find(([pattern]) => pattern.test(name))?.[1] ?? 0;
    const { base } = device;
    answers.word(base + FW_REVISION, protocol << 8);
    answers.word(base + TX_HW_PARAM, FIFO);
    answers.word(base + RX_HW_PARAM, FIFO);
    if (/uart$/.test(name)) return;
    const interrupt = device.interrupt();
    const done = (at: number, mask: number, set: number) =>
      answers.rule({ rule: 'on-write', at, mask, value: mask, to: base + M_IRQ_STATUS, set, clear: 0, interrupt });
    done(base + M_CMD0, 0, M_CMD_DONE);
    done(base + M_CMD_CTRL, CTRL_CANCEL, M_CMD_CANCEL);
    done(base + M_CMD_CTRL, CTRL_ABORT, M_CMD_ABORT);
    answers.rule({ rule: 'clears', at: base + M_IRQ_CLEAR, to: base + M_IRQ_STATUS });
  },
};
