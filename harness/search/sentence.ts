import { isShort } from '../model/gate.ts';
import type { Verdict } from '../model/verdict.ts';
import type { Cause, ProbeCaller, ProbeState } from './cause.ts';
import { type Condition, conditionText, milliseconds } from './conditions.ts';
import type { Failure } from './failures.ts';
import type { Threshold } from './threshold.ts';

/** How long the probe of `device` has to be delayed, in virtual milliseconds. */
export interface DelayThreshold extends Omit<Threshold, 'tests'> {
  readonly device: string;
}

/** What the crash needs further to come from the caller that it came from in the given cell. */
export interface CallerNeeds {
  /** Who called the crashing probe in the given cell, and who calls it when only what the crash needs is there. */
  readonly caller: ProbeCaller;
  readonly otherwise: ProbeCaller | null;
  readonly conditions: readonly Condition[];
  /** Delays with these conditions. */
  readonly delays: readonly DelayThreshold[];
}

/** Conditions without effect that the sentence names; more are counted, and listed elsewhere. */
const MOST_NAMED = 3;

/** What the sentence is made of. */
export interface Explained {
  /** What the failure needs, whoever calls the probe; each delay at its threshold. */
  readonly needed: readonly Condition[];
  readonly forCaller: CallerNeeds | null;
  readonly irrelevant: readonly Condition[];
  readonly delays: readonly DelayThreshold[];
  readonly cause: Cause;
  readonly verdict: Verdict;
  /** What was explained. */
  readonly failure: Failure;
}

/**
 * One sentence in the words of the bug report: who crashes, before whom, what it needs, what does not matter.
 * "arm-smmu crashes when it probes 5f000000.iommu before qcom_scm has finished probing firmware:scm; needs: ..."
 */
export function explanationSentence(explained: Explained): string {
  const { needed, forCaller, irrelevant, delays } = explained;
  const parts = [causeText(explained)];
  const needs = needed.map((one) => needText(one, delays));
  parts.push(needs.length === 0 ? 'needs nothing beyond the kernel and the tree' : `needs: ${needs.join(', ')}`);
  if (forCaller !== null) {
    const further = [...forCaller.conditions.map((one) => needText(one, delays)), ...longerDelays(forCaller, delays)];
    parts.push(
      `to crash ${callerText(forCaller.caller)} and not ${callerText(forCaller.otherwise)} also: ${further.join(', ')}`,
    );
  }
  const moved = irrelevant.some((one) => one.condition === 'tree' && one.edit.edit === 'move');
  if (moved) parts.push("the node's position does not matter");
  const others = irrelevant.filter((one) => one.condition !== 'tree' || one.edit.edit !== 'move');
  if (others.length > MOST_NAMED) parts.push(`${others.length} other conditions do not matter`);
  else if (others.length > 0) parts.push(`without effect: ${others.map(conditionText).join(', ')}`);
  return parts.join('; ');
}

/** Delays that have to be longer for the caller than for the crash. */
export function longerDelays({ delays }: CallerNeeds, least: readonly DelayThreshold[]): string[] {
  return delays
    .filter(({ device, failsFrom }) => failsFrom > (least.find((one) => one.device === device)?.failsFrom ?? 0))
    .map((delay) => delayText(delay));
}

/** Who called the probe, as an adverb: "arm-smmu crashes in an initcall". */
export function callerText(caller: ProbeCaller | null): string {
  switch (caller) {
    case 'async':
      return 'asynchronously';
    case 'deferred':
      return 'in the retry of deferred probes';
    case 'module-load':
      return 'while its module is loaded';
    case 'initcall':
      return 'in an initcall';
    case 'by-hand':
      return 'by hand';
    case null:
      return 'from another caller';
  }
}

function causeText({ cause, verdict, needed, failure }: Explained): string {
  const { crash, probing } = cause;
  if (crash === null || !crash.fatal) {
    if (crash === null && failure.device !== null)
      return `${failure.device} ends as ${verdict} (${failure.what.replace(`${failure.device}: `, '')})`;
    const what = `the boot ends with the verdict ${verdict}${crash === null ? '' : ` (${crash.title})`}`;
    return probing === null ? what : `${what} when ${probing.driver ?? 'a driver'} probes ${probing.device}`;
  }
  const blocking = blamed(cause, needed);
  const before = blocking === null ? '' : ` before ${unfinishedText(blocking)}`;
  if (probing === null) return `the kernel crashes (${crash.title})${before}`;
  return `${probing.driver ?? 'the kernel'} crashes when it probes ${probing.device}${before}`;
}

/** The unfinished device that a needed gate holds or delays, as this is what the failure depends on. */
function blamed(cause: Cause, needed: readonly Condition[]): ProbeState | null {
  const gated = needed.flatMap((one) => (one.condition === 'gate' && 'device' in one.gate ? [one.gate.device] : []));
  const found = cause.unfinished.find(({ device }) => gated.includes(device));
  if (found !== undefined) return found;
  return cause.unfinished.length === 1 ? (cause.unfinished[0] ?? null) : null;
}

/** "Finished" also where the probe has not begun: it is what the crashing driver would have to make sure of. */
function unfinishedText({ device, driver }: ProbeState): string {
  return driver === null ? `the probe of ${device} has finished` : `${driver} has finished probing ${device}`;
}

function needText(one: Condition, delays: readonly DelayThreshold[]): string {
  if (one.condition !== 'gate' || !isShort(one.gate, 'delay')) return conditionText(one);
  const { device } = one.gate;
  const found = delays.find((delay) => delay.device === device);
  return found === undefined ? conditionText(one) : delayText(found);
}

function delayText({ device, failsFrom, passesAbove, failsBelow }: DelayThreshold): string {
  const others = [
    ...(passesAbove === null ? [] : [`a longer one, ${milliseconds(passesAbove)}, does not fail`]),
    ...(failsBelow === null ? [] : [`a shorter one, ${milliseconds(failsBelow)}, fails too`]),
  ];
  const least = `delay of at least ${milliseconds(failsFrom)} in the probe of ${device}`;
  return others.length === 0 ? least : `${least} (${others.join('; ')})`;
}
