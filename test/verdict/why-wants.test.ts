import { describe, expect, it } from 'vitest';
import { WANTS } from '../../harness/verdict/why-kinds.ts';
import { propertiesWanted, wantOf } from '../../harness/verdict/why-wants.ts';

/** What drivers say that they lack, by kinds. */

/** of_supplier_bindings, drivers/of/property.c, 6.12, without what only orders (post-init-providers). */
const LINKED = [
  ...['clocks', 'interconnects', 'iommus', 'mboxes', 'io-channels', 'io-backends', 'dmas', 'power-domains'],
  ...['hwlocks', 'extcon', 'nvmem-cells', 'phys', 'pinctrl-0', 'remote-endpoint', 'pwms', 'resets', 'leds'],
  ...['backlight', 'panel', 'msi-parent', 'access-controllers', 'vdd-supply', 'reset-gpios', 'interrupts'],
];

describe('the kinds of what drivers lack', () => {
  it('are all that fw_devlink links', () => {
    expect(LINKED.filter((property) => !WANTS.some((want) => want.property?.test(property)))).toEqual([]);
  });

  it.each([
    ['failed to retrieve hwlock', 'a hwspinlock', 'hwlocks'],
    ['Unable to find the syscon', "another device's registers (a syscon or a regmap)", 'gadget,syscon'],
    ['failed to get the GRF regmap', "another device's registers (a syscon or a regmap)", 'rockchip,grf'],
    ['could not get a qmp handle', 'the QMP mailbox of the always-on subsystem (AOSS)', 'qcom,qmp'],
    ['no qmp phy', 'a PHY', 'phys'],
    ['cannot find SMEM item', "the shared memory of Qualcomm's processors (SMEM)", null],
    ['failed to acquire smem-state', 'a state bit of another processor (SMP2P or SMSM)', 'qcom,smem-states'],
    ['failed to get the rproc', 'a remote processor', 'gadget,rproc'],
    ['no parent mdio bus', 'an MDIO bus, or a PHY on it', 'mdio-parent-bus'],
    ['Failed to register DSA switch: -517', 'the Ethernet controller of its CPU port', 'ethernet'],
    ['Failed to find remote bridge', 'a bridge', 'remote-endpoint'],
    ['failed to find panel or bridge', 'a panel or a bridge', 'remote-endpoint'],
    ['drm_of_find_panel_or_bridge: nothing', 'a panel or a bridge', 'remote-endpoint'],
    ['no i2c adapter yet', 'an I2C bus', 'ddc-i2c-bus'],
    ['failed to get typec mux', 'a USB Type-C switch, mux or retimer', 'mode-switch'],
    ['cannot get the status LED', 'an LED', 'leds'],
    ['failed to find thermal zone', 'a thermal zone or its sensor', 'thermal-sensors'],
    ['failed to get SRAM pool', 'an SRAM', 'sram'],
    [
      'failed to get the scmi handle',
      'an interface of the firmware (SCM, SCMI, TI SCI, SCU, RPMh, OP-TEE)',
      'firmware',
    ],
    ['no irq_domain yet', 'an interrupt', 'interrupts'],
    ['no pwrseq', 'a power sequencer', 'mmc-pwrseq'],
    ['reset control not ready', 'the GPIO of its reset, or for the driver of such resets (reset_gpio)', 'reset-gpios'],
    ['failed to get reset control', 'a reset controller', 'resets'],
    ['mipi_dsi_attach failed (-517). Is host ready?', 'a DSI host', 'remote-endpoint'],
    ['Could not register PCM', 'a DMA controller', 'dmas'],
    ['failed to add the GPIO controller', 'the pin controller of its GPIOs', null],
  ])('%s: %s', (words, noun, property) => {
    expect(wantOf(words)?.noun).toBe(noun);
    if (property !== null) expect(propertiesWanted(words)?.(property)).toBe(true);
  });

  it('are not told of what the device itself registers, nor by the path of a node', () => {
    expect(wantOf('Failed to register panel')).toBe(null);
    expect(wantOf('Failed to add i2c adapter')).toBe(null);
    expect(wantOf('no phys address')).toBe(null);
    expect(wantOf('Failed to get GPIO /leds/led-0')?.noun).toBe('a GPIO');
    expect(wantOf('nothing at /soc/mdio@1000/phy@0')).toBe(null);
  });
});
