import type { Answers, DeviceModel } from './device.ts';

/** USB host controllers with ports that nothing is plugged into. */

export const ohci: DeviceModel = {
  compatible: ['generic-ohci'],
  reads: 'drivers/usb/host/ohci-hcd.c, ohci_run() (6.12): HcRevision, HcFmInterval, one port',
  model({ base }, answers) {
    answers.word(base, 0x110);
    answers.word(base + 0x34, 0x2778_2edf);
    answers.word(base + 0x48, 1);
    // Host controller reset, HcCommandStatus.HCR.
    answers.rule({ rule: 'self-clearing', at: base + 0x08, bits: 1 });
  },
};

/** Bits of USBSTS that say what a bit of USBCMD has come to (EHCI 1.0, section 2.3): not halted, schedules run. */
const EHCI_FOLLOWS = [
  { bit: 12, source: 0, inverted: true },
  { bit: 14, source: 4, inverted: false },
  { bit: 15, source: 5, inverted: false },
] as const;
/** Where the capability registers begin (drivers/usb/host/ehci-orion.c, ehci_orion_drv_probe()). */
const ORION_EHCI = 0x100;

export const ehci: DeviceModel = {
  compatible: ['generic-ehci', 'marvell,orion-ehci', 'marvell,armada-3700-ehci'],
  reads: 'drivers/usb/host/ehci-hcd.c, ehci_setup(), ehci_halt() (6.12): CAPLENGTH, HCIVERSION, HCSPARAMS, USBSTS',
  model(device, answers) {
    const capabilities = device.compatible.includes('generic-ehci') ? device.base : device.base + ORION_EHCI;
    const [command, status] = [capabilities + 0x10, capabilities + 0x14];
    answers.word(capabilities, 0x0100_0010);
    answers.word(capabilities + 4, 1);
    // USBCMD.HCRESET.
    answers.rule({ rule: 'self-clearing', at: command, bits: 2 });
    for (const follows of EHCI_FOLLOWS) answers.rule({ rule: 'follows', at: status, to: command, ...follows });
  },
};

/** Registers of xHCI 1.1, section 5, where the controllers of DWC3 and of Armada have them. */
const XHCI = {
  capLengthAndVersion: 0x00,
  structural1: 0x04,
  structural2: 0x08,
  structural3: 0x0c,
  capabilities: 0x10,
  doorbells: 0x14,
  runtime: 0x18,
  command: 0x20,
  status: 0x24,
  pageSize: 0x28,
  ports: 0x420,
  extended: 0x880,
} as const;
/** As an RK3399 prints it: "hcc params 0x0220fe64 hci version 0x110". Its upper half: where `extended` is, in words. */
const XHCI_VERSION = 0x0110_0020;
const HCCPARAMS = 0x0220_fe64;
/** Two ports, one interrupter, 64 slots. */
const HCSPARAMS1 = 0x0200_0140;
/** Event ring segment table of up to 2^15 entries, no scratchpad buffers. */
const HCSPARAMS2 = 0xf1;
const HCSPARAMS3 = 0x07ff_000a;
const PORT_POWERED_AND_EMPTY = 0x2a0;
/** Extended capability 2, Supported Protocol: a port of USB 2.0 and one of USB 3.0; "USB " is the name of both. */
const PROTOCOLS = [
  [0x0200_0402, 0x2042_5355, 0x0000_0101, 0],
  [0x0300_0002, 0x2042_5355, 0x0000_0102, 0],
] as const;

/** An xHCI whose registers begin at `base`; DWC3 has one in its first 32 KiB. */
function xhciRegisters(base: number, answers: Answers): void {
  answers.word(base + XHCI.capLengthAndVersion, XHCI_VERSION);
  answers.word(base + XHCI.structural1, HCSPARAMS1);
  answers.word(base + XHCI.structural2, HCSPARAMS2);
  answers.word(base + XHCI.structural3, HCSPARAMS3);
  answers.word(base + XHCI.capabilities, HCCPARAMS);
  answers.word(base + XHCI.doorbells, 0x480);
  answers.word(base + XHCI.runtime, 0x440);
  answers.word(base + XHCI.pageSize, 1);
  // USBCMD.HCRST; USBSTS.HCH is the opposite of USBCMD.R/S.
  answers.rule({ rule: 'self-clearing', at: base + XHCI.command, bits: 2 });
  answers.rule({
    rule: 'follows',
    at: base + XHCI.status,
    bit: 0,
    source: 0,
    to: base + XHCI.command,
    inverted: true,
  });
  PROTOCOLS.forEach((words, port) => {
    answers.word(base + XHCI.ports + 0x10 * port, PORT_POWERED_AND_EMPTY);
    words.forEach((value, n) => {
      answers.word(base + XHCI.extended + 0x10 * port + 4 * n, value);
    });
  });
}

export const xhci: DeviceModel = {
  compatible: ['generic-xhci', 'marvell,armada3700-xhci', 'brcm,bcm2711-xhci'],
  reads: 'drivers/usb/host/xhci.c, xhci_gen_setup(), xhci_halt(); xhci-mem.c, xhci_setup_port_arrays() (6.12)',
  model({ base }, answers) {
    xhciRegisters(base, answers);
  },
};

/** Registers of the IP port controller (`struct mu3c_ippc_regs`), and bits of its status. */
const MTK_IPPC = { hostControl: 0x04, status1: 0x10, status2: 0x14, capabilities: 0x24 } as const;
/** SYSPLL stable; out of reset: reference, 125 MHz, xHCI and U3 MAC. */
const MTK_STABLE = 1 | (1 << 8) | (1 << 10) | (1 << 11) | (1 << 16);
const MTK_SLEEPS = { bit: 30, source: 0, inverted: false } as const;
const MTK_U2_MAC = 1;
/** A port of USB 3.0 and one of USB 2.0. */
const MTK_PORTS = 0x101;

export const mtkUsb: DeviceModel = {
  compatible: /^mediatek,(?:mtk|mt\d+)-(?:xhci|mtu3)$|^mediatek,mtu3$/,
  reads:
    'drivers/usb/host/xhci-mtk.c, xhci_mtk_ssusb_config(), xhci_mtk_host_enable(); ' +
    'drivers/usb/mtu3/mtu3_plat.c, ssusb_check_clocks() (6.12)',
  model(device, answers) {
    const isHost = device.compatible.some((name) => name.endsWith('-xhci'));
    if (isHost && device.ranges.length > 0) xhciRegisters(device.range('mac')?.address ?? device.base, answers);
    const ippc = device.range('ippc')?.address;
    if (ippc === undefined) return;
    answers.word(ippc + MTK_IPPC.status1, MTK_STABLE);
    answers.rule({ rule: 'follows', at: ippc + MTK_IPPC.status1, to: ippc + MTK_IPPC.hostControl, ...MTK_SLEEPS });
    answers.word(ippc + MTK_IPPC.status2, MTK_U2_MAC);
    answers.word(ippc + MTK_IPPC.capabilities, MTK_PORTS);
  },
};

/** Registers of drivers/usb/dwc3/core.h. */
const DWC3_GSNPSID = 0xc120;
const DWC3_GHWPARAMS0 = 0xc140;
const DWC3_DCTL = 0xc704;
const DWC3_DCTL_CSFTRST = 1 << 30;
/** DWC_usb3 3.00a; it can be a host and a device. */
const DWC3_REVISION = 0x5533_300a;
const DWC3_MODE_DRD = 0x2020_400a;

export const dwc3: DeviceModel = {
  compatible: ['snps,dwc3'],
  reads: 'drivers/usb/dwc3/core.c, dwc3_core_is_valid(), dwc3_get_dr_mode() (6.12): GSNPSID, GHWPARAMS0',
  model({ base }, answers) {
    answers.word(base + DWC3_GSNPSID, DWC3_REVISION);
    answers.word(base + DWC3_GHWPARAMS0, DWC3_MODE_DRD);
    answers.rule({ rule: 'self-clearing', at: base + DWC3_DCTL, bits: DWC3_DCTL_CSFTRST });
    xhciRegisters(base, answers);
  },
};
