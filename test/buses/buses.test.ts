import { describe, expect, test } from 'vitest';
import { BUSES, type Bus, busesOf } from '../../harness/buses/buses.ts';
import { encodeGates } from '../../harness/firmware/gates.ts';

const names = (device: string) => busesOf(device).map(({ name }) => name);

describe('busesOf', () => {
  test.each([
    ['5f000000.iommu', ['platform', 'amba', 'faux']],
    ['firmware:scm', ['platform', 'amba', 'faux']],
    ['0-0048', ['i2c']],
    ['spi0.0', ['spi']],
    ['0-00', ['spmi']],
    ['0000:00:01.0', ['pci']],
    ['1-1.2:1.0', ['usb']],
    ['usb1', ['usb']],
    ['virtio0', ['virtio']],
    ['mmc0:0001', ['mmc']],
    ['mmc0:0001:1', ['sdio']],
    ['serial0-0', ['serial']],
    ['serial8250', ['platform']],
    ['scmi_dev.1', ['scmi_protocol']],
    ['sunxi-rsb-3a3', ['sunxi-rsb']],
    ['dpni.0', ['fsl-mc']],
    ['0000:00:00.0:pcie001', ['pci_express']],
  ])('a device %s is looked for on %j', (device, expected) => {
    expect(names(device)).toEqual(expect.arrayContaining(expected));
    expect(names(device).length).toBeLessThanOrEqual(expected.length + 3);
  });

  test('a driver’s word in a name says nothing for certain: the common buses are looked at as well', () => {
    expect(names('ti_sn65dsi86.aux.44')).toEqual(expect.arrayContaining(['auxiliary', 'platform']));
  });

  test('a node and a driver may be on any bus', () => {
    for (const device of ['/soc/i2c@1000/sensor@48', 'driver=lm75']) expect(names(device)).toHaveLength(BUSES.length);
  });
});

test('no two buses have the same name, and no function is the probe of two', () => {
  for (const values of [BUSES.map(({ name }) => name), BUSES.flatMap(({ probes }) => probes)])
    expect(new Set(values).size).toBe(values.length);
});

test('a new bus is one entry', () => {
  const FIXTURE: Bus = { name: 'fixture', probes: ['fixture_bus_probe'], names: /^fixture-\d+$/ };
  const lookup = (name: string) => (['fixture_bus_probe', 'msleep'].includes(name) ? 0x1000n : null);
  const gate = { gate: 'delay', device: 'fixture-1', ms: 5 } as const;
  const table = encodeGates([gate], lookup, undefined, { buses: [...BUSES, FIXTURE] });
  expect(Buffer.from(table ?? []).includes('fixture_bus_probe')).toBe(true);
  expect(() => encodeGates([gate], lookup)).toThrow('fixture-1 would be probed by');
});
