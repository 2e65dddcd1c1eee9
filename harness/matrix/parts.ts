import { z } from 'zod';
import { resolveBoard } from '../boards/boards.ts';
import { InputError } from '../errors.ts';
import type { Expectation } from '../model/cell.ts';
import type { DeviceGate, FunctionPlace, Gate, GatePlace, Moment, PlaceGate } from '../model/gate.ts';
import { type PlanStep, PM_TESTS } from '../model/plan.ts';
import type { TreeEdit } from '../model/tree-edit.ts';
import { VERDICTS } from '../model/verdict.ts';
import { oneOf, strictMap } from '../yaml.ts';

/*
 * The parts of a cell as YAML spells them, the same in the matrix file and in a cell file. They check form only;
 * whether a node, a symbol or a module exists is known to the rooms that look for it.
 */

/** Bounds against files that nobody wrote by hand. */
const MOST_ITEMS = 1000;
const LONGEST_TEXT = 1000;

/** init/steps.c: TASKS. */
const MOST_TASKS = 64;

const ADDRESS = 'expected an address such as 0x0, hexadecimal without leading zeros';

/** One value stands for a list with only it inside. */
export function listed(value: unknown): unknown {
  return value === undefined || Array.isArray(value) ? value : [value];
}

function list<S extends z.ZodType>(item: S) {
  return z.array(item, { error: 'expected a list' }).max(MOST_ITEMS);
}

/** A string that may look like a number in YAML: a value written to a file, a version. */
export const textSchema = z
  .union([z.string(), z.number(), z.boolean()], { error: 'expected a string' })
  .transform(String)
  .refine((text) => text.length <= LONGEST_TEXT && !text.includes('\0'), {
    error: `expected a string of at most ${LONGEST_TEXT} characters`,
  });

function pattern(regex: RegExp, expected: string) {
  return z
    .string({ error: `expected ${expected}` })
    .max(LONGEST_TEXT, { error: `expected ${expected}` })
    .regex(regex, { error: `expected ${expected}` });
}

/** The kernel splits its command line at white space (lib/cmdline.c, next_arg). */
const wordSchema = pattern(/^[\x21-\x7e]+$/, 'one word of the kernel command line: printable ASCII without spaces');
const deviceSchema = pattern(/^[A-Za-z0-9][A-Za-z0-9:.,@_+-]*$/, 'a device name such as 5f000000.iommu');
/** Ids become folder names; file systems take 255 bytes. */
export const LONGEST_ID = 200;
export const idSchema = pattern(
  /^[a-z0-9][a-z0-9._+=-]*$/,
  'an id of a-z, 0-9, and . _ + = -, not starting with a sign',
).max(LONGEST_ID, { error: `expected an id of at most ${LONGEST_ID} characters` });
const driverSchema = pattern(/^[A-Za-z0-9][A-Za-z0-9:.,@_+-]*$/, 'a driver name such as arm-smmu');
const busSchema = pattern(/^[A-Za-z0-9_-]+$/, 'a bus such as pci');
const moduleSchema = pattern(/^[A-Za-z0-9_]+$/, 'a module name with underscores such as qcom_scm');
const nodeSchema = pattern(
  /^(\/|(\/[A-Za-z0-9,._+@-]+)+|&[A-Za-z_][A-Za-z0-9_]*)$/,
  'a node path such as /firmware/scm or a &label',
);
const propertySchema = pattern(/^[A-Za-z0-9,._+?#-]+$/, 'a property name');
const functionSchema = pattern(/^[A-Za-z_][A-Za-z0-9_.$]*$/, 'a function name');
const pathSchema = pattern(/^\/[^\0\n]*$/, 'an absolute path in the guest');
const millisecondsSchema = z.int({ error: 'expected milliseconds of virtual time' }).min(0).max(3_600_000);
const countSchema = z.int({ error: 'expected a positive integer' }).min(1).max(MOST_ITEMS);
const cellValueSchema = z.int({ error: 'expected a 32-bit number' }).min(0).max(0xffff_ffff);

const propertyValueSchema = z.union(
  [
    z.string().max(LONGEST_TEXT),
    z.array(z.string().max(LONGEST_TEXT)).max(MOST_ITEMS),
    z.array(cellValueSchema).max(MOST_ITEMS),
    z.strictObject({ bytes: z.string().regex(/^([0-9a-f]{2})*$/) }),
    z.literal(true),
  ],
  { error: 'expected a string, a list of strings, a list of 32-bit numbers, {bytes: HEX} or true' },
);

const treeEditSchema: z.ZodType<TreeEdit> = z.discriminatedUnion('edit', [
  strictMap({
    edit: z.literal('move'),
    node: nodeSchema,
    to: oneOf(['first', 'last']),
    parent: nodeSchema.exactOptional(),
  }),
  strictMap({ edit: z.literal('delete'), node: nodeSchema }),
  strictMap({ edit: z.literal('disable'), node: nodeSchema }),
  strictMap({ edit: z.literal('set'), node: nodeSchema, property: propertySchema, value: propertyValueSchema }),
  strictMap({ edit: z.literal('unset'), node: nodeSchema, property: propertySchema }),
]);

/** Reads a mapping by the one of several keys that it has; each has a form of its own. */
function byKey<T>(forms: Readonly<Record<string, z.ZodType<T>>>): z.ZodType<T> {
  const keys = Object.keys(forms);
  return z.unknown().transform((value, context) => {
    const key = keys.find((one) => typeof value === 'object' && value !== null && one in value);
    const form = key === undefined ? undefined : forms[key];
    if (form === undefined) {
      context.issues.push({
        code: 'custom',
        input: value,
        message: `expected one of ${keys.map((one) => `{${one}: ...}`).join(', ')}`,
      });
      return z.NEVER;
    }
    const parsed = form.safeParse(value);
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) {
      const { path } = issue;
      const isChoice = issue.code === 'invalid_union' && 'options' in issue && Array.isArray(issue.options);
      const message = isChoice ? `expected one of ${issue.options.map(String).join(', ')}` : issue.message;
      context.issues.push(
        issue.code === 'unrecognized_keys'
          ? { code: issue.code, keys: issue.keys, input: Object(value), path, message }
          : { code: 'custom', input: value, path, message },
      );
    }
    return z.NEVER;
  });
}

const gatedDeviceSchema = pattern(
  /^([A-Za-z0-9][A-Za-z0-9:.,@_+-]*|(\/[A-Za-z0-9,._+@-]+)+|driver=[A-Za-z0-9][A-Za-z0-9:.,@_+-]*)$/,
  'a device name such as 5f000000.iommu, the path of its node, or driver=NAME',
);
const gatedFunctionSchema = pattern(
  /^([A-Za-z0-9_]+:)?[A-Za-z_][A-Za-z0-9_.$]*$/,
  'a function such as device_add, or MODULE:FUNCTION',
);
const callSchema = {
  nth: z.int({ error: 'expected a positive integer' }).min(1).max(1_000_000).exactOptional(),
  of: deviceSchema.exactOptional(),
  during: deviceSchema.exactOptional(),
};
const stepNumberSchema = z.int({ error: 'expected the number of a step, from 1' }).min(1).max(MOST_ITEMS);
const CALLS = {
  entry: strictMap({ entry: gatedFunctionSchema, ...callSchema }),
  return: strictMap({ return: gatedFunctionSchema, ...callSchema }),
};
const LOAD = { load: strictMap({ load: moduleSchema }) };
const callPlaceSchema = byKey<FunctionPlace>(CALLS);
const placeSchema = byKey<GatePlace>({ ...CALLS, probe: strictMap({ probe: gatedDeviceSchema }), ...LOAD });
const momentSchema = byKey<Moment>({
  ...CALLS,
  entered: strictMap({ entered: gatedDeviceSchema }),
  finished: strictMap({ finished: gatedDeviceSchema }),
  ...LOAD,
  loaded: strictMap({ loaded: moduleSchema }),
  step: strictMap({ step: stepNumberSchema }),
});
const forcedValueSchema = z.int({ error: 'expected a whole number' });

const placeGateSchema: z.ZodType<PlaceGate> = z.discriminatedUnion('gate', [
  strictMap({ gate: z.literal('delay'), at: placeSchema, ms: millisecondsSchema }),
  strictMap({ gate: z.literal('hold'), at: placeSchema, until: momentSchema }),
  strictMap({ gate: z.literal('force'), at: callPlaceSchema, value: forcedValueSchema }),
]);

const deviceGateSchema: z.ZodType<DeviceGate> = z.discriminatedUnion('gate', [
  strictMap({ gate: z.literal('delay'), device: gatedDeviceSchema, ms: millisecondsSchema }),
  strictMap({
    gate: z.literal('hold'),
    device: gatedDeviceSchema,
    until: gatedDeviceSchema,
    phase: oneOf(['entered', 'finished']),
  }),
  strictMap({ gate: z.literal('force'), symbol: gatedFunctionSchema, value: forcedValueSchema }),
]);

const gateSchema = byKey<Gate>({ at: placeGateSchema, gate: deviceGateSchema });

const planStepSchema: z.ZodType<PlanStep> = z.discriminatedUnion('step', [
  strictMap({ step: z.literal('load'), module: moduleSchema, params: textSchema.default('') }),
  strictMap({ step: z.literal('unload'), module: moduleSchema }),
  strictMap({ step: z.literal('autoprobe'), on: z.boolean({ error: 'expected true or false' }) }),
  strictMap({ step: z.literal('probe'), device: deviceSchema }),
  strictMap({ step: z.literal('bind'), driver: driverSchema, device: deviceSchema }),
  strictMap({ step: z.literal('unbind'), driver: driverSchema, device: deviceSchema }),
  strictMap({ step: z.literal('write'), path: pathSchema, value: textSchema }),
  strictMap({ step: z.literal('wait'), device: deviceSchema, ms: millisecondsSchema }),
  strictMap({ step: z.literal('settle'), ms: millisecondsSchema }),
  strictMap({ step: z.literal('beside'), steps: countSchema, tasks: countSchema.max(MOST_TASKS).default(1) }),
  strictMap({ step: z.literal('join'), ms: millisecondsSchema }),
  strictMap({ step: z.literal('read'), path: pathSchema, ms: millisecondsSchema }),
  strictMap({ step: z.literal('override'), device: deviceSchema, driver: z.union([driverSchema, z.literal('')]) }),
  strictMap({ step: z.literal('rescan'), bus: busSchema }),
  strictMap({ step: z.literal('suspend'), test: oneOf(PM_TESTS) }),
  strictMap({ step: z.literal('answer'), module: moduleSchema }),
  strictMap({ step: z.literal('shutdown') }),
  strictMap({ step: z.literal('reboot') }),
  strictMap({ step: z.literal('names') }),
  strictMap({ step: z.literal('shell') }),
  strictMap({ step: z.literal('apart') }),
  strictMap({ step: z.literal('census') }),
]);

export const treeSchema = list(treeEditSchema);
export const gatesSchema = list(gateSchema);
export const planSchema = list(planStepSchema);
export const watchSchema = list(deviceSchema);
export const bootargsSchema = list(wordSchema);

/** A board that there is; its name is resolved, so that a wrong one is told with its place in the file. */
export const boardSchema = z.string({ error: 'expected a board' }).superRefine((name, context) => {
  try {
    resolveBoard(name);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    context.addIssue({ code: 'custom', message: error.whole, input: name });
  }
});

/** `0x0` is a number to YAML: both spellings give the text that a crash event carries. */
const addressSchema = z
  .union([z.string(), z.int()], { error: ADDRESS })
  .transform((address) => (typeof address === 'number' ? `0x${address.toString(16)}` : address))
  .refine((address) => /^0x(0|[1-9a-f][0-9a-f]{0,15})$/.test(address), { error: ADDRESS });

/** The keys of an expectation, to be spread into the mapping that holds them. */
export const expectationShape = {
  verdict: z.preprocess(listed, z.array(oneOf(VERDICTS), { error: 'expected a verdict or a list of verdicts' }).min(1)),
  function: functionSchema.exactOptional(),
  address: addressSchema.exactOptional(),
  reason: textSchema.exactOptional(),
};

/** Turns the spelling of a file (`verdict`) into the cell's expectation. */
export function toExpectation(spelled: z.infer<z.ZodObject<typeof expectationShape>>): Expectation {
  return {
    verdicts: spelled.verdict,
    ...(spelled.function === undefined ? {} : { function: spelled.function }),
    ...(spelled.address === undefined ? {} : { address: spelled.address }),
    ...(spelled.reason === undefined ? {} : { reason: spelled.reason }),
  };
}
