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
  readonly kernel: KernelProgress | null;
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
  kernel: null,
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
    case 'kernel-progress':
      return {
        ...state,
        kernel: event.progress,
        compiles: state.compiles || event.progress.phase === 'compiling',
      };
    case 'kernel-finished':
      return {
        ...state,
        kernelsDone: state.kernelsDone + 1,
        kernel: null,
        pace: event.built ? { since: now, boots: state.bootsDone } : state.pace,
      };
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
      return { ...state, kernel: null, running: [] };
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
