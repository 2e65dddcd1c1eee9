import fc from 'fast-check';
import type { Plan } from '../../harness/guest/plan.ts';
import { type PlanStep, PM_TESTS } from '../../harness/model/plan.ts';

const letters = (characters: string, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...characters), minLength: 1, maxLength });

const device = letters('abz09.:@,-_\u00e4 ', 40).filter((name) => name !== '.' && name !== '..');
const moduleName = letters('abz_09AZ', 55);
const text = fc.string({ unit: 'binary', maxLength: 60 }).filter((value) => !value.includes('\0'));
const ms = fc.integer({ min: 0, max: 999_999_999 });

const step: fc.Arbitrary<PlanStep> = fc.oneof(
  fc.record({ step: fc.constant('load' as const), module: moduleName, params: text }),
  fc.record({ step: fc.constant('unload' as const), module: moduleName }),
  fc.record({ step: fc.constant('autoprobe' as const), on: fc.boolean() }),
  fc.record({ step: fc.constant('probe' as const), device }),
  fc.record({ step: fc.constantFrom('bind' as const, 'unbind' as const), driver: device, device }),
  fc.record({ step: fc.constant('write' as const), path: device.map((name) => `/sys/${name}`), value: text }),
  fc.record({ step: fc.constant('wait' as const), device, ms }),
  fc.record({ step: fc.constant('settle' as const), ms }),
  fc.record({ step: fc.constant('join' as const), ms }),
  fc.record({ step: fc.constant('read' as const), path: device.map((name) => `/sys/${name}`), ms }),
  fc.record({ step: fc.constant('override' as const), device, driver: device }),
  fc.record({ step: fc.constant('rescan' as const), bus: fc.constantFrom('pci', 'platform') }),
  fc.record({ step: fc.constant('suspend' as const), test: fc.constantFrom(...PM_TESTS) }),
  fc.record({ step: fc.constant('answer' as const), module: moduleName }),
  fc.record({ step: fc.constant('names' as const) }),
  fc.record({ step: fc.constant('shell' as const) }),
);

/** A step beside others is one that can be, so it follows at once. */
const beside = fc
  .integer({ min: 1, max: 64 })
  .map((tasks): PlanStep[] => [{ step: 'beside', steps: 1, tasks }, { step: 'names' }]);

const end = fc.constantFrom<PlanStep[]>([], [{ step: 'shutdown' }], [{ step: 'reboot' }]);

/** Any plan that the guest accepts. */
export const anyPlan: fc.Arbitrary<Plan> = fc.record({
  steps: fc
    .tuple(
      fc.array(
        fc.oneof(
          step.map((one) => [one]),
          beside,
        ),
        { maxLength: 20 },
      ),
      end,
    )
    .map(([blocks, last]) => [...blocks.flat(), ...last]),
  watch: fc.array(device, { maxLength: 5 }),
});
