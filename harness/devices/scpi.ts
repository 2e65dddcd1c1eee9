import { walk } from '../devicetree/tree.ts';
import { cellProperty, cellsOf } from '../devicetree/values.ts';
import { type BoardDevice, type DeviceModel, hasCompatible } from './device.ts';
import { answerMessages } from './mhu.ts';

/** One more than the highest sensor that a thermal zone of the tree asks `scpi`'s sensors for. */
function sensorCount(scpi: BoardDevice): number {
  const sensors = scpi.node.children.find((node) => hasCompatible(node, 'arm,scpi-sensors'));
  const phandle = sensors === undefined ? null : cellProperty(sensors, 'phandle');
  const numbers = [...walk(scpi.root)].flatMap(({ node }) => {
    const [provider, number] = cellsOf(node, 'thermal-sensors');
    return provider === phandle && number !== undefined && number < SENSORS_MAX ? [number + 1] : [];
  });
  return Math.max(0, ...numbers);
}
const SENSORS_MAX = 256;

export const scpi: DeviceModel = {
  compatible: ['arm,scpi'],
  reads:
    'drivers/firmware/arm_scpi.c, scpi_send_message(), scpi_init_versions(); drivers/clk/clk-scpi.c, ' +
    'drivers/pmdomain/arm/scpi_pm_domain.c, drivers/hwmon/scpi-hwmon.c (6.12)',
  model(device, answers) {
    // The upper half of the memory is for requests: scpi_probe().
    answerMessages(device, answers, 'scpi', (shared, arrived) => [
      shared.address,
      shared.address + shared.size / 2,
      arrived,
      answers.store(),
      sensorCount(device),
    ]);
  },
};
