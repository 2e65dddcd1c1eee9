import type { DeviceModel } from './device.ts';
import { i2cMaster } from './i2c.ts';
import { spiMaster } from './spi.ts';

/** Registers of include/linux/soc/qcom/geni-se.h (6.12). */
const FW_REVISION = 0x68;
const TX_HW_PARAM = 0xe24;
const RX_HW_PARAM = 0xe28;
/** FIFO of 16 words of 32 bits. */
const FIFO = (32 << 24) | (16 << 16);
/** Behind SE_DMA_RX_IRQ_CLR. */
const COMMANDS_END = 0xd48;

/** `enum geni_se_protocol_type` by what the tree says of the engine. */
const PROTOCOLS: readonly (readonly [RegExp, number])[] = [
  [/-spi$/, 1],
  [/-uart$/, 2],
  [/-i2c$/, 3],
];

/** A serial engine whose firmware is loaded. */
export const geni: DeviceModel = {
  compatible: /^qcom,geni-(?:spi|uart|debug-uart|i2c)$/,
  reads:
    'drivers/soc/qcom/qcom-geni-se.c; spi-geni-qcom.c, spi_geni_init(), geni_spi_isr(); ' +
    'i2c-qcom-geni.c, geni_i2c_probe(), geni_i2c_irq() (6.12)',
  model(device, answers) {
    const [name = ''] = device.compatible;
    const protocol = PROTOCOLS.find(([pattern]) => pattern.test(name))?.[1] ?? 0;
    const { base } = device;
    if (name.endsWith('-i2c')) i2cMaster(device, answers, 'i2c-geni', COMMANDS_END);
    if (name.endsWith('-spi')) spiMaster(device, answers, 'spi-geni', COMMANDS_END);
    answers.word(base + FW_REVISION, protocol << 8);
    answers.word(base + TX_HW_PARAM, FIFO);
    answers.word(base + RX_HW_PARAM, FIFO);
  },
};
