import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Gate } from '../../harness/model/gate.ts';
import type { PlanStep } from '../../harness/model/plan.ts';
import { BOOTS_MS, FIRST_BUILD_MS, type GuestRoom, openGuestRoom, SCM, said } from '../guest/boot.ts';

/**
 * The signs of a probe under way differ by kernel and by `fw_devlink` (harness/guest/init/probing.h). 6.12 shows them otherwise;
 * its build would take a quarter of the tests' time, so that series is left to the matrix, whose cells wait for such probes.
 */
const KERNELS = ['6.1'];
const permissive = ['fw_devlink=permissive'];

const delay = (ms: number): Gate => ({ gate: 'delay', device: SCM, ms });
const async: PlanStep = { step: 'load', module: 'qcom_scm', params: 'async_probe=1' };
const settle: PlanStep = { step: 'settle', ms: 100 };

describe.each(KERNELS)('a probe under way, on %s', { timeout: BOOTS_MS }, (recipe) => {
  let room: GuestRoom;
  beforeAll(async () => {
    room = await openGuestRoom(recipe);
  }, FIRST_BUILD_MS);
  afterAll(() => room.close());

  it('is not taken for a bound device, though sysfs shows its driver', async () => {
    const plan: PlanStep[] = [async, { step: 'wait', device: SCM, ms: 1000 }];
    const lines = said(await room.boot({ plan, gates: [delay(6000)] }));
    expect(lines).toContain(`wait ${SCM} timeout`);
    expect(lines).toContain(`probing ${SCM} qcom_scm`);
    expect(lines).not.toContain(`bound ${SCM} qcom_scm`);
    const open = said(await room.boot({ plan, gates: [delay(6000)], bootargs: permissive }));
    expect(open).toContain(`wait ${SCM} timeout`);
    expect(open).not.toContain(`bound ${SCM} qcom_scm`);
  });

  it.each([[[]], [permissive]])('keeps the guest from settling, with %j', async (bootargs) => {
    const lines = said(await room.boot({ plan: [async, settle], gates: [delay(6000)], bootargs }));
    const settled = Number(lines.find((text) => text.startsWith('settled '))?.split(' ')[1]);
    expect(settled).toBeGreaterThan(6000);
    expect(settled).toBeLessThan(6700);
    expect(lines).toContain(`bound ${SCM} qcom_scm`);
  });

  it('is given up and named when it does not return', async () => {
    const lines = said(await room.boot({ plan: [async, settle], gates: [delay(600_000)] }));
    expect(lines).toContainEqual(expect.stringMatching(/^unsettled 6\d{4}$/));
    expect(lines).toContain(`probing ${SCM} qcom_scm`);
    expect(lines.at(-1)).toBe('done');
  });
});
