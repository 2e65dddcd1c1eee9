import { relative } from 'node:path';
import { plainCell } from '../axes/plain-cell.ts';
import { devicesOf } from '../devicetree/devices.ts';
import { editTree } from '../devicetree/edit.ts';
import type { Crash } from '../dmesg/events.ts';
import { KnownError } from '../errors.ts';
import type { Cell } from '../model/cell.ts';
import { SUSPEND_TEST } from '../search/disturbances.ts';
import { explainOrder } from '../search/explain.ts';
import { type HuntRequest, hunt, huntAtRandom } from '../search/hunt.ts';
import { briefly } from '../search/outcome.ts';
import { GIVING_UP, MILESTONES, MUTEXES, NAMELESS_MILESTONES } from '../search/windows.ts';
import { type Entry, showsSymptom } from '../zoo/entry.ts';
import type { EntryResult } from '../zoo/result.ts';
import type { SearchSession } from './search.ts';
import { symbolDependencies, targetsOf } from './targets.ts';

/** What a cell is without any condition. */
const USUAL = { cpus: 1, shift: 4, loadOrder: null } as const;

interface ZooOptions {
  /** Most boots of one search. */
  readonly budget: number;
  /** The same on the kernel without the bug; null for as many as it took on the kernel with it. */
  readonly clean: number | null;
  readonly seed: number;
  /** Whether the same budget is spent at random as well. */
  readonly random: boolean;
  /** Whether what was found is reduced to a sentence. */
  readonly explain: boolean;
  readonly note: (line: string) => void;
}

/**
 * Looks for an entry's bug on the kernel that has it, knowing no more than the devices, and then in the same way on the
 * kernel without. What keeps it from an answer, such as a kernel that cannot be built, is part of the result.
 */
export async function runEntry(entry: Entry, session: SearchSession, options: ZooOptions): Promise<EntryResult> {
  try {
    const request = await requestOf(entry, entry.buggy, session, options);
    const found = await hunt(request);
    const clean = await hunt({
      ...(await requestOf(entry, entry.fixed, session, options)),
      budget: options.clean ?? found.boots,
    });
    const atRandom = options.random ? await huntAtRandom(request) : null;
    const explained =
      found.found === null || !options.explain ? null : await sentenceOf(entry, found.found.cell, session);
    return { entry, problem: null, found, clean, atRandom, sentence: explained };
  } catch (error) {
    if (!(error instanceof KnownError)) throw error;
    return { entry, problem: error.whole, found: null, clean: null, atRandom: null, sentence: null };
  }
}

async function requestOf(
  entry: Entry,
  kernelName: string,
  { runner, boot, pause }: SearchSession,
  { budget, seed, note }: ZooOptions,
): Promise<HuntRequest> {
  const base = baseCell(entry, kernelName);
  const tree = editTree(await runner.board(base), entry.tree);
  const kernel = await runner.checkWithKernel(base);
  const nodes = devicesOf(tree);
  return {
    base,
    targets: targetsOf(tree, entry.devices),
    nodeOf: (device) => nodes.get(device) ?? null,
    loadConstraints: symbolDependencies(base, kernel),
    milestones: await runner.gateable(kernel, [...MILESTONES, GIVING_UP]),
    nameless: await runner.gateable(kernel, NAMELESS_MILESTONES),
    mutexes: await runner.gateable(kernel, MUTEXES),
    canSuspend: (await runner.gateable(kernel, [SUSPEND_TEST])).length > 0,
    boot,
    pause,
    budget,
    seed,
    isFound: (failures, outcome) => showsSymptom(entry.symptom, failures, crashesIn(outcome.events)),
    onProgress: (part, boots, outcome) => note(`${base.id}: ${part}: boot ${boots} of ${budget}: ${briefly(outcome)}`),
  };
}

function crashesIn(events: readonly { readonly event: string }[]): Crash[] {
  return events.filter((event): event is Crash => event.event === 'crash');
}

function baseCell(entry: Entry, kernel: string): Cell {
  const { name, linkage, board, tree, append, force, plan, devices } = entry;
  const plain = plainCell(`zoo-${name}-${kernel === entry.buggy ? 'buggy' : 'fixed'}`, kernel, { linkage, board });
  return { ...plain, tree, bootargs: append, gates: force, watch: devices, plan: plan.length > 0 ? plan : plain.plan };
}

async function sentenceOf(
  { name, symptom, devices }: Entry,
  cell: Cell,
  { boot, keepCell }: SearchSession,
): Promise<EntryResult['sentence']> {
  const wanted = { ...cell, watch: devices, expect: { verdicts: symptom.verdicts } };
  const { sentence, minimal, boots } = await explainOrder({ cell: wanted, usual: USUAL, boot, failure: null });
  return { sentence, boots, file: relative(process.cwd(), await keepCell(`${name}.yaml`, { ...minimal, id: name })) };
}
