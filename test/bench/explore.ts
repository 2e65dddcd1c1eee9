import { NOTHING_AT_THE_END } from '../../harness/search/disturbances.ts';
import { explore } from '../../harness/search/explore.ts';
import { bootSimulated, simulatedCell } from '../search/simulated-kernel.ts';

const DEVICES = [4, 6, 8, 10, 12] as const;
const STRENGTH = 3;
const BUDGET = 1000;

/** Boots that a search of all orders of three probes needs, by the number of devices, on a simulated kernel whose devices wait for nothing. */
export async function exploreBoots() {
  const rows: { devices: number; boots: number; orders: number }[] = [];
  for (const count of DEVICES) {
    const devices = Array.from({ length: count }, (_, n) => ({ device: `d${n}`, driver: `driver-${n}` }));
    const found = await explore({
      base: simulatedCell({ watch: devices.map(({ device }) => device) }),
      targets: devices.map(({ device }) => ({ device, nodes: [], suppliers: [] })),
      strength: STRENGTH,
      budget: BUDGET,
      seed: 1,
      constraints: [],
      loads: [],
      loadConstraints: [],
      boot: async (cell) => bootSimulated(devices, cell),
      pause: async () => {},
      stopAtFirstCrash: false,
      anyway: false,
      rebind: false,
      atTheEnd: NOTHING_AT_THE_END,
      nodeOf: (device) => `/${device}`,
    });
    const boots = found.stages
      .filter(({ stage }) => stage === 'pairs' || stage === 'orders')
      .reduce((sum, stage) => sum + stage.boots, 0);
    const orders = Array.from({ length: count }, (_, n) => n + 1).reduce((product, n) => product * n, 1);
    console.log(
      `explore: ${count} devices, all ${found.coverage.covered} orders of ${STRENGTH} in ${boots} boots (${orders} orders in all)`,
    );
    rows.push({ devices: count, boots, orders });
  }
  return { strength: STRENGTH, rows };
}
