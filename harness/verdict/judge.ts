import type { Crash } from '../dmesg/events.ts';
import { type DeviceLife, endOfWait, newLife } from '../dmesg/lives.ts';
import type { LogSummary } from '../dmesg/summary.ts';
import type { Expectation } from '../model/cell.ts';
import { crashFacts, isFatal } from '../model/crash.ts';
import { isWorse, type Verdict } from '../model/verdict.ts';
import { excusesCrash, excusesDevice, isExpired, type KnownIssue } from './knownissues.ts';

export interface JudgeInput {
  readonly summary: LogSummary;
  /** Devices that decide; empty for a log that is not of a cell: then every device of the log does. */
  readonly watch: readonly string[];
  /**
   * What a complete log has to show: `plan` for a boot of this harness, whose init says `done` and powers off; `init`
   * for one of a real board, which the firmware switches off there, as its drivers' shutdown would take as long as the
   * boot; `boot` for any other, which at least has to have started user space.
   */
  readonly completeBy: 'plan' | 'init' | 'boot';
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
  /** The log has neither the beginning of a boot nor its end: only what it shows is judged. */
  readonly fragment: boolean;
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
    ...ofEarlierBoots(input, notes),
    ...ofEnding(input),
    ...ofRetries(input),
    ...ofDevices(input, notes),
  ];
  const fragment = isFragment(input);
  if (fragment && findings.length === 0) findings.push(nothingShown(input.summary));
  noteWaits(input.summary, notes);
  if (input.summary.dropped > 0) notes.push(`the kernel dropped ${input.summary.dropped} messages`);
  let worst: Finding | null = null;
  for (const finding of findings) {
    if (worst === null || isWorse(finding.verdict, worst.verdict)) worst = finding;
  }
  const { verdict, reason, crash } = worst ?? ofBinding(input);
  return { verdict, reason, crash, fragment: fragment && input.summary.kernel, notes };
}

/** Names that a note lists before it only counts. */
const NOTED_NAMES = 8;

function listed(names: Iterable<string>): string {
  const all = [...new Set(names)];
  const rest = all.length - NOTED_NAMES;
  return `${all.slice(0, NOTED_NAMES).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

/** What waits for what, where that alone decides nothing. */
function noteWaits({ devices, syncWaits, remoteprocs }: LogSummary, notes: string[]): void {
  const open = [...devices.values()].filter(
    ({ state, pending }) => !pending && (state === 'deferred' || state === 'retried'),
  );
  if (open.length > 0)
    notes.push(`deferred, and no later line says that they were bound: ${listed(open.map(({ device }) => device))}`);
  const pending = [...devices.values()].filter((life) => life.pending && life.state !== 'bound');
  if (pending.length > 0) notes.push(`still deferred: ${listed(pending.map(({ device }) => device))}`);
  if (syncWaits.length > 0)
    notes.push(`suppliers wait in sync_state() for: ${listed(syncWaits.map(({ consumer }) => consumer))}`);
  for (const { processor, reason } of remoteprocs.slice(0, NOTED_NAMES)) notes.push(`${processor}: ${reason}`);
}

/** The verdict that one crash alone gives: that of its kind, or of what it led to where it was only a report. */
export function crashVerdict(crash: Crash): Verdict {
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
    yield { verdict: crashVerdict(crash), reason: crash.title, crash };
  }
  if (summary.moreCrashes > 0) notes.push(`${summary.moreCrashes} more crashes were only counted`);
}

function* ofModules({ summary }: JudgeInput): Generator<Finding> {
  for (const { module, reason } of summary.rejected) {
    yield { verdict: 'module-rejected', reason: `${module ?? 'a module'}: ${reason}`, crash: null };
  }
}

function* ofEnding({ summary, completeBy }: JudgeInput): Generator<Finding> {
  const inFlight = describeInFlight(summary);
  const flying = inFlight === null ? '' : `, ${inFlight} in flight`;
  const hang = (what: string): Finding => ({
    verdict: 'hang',
    reason: `${what}${flying}; last line: ${summary.lastLine || 'none'}`,
    crash: null,
  });
  if (completeBy !== 'boot' || summary.plan !== 'none') {
    if (summary.plan === 'none') yield hang('the guest never started its plan');
    else if (summary.plan === 'started') yield hang('the guest did not finish its plan');
    else if (completeBy !== 'init' && !summary.shutdown) yield hang('the guest did not power off');
    return;
  }
  const { root, firmwareException } = summary;
  if (firmwareException !== null) yield hang(`the boot firmware took an exception: ${firmwareException}`);
  if (root?.missing === true) {
    const which = root.name === null ? 'its root device' : `its root device ${root.name}`;
    yield {
      verdict: 'hang',
      reason:
        root.by === 'kernel'
          ? `the kernel cannot open ${which}`
          : `the initramfs gave up waiting for ${which}${root.shell ? ' and dropped to a shell' : ''}`,
      crash: null,
    };
    return;
  }
  if ((summary.userSpace && root === null) || summary.shutdown) return;
  if (summary.crashes.length > 0 || summary.quoted) return;
  if (root !== null && summary.banner !== null) {
    yield hang(`the boot waits for its root device${root.name === null ? '' : ` ${root.name}`}`);
    return;
  }
  if (summary.banner !== null || (summary.started && summary.kernel))
    yield hang('the log ends before user space was started');
  else if (summary.started) yield hang('the boot loader started the kernel, which did not say a word');
}

/** A boot that stops before the next one begins, without a shutdown or a crash, was not a good one. */
function* ofEarlierBoots({ summary, completeBy }: JudgeInput, notes: string[]): Generator<Finding> {
  // A guest of this harness boots once; what stands in its log is judged by its plan.
  if (completeBy !== 'boot' || summary.plan !== 'none') return;
  const { boots } = summary;
  if (boots.length === 0) return;
  const total = boots.length + 1;
  const whole = summary.banner !== null || summary.userSpace;
  const silent = boots.flatMap((boot, index) =>
    boot.ended === 'silent' && (boot.sign !== 'clock' || whole) ? [{ boot, number: index + 1 }] : [],
  );
  const [first] = silent;
  if (first === undefined) {
    notes.push(`the log holds ${total} boots`);
    return;
  }
  notes.push(`${silent.length} of ${total} boots in this log ended without a word`);
  const probing = first.boot.probing.length === 0 ? '' : `, probe of ${first.boot.probing.join(', ')} in flight`;
  yield {
    verdict: 'hang',
    reason:
      `boot ${first.number} of ${total} ended without a word${probing}; ` +
      `its last line: ${first.boot.lastText || 'none'}`,
    crash: null,
  };
}

/** Neither the kernel's banner nor user space nor the end of a boot is in the log, or only quoted. */
function isFragment({ summary, completeBy }: JudgeInput): boolean {
  if (completeBy !== 'boot' || summary.plan !== 'none') return false;
  if (!summary.kernel) return !summary.started;
  return (
    (summary.quoted || (summary.banner === null && !summary.started)) &&
    !summary.userSpace &&
    !summary.shutdown &&
    summary.root?.missing !== true &&
    summary.firmwareException === null
  );
}

function nothingShown({ lines, kernel, quoted }: LogSummary): Finding {
  const reason =
    lines === 0
      ? 'the log is empty'
      : kernel && quoted
        ? 'a few lines of a log are quoted; they show no crash, and the driver core speaks of no device in trouble'
        : kernel
          ? 'the log has no beginning or end; it shows no crash, and the driver core speaks of no device in trouble'
          : "nothing in the log is a kernel's";
  return { verdict: 'infra-error', reason, crash: null };
}

function* ofRetries({ summary: { retryLoop } }: JudgeInput): Generator<Finding> {
  if (retryLoop === null) return;
  const { device, deferrals, rebound } = retryLoop;
  const reason = `${device}: deferred ${deferrals} times, as each retry binds ${rebound} again, which starts the next`;
  yield { verdict: 'retry-loop', reason, crash: null };
}

function* ofDevices({ summary, watch, knownIssues, today }: JudgeInput, notes: string[]): Generator<Finding> {
  const lives =
    watch.length === 0
      ? [...summary.devices.values()]
      : watch.map((device) => summary.devices.get(device) ?? newLife(device, 'absent', 0));
  for (const life of lives) {
    const finding = deviceFinding(life, watch.length > 0);
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

/** `-22`, and why where the driver core said it before: -ETIMEDOUT is then no time-out of the hardware. */
function errorOf(life: DeviceLife): string {
  const number = life.error === null ? 'unknown' : String(-life.error);
  const end = endOfWait(life);
  return end === null ? number : `${number}: ${end}`;
}

export function deviceFinding(life: DeviceLife, watched: boolean): Finding | null {
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
      return finding('probe-failed', `probe failed with error ${errorOf(life)}`);
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

/** The verdict of a boot with which nothing is wrong. */
export function ofBinding({ summary, watch }: Pick<JudgeInput, 'summary' | 'watch'>): Finding {
  const lives =
    watch.length === 0 ? [...summary.devices.values()] : watch.flatMap((device) => summary.devices.get(device) ?? []);
  const late = lives.filter((life) => life.state === 'bound' && life.deferrals > 0);
  if (late.length > 0) {
    const [first] = late;
    const times = first?.deferrals === 1 ? 'once' : `${first?.deferrals ?? 0} times`;
    return {
      verdict: 'deferred-then-bound',
      reason: `${first?.device ?? ''} was deferred ${times} before it bound`,
      crash: null,
    };
  }
  return {
    verdict: 'bound',
    reason: watch.length === 0 ? 'the boot completed' : 'every watched device is bound',
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
