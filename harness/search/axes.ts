import { InfraError, InputError } from '../errors.ts';
import type { Cell } from '../model/cell.ts';
import { type Gate, isPlaceGate, placeText } from '../model/gate.ts';
import type { PlanStep } from '../model/plan.ts';
import type { TreeEdit } from '../model/tree-edit.ts';
import { joinAsyncWords, splitAsyncWords } from './conditions.ts';
import { minimise } from './minimise.ts';
import { type Boot, compareOutcome, hasVerdict, type Outcome, outcomeKey } from './outcome.ts';
import { rememberBoots } from './remembered-boots.ts';

/** One way in which two cells differ. */
interface Difference {
  readonly axis: 'kernel' | 'linkage' | 'board' | 'cpus' | 'shift' | 'tree' | 'bootargs' | 'gates' | 'plan';
  /** What it is about, so that a change of it is one difference: a parameter's name, a module, a device. */
  readonly subject: string;
  /** What each cell has, as text; empty where it has nothing. */
  readonly good: string;
  readonly bad: string;
}

export interface AxesBisection {
  /** The differences that together turn the good cell's outcome into the bad one's; none of them can be left out. */
  readonly needed: readonly Difference[];
  readonly irrelevant: readonly Difference[];
  /** The good cell with the needed differences: it fails as the bad one does. */
  readonly cell: Cell;
  readonly good: Outcome;
  readonly bad: Outcome;
  readonly boots: number;
}

/**
 * Finds which differences between two cells carry the change from the good one's outcome to the bad one's, by delta
 * debugging: differences are put into the good cell. A mixture that cannot be built or booted proves nothing.
 * @throws InputError when both show the same; InfraError when one of them gives no verdict.
 */
export async function bisectAxes(goodCell: Cell, badCell: Cell, boot: Boot): Promise<AxesBisection> {
  const memory = rememberBoots(boot);
  const [good, bad] = await Promise.all([memory.boot(goodCell), memory.boot(badCell)]);
  for (const [cell, outcome] of [[goodCell, good] as const, [badCell, bad] as const]) {
    if (!hasVerdict(outcome))
      throw new InfraError(`cell ${cell.id} gave ${outcome.verdict}: there is nothing to compare`);
  }
  if (compareOutcome(good, bad) === 'fail') {
    throw new InputError(
      `cells ${goodCell.id} and ${badCell.id} show the same: ${outcomeKey(bad)}`,
      'name a cell that works and one that does not',
    );
  }
  const mixture = mix(goodCell, badCell);
  const { minimal, irrelevant } = await minimise(mixture.differences, async (subset) =>
    compareOutcome(await memory.boot(mixture.cellWith(subset)), bad),
  );
  const cell = { ...mixture.cellWith(minimal), id: `${goodCell.id}.minimal` };
  return { needed: minimal, irrelevant, cell, good, bad, boots: memory.boots() };
}

/** One place in the merged sequence of two lists. */
interface Slot<T> {
  readonly item: T;
  readonly subject: string;
  readonly in: 'both' | 'good' | 'bad';
}

/** The differences of two cells, and the cells between them. With none it is `good`, with all of them `bad`. */
function mix(good: Cell, bad: Cell): { differences: Difference[]; cellWith: (subset: readonly Difference[]) => Cell } {
  const tree = mergeLists(good.tree, bad.tree, editSubject);
  const words = mergeLists(splitAsyncWords(good.bootargs), splitAsyncWords(bad.bootargs), wordSubject);
  const gates = mergeLists(good.gates, bad.gates, gateSubject);
  const plan = mergeLists(good.plan, bad.plan, stepSubject);
  const differences = [
    ...scalarDifference('kernel', good.kernel, bad.kernel),
    ...scalarDifference('linkage', good.linkage, bad.linkage),
    ...scalarDifference('board', good.board, bad.board),
    ...listDifferences('tree', tree, (edit) => JSON.stringify(edit)),
    ...listDifferences('bootargs', words, (word) => word),
    ...listDifferences('plan', plan, (step) => JSON.stringify(step)),
    ...listDifferences('gates', gates, (gate) => JSON.stringify(gate)),
    ...scalarDifference('cpus', String(good.cpus), String(bad.cpus)),
    ...scalarDifference('shift', String(good.shift), String(bad.shift)),
  ];
  const cellWith = (subset: readonly Difference[]): Cell => {
    const takes = (axis: Difference['axis'], subject: string): boolean =>
      subset.some((one) => one.axis === axis && one.subject === subject);
    const merged = <T>(axis: Difference['axis'], slots: readonly Slot<T>[]): T[] =>
      slots.flatMap((slot) =>
        slot.in === 'both' || (slot.in === 'bad') === takes(axis, slot.subject) ? [slot.item] : [],
      );
    const from = (axis: Difference['axis']): Cell => (takes(axis, axis) ? bad : good);
    return {
      ...good,
      watch: [...new Set([...good.watch, ...bad.watch])],
      kernel: from('kernel').kernel,
      linkage: from('linkage').linkage,
      board: from('board').board,
      cpus: from('cpus').cpus,
      shift: from('shift').shift,
      tree: merged('tree', tree),
      bootargs: joinAsyncWords(merged('bootargs', words)),
      gates: merged('gates', gates),
      plan: merged('plan', plan),
    };
  };
  return { differences, cellWith };
}

function scalarDifference(axis: Difference['axis'], good: string, bad: string): Difference[] {
  return good === bad ? [] : [{ axis, subject: axis, good, bad }];
}

function listDifferences<T>(
  axis: Difference['axis'],
  slots: readonly Slot<T>[],
  text: (item: T) => string,
): Difference[] {
  const subjects = [...new Set(slots.flatMap((slot) => (slot.in === 'both' ? [] : [slot.subject])))];
  const side = (subject: string, wanted: 'good' | 'bad'): string =>
    slots
      .filter((slot) => slot.subject === subject && slot.in === wanted)
      .map((slot) => text(slot.item))
      .join(' ');
  return subjects.map((subject) => ({ axis, subject, good: side(subject, 'good'), bad: side(subject, 'bad') }));
}

/**
 * Merges two lists along their longest common subsequence, so that leaving out what only one has gives the other,
 * in its own order. Items about one subject that differ or stand elsewhere are one difference.
 */
function mergeLists<T>(good: readonly T[], bad: readonly T[], subjectOf: (item: T) => string): Slot<T>[] {
  const goodKeys = good.map((item) => JSON.stringify(item));
  const badKeys = bad.map((item) => JSON.stringify(item));
  // common[i][j] is the length of the longest common subsequence of good from i and bad from j.
  const common = Array.from({ length: good.length + 1 }, () => new Array<number>(bad.length + 1).fill(0));
  const length = (i: number, j: number): number => common[i]?.[j] ?? 0;
  for (let i = good.length - 1; i >= 0; i--) {
    for (let j = bad.length - 1; j >= 0; j--) {
      const row = common[i];
      if (row === undefined) continue;
      row[j] = goodKeys[i] === badKeys[j] ? length(i + 1, j + 1) + 1 : Math.max(length(i + 1, j), length(i, j + 1));
    }
  }
  const slots: Slot<T>[] = [];
  let [i, j] = [0, 0];
  while (i < good.length || j < bad.length) {
    const [mine, theirs] = [good[i], bad[j]];
    if (mine !== undefined && theirs !== undefined && goodKeys[i] === badKeys[j]) {
      slots.push({ item: mine, subject: subjectOf(mine), in: 'both' });
      i++;
      j++;
    } else if (mine !== undefined && (theirs === undefined || length(i + 1, j) >= length(i, j + 1))) {
      slots.push({ item: mine, subject: subjectOf(mine), in: 'good' });
      i++;
    } else if (theirs !== undefined) {
      slots.push({ item: theirs, subject: subjectOf(theirs), in: 'bad' });
      j++;
    }
  }
  return slots;
}

function editSubject(edit: TreeEdit): string {
  switch (edit.edit) {
    case 'move':
      return `position of ${edit.node}`;
    case 'set':
    case 'unset':
      return `${edit.property} of ${edit.node}`;
    case 'delete':
    case 'disable':
      return `presence of ${edit.node}`;
  }
}

/** A parameter's name; each name in a list of drivers is a subject of its own. */
function wordSubject(word: string): string {
  return word.startsWith('driver_async_probe=') ? word : (word.split('=')[0] ?? word);
}

function gateSubject(gate: Gate): string {
  if (isPlaceGate(gate)) return `${gate.gate} of ${placeText(gate.at)}`;
  return gate.gate === 'force' ? gate.symbol : `${gate.gate} of ${gate.device}`;
}

function stepSubject(step: PlanStep): string {
  switch (step.step) {
    case 'load':
    case 'unload':
      return `${step.step} ${step.module}`;
    case 'autoprobe':
    case 'settle':
      return step.step;
    default:
      return JSON.stringify(step);
  }
}
