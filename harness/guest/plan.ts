import { InputError } from '../errors.ts';
import type { PlanStep } from '../model/plan.ts';
import { deviceName, encodeStep, PLAN_STEPS } from './steps.ts';

/** What the guest's init does after the kernel is up, and the devices that its final report must name. */
export interface Plan {
  readonly steps: readonly PlanStep[];
  readonly watch: readonly string[];
}

/**
 * Words that the kernel's command line must have for the guest's init. Without `printk.devkmsg=on` the kernel drops the
 * lines that a program writes quickly (Linux 6.1 kernel/printk/printk.c, devkmsg_write(): 10 lines in 5 seconds).
 */
export const GUEST_BOOT_ARGS: readonly string[] = ['rdinit=/init', 'printk.devkmsg=on'];

const PLAN_VERSION = 'bootrace-plan-1';

/** The limits of init/plan.h; sizes include the terminating NUL. */
const PLAN_SIZE = 65_536;
const PLAN_WATCHED = 256;

/**
 * The plan as init/plan.c reads it: words that end in NUL, first the format's version, then records of a verb and a
 * fixed number of words, last the record `end`. Throws {@link InputError} for a step that the guest would not accept.
 */
export function encodePlan(plan: Plan): Uint8Array {
  if (plan.steps.length > PLAN_STEPS) throw tooLarge(`${plan.steps.length} steps, at most ${PLAN_STEPS}`);
  checkBeside(plan.steps);
  checkEnd(plan.steps);
  if (plan.watch.length > PLAN_WATCHED) throw tooLarge(`${plan.watch.length} watched devices, at most ${PLAN_WATCHED}`);
  const records = [
    [PLAN_VERSION],
    ...plan.watch.map((device) => ['watch', deviceName(device, 'a watched device')]),
    ...plan.steps.map(encodeStep),
    ['end'],
  ];
  const bytes = new TextEncoder().encode(records.flatMap((record) => record.map((word) => `${word}\0`)).join(''));
  if (bytes.length > PLAN_SIZE) throw tooLarge(`${bytes.length} bytes, at most ${PLAN_SIZE}`);
  return bytes;
}

/**
 * Steps that only the plan itself can execute; throws where one of them stands beside others, or where `beside` reaches
 * behind the plan's end.
 */
function checkBeside(steps: readonly PlanStep[]): void {
  for (const [at, step] of steps.entries()) {
    if (step.step !== 'beside') continue;
    const block = steps.slice(at + 1, at + 1 + step.steps);
    if (block.length < step.steps)
      throw new InputError(`beside: ${step.steps} steps are to run beside others, and ${block.length} follow`);
    const wrong = block.find((one) => ['beside', 'join', 'shell', ...ENDS].includes(one.step));
    if (wrong !== undefined) throw new InputError(`the step ${wrong.step} cannot run beside others`);
  }
}

/** Steps after which there is no guest. */
const ENDS: readonly string[] = ['shutdown', 'reboot'];

function checkEnd(steps: readonly PlanStep[]): void {
  const at = steps.findIndex(({ step }) => ENDS.includes(step));
  if (at !== -1 && at !== steps.length - 1)
    throw new InputError(`the step ${steps[at]?.step} ends the guest, and ${steps.length - 1 - at} more follow it`);
}

function tooLarge(what: string): InputError {
  return new InputError(`the plan of the cell has ${what}`, 'split the cell in two');
}
