import { type DeviceModel, hasCompatible } from './device.ts';

/** What the controller says of the SoC, of revision B0: imx_scu_soc_name() of drivers/firmware/imx/imx-scu-soc.c. */
const SOCS: readonly (readonly [string, number])[] = [
  ['fsl,imx8qm', 1],
  ['fsl,imx8qxp', 2],
  ['fsl,imx8dxl', 0xe],
];
const REVISION_B0 = 4 << 5;
const OTHER_HERTZ = 100_000_000;

export const imxScu: DeviceModel = {
  compatible: ['fsl,imx8-mu-scu'],
  reads:
    'drivers/firmware/imx/imx-scu.c, imx_scu_call_rpc(); drivers/mailbox/imx-mailbox.c, imx_mu_specific_rx(); ' +
    'drivers/clk/imx/clk-scu.c, drivers/pmdomain/imx/scu-pd.c (6.12)',
  model(device, answers) {
    const id = SOCS.find(([name]) => hasCompatible(device.root, name))?.[1] ?? 0;
    answers.behaviour({
      behaviour: 'imx-scu',
      address: device.base,
      size: 0x28,
      interrupts: [device.interrupt()],
      parameters: [answers.store(), id | REVISION_B0, OTHER_HERTZ],
    });
  },
};
