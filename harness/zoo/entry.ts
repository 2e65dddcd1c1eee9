import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import type { Crash } from '../dmesg/events.ts';
import { InputError } from '../errors.ts';
import {
  bootargsSchema,
  expectationShape,
  gatesSchema,
  idSchema,
  planSchema,
  textSchema,
  treeSchema,
  watchSchema,
} from '../matrix/parts.ts';
import { DEFAULT_BOARD } from '../model/board.ts';
import type { Gate } from '../model/gate.ts';
import type { PlanStep } from '../model/plan.ts';
import type { TreeEdit } from '../model/tree-edit.ts';
import { isPass, type Verdict } from '../model/verdict.ts';
import { oneOf, parseYaml, strictMap } from '../yaml.ts';

/** Parts of the kernel by which the table is ordered. */
const FAMILIES = [
  'scm',
  'iommu',
  'usb-phy',
  'regulator',
  'clk',
  'gpio-pinctrl',
  'leds',
  'power-domain',
  'driver-core',
  'firmware',
  'virtio-pci',
  'nvmem',
  'interconnect',
  'i2c',
  'irqchip',
  'reset',
] as const;
type Family = (typeof FAMILIES)[number];

/** What a boot has to show to count as the entry's bug. */
export interface Symptom {
  readonly verdicts: readonly Verdict[];
  /** The function that the crash is blamed on, where it is one. */
  readonly function: string | null;
  /** The device that ends so, where it is no crash. */
  readonly device: string | null;
}

/** A bug of the kernel that is known and mended: where it is, and what a search is given. */
export interface Entry {
  /** Name of its file without the ending. */
  readonly name: string;
  /** The commit of mainline that mends it; null where none was made for it. */
  readonly commit: string | null;
  readonly subject: string;
  readonly family: Family;
  /** The first release with the fix, and those of stable series. */
  readonly fixedIn: readonly string[];
  /** Kernels with and without the bug, as cells name them. */
  readonly buggy: string;
  readonly fixed: string;
  readonly linkage: string;
  readonly board: string;
  readonly tree: readonly TreeEdit[];
  readonly append: readonly string[];
  readonly force: readonly Gate[];
  readonly plan: readonly PlanStep[];
  /** All that the search is told. */
  readonly devices: readonly string[];
  readonly symptom: Symptom;
  /** What the bug is, one sentence. */
  readonly about: string;
  /** Why no search finds it, where that is known; the entry is then expected not to be found. */
  readonly outOfReach: string | null;
}

const commitSchema = z
  .string({ error: 'expected the hash of a commit' })
  .regex(/^[0-9a-f]{12,40}$/, { error: 'expected at least 12 hexadecimal digits of a commit, in quotes' });

const fileSchema = strictMap({
  commit: commitSchema.nullable(),
  subject: textSchema,
  family: oneOf(FAMILIES),
  'fixed-in': z.array(textSchema, { error: 'expected a list of releases' }).min(1),
  kernel: strictMap({ buggy: textSchema, fixed: textSchema }),
  linkage: textSchema.default('builtin'),
  board: z.string({ error: 'expected a board' }).default(DEFAULT_BOARD),
  tree: treeSchema.default([]),
  append: bootargsSchema.default([]),
  force: gatesSchema.default([]),
  plan: planSchema.default([]),
  devices: watchSchema.min(1),
  expect: strictMap({
    verdict: expectationShape.verdict,
    function: expectationShape.function,
    device: z.string({ error: 'expected a device' }).exactOptional(),
  }),
  about: textSchema,
  'out-of-reach': textSchema.nullable().default(null),
});

/**
 * Reads an entry of the zoo. A board that begins with a dot is a folder relative to the entry's.
 * @param path of the file, as messages show it
 * @throws InputError naming file, line and column, what was expected and what was found
 */
export function parseEntry(text: string, path: string, name: string): Entry {
  const { value, at } = parseYaml(text, path, fileSchema);
  const { verdict: verdicts, function: symbol = null, device = null } = value.expect;
  if (verdicts.some(isPass))
    throw new InputError(`${at(['expect', 'verdict'])}: expected a verdict that is not a pass`);
  if (!idSchema.safeParse(name).success)
    throw new InputError(`${path}: the name of an entry is made of a-z, 0-9 and dashes`);
  return {
    name,
    commit: value.commit,
    subject: value.subject,
    family: value.family,
    fixedIn: value['fixed-in'],
    buggy: value.kernel.buggy,
    fixed: value.kernel.fixed,
    linkage: value.linkage,
    board: value.board.startsWith('.') ? resolve(dirname(path), value.board) : value.board,
    tree: value.tree,
    append: value.append,
    force: value.force,
    plan: value.plan,
    devices: value.devices,
    symptom: { verdicts, function: symbol, device },
    about: value.about,
    outOfReach: value['out-of-reach'],
  };
}

/** What went wrong in a boot, as far as a symptom is about it. */
interface Seen {
  readonly verdict: Verdict;
  readonly device: string | null;
  readonly signature: string | null;
}

/** Whether a boot shows the symptom: the crash in that function, or that device that came to that end. */
export function showsSymptom(symptom: Symptom, failures: readonly Seen[], crashes: readonly Crash[]): boolean {
  return failures.some(({ verdict, device, signature }) => {
    if (!symptom.verdicts.includes(verdict)) return false;
    if (symptom.device !== null && device !== symptom.device) return false;
    if (symptom.function === null) return true;
    return crashes.some((crash) => crash.signature === signature && crash.function === symptom.function);
  });
}
