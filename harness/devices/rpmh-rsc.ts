import { cellProperty, cellsOf } from '../devicetree/values.ts';
import type { DeviceModel } from './device.ts';
import { encodeFields } from './register-image.ts';

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

/** Register layout of version 2.7: `rpmh_rsc_reg_offset_ver_2_7` of rpmh-rsc.c (6.12). */
const TCS = { status: 0x04, clear: 0x08, control: 0x14, stride: 0x2a0 } as const;
const AMC_TRIGGER = 1 << 24;
/** `DRV_NUM_TCS_MASK` << 6 for each driver; commands of a set. */
const NUM_TCS_BITS = 6;
const NCPT = 16;

/** The power manager: a command set that is triggered is done at once, and says so by interrupt. */
export const rpmhRscModel: DeviceModel = {
  compatible: ['qcom,rpmh-rsc'],
  reads: 'drivers/soc/qcom/rpmh-rsc.c, rpmh_probe_tcs_config(), tcs_tx_done() (6.12)',
  model(device, answers) {
    const id = cellProperty(device.node, 'qcom,drv-id') ?? 0;
    const drv = device.range(`drv-${id}`)?.address ?? device.base;
    const tcs = drv + (cellProperty(device.node, 'qcom,tcs-offset') ?? 0);
    const config = cellsOf(device.node, 'qcom,tcs-config');
    // Pairs of a type and a number of sets.
    const sets = config.filter((_, n) => n % 2 === 1).reduce((sum, count) => sum + count, 0);
    answers.word(drv, (2 << 16) | (7 << 8));
    answers.word(drv + 0x0c, (sets << (NUM_TCS_BITS * id)) | (NCPT << 27));
    for (let set = 0; set < sets; set++)
      answers.rule({
        rule: 'on-write',
        at: tcs + TCS.control + set * TCS.stride,
        mask: AMC_TRIGGER,
        value: AMC_TRIGGER,
        to: tcs + TCS.status,
        set: 1 << set,
        clear: 0,
        interrupt: device.interrupt(id),
      });
    answers.rule({ rule: 'clears', at: tcs + TCS.clear, to: tcs + TCS.status });
    // Behind the registers of all sets nothing is polled for long; a broken poll here would be an invented answer of
    // the power manager.
    answers.neverBreak({ address: tcs, size: sets * TCS.stride + TCS.control });
  },
};
