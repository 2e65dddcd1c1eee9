import { resolveBoard } from '../boards/boards.ts';
import { InputError } from '../errors.ts';
import { DEFAULT_BOARD } from '../model/board.ts';
import { NOT_APPLICABLE } from '../model/cell.ts';
import type { Gate } from '../model/gate.ts';
import type { PlanStep } from '../model/plan.ts';
import type { TreeEdit } from '../model/tree-edit.ts';
import { type BuiltInAxis, complaint } from './axis.ts';
import { bootOfDraft, type Draft, type DraftedBoot, emptyDraft } from './draft.ts';

/** What an `include` entry or a value of an axis of the file's own adds to a cell. */
export interface ExtraParts {
  /** Words of the kernel command line. */
  readonly cmdline: readonly string[];
  readonly gates: readonly Gate[];
  readonly tree: readonly TreeEdit[];
  /** Devices watched beside the board's subjects. */
  readonly watch: readonly string[];
  /** Replaces the plan that the axes give; null keeps it. */
  readonly plan: readonly PlanStep[] | null;
}

/**
 * Turns a cell's axis values into what is booted. Values of axes that are not in `axes` do nothing here; what they mean
 * is in `extras`.
 *
 * @param cell name of the cell, for messages
 * @throws InputError for a value that the cell's board does not have, and for one that has no meaning next to the
 * others: the boot would only repeat another cell's
 */
export function applyAxes(
  cell: string,
  values: ReadonlyMap<string, string>,
  extras: readonly ExtraParts[],
  axes: readonly BuiltInAxis[],
): DraftedBoot {
  let draft = emptyDraft(resolveBoard(DEFAULT_BOARD));
  for (const axis of axes) {
    const value = values.get(axis.name);
    if (value === undefined || value === NOT_APPLICABLE) continue;
    const range = axis.values(draft.board);
    if (!range.accepts(value)) {
      throw new InputError(`cell ${cell} on board ${draft.board.name}: ${axis.name}: ${complaint(range, value)}`);
    }
    const why = axis.meaningless(draft, value);
    if (why !== null) {
      throw new InputError(
        `cell ${cell}: ${axis.name}: ${value} has no meaning ${why}`,
        `exclude the combination, or give the axis ${axis.name} a \`when:\``,
      );
    }
    draft = known(axis.apply(draft, value), draft, axis.name);
  }
  const boot = bootOfDraft(draft);
  return {
    ...boot,
    tree: [...boot.tree, ...extras.flatMap((extra) => extra.tree)],
    bootargs: [...boot.bootargs, ...extras.flatMap((extra) => extra.cmdline)],
    gates: [...boot.gates, ...extras.flatMap((extra) => extra.gates)],
    plan: extras.reduce<readonly PlanStep[]>((steps, extra) => extra.plan ?? steps, boot.plan),
    watch: [...new Set([...boot.watch, ...extras.flatMap((extra) => extra.watch)])],
  };
}

/** TypeScript lets an arrow function return fields that the type of its result does not have: nobody reads them. */
function known(draft: Draft, before: Draft, axis: string): Draft {
  const unknown = Object.keys(draft).filter((field) => !(field in before));
  if (unknown.length > 0) throw new Error(`axis ${axis}: Draft (axes/draft.ts) has no field ${unknown.join(', ')}`);
  return draft;
}
