import type { DeviceModel } from './device.ts';

/** SWRM_COMP_PARAMS of a SoundWire master: how many ports it has that send, and from bit 5 on how many receive. */
const COMP_PARAMS = 0x100;
const DIN_SHIFT = 5;

export const soundwire: DeviceModel = {
  compatible: /^qcom,soundwire-v/,
  reads: 'drivers/soundwire/qcom.c, qcom_swrm_get_port_config() (6.12): as many ports as the tree has, or more',
  model(device, answers) {
    // Without registers it is behind SLIMbus.
    if (device.size === 0) return;
    const [sending = 0] = device.cells('qcom,dout-ports');
    const [receiving = 0] = device.cells('qcom,din-ports');
    answers.word(device.base + COMP_PARAMS, (sending & 0x1f) | ((receiving & 0x1f) << DIN_SHIFT));
  },
};

/**
 * CDC_VA_TOP_CSR_CORE_ID_0 to 2: by these the other macros of the codec know which registers they have. Which SoC has
 * which is a guess: 2.5 for those that the driver calls sm8550, 2.1 for sm8450's, 2.0 for others.
 */
const CORE_ID = 0xc0;
const CORE_IDS: readonly (readonly [string, readonly number[]])[] = [
  ['qcom,sm8550-lpass-va-macro', [0x02, 0x0f, 0x50]],
  ['qcom,sm8450-lpass-va-macro', [0x02, 0x0e, 0x00]],
  ['qcom,sc8280xp-lpass-va-macro', [0x01, 0x0f, 0x00]],
  ['qcom,sm6115-lpass-va-macro', [0x01, 0x0f, 0x00]],
  ['qcom,sc7280-lpass-va-macro', [0x01, 0x0f, 0x00]],
];

export const vaMacro: DeviceModel = {
  compatible: CORE_IDS.map(([name]) => name),
  reads: 'sound/soc/codecs/lpass-va-macro.c, va_macro_set_lpass_codec_version() (6.12)',
  model({ base, compatible }, answers) {
    const ids = CORE_IDS.find(([name]) => compatible.includes(name))?.[1] ?? [];
    for (const [n, id] of ids.entries()) answers.word(base + CORE_ID + n * Uint32Array.BYTES_PER_ELEMENT, id);
  },
};
