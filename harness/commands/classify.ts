import pc from 'picocolors';
import type { Crash, Frame } from '../dmesg/events.ts';
import { EXIT } from '../errors.ts';
import { type CodePlace, placeKey, symbolize } from '../kernel/symbolize.ts';
import { isMissing, isPass } from '../model/verdict.ts';
import { printable } from '../printable.ts';
import { readKnownIssues } from '../terminal/known-issues.ts';
import { print, printJson } from '../terminal/output.ts';
import { type Classification, Classifier, type ClassifyOptions as ReadingOptions } from '../verdict/classify.ts';
import type { ClassifyOptions } from './classify.options.ts';
import { logFiles, readLog, STANDARD_INPUT } from './classify-files.ts';

/** Frames and lines of a crash that a reader needs to know it again. */
const SHOWN_FRAMES = 12;
const SHOWN_LINES = 4;

/**
 * `bootrace classify [FILE...]`: says what happened in kernel logs, packed or not; a folder stands for the logs below
 * it, and standard input is read where no file is named. Exit code 0: every log is of a boot that completed; 1: a
 * crash, a hang, a failed or stuck device; 3: some log gives no verdict, as it is empty, or a fragment that shows
 * nothing.
 *
 * @throws InputError for files that cannot be read
 */
export async function classify(files: readonly string[], options: ClassifyOptions): Promise<number> {
  const today = new Date().toISOString().slice(0, 'YYYY-MM-DD'.length);
  const issues = await readKnownIssues(options.knownIssues);
  const results: Classification[] = [];
  for (const file of await logFiles(files.length === 0 ? [STANDARD_INPUT] : files)) {
    const result = await classifyFile(file, { knownIssues: issues, today });
    results.push(options.vmlinux === undefined ? result : await withSources(result, options.vmlinux));
  }
  if (options.json) printJson(results);
  else print(results.map(describe).join('\n') + summary(results));
  return exitCode(results);
}

function exitCode(results: readonly Classification[]): number {
  const good = ({ verdict }: Classification): boolean => isPass(verdict);
  if (results.some((result) => !good(result) && !isMissing(result.verdict))) return EXIT.unexpected;
  return results.every(good) ? EXIT.expected : EXIT.noVerdict;
}

async function classifyFile(file: string, options: ReadingOptions): Promise<Classification> {
  const classifier = new Classifier();
  await readLog(file, (chunk) => classifier.push(chunk));
  return classifier.finish(file, options);
}

/** One line for many logs: `4 logs: 2 bound, 1 null-deref, 1 fragment`. */
function summary(results: readonly Classification[]): string {
  if (results.length < 2) return '';
  const counts = new Map<string, number>();
  for (const result of results) counts.set(nameOf(result), (counts.get(nameOf(result)) ?? 0) + 1);
  const parts = [...counts].sort(([, one], [, other]) => other - one).map(([name, count]) => `${count} ${name}`);
  return `\n${results.length} logs: ${parts.join(', ')}\n`;
}

/** The verdict, or `fragment` where the log is an excerpt that gives none. */
function nameOf({ verdict, fragment }: Classification): string {
  return fragment && isMissing(verdict) ? 'fragment' : verdict;
}

async function withSources(result: Classification, vmlinux: string): Promise<Classification> {
  const frames = result.crashes.flatMap((crash) => [crash.pc, crash.lr, ...crash.trace]);
  const places: CodePlace[] = frames.flatMap((frame) =>
    frame === null || frame.offset === null || frame.module !== null
      ? []
      : [{ function: frame.function, offset: frame.offset }],
  );
  const sources = await symbolize(vmlinux, places);
  const located = (frame: Frame): Frame => {
    if (frame.offset === null || frame.module !== null) return frame;
    const source = sources.get(placeKey({ function: frame.function, offset: frame.offset }));
    return source === undefined ? frame : { ...frame, source };
  };
  const crashes = result.crashes.map((crash): Crash => {
    const blamed =
      crash.function === null || crash.offset === null ? null : { function: crash.function, offset: crash.offset };
    return {
      ...crash,
      pc: crash.pc === null ? null : located(crash.pc),
      lr: crash.lr === null ? null : located(crash.lr),
      trace: crash.trace.map(located),
      source: crash.source ?? (blamed === null ? null : (sources.get(placeKey(blamed)) ?? null)),
    };
  });
  return { ...result, crashes };
}

function describe(result: Classification): string {
  const paint = isPass(result.verdict) ? pc.green : pc.red;
  const lines = [
    `${result.file === STANDARD_INPUT ? 'standard input' : printable(result.file)}: ${paint(nameOf(result))} (${printable(result.reason)})`,
  ];
  for (const crash of result.crashes) lines.push(...describeCrash(crash));
  for (const { device, driver, times, reason, outcome } of result.deferrals) {
    const why = reason === null ? '' : `: ${printable(reason)}`;
    lines.push(
      `  deferred ${printable(device)}${driver === null ? '' : ` (${printable(driver)})`}, ${times} ${times === 1 ? 'time' : 'times'}, ${outcome}${why}`,
    );
  }
  for (const { device, driver, error, reason } of result.failed) {
    lines.push(
      `  failed ${printable(device)}${driver === null ? '' : ` (${printable(driver)})`} with error ${error === null ? 'unknown' : -error}${reason === null ? '' : ` (${reason})`}`,
    );
  }
  for (const { module, reason } of result.rejected)
    lines.push(`  rejected module ${printable(module ?? '')}: ${printable(reason)}`);
  if (result.inFlight !== null) lines.push(`  in flight: ${printable(result.inFlight)}`);
  if (result.fragment && nameOf(result) !== 'fragment')
    lines.push('  fragment: the log has no beginning or end; what it shows is all that was judged');
  for (const note of result.notes) lines.push(`  note: ${printable(note)}`);
  return `${lines.join('\n')}\n`;
}

function describeCrash(crash: Crash): string[] {
  const where = [
    crash.address === null ? null : `address ${crash.address}`,
    crash.comm === null ? null : `${crash.comm}${crash.pid === null ? '' : `/${crash.pid}`}`,
    crash.cpu === null ? null : `CPU ${crash.cpu}`,
    crash.workqueue,
    crash.source,
  ].filter((part) => part !== null);
  const stalled =
    crash.stalledCpus.length === 0
      ? []
      : [
          `    stalled: CPU ${crash.stalledCpus.join(', ')}${crash.trace.length === 0 ? '; no backtrace of it is in the log' : ''}`,
        ];
  const probing = crash.probing === null ? [] : [`    while ${crash.probing.driver} probed ${crash.probing.device}`];
  const trace = crash.trace
    .slice(0, SHOWN_FRAMES)
    .map(
      (frame) =>
        `      ${frame.function}${frame.module === null ? '' : ` [${frame.module}]`}${frame.source === null ? '' : `  ${frame.source}`}`,
    );
  return [
    `  ${pc.bold(printable(crash.title))}`,
    `    line ${crash.line}${where.length === 0 ? '' : `: ${printable(where.join(', '))}`}${crash.truncated ? ' (the log is cut in this report)' : ''}`,
    ...(crash.trackerTitle === crash.title ? [] : [`    in a tracker: ${printable(crash.trackerTitle)}`]),
    ...stalled,
    ...probing.map(printable),
    ...crash.text.slice(0, SHOWN_LINES).map((line) => `    | ${printable(line)}`),
    ...trace.map(printable),
    ...crash.passedOver.map(({ function: name, why }) => `    not ${printable(name)}: it ${why}`),
    ...crash.followUps.map((followUp) => `    then, line ${followUp.line}: ${printable(followUp.title)}`),
  ];
}
