/**
 * Buses whose probe function takes a `struct device *`: a gate on a device stands there, after the driver core has
 * found its suppliers and before the driver's own probe. A new bus is one entry. Symbols, modules and names are those
 * of Linux 5.10 to 7.2, in the files cited.
 */
export interface Bus {
  /** Folder below /sys/bus. */
  readonly name: string;
  /**
   * Functions by which the bus probes a device, of any kernel version: each kernel has some of them, in its image or in
   * one of `modules`.
   */
  readonly probes: readonly string[];
  /** Modules of the bus where it is not built in, of any kernel version. */
  readonly modules?: readonly string[];
  /**
   * How sysfs names its devices. Null where a name has no form of its own (platform and AMBA devices are named by their
   * address, or by their driver): such a device is looked for on all of these buses.
   */
  readonly names: RegExp | null;
}

export const BUSES: readonly Bus[] = [
  // drivers/base/platform.c: platform_probe() since 5.12 (9c30921fe799), before it platform_drv_probe(), which each
  // driver was given
  { name: 'platform', probes: ['platform_probe', 'platform_drv_probe'], names: null },
  // drivers/amba/bus.c
  { name: 'amba', probes: ['amba_probe'], names: null },
  // drivers/base/auxiliary.c, since 5.11; `module.name.id`
  { name: 'auxiliary', probes: ['auxiliary_bus_probe'], modules: ['auxiliary'], names: /^[\w-]+\.[\w-]+\.\d+$/ },
  // drivers/base/faux.c, since 6.14: a name is what its driver calls it
  { name: 'faux', probes: ['faux_probe'], names: null },
  // drivers/i2c/i2c-core-base.c, i2c_dev_set_name(): adapter and address, 10-bit ones from a000 on
  { name: 'i2c', probes: ['i2c_device_probe'], modules: ['i2c_core'], names: /^\d+-[0-9a-f]{4}$/ },
  // drivers/i3c/master.c: bus and provisioned id, or static address
  { name: 'i3c', probes: ['i3c_device_probe'], modules: ['i3c'], names: /^\d+-[0-9a-f]{12}$/ },
  // drivers/spi/spi.c, spi_dev_set_name(): controller and chip select; spi_probe() since 5.11, before it
  // spi_drv_probe()
  { name: 'spi', probes: ['spi_probe', 'spi_drv_probe'], names: /^spi\d+\.\d+$/ },
  // drivers/spmi/spmi.c: controller and slave id
  { name: 'spmi', probes: ['spmi_drv_probe'], modules: ['spmi'], names: /^\d+-[0-9a-f]{2}$/ },
  // drivers/pci/pci-driver.c; domain, bus, slot and function
  { name: 'pci', probes: ['pci_device_probe'], names: /^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/ },
  // drivers/pci/pcie/portdrv.c, pcie_device_init(): `PORT:pcieNNN`; the second name is that of 7.2
  { name: 'pci_express', probes: ['pcie_port_probe_service', 'pcie_port_bus_probe'], names: /:pcie[0-9a-f]{3}$/ },
  // drivers/usb/core/driver.c: a device `1-1.2` or `usb1`, an interface `1-1.2:1.0`
  {
    name: 'usb',
    probes: ['usb_probe_device', 'usb_probe_interface'],
    modules: ['usbcore'],
    names: /^(usb\d+|\d+-\d+(\.\d+)*(:\d+\.\d+)?|\d+-0:\d+\.\d+)$/,
  },
  // drivers/virtio/virtio.c
  { name: 'virtio', probes: ['virtio_dev_probe'], modules: ['virtio'], names: /^virtio\d+$/ },
  // drivers/mmc/core/bus.c (card: host and relative address) and sdio_bus.c (function behind it)
  { name: 'mmc', probes: ['mmc_bus_probe'], modules: ['mmc_core'], names: /^mmc\d+:[0-9a-f]{4}$/ },
  { name: 'sdio', probes: ['sdio_bus_probe'], modules: ['mmc_core'], names: /^mmc\d+:[0-9a-f]{4}:\d+$/ },
  // drivers/net/phy: phy_device.c, mdio_device.c (6.16: in mdio-bus.ko); `BUS:ADDRESS`, a bus is named by its driver
  { name: 'mdio_bus', probes: ['phy_probe', 'mdio_probe'], modules: ['libphy', 'mdio_bus'], names: /^.+:[0-9a-f]{2}$/ },
  // drivers/tty/serdev/core.c: `serialN-M`; serial8250 is a platform device
  { name: 'serial', probes: ['serdev_drv_probe'], names: /^serial\d+-\d+$/ },
  // drivers/firmware/arm_scmi/bus.c and arm_ffa/bus.c
  { name: 'scmi_protocol', probes: ['scmi_dev_probe'], modules: ['scmi_core'], names: /^scmi_dev\.\d+$/ },
  { name: 'arm_ffa', probes: ['ffa_device_probe'], modules: ['ffa_core'], names: /^arm-ffa-\d+$/ },
  // drivers/rpmsg/rpmsg_core.c; `PARENT.CHANNEL.SOURCE.DESTINATION`
  { name: 'rpmsg', probes: ['rpmsg_dev_probe'], modules: ['rpmsg_core'], names: /^.+\..+\.-?\d+\.-?\d+$/ },
  // drivers/soc/qcom/apr.c; `aprsvc:SERVICE:DOMAIN:ID`, gprsvc since 5.16
  { name: 'aprbus', probes: ['apr_device_probe'], modules: ['apr'], names: /^(apr|gpr)(svc:|:).+$/ },
  // drivers/slimbus/core.c, slim_alloc_device()
  {
    name: 'slimbus',
    probes: ['slim_device_probe'],
    modules: ['slimbus'],
    names: /^[0-9a-f]+:[0-9a-f]+:[0-9a-f]+:[0-9a-f]+$/,
  },
  // drivers/soundwire/bus_type.c: sdw_bus_probe() since 6.18, before it sdw_drv_probe()
  { name: 'soundwire', probes: ['sdw_bus_probe', 'sdw_drv_probe'], modules: ['soundwire_bus'], names: /^sdw:/ },
  // drivers/gpu/drm/drm_mipi_dsi.c: `HOST.CHANNEL`
  { name: 'mipi-dsi', probes: ['mipi_dsi_drv_probe'], names: /^.+\.\d$/ },
  // drivers/hid/hid-core.c; bus, vendor, product, number
  {
    name: 'hid',
    probes: ['hid_device_probe'],
    modules: ['hid'],
    names: /^[0-9A-F]{4}:[0-9A-F]{4}:[0-9A-F]{4}\.[0-9A-F]{4}$/,
  },
  // drivers/input/serio/serio.c
  { name: 'serio', probes: ['serio_driver_probe'], modules: ['serio'], names: /^serio\d+$/ },
  // drivers/bus/sunxi-rsb.c: the hardware address, hexadecimal
  { name: 'sunxi-rsb', probes: ['sunxi_rsb_device_probe'], names: /^sunxi-rsb-[0-9a-f]+$/ },
  // drivers/bus/fsl-mc/fsl-mc-bus.c: a kind of object and its number; the second name is that of 7.2
  { name: 'fsl-mc', probes: ['fsl_mc_driver_probe', 'fsl_mc_probe'], names: /^dp[a-z]+\.\d+$/ },
  // drivers/usb/typec/bus.c (alternate modes) and drivers/usb/common/ulpi.c
  { name: 'typec', probes: ['typec_probe'], modules: ['typec'], names: /^port\d+(-partner|-plug\d)?\.\d+$/ },
  { name: 'ulpi', probes: ['ulpi_probe'], modules: ['ulpi'], names: /^.+\.ulpi$/ },
];

/** Names that more than one bus's devices may have: `5f000000.iommu`, but also `panel.0`. */
const COMMON = BUSES.filter(({ names }) => names === null);

/**
 * Buses that a device of this name may be on, as sysfs names it. A node path (`/soc/i2c@1000/sensor@48`) and a driver
 * (`driver=NAME`) say nothing of the bus: then all of them.
 */
export function busesOf(device: string, buses: readonly Bus[] = BUSES): readonly Bus[] {
  if (device.startsWith('/') || device.startsWith(DRIVER_PREFIX)) return buses;
  const own = buses.filter(({ names }) => names?.test(device));
  return own.length > 0 && !own.every(({ name }) => VAGUE.has(name)) ? own : [...COMMON, ...own];
}

/** Buses whose names are made of a driver's word: a device that looks like theirs may be on a common one as well. */
const VAGUE: ReadonlySet<string> = new Set(['mdio_bus', 'rpmsg', 'mipi-dsi', 'auxiliary', 'ulpi']);

/** How a gate names all devices that a driver probes. */
export const DRIVER_PREFIX = 'driver=';
