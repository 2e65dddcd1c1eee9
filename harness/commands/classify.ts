import pc from 'picocolors';
import type { Crash, Frame } from '../dmesg/events.ts';
import { rustName } from '../dmesg/rust.ts';
import { EXIT, InputError } from '../errors.ts';
import { type CodePlace, placeKey, symbolize } from '../kernel/symbolize.ts';
import { isMissing, isPass } from '../model/verdict.ts';
import { printable } from '../printable.ts';
import { count, groupBy } from '../report/text.ts';
import { readKnownIssues } from '../terminal/known-issues.ts';
import { print, printJson } from '../terminal/output.ts';
import { type Classification, Classifier, type ClassifyOptions as ReadingOptions } from '../verdict/classify.ts';
import type { ClassifyOptions } from './classify.options.ts';
import { logFiles, readLog, STANDARD_INPUT } from './classify-files.ts';

/** Frames and lines of a crash that a reader needs to know it again. */
const SHOWN_FRAMES = 12;
const SHOWN_LINES = 4;
/** Bytes of standard input that are kept to be read a second time. */
const MAX_KEPT = 256 * 2 ** 20;

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
    results.push(await classifyFile(file, options.vmlinux, { knownIssues: issues, today }));
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

/** With a vmlinux the log is read twice: what its debug information says of the frames decides whom to blame. */
async function classifyFile(
  file: string,
  vmlinux: string | undefined,
  options: ReadingOptions,
): Promise<Classification> {
  const first = new Classifier();
  const kept: Buffer[] = [];
  let size = 0;
  await readLog(file, (chunk) => {
    first.push(chunk);
    if (vmlinux === undefined || file !== STANDARD_INPUT) return;
    size += chunk.length;
    if (size > MAX_KEPT) throw new InputError('standard input is longer than 256 MiB', 'name a file for --vmlinux');
    kept.push(chunk);
  });
  const result = first.finish(file, options);
  const places = placesOf(result);
  if (vmlinux === undefined || places.length === 0) return result;
  const sources = await symbolize(vmlinux, places);
  const second = new Classifier((name, offset) => sources.get(placeKey({ function: name, offset })) ?? null);
  if (file === STANDARD_INPUT) for (const chunk of kept) second.push(chunk);
  else await readLog(file, (chunk) => second.push(chunk));
  return second.finish(file, options);
}

/** Places in the built-in kernel that the crashes of a log name. */
function placesOf({ crashes }: Classification): CodePlace[] {
  const named = ({ function: name, offset, module }: Crash | Frame): CodePlace[] =>
    name === null || offset === null || module !== null ? [] : [{ function: name, offset }];
  return crashes.flatMap((crash) => [
    ...named(crash),
    ...[crash.pc, crash.lr, ...crash.trace].flatMap((frame) => (frame === null ? [] : named(frame))),
  ]);
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

function withDriver(device: string, driver: string | null): string {
  return `${printable(device)}${driver === null ? '' : ` (${printable(driver)})`}`;
}

function describe(result: Classification): string {
  const paint = isPass(result.verdict) ? pc.green : pc.red;
  const file = result.file === STANDARD_INPUT ? 'standard input' : printable(result.file);
  const lines = [`${file}: ${paint(nameOf(result))} (${printable(result.reason)})`];
  for (const crash of result.crashes) lines.push(...describeCrash(crash));
  for (const { device, driver, times, reason, outcome } of result.deferrals) {
    const why = reason === null ? '' : `: ${printable(reason)}`;
    lines.push(`  deferred ${withDriver(device, driver)}, ${count(times, 'time')}, ${outcome}${why}`);
  }
  for (const { device, driver, error, reason } of result.failed) {
    const why = reason === null ? '' : ` (${reason})`;
    lines.push(`  failed ${withDriver(device, driver)} with error ${error === null ? 'unknown' : -error}${why}`);
  }
  for (const { module, reason } of result.rejected)
    lines.push(`  rejected module ${printable(module ?? '')}: ${printable(reason)}`);
  if (result.inFlight !== null) lines.push(`  in flight: ${printable(result.inFlight)}`);
  if (result.fragment && nameOf(result) !== 'fragment')
    lines.push('  fragment: the log has no beginning or end; what it shows is all that was judged');
  for (const note of result.notes) lines.push(`  note: ${printable(note)}`);
  return `${lines.join('\n')}\n`;
}

/** The function to blame where the title has another or none, and why those further in are not, each reason once. */
function blamed(crash: Crash): string[] {
  const passedOver = [...groupBy(crash.passedOver, ({ why }) => why)].map(
    ([why, all]) => `not ${all.map((one) => one.function).join(', ')}: ${all.length === 1 ? 'it' : 'each'} ${why}`,
  );
  const { function: name, module, title } = crash;
  if (name === null || title.endsWith(` in ${rustName(name)}`)) return passedOver;
  return [`to blame: ${rustName(name)}${module === null ? '' : ` [${module}]`}`, ...passedOver];
}

function describeCrash(crash: Crash): string[] {
  const where = [
    crash.address === null ? null : `address ${crash.address}`,
    crash.comm === null ? null : `${crash.comm}${crash.pid === null ? '' : `/${crash.pid}`}`,
    crash.cpu === null ? null : `CPU ${crash.cpu}`,
    crash.workqueue,
    crash.source,
  ].filter((part) => part !== null);
  const untraced = crash.trace.length === 0 ? '; no backtrace of it is in the log' : '';
  const stalled = crash.stalledCpus.length === 0 ? [] : [`    stalled: CPU ${crash.stalledCpus.join(', ')}${untraced}`];
  const probing = crash.probing === null ? [] : [`    while ${crash.probing.driver} probed ${crash.probing.device}`];
  const trace = crash.trace.slice(0, SHOWN_FRAMES).map(({ function: name, module, source }) => {
    const place = source === null ? '' : `  ${source}`;
    return `      ${name}${module === null ? '' : ` [${module}]`}${place}`;
  });
  const context = where.length === 0 ? '' : `: ${printable(where.join(', '))}`;
  return [
    `  ${pc.bold(printable(crash.title))}`,
    `    line ${crash.line}${context}${crash.truncated ? ' (the log is cut in this report)' : ''}`,
    ...(crash.trackerTitle === crash.title ? [] : [`    in a tracker: ${printable(crash.trackerTitle)}`]),
    ...stalled,
    ...probing.map(printable),
    ...crash.text.slice(0, SHOWN_LINES).map((line) => `    | ${printable(line)}`),
    ...trace.map(printable),
    ...blamed(crash).map((line) => `    ${printable(line)}`),
    ...crash.followUps.map((followUp) => `    then, line ${followUp.line}: ${printable(followUp.title)}`),
  ];
}
