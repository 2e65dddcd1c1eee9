import type { Crash } from '../dmesg/events.ts';
import type { Locate } from '../dmesg/frame.ts';
import { type DeviceLife, endOfWait } from '../dmesg/lives.ts';
import { DmesgParser } from '../dmesg/parser.ts';
import { type EarlierBoot, type LogSummary, Summary } from '../dmesg/summary.ts';
import type { Verdict } from '../model/verdict.ts';
import { describeInFlight, judge } from './judge.ts';
import type { KnownIssue } from './knownissues.ts';

/** What one deferred device came to. */
interface Deferral {
  readonly device: string;
  readonly driver: string | null;
  readonly by: 'driver' | 'supplier' | 'unknown';
  readonly reason: string | null;
  /** How often it was deferred. */
  readonly times: number;
  /** `waiting`: the log ends before it is known. */
  readonly outcome: 'bound' | 'failed' | 'pending' | 'waiting';
}

/** The published shape of `bootrace classify --json`, one for each file. */
export interface Classification {
  readonly file: string;
  readonly verdict: Verdict;
  readonly reason: string;
  /** The log is an excerpt, with neither the beginning nor the end of a boot; `infra-error` where it shows nothing. */
  readonly fragment: boolean;
  /** Boots before the last one that the log holds. */
  readonly boots: readonly EarlierBoot[];
  readonly kernel: string | null;
  readonly crashes: readonly Crash[];
  readonly deferrals: readonly Deferral[];
  /** Devices in the order in which they bound. */
  readonly bound: readonly string[];
  readonly failed: readonly {
    readonly device: string;
    readonly driver: string | null;
    readonly error: number | null;
    /** Why, where the log says more than the number. */
    readonly reason: string | null;
  }[];
  /** Devices that bound suppliers wait for in sync_state(). */
  readonly awaited: readonly { readonly device: string; readonly by: readonly string[] }[];
  /** Nodes that fw_devlink found to need each other. */
  readonly cycles: readonly { readonly node: string; readonly with: string }[];
  readonly remoteprocs: readonly { readonly processor: string; readonly reason: string }[];
  /** The root file system that is awaited or was given up; null where it is not in question. */
  readonly root: { readonly name: string | null; readonly missing: boolean } | null;
  readonly rejected: readonly { readonly module: string | null; readonly reason: string }[];
  /** Initcalls, probes and module loads that were entered and not left. */
  readonly inFlight: string | null;
  readonly lastLine: string;
  readonly lines: number;
  readonly notes: readonly string[];
}

export interface ClassifyOptions {
  readonly knownIssues: readonly KnownIssue[];
  /** `2026-11-22` */
  readonly today: string;
}

/** Classifies a log that is in memory. Never throws. */
export function classifyBytes(file: string, bytes: Uint8Array, options: ClassifyOptions): Classification {
  const classifier = new Classifier();
  classifier.push(bytes);
  return classifier.finish(file, options);
}

/** Classifies a log as it arrives; bounded memory. */
export class Classifier {
  readonly #parser: DmesgParser;
  readonly #summary = new Summary();

  /** @param locate names the sources of frames that the log does not name, which decide whom to blame */
  constructor(locate: Locate | null = null) {
    this.#parser = new DmesgParser(locate);
  }

  push(chunk: Uint8Array): void {
    for (const event of this.#parser.push(chunk)) this.#summary.add(event);
  }

  finish(file: string, options: ClassifyOptions): Classification {
    for (const event of this.#parser.end()) this.#summary.add(event);
    return describe(file, this.#summary.finish(this.#parser), options);
  }
}

function describe(file: string, summary: LogSummary, options: ClassifyOptions): Classification {
  const judgement = judge({ summary, watch: [], completeBy: 'boot', ...options });
  const lives = [...summary.devices.values()];
  return {
    file,
    verdict: judgement.verdict,
    reason: judgement.reason,
    fragment: judgement.fragment,
    boots: [...summary.boots],
    kernel: summary.banner,
    crashes: summary.crashes,
    deferrals: lives.filter((life) => life.deferrals > 0).map(deferral),
    bound: lives
      .filter((life) => life.state === 'bound')
      .sort((a, b) => a.boundLine - b.boundLine)
      .map((life) => life.device),
    failed: lives
      .filter((life) => life.state === 'failed')
      .map((life) => ({ device: life.device, driver: life.driver, error: life.error, reason: endOfWait(life) })),
    awaited: awaited(summary),
    cycles: summary.cycles,
    remoteprocs: summary.remoteprocs,
    root: summary.root === null ? null : { name: summary.root.name, missing: summary.root.missing },
    rejected: summary.rejected.map(({ module, reason }) => ({ module, reason })),
    inFlight: describeInFlight(summary),
    lastLine: summary.lastLine,
    lines: summary.lines,
    notes: judgement.notes,
  };
}

function awaited({ syncWaits }: LogSummary): Classification['awaited'] {
  const suppliers = new Map<string, Set<string>>();
  for (const { supplier, consumer } of syncWaits) {
    const known = suppliers.get(consumer) ?? new Set();
    suppliers.set(consumer, known.add(supplier));
  }
  return [...suppliers].map(([device, by]) => ({ device, by: [...by] }));
}

function deferral(life: DeviceLife): Deferral {
  const outcome =
    life.state === 'bound' ? 'bound' : life.state === 'failed' ? 'failed' : life.pending ? 'pending' : 'waiting';
  return {
    device: life.device,
    driver: life.driver,
    by: life.by ?? 'unknown',
    reason: life.reason,
    times: life.deferrals,
    outcome,
  };
}
