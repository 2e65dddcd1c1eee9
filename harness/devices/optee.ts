import type { DeviceModel } from './device.ts';

/** Calls of the trusted OS by their SMC numbers, drivers/tee/optee/optee_smc.h (6.12). */
const CALLS = {
  uid: 0xbf00_ff01,
  revision: 0xbf00_ff03,
  osRevision: 0xb200_0001,
  capabilities: 0xb200_0009,
  disableCache: 0xb200_000a,
  enableCache: 0xb200_000b,
  threads: 0xb200_000f,
  withArgument: 0x3200_0004,
} as const;
/** OPTEE_MSG_UID_0 to 3: this is OP-TEE. */
const UID = [0x384f_b3e0, 0xe7f8_11e3, 0xaf63_0002, 0xa5d5_c51b] as const;
/** OPTEE_MSG_REVISION_MAJOR; the release of the OS that is told is 4.0. */
const MESSAGE_REVISION = 2;
const OS_RELEASE = 4;
/** OPTEE_SMC_SEC_CAP_DYNAMIC_SHM: memory of the kernel's own is shared with it. */
const DYNAMIC_SHM = 1 << 2;
/** OPTEE_SMC_RETURN_EBADCMD, OPTEE_SMC_RETURN_ENOTAVAIL. */
const BAD_COMMAND = 5;
const NOT_AVAILABLE = 7;

/** A trusted OS that no trusted application can be opened in, so that it offers no devices. */
export const optee: DeviceModel = {
  compatible: ['linaro,optee-tz'],
  reads: 'drivers/tee/optee/smc_abi.c, optee_probe(); device.c, __optee_enumerate_devices() (6.12)',
  model(_device, answers) {
    answers.call(CALLS.uid, ...UID);
    answers.call(CALLS.revision, MESSAGE_REVISION);
    answers.call(CALLS.osRevision, OS_RELEASE);
    answers.call(CALLS.capabilities, 0, DYNAMIC_SHM);
    answers.call(CALLS.disableCache, NOT_AVAILABLE);
    answers.call(CALLS.enableCache, 0);
    answers.call(CALLS.threads, 0);
    answers.call(CALLS.withArgument, BAD_COMMAND);
  },
};
