import type { DeviceModel } from './device.ts';

/** MBOX_IPC_LOCK_REG: zero once it is unlocked, which a write of MBOX_IPC_UNLOCK does. */
const LOCK = 0xa00;
/** MBOX_CHAN_MAX channels, MBOX_BASE() apart, each with an MBOX_MODE_REG. */
const CHANNELS = 32;
const APART = 0x40;
const MODE = 0x10;
/** MBOX_STATE_IDLE, MBOX_STATE_READY: what was sent last has been taken. */
const IDLE_AND_READY = 0x30;

/** Nobody reads the messages of its channels: each is free again at once. */
export const hi3660Mailbox: DeviceModel = {
  compatible: ['hisilicon,hi3660-mbox'],
  reads:
    'drivers/mailbox/hi3660-mailbox.c, hi3660_mbox_unlock(), hi3660_mbox_acquire_channel(), ' +
    'hi3660_mbox_check_state() (6.12)',
  model({ base }, answers) {
    answers.rule({ rule: 'read-only', at: base + LOCK, bits: 0xffff_ffff });
    for (let channel = 0; channel < CHANNELS; channel++) {
      const mode = base + channel * APART + MODE;
      answers.word(mode, IDLE_AND_READY);
      answers.rule({ rule: 'read-only', at: mode, bits: IDLE_AND_READY });
    }
  },
};
