import type { Crash } from '../dmesg/events.ts';
import type { DeviceLife, LogSummary } from '../dmesg/summary.ts';
import type { Expectation } from '../model/cell.ts';
import { crashFacts, isFatal } from '../model/crash.ts';
import { isWorse, type Verdict } from '../model/verdict.ts';
import { excusesCrash, excusesDevice, isExpired, type KnownIssue } from './knownissues.ts';

export interface JudgeInput {
  readonly summary: LogSummary;
  /** Devices that decide; empty for a log that is not of a cell: then every device of the log does. */
  readonly watch: readonly string[];
  /**
   * What a complete log has to show: `plan` for a boot of this harness, whose init says `done` and powers off;
   * `boot` for any other, which at least has to have started user space.
   */
  readonly completeBy: 'plan' | 'boot';
  readonly knownIssues: readonly KnownIssue[];
  /** `2026-11-22`; decides which known issues have expired. */
  readonly today: string;
}

export interface Judgement {
  readonly verdict: Verdict;
  /** Why, one sentence. */
  readonly reason: string;
  /** The crash that the verdict is about. */
  readonly crash: Crash | null;
  /** What was excused, and what else a reader should know. */
  readonly notes: readonly string[];
}

interface Finding {
  readonly verdict: Verdict;
  readonly reason: string;
  readonly crash: Crash | null;
}

/**
 * Judges one boot. Pure; the worst finding wins, in the order of VERDICTS, and of equals the first. A log that ends
 * before the boot did is a hang, never a pass; where nothing in it is a kernel's, there is no verdict: `infra-error`.
 */
export function judge(input: JudgeInput): Judgement {
  const notes: string[] = [];
  const findings = [
    ...ofCrashes(input, notes),
    ...ofModules(input),
    ...ofEnding(input, notes),
    ...ofDevices(input, notes),
  ];
  if (input.summary.dropped > 0) notes.push(`the kernel dropped ${input.summary.dropped} messages`);
  let worst: Finding | null = null;
  for (const finding of findings) {
    if (worst === null || isWorse(finding.verdict, worst.verdict)) worst = finding;
  }
  const { verdict, reason, crash } = worst ?? ofBinding(input);
  return { verdict, reason, crash, notes };
}

/** The verdict that one crash alone gives: that of its kind, or of what it led to where it was only a report. */
function verdictOf(crash: Crash): Verdict {
  const ofKind = crashFacts(crash.kind).verdict;
  if (crash.fatal) return ofKind === 'warning' ? 'oops' : ofKind;
  const own = crash.kind === 'bug' ? 'warning' : ofKind;
  const led = crash.followUps
    .filter(({ kind }) => kind !== 'panic' && isFatal(kind))
    .map(({ kind }) => crashFacts(kind).verdict);
  return [own, ...led].reduce((worst, next) => (isWorse(next, worst) ? next : worst));
}

function* ofCrashes({ summary, knownIssues, today }: JudgeInput, notes: string[]): Generator<Finding> {
  for (const crash of summary.crashes) {
    const known = knownIssues.filter((issue) => excusesCrash(issue, crash));
    const valid = known.find((issue) => !isExpired(issue, today));
    if (valid !== undefined) {
      notes.push(`${crash.title}: known, ${valid.reason} (${valid.link})`);
      continue;
    }
    for (const issue of known) notes.push(`${issue.place}: the entry for ${crash.title} expired on ${issue.expires}`);
    yield { verdict: verdictOf(crash), reason: crash.title, crash };
  }
  if (summary.moreCrashes > 0) notes.push(`${summary.moreCrashes} more crashes were only counted`);
}

function* ofModules({ summary }: JudgeInput): Generator<Finding> {
  for (const { module, reason } of summary.rejected) {
    yield { verdict: 'module-rejected', reason: `${module ?? 'a module'}: ${reason}`, crash: null };
  }
}

function* ofEnding({ summary, completeBy }: JudgeInput, notes: string[]): Generator<Finding> {
  const inFlight = describeInFlight(summary);
  const hang = (what: string): Finding => ({
    verdict: 'hang',
    reason: `${what}${inFlight === null ? '' : `, ${inFlight} in flight`}; last line: ${summary.lastLine === '' ? 'none' : summary.lastLine}`,
    crash: null,
  });
  if (completeBy === 'plan' || summary.plan !== 'none') {
    if (summary.plan === 'none') yield hang('the guest never started its plan');
    else if (summary.plan === 'started') yield hang('the guest did not finish its plan');
    else if (!summary.shutdown) yield hang('the guest did not power off');
    return;
  }
  if (summary.userSpace || summary.shutdown) return;
  if (summary.crashes.length > 0) return;
  if (summary.banner !== null) yield hang('the log ends before user space was started');
  else {
    notes.push('neither the start of the boot nor its end is in the log');
    yield {
      verdict: 'infra-error',
      reason: summary.lines === 0 ? 'the log is empty' : 'the log shows neither a whole boot nor a crash',
      crash: null,
    };
  }
}

function* ofDevices({ summary, watch, knownIssues, today }: JudgeInput, notes: string[]): Generator<Finding> {
  const lives =
    watch.length === 0
      ? [...summary.devices.values()]
      : watch.map((device) => summary.devices.get(device) ?? unseen(device));
  for (const life of lives) {
    const finding = ofDevice(life, watch.length > 0);
    if (finding === null) continue;
    const known =
      finding.verdict === 'stuck-deferred' ? knownIssues.filter((issue) => excusesDevice(issue, life.device)) : [];
    const valid = known.find((issue) => !isExpired(issue, today));
    if (valid !== undefined) {
      notes.push(`${finding.reason}: known, ${valid.reason} (${valid.link})`);
      continue;
    }
    for (const issue of known) notes.push(`${issue.place}: the entry for ${life.device} expired on ${issue.expires}`);
    yield finding;
  }
}

const unseen = (device: string): DeviceLife => ({
  device,
  driver: null,
  state: 'absent',
  deferrals: 0,
  by: null,
  reason: null,
  error: null,
  pending: false,
  timedOut: false,
  line: 0,
  boundLine: 0,
});

function ofDevice(life: DeviceLife, watched: boolean): Finding | null {
  const finding = (verdict: Verdict, reason: string): Finding => ({
    verdict,
    reason: `${life.device}: ${reason}`,
    crash: null,
  });
  switch (life.state) {
    case 'bound':
      return null;
    case 'deferred':
    case 'retried':
      // A log that is not a cell's may simply end between two attempts: only what the kernel calls pending is stuck.
      if (!watched && !life.pending) return null;
      return finding('stuck-deferred', `still deferred${life.reason === null ? '' : `: ${life.reason}`}`);
    case 'failed':
      return finding('probe-failed', `probe failed with error ${life.error === null ? 'unknown' : -life.error}`);
    case 'absent':
      return watched ? finding('probe-failed', 'there is no such device') : null;
    case 'probing':
      return watched ? finding('hang', `the probe of ${life.driver ?? 'its driver'} has not returned`) : null;
    case 'matched':
    case 'declined':
    case 'unbound':
      if (!watched) return null;
      return finding(
        'probe-failed',
        life.error === null ? 'no driver bound to it' : `no driver bound to it, error ${-life.error}`,
      );
  }
}

function ofBinding({ summary, watch }: JudgeInput): Finding {
  const lives =
    watch.length === 0 ? [...summary.devices.values()] : watch.flatMap((device) => summary.devices.get(device) ?? []);
  const late = lives.filter((life) => life.state === 'bound' && life.deferrals > 0);
  if (late.length > 0) {
    const [first] = late;
    return {
      verdict: 'deferred-then-bound',
      reason: `${first?.device ?? ''} was deferred ${first?.deferrals === 1 ? 'once' : `${first?.deferrals ?? 0} times`} before it bound`,
      crash: null,
    };
  }
  return {
    verdict: 'bound',
    reason: watch.length === 0 ? 'the boot went through' : 'every watched device is bound',
    crash: null,
  };
}

/** What had been entered and not left when the log ended, for the reader of a hang. */
export function describeInFlight(summary: LogSummary): string | null {
  const probing = [...summary.devices.values()].filter((life) => life.state === 'probing');
  const parts = [
    ...probing.slice(-3).map((life) => `probe of ${life.device}${life.driver === null ? '' : ` by ${life.driver}`}`),
    ...summary.initcalls
      .slice(-3)
      .map((call) =>
        call.module === null ? `initcall ${call.function}` : `load of module ${call.module} (${call.function})`,
      ),
  ];
  return parts.length === 0 ? null : parts.join(', ');
}

/** How a judgement differs from what the cell expects; empty when it is as expected. */
export function differences(expect: Expectation, judgement: Judgement): string[] {
  const found: string[] = [];
  if (!expect.verdicts.includes(judgement.verdict)) {
    found.push(`expected ${expect.verdicts.join(' or ')}, got ${judgement.verdict}: ${judgement.reason}`);
    return found;
  }
  const { crash } = judgement;
  if (expect.function !== undefined && crash?.function !== expect.function) {
    found.push(`expected the crash in ${expect.function}, got ${crash?.function ?? 'none'}`);
  }
  if (expect.address !== undefined && crash?.address !== expect.address) {
    found.push(`expected a fault at ${expect.address}, got ${crash?.address ?? 'none'}`);
  }
  return found;
}
