import type { DeviceModel } from './device.ts';

/**
 * The management complex of Layerscape SoCs: it has booted, and its container is empty. A command is written into a
 * portal, last its header, whose third byte says how it went (drivers/bus/fsl-mc/mc-sys.c, mc_send_command()).
 */

/** Of the second range: general status, boot done without an error (FSL_MC_GSR). */
const STATUS = 0x08;
const BOOT_DONE = 1;

/** `struct mc_cmd_header`: status, where 0 is success, and the command in the upper half of the second word. */
const HEADER = { status: 0xff << 16, upper: 0x04, command: 0xffff_0000 } as const;
const PARAMETERS = 0x08;
/** DPMNG_CMDID_GET_VERSION and DPRC_CMDID_GET_API_VERSION of drivers/bus/fsl-mc/fsl-mc-private.h. */
const ANSWERS: readonly { readonly command: number; readonly words: readonly number[] }[] = [
  /** Firmware 10.36.0: revision, major, minor. */
  { command: 0x8311, words: [0, 10, 36] },
  /** 6.7 of its containers: major and minor are halves of a word. */
  { command: 0xa051, words: [6 + (7 << 16)] },
];

export const fslMc: DeviceModel = {
  compatible: ['fsl,qoriq-mc'],
  reads: 'drivers/bus/fsl-mc/fsl-mc-bus.c, fsl_mc_firmware_check(), fsl_mc_bus_probe(); dpmng.c, dprc.c (6.12)',
  model({ base, ranges }, answers) {
    const registers = ranges[1];
    if (registers !== undefined) answers.word(registers.address + STATUS, BOOT_DONE);
    answers.rule({ rule: 'self-clearing', at: base, bits: HEADER.status });
    const at = base + HEADER.upper;
    for (const { command, words } of ANSWERS)
      words.forEach((set, n) => {
        const asked = { mask: HEADER.command, value: (command << 16) >>> 0 };
        const to = base + PARAMETERS + n * Uint32Array.BYTES_PER_ELEMENT;
        answers.rule({ rule: 'on-write', at, ...asked, to, set, clear: ~set >>> 0, interrupt: 0 });
      });
  },
};
