import { walk } from '../devicetree/tree.ts';
import { cellProperty, cellsOf } from '../devicetree/values.ts';
import { type BoardDevice, type DeviceModel, hasCompatible } from './device.ts';
import { answerMessages } from './mhu.ts';

const OLDER = 'arm,scpi-pre-1.0';
/** A tree may name any number; those that there are have two. */
const CHANNELS_MAX = 8;

/** One more than the highest sensor that a thermal zone of the tree asks `scpi`'s sensors for. */
function sensorCount(scpi: BoardDevice): number {
  const sensors = scpi.node.children.find((node) => hasCompatible(node, 'arm,scpi-sensors'));
  const phandle = sensors === undefined ? null : cellProperty(sensors, 'phandle');
  const numbers = [...walk(scpi.root)].flatMap(({ node }) => {
    const [provider, number] = cellsOf(node, 'thermal-sensors');
    return provider === phandle && number !== undefined && number < SENSORS_MAX ? [number + 1] : [];
  });
  // Amlogic's firmware has the SoC's thermometer, which no zone of their trees asks for.
  return Math.max(scpi.compatible.includes(OLDER) ? 1 : 0, ...numbers);
}
const SENSORS_MAX = 256;

export const scpi: DeviceModel = {
  compatible: ['arm,scpi', OLDER],
  reads:
    'drivers/firmware/arm_scpi.c, scpi_send_message(), scpi_init_versions(); drivers/clk/clk-scpi.c, ' +
    'drivers/pmdomain/arm/scpi_pm_domain.c, drivers/hwmon/scpi-hwmon.c (6.12)',
  model(device, answers) {
    const isOlder = device.compatible.includes(OLDER);
    const store = answers.store();
    // The older one has a channel for commands in a hurry. The upper half of a channel's memory is for requests:
    // scpi_probe().
    for (let entry = 0; entry < Math.min(CHANNELS_MAX, device.cells('shmem').length); entry++)
      answerMessages(
        device,
        answers,
        'scpi',
        (shared, arrived) => [
          shared.address,
          shared.address + shared.size / 2,
          arrived,
          store,
          sensorCount(device),
          isOlder ? 1 : 0,
        ],
        entry,
      );
  },
};
