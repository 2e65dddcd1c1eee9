import { InputError } from '../errors.ts';
import type { PlanStep } from '../model/plan.ts';

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

/** The limits of init/plan.h and init/plan.c; sizes include the terminating NUL. */
const PLAN_SIZE = 65_536;
const PLAN_STEPS = 1024;
const PLAN_WATCHED = 256;
const WORD_SIZE = 4096;
const NAME_SIZE = 256;
export const MODULE_NAME_SIZE = 56;
/** init/text.c, parse_number(): nine digits, about eleven days of virtual time. */
const MS_MAX = 999_999_999;

/**
 * The plan as init/plan.c reads it: words that end in NUL, first the format's version, then records of a verb and a
 * fixed number of words, last the record `end`. Throws {@link InputError} for a step that the guest would not accept.
 */
export function encodePlan(plan: Plan): Uint8Array {
  if (plan.steps.length > PLAN_STEPS) throw tooLarge(`${plan.steps.length} steps, at most ${PLAN_STEPS}`);
  checkBeside(plan.steps);
  if (plan.watch.length > PLAN_WATCHED) throw tooLarge(`${plan.watch.length} watched devices, at most ${PLAN_WATCHED}`);
  const records = [
    [PLAN_VERSION],
    ...plan.watch.map((device) => ['watch', name(device, 'a watched device')]),
    ...plan.steps.map(encodeStep),
    ['end'],
  ];
  const bytes = new TextEncoder().encode(records.flatMap((record) => record.map((word) => `${word}\0`)).join(''));
  if (bytes.length > PLAN_SIZE) throw tooLarge(`${bytes.length} bytes, at most ${PLAN_SIZE}`);
  return bytes;
}

function encodeStep(step: PlanStep): string[] {
  switch (step.step) {
    case 'load':
      return [step.step, moduleName(step.module), text(step.params, 'the parameters of a module')];
    case 'unload':
      return [step.step, moduleName(step.module)];
    case 'autoprobe':
      return [step.step, step.on ? '1' : '0'];
    case 'probe':
      return [step.step, name(step.device, 'a device')];
    case 'bind':
    case 'unbind':
      return [step.step, name(step.driver, 'a driver'), name(step.device, 'a device')];
    case 'write':
      return [step.step, guestPath(step.path), text(step.value, 'the value of a write step')];
    case 'wait':
      return [step.step, name(step.device, 'a device'), milliseconds(step.ms)];
    case 'settle':
      return [step.step, milliseconds(step.ms)];
    case 'beside':
      return [step.step, count(step.steps), count(step.tasks)];
    case 'join':
      return [step.step, milliseconds(step.ms)];
    case 'read':
      return [step.step, guestPath(step.path), milliseconds(step.ms)];
    case 'override':
      return [step.step, name(step.device, 'a device'), text(step.driver, 'the name of a driver')];
    case 'names':
      return [step.step];
    case 'symbols':
      return [step.step, text(step.names.map(symbol).join(' '), 'the names of a symbols step')];
    case 'shell':
    case 'apart':
    case 'census':
      return [step.step];
  }
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
    const wrong = block.find((one) => ['beside', 'join', 'shell'].includes(one.step));
    if (wrong !== undefined) throw new InputError(`the step ${wrong.step} cannot run beside others`);
  }
}

function tooLarge(what: string): InputError {
  return new InputError(`the plan of the cell has ${what}`, 'split the cell in two');
}

function byteLength(word: string): number {
  return Buffer.byteLength(word, 'utf8');
}

function text(word: string, what: string): string {
  if (word.includes('\0')) throw new InputError(`${what} ${JSON.stringify(word)} contains a NUL`);
  if (byteLength(word) >= WORD_SIZE)
    throw new InputError(`${what} is ${byteLength(word)} bytes long, at most ${WORD_SIZE - 1} are possible`);
  return word;
}

/** A name that becomes one component of a path below /sys/bus. */
function name(word: string, what: string): string {
  const isComponent = word !== '' && word !== '.' && word !== '..' && !/[/\0]/.test(word);
  if (!isComponent || byteLength(word) >= NAME_SIZE) {
    throw new InputError(
      `${JSON.stringify(word)} cannot be the name of ${what}`,
      'use the name as in /sys/bus/platform',
    );
  }
  return word;
}

function moduleName(word: string): string {
  if (!/^[A-Za-z0-9_]+$/.test(word) || word.length >= MODULE_NAME_SIZE) {
    throw new InputError(
      `${JSON.stringify(word)} cannot be the name of a module`,
      'use the name that lsmod shows: letters, digits and underscores',
    );
  }
  return word;
}

function symbol(word: string): string {
  // Compilers add suffixes such as `.isra.0` and `.llvm.123`.
  if (!/^[A-Za-z0-9_.$]+$/.test(word)) throw new InputError(`${JSON.stringify(word)} cannot be the name of a symbol`);
  return word;
}

function guestPath(path: string): string {
  if (!path.startsWith('/') || path.includes('\0') || byteLength(path) >= NAME_SIZE) {
    throw new InputError(
      `${JSON.stringify(path)} cannot be written by the guest`,
      `use an absolute path of at most ${NAME_SIZE - 1} bytes`,
    );
  }
  return path;
}

function count(number: number): string {
  if (!Number.isInteger(number) || number < 1 || number > PLAN_STEPS) {
    throw new InputError(`${number} is not a number of steps or tasks`, `use integers from 1 to ${PLAN_STEPS}`);
  }
  return String(number);
}

function milliseconds(ms: number): string {
  if (!Number.isInteger(ms) || ms < 0 || ms > MS_MAX) {
    throw new InputError(`${ms} is not a time of the guest`, `use whole milliseconds from 0 to ${MS_MAX}`);
  }
  return String(ms);
}
