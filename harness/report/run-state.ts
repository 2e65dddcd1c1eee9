import type { KernelProgress } from '../kernel/progress.ts';
import { isMissing } from '../model/verdict.ts';
import type { LifecycleEvent } from '../run/lifecycle.ts';

/** Where a run stands: a plain sum of its events. Times are those of the clock that was given to {@link advance}. */
export interface RunState {
  readonly cells: number;
  /**
   * Boots of all cells, as often as each is repeated; of a search the most that it may use, null where it has no
   * budget.
   */
  readonly boots: number | null;
  readonly bootsDone: number;
  readonly kernels: number;
  readonly kernelsDone: number;
  /** Kernels in hand by recipe and linkage, the one that was begun first in front. */
  readonly inHand: ReadonlyMap<string, KernelProgress>;
  /** Objects that were made so far. */
  readonly objects: number;
  /** How many objects there were in the last minutes, the oldest first; empty before the first is made. */
  readonly made: readonly { readonly at: number; readonly objects: number }[];
  /** Whether a kernel of the run had to be compiled. */
  readonly compiles: boolean;
  readonly cellsDone: number;
  readonly unexpected: number;
  readonly noVerdict: number;
  /** Ids of cells that are booting, longest first; as often as they are. */
  readonly running: readonly string[];
  /** When the first cell was started. */
  readonly bootsSince: number | null;
  /** Since when nothing but boots goes on, and how many were done then. */
  readonly pace: { readonly since: number; readonly boots: number } | null;
}

export const NOTHING_YET: RunState = {
  cells: 0,
  boots: null,
  bootsDone: 0,
  kernels: 0,
  kernelsDone: 0,
  inHand: new Map(),
  objects: 0,
  made: [],
  compiles: false,
  cellsDone: 0,
  unexpected: 0,
  noVerdict: 0,
  running: [],
  bootsSince: null,
  pace: null,
};

/** The state after one more event, which happened at `now` milliseconds. */
export function advance(state: RunState, event: LifecycleEvent, now: number): RunState {
  switch (event.event) {
    case 'run-started':
      return { ...state, cells: event.cells, boots: event.cells * event.repeat, kernels: event.kernels };
    case 'kernel-progress': {
      const isCompiled = event.progress.phase === 'compiling';
      return {
        ...state,
        inHand: new Map(state.inHand).set(event.kernel, event.progress),
        objects: state.objects + Math.max(0, objectsOf(event.progress) - objectsOf(state.inHand.get(event.kernel))),
        compiles: state.compiles || isCompiled,
        made: isCompiled ? marked(state, now) : state.made,
      };
    }
    case 'kernel-finished': {
      const inHand = new Map(state.inHand);
      inHand.delete(event.subject);
      return {
        ...state,
        kernelsDone: state.kernelsDone + 1,
        inHand,
        pace: event.built ? { since: now, boots: state.bootsDone } : state.pace,
      };
    }
    case 'search-started':
      return { ...state, boots: event.mostBoots };
    case 'boot-started':
      return { ...state, running: [...state.running, event.id], bootsSince: state.bootsSince ?? now };
    case 'boot-finished': {
      const at = state.running.indexOf(event.id);
      return { ...state, running: state.running.filter((_, place) => place !== at), bootsDone: state.bootsDone + 1 };
    }
    case 'cell-finished': {
      const { cell } = event;
      const noVerdict = isMissing(cell.verdict);
      return {
        ...state,
        cellsDone: state.cellsDone + 1,
        unexpected: state.unexpected + (cell.asExpected || noVerdict ? 0 : 1),
        noVerdict: state.noVerdict + (noVerdict ? 1 : 0),
        bootsSince: state.bootsSince ?? now,
      };
    }
    case 'clock-race':
    case 'preview-finished':
    case 'preview-missed':
      return state;
    case 'run-finished':
      return { ...state, inHand: new Map(), running: [] };
  }
}

/** Fewer boots say nothing about the rest. */
const BOOTS_FOR_ESTIMATE = 4;

/**
 * Milliseconds until the last cell is done, if the rest takes as long as the boots that are; null while that cannot be
 * said.
 */
export function timeLeft(state: RunState, now: number): number | null {
  const { boots, bootsDone, bootsSince } = state;
  if (boots === null || bootsSince === null || (state.compiles && state.kernelsDone < state.kernels)) return null;
  const { since, boots: before } = state.pace ?? { since: bootsSince, boots: 0 };
  if (bootsDone - before < BOOTS_FOR_ESTIMATE) return null;
  return ((now - since) / (bootsDone - before)) * Math.max(0, boots - bootsDone);
}

function objectsOf(progress: KernelProgress | undefined): number {
  return progress?.phase === 'compiling' ? (progress.done ?? 0) : 0;
}

/** Fewer objects say nothing about the rest. */
const OBJECTS_FOR_ESTIMATE = 100;
/**
 * What a kernel costs that is built after another of its source, its configuration and its links included, in objects:
 * the mean of the default matrix.
 */
const OBJECTS_OF_A_LATER_KERNEL = 100;

/** Milliseconds until the last kernel is there, a rough guess; null while that cannot be said. */
export function kernelsLeft(state: RunState, now: number): number | null {
  const { kernels, kernelsDone, objects } = state;
  const [from] = state.made;
  if (from === undefined || objects < OBJECTS_FOR_ESTIMATE) return null;
  const inHand = [...state.inHand.values()];
  // The first kernel of a source that is not there yet takes as long as several others.
  if (inHand.some(({ phase }) => phase === 'downloading' || phase === 'unpacking')) return null;
  const toBegin = Math.max(0, kernels - kernelsDone - inHand.length);
  const left = inHand.reduce((sum, one) => sum + objectsLeft(one), toBegin * OBJECTS_OF_A_LATER_KERNEL);
  return objects === from.objects ? null : ((now - from.at) / (objects - from.objects)) * left;
}

/** The pace is that of so long: a machine has other things to do, too, and not always. */
const PACE_MS = 180_000;
const MARK_MS = 10_000;

function marked({ made, objects }: RunState, now: number): RunState['made'] {
  const last = made.at(-1);
  if (last !== undefined && now - last.at < MARK_MS) return made;
  return [...made.filter(({ at }) => now - at <= PACE_MS), { at: now, objects }];
}

function objectsLeft({ phase, done, total }: KernelProgress): number {
  return phase === 'packing' ? 0 : Math.max(0, (total ?? OBJECTS_OF_A_LATER_KERNEL) - (done ?? 0));
}
