import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import fc from 'fast-check';
import { dir } from 'tmp-promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { encodePlan, type Plan } from '../../harness/guest/plan.ts';
import { stepsHeader } from '../../harness/guest/steps.ts';
import type { PlanStep } from '../../harness/model/plan.ts';
import { anyPlan } from '../guest/plans.ts';

/** What test/guest/plan-host.c prints of a plan. */
const readPlan = z.union([
  z.object({ problem: z.string() }),
  z.object({
    watch: z.array(z.string()),
    steps: z.array(z.object({ verb: z.string(), number: z.number(), words: z.array(z.string()) })),
  }),
]);

const INIT = fileURLToPath(new URL('../../harness/guest/init/', import.meta.url));
/** The host's compiler, which the kernel's build needs too. */
const HOST_COMPILER = 'gcc';
const HOST = fileURLToPath(new URL('../guest/plan-host.c', import.meta.url));

let folder: Awaited<ReturnType<typeof dir>>;
let program: string;

beforeAll(async () => {
  folder = await dir({ unsafeCleanup: true });
  program = `${folder.path}/plan-host`;
  const flags = [
    '-g',
    '-fsanitize=address,undefined',
    '-fno-sanitize-recover=all',
    '-fno-builtin',
    '-I',
    INIT,
    '-I',
    folder.path,
  ];
  await writeFile(`${folder.path}/step-table.h`, stepsHeader());
  await execa(HOST_COMPILER, [...flags, '-o', program, HOST, `${INIT}plan.c`, `${INIT}text.c`]);
}, 60_000);

afterAll(() => folder.cleanup());

/** Lets the init's own reader, built for the host, read each of these; fails on a sanitizer's report. */
async function readOnHost(plans: readonly Uint8Array[]) {
  const length = (bytes: Uint8Array) => {
    const head = Buffer.alloc(4);
    head.writeUInt32LE(bytes.length);
    return head;
  };
  const input = Buffer.concat(plans.flatMap((bytes) => [length(bytes), bytes]));
  const { stdout } = await execa(program, { input });
  return stdout.split('\n').map((line) => readPlan.parse(JSON.parse(line)));
}

const hex = (word: string) => Buffer.from(word).toString('hex');

function expectedStep(step: PlanStep) {
  const record = (number: number, ...words: string[]) => ({ verb: step.step, number, words: words.map(hex) });
  switch (step.step) {
    case 'load':
      return record(0, step.module, step.params);
    case 'unload':
      return record(0, step.module);
    case 'autoprobe':
      return record(Number(step.on), step.on ? '1' : '0');
    case 'probe':
      return record(0, step.device);
    case 'bind':
    case 'unbind':
      return record(0, step.driver, step.device);
    case 'write':
      return record(0, step.path, step.value);
    case 'wait':
      return record(step.ms, step.device, String(step.ms));
    case 'settle':
      return record(step.ms, String(step.ms));
    case 'beside':
      return record(step.tasks, String(step.steps), String(step.tasks));
    case 'join':
      return record(step.ms, String(step.ms));
    case 'read':
      return record(step.ms, step.path, String(step.ms));
    case 'override':
      return record(0, step.device, step.driver);
    case 'rescan':
      return record(0, step.bus);
    case 'suspend':
      return record(0, step.test);
    case 'answer':
      return record(0, step.module);
    case 'shutdown':
    case 'reboot':
    case 'names':
      return record(0);
    case 'shell':
      return record(0);
  }
}

const expectedPlan = (plan: Plan) => ({ watch: plan.watch.map(hex), steps: plan.steps.map(expectedStep) });

describe('the plan reader of the init, built for the host with sanitizers', { timeout: 60_000 }, () => {
  it('reads every plan as it was written', async () => {
    const law = fc.asyncProperty(fc.array(anyPlan, { minLength: 1, maxLength: 40 }), async (plans) => {
      expect(await readOnHost(plans.map(encodePlan))).toEqual(plans.map(expectedPlan));
    });
    await fc.assert(law, { numRuns: 10 });
  });

  it('reads the largest plan', async () => {
    const plan: Plan = {
      steps: Array<PlanStep>(1024).fill({ step: 'settle', ms: 999_999_999 }),
      watch: Array<string>(256).fill('d'.repeat(100)),
    };
    expect(await readOnHost([encodePlan(plan)])).toEqual([expectedPlan(plan)]);
  });

  it('refuses what is not a plan, and never reads outside of it', async () => {
    const damage = fc.record({ at: fc.nat(), byte: fc.nat(255), drop: fc.nat(3) });
    const damaged = fc.tuple(anyPlan, fc.array(damage, { minLength: 1, maxLength: 4 })).map(([plan, damages]) => {
      let bytes = Buffer.from(encodePlan(plan));
      for (const { at, byte, drop } of damages) {
        const place = at % bytes.length;
        bytes = Buffer.concat([bytes.subarray(0, place), Buffer.of(byte), bytes.subarray(place + drop)]);
      }
      return bytes;
    });
    const bytes = fc.oneof(damaged, fc.uint8Array({ maxLength: 300 }));
    const law = fc.asyncProperty(fc.array(bytes, { minLength: 1, maxLength: 100 }), async (plans) => {
      expect(await readOnHost(plans)).toHaveLength(plans.length);
    });
    await fc.assert(law, { numRuns: 10 });
  });

  const plan = (...words: string[]) => Buffer.from(words.map((word) => `${word}\0`).join(''));
  const version = 'bootrace-plan-1';
  it.each([
    ['no bytes', Buffer.alloc(0), 'another version'],
    ['another version', plan('bootrace-plan-2', 'end'), 'another version'],
    ['no end', plan(version, 'shell'), 'ends before its end record'],
    ['an end inside a record', plan(version, 'load', 'm'), 'ends inside a record'],
    ['a word without its NUL', plan(version, 'end').subarray(0, -1), 'ends before its end record'],
    ['more after the end', plan(version, 'end', 'shell'), 'goes on after its end record'],
    ['an unknown verb', plan(version, 'run', 'end'), 'unknown verb'],
    ['a path as a module', plan(version, 'load', '../init', '', 'end'), "a module's name"],
    ['a path as a device', plan(version, 'probe', 'a/b', 'end'), "a device's or driver's name"],
    ['a relative path', plan(version, 'write', 'x', '', 'end'), 'a path is relative'],
    ['a switch of 2', plan(version, 'autoprobe', '2', 'end'), 'a switch'],
    ['a time that is no number', plan(version, 'settle', '1s', 'end'), 'a time'],
    ['a time of ten digits', plan(version, 'settle', '1000000000', 'end'), 'a time'],
    ['a word of a page', plan(version, 'load', 'm', 'p'.repeat(4096), 'end'), 'ends inside a record'],
    ['too many steps', plan(version, ...Array<string>(1025).fill('shell'), 'end'), 'too many steps'],
    ['too many watched', plan(version, ...Array<string[]>(257).fill(['watch', 'd']).flat(), 'end'), 'too many devices'],
    ['too many bytes', plan(version, ...Array<string>(65_536).fill('')), 'larger than 65536 bytes'],
  ])('says what is wrong with %s', async (_what, bytes, problem) => {
    expect(await readOnHost([bytes])).toEqual([{ problem: expect.stringContaining(problem) }]);
  });
});
