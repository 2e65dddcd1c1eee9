import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Gate } from '../../harness/model/gate.ts';
import type { PlanStep } from '../../harness/model/plan.ts';
import { BOOTS_MS, FIRST_BUILD_MS, type GuestRoom, openGuestRoom, SCM, SMMU, said } from '../guest/boot.ts';

let room: GuestRoom;
beforeAll(async () => {
  room = await openGuestRoom('6.1');
}, FIRST_BUILD_MS);
afterAll(() => room.close());

/** Without the devices that the board's own drivers bind. */
const saidOfTwo = (console: string) => said(console).filter((text) => !/^bound (?!firmware:scm|5f0)/.test(text));

const load = (module: string, params = ''): PlanStep => ({ step: 'load', module, params });
const delay = (ms: number): Gate => ({ gate: 'delay', device: SCM, ms });
// Loaded with async_probe=1, since the module loader waits for every asynchronous probe otherwise.
const scm = load('qcom_scm', 'async_probe=1');
const smmu = load('arm_smmu', 'async_probe=1');

describe('the init, as PID 1 of a real kernel', { timeout: BOOTS_MS }, () => {
  it('executes every step and reports in order', async () => {
    const console = await room.boot({
      plan: [
        { step: 'autoprobe', on: false },
        load('qcom_scm'),
        load('arm_smmu'),
        load('qcom_scm'),
        load('nonesuch'),
        { step: 'unload', module: 'qcom_scm' },
        { step: 'unload', module: 'nonesuch' },
        { step: 'probe', device: SMMU },
        { step: 'probe', device: SCM },
        { step: 'probe', device: SMMU },
        { step: 'probe', device: 'nonesuch' },
        { step: 'bind', driver: 'qcom_scm', device: SCM },
        { step: 'unbind', driver: 'nonesuch', device: SCM },
        { step: 'autoprobe', on: true },
        { step: 'write', path: '/sys/bus/platform/drivers_autoprobe', value: '0' },
        { step: 'write', path: '/sys/nonesuch', value: '0' },
        { step: 'wait', device: SCM, ms: 100 },
        { step: 'wait', device: 'nonesuch', ms: 100 },
      ],
    });
    expect(saidOfTwo(console)).toEqual([
      'start',
      'autoprobe off',
      'load qcom_scm ok',
      'load arm_smmu ok',
      'load qcom_scm error 17 File exists',
      'load nonesuch error 2 No such file or directory',
      'unload qcom_scm error 11 Resource temporarily unavailable',
      'unload nonesuch error 2 No such file or directory',
      `probe ${SMMU} error 517 Probe deferred`,
      `probe ${SCM} ok`,
      `probe ${SMMU} ok`,
      'probe nonesuch error 19 No such device',
      // qcom_scm sets suppress_bind_attrs: sysfs has no such file.
      `bind qcom_scm ${SCM} error 2 No such file or directory`,
      `unbind nonesuch ${SCM} error 19 No such device`,
      'autoprobe on',
      'write /sys/bus/platform/drivers_autoprobe ok',
      'write /sys/nonesuch error 2 No such file or directory',
      `wait ${SCM} bound`,
      'wait nonesuch timeout',
      `bound ${SMMU} arm-smmu`,
      `bound ${SCM} qcom_scm`,
      'absent nonesuch',
      'done',
    ]);
    expect(console).toContain('reboot: Power down');
  });

  it('reports devices without a driver, and deferred ones with the reason', async () => {
    const idle = await room.boot({});
    expect(saidOfTwo(idle)).toEqual(['start', `unbound ${SCM}`, `unbound ${SMMU}`, 'absent nonesuch', 'done']);
    // The SMMU is refused for as long as the firmware's driver is not there, and the kernel keeps it for later.
    const plan: PlanStep[] = [scm, smmu, { step: 'wait', device: SMMU, ms: 100 }];
    const deferred = said(await room.boot({ plan, gates: [delay(6000)] }));
    expect(deferred).toContain(`unbound ${SMMU}`);
    expect(deferred).toContainEqual(expect.stringMatching(`^deferred ${SMMU}`));
  });

  it('refuses a plan that is damaged, and powers off', async () => {
    const console = await room.boot({}, Buffer.from('bootrace-plan-1\0run\0'));
    expect(said(console)).toEqual(['start', 'bad-plan it has an unknown verb']);
    expect(console).toContain('reboot: Power down');
  });

  it('ends in a reset or a power-off, both through the shutdown callbacks, as the plan says', async () => {
    const plan: PlanStep[] = [load('qcom_scm'), load('arm_smmu'), { step: 'wait', device: SMMU, ms: 1000 }];
    const ends = async (end: PlanStep[]) => {
      const console = await room.boot({ plan: [...plan, ...end] });
      expect(said(console).at(-1)).toBe('done');
      expect(console).toMatch(/arm-smmu 5f000000\.iommu: (?:shutdown|disabling translation)/);
      return /reboot: ([\w ]+)/.exec(console)?.[1];
    };
    expect(await ends([])).toBe('Power down');
    expect(await ends([{ step: 'shutdown' }])).toBe('Power down');
    expect(await ends([{ step: 'reboot' }])).toBe('Restarting system');
  });

  it('gives the same console, byte for byte, when booted again', async () => {
    const order = { plan: [scm, smmu, { step: 'settle', ms: 100 } as const], gates: [delay(500)] };
    expect(await room.boot(order)).toBe(await room.boot(order));
  });
});
