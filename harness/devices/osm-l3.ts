import { encodeFields } from './register-image.ts';

/**
 * `qcom_osm_l3_probe()` of drivers/interconnect/qcom/osm-l3.c (6.1, the same in 6.12); its table of rates may be empty.
 */
export function osmL3Registers(): Uint8Array {
  return encodeFields({ REG_ENABLE: { register: 0, bit: 0, width: 1 } }, { REG_ENABLE: 1 });
}
