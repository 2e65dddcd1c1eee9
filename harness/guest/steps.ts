import { InputError } from '../errors.ts';
import type { PlanStep } from '../model/plan.ts';

/*
 * The steps of a plan as the guest's init reads them: a verb and so many words. This table is the only description of
 * them; the init gets it as a header (init/plan.c checks each word, init/steps.c carries the step out).
 */

/** The limits of init/plan.h and init/plan.c; sizes include the terminating NUL. */
export const PLAN_STEPS = 1024;
const WORD_SIZE = 4096;
const NAME_SIZE = 256;
export const MODULE_NAME_SIZE = 56;
/** init/text.c, parse_number(): nine digits, about eleven days of virtual time. */
const MS_MAX = 999_999_999;

type Verb = PlanStep['step'];
type StepOf<V extends Verb> = Extract<PlanStep, { readonly step: V }>;

/** A word behind the verb: what the init checks it to be (init/plan.h, words_of_step()), and where it comes from. */
interface Word<Step> {
  readonly letter: 'M' | 'N' | 'P' | 'T' | 'S' | 'm' | 'C';
  readonly of: (step: Step) => string;
}

interface Entry {
  readonly letters: string;
  readonly words: (step: PlanStep) => string[];
}

function entry<V extends Verb>(verb: V, ...words: readonly Word<StepOf<V>>[]): Entry {
  return {
    letters: words.map(({ letter }) => letter).join(''),
    words: (step) => (isOf(step, verb) ? words.map(({ of }) => of(step)) : []),
  };
}

function isOf<V extends Verb>(step: PlanStep, verb: V): step is StepOf<V> {
  return step.step === verb;
}

const device = { letter: 'N', of: (step: { readonly device: string }) => deviceName(step.device, 'a device') } as const;
const driver = { letter: 'N', of: (step: { readonly driver: string }) => deviceName(step.driver, 'a driver') } as const;
const module = { letter: 'M', of: (step: { readonly module: string }) => moduleName(step.module) } as const;
const path = { letter: 'P', of: (step: { readonly path: string }) => guestPath(step.path) } as const;
const ms = { letter: 'm', of: (step: { readonly ms: number }) => milliseconds(step.ms) } as const;

/** A new step is a line here, its type in model/plan.ts, its form in matrix/parts.ts and its case in init/steps.c. */
const STEPS: { readonly [V in Verb]: Entry } = {
  load: entry('load', module, { letter: 'T', of: ({ params }) => text(params, 'the parameters of a module') }),
  unload: entry('unload', module),
  autoprobe: entry('autoprobe', { letter: 'S', of: ({ on }) => (on ? '1' : '0') }),
  probe: entry('probe', device),
  bind: entry('bind', driver, device),
  unbind: entry('unbind', driver, device),
  write: entry('write', path, { letter: 'T', of: ({ value }) => text(value, 'the value of a write step') }),
  wait: entry('wait', device, ms),
  settle: entry('settle', ms),
  beside: entry(
    'beside',
    { letter: 'C', of: ({ steps }) => count(steps) },
    { letter: 'C', of: ({ tasks }) => count(tasks) },
  ),
  join: entry('join', ms),
  read: entry('read', path, ms),
  override: entry('override', device, {
    letter: 'T',
    of: ({ driver: name }) => text(name, 'the name of a driver'),
  }),
  rescan: entry('rescan', { letter: 'N', of: ({ bus }) => deviceName(bus, 'a bus') }),
  suspend: entry('suspend', { letter: 'N', of: ({ test }) => test }),
  answer: entry('answer', module),
  shutdown: entry('shutdown'),
  reboot: entry('reboot'),
  names: entry('names'),
  shell: entry('shell'),
  apart: entry('apart'),
  census: entry('census'),
};

/** The verb of a step and its words. Throws {@link InputError} for a word that the guest would not accept. */
export function encodeStep(step: PlanStep): string[] {
  return [step.step, ...STEPS[step.step].words(step)];
}

/** The same table for the init: `STEPS(X)` with X(NAME, "verb", "letters") for each. */
export function stepsHeader(): string {
  const lines = Object.entries(STEPS).map(
    ([verb, { letters }]) => `\tX(${verb.toUpperCase()}, "${verb}", "${letters}") \\\n`,
  );
  return `/* Made of harness/guest/steps.ts. */\n#define STEPS(X) \\\n${lines.join('')}\n`;
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
export function deviceName(word: string, what: string): string {
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
