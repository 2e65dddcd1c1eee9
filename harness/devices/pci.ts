import type { DeviceModel } from './device.ts';

/** Configuration space of a bridge (PCI Express Base Specification 5.0, sections 7.5.1 and 7.5.3). */
const CONFIG = {
  id: 0x00,
  status: 0x04,
  class: 0x08,
  header: 0x0c,
  bars: 0x10,
  capabilities: 0x34,
  rom: 0x38,
  interrupt: 0x3c,
  express: 0x40,
} as const;
/** As QEMU's pcie-root-port has it: the maker's number is Red Hat's. */
const ROOT_PORT_ID = 0x000c_1b36;
const CLASS_BRIDGE = 0x0604_0000;
const HEADER_BRIDGE = 0x0001_0000;
const HAS_CAPABILITIES = 0x0010_0000;
const PIN_A = 0x0100;
/** Capability 0x10 of version 2, a root port; what a port can do, and a link of one lane at 2.5 GT/s. */
const EXPRESS: readonly number[] = [0x0042_0010, 0x8000, 0, 0x11, 0x11 << 16];
const LINK_CAPABILITIES_2 = 0x2c;
const SPEED_1 = 1 << 1;

/**
 * A root port at 00:00.0 and nothing behind it, where the tree says that configuration space is memory: elsewhere a
 * bus would stay empty, and nothing on it could be bound or held.
 */
export const pciEcam: DeviceModel = {
  compatible: ['pci-host-ecam-generic'],
  reads:
    'drivers/pci/probe.c, pci_scan_single_device(), pci_read_bridge_windows(); ' +
    'drivers/pci/pcie/portdrv.c, pcie_portdrv_probe() (6.12)',
  model({ base }, answers) {
    const fixed = (at: number, value: number, bits: number) => {
      answers.word(base + at, value);
      answers.rule({ rule: 'read-only', at: base + at, bits });
    };
    fixed(CONFIG.id, ROOT_PORT_ID, 0xffff_ffff);
    fixed(CONFIG.status, HAS_CAPABILITIES, 0xffff_0000);
    fixed(CONFIG.class, CLASS_BRIDGE, 0xffff_ffff);
    fixed(CONFIG.header, HEADER_BRIDGE, 0xffff_0000);
    for (const at of [CONFIG.bars, CONFIG.bars + 4, CONFIG.rom]) fixed(at, 0, 0xffff_ffff);
    fixed(CONFIG.capabilities, CONFIG.express, 0xffff_ffff);
    fixed(CONFIG.interrupt, PIN_A, 0xff00);
    EXPRESS.forEach((value, n) => {
      answers.word(base + CONFIG.express + 4 * n, value);
    });
    answers.word(base + CONFIG.express + LINK_CAPABILITIES_2, SPEED_1);
  },
};
