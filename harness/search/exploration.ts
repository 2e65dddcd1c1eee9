import type { Cell, Expectation } from '../model/cell.ts';
import type { Verdict } from '../model/verdict.ts';
import type { Coverage } from './coverage.ts';
import type { Pause } from './covering.ts';
import type { AtTheEnd } from './disturbances.ts';
import type { DriverWait, Target } from './knowledge.ts';
import type { Boot, Outcome } from './outcome.ts';
import type { Precedence } from './precedence.ts';

export type Stage =
  | 'baseline'
  | 'pairs'
  | 'bindings'
  | 'orders'
  | 'blame'
  | 'dependencies'
  | 'load-orders'
  | 'async'
  | 'delays'
  | 'interleavings'
  | 'rebinds';

export interface ExploreRequest {
  /** The cell that every boot is a variation of. */
  readonly base: Cell;
  readonly targets: readonly Target[];
  /** Path of the device tree node that makes a device; null where it has none, as a device that a driver creates. */
  readonly nodeOf: (device: string) => string | null;
  /** Probes in a row whose orders are covered: 2, 3 or 4; lowered to the number of targets. */
  readonly strength: number;
  /** Most boots that may be used. */
  readonly budget: number;
  readonly seed: number;
  /** Work spent on making the first plan of each strength smaller, in tuple updates; see `coverOrders`. */
  readonly effort?: number;
  /** Orders of probes that are known to be forced. */
  readonly constraints: readonly Precedence[];
  /** Modules that the plan loads whose orders are searched, and whose drivers are to probe asynchronously. */
  readonly loads: readonly string[];
  /** Orders of module loads that are forced by symbols; names of modules. */
  readonly loadConstraints: readonly Precedence[];
  /** Whether devices are unbound and bound again, each alone and every two in every order. */
  readonly rebind: boolean;
  /** What is done at the end of every boot. */
  readonly atTheEnd: AtTheEnd;
  /** Boots one cell. Several may be asked for at once: it keeps to its own number of workers. */
  readonly boot: Boot;
  /** Between parts of a plan, which may take seconds. */
  readonly pause: Pause;
  readonly stopAtFirstCrash: boolean;
  /** Search on even where the first boot, which asks for nothing, crashes or hangs by itself. */
  readonly anyway: boolean;
  readonly onProgress?: (progress: ExploreProgress) => void;
}

interface ExploreProgress {
  readonly stage: Stage;
  readonly boots: number;
  readonly budget: number;
  readonly cell: Cell;
  readonly outcome: Outcome;
  /** True when no boot before this one came to this outcome. */
  readonly isNew: boolean;
}

/** A distinct outcome and the first cell that showed it, which replays it. */
export interface FoundOutcome {
  readonly key: string;
  readonly verdict: Verdict;
  readonly signature: string | null;
  readonly title: string | null;
  /** The innermost functions of the crash, the one it is blamed on first; empty without a trace. */
  readonly place: readonly string[];
  readonly reason: string;
  readonly cell: Cell;
  /** What that cell has to come to again. */
  readonly expect: Expectation;
  readonly stage: Stage;
  /** Number of the boot, from 1, that showed it first. */
  readonly boot: number;
  readonly times: number;
}

/** A boot whose recorded order was not the one that it was asked for. */
export interface Unrealised {
  readonly cell: string;
  readonly asked: readonly string[];
  readonly recorded: readonly string[];
  readonly why: string;
}

/** A device that was not asked about and crashed: what became of it. */
export interface Stranger {
  readonly device: string;
  /** Signature of its crash. */
  readonly signature: string;
  /** The node that is disabled from then on; null where the search went on with the device. */
  readonly disabled: string | null;
  /** Why it was not taken out; null where it was, or did not need to be. */
  readonly kept: string | null;
  /** It only warned: boots are judged without that from then on. */
  readonly warns: boolean;
}

export interface Exploration {
  readonly boots: number;
  readonly stoppedBy: 'complete' | 'budget' | 'crash' | 'baseline';
  /** Where the first boot failed: the device that it is laid to, and its node; null where neither is known. */
  readonly atFault: { readonly device: string; readonly node: string | null } | null;
  readonly stages: readonly { readonly stage: Stage; readonly boots: number }[];
  readonly outcomes: readonly FoundOutcome[];
  readonly strangers: readonly Stranger[];
  /** Orders in which probes began, as recorded: of two, and of `strength`. */
  readonly pairs: Coverage;
  readonly coverage: Coverage;
  /** Orders in which devices were bound, as recorded; a device that defers is bound later than it begins. */
  readonly bound: { readonly covered: number; readonly total: number };
  readonly loadOrders: Coverage | null;
  readonly constraints: readonly Precedence[];
  readonly waits: readonly DriverWait[];
  readonly unrealised: readonly Unrealised[];
}
