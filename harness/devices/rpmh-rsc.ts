import { encodeFields } from './image.ts';

/** Names are those of the driver's own definitions (Linux 6.1, the same in 5.10 and 6.12 unless said otherwise). */

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
