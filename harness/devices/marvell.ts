import type { Answers, DeviceModel } from './device.ts';

/** Identification, status and readings of Marvell's Armada SoCs. */

/** Versions of the EIP97 and its parts (drivers/crypto/inside-secure/safexcel.h), from the start of its registers. */
const EIP97 = {
  hostInterface: { at: 0xfffc, value: 0x0290_35ca },
  /** Two rings, two buses of 64 bits, FIFOs of 2^6 and 2^5 words. */
  hostOptions: { at: 0xfff8, value: 0x0400_5602 },
  global: { at: 0x1_fffc, value: 0x0250_9e61 },
  pipe: { at: 0x1_1ffc, value: 0x0240_31ce },
  engine: { at: 0x1_13fc, value: 0x0260_9f60 },
  ringInterrupts0: { at: 0xe01c, value: 0x0240_36c9 },
  ringInterrupts1: { at: 0xd01c, value: 0x0240_36c9 },
} as const;

export const safexcel: DeviceModel = {
  compatible: ['inside-secure,safexcel-eip97ies', 'inside-secure,safexcel-eip97'],
  reads:
    'drivers/crypto/inside-secure/safexcel.c, safexcel_probe_generic() (6.12), ' +
    'which reads past the registers where none is right',
  model({ base }, answers) {
    for (const { at, value } of Object.values(EIP97)) answers.word(base + at, value);
  },
};

/** A status bit that is set and stays so. */
function always(address: number, bits: number, answers: Answers): void {
  answers.word(address, bits >>> 0);
  answers.rule({ rule: 'read-only', at: address, bits });
}

export const a3700Utmi: DeviceModel = {
  compatible: ['marvell,a3700-utmi-host-phy', 'marvell,a3700-utmi-otg-phy'],
  reads: 'drivers/phy/marvell/phy-mvebu-a3700-utmi.c, mvebu_a3700_utmi_phy_power_on() (6.12): PLL and calibrations',
  model({ base }, answers) {
    always(base, 2 ** 31, answers);
    always(base + 0x08, 2 ** 31 + 2 ** 23, answers);
    always(base + 0x18, 2 ** 31, answers);
  },
};

/** `COMPHY_SIP_*` of drivers/phy/marvell/phy-mvebu-cp110-comphy.c: power on, power off, PLL lock; they succeed. */
const COMPHY_CALLS = [0x8200_0001, 0x8200_0002, 0x8200_0003] as const;

export const cp110Comphy: DeviceModel = {
  compatible: ['marvell,comphy-cp110'],
  reads: 'drivers/phy/marvell/phy-mvebu-cp110-comphy.c, mvebu_comphy_smc() (6.12)',
  model(_device, answers) {
    for (const call of COMPHY_CALLS) answers.call(call, 0);
  },
};

/** MVMDIO_SMI_* and MVMDIO_XSMI_*: what reads, and the bits that say that it is done and that the value is there. */
const SMI = { mask: 2 ** 26, value: 2 ** 26, isThere: 2 ** 27 } as const;
const XSMI = { mask: 2 ** 27, value: 2 ** 27, isThere: 2 ** 29 } as const;
const SMI_DATA = 0xffff;

/** No PHY says anything: each of its registers reads as zero. */
export const orionMdio: DeviceModel = {
  compatible: ['marvell,orion-mdio', 'marvell,xmdio'],
  reads: 'drivers/net/ethernet/marvell/mvmdio.c, orion_mdio_smi_read(), orion_mdio_xsmi_read_c45() (6.12)',
  model({ base, compatible }, answers) {
    const { mask, value, isThere } = compatible.includes('marvell,xmdio') ? XSMI : SMI;
    answers.rule({
      rule: 'on-write',
      at: base,
      mask,
      value,
      to: base,
      set: isThere,
      clear: SMI_DATA,
      interrupt: 0,
    });
  },
};

/** Registers of drivers/mailbox/armada-37xx-rwtm-mailbox.c. */
const RWTM = { command: 0x40, returned: 0x80, interrupt: 0xc8 } as const;
const COMMAND_COMPLETE = 1;

/** The secure processor: each command succeeds, and says no more than that; its data are zeros. */
export const rwtmMailbox: DeviceModel = {
  compatible: ['marvell,armada-3700-rwtm-mailbox'],
  reads: 'drivers/firmware/turris-mox-rwtm.c, mox_get_status(); a37xx_mbox_irq_handler() (6.12)',
  model(device, answers) {
    const { base } = device;
    const at = base + RWTM.command;
    const any = { at, mask: 0, value: 0 };
    // The status is the number of the command, with no error in its upper bits.
    answers.rule({ rule: 'on-write', ...any, to: base + RWTM.returned, set: 0, clear: 0xffff_ffff, interrupt: 0 });
    answers.rule({ rule: 'sets', at, to: base + RWTM.returned });
    const interrupt = device.interrupt();
    answers.rule({ rule: 'on-write', ...any, to: base + RWTM.interrupt, set: COMMAND_COMPLETE, clear: 0, interrupt });
    answers.rule({ rule: 'write-one-clears', at: base + RWTM.interrupt, bits: 0xffff_ffff });
  },
};

/**
 * Status registers of the thermal sensors behind the start of their `reg`, with the bit that says that it is valid: 45
 * degrees by the coefficients of drivers/thermal/armada_thermal.c.
 */
const SENSORS: readonly (readonly [string, number, number])[] = [
  ['marvell,armada-ap806-thermal', 0x0c, 2 ** 16 + 0x308],
  ['marvell,armada-ap807-thermal', 0x0c, 2 ** 16 + 0x308],
  ['marvell,armada-cp110-thermal', 0x08, 2 ** 10 + 0x2a9],
];

export const armadaThermal: DeviceModel = {
  compatible: SENSORS.map(([name]) => name),
  reads: 'drivers/thermal/armada_thermal.c, armada_read_sensor() (6.12): zero is more than the critical temperature',
  model({ base, compatible }, answers) {
    const sensor = SENSORS.find(([name]) => compatible.includes(name));
    if (sensor === undefined || base === 0) return;
    const [, status, value] = sensor;
    always(base + status, value, answers);
  },
};

/** Where the ICU's registers end (armada-cp11x.dtsi), for trees that give its first word alone. */
const ICU_SIZE = 0x440;
/** At most two ranges of SPIs, of which each is a start and a count (drivers/irqchip/irq-mvebu-gicp.c). */
const SPI_RANGES = 4;

/** Interrupts that the communication processor sends to the GIC as the driver has set it up. */
export const cp110Icu: DeviceModel = {
  compatible: ['marvell,cp110-icu'],
  reads: 'drivers/irqchip/irq-mvebu-icu.c, mvebu_icu_write_msi_msg(); irq-mvebu-gicp.c, gicp_idx_to_spi() (6.12)',
  model(device, answers) {
    const ranges = device.others('marvell,ap806-gicp')[0]?.cells('marvell,spi-ranges') ?? [];
    answers.behaviour({
      behaviour: 'marvell-icu',
      address: device.base,
      size: ICU_SIZE,
      interrupts: [],
      parameters: Array.from({ length: SPI_RANGES }, (_, n) => ranges[n] ?? 0),
    });
  },
};
