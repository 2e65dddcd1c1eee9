import type { DeviceModel } from './device.ts';

/** `service << 8 | command` of drivers/firmware/qcom/qcom_scm.h (6.12), with what comes back in x1. */
const CALLS: readonly (readonly [number, number, number])[] = [
  /** BOOT: SET_ADDR, SET_REMOTE_STATE. */
  [0x01, 0x01, 0],
  [0x01, 0x0a, 0],
  /** PIL: PAS_INIT_IMAGE, PAS_MEM_SETUP, PAS_AUTH_AND_RESET, PAS_SHUTDOWN, PAS_IS_SUPPORTED, PAS_MSS_RESET. */
  [0x02, 0x01, 0],
  [0x02, 0x02, 0],
  [0x02, 0x05, 0],
  [0x02, 0x06, 0],
  [0x02, 0x07, 1],
  [0x02, 0x0a, 0],
  /** IO: READ, WRITE. */
  [0x05, 0x01, 0],
  [0x05, 0x02, 0],
  /** MP: RESTORE_SEC_CFG, IOMMU_SECURE_PTBL_SIZE, IOMMU_SECURE_PTBL_INIT, VIDEO_VAR, ASSIGN. */
  [0x0c, 0x02, 0],
  [0x0c, 0x03, 0x1000],
  [0x0c, 0x04, 0],
  [0x0c, 0x08, 0],
  [0x0c, 0x16, 0],
  /** LMH: LIMIT_DCVSH and the change of its profile. */
  [0x13, 0x10, 0],
  [0x13, 0x01, 0],
  /** SMMU_PROGRAM: PT_FORMAT, CONFIG_ERRATA1, CONFIG_ERRATA1_CLIENT_ALL. */
  [0x15, 0x01, 0],
  [0x15, 0x02, 0],
  [0x15, 0x03, 0],
];

/** The secure monitor: the calls that probing drivers make are there and succeed, all others are unknown. */
export const scmModel: DeviceModel = {
  compatible: /^qcom,scm/,
  reads: 'drivers/firmware/qcom/qcom_scm.c, __get_convention(), qcom_scm_probe() (6.12)',
  model(_device, answers) {
    answers.qualcommMonitor();
    for (const [service, command, value] of CALLS) answers.call((service << 8) | command, 0, value);
  },
};
